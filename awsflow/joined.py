"""Joined: events that are JSON, kept as the lines of one text until somebody needs each of them."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import overload


class Joined(Sequence[bytes]):
    """The JSON of events, each in a line of `text` with a line break behind it, and no other white space there.

    To keep them so takes half the memory, and to take each out only when it is sent takes less time, for it is in the
    processor's cache then. Who wants lines has them already.

    What a sink sends before each event may stand in each line already, as its `head`: it is no part of the events.
    """

    __slots__ = ("_count", "head", "longest", "size", "text")
    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __init__(self, text: bytes, count: int, *, head: bytes = b"", longest: int | None = None) -> None:
        """`count`: how many events these are. `longest`: bytes that no line has more of, if that is known."""
        self.text = text
        self.head = head
        self.longest = len(text) if longest is None else longest
        self.size = len(text) - count * (len(head) + len(b"\n"))
        """Bytes of all events."""
        self._count = count

    def lines(self) -> Iterator[bytes]:
        """Each event behind the head."""
        return map(bytes.rstrip, BytesIO(self.text))  # to iterate is faster than to split

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        begin = len(self.head)
        return (line[begin:] for line in self.lines()) if begin else self.lines()

    def __eq__(self, other: object) -> bool:
        """Whether the other is a sequence of the same events, as a list may be."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...

    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        return list(self)[at]
