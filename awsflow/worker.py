"""A worker: what one of the processes does that read, shape and send objects for a coordinator."""

import os
import select
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from awsflow.errors import AwsflowError
from awsflow.flow import Batch, Failures, Sink, Source, Stats, deliver
from awsflow.items import Barrier, Failure, Found, Item, Position, Read, Record
from awsflow.state.positions import ObjectPosition

PATIENCE = 0.5
"""Seconds without news after which a barrier lets time pass."""
YIELDS = 2
"""How much nicer a worker is: the coordinator, for whose commits all wait, goes first where processors are few."""
BARRIERS_TELL = ("read", "objects", "bytes_in")
"""Numbers that `deliver` counts at barriers."""
STATS_TELL = ("sent", "discarded", "shrunk", "bytes_out", "waited")
"""Numbers that are counted elsewhere."""


@runtime_checkable
class Divisible(Source, Protocol):
    """A source of objects that can be read elsewhere."""

    def load(self) -> None:
        """Import what reading takes: processes that part afterwards have it in common."""
        ...

    def items(self, read: Read | None = None) -> Generator[Item, None, None]:
        """Yield what there is; `read` makes items of the objects found, instead of the source's own `read`."""
        ...

    def read(self, found: Iterator[Found | None], share: int = 1) -> Generator[Item, None, None]:
        """The items of these objects. None: there is none at the moment. `share`: of how many readers this is one."""
        ...


HowFar: TypeAlias = tuple[Any, ...]
"""What an `ObjectPosition` says besides what was found."""


class News(NamedTuple):
    """What a worker tells: what it has flushed, and what that came to. It is told as a plain tuple, batch by batch."""

    reached: Sequence[tuple[Found | None, HowFar]]
    """How far the objects were read, in their order. None in place of an object: the one told of last."""
    failures: Sequence[Failure]
    for_barrier: Sequence[int]
    """What `BARRIERS_TELL` names."""
    for_stats: Sequence[float]
    """What `STATS_TELL` names."""
    newest: str
    newest_object: str
    """Both as in `Stats`."""
    error: BaseException | None
    """What ended it."""
    ended: bool


@dataclass(slots=True)
class Job:
    """What a worker does."""

    source: Divisible
    stages: Callable[[Iterable[Item]], Iterable[Item]]
    sink: Sink
    batch: Batch
    stats: Stats
    failures: Failures
    ending: mmap
    share: int

    def run(self, connection: Connection, committed: int, unwanted: Sequence[Connection]) -> None:
        """In the process: deliver what the coordinator hands out, until it has nothing more, or is gone.

        `committed` is an event of the kernel's, by which it says that what was told last is committed.
        """
        for other in unwanted:
            other.close()  # so that all of them see when the coordinator is gone
        os.nice(YIELDS)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # they go to all processes; the coordinator says what they mean
        threading.Thread(target=_end_with, args=(connection.fileno(),), name="awsflow-orphan", daemon=True).start()
        told = _Told(connection, committed, self.stats, self.failures)
        handed_out = _HandedOut(connection, self.ending)
        error: BaseException | None = None
        try:
            with closing(_OnceCommitted(self.sink, told)) as sink:
                while handed_out.any_comes():
                    deliver(
                        self._items(handed_out),
                        sink,
                        told.commit,
                        batch=self.batch,
                        stats=self.stats,
                        failures=told,
                        stop=lambda: bool(self.ending[0]),
                    )
        except ConnectionError:  # AWS's and the sink's are errors of ours: this is the coordinator, who is gone
            return
        except BaseException as raised:  # noqa: BLE001 - the coordinator raises it again
            error = raised
        with suppress(OSError):
            told.last(error)

    def _items(self, handed_out: "_HandedOut") -> Generator[Item, None, None]:
        with closing(self.source.read(iter(handed_out), self.share)) as items:
            for item in self.stages(items):
                yield item
                if item.__class__ is Barrier:
                    handed_out.passed(item.position)


def _end_with(connection: int) -> None:
    """End at once when the coordinator is gone, also while a queue or a pace is waited for: the lock was its own.

    What is sent without it cannot be committed, and comes again.
    """
    gone = select.poll()
    gone.register(connection, 0)  # for hanging up alone
    gone.poll()
    os._exit(1)


