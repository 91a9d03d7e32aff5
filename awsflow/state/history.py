"""History: what became of the runs of every source: the last one, totals, and figures by the hour."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from awsflow.flow import Stats
from awsflow.state.database import Database

HOURS = 30 * 24
"""For which figures are kept, and sources that did not run."""
HOUR = 3600
_ERROR = 500
"""Characters of an error that are kept."""
_TOTALS = ("read", "sent", "discarded", "shrunk", "failed", "objects", "bytes_in", "bytes_out", "seconds")


class Told(NamedTuple):
    """What a run tells of itself, now and then and at its end. Times are seconds since 1970."""

    source: str
    began: float
    stats: Stats
    """What the run has come to so far."""
    before: Stats
    """What it had come to when it told last: nothing, the first time."""
    exit_code: int | None = None
    """None: it goes on."""
    error: str = ""
    """Why the run broke, if so."""
    newest_event: float | None = None
    newest_object: float | None = None
    lag: float | None = None
    """Seconds from the time of the newest event, or object, to its delivery; None: nothing newer has come."""
    backlog: int | None = None


class Past(NamedTuple):
    """What is known of a source. Times are seconds since 1970; what is None is not known."""

    name: str
    runs: int
    """That have ended."""
    broken: int
    """Those of them that an error has ended."""
    read: int
    sent: int
    discarded: int
    shrunk: int
    failed: int
    objects: int
    bytes_in: int
    bytes_out: int
    seconds: float
    began: float
    """When the last run began."""
    told: float
    """When it ended or, if it goes on, told last."""
    exit_code: int | None
    """None: the run has not told of its end: it goes on, or was killed."""
    error: str
    last_sent: int
    """Events of the last run."""
    last_failed: int
    well: float | None
    """When a run ended last without an error."""
    newest_event: float | None
    newest_object: float | None
    lag: float | None
    backlog: int | None
    """Objects that were found and not delivered, or messages that waited, when that was last told."""


class Hour(NamedTuple):
    """What an hour came to. `hour` counts from 1970; `lag` is the largest; None: nothing was delivered."""

    hour: int
    runs: int
    broken: int
    sent: int
    failed: int
    bytes_in: int
    lag: float | None
    backlog: int | None


_PAST = ", ".join(Past._fields)
_HOUR = ", ".join(Hour._fields)


class History:
    """The history in a state's database, which is made if it is not there. Raises StateError, StateNotCreated.

    30 days are kept: of each hour in which a source has told of itself a row, and the sources of that time.
    """

    def __init__(
        self,
        path: Path,
        warn: Callable[[str], None] = lambda message: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._database = Database(path, warn, now, timeout=30.0)

    def add(self, told: Told) -> None:
        """Keep what a run tells, and forget what is too old."""
        now = self._now().timestamp()
        hour = int(now) // HOUR
        ended = told.exit_code is not None
        broken = ended and bool(told.error)
        totals = [getattr(told.stats, name) - getattr(told.before, name) for name in _TOTALS]
        with self._database.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO history (name) VALUES (?)", (told.source,))
            (id_,) = connection.execute("SELECT id FROM history WHERE name = ?", (told.source,)).fetchone()
            connection.execute(
                f"UPDATE history SET {', '.join(f'{name} = {name} + ?' for name in _TOTALS)}, "  # noqa: S608 - names of columns
                "runs = runs + ?, broken = broken + ?, began = ?, told = ?, exit_code = ?, error = ?, "
                "last_sent = ?, last_failed = ?, well = coalesce(?, well), "
                "newest_event = coalesce(max(newest_event, ?), ?, newest_event), "
                "newest_object = coalesce(max(newest_object, ?), ?, newest_object), "
                "lag = coalesce(?, lag), backlog = coalesce(?, backlog) WHERE id = ?",
                (
                    *totals,
                    *(int(ended), int(broken), told.began, now, told.exit_code, told.error[:_ERROR]),
                    *(told.stats.sent, told.stats.failed, now if ended and not broken else None),
                    *(told.newest_event, told.newest_event, told.newest_object, told.newest_object),
                    *(told.lag, told.backlog, id_),
                ),
            )
            connection.execute(
                "INSERT INTO history_hours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, hour) DO UPDATE SET "
                "runs = runs + excluded.runs, broken = broken + excluded.broken, sent = sent + excluded.sent, "
                "failed = failed + excluded.failed, bytes_in = bytes_in + excluded.bytes_in, "
                "lag = coalesce(max(lag, excluded.lag), excluded.lag, lag), "
                "backlog = coalesce(excluded.backlog, backlog)",
                (
                    *(id_, hour, int(ended), int(broken)),
                    *(told.stats.sent - told.before.sent, told.stats.failed - told.before.failed),
                    *(told.stats.bytes_in - told.before.bytes_in, told.lag, told.backlog),
                ),
            )
            connection.execute("DELETE FROM history_hours WHERE source = ? AND hour <= ?", (id_, hour - HOURS))
            connection.execute("DELETE FROM history WHERE told < ?", (now - HOURS * HOUR,))

    def forget(self, like: str, *, only_look: bool = False) -> list[str]:
        """Forget the sources whose names are like this (SQLite's GLOB), or are this; return their names."""
        with self._database.writing() as connection:
            found = connection.execute(
                "SELECT name FROM history WHERE name GLOB ? OR name = ? ORDER BY name", (like, like)
            )
            names = [row[0] for row in found]
            if not only_look:
                connection.executemany("DELETE FROM history WHERE name = ?", [(name,) for name in names])
        return names

    def sources(self) -> list[Past]:
        """What is known of each source, by name."""
        with self._database.reading() as connection:
            return [Past(*row) for row in connection.execute(f"SELECT {_PAST} FROM history ORDER BY name")]  # noqa: S608 - names of columns

    def hours(self, source: str) -> Iterator[Hour]:
        """The hours in which a source has told of itself, the oldest first."""
        since = int(self._now().timestamp()) // HOUR - HOURS
        with self._database.reading() as connection:
            rows = connection.execute(
                f"SELECT {_HOUR} FROM history_hours "  # noqa: S608 - names of columns
                "WHERE source = (SELECT id FROM history WHERE name = ?) AND hour > ? ORDER BY hour",
                (source, since),
            ).fetchall()
        return (Hour(*row) for row in rows)

    def close(self) -> None:
        """Close the file. May be called again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
