"""The tail of a stream: what comes again is known, what comes late is not, in bounded space."""

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.sources import log_tail
from awsflow.sources.log_tail import OVERLAP, REMEMBERED, Tail
from awsflow.state.positions import ALL, LogPosition

Event = tuple[int, int, str]
"""Time, when it came, message."""
START = 1_795_000_000_000


def position(tail: Tail) -> LogPosition:
    floor, more, marks = tail.kept()
    assert tail.latest is not None
    return LogPosition(
        "r", "g", "s", tail.earliest, tail.latest, ingested=tail.ingested, floor=floor, more=more, marks=marks
    )


def read(events: list[Event], left: LogPosition | None, stop: int | None = None) -> tuple[list[Event], LogPosition]:
    """A pass: the new events, up to `stop` of them, and where that leaves the stream."""
    tail = Tail(START, left)
    new: list[Event] = []
    for event in sorted(events):
        time, came, message = event
        if time >= tail.begins_at if left is None else time >= left.floor:
            if len(new) == stop:
                break
            if tail.take(time, came, message.encode()):
                new.append(event)
    return new, position(tail)


def test_what_was_read_is_not_new_and_what_comes_late_is() -> None:
    events = [(START + number * 1000, START, str(number)) for number in range(10)]
    new, left = read(events, None)
    assert new == events
    late = (START + 5000, START + 90_000, "late")
    assert read([*events, late], left)[0] == [late]


def test_of_several_alike_as_many_are_known_as_were_read() -> None:
    alike = (START, START, "heartbeat")
    new, left = read([alike, alike], None)
    assert new == [alike, alike]
    assert read([alike, alike, alike], left)[0] == [alike]


def test_of_more_events_in_one_millisecond_than_are_remembered_none_is_lost_or_repeated() -> None:
    events = [(START, START + number // 100, str(number)) for number in range(3 * REMEMBERED)]
    new, left = read(events, None)
    assert new == sorted(events)
    late = (START, START + 99_000, "late")
    new, left = read([*events, late], left)
    assert new == [late]
    new, left = read([*events, late, (START + 1, START + 99_000, "next")], left)
    assert new == [(START + 1, START + 99_000, "next")]


def test_no_more_is_kept_than_so_many_marks_and_none_from_before_the_overlap() -> None:
    _, left = read([(START + number, START, str(number)) for number in range(5 * REMEMBERED)], None)
    assert len(left.marks) == 16 * REMEMBERED
    assert left.floor == START + 4 * REMEMBERED - 1
    _, left = read([(START + number * OVERLAP // 10, START + 10 * OVERLAP, str(number)) for number in range(100)], None)
    assert len(left.marks) == 16 * 11
    assert left.floor == left.latest - OVERLAP


def test_an_event_dated_in_the_future_hides_nothing() -> None:
    hour = 3_600_000
    events = [(START, START, "now"), (START + 2 * hour, START, "from the future")]
    _, left = read(events, None)
    later = (START + hour, START + hour, "an hour later")
    new, left = read([*events, later], left)
    assert new == [later]
    # a crash in the midst of the next pass
    more = [(START + hour + number, START + 2 * hour, str(number)) for number in range(10)]
    new, left = read([*events, later, *more], left, stop=3)
    assert new == more[:3]
    assert read([*events, later, *more], left)[0] == more[3:]


def test_where_nothing_but_times_is_known_all_of_the_last_millisecond_count_as_read() -> None:
    left = LogPosition.taken_over("r", "g", "s", token="t", earliest=START, latest=START + 5)
    assert left.more == ALL
    events = [(START + number, START, str(number)) for number in range(8)]
    new, left = read(events, left)
    assert new == events[6:]
    assert read(events, left)[0] == []


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[list[Event], int | None]]:
    """What comes before each pass, none of it later than the overlap allows, and where the pass is broken off."""
    now, newest = START, START
    rounds = []
    for _ in range(draw(st.integers(1, 5))):
        now += draw(st.integers(1, 400))
        times = draw(st.lists(st.integers(max(START, newest - 15), newest + 6), max_size=6))
        rounds.append(
            (
                [(time, now, draw(st.sampled_from("ab"))) for time in sorted(times)],
                draw(st.sampled_from([None, 0, 1, 2, 5])),
            )
        )
        newest = max([newest, *times])
    return [*rounds, ([], None)]


@settings(deadline=None)
@given(histories())
def test_whatever_comes_late_and_wherever_a_pass_is_broken_off_each_event_is_new_once(
    history: list[tuple[list[Event], int | None]],
) -> None:
    there: list[Event] = []
    delivered: list[Event] = []
    left = None
    for come, stop in history:
        there += come
        if there and not (stop == 0 and left is None):
            new, left = read(there, left, stop)
            delivered += new
    assert sorted(delivered) == sorted(there)
    assert log_tail.OVERLAP > 15  # the times above lie within it