class _HandedOut:
    """The objects that a worker is given, as they come: one row of them after the other, each ended by a None.

    Behind each row the worker flushes. One without objects is the end.
    """

    def __init__(self, connection: Connection, ending: mmap) -> None:
        self._connection = connection
        self._ending = ending
        self._undone = 0
        self._first: Found | None = None

    def any_comes(self) -> bool:
        """Wait for the next row; say whether there is something in it."""
        while not self._ending[0]:
            if self._connection.poll(PATIENCE):
                self._first = self._received()
                return self._first is not None
        return False

    def __iter__(self) -> Iterator[Found | None]:
        found, self._first = self._first, None
        while found is not None:
            self._undone += 1
            yield found
            while not self._ending[0] and not self._connection.poll(0 if self._undone else PATIENCE):
                yield None
            found = None if self._ending[0] else self._received()

    def _received(self) -> Found | None:
        """An object; None for the end of a row, also when the coordinator is gone."""
        try:
            found: Found | None = self._connection.recv()
        except EOFError:
            return None
        return found

    def passed(self, position: Position) -> None:
        """Take note of a barrier that has passed: it may be the end of an object."""
        if isinstance(position, ObjectPosition) and (position.finished or position.error):
            self._undone -= 1


class _Told:
    """What a worker has to tell, told when it is flushed."""

    def __init__(self, connection: Connection, committed: int, stats: Stats, failures: Failures) -> None:
        self._connection = connection
        self._committed = committed
        self._uncommitted = 0
        """How often something was told that is not known to be committed."""
        self._stats = stats
        self._before = replace(stats)
        self._failures = failures
        self._untold: list[Failure] = []
        self._told_of: Found | None = None
        """The object told of last."""

    def add(self, failure: Failure) -> None:
        """Take a failure."""
        self._untold.append(failure)

    def flush(self) -> None:
        """Failures are told with the positions behind them; what this process has filed itself is safe now."""
        self._failures.flush()

    def commit(self, positions: Sequence[Position]) -> None:
        """Tell what was flushed; of each object the last position."""
        reached = []
        for position, following in zip(positions, [*positions[1:], None], strict=True):
            found = position.found
            if following is None or found is not following.found:
                reached.append((None if found is self._told_of else found, position[1:]))
                self._told_of = found
        self._uncommitted += 1
        self._tell(reached)

    def wait(self) -> None:
        """Return when all that was told is committed."""
        while self._uncommitted:
            with suppress(InterruptedError):
                self._uncommitted -= os.eventfd_read(self._committed)

    def last(self, error: BaseException | None) -> None:
        """Tell that this is all, and why."""
        self.flush()
        self._tell([], ended=True, error=_picklable(error))

    def _tell(
        self,
        reached: Sequence[tuple[Found | None, HowFar]],
        *,
        ended: bool = False,
        error: BaseException | None = None,
    ) -> None:
        failures, self._untold = self._untold, []
        since, self._before = self._before, replace(self._stats)
        for_barrier, for_stats = (
            tuple(getattr(self._stats, name) - getattr(since, name) for name in names)
            for names in (BARRIERS_TELL, STATS_TELL)
        )
        news = News(
            reached,
            failures,
            for_barrier,
            for_stats,
            self._stats.newest,
            self._stats.newest_object,
            error,
            ended,
        )
        self._connection.send(tuple(news))


class _OnceCommitted:
    """The sink, given a batch once the one before it is committed: so no more than one is ever sent again."""

    def __init__(self, sink: Sink, told: _Told) -> None:
        self._sink = sink
        self._told = told

    def write(self, records: Sequence[Record]) -> None:
        """Wait, and write."""
        self._told.wait()
        self._sink.write(records)

    def flush(self) -> None:
        """Flush the sink."""
        self._sink.flush()

    def close(self) -> None:
        """Close the sink."""
        self._sink.close()


def _picklable(error: BaseException | None) -> BaseException | None:
    """The error, or what it says, if it is not ours."""
    if error is None or isinstance(error, AwsflowError):
        return error
    return AwsflowError(f"{type(error).__name__}: {error}")
