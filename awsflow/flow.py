"""Flow: a source, stages and a sink; and `deliver`, the one function that pairs flush and commit.

Two laws hold here. A barrier is never moved before a record that it covers. Nothing is committed that the sink has
not flushed: only `deliver` and a flow's iterator, which hands its records to a caller, ever commit.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, Self

from awsflow.envelope import wazuh_json
from awsflow.errors import ArgumentsError
from awsflow.items import Barrier, Encoded, Event, Failure, Item, Position, Record, Records, one_by_one
from awsflow.stages import Encoding, Stage, Together, discard, each, without


class Source(Protocol):
    """Yields records, one by one or several together, and barriers, and knows how to commit their positions."""

    def items(self) -> Generator[Item, None, None]:
        """Yield what there is; closing the generator ends whatever was being read."""
        ...

    def commit(self, positions: Sequence[Position]) -> None:
        """Keep these positions, reached in this order: a restart goes on behind them. One transaction."""
        ...

    def close(self) -> None:
        """Let go of state and connections, after the last commit. May be called again."""
        ...


class Sink(Protocol):
    """Takes encoded records: `record.event` is bytes. "flush returned" is its whole promise."""

    def write(self, records: Sequence[Record]) -> None:
        """Take the records, in this order. Who needs their bytes alone has them by `awsflow.items.bodies`."""
        ...

    def flush(self) -> None:
        """Return when all that was written is safe."""
        ...

    def close(self) -> None:
        """Let go of whatever is open. Does not flush. May be called again."""
        ...


class Failures(Protocol):
    """Where failures are told: `flush` is called before anything behind them is committed."""

    def add(self, failure: Failure) -> None:
        """Take a failure."""
        ...

    def flush(self) -> None:
        """Return when all that was added is safe."""
        ...


class LoggedFailures:
    """Failures told as warnings of the logger `awsflow`: where nobody asked for anything else."""

    def add(self, failure: Failure) -> None:
        """Log it."""
        logging.getLogger("awsflow").warning("%s, record %d: %s", failure.origin, failure.number, failure.error)

    def flush(self) -> None:
        """Nothing is held back."""


class Batch(NamedTuple):
    """When to flush: as soon as one of these is reached, at a barrier. Of an object's rows some hundreds share one."""

    records: int = 1000
    size: int = 1 << 20
    """Bytes of encoded records."""
    seconds: float = 1.0


@dataclass(slots=True)
class Stats:
    """What a run came to."""

    read: int = 0
    """Events read."""
    discarded: int = 0
    sent: int = 0
    """Events that the sink has flushed."""
    shrunk: int = 0
    """Events cut to fit into a datagram."""
    failed: int = 0
    """Lines, rows and objects that could not be read."""
    objects: int = 0
    bytes_in: int = 0
    """Fetched, as they lie in the store."""
    bytes_out: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    """Seconds of these for which events were held back, so that their receiver could keep up."""
    newest: str = ""
    """The newest event time, ISO 8601 in UTC; empty when no event told its time."""
    newest_object: str = ""
    """When the newest object was written, likewise; empty when nobody told."""
    reading: str = ""
    """Where what was read last lies; told only where somebody looks."""

    def add(self, barrier: Barrier) -> None:
        """Count what a barrier covers."""
        _, read, objects, bytes_in, newest, written = barrier
        self.read += read
        self.objects += objects
        self.bytes_in += bytes_in
        self.newest = max(self.newest, newest)
        self.newest_object = max(self.newest_object, written)

    def drop(self) -> None:
        """Count a discarded event."""
        self.discarded += 1

    def wait(self, seconds: float) -> None:
        """Count time for which events were held back."""
        self.waited += seconds

    @property
    def events_per_second(self) -> float:
        """Events sent per second of the run."""
        return self.sent / self.seconds if self.seconds else 0.0


Commit = Callable[[Sequence[Position]], None]
_TOO_MANY = 10
"""Batches that may wait for a barrier."""


