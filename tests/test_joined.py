"""Joined events: the same sequence as a list of them."""

from hypothesis import given
from hypothesis import strategies as st

from awsflow.items import Origin, Records
from awsflow.joined import Joined

EVENTS = st.lists(st.binary().map(lambda event: event.replace(b"\n", b"") + b"}"), max_size=8)


@given(EVENTS, st.slices(8))
def test_joined_events_are_the_same_sequence_as_a_list_of_them(events: list[bytes], some: slice) -> None:
    joined = Joined(b"".join(event + b"\n" for event in events), len(events))
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
    joined = Joined(b"".join(event + b"\n" for event in events), len(events))
    assert Records(joined, Origin(), numbers) == Records(events, Origin(), numbers)
    assert Records(joined, Origin(), numbers).size == Records(events, Origin(), numbers).size == len(b"".join(events))
