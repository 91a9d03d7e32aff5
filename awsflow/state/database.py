"""The database of the state: sound and of our schema, whatever was there; questions and transactions."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from awsflow.errors import StateError
from awsflow.folders import make_folder
from awsflow.state.files import beside, make_file, set_aside, size_of
from awsflow.state.locks import FileLock
from awsflow.state.schema import MIGRATIONS, migrate, version
from awsflow.state.troubles import telling, tells_damage

SMALL = 1 << 20
"""Up to so many bytes the file is checked whenever it is opened, which takes a few milliseconds; beyond, when
it is opened first on a day (UTC), and again after SQLite has met damage in it."""

_PAUSE = 0.1


class Database:
    """A SQLite database that several processes and threads may have open at the same time.

    In WAL mode with `synchronous=FULL`, so that a power cut loses no commit: with NORMAL it loses the last
    ones, and more than one batch is sent twice.

    Who has it open shares the lock `PATH.lock`; who creates, migrates or sets it aside owns that lock. Its
    file tells the day of the last check. Raises StateError or StateNotCreated.
    """

    def __init__(self, path: Path, warn: Callable[[str], None], now: Callable[[], datetime], timeout: float) -> None:
        self.path = path.absolute()
        self._warn = warn
        self._now = now
        self._timeout = timeout
        self._mutex = threading.Lock()
        self._closed = False
        with self.telling("opening"):
            size_of(self.path)  # raises for what can be no database, before anything is made beside it
            make_folder(self.path.parent)
            self._lock = FileLock(beside(self.path, ".lock"))
            try:
                self._connection = self._opened()
            except BaseException:
                self._lock.close()
                raise

    @contextmanager
    def reading(self, doing: str = "reading") -> Iterator[sqlite3.Connection]:
        """Lend the connection for questions."""
        with self._mutex, self.telling(doing):
            if self._closed:
                raise StateError(f"{doing} the state {self.path}: it was closed before; open it again")
            try:
                yield self._connection
            except (AttributeError, TypeError, ValueError, OverflowError) as error:
                raise StateError(
                    f"{doing} the state {self.path}: it holds something that awsflow does not write there ({error}); "
                    "who else writes to it? Remove it, or give another place, e.g. with --state"
                ) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for a transaction: committed at the end, rolled back if anything is raised."""
        with self.reading("writing") as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # the first error says more
                    connection.rollback()
                raise

    def telling(self, doing: str) -> AbstractContextManager[None]:
        """Translate the errors of SQLite and of the system."""
        return telling(doing, self.path, self._doubt)

    def close(self) -> None:
        """Close the file. May be called again."""
        with self._mutex, self.telling("closing"):
            if not self._closed:
                self._closed = True
                try:
                    self._connection.close()
                finally:
                    self._lock.close()

    def _doubt(self) -> None:
        """Have the file checked when it is opened next."""
        with suppress(OSError):  # the damage itself is worth telling, more than this
            self._lock.write_note("")

    def _opened(self) -> sqlite3.Connection:
        """Connect; the lock is shared from here on."""
        until = time.monotonic() + self._timeout
        prepared = False
        while True:
            if self._lock.share(self._timeout) and (connection := self._ready()):
                return connection
            if not prepared and self._lock.own():
                self._prepare()
                prepared = True
            elif time.monotonic() > until:
                raise StateError(
                    f"opening the state {self.path}: it has to be created, migrated or set aside, but for "
                    f"{self._timeout:g} s others have been using it; wait for their end, or stop them"
                )
            else:
                time.sleep(_PAUSE)  # those who use it now may have come to prepare it, or may leave

    def _ready(self) -> sqlite3.Connection | None:
        """Connect, if the file is there, sound and of the newest version."""
        size = size_of(self.path)
        if not size:
            return None
        today = f"{self._now().astimezone(UTC):%Y-%m-%d}"
        connection = self._connect()
        try:
            unchecked = size <= SMALL or self._lock.note() != today
            if (unchecked and _damage(connection)) or version(connection, self.path) < len(MIGRATIONS):
                connection.close()
                return None
            if unchecked:
                self._lock.write_note(today)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 100")  # pages: what is written over costs less to sync
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_size_limit = 4194304")  # else it stays as large as it ever was
        except BaseException as error:
            connection.close()
            if tells_damage(error):
                return None
            raise
        return connection

    def _prepare(self) -> None:
        """Create, migrate or set aside what is there, as it needs; nobody else has it open."""
        if size_of(self.path):
            with closing(self._connect()) as connection:
                damage = _damage(connection)
            if damage:
                aside = set_aside(self.path, self._now())
                self._warn(
                    f"opening the state {self.path}: it is damaged ({damage}); it was set aside as {aside} "
                    "and a new one begun, so what was delivered since the start date will be delivered again"
                )
        make_file(self.path)
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection, self.path)

    def _connect(self) -> sqlite3.Connection:
        """Connect to the file, which must exist, in autocommit mode."""
        return sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,  # the mutex lets one thread in at a time
        )


def _damage(connection: sqlite3.Connection) -> str:
    """Check the file and say what is wrong with it; empty if nothing is."""
    try:
        found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if not tells_damage(error):
            raise
        found = str(error)
    return "" if found == "ok" else " ".join(found.split())
