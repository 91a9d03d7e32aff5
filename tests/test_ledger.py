"""Which positions may be committed while others, found before them, are still being delivered."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from awsflow.items import Found, Origin
from awsflow.ledger import Ledger, Unit
from awsflow.state.positions import ObjectPosition, StreamPosition

FIRST = date(2026, 11, 1)


@dataclass(frozen=True)
class Handed:
    stream: str
    day: int | None
    turn: float
    """Ends before those with a higher one."""


handed = st.lists(
    st.builds(Handed, st.sampled_from(["eu/", "us/"]), st.none() | st.integers(0, 3), st.floats(0, 1, allow_nan=False)),
    max_size=12,
)


def unit_of(ledger: Ledger, one: Handed, number: int) -> Unit:
    day = None if one.day is None else FIRST + timedelta(one.day)
    return ledger.handed_out(Found(Origin("b", str(number)), 1, stream=one.stream, day=day))


@given(handed)
def test_all_is_committed_at_once_but_no_day_becomes_a_streams_newest_before_all_of_earlier_ones_is_done(
    objects: list[Handed],
) -> None:
    ledger = Ledger()
    units = [unit_of(ledger, one, number) for number, one in enumerate(objects)]
    delivered: list[str] = []
    newest: dict[str, date] = {}
    for number, unit in sorted(enumerate(units), key=lambda both: objects[both[0]].turn):
        unit.reached(ObjectPosition(unit.found, 5))
        unit.reached(ObjectPosition(unit.found, 10, finished=True))
        positions = ledger.committable()
        delivered += [position.found.origin.key for position in positions if isinstance(position, ObjectPosition)]
        assert delivered[-1:] == [str(number)]
        for position in positions:
            if isinstance(position, StreamPosition):
                stream, day = position.stream, position.day
            elif position.is_early or position.found.day is None:
                continue
            else:
                stream, day = position.found.stream, position.found.day
            undone = [other.found for other in units[: number + 1] if not other.ended and other.found.stream == stream]
            assert all(found.day is None or found.day >= day for found in undone)
            newest[stream] = max(day, newest.get(stream, day))
    assert sorted(delivered) == sorted(map(str, range(len(units))))
    assert not ledger.units
    days: dict[str, date] = {}
    for found in (unit.found for unit in units):
        if found.day is not None:
            days[found.stream] = max(found.day, days.get(found.stream, found.day))
    assert newest == days


@given(handed)
def test_what_is_of_the_same_day_or_of_another_stream_waits_for_nobody(objects: list[Handed]) -> None:
    ledger = Ledger()
    for number, one in enumerate(objects):
        unit_of(ledger, one, number)
    for stream in ("other/", "eu/"):
        day = min((FIRST + timedelta(one.day) for one in objects if one.day is not None), default=FIRST)
        last = ledger.handed_out(Found(Origin("b", stream), 1, stream=stream, day=day))
        last.reached(ObjectPosition(last.found, 3))
        assert [position.is_early for position in ledger.committable() if isinstance(position, ObjectPosition)] == [
            False
        ]


def test_what_is_left_of_an_object_begins_behind_what_was_delivered() -> None:
    unit = Ledger().handed_out(Found(Origin("b", "k"), 1, done=7))
    assert unit.rest.done == 7
    unit.reached(ObjectPosition(unit.found, 9))
    assert (unit.rest.done, unit.ended) == (9, False)
