"""Events inside of events: arrays of records, of findings, and what is wrapped in envelopes."""

from collections.abc import Callable, Iterable, Iterator

from awsflow.items import Block, Event, Unreadable

_BLOCK = 100


def unpacked(
    blocks: Iterable[Block], inside: Callable[[Event | Unreadable], Iterable[Event | Unreadable]]
) -> Iterator[Block]:
    """What is inside of each event, in its place; in blocks of 100 at most, at least one for each block."""
    for block in blocks:
        events = [event for each in block for event in inside(each)]
        for first in range(0, max(len(events), 1), _BLOCK):
            yield events[first : first + _BLOCK]
