"""An open work: a source's name in the state, held for one run at a time, and the days of its runs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Self

from awsflow.errors import StateError
from awsflow.state.database import Database
from awsflow.state.locks import FileLock


class OpenWork:
    """What all works have in common; made by `Checkpoints`. Raises StateError."""

    first_run: date | None
    """The day (UTC) on which the very first run began; None: this is the first."""
    last_run: date | None
    """The day (UTC) on which the latest run began that said `listed_all`, or the first run if none has.
    Streams that have come up since are to be listed from here on."""

    def __init__(self, database: Database, lock: FileLock, name: str, now: Callable[[], datetime]) -> None:
        self.name = name
        self._database = database
        self._lock = lock
        self._closed = False
        self._now = now
        self._began = now().astimezone(UTC).date()
        question = "SELECT id, begun, listed FROM works WHERE name = ?"
        with database.reading() as connection:
            known = connection.execute(question, (name,)).fetchone()
            self.first_run = date.fromordinal(known[1]) if known else None
            self.last_run = date.fromordinal(known[2]) if known else None
        if not known:
            today = self._began.toordinal()
            with database.writing() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO works (name, begun, listed) VALUES (?, ?, ?)", (name, today, today)
                )
                known = connection.execute(question, (name,)).fetchone()
        self._id: int = known[0]

    def listed_all(self) -> None:
        """Note that this run has listed all there is: the next one's `last_run` is the day it began."""
        if self.last_run != self._began:
            with self._writing() as connection:
                row = (self._began.toordinal(), self._id)
                connection.execute("UPDATE works SET listed = max(listed, ?) WHERE id = ?", row)

    def close(self) -> None:
        """Let others have it. May be called again."""
        self._closed = True
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _must_be_open(self) -> None:
        if self._closed:
            raise StateError(
                f"writing the state {self._database.path}: {self.name} was closed before, so that others may "
                "have it; open it again"
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._must_be_open()
        with self._database.writing() as connection:
            yield connection
