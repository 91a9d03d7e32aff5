"""The database file in its folder: for its owner alone, no link to elsewhere, set aside if damaged."""

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from awsflow.errors import StateError, StateNotCreated
from awsflow.state.schema import APPLICATION


def beside(path: Path, ending: str) -> Path:
    """Name a file that belongs to this one."""
    return path.with_name(path.name + ending)


def make_file(path: Path) -> None:
    """Make an empty file for the owner alone, if there is none: SQLite itself would let others read it."""
    with suppress(FileExistsError):
        os.mknod(path, stat.S_IFREG | 0o600)


def size_of(path: Path) -> int:
    """How large the file is, 0 if there is none. If it is ours, or empty, it is closed to all but its owner.

    StateNotCreated if it is a folder, StateError if it is a symbolic link, a device or the like.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    if stat.S_ISDIR(found.st_mode):
        raise StateNotCreated(f"opening the state {path}: this is a folder; name a file in it, e.g. awsflow.db")
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no regular file"
        raise StateError(f"opening the state {path}: this is {kind}; name the file itself, e.g. with --state")
    if stat.S_IMODE(found.st_mode) & 0o077:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # bytes 68 to 71 are the application's id: https://sqlite.org/fileformat.html
            head = os.pread(file, 72, 0)
            if not head or head[68:] == APPLICATION.to_bytes(4, "big"):
                os.fchmod(file, 0o600)
        finally:
            os.close(file)
    return found.st_size


def set_aside(path: Path, now: datetime) -> Path:
    """Rename the database, and SQLite's files beside it, to names that are free; return its new path."""
    first = f"{path.name}.corrupt-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    aside, number = path.with_name(first), 1
    while any(os.path.lexists(beside(aside, ending)) for ending in ("", "-wal", "-shm")):
        number += 1
        aside = path.with_name(f"{first}-{number}")
    for ending in ("-wal", "-shm", ""):  # the database last: while it lies there, somebody will set it aside
        with suppress(FileNotFoundError):
            beside(path, ending).rename(beside(aside, ending))
    return aside
