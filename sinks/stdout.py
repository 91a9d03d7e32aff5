"""Standard output: a line for each event, for pipes."""

import os
import select
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from awsflow.errors import ReaderGone, SinkError
from awsflow.items import Record
from awsflow.sinks.ndjson import lines


class StandardOutput:
    """Writes a line of JSON for each record.

    Flushed means handed to whoever reads. When that one has closed the pipe, ReaderGone. Where standard output is a
    file and writing fails, the batch is taken out of it again, so that the next run's first line stands alone.
    """

    def __init__(self, stream: IO[Any] | None = None) -> None:
        """`stream` must be one of the operating system; None is standard output as it is at the first write."""
        self._stream = stream
        self._file: int | None = None

    def write(self, records: Sequence[Record]) -> None:
        """Write the records' lines."""
        if not records:
            return
        content = lines(records)
        rest = memoryview(content)
        try:
            # Not through the stream: what a stream has buffered when its reader goes, it complains about at exit.
            file = self._opened() if self._file is None else self._file
            while rest:
                try:
                    rest = rest[os.write(file, rest) :]
                except BlockingIOError:  # whoever shares the pipe with us has set it so
                    _wait_for_room(file)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ReaderGone("writing to standard output: the reader is gone") from error
        except OSError as error:
            self._take_back(len(content) - len(rest))
            raise SinkError(
                f"writing to standard output: {error.strerror or error}; what is missing there is sent by the next run"
            ) from error

    def flush(self) -> None:
        """Nothing is held back: what was written is with the reader, or in its pipe."""

    def close(self) -> None:
        """The stream is not ours: it stays open."""

    def _opened(self) -> int:
        """The stream's descriptor, once what others wrote to the stream is out."""
        stream = sys.stdout if self._stream is None else self._stream
        if stream is None:
            raise SinkError("writing to standard output: it is closed; send it somewhere, or choose another sink")
        stream.flush()
        self._file = stream.fileno()
        return self._file

    def _take_back(self, size: int) -> None:
        """Take the last `size` bytes out of a regular file, if nobody wrote behind them."""
        if self._file is None or size == 0:
            return
        with suppress(OSError):  # no worse than before: a line stands there that is no JSON
            found = os.fstat(self._file)
            if stat.S_ISREG(found.st_mode) and os.lseek(self._file, 0, os.SEEK_CUR) == found.st_size:
                os.ftruncate(self._file, found.st_size - size)
                os.lseek(self._file, -size, os.SEEK_CUR)


def _wait_for_room(file: int) -> None:
    poll = select.poll()
    poll.register(file, select.POLLOUT)
    poll.poll()
