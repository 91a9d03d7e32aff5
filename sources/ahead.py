"""Fetching ahead: objects are opened and read by threads, within a budget of bytes, and handed over in order.

Each thread reads one object at a time into a small buffer of its own; where the buffer is full it waits until the
consumer, who takes the objects one after the other, comes to it. So an object of any size passes through, a small
one is here before its turn, and no more than `budget` bytes are ever held.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from awsflow.items import Found
from awsflow.wanted import Wanted

PIECE = 1 << 18
"""Bytes that are read at a time."""
BUFFER = 1 << 20
"""Bytes of one object that are held at most."""
FIRST = 4
"""Objects that are fetched at the same time in the beginning."""
SOON = 0.005
"""Seconds. What takes no longer to come is not far away: more requests at a time would not bring it any sooner."""


class Body(Protocol):
    """An open object."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


Open: TypeAlias = Callable[[Found], Body]


def fetched(
    wanted: Iterator[Found | None],
    open_object: Open,
    *,
    requests: int = 64,
    budget: int = 64 << 20,
    patience: float = 0.5,
) -> Generator[tuple[Found, Iterator[bytes]] | None, None, None]:
    """Each object with its chunks, in the order of `wanted`; at most `requests` at a time, and `budget` bytes.

    Few at a time in the beginning, and twice as many whenever an object's turn comes and nothing of it does soon: so
    there are as many as the distance to the store asks for.

    The chunks of one must be consumed, or given up, before the next is asked for. An empty chunk says that
    `patience` seconds have passed without news; so does None, in `wanted` and here, between objects. An exception of
    `open_object` or of reading is raised where the chunks are consumed. Closing the generator ends the threads, each
    as soon as the read that it is in returns; they don't keep the process alive.
    """
    work: SimpleQueue[_Fetch | None] = SimpleQueue()
    waiting: deque[_Fetch] = deque()
    threads = 0
    held = 0
    wide = min(FIRST, requests)
    finding = Wanted(wanted)
    try:
        while True:
            while not finding.ended and len(waiting) < wide and (held < budget or not waiting):
                found = finding.next()
                if found is None:
                    break
                fetch = _Fetch(found, open_object)
                waiting.append(fetch)
                held += fetch.allowance
                if threads < len(waiting):
                    threading.Thread(target=_fetch_all, args=(work,), name="awsflow-fetch", daemon=True).start()
                    threads += 1
                work.put(fetch)
            if waiting:
                fetch = waiting.popleft()
                wide = min(wide if fetch.comes_soon() else 2 * wide, requests)
                try:
                    yield fetch.found, fetch.chunks(patience)
                finally:
                    fetch.give_up()
                held -= fetch.allowance
            elif finding.ended:
                if finding.error is not None:
                    raise finding.error
                return
            else:
                yield None
    finally:
        for fetch in waiting:
            fetch.give_up()
        for _ in range(threads):
            work.put(None)


def _fetch_all(work: "SimpleQueue[_Fetch | None]") -> None:
    """A thread's life."""
    while fetch := work.get():
        fetch.run()


class _Fetch:
    """One object on its way: filled by a thread, emptied by the consumer."""

    def __init__(self, found: Found, open_object: Open) -> None:
        self.found = found
        self.allowance = min(max(found.size, 1), BUFFER)
        self._open = open_object
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._given_up = False
        self._error: Exception | None = None
        self._changed = threading.Condition()

    def run(self) -> None:
        """In a thread: read all of the object, waiting while its buffer is full."""
        try:
            if not self._given_up:
                with self._open(self.found) as body:
                    while (piece := body.read(PIECE)) and self._put(piece):
                        pass
        except Exception as error:  # noqa: BLE001 - raised again where the chunks are consumed
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _put(self, piece: bytes) -> bool:
        """Hand a piece over, wait while the buffer is full; False when nobody wants more."""
        with self._changed:
            self._pieces.append(piece)
            self._held += len(piece)
            self._changed.notify()
            while self._held >= BUFFER and not self._given_up:
                self._changed.wait()
            return not self._given_up

    def chunks(self, patience: float) -> Iterator[bytes]:
        """The pieces as they come, and an empty one whenever `patience` seconds have brought none."""
        while True:
            with self._changed:
                if not self._pieces and not self._ended:
                    self._changed.wait(patience)
                piece = self._pieces.popleft() if self._pieces else b""
                self._held -= len(piece)
                self._changed.notify()
                over = self._ended and not piece and not self._pieces
            if over:
                if self._error is not None:
                    raise self._error
                return
            yield piece

    def comes_soon(self) -> bool:
        """Whether there is something of it, or all, before long."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._pieces) or self._ended, SOON)

    def give_up(self) -> None:
        """Nobody wants the rest."""
        with self._changed:
            self._given_up = True
            self._pieces.clear()
            self._changed.notify()
