"""A file: events are appended as NDJSON, safe on the disk once flushed."""

import fcntl
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from awsflow.errors import SinkError
from awsflow.exactjson import json_value
from awsflow.items import Record
from awsflow.sinks.ndjson import lines


class NdjsonFile:
    """Appends a line of JSON for each record; flushed means that the disk has it.

    With `rotate_at`, a file that has grown to so many bytes becomes `NAME.1` at the next flush, `NAME.1` becomes
    `NAME.2` and so on; `keep` of them are kept. One process writes at a time. New files are their owner's alone, and
    no symbolic link is followed, for we may be root. Where writing fails, the file is cut back to the last flush, so
    that no part of a batch stands there twice when it is sent again; so is a line that a crash has torn.
    """

    def __init__(self, path: Path | str, *, rotate_at: int | None = None, keep: int = 5) -> None:
        self._path = Path(path)
        self._rotate_at = rotate_at
        self._keep = keep
        self._file: int | None = None
        self._flushed = 0
        """The file's size at the last flush."""

    def write(self, records: Sequence[Record]) -> None:
        """Append the records."""
        if not records:
            return
        file = self._file if self._file is not None else self._open()
        rest = memoryview(lines(records))
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
        except OSError as error:
            os.ftruncate(file, self._flushed)
            raise self._broken("writing to", error) from error

    def flush(self) -> None:
        """Return when the disk has what was written."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
            self._flushed = os.fstat(self._file).st_size
            if self._rotate_at is not None and self._flushed >= self._rotate_at:
                self._rotate()
        except OSError as error:
            raise self._broken("flushing", error) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        """Open the file for appending, alone, behind its last whole line."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            file = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise self._broken("opening", error) from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise SinkError(f"opening {self._path}: it is no regular file; give the path of one")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _mend(file)
            self._flushed = os.fstat(file).st_size
            _sync_folder(self._path.parent)
        except BlockingIOError as error:
            os.close(file)
            raise SinkError(f"opening {self._path}: another process is writing to it; wait for its end") from error
        except OSError as error:
            os.close(file)
            raise self._broken("opening", error) from error
        except SinkError:
            os.close(file)
            raise
        self._file = file
        return file

    def _rotate(self) -> None:
        """Give the file its number, and those before it theirs; the next write begins a new one."""
        for number in range(self._keep, 0, -1):
            older = self._numbered(number)
            if number == self._keep:
                older.unlink(missing_ok=True)
            elif older.exists():
                older.rename(self._numbered(number + 1))
        self._path.rename(self._numbered(1))
        _sync_folder(self._path.parent)
        self.close()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _broken(self, doing: str, error: OSError) -> SinkError:
        return SinkError(f"{doing} {self._path}: {error.strerror}; what was not flushed is not lost: it is sent again")


def _mend(file: int) -> None:
    """Deal with a last line that does not end: a crash tore it, and its event will be sent again; or it only lacks
    its line break, if it is whole JSON."""
    size = os.fstat(file).st_size
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return
    start = size
    tail = b""
    while start > 0 and b"\n" not in tail:
        step = min(start, 1 << 16)
        start -= step
        tail = os.pread(file, step, start) + tail
    torn = tail.rpartition(b"\n")[2]
    try:
        json_value(torn)
    except ValueError:
        os.ftruncate(file, size - len(torn))
    else:
        os.write(file, b"\n")


def _sync_folder(folder: Path) -> None:
    """Let the disk have a folder's new names."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
