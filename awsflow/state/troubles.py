"""What SQLite and the system complain of, in our words: what was being done, where, and what to try."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from awsflow.errors import StateError, StateNotCreated

_DAMAGED = "the next run sets it aside and begins a new one"
_RIGHTS = "let this user write to the file and its folder, or give another place, e.g. with --state"
_SPACE = "free some space on its disk; what was committed before is safe"
_ELSE = "give another place, e.g. with --state"
_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked; `fuser` names it",
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: _SPACE,
    sqlite3.SQLITE_IOERR: "look at its disk: is it full, or are there errors in the kernel's log?",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
}
_OF_SYSTEM = {errno.EACCES: _RIGHTS, errno.EPERM: _RIGHTS, errno.EROFS: _RIGHTS, errno.ENOSPC: _SPACE}


def tells_damage(error: BaseException) -> bool:
    """Whether SQLite says so that the file is damaged, or none of its databases."""
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def telling(doing: str, path: Path, damaged: Callable[[], None]) -> Iterator[None]:
    """Translate SQLite's and the system's errors to StateError, or to StateNotCreated while there is no file.

    `damaged` is called if SQLite has met damage in the file.
    """
    try:
        yield
    except sqlite3.Error as error:
        if tells_damage(error):
            damaged()
        raise _error(doing, path, str(error), _OF_SQLITE.get(_code(error), _ELSE)) from error
    except OSError as error:
        problem = error.strerror or str(error)
        if error.filename not in (None, str(path)):
            problem += f" ({error.filename})"
        raise _error(doing, path, problem, _OF_SYSTEM.get(error.errno or 0, _ELSE)) from error


def _code(error: BaseException) -> int:
    """SQLite's primary result code; 0 if it is none of SQLite's errors."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _error(doing: str, path: Path, problem: str, advice: str) -> StateError:
    try:
        kind = StateError if path.stat().st_size else StateNotCreated
    except OSError:
        kind = StateNotCreated
    return kind(f"{doing} the state {path}: {problem}; {advice}")
