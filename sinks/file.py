"""A file: events are appended as NDJSON, safe on the disk once flushed."""

import os
from collections.abc import Sequence
from contextlib import suppress
from errno import ELOOP
from pathlib import Path

from awsflow.appending import locked, sync_folder
from awsflow.errors import ArgumentsError, SinkError
from awsflow.exactjson import json_value
from awsflow.items import Record
from awsflow.sinks.ndjson import STARTS, lines

LONGEST = 64 << 20
"""Bytes of the longest line that is looked at when it does not end. What is longer is hardly ours."""


class NdjsonFile:
    """Appends a line of JSON for each record; flushed means that the disk has it.

    With `rotate_at`, a file that has so many bytes is `NAME.1` before more is written, `NAME.1` is `NAME.2` and so
    on; `keep` of them are kept. One process writes at a time; another one is waited for for `wait` seconds. New files
    are their owner's alone, and no symbolic link is followed, for we may be root. Where writing fails, the file is cut
    back to the last flush, so that no part of a batch stands there twice when it is sent again; so is a line that a
    crash has torn.
    """

    def __init__(self, path: Path | str, *, rotate_at: int | None = None, keep: int = 5, wait: float = 0.0) -> None:
        if keep < 1 or (rotate_at is not None and rotate_at < 1):
            raise ArgumentsError(f"rotating {path} at {rotate_at} bytes, {keep} kept: give numbers above 0")
        self._path = Path(path)
        self._rotate_at = rotate_at
        self._keep = keep
        self._wait = wait
        self._file: int | None = None
        self._size = 0
        """The file's size at the last flush."""
        self._unflushed = 0
        """Bytes written since."""

    def write(self, records: Sequence[Record]) -> None:
        """Append the records."""
        if not records:
            return
        file = self._opened() if self._file is None else self._file
        while self._rotate_at is not None and self._size >= self._rotate_at and not self._unflushed:
            # Here, not in `flush`: whatever goes wrong with it, the last batch is safe. And again, if another process
            # has filled the new file before it was ours.
            file = self._rotated(file)
        rest = memoryview(lines(records))
        try:
            while rest:
                written = os.write(file, rest)
                self._unflushed += written
                rest = rest[written:]
        except OSError as error:
            self._cut_back(file)
            raise self._unsafe("writing to", error) from error

    def flush(self) -> None:
        """Return when the disk has what was written."""
        if self._file is None:
            return
        try:
            os.fsync(self._file)
            self._size, self._unflushed = os.fstat(self._file).st_size, 0
        except OSError as error:
            self._cut_back(self._file)
            raise self._unsafe("flushing", error) from error

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _opened(self) -> int:
        """The file, open for appending, ours alone, behind its last whole line."""
        try:
            file = locked(self._path, self._wait)
        except BlockingIOError as error:
            raise SinkError(
                f"opening {self._path}: another process is writing to it; wait for its end, or give each its own file"
            ) from error
        except OSError as error:
            complaint = "it is a symbolic link" if error.errno == ELOOP else error.strerror
            raise SinkError(
                f"opening {self._path}: {complaint}; give the path of a regular file, new or not, that this user may "
                "write to"
            ) from error
        try:
            _mend(file)
            sync_folder(self._path.parent)
            self._size, self._unflushed = os.fstat(file).st_size, 0
        except OSError as error:
            os.close(file)
            raise self._unsafe("opening", error) from error
        self._file = file
        return file

    def _rotated(self, file: int) -> int:
        """A new file, once this one has its number, and those before it theirs."""
        try:
            os.fsync(file)
            numbers = range(1, self._keep)
            free = next((number for number in numbers if not os.path.lexists(self._numbered(number))), self._keep)
            for number in range(free - 1, 0, -1):
                self._numbered(number).rename(self._numbered(number + 1))
            self._path.rename(self._numbered(1))
        except OSError as error:
            raise self._unsafe("rotating", error) from error
        self.close()
        return self._opened()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _cut_back(self, file: int) -> None:
        """Take out what was written since the last flush."""
        with suppress(OSError):  # what cannot be taken out will stand there twice, which is no loss
            os.ftruncate(file, max(os.fstat(file).st_size - self._unflushed, 0))
            self._unflushed = 0

    def _unsafe(self, doing: str, error: OSError) -> SinkError:
        return SinkError(
            f"{doing} {self._path}: {error.strerror}; mend that, and the next run sends what is missing there"
        )


def _mend(file: int) -> None:
    """Deal with a last line that does not end.

    If it is the beginning of one of ours, a crash tore it, and it is cut off: its event will be sent again, for it
    was never flushed. Otherwise it is somebody else's and only lacks its line break.
    """
    size = os.fstat(file).st_size
    if size == 0 or os.pread(file, 1, size - 1) == b"\n":
        return
    start = _start_of_last_line(file, size)
    torn = os.pread(file, size - start, start) if size - start <= LONGEST else b""
    if torn.startswith((*STARTS, b"\0")) and not _is_json(torn):  # zeros are what a power cut may leave
        os.ftruncate(file, start)
    else:
        os.write(file, b"\n")


def _start_of_last_line(file: int, size: int) -> int:
    """Where the last line begins. It is not looked for further back than the longest line may reach."""
    start = size
    while start > 0 and size - start <= LONGEST:
        step = min(start, 1 << 16)
        start -= step
        found = os.pread(file, step, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return start


def _is_json(text: bytes) -> bool:
    try:
        json_value(text)
    except ValueError:
        return False
    return True
