"""Joined events: the same sequence as a list of them, and the same lines."""

from hypothesis import given
from hypothesis import strategies as st

from awsflow.exactjson import json_bytes
from awsflow.items import Encoded, Origin, Records, bodies
from awsflow.joined import Joined
from awsflow.sinks.ndjson import lines

EVENTS = st.lists(st.dictionaries(st.text(), st.text(), max_size=3).map(json_bytes), max_size=8)
ORIGIN = Origin("bucket", "key")


def joined_of(events: list[bytes]) -> Joined:
    return Joined(b"".join(event + b"\n" for event in events), len(events))


@given(EVENTS, st.slices(8))
def test_joined_events_are_the_same_sequence_as_a_list_of_them(events: list[bytes], some: slice) -> None:
    joined = joined_of(events)
    assert list(joined) == events
    assert list(joined) == events, "once more"
    assert joined == events
    assert joined != [*events, b"}"]
    assert len(joined) == len(events)
    assert joined[some] == events[some]
    assert [joined[at] for at in range(-len(events), len(events))] == events * 2
    assert joined.size == sum(map(len, events))


@given(EVENTS)
def test_records_have_the_size_of_their_events_however_these_are_kept(events: list[bytes]) -> None:
    numbers = range(1, len(events) + 1)
    joined, listed = Records(joined_of(events), ORIGIN, numbers), Records(events, ORIGIN, numbers)
    assert joined == listed
    assert joined.size == listed.size == len(b"".join(events))


@given(st.lists(st.tuples(EVENTS, st.booleans()), max_size=4), st.integers(0, 9), st.integers(0, 9))
def test_sinks_are_given_the_same_of_both(blocks: list[tuple[list[bytes], bool]], start: int, stop: int) -> None:
    together = [
        Records(joined_of(events) if is_joined else events, ORIGIN, range(1, len(events) + 1))
        for events, is_joined in blocks
    ]
    records = [record for events, _ in blocks for record in Records(events, ORIGIN, range(1, len(events) + 1))]
    encoded = Encoded(together)
    assert encoded == records
    assert list(bodies(encoded)) == [record.event for record in records]
    assert lines(encoded) == lines(records)
    assert lines(encoded[start:stop]) == lines(records[start:stop])
