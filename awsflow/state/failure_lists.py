"""The failures lists of all works of a state, for people: looked at, tried again, forgotten."""

import sqlite3
from collections.abc import Iterator, Sequence

from awsflow.state.database import Database
from awsflow.state.positions import FailedObject
from awsflow.state.rows import failed_object

_AT_ONCE = 5000
"""Objects that are read at once, which is some megabytes."""
_CHOSEN = """
    SELECT id, work, folder, key, etag, size, records, error, first, last, attempts, day
    FROM failures JOIN (
        SELECT streams.id AS id, streams.name AS folder, works.name AS work,
            substr(works.name, instr(works.name, 's3://') + 5) AS place
        FROM streams JOIN works ON streams.work = works.id
    ) ON failures.stream = id
    JOIN (SELECT ? AS wanted_bucket)
    WHERE (wanted_bucket = '' OR substr(place, 1, instr(place, '/')) = wanted_bucket || '/')
    AND (
        NOT EXISTS (SELECT 1 FROM wanted)
        OR EXISTS (
            SELECT 1 FROM wanted, (SELECT 's3://' || substr(place, 1, instr(place, '/')) || key AS url)
            WHERE key = pattern OR key GLOB pattern OR url = pattern OR url GLOB pattern
        )
    )"""
"""Those that are chosen. Its only value is the bucket's name; the table `wanted` holds the patterns."""


class FailureLists:
    """What lies on the failures lists of a state, or what is chosen of it; made by `Checkpoints.failure_lists`.

    `bucket`: of this one only; `patterns`: keys, or `s3://BUCKET/KEY`, or globs of these, whose `*` matches `/` too.
    Each change is one transaction, so runs may go on meanwhile: the next one to begin heeds it. Raises StateError.
    """

    def __init__(self, database: Database, bucket: str = "", patterns: Sequence[str] = ()) -> None:
        self._database = database
        self._bucket = bucket
        self._patterns = patterns

    def listed(self) -> Iterator[tuple[str, FailedObject]]:
        """Each object with the name of its work, in the order of works and keys."""
        last: tuple[str, str, str] = ("", "", "")
        while True:
            with self._database.reading() as connection:  # not while somebody looks at them
                question = f"{self._chosen(connection)} AND (work, folder, key) > (?, ?, ?) ORDER BY 2, 3, 4 LIMIT ?"
                rows = connection.execute(question, (self._bucket, *last, _AT_ONCE)).fetchall()
            for _, work, *row in rows:
                yield work, failed_object(row)
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1][1:4]

    def works(self) -> list[str]:
        """The names of the works that have something on their list."""
        with self._database.reading() as connection:
            question = f"SELECT DISTINCT work FROM ({self._chosen(connection)}) ORDER BY work"  # noqa: S608 - ours
            return [name for (name,) in connection.execute(question, (self._bucket,))]

    def retry(self) -> int:
        """Have them tried again as if it were for the first time, given up or not; return how many they are."""
        return self._change("UPDATE failures SET attempts = 0")

    def forget(self) -> int:
        """Take them off the list, never to be read in this version; return how many they are."""
        return self._change("DELETE FROM failures")

    def _change(self, what: str) -> int:
        with self._database.writing() as connection:
            where = f"WHERE (stream, key) IN (SELECT id, key FROM ({self._chosen(connection)}))"  # noqa: S608 - ours
            return connection.execute(f"{what} {where}", (self._bucket,)).rowcount

    def _chosen(self, connection: sqlite3.Connection) -> str:
        """The question for those that are chosen; its only value is the bucket."""
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (pattern TEXT)")
        connection.execute("DELETE FROM wanted")
        connection.executemany("INSERT INTO wanted VALUES (?)", ((pattern,) for pattern in self._patterns))
        return _CHOSEN
