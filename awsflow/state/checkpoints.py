"""Checkpoints: what every configured bucket (or other source) of an installation remembers between runs."""

import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from awsflow.errors import AlreadyRunning
from awsflow.state.contents import Contents
from awsflow.state.database import Database
from awsflow.state.failure_lists import FailureLists
from awsflow.state.files import beside
from awsflow.state.forgetting import Forgetting
from awsflow.state.locks import FileLock
from awsflow.state.log_work import LogWork
from awsflow.state.open_work import OpenWork
from awsflow.state.scan_work import ScanWork
from awsflow.state.taking_over import TakingOver
from awsflow.state.work import Work

AnyWork = TypeVar("AnyWork", bound=OpenWork)


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
        self._works: list[OpenWork] = []
        self._database = Database(path, warn, now, timeout)

    def work(self, name: str, lookback: timedelta = timedelta(days=1)) -> Work:
        """Open all that the source of this name remembers; AlreadyRunning if somebody else has it open.

        `lookback`: how long before a stream's newest day objects may still arrive, in whole days, rounded up.
        """
        return self._opened(name, lambda lock: Work(self._database, lock, name, lookback, self._now))

    def log_work(self, name: str) -> LogWork:
        """Open all that the source of log streams of this name remembers.

        Several runs may have it open, each for the groups that it holds; AlreadyRunning if somebody changes it.
        """
        return self._opened(name, lambda lock: LogWork(self._database, lock, name, self._now), shared=True)

    def scan_work(self, name: str) -> ScanWork:
        """Open all that the source of findings of this name remembers; AlreadyRunning as for `work`."""
        return self._opened(name, lambda lock: ScanWork(self._database, lock, name, self._now))

    def taking_over(self, name: str) -> TakingOver:
        """Open what the source of this name remembers, to take over what others do; AlreadyRunning as for `work`."""
        return self._opened(name, lambda lock: TakingOver(self._database, lock, name, self._now))

    def forgetting(self, name: str) -> Forgetting:
        """Open what the source of this name remembers, to forget it; AlreadyRunning as for `work`."""
        return self._opened(name, lambda lock: Forgetting(self._database, lock, name, self._now))

    def contents(self) -> Contents:
        """All that is remembered, to be looked at."""
        return Contents(self._database)

    def failure_lists(self, bucket: str = "", patterns: Sequence[str] = ()) -> FailureLists:
        """What lies on the failures lists of all works, or what is chosen of it; others may have them open."""
        return FailureLists(self._database, bucket, patterns)

    def is_open(self, name: str) -> bool:
        """Whether somebody has the work of this name open, as a run does."""
        try:
            self._locked(name, shared=False).close()
        except AlreadyRunning:
            return True
        return False

    def close(self) -> None:
        """Close the file, and every work. May be called again."""
        for work in self._works:
            work.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _opened(self, name: str, made: Callable[[FileLock], AnyWork], *, shared: bool = False) -> AnyWork:
        lock = self._locked(name, shared=shared)
        try:
            work = made(lock)
        except BaseException:
            lock.close()
            raise
        self._works.append(work)
        return work

    def _locked(self, name: str, *, shared: bool) -> FileLock:
        """Hold the work's lock, alone or `shared`: a file beside the database, named after its name's digest."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        path = beside(self._database.path, f".{digest}.lock")
        with self._database.telling("locking"):
            lock = FileLock(path)
            if lock.share() if shared else lock.own():
                lock.write_note(f"{'' if shared else os.getpid()}\n{name}\n")
                return lock
            holder = lock.note().partition("\n")[0]
            lock.close()
        raise AlreadyRunning(
            f"starting {name}: {f'process {holder}' if holder else 'another process'} does the same at this "
            f"moment, and holds {path}; let it end"
        )
