"""One sink for several sources that run at the same time: one connection or file, one pace."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from awsflow.flow import Sink
from awsflow.items import Record

HELD = 1 << 20
"""Bytes of events that a share holds at most until the next flush."""


class Shared:
    """Passes batches on to a sink, each as a whole: what a share flushes is never mixed with others' events.

    So the order within a source stays, and where writing fails no other source's batch is what is cut back. While one
    waits for the sink (a full queue, its pace), all wait: it would be the same queue.
    """

    def __init__(
        self,
        sink: Callable[[Callable[[Record], None], Callable[[float], None]], Sink],
        *,
        is_kept: bool = True,
    ) -> None:
        """`sink` makes the sink, given what is to be called with events that are too large, and with seconds waited.

        Unless it `is_kept`, it is closed after each batch, so that other processes may have it.
        """
        self._is_kept = is_kept
        self._too_large: list[Record] = []
        self._waited: list[float] = []
        self._sink = sink(self._too_large.append, self._waited.append)
        self._turn = threading.Lock()

    def share(
        self,
        oversized: Callable[[Record], None] = lambda record: None,
        waited: Callable[[float], None] = lambda seconds: None,
    ) -> "Share":
        """A sink for one source: `oversized` and `waited` are called for its events only."""
        return Share(self._deliver, oversized, waited)

    def close(self) -> None:
        """Close the sink. May be called again."""
        with self._turn:
            self._sink.close()

    def _deliver(self, records: Sequence[Record], told: "Told") -> None:
        """Write and flush; tell what is to be told of it."""
        with self._turn:
            try:
                self._sink.write(records)
                self._sink.flush()
            finally:
                if not self._is_kept:
                    self._sink.close()
                told.too_large += self._too_large
                told.waited += sum(self._waited)
                self._too_large.clear()
                self._waited.clear()


@dataclass(slots=True)
class Told:
    """What is to be told of a batch, once the sink is free for others."""

    too_large: list[Record] = field(default_factory=list)
    waited: float = 0.0


class Share:
    """A source's share of a sink, used by one thread at a time. Closing it leaves the sink open."""

    def __init__(
        self,
        deliver: Callable[[Sequence[Record], Told], None],
        oversized: Callable[[Record], None],
        waited: Callable[[float], None],
    ) -> None:
        self._deliver = deliver
        self._oversized = oversized
        self._waited = waited
        self._waiting: list[Record] = []
        self._size = 0

    def write(self, records: Sequence[Record]) -> None:
        """Take the records; pass on what is waiting if it is too much to be held."""
        self._waiting += records
        self._size += sum(len(record.event) for record in records)
        if self._size > HELD:
            self.flush()

    def flush(self) -> None:
        """Return when all that was written is safe. What could not be written is held no longer: it will come again."""
        records, self._waiting, self._size = self._waiting, [], 0
        if not records:
            return
        told = Told()
        try:
            self._deliver(records, told)
        finally:
            # here, where the sink is no longer ours: others may wait for it who hold what this needs
            if told.waited:
                self._waited(told.waited)
            for record in told.too_large:
                self._oversized(record)

    def close(self) -> None:
        """Let go of what was not flushed."""
        self._waiting, self._size = [], 0
