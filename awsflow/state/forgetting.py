"""Forgetting: a work, or what of it is like a pattern, is as if it had never been read."""

import sqlite3

from awsflow.state.open_work import OpenWork
from awsflow.state.rows import long_key

_OF_WORK = "stream IN (SELECT id FROM streams WHERE work = :work AND name GLOB :stream)"
_LONG_KEY = "long_key(key, (SELECT name FROM streams WHERE id = stream))"
_IN_GROUP = "log_group IN (SELECT id FROM log_groups WHERE work = :work"
_PARTS = {
    "failures": ("failures", _OF_WORK),
    "objects": ("objects", _OF_WORK),
    "streams": ("streams", "work = :work AND name GLOB :stream"),
    "log streams": ("log_streams", f"{_IN_GROUP} AND (name GLOB :stream OR log_streams.name GLOB :stream))"),
    "log groups": ("log_groups", "work = :work AND name GLOB :stream"),
    "scans": ("scans", "work = :work AND (region GLOB :stream OR service GLOB :stream)"),
}
"""What there is: in which table, and which rows; in the order in which it can be deleted."""
_KEYS = {
    "failures": ("failures", f"{_OF_WORK} AND key GLOB :key"),
    "objects": ("objects", f"{_OF_WORK} AND {_LONG_KEY} GLOB :key"),
    "objects to delete": ("deletions", "work = :work AND key GLOB :key"),
}


class Forgetting(OpenWork):
    """A work that is to be forgotten; made by `Checkpoints.forgetting`. Raises StateError."""

    def forget(self, stream: str = "", key: str = "", *, only_count: bool = False) -> dict[str, int]:
        """Forget the streams, log groups, log streams, regions or services like `stream`; or the objects like `key`.

        Of both: the objects like one in the streams like the other. Neither: all of it. Patterns are SQLite's GLOB.
        Returns how many of what that were.
        """
        parts = _KEYS if key else _PARTS
        if key and stream:
            parts = {name: part for name, part in parts.items() if name != "objects to delete"}
        if not key and not stream:
            parts = {**parts, "objects to delete": ("deletions", "work = :work")}
        values: dict[str, str | int] = {"work": self._id, "stream": stream or "*", "key": key}
        with self._writing() as connection:
            connection.create_function("long_key", 2, long_key, deterministic=True)
            counts = {name: _count(connection, part, values) for name, part in parts.items()}
            if not only_count:
                for table, where in parts.values():
                    connection.execute(f"DELETE FROM {table} WHERE {where}", values)  # noqa: S608 - see above
                if not key and not stream:
                    connection.execute("DELETE FROM works WHERE id = :work", values)
        return {name: count for name, count in counts.items() if count}


def _count(connection: sqlite3.Connection, part: tuple[str, str], values: dict[str, str | int]) -> int:
    table, where = part
    number: int = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0]  # noqa: S608 - see above
    return number