@dataclass(slots=True)
class _Batcher:
    """The records that wait for a flush, and the positions that may be committed behind it."""

    sink: Sink
    commit: Commit
    failures: Failures
    stats: Stats
    pending: list[Records] = field(default_factory=list)
    count: int = 0
    """Of the pending records."""
    size: int = 0
    """Of their bytes."""
    covered: int = 0
    """How much of what is pending lies before the last barrier."""
    covered_count: int = 0
    covered_size: int = 0
    positions: list[Position] = field(default_factory=list)

    def add(self, item: Record | Records) -> None:
        """One more, or several more, that wait."""
        records = item if isinstance(item, Records) else Records([item.event], item.origin, (item.number,))
        self.pending.append(records)
        self.count += len(records)
        self.size += records.size

    def cover(self, position: Position) -> None:
        """A barrier: everything pending belongs to this position."""
        self.cover_all()
        self.positions.append(position)

    def cover_all(self) -> None:
        """Nothing more is waited for: write everything with the next flush, without a position of its own."""
        self.covered, self.covered_count, self.covered_size = len(self.pending), self.count, self.size

    def make_room(self, batch: Batch) -> bool:
        """Flush what the last barrier covers; where there is none, all, once there are too many records without one."""
        if not self.covered:
            if self.count <= _TOO_MANY * batch.records and self.size <= _TOO_MANY * batch.size:
                return False
            self.cover_all()
        self.flush()
        return True

    def flush(self) -> None:
        """Write and flush what the last barrier covers, then commit; the records behind it stay pending."""
        records, self.pending = self.pending[: self.covered], self.pending[self.covered :]
        positions, self.positions = self.positions, []
        count, self.count = self.covered_count, self.count - self.covered_count
        size, self.size = self.covered_size, self.size - self.covered_size
        self.covered = self.covered_count = self.covered_size = 0
        if count:
            self.sink.write(Encoded(records))
            self.sink.flush()
            self.stats.sent += count
            self.stats.bytes_out += size
        self.failures.flush()  # without a position, too: what the sink was given may have been too large for it
        if positions:
            self.commit(positions)


