"""What travels in the stream: records, barriers and failures; and the object worth reading.

Imports nothing of awsflow but errors, rows and joined events: everything else builds on these words.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, Literal, NamedTuple, TypeAlias, overload

from awsflow.errors import AwsflowError
from awsflow.joined import Joined
from awsflow.rows import Rows

Event: TypeAlias = dict[str, Any] | str | bytes
"""A log event: a mapping; or text that is sent as it is; or bytes, the encoded body of a datagram."""

Shape: TypeAlias = Callable[[dict[str, Any]], dict[str, Any] | list[dict[str, Any]]]
"""What Wazuh's rules expect of an event of some type: one event, or several made of it."""

Envelope: TypeAlias = Literal["bucket", "object", "service", "none"]
"""What is put around an event for Wazuh: `log_info` with alias, key and bucket; with key and bucket; none; nothing."""

Position: TypeAlias = Any
"""What a restart needs. Opaque to stages and sinks: only the source that made it looks inside."""


class Origin(NamedTuple):
    """Where records come from, and what the envelope says of it."""

    bucket: str = ""
    key: str = ""
    alias: str = ""
    """The account's alias, chosen by the user."""
    account: str = ""
    """Sent as `aws_account_id`, unless empty."""
    shape: Shape | None = None
    """None: events are sent as they are."""
    envelope: Envelope = "bucket"

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


@dataclass(slots=True)
class Record:
    """One log event, and where it comes from: `number` counts from 1 within the origin."""

    event: Event
    origin: Origin
    number: int


@dataclass(slots=True)
class Records:
    """Several records of one origin, in their order. They travel together where all that they meet takes them so.

    They mean what the same records mean one after the other: iterate over them, and there they are.
    """

    events: "Sequence[Event]"
    origin: Origin
    numbers: Sequence[int]
    """Of each event, within the origin."""

    def __iter__(self) -> Iterator[Record]:
        for event, number in zip(self.events, self.numbers, strict=True):
            yield Record(event, self.origin, number)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def size(self) -> int:
        """Bytes of the events, once they are encoded."""
        events = self.events
        return events.size if events.__class__ is Joined else sum(map(len, events))


class Barrier(NamedTuple):
    """All items before this one belong to `position`, and what reading them came to.

    A quiet source yields a barrier without position, so that time can pass in the stream.
    """

    position: Position = None
    read: int = 0
    """Events read since the previous barrier."""
    objects: int = 0
    """Objects finished since the previous barrier."""
    bytes_in: int = 0
    """Bytes fetched since the previous barrier, as they lie in the store."""
    newest: str = ""
    """The newest event time since the previous barrier, as ISO 8601 in UTC; empty if none is known."""
    written: str = ""
    """When the object that ends here was written, likewise."""


class Failure(NamedTuple):
    """Something that could not be read: a line or row (`content` is what it holds), or the rest of an object (None)."""

    origin: Origin
    number: int
    """The record it would have been, counted from 1."""
    error: AwsflowError
    content: bytes | None = None
    log_type: str = ""
    """Of a line or row: its type. Of a message: what its objects are."""
    header: bytes = b""
    """The line above that names the columns, if there is one."""
    is_message: bool = False
    """Whether the content is a queue's message: the object, or all that it names, could not be read."""


Item: TypeAlias = Record | Records | Barrier | Failure


def one_by_one(items: Iterable[Item]) -> Generator[Record | Barrier | Failure, None, None]:
    """The same items without `Records`: the records that are together come one after the other."""
    for item in items:
        if isinstance(item, Records):
            yield from item
        else:
            yield item


class Encoded(Sequence[Record]):
    """Records whose events are bytes, as sinks are given them. The bytes alone, by `bodies`, are had faster."""

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __init__(self, together: Iterable[Records]) -> None:
        self._together = list(together)
        self._count = sum(map(len, self._together))

    @property
    def events(self) -> list[Sequence[Any]]:
        """The events, several together."""
        return [records.events for records in self._together]

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Record]:
        return chain.from_iterable(self._together)

    def __eq__(self, other: object) -> bool:
        """Whether the other is a sequence of the same records, as a list may be."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Record]: ...

    def __getitem__(self, at: int | slice) -> Record | Sequence[Record]:
        if isinstance(at, int) or at.step not in (None, 1):
            return list(self)[at]
        start, stop, _ = at.indices(len(self))
        return Encoded(self._between(start, stop))

    def _between(self, start: int, stop: int) -> Iterator[Records]:
        for records in self._together:
            some = slice(max(start, 0), max(stop, 0))
            if records.numbers[some]:
                yield Records(records.events[some], records.origin, records.numbers[some])
            start, stop = start - len(records), stop - len(records)


def bodies(records: Sequence[Record]) -> Iterator[Any]:
    """The events of encoded records: bytes, to be gone through once."""
    return chain.from_iterable(bodies_together(records))


def bodies_together(records: Sequence[Record]) -> list[Sequence[Any]]:
    """The same, several together, as they came; they may be `Joined`."""
    return records.events if isinstance(records, Encoded) else [[record.event for record in records]]


class Unreadable(NamedTuple):
    """What a decoder puts in the place of an event that it cannot read, when it can go on behind it."""

    reason: str
    content: bytes
    header: bytes = b""
    """The line above that names its columns, if there is one."""


Block: TypeAlias = list[Event | Unreadable]
"""Events in their order. A decoder yields at least one for each chunk, an empty one if the chunk completed none."""

RowsOrBlock: TypeAlias = Rows | Block
"""A block of which all events are columns of text may remain so."""


class Found(NamedTuple):
    """An object worth reading, and what to commit once its records are delivered.

    Picklable: it is also the unit of work that other processes are given.
    """

    origin: Origin
    size: int
    """In bytes, as it lies in the store."""
    etag: str = ""
    stream: str = ""
    """The listing that it belongs to, such as the prefix of one account and region."""
    day: date | None = None
    """The date in its key."""
    done: int = 0
    """Records that an earlier run has delivered already."""
    log_type: str = ""
    """The name of its log type; empty: its first bytes must tell."""
    written: str = ""
    """When it was written, as ISO 8601 in UTC (with `Z`); empty if that is not known."""
    failed_before: bool = False
    """Whether it is on the failures list."""


Read: TypeAlias = Callable[[Iterator[Found | None]], Generator[Item, None, None]]
"""Makes items of the objects that were found. None among them: there is none at the moment."""
