"""Workers: processes that read, shape and send objects side by side, each with a sink of its own.

One coordinator finds the objects, hands them out, and alone owns the state. A worker delivers what it is given as any
flow does, in batches; but instead of committing a position it tells the coordinator, who commits it, and sends nothing
more until that is done. So what is sent was flushed before it is committed, here too, no more than a batch of each
worker is ever sent without being committed, and an object's records keep their order, for one worker reads all of it.

Processes are forked, so that whatever a flow is made of need not be pickled; what passes between them afterwards,
through pipes of their own, are `Found`, positions, failures and counts.
"""

import multiprocessing
import os
import select
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from awsflow.errors import WorkerDied
from awsflow.flow import Batch, Commit, Failures, Sink, Stats
from awsflow.items import Barrier, Found, Item, Position, Record
from awsflow.ledger import Ledger, Unit
from awsflow.state.positions import ObjectPosition
from awsflow.turns import shared
from awsflow.wanted import Wanted
from awsflow.worker import BARRIERS_TELL, PATIENCE, STATS_TELL, Divisible, Job, News

AHEAD = 64
"""Objects that are handed out at the same time at most, to all workers together; at least two to each."""
BUDGET = 64 << 20
"""Bytes of them, as they lie in the store, beyond which a worker gets no second one."""
GATHERING = 0.001
"""Seconds that news wait for those of another worker: to commit both together costs little more than to commit one."""
GRACE = 8.0
"""Seconds that workers have, when a run breaks off, to flush and end by themselves."""


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, as the coordinator sees it."""

    process: BaseProcess
    connection: Connection
    committed: int
    """An event of the kernel's by which it learns that what it told is committed."""
    told_of: Found = field(init=False)
    """The object that it told of last."""
    units: deque[Unit] = field(default_factory=deque)
    """What it has to do, in this order."""
    size: int = 0
    """Bytes of it."""
    is_flushing: bool = True
    """Behind what it was given last it was told to flush."""
    is_leaving: bool = False
    """It was told that it will be given nothing more."""
    ended: bool = False

    def send(self, found: Found | None) -> None:
        """Hand it an object, or tell it that there is none."""
        with suppress(OSError):  # it has died: that is told when it is listened to
            self.connection.send(found)

    def acknowledge(self) -> None:
        """Tell it that what it told last is committed."""
        os.eventfd_write(self.committed, 1)


