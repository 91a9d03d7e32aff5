"""Standard output: a line for each event, for pipes."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import BinaryIO

from awsflow.errors import ReaderGone, SinkError
from awsflow.items import Record
from awsflow.sinks.ndjson import lines


class StandardOutput:
    """Writes a line of JSON for each record.

    Flushed means handed to whoever reads. When that one has closed the pipe, ReaderGone.
    """

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = sys.stdout.buffer if stream is None else stream

    def write(self, records: Sequence[Record]) -> None:
        """Write the records' lines."""
        self._doing(lambda: self._stream.write(lines(records)))

    def flush(self) -> None:
        """Hand over what was written."""
        self._doing(self._stream.flush)

    def close(self) -> None:
        """The stream is not ours: it stays open."""

    def _doing(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError as error:
            # What is still buffered has nowhere to go: without this the interpreter would try, and complain, at exit.
            with contextlib.suppress(OSError, ValueError):
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, self._stream.fileno())
                os.close(devnull)
            raise ReaderGone("writing to standard output: the reader is gone") from error
        except OSError as error:
            raise SinkError(f"writing to standard output: {error.strerror}") from error
