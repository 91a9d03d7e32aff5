"""Joined events: the same sequence as a list of them, and the same lines."""

from hypothesis import given
from hypothesis import strategies as st

from awsflow.exactjson import json_bytes
from awsflow.items import Encoded, Origin, Records, bodies
from awsflow.joined import Joined
from awsflow.sinks.ndjson import lines

HEADS = st.sampled_from([b"", b"1:somewhere:"])
EVENTS = st.lists(st.dictionaries(st.text(), st.text(), max_size=3).map(json_bytes), max_size=8)
ORIGIN = Origin("bucket", "key")


def joined_of(events: list[bytes], head: bytes) -> Joined:
    return Joined(b"".join(head + event + b"\n" for event in events), len(events), head=head)


@given(EVENTS, HEADS, st.slices(8))
def test_joined_events_are_the_same_sequence_as_a_list_of_them(events: list[bytes], head: bytes, some: slice) -> None:
    joined = joined_of(events, head)
    assert list(joined) == events
    assert list(joined) == events, "once more"
    assert joined == events
    assert joined != [*events, b"}"]
    assert len(joined) == len(events)
    assert joined[some] == events[some]
    assert [joined[at] for at in range(-len(events), len(events))] == events * 2
    assert joined.size == sum(map(len, events))
    assert [*joined.lines()] == [head + event for event in events]


@given(EVENTS, HEADS)
def test_records_have_the_size_of_their_events_however_these_are_kept(events: list[bytes], head: bytes) -> None:
    numbers = range(1, len(events) + 1)
    joined, listed = Records(joined_of(events, head), ORIGIN, numbers), Records(events, ORIGIN, numbers)
    assert joined == listed
    assert joined.size == listed.size == len(b"".join(events))


@given(st.lists(st.tuples(EVENTS, st.none() | HEADS), max_size=4), st.integers(0, 9), st.integers(0, 9))
def test_sinks_are_given_the_same_of_both(
    blocks: list[tuple[list[bytes], bytes | None]], start: int, stop: int
) -> None:
    together = [
        Records(events if head is None else joined_of(events, head), ORIGIN, range(1, len(events) + 1))
        for events, head in blocks
    ]
    records = [record for events, _ in blocks for record in Records(events, ORIGIN, range(1, len(events) + 1))]
    encoded = Encoded(together)
    assert encoded == records
    assert list(bodies(encoded)) == [record.event for record in records]
    assert lines(encoded) == lines(records)
    assert lines(encoded[start:stop]) == lines(records[start:stop])
