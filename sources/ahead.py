"""Fetching ahead: objects are opened and read by threads, within a budget of bytes, and handed over in order.

Each thread reads one object at a time into a small buffer of its own; where the buffer is full it waits until the
consumer, who takes the objects one after the other, comes to it. So an object of any size passes through, a small
one is here before its turn, and no more than `budget` bytes are ever held.

A small object that can be asked for without waiting needs no thread if it has come when its turn does: threads that
take turns at Python's lock for each of them would cost as much as all else. The kernel holds it until then.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from awsflow.items import Found
from awsflow.options import BUDGET
from awsflow.wanted import Wanted

PIECE = 1 << 16
"""Bytes that are read at a time."""
BUFFER = 1 << 17
"""Bytes of one object that are held at most. The connection holds more: when its turn comes it goes on at once."""
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


class Asked(Protocol):
    """An object that was asked for."""

    def is_here(self, seconds: float, /) -> bool:
        """Whether all of it has come, after about so many seconds."""
        ...

    def open(self) -> Body:
        """Open it, which waits for whatever is not here."""
        ...

    def close(self) -> None:
        """Nobody wants it."""
        ...


Open: TypeAlias = Callable[[Found], Body]
Ask: TypeAlias = Callable[[Found], Asked | None]
"""Ask for an object without waiting for anything; None: it must be opened."""


def fetched(
    wanted: Iterator[Found | None],
    open_object: Open,
    *,
    ask: Ask = lambda found: None,
    requests: int = 64,
    budget: int = BUDGET,
    patience: float = 0.5,
) -> Generator[tuple[Found, Iterator[bytes]] | None, None, None]:
    """Each object with its chunks, in the order of `wanted`; at most `requests` at a time, and `budget` bytes.

    Few at a time in the beginning, and twice as many whenever an object's turn comes and nothing of it does soon: so
    there are as many as the distance to the store asks for.

    What `ask` has asked for is opened by the consumer if all of it is here when its turn comes, and else by a thread.

    The chunks of one must be consumed, or given up, before the next is asked for. An empty chunk says that
    `patience` seconds have passed without news; so does None, in `wanted` and here, between objects. An exception of
    `open_object` or of reading is raised where the chunks are consumed. Closing the generator ends the threads, each
    as soon as the read that it is in returns; they don't keep the process alive.
    """
    threads = _Threads()
    waiting: deque[_Fetch | _Here] = deque()
    held = 0
    wide = min(FIRST, requests)
    finding = Wanted(wanted)
    try:
        while True:
            while not finding.ended and len(waiting) < wide and (held < budget or not waiting):
                found = finding.next()
                if found is None:
                    break
                asked = ask(found)
                waiting.append(_Here(found, asked) if asked else threads.give(_Fetch(found, open_object)))
                held += _allowance(found)
            if waiting:
                fetch = waiting.popleft()
                if not fetch.comes_soon():
                    wide = min(2 * wide, requests)
                    if isinstance(fetch, _Here):
                        fetch = threads.give(_Fetch(fetch.found, fetch.opened, fetch.give_up))
                try:
                    yield fetch.found, fetch.chunks(patience)
                finally:
                    fetch.give_up()
                held -= _allowance(fetch.found)
            elif finding.ended:
                if finding.error is not None:
                    raise finding.error
                return
            else:
                yield None
    finally:
        for fetch in waiting:
            fetch.give_up()
        threads.end()


def _allowance(found: Found) -> int:
    """Bytes of an object that may be held before its turn."""
    return min(max(found.size, 1), BUFFER)


class _Threads:
    """As many threads as there ever were objects to fetch at the same time."""

    def __init__(self) -> None:
        self._work: SimpleQueue[_Fetch | None] = SimpleQueue()
        self._free: SimpleQueue[None] = SimpleQueue()
        """Something for each thread that has nothing to do."""
        self._number = 0

    def give(self, fetch: "_Fetch") -> "_Fetch":
        """Have a thread fetch an object."""
        try:
            self._free.get_nowait()
        except Empty:
            threading.Thread(target=self._fetch_all, name="awsflow-fetch", daemon=True).start()
            self._number += 1
        self._work.put(fetch)
        return fetch

    def end(self) -> None:
        """Let each thread end when it has done what it was given."""
        for _ in range(self._number):
            self._work.put(None)

    def _fetch_all(self) -> None:
        """A thread's life."""
        while fetch := self._work.get():
            fetch.run()
            self._free.put(None)


class _Here:
    """One object that was asked for, and need not be waited for in a thread if it comes in time."""

    __slots__ = ("_asked", "found")

    def __init__(self, found: Found, asked: Asked) -> None:
        self.found = found
        self._asked = asked

    def comes_soon(self) -> bool:
        """Whether all of it is here before long."""
        return self._asked.is_here(SOON)

    def chunks(self, patience: float) -> Iterator[bytes]:
        """Its pieces. It is here: there is nothing to be patient for."""
        with self._asked.open() as body:
            while piece := body.read(PIECE):
                yield piece

    def opened(self, found: Found) -> Body:
        """The object, for a thread."""
        return self._asked.open()

    def give_up(self) -> None:
        """Nobody wants the rest."""
        self._asked.close()


class _Fetch:
    """One object on its way: filled by a thread, emptied by the consumer.

    Two queues and no lock: whatever of a small object has come is taken without waiting.
    """

    __slots__ = ("_first", "_given_up", "_open", "_pieces", "_taken", "_unopened", "found")

    def __init__(self, found: Found, open_object: Open, unopened: Callable[[], None] = lambda: None) -> None:
        """`unopened` is called in place of `open_object` if nobody wants it any more."""
        self.found = found
        self._unopened = unopened
        self._open = open_object
        self._pieces: SimpleQueue[bytes | Exception | None] = SimpleQueue()
        """What has come; behind it what ended it, None or an error."""
        self._first: list[bytes | Exception | None] = []
        """What was taken out of there to see whether something comes soon."""
        self._taken: SimpleQueue[int] = SimpleQueue()
        """The bytes of each piece that was taken. The thread looks when its buffer is full, so they are few."""
        self._given_up = False

    def run(self) -> None:
        """In a thread: read all of the object, waiting while its buffer is full."""
        end: Exception | None = None
        held = 0
        try:
            if self._given_up:
                self._unopened()
            else:
                with self._open(self.found) as body:
                    while not self._given_up and (piece := body.read(PIECE)):
                        self._pieces.put(piece)
                        held += len(piece)
                        while held >= BUFFER:
                            held -= self._taken.get()
        except Exception as error:  # noqa: BLE001 - raised again where the chunks are consumed
            end = error
        self._pieces.put(end)

    def chunks(self, patience: float) -> Iterator[bytes]:
        """The pieces as they come, and an empty one whenever `patience` seconds have brought none."""
        while True:
            try:
                piece = self._first.pop() if self._first else self._pieces.get(timeout=patience)
            except Empty:
                yield b""
                continue
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise piece
            self._taken.put(len(piece))
            yield piece

    def comes_soon(self) -> bool:
        """Whether there is something of it, or all, before long."""
        try:
            self._first.append(self._pieces.get(timeout=SOON))
        except Empty:
            return False
        return True

    def give_up(self) -> None:
        """Nobody wants the rest."""
        self._given_up = True
        self._first.clear()
        self._taken.put(BUFFER + PIECE)  # more than can be held: the thread need not wait any longer
        while not self._pieces.empty():
            self._pieces.get()
