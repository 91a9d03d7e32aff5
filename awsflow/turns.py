"""A sink for several processes."""

import fcntl
import os
from collections.abc import Sequence
from typing import Any

from awsflow.flow import Sink
from awsflow.items import Record


class _Turns:
    """A sink that processes use one after the other: each from what it writes until that is flushed.

    The lock is the kernel's, so that a process which dies lets go of it.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = os.memfd_create("awsflow-turns")
        self._held = False

    def write(self, records: Sequence[Record]) -> None:
        """Wait for our turn, and write."""
        if not self._held:
            fcntl.lockf(self._lock, fcntl.LOCK_EX)
            self._held = True
        self._sink.write(records)

    def flush(self) -> None:
        """Flush, and let others have their turn."""
        self._sink.flush()
        self.close()

    def close(self) -> None:
        """Close, and let others have their turn."""
        try:
            self._sink.close()
        finally:
            if self._held:
                self._held = False
                fcntl.lockf(self._lock, fcntl.LOCK_UN)


def shared(sink: Sink, number: int) -> Sink:
    """The sink, to be used by so many processes: side by side if it can be one `among` others, in turns if not."""
    among: Any = getattr(sink, "among", None)
    if among is None:
        return _Turns(sink)
    among(number)
    return sink