def deliver(
    items: Iterable[Item],
    sink: Sink,
    commit: Commit,
    *,
    batch: Batch | None = None,
    stats: Stats | None = None,
    failures: Failures | None = None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Stats:
    """Write every record; flush in batches that end at a barrier, and commit behind each flush, never before it.

    A batch is written when the next record would be one too many for it, and at a barrier once it is full or old
    enough. So no more than one batch is ever sent without being committed, if barriers come often enough; where ten
    batches wait for one, and at the end, what no barrier covers is sent as well. `failures` has taken each failure
    before anything behind it is committed. When `stop` says so, or the items break off with an exception, what the
    last barrier covers is still flushed and committed; records behind it will be read again.
    """
    batch = batch or Batch()
    stats = stats or Stats()
    failures = failures or LoggedFailures()
    waiting = _Batcher(sink, commit, failures, stats)
    started = clock()
    due = started + batch.seconds
    broken: list[BaseException] = []
    try:
        for item in _until_broken(items, broken):
            if isinstance(item, Barrier):
                stats.add(item)
                if item.position is not None:
                    waiting.cover(item.position)
                if waiting.count >= batch.records or waiting.size >= batch.size or clock() >= due:
                    waiting.flush()
                    due = clock() + batch.seconds
                if stop():
                    break
            elif isinstance(item, Failure):
                stats.failed += 1
                failures.add(item)
            else:
                waiting.add(item)
                is_full = waiting.count > batch.records or waiting.size > batch.size
                if is_full and waiting.make_room(batch):
                    due = clock() + batch.seconds
        else:
            if not broken:
                waiting.cover_all()
        waiting.flush()
    finally:
        stats.seconds = clock() - started
    if broken:
        raise broken[0]
    return stats


def _until_broken(items: Iterable[Item], broken: list[BaseException]) -> Generator[Item, None, None]:
    """The items; an exception of theirs ends them and is kept, so that what came before it can be delivered."""
    try:
        yield from items
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, Ctrl-C too, `deliver` raises it again
        broken.append(error)


class Flow:
    """A source, the stages that its records pass, and a sink. Built step by step, run once.

        stats = (Flow(S3Bucket("my-trail", log_type="cloudtrail", state="state.db"))
                 .discard("eventName", r"Describe|List")
                 .map(lambda event: {**event, "team": "blue"})
                 .to(WazuhSocket("/var/ossec/queue/sockets/queue"))
                 .run())

    Without a sink it is an iterator of records: `for record in Flow(LocalFiles("logs/", log_type="cloudtrail")): ...`.
    Positions are then committed once the caller has asked for the record behind them, that is, is done with those
    before. Either way the source is closed at the end, also when the end comes early.
    """

    def __init__(
        self,
        source: Source,
        *,
        batch: Batch | None = None,
        failures: Failures | None = None,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stats = Stats()
        self._source = source
        self._batch = batch or Batch()
        self._failures = failures or LoggedFailures()
        self._stop = stop
        self._clock = clock
        self._stages: list[Stage] = []
        self._watching: list[Stage] = []
        self._encode: Stage | None = None
        self._sink: Sink | None = None

    def through(self, stage: Stage) -> Self:
        """Pass the items through a stage."""
        self._stages.append(stage)
        return self

    def watch(self, stage: Stage) -> Self:
        """Pass the items through a stage that changes nothing, behind all others; with workers, barriers alone."""
        self._watching.append(stage)
        return self

    def discard(self, path: str, pattern: str) -> Self:
        """Drop the events whose field matches; see `awsflow.stages.discard`."""
        return self.through(discard(path, pattern, self.stats.drop))

    def map(self, function: Callable[[Any], Event]) -> Self:
        """Replace each event by what the function makes of it."""
        return self.through(each(lambda event: (function(event),)))

    def filter(self, keep: Callable[[Any], bool]) -> Self:
        """Keep the events that the function says yes to."""
        return self.through(without(lambda event: not keep(event), self.stats.drop))

    def to(self, sink: Sink, encode: Stage = wazuh_json) -> Self:
        """Deliver to this sink, encoded for Wazuh unless told otherwise (`awsflow.plain_json`), behind all stages.

        A sink may have a `head`: bytes, UTF-8 in one line, that it sends before each event. What is joined by then
        has it already, see `awsflow.joined`.
        """
        head: bytes = getattr(sink, "head", b"")
        self._encode = encode.behind(head) if head and isinstance(encode, Encoding) else encode
        self._sink = sink
        return self

    def run(self, workers: int = 1) -> Stats:
        """Deliver everything; return what the run came to. The sink is closed at the end.

        With `workers`, so many processes read, shape and send; the source must be one of objects.
        """
        if self._sink is None:
            raise ValueError("this flow has no sink: add .to(sink), or iterate over it")
        if workers > 1:
            return self._run_divided(workers, self._sink)
        with closing(self._source), closing(self._sink), closing(self._items()) as items:
            return deliver(
                items,
                self._sink,
                self._source.commit,
                batch=self._batch,
                stats=self.stats,
                failures=self._failures,
                stop=self._stop,
                clock=self._clock,
            )

    def _run_divided(self, number: int, sink: Sink) -> Stats:
        """Let workers deliver; commit what they tell."""
        from awsflow.worker import Divisible  # noqa: PLC0415 - one process needs none of it
        from awsflow.workers import NOWHERE, Workers  # noqa: PLC0415 - likewise

        if not isinstance(self._source, Divisible):
            raise ArgumentsError(f"dividing {type(self._source).__name__} between workers: only objects can be divided")
        with (
            closing(self._source),
            closing(
                Workers(
                    number,
                    self._source,
                    self._staged,
                    sink,
                    batch=self._batch,
                    stats=self.stats,
                    failures=self._failures,
                    stop=self._stop,
                )
            ) as workers,
            closing(self._watched(self._source.items(workers.read))) as items,
        ):
            return deliver(
                items,
                NOWHERE,
                workers.committing(self._source.commit),
                batch=Batch(records=0),  # they have batched already: what they tell is committed at once
                stats=self.stats,
                failures=self._failures,
                stop=lambda: workers.stopped,
                clock=self._clock,
            )

    def __iter__(self) -> Iterator[Record]:
        """The records, one by one, as the stages leave them."""
        started = self._clock()
        due = started + self._batch.seconds
        positions: list[Position] = []
        covered = 0
        with closing(self._source), closing(self._items()) as items:
            try:
                for item in one_by_one(items):
                    if isinstance(item, Record):
                        yield item
                        self.stats.sent += 1
                    elif isinstance(item, Failure):
                        self.stats.failed += 1
                        self._failures.add(item)
                    else:
                        self.stats.add(item)
                        if item.position is not None:
                            positions.append(item.position)
                        if positions and (self.stats.sent - covered >= self._batch.records or self._clock() >= due):
                            self._failures.flush()
                            self._source.commit(positions)
                            positions, covered = [], self.stats.sent
                            due = self._clock() + self._batch.seconds
                        if self._stop():
                            break
            finally:
                self.stats.seconds = self._clock() - started
                if positions:
                    self._failures.flush()
                    self._source.commit(positions)

    def _items(self) -> Generator[Item, None, None]:
        """The source's items behind all stages; closing it closes the source."""
        with closing(self._source.items()) as items:
            yield from self._watched(self._staged(items))

    def _staged(self, items: Iterable[Item]) -> Iterable[Item]:
        """The items behind the stages that do something."""
        for stage in (*self._stages, *filter(None, [self._encode])):
            items = stage(items if isinstance(stage, Together) else one_by_one(items))
        return items

    def _watched(self, items: Iterable[Item]) -> Generator[Item, None, None]:
        for stage in self._watching:
            items = stage(items if isinstance(stage, Together) else one_by_one(items))
        yield from items
