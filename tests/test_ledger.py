"""Which positions may be committed while others, found before them, are still being delivered."""

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from awsflow.items import Found, Origin
from awsflow.ledger import Ledger, Unit
from awsflow.state.positions import ObjectPosition

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
def test_nothing_is_committed_that_makes_the_state_take_something_undone_for_done(objects: list[Handed]) -> None:
    ledger = Ledger()
    units = [unit_of(ledger, one, number) for number, one in enumerate(objects)]
    committed: list[str] = []
    for _, unit in sorted(zip(objects, units, strict=True), key=lambda both: both[0].turn):
        unit.reached(ObjectPosition(unit.found, 5))
        unit.reached(ObjectPosition(unit.found, 10, finished=True))
        for position in ledger.committable():
            committed.append(position.found.origin.key)
            assert position.finished
            day = position.found.day
            if day is not None:
                undone = [other for other in units if not other.ended and other.found.stream == position.found.stream]
                found_before = [other for other in undone if units.index(other) < int(position.found.origin.key)]
                assert all(other.found.day is None or other.found.day >= day for other in found_before)
    assert sorted(committed) == sorted(unit.found.origin.key for unit in units)
    assert not ledger.units


@given(handed)
def test_what_is_of_the_same_day_or_of_another_stream_waits_for_nobody(objects: list[Handed]) -> None:
    ledger = Ledger()
    for number, one in enumerate(objects):
        unit_of(ledger, one, number)
    for stream in ("other/", "eu/"):
        day = min((FIRST + timedelta(one.day) for one in objects if one.day is not None), default=FIRST)
        last = ledger.handed_out(Found(Origin("b", stream), 1, stream=stream, day=day))
        last.reached(ObjectPosition(last.found, 3))
        assert [position.records for position in ledger.committable()] == [3]


def test_what_is_left_of_an_object_begins_behind_what_was_delivered() -> None:
    unit = Ledger().handed_out(Found(Origin("b", "k"), 1, done=7))
    assert unit.rest.done == 7
    unit.reached(ObjectPosition(unit.found, 9))
    assert (unit.rest.done, unit.ended) == (9, False)
