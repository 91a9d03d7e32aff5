"""Work: what a bucket (or another source of objects) remembers between runs, and the commits that make it so."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

from awsflow.state.database import Database
from awsflow.state.locks import FileLock
from awsflow.state.open_work import OpenWork
from awsflow.state.positions import (
    MAX_ATTEMPTS,
    FailedObject,
    ObjectPosition,
    Remembered,
    StreamPosition,
    Undeleted,
)
from awsflow.state.rows import (
    Progress,
    read_failures,
    read_objects,
    unpacked,
    write_deletions,
    write_objects,
    write_progress,
)

UNDELETED = 100_000
"""Objects of a work that are remembered as to be deleted, at most."""
_STREAM = "SELECT id, newest, kept FROM streams WHERE work = ? AND name = ?"


class Work(OpenWork):
    """All that one source remembers; made by `Checkpoints.work`, for one run at a time. Raises StateError.

    Of each stream these are the newest day, and the objects of its window: from one look-back before that day
    on. What is older is forgotten, so the size depends on the window and not on the bucket. Objects without a
    day belong to every window.
    """

    def __init__(
        self, database: Database, lock: FileLock, name: str, lookback: timedelta, now: Callable[[], datetime]
    ) -> None:
        super().__init__(database, lock, name, now)
        self._lookback = -(-lookback // timedelta(days=1))
        self._starts: dict[str, date] = {}
        self._moved: dict[str, tuple[int, date]] = {}
        """The id of each stream that this run has committed to, and the day to which it has moved the window last."""

    def since(self, stream: str, start: date) -> date:
        """Say from which day on to list a stream: `start` if it is new, else its newest less the look-back.

        Never before the `start` that the stream began with, nor before what a shorter look-back has forgotten
        since: there lies nothing but what was not wanted, or was delivered.
        """
        with self._database.reading() as connection:
            known = connection.execute(_STREAM, (self._id, stream)).fetchone()
            if known is not None and known[1] is not None:
                _, newest, kept = known
                return date.fromordinal(max(newest - self._lookback, kept))
        self._starts[stream] = min(start, self._began)
        return start

    def parts(self, stream: str) -> list[tuple[str, date]]:
        """The streams whose names begin with this one's, each with its newest day."""
        question = "SELECT name, newest FROM streams WHERE work = ? AND substr(name, 1, ?) = ? AND newest IS NOT NULL"
        with self._database.reading() as connection:
            known = connection.execute(question, (self._id, len(stream), stream))
            return [(name, date.fromordinal(newest)) for name, newest in known]

    def remembered(self, stream: str, keys: Sequence[str]) -> dict[str, Remembered]:
        """Look up objects of one stream by their keys; those not known are missing.

        A listing passes by those that are `finished`. Objects on the failures list are so, too: who asks for
        `failures` reads them.
        """
        with self._database.reading() as connection:
            known = connection.execute(_STREAM, (self._id, stream)).fetchone()
            return dict(read_objects(connection, known[0], stream, keys)) if known else {}

    def done_before(self, stream: str) -> tuple[date, str] | None:
        """Day and key of the first object that another program is known to have read: what lies before is done."""
        question = "SELECT kept, before FROM streams WHERE work = ? AND name = ? AND before IS NOT NULL"
        with self._database.reading() as connection:
            known = connection.execute(question, (self._id, stream)).fetchone()
            return (date.fromordinal(known[0]), known[1]) if known else None

    def any_stream(self) -> bool:
        """Whether anything was ever committed."""
        with self._database.reading() as connection:
            return (
                connection.execute("SELECT 1 FROM streams WHERE work = ? LIMIT 1", (self._id,)).fetchone() is not None
            )

    def commit(self, positions: Sequence[ObjectPosition | StreamPosition], *, remove: bool = False) -> None:
        """Remember these positions, reached in this order: all of them or, if StateError is raised, none.

        `remove`: and that objects which are finished are to be deleted, until `deleted` says that they are.

        Objects of a stream are to be committed in the order of their days, or as early: all that is older than the
        window of the newest is taken for done. A day in the future counts as today: it hides nothing until then.
        """
        if not positions:
            return
        going_on = self._going_on(positions)
        if len(going_on) == 1:
            self._must_be_open()
            with self._database.reading("writing") as connection:  # a statement is a transaction of its own
                if write_progress(connection, going_on):
                    return
        moved: dict[str, tuple[int, date]] = {}
        with self._writing() as connection:
            if not going_on or not write_progress(connection, going_on):
                moved = self._write(connection, positions, remove=remove)
        self._moved.update(moved)

    def failures(self, max_attempts: int = MAX_ATTEMPTS) -> list[FailedObject]:
        """List the objects that could not be read and were tried less than `max_attempts` times so far.

        There may be more than the 10,000 that are listed at most; these are listed when those are done, or given up.
        """
        with self._database.reading() as connection:
            return list(read_failures(connection, self._id, max_attempts))

    def undeleted(self, after: int, limit: int) -> list[Undeleted]:
        """What is to be deleted, in the order in which it was committed: what has numbers above `after`."""
        question = "SELECT id, key, etag FROM deletions WHERE work = ? AND id > ? ORDER BY id LIMIT ?"
        with self._database.reading() as connection:
            rows = connection.execute(question, (self._id, after, limit))
            return [Undeleted(number, key, unpacked(etag)) for number, key, etag in rows]

    def deleted(self, keys: Sequence[str]) -> None:
        """Forget that these objects are to be deleted: they are, or are others now."""
        with self._writing() as connection:
            rows = ((self._id, key) for key in keys)
            connection.executemany("DELETE FROM deletions WHERE work = ? AND key = ?", rows)

    def let_stay(self, most: int = UNDELETED) -> int:
        """Forget of what is to be deleted all but the latest `most`; return how many that were."""
        with self._writing() as connection:
            last = connection.execute(
                "SELECT id FROM deletions WHERE work = ? ORDER BY id DESC LIMIT 1 OFFSET ?", (self._id, most)
            ).fetchone()
            if last is None:
                return 0
            return connection.execute("DELETE FROM deletions WHERE work = ? AND id <= ?", (self._id, *last)).rowcount

    def _going_on(self, positions: Sequence[ObjectPosition | StreamPosition]) -> Progress:
        """How far objects were read, by stream and key; empty if more than such progress is to be committed.

        To commit these takes a statement for each: large objects of small records are committed each few milliseconds.
        """
        reached = {}
        for position in positions:
            if not isinstance(position, ObjectPosition) or position.finished or position.error:
                return {}
            found = position.found
            if found.stream not in self._moved:
                return {}
            id_, moved = self._moved[found.stream]
            if not position.is_early and (found.day or date.min) > moved:
                return {}
            reached[id_, found.origin.key] = position
        return reached

    def _write(
        self,
        connection: sqlite3.Connection,
        positions: Sequence[ObjectPosition | StreamPosition],
        *,
        remove: bool,
    ) -> dict[str, tuple[int, date]]:
        """Write positions of any kind; return what streams have moved."""
        objects: dict[str, dict[str, ObjectPosition]] = {}
        newest: dict[str, date] = {}
        now = self._now().astimezone(UTC)
        today = now.date()
        for position in positions:
            if isinstance(position, ObjectPosition):
                stream, day = position.found.stream, position.found.day
                objects.setdefault(stream, {})[position.found.origin.key] = position
                if position.is_early:
                    continue
            else:
                stream, day = position.stream, position.day
                objects.setdefault(stream, {})
            if day:
                newest[stream] = max(newest.get(stream, date.min), min(day, today))
        moved = {}
        for stream, reached in objects.items():
            id_, kept = self._move(connection, stream, newest.get(stream))
            write_objects(connection, id_, stream, kept, reached, time=f"{now:%Y-%m-%dT%H:%M:%SZ}")
            moved[stream] = id_, newest.get(stream, date.min)
            if remove:
                write_deletions(connection, self._id, reached.values())
        return moved

    def _move(self, connection: sqlite3.Connection, stream: str, day: date | None) -> tuple[int, int]:
        """Move a stream's window forward to this day; return the stream's id and the window's first day."""
        new = (self._id, stream, self._starts.get(stream, date.min).toordinal())
        connection.execute("INSERT OR IGNORE INTO streams (work, name, kept) VALUES (?, ?, ?)", new)
        id_, newest, kept = connection.execute(_STREAM, new[:2]).fetchone()
        if day and (newest is None or day.toordinal() > newest):
            kept = max(kept, day.toordinal() - self._lookback)
            moved = (day.toordinal(), kept, id_)
            connection.execute("UPDATE streams SET newest = ?, kept = ? WHERE id = ?", moved)
            connection.execute("DELETE FROM objects WHERE stream = ? AND day < ?", (id_, kept))
        return id_, kept
