"""Dead-letter files: read from the oldest on, and what was delivered taken out, while collectors append to them.

Nobody else waits while letters are sent: what was flushed before never changes, so only its end is asked for with the
file locked. A letter that was delivered is blanked where it stands, its first byte before all others: so no crash
leaves half a letter. At the end what is left is written to a new file, which takes the place of the old one.
"""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from awsflow.appending import locked, sync_folder
from awsflow.errors import AlreadyRunning, NoObjects, ServiceError, SinkError
from awsflow.state.locks import FileLock

WAIT = 30.0
"""Seconds for which a collector is waited for that files something."""
LONGEST = 256 << 20
"""Bytes of a line at most. What is longer stays where it is."""
PIECE = 1 << 20
"""Bytes that are copied at a time."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a letter stands."""

    file: int
    offset: int
    length: int
    """Bytes, without the line break."""
    number: int
    """Of the line, counted from 1."""


@dataclass(slots=True)
class _File:
    """An open file, as far as it had been flushed."""

    path: Path
    """Its name then; it may be rotated meanwhile."""
    descriptor: int
    end: int
    delivered: int = 0
    """Letters that were blanked."""


@dataclass(slots=True)
class LetterFiles:
    """A dead-letter file, and those that were rotated before it. One process at a time may take letters out.

    With `keep` nothing is changed, nor locked. NoObjects if there is no file at all.
    """

    path: Path
    keep: bool = False
    wait: float = WAIT
    longest: int = LONGEST
    _files: list[_File] = field(default_factory=list)
    _lock: FileLock | None = None

    def lines(self) -> Iterator[tuple[Place, bytes | None]]:
        """Each letter that was not delivered, oldest first; None in place of one that is too long."""
        if not any(os.path.lexists(path) for path in self._paths()):
            raise NoObjects(f"looking for dead letters in {self.path}: there is no such file, nor one rotated before")
        self._open()
        for at, file in enumerate(self._files):
            with open(file.descriptor, "rb", closefd=False) as content:
                content.seek(0)
                offset, number = 0, 0
                while offset < file.end:
                    line = content.readline(min(file.end - offset, self.longest))
                    length = len(line)
                    while not line.endswith(b"\n") and offset + length < file.end:
                        line = content.readline(min(file.end - offset - length, PIECE))
                        length += len(line)
                    if not line.endswith(b"\n"):
                        break  # a crash has torn it
                    number += 1
                    if line.strip() and not line.startswith(b" "):
                        place = Place(at, offset, length - 1, number)
                        yield place, line if length == len(line) else None
                    offset += length

    def name(self, place: Place) -> str:
        """Where a letter stands, for people."""
        return f"{self._files[place.file].path}, line {place.number}"

    def take_out(self, places: Iterable[Place]) -> None:
        """Blank letters. The disk has it when this returns: they are not met again."""
        if self.keep:
            return
        places = list(places)
        try:
            for place in places:
                os.pwrite(self._files[place.file].descriptor, b" ", place.offset)
            for at in {place.file for place in places}:
                os.fdatasync(self._files[at].descriptor)
            for place in places:
                self._files[place.file].delivered += 1
                for offset in range(1, place.length, PIECE):
                    blanks = b" " * min(PIECE, place.length - offset)
                    os.pwrite(self._files[place.file].descriptor, blanks, place.offset + offset)
        except OSError as error:
            raise SinkError(
                f"taking what was delivered out of {self.path}: {error.strerror}; mend that: else it is sent again"
            ) from error

    def close(self, warn: Callable[[str], None]) -> None:
        """Write what is left to new files, if anything was taken out. May be called again."""
        files, self._files = self._files, []
        try:
            if any(file.delivered for file in files):
                self._replace([file for file in files if file.delivered])
        except OSError as error:  # the lines stay blank, and are passed over
            warn(f"making {self.path} smaller, of which letters were delivered: {error.strerror or 'it is in use'}")
        finally:
            for file in files:
                os.close(file.descriptor)
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _paths(self) -> list[Path]:
        """The file and those that were rotated, oldest first, whether or not they are there."""
        prefix = f"{self.path.name}."
        numbers: list[int] = []
        with suppress(OSError):
            for name in os.listdir(self.path.parent):
                number = name.removeprefix(prefix)
                if name.startswith(prefix) and number.isascii() and number.isdigit():
                    numbers.append(int(number))
        rotated = [self.path.with_name(f"{prefix}{number}") for number in sorted(numbers, reverse=True)]
        return [*rotated, self.path]

    def _open(self) -> None:
        """Open all of them while nobody rotates them, nor is in the middle of a letter."""
        lock = -1
        try:
            if not self.keep:
                self._lock = FileLock(self.path.with_name(f"{self.path.name}.lock"))
                if not self._lock.own():
                    raise AlreadyRunning(
                        f"replaying the dead letters {self.path}: another process does so at this moment; let it end"
                    )
                lock = locked(self.path, self.wait)
            for path in self._paths():
                with suppress(FileNotFoundError):
                    self._files.append(_opened(path, os.O_RDONLY if self.keep else os.O_RDWR))
        except OSError as error:
            what = "it is in use" if isinstance(error, BlockingIOError) else error.strerror
            raise ServiceError(
                f"opening the dead letters {self.path}: {what}; it must be a regular file, no link, that this user may "
                "write to; to leave it as it is, use --keep"
            ) from error
        finally:
            if lock >= 0:
                os.close(lock)

    def _replace(self, files: list[_File]) -> None:
        """Put files without blank lines in the places of these, wherever they were rotated to."""
        lock = locked(self.path, self.wait)
        try:
            for file in files:
                ours = os.fstat(file.descriptor)
                for path in self._paths():
                    with suppress(FileNotFoundError):
                        if os.path.samestat(ours, os.lstat(path)):
                            _rewrite(file.descriptor, path, ours)
                            break
            sync_folder(self.path.parent)
        finally:
            os.close(lock)


def _opened(path: Path, flags: int) -> _File:
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise OSError(0, "it is no regular file")
    return _File(path, descriptor, found.st_size)


def _rewrite(descriptor: int, path: Path, old: os.stat_result) -> None:
    """Put what is left of a file in its place, its owner's as before; if nothing is, delete it."""
    new = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        new.unlink()
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.writelines(_left(descriptor))
        file.flush()
        is_empty = file.tell() == 0
        if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        os.fsync(file.fileno())
    if is_empty:
        new.unlink()
        path.unlink()
    else:
        new.rename(path)


def _left(descriptor: int) -> Iterator[bytes]:
    """A file without its blank lines, a piece at a time."""
    offset = 0
    begins = is_kept = True
    while piece := os.pread(descriptor, PIECE, offset):
        offset += len(piece)
        for part in piece.splitlines(keepends=True):
            if begins:
                is_kept = part[:1] not in (b" ", b"\n")
            if is_kept:
                yield part
            begins = part.endswith(b"\n")
