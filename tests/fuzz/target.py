"""What a target of the fuzzer is, and what most of them check."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from awsflow.errors import AwsflowError
from awsflow.exactjson import json_bytes
from awsflow.items import RowsOrBlock, Unreadable


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads bytes of strangers."""

    check: Callable[[bytes], None]
    """Reads them. Raises AssertionError for a wrong answer; whatever else it raises is wrong too."""
    oracle: str
    """What it checks, in words."""
    seeds: Callable[[], Iterable[bytes]]
    """What it begins with: nothing is found by chance alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of reading."""

    events: tuple[bytes | tuple[str, bytes], ...]
    """JSON, or the reason and content of what was unreadable."""
    error: str
    """The error's class, if it ended with one of ours."""


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The data in chunks of this size."""
    return (data[at : at + size] for at in range(0, len(data), size))


def outcome(read: Callable[[Iterator[bytes]], Iterator[RowsOrBlock]], data: bytes, size: int) -> Outcome:
    """What comes of reading data in chunks of this size. Every decoder owes a block a chunk, of 100 events at most."""
    events: list[bytes | tuple[str, bytes]] = []
    blocks = 0
    error = ""
    try:
        for block in read(pieces(data, size)):
            blocks += 1
            assert len(block) <= 100, "a block of more than 100 events"
            events.extend(_kept(event) for event in block)
        assert blocks >= -(-len(data) // size), "fewer blocks than chunks"
    except AwsflowError as told:
        assert str(told), "an error that says nothing"
        error = type(told).__name__
    return Outcome(tuple(events), error)


def same_however_chunked(
    read: Callable[[Iterator[bytes]], Iterator[RowsOrBlock]], data: bytes, sizes: Sequence[int] = (7, 61, 1009)
) -> Outcome:
    """What comes of reading data: the same, however it is cut, for positions count events."""
    whole = outcome(read, data, max(len(data), 1))
    for size in sizes if len(data) < 20_000 else sizes[-1:]:
        cut = outcome(read, data, size)
        assert cut == whole, f"in chunks of {size}: {cut}, at once: {whole}"
    return whole


def _kept(event: Any) -> bytes | tuple[str, bytes]:
    if isinstance(event, Unreadable):
        assert event.reason, "unreadable for no reason"
        return ("unreadable", event.content)
    return event.encode("utf-8", "surrogatepass") if isinstance(event, str) else json_bytes(event)
