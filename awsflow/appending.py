"""Files that several processes append to, one after the other: who has the lock may write, rotate and replace them.

Whoever waits for the lock of a file that has got another name meanwhile, or was replaced, gets that of the new one.
"""

import fcntl
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

PAUSE = 0.05
"""Seconds between two looks whether another process still writes."""


def locked(path: Path, wait: float = 0.0) -> int:
    """The regular file of this path, made if need be, open at its end and locked; its owner's alone if it is new.

    BlockingIOError if somebody else has it for longer than `wait` seconds, OSError if there can be none.
    """
    until = time.monotonic() + wait
    while True:
        try:
            return _locked_now(path)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(PAUSE)  # flock itself knows no time limit


def sync_folder(folder: Path) -> None:
    """Let the disk have a folder's new names."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_now(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        file = os.open(path, flags, 0o600)
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no regular file")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(found, os.lstat(path)):
                    return file
        except OSError:
            os.close(file)
            raise
        os.close(file)  # whoever had it has rotated it meanwhile