class Workers:
    """`number` processes that read what a source has found, pass it through `stages` and send it to `sink`.

    `stop` is the flow's; `stopped` says so once the workers have flushed and told what they came to. A worker that
    dies has cost its uncommitted batch: what it had to do is given to the others. WorkerDied if none is left.
    """

    def __init__(
        self,
        number: int,
        source: Divisible,
        stages: Callable[[Iterable[Item]], Iterable[Item]],
        sink: Sink,
        *,
        batch: Batch,
        stats: Stats,
        failures: Failures,
        stop: Callable[[], bool],
    ) -> None:
        context = multiprocessing.get_context("fork")
        self._stats = stats
        self._stop = stop
        self.stopped = False
        self._ending = mmap(-1, 1)
        """Shared by all: not 0 when the workers are to flush and end."""
        self._ledger = Ledger()
        self._again: deque[Unit] = deque()
        """What a worker that died has left."""
        self._error: BaseException | None = None
        self._workers: list[_Worker] = []
        self._by_descriptor: dict[int, _Worker] = {}
        self._listening = select.poll()
        source.load()
        job = Job(source, stages, shared(sink, number), batch, stats, failures, self._ending, number)
        for _ in range(number):
            ours, theirs = context.Pipe()
            committed = os.eventfd(0)
            unwanted = [worker.connection for worker in self._workers] + [ours]
            process = context.Process(target=job.run, args=(theirs, committed, unwanted), daemon=True)
            with warnings.catch_warnings():
                # Python 3.12 and later warn of forks beside threads, which may hold locks. Ours that are there now
                # wait for signals, and hold none.
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            theirs.close()
            worker = _Worker(process, ours, committed)
            self._workers.append(worker)
            self._by_descriptor[ours.fileno()] = worker
            self._listening.register(ours, select.POLLIN)

    def read(self, found: Iterator[Found | None]) -> Generator[Item, None, None]:
        """Barriers, and failures, for what the workers have delivered of these objects."""
        finding = Wanted(found)
        while not self._is_over(finding):
            if self._stop() or self._error is not None:
                self._end()
                while self._alive():
                    yield from self._told(None)
                self.stopped = self._stop()
                yield Barrier()
                break  # an error is raised below
            self._hand_out(finding)
            if finding.ended and not self._again:
                self._bid_farewell()
            yield from self._told(PATIENCE if finding.ended or not self._have_room() else 0.0)
        if (error := self._error or finding.error) is not None:
            raise error

    @staticmethod
    def committing(commit: Commit) -> Commit:
        """What commits the positions of barriers that `read` yields: each holds several, and who waits for them."""

        def committing(positions: Sequence[Position]) -> None:
            commit([position for one in positions for position in _each(one)])
            for one in positions:
                for worker in one.told_by if isinstance(one, _Together) else ():
                    worker.acknowledge()

        return committing

    def close(self) -> None:
        """End the workers. What they have not told by now is not committed."""
        self._end()
        for worker in self._workers:
            worker.connection.close()
            os.close(worker.committed)
            worker.process.join(GRACE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers = []

    def _is_over(self, finding: Wanted) -> bool:
        return finding.ended and not self._alive()

    def _alive(self) -> list[_Worker]:
        return [worker for worker in self._workers if not worker.ended]

    def _has_room(self, worker: _Worker) -> bool:
        share = len(self._workers)
        if worker.is_leaving or (self._ledger.is_full and not self._again):
            return False
        return len(worker.units) < max(2, AHEAD // share) and (worker.size < BUDGET // share or not worker.units)

    def _have_room(self) -> list[_Worker]:
        return [worker for worker in self._alive() if self._has_room(worker)]

    def _hand_out(self, finding: Wanted) -> None:
        """Give the workers what was found, as long as they have room for it: to each time the one with the least."""
        while workers := self._have_room():
            if self._again:
                unit = self._again.popleft()
            else:
                found = finding.next()
                if found is None:
                    return
                unit = self._ledger.handed_out(found)
            worker = min(workers, key=lambda worker: (worker.size, len(worker.units)))
            worker.units.append(unit)
            worker.size += unit.found.size
            worker.is_flushing = False
            worker.send(unit.rest)

    def _bid_farewell(self) -> None:
        """There is nothing more to find: let workers flush; and once all is done, lest one of them dies, end."""
        alive = self._alive()
        for worker in alive:
            if not worker.is_flushing:
                worker.is_flushing = True
                worker.send(None)
        if not any(worker.units for worker in alive):
            for worker in alive:
                if not worker.is_leaving:
                    worker.is_leaving = True
                    worker.send(None)

    def _end(self) -> None:
        """Let the workers flush and end, wherever they are."""
        self._ending[0] = 1

    def _told(self, patience: float | None) -> Generator[Item, None, None]:
        """What workers have to tell now, or within `patience` seconds; then a barrier."""
        told_by: list[_Worker] = []
        came_to = Stats()
        ready = self._ready(patience)
        yield from self._heard(ready, told_by, came_to)
        if ready and any(worker.units and worker not in ready for worker in self._alive()):
            yield from self._heard(self._ready(GATHERING), told_by, came_to)
        positions = self._ledger.committable()
        yield Barrier(
            _Together(positions, told_by) if positions else None,
            came_to.read,
            came_to.objects,
            came_to.bytes_in,
            came_to.newest,
            came_to.newest_object,
        )

    def _ready(self, patience: float | None) -> list[_Worker]:
        """The workers that have something to tell now, or within `patience` seconds; None: however long it takes."""
        ready = self._listening.poll(None if patience is None else patience * 1000)
        return [self._by_descriptor[descriptor] for descriptor, _ in ready]

    def _heard(self, ready: Iterable[_Worker], told_by: list[_Worker], came_to: Stats) -> Generator[Item, None, None]:
        """Hear these workers: yield their failures, and gather the rest for the next barrier."""
        for worker in ready:
            try:
                news = News(*worker.connection.recv())
            except (EOFError, OSError):
                self._died(worker)
                continue
            yield from news.failures
            self._count(came_to, news)
            for found, how_far in news.reached:
                if found is not None:
                    worker.told_of = found
                self._reached(worker, ObjectPosition(worker.told_of, *how_far))
            if news.reached:
                told_by.append(worker)
            if news.error is not None and self._error is None:
                self._error = news.error
            if news.ended:
                self._ended(worker)

    def _reached(self, worker: _Worker, position: ObjectPosition) -> None:
        unit = worker.units[0]  # a worker takes them in their order
        size = unit.found.size
        unit.reached(position)
        if unit.ended:
            worker.units.popleft()
            worker.size -= size
        else:
            worker.size += unit.found.size - size

    def _count(self, came_to: Stats, news: News) -> None:
        """Count what a worker has done: for the next barrier what barriers tell, all else in the flow's stats."""
        for name, number in zip(BARRIERS_TELL, news.for_barrier, strict=True):
            setattr(came_to, name, getattr(came_to, name) + number)
        came_to.newest = max(came_to.newest, news.newest)
        came_to.newest_object = max(came_to.newest_object, news.newest_object)
        for name, more in zip(STATS_TELL, news.for_stats, strict=True):
            setattr(self._stats, name, getattr(self._stats, name) + more)

    def _ended(self, worker: _Worker) -> None:
        worker.ended = True
        self._listening.unregister(worker.connection)

    def _died(self, worker: _Worker) -> None:
        """Give to others what a worker has left; it goes on behind what was told."""
        self._ended(worker)
        self._again.extend(worker.units)
        worker.process.join(GRACE)
        if self._error is None and not self._alive():
            where = worker.units[0].found.origin if worker.units else "what was found"
            self._error = WorkerDied(
                f"reading {where}: the last of {len(self._workers)} workers has died (exit code "
                f"{worker.process.exitcode}; -9 is a kill: by the kernel, if memory ran out); use --workers 1 to see "
                "why. Nothing is lost: the next run goes on"
            )
        worker.units.clear()


@dataclass(frozen=True, slots=True)
class _Together:
    """Positions of which each is committable, as one barrier's."""

    positions: Sequence[Position]
    told_by: Sequence[_Worker]
    """Who sends nothing more until they are committed."""


def _each(position: Position) -> Sequence[Position]:
    return position.positions if isinstance(position, _Together) else (position,)


class _Nowhere:
    """The coordinator's sink: it has nothing to send."""

    def write(self, records: Sequence[Record]) -> None:
        """Nothing comes."""

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""


NOWHERE = _Nowhere()
