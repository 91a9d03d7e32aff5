"""Checkpoints: what every configured bucket (or other source) of an installation remembers between runs."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from awsflow.errors import AlreadyRunning
from awsflow.state.database import Database
from awsflow.state.files import beside
from awsflow.state.locks import FileLock
from awsflow.state.work import Work


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Checkpoints:
    """The SQLite database of one installation.

    Where it is missing it is created, with the folders above it, for its owner alone. A damaged one is set
    aside under another name, `warn` is told, and a new one begun. `timeout`: seconds to wait for what other
    runs write. Several threads may use it, but not both sides of a fork.

    Raises StateNotCreated if it cannot be created, StateError if it cannot be used, and so do its works.
    """

    def __init__(
        self,
        path: Path,
        warn: Callable[[str], None] = lambda message: None,
        now: Callable[[], datetime] = _utc_now,
        timeout: float = 30.0,
    ) -> None:
        self._now = now
        self._works: list[Work] = []
        self._database = Database(path, warn, now, timeout)

    def work(self, name: str, lookback: timedelta = timedelta(days=1)) -> Work:
        """Open all that the source of this name remembers; AlreadyRunning if somebody else has it open.

        `lookback`: how long before a stream's newest day objects may still arrive, in whole days, rounded up.
        """
        lock = self._locked(name)
        try:
            work = Work(self._database, lock, name, lookback, self._now)
        except BaseException:
            lock.close()
            raise
        self._works.append(work)
        return work

    def close(self) -> None:
        """Close the file, and every work. May be called again."""
        for work in self._works:
            work.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _locked(self, name: str) -> FileLock:
        """Hold the work's lock: a file beside the database, named after the digest of the work's name."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        path = beside(self._database.path, f".{digest}.lock")
        with self._database.telling("locking"):
            lock = FileLock(path)
            if lock.own():
                lock.write_note(f"{os.getpid()}\n{name}\n")
                return lock
            holder = lock.note().partition("\n")[0]
            lock.close()
        raise AlreadyRunning(
            f"starting {name}: {f'process {holder}' if holder else 'another process'} does the same at this "
            f"moment, and holds {path}; let it end"
        )
