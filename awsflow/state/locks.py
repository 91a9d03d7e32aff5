"""Locks between processes, and within one, that the kernel releases however their holder ends."""

import fcntl
import hashlib
import os
import struct
import time
from pathlib import Path

_PAUSE = 0.02


class FileLock:
    """A lock on an owner-only file, which may hold a short note. Never follows a symbolic link.

    The file stays behind when the lock is released: if it were deleted, two others could each lock a file of
    this name. Two of these on one path exclude each other within a process too. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def share(self, timeout: float = 0) -> bool:
        """Hold it together with others, instead of whatever was held; wait up to `timeout` seconds for it."""
        return self._hold(fcntl.LOCK_SH, timeout)

    def own(self, timeout: float = 0) -> bool:
        """Hold it alone, instead of whatever was held; wait up to `timeout` seconds for it."""
        return self._hold(fcntl.LOCK_EX, timeout)

    def own_part(self, name: str) -> bool:
        """Hold, while the lock is shared, a part of it alone; parts go by names. Let go of when the lock is closed."""
        start = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:7], "big")
        part = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)
        try:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, part)
        except BlockingIOError:
            return False
        return True

    def note(self) -> str:
        """Read what was noted last."""
        return os.pread(self._file, 1024, 0).decode("utf-8", "replace")

    def write_note(self, note: str) -> None:
        """Note this instead of what was noted before."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, note.encode("utf-8", "replace"), 0)

    def close(self) -> None:
        """Release the lock. May be called again."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _hold(self, kind: int, timeout: float) -> bool:
        fcntl.flock(self._file, fcntl.LOCK_UN)  # two that share it and both want to own it would wait for ever
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    return False
                time.sleep(_PAUSE)  # flock itself knows no time limit
            else:
                return True
