"""Work: what is remembered of streams and objects, for how long, and what is tried again."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Found, Origin
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import FailedObject, ObjectPosition, Remembered, StreamPosition
from awsflow.state.work import Work

STREAM = "AWSLogs/123456789012/CloudTrail/eu-west-1/"
TODAY = date(2026, 11, 23)
ONE_DAY = timedelta(days=1)


class Clock:
    """Noon of a day that the test sets."""

    def __init__(self) -> None:
        self.today = TODAY

    def __call__(self) -> datetime:
        return datetime.combine(self.today, time(12), UTC)


class State:
    """A work that is closed and opened again at will."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.work = self.open()

    def open(self, lookback: timedelta = ONE_DAY) -> Work:
        self._checkpoints = Checkpoints(self.path, now=self.clock)
        self.work = self._checkpoints.work("trail", lookback)
        return self.work

    def reopen(self, lookback: timedelta = ONE_DAY) -> Work:
        self.close()
        return self.open(lookback)

    def close(self) -> None:
        self._checkpoints.close()

    def rows(self) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            count: int = connection.execute("SELECT count(*) FROM objects").fetchone()[0]
        return count


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def key(day: date, name: object) -> str:
    return f"{STREAM}{day:%Y/%m/%d}/{name}"


def at(day: date, name: object, records: int = 10, etag: str = "etag", error: str = "") -> ObjectPosition:
    """A position inside an object, or where it could not be read any further."""
    return ObjectPosition(Found(Origin("b", key(day, name)), 1000, etag, STREAM, day), records, error=error)


def done(day: date, name: object, etag: str = "etag") -> ObjectPosition:
    """The end of an object."""
    return ObjectPosition(Found(Origin("b", key(day, name)), 1000, etag, STREAM, day), 10, finished=True)


def test_a_new_stream_is_listed_from_the_start_given(state: State) -> None:
    assert state.work.since(STREAM, date(2026, 11, 1)) == date(2026, 11, 1)


def test_a_known_stream_is_listed_from_its_newest_day_less_the_look_back(state: State) -> None:
    state.work.commit([done(date(2026, 11, 19), "a"), done(date(2026, 11, 20), "b")])
    assert state.work.since(STREAM, TODAY) == date(2026, 11, 19)
    assert state.reopen(timedelta(0)).since(STREAM, TODAY) == date(2026, 11, 20)


def test_a_look_back_is_rounded_up_to_whole_days(state: State) -> None:
    work = state.reopen(timedelta(hours=25))
    work.commit([done(date(2026, 11, 20), "a")])
    assert work.since(STREAM, TODAY) == date(2026, 11, 18)


def test_the_newest_day_never_goes_back(state: State) -> None:
    state.work.commit([done(date(2026, 11, 20), "a")])
    state.work.commit([done(date(2026, 11, 19), "late"), StreamPosition(STREAM, date(2026, 11, 18))])
    assert state.work.since(STREAM, TODAY) == date(2026, 11, 19)
    assert state.reopen(timedelta(0)).since(STREAM, TODAY) == date(2026, 11, 20)


def test_a_stream_moves_on_without_objects(state: State) -> None:
    state.work.commit([StreamPosition(STREAM, date(2026, 11, 20))])
    assert state.reopen().since(STREAM, TODAY) == date(2026, 11, 19)


def test_the_look_back_does_not_reach_before_the_start_of_the_first_listing(state: State) -> None:
    assert state.work.since(STREAM, TODAY) == TODAY
    state.work.commit([done(TODAY, "a")])
    assert state.reopen().since(STREAM, TODAY) == TODAY
    state.clock.today = TODAY + 5 * ONE_DAY
    state.work.commit([done(TODAY + 5 * ONE_DAY, "b")])
    assert state.work.since(STREAM, TODAY) == TODAY + 4 * ONE_DAY


def test_a_start_in_the_future_hides_nothing_once_something_was_committed(state: State) -> None:
    state.work.since(STREAM, date(2099, 1, 1))
    state.work.commit([done(date(2099, 1, 1), "odd")])
    assert state.work.since(STREAM, TODAY) == TODAY


def test_a_longer_look_back_does_not_reach_what_a_shorter_one_has_forgotten(state: State) -> None:
    for day in range(10, 21):
        state.work.commit([done(date(2026, 11, day), "a")])
    work = state.reopen(7 * ONE_DAY)
    since = work.since(STREAM, TODAY)
    assert since == date(2026, 11, 19)
    days = [date(2026, 11, day) for day in range(since.day, 21)]
    assert len(work.remembered(STREAM, [key(day, "a") for day in days])) == len(days)
    state.clock.today = date(2026, 11, 30)
    work.commit([done(date(2026, 11, 22), "a")])
    assert work.since(STREAM, TODAY) == date(2026, 11, 19)


def test_the_first_run_and_the_last_that_listed_everything_are_remembered(state: State) -> None:
    assert (state.work.first_run, state.work.last_run) == (None, None)
    state.clock.today = TODAY + 3 * ONE_DAY
    work = state.reopen()
    assert (work.first_run, work.last_run) == (TODAY, TODAY)
    state.clock.today = TODAY + 4 * ONE_DAY  # midnight passes while the run lasts
    work.listed_all()
    work = state.reopen()
    assert (work.first_run, work.last_run) == (TODAY, TODAY + 3 * ONE_DAY)
    state.clock.today = TODAY - ONE_DAY  # a clock that was set back
    state.reopen().listed_all()
    assert state.reopen().last_run == TODAY + 3 * ONE_DAY


def test_an_object_is_remembered_as_it_was_left(state: State) -> None:
    state.work.commit([at(TODAY, "half", 400), done(TODAY, "whole")])
    asked = [key(TODAY, name) for name in ("half", "new", "whole")]
    assert state.reopen().remembered(STREAM, asked) == {
        key(TODAY, "half"): Remembered("etag", 400, False),
        key(TODAY, "whole"): Remembered("etag", 10, True),
    }
    assert state.work.remembered("another/stream/", asked) == {}


def test_progress_within_an_object_is_kept_whatever_lies_between(state: State) -> None:
    state.work.commit([at(TODAY, "a", 5)])
    first = at(TODAY, "a", 7)
    state.work.commit([first, first._replace(records=9)])
    assert state.work.remembered(STREAM, [key(TODAY, "a")])[key(TODAY, "a")].records == 9
    state.work.commit([at(TODAY, "a", 12), StreamPosition(STREAM, TODAY + ONE_DAY)])
    state.work.commit([at(TODAY, "a", 15), done(TODAY, "b")])
    state.work.commit([at(TODAY, "a", 17)._replace(is_early=True)])
    state.work.commit([at(TODAY, "a", 19)])
    assert state.work.remembered(STREAM, [key(TODAY, "a")])[key(TODAY, "a")] == Remembered("etag", 19, finished=False)
    state.work.commit([done(TODAY, "a")])
    assert state.work.remembered(STREAM, [key(TODAY, "a")])[key(TODAY, "a")].finished


def test_an_object_that_is_early_no_more_moves_the_window(state: State) -> None:
    state.work.commit([done(TODAY - 4 * ONE_DAY, "a")])
    state.work.commit([at(TODAY, "b", 5)._replace(is_early=True)])
    assert state.work.since(STREAM, date.min) == TODAY - 5 * ONE_DAY
    state.work.commit([at(TODAY, "b", 7)])
    assert state.work.since(STREAM, date.min) == TODAY - ONE_DAY


def test_progress_within_an_object_is_remembered_under_the_etag_it_has(state: State) -> None:
    state.work.commit([at(TODAY, "a", 5)])
    state.work.commit([at(TODAY, "a", 3, etag="other")])
    assert state.work.remembered(STREAM, [key(TODAY, "a")])[key(TODAY, "a")] == Remembered("other", 3, finished=False)


def test_progress_within_two_objects_at_once_is_that_of_both(state: State) -> None:
    for records in (5, 7):
        state.work.commit([at(TODAY, "a", records), at(TODAY, "b", records)])
    known = state.work.remembered(STREAM, [key(TODAY, name) for name in "ab"])
    assert [remembered.records for remembered in known.values()] == [7, 7]


@pytest.mark.parametrize(("name", "etag"), [("b", "etag"), ("b", "other"), ("c", "etag"), ("d", "etag")])
def test_progress_of_an_object_is_kept_beside_that_of_one_under_way_replaced_finished_or_new(
    state: State, name: str, etag: str
) -> None:
    state.work.commit([at(TODAY, "a", 5), at(TODAY, "b", 5), done(TODAY, "c")])
    state.work.commit([at(TODAY, "a", 7), at(TODAY, name, 9, etag=etag)])
    known = state.work.remembered(STREAM, [key(TODAY, each) for each in "abcd"])
    assert known == {
        key(TODAY, "a"): Remembered("etag", 7, finished=False),
        key(TODAY, "b"): Remembered("etag", 5, finished=False),
        key(TODAY, "c"): Remembered("etag", 10, finished=True),
    } | {key(TODAY, name): Remembered(etag, 9, finished=False)}


def test_only_the_last_position_of_an_object_counts(state: State) -> None:
    state.work.commit([at(TODAY, "a", 1), at(TODAY, "b", 1), at(TODAY, "a", 2), done(TODAY, "b")])
    known = state.work.remembered(STREAM, [key(TODAY, "a"), key(TODAY, "b")])
    assert known == {
        key(TODAY, "a"): Remembered("etag", 2, False),
        key(TODAY, "b"): Remembered("etag", 10, True),
    }


def test_an_object_under_a_new_etag_is_remembered_by_that(state: State) -> None:
    state.work.commit([done(TODAY, "a", "old")])
    state.work.commit([at(TODAY, "a", 3, "new")])
    assert state.work.remembered(STREAM, [key(TODAY, "a")]) == {key(TODAY, "a"): Remembered("new", 3, False)}


@pytest.mark.parametrize(
    "etag",
    [
        "",
        "etag",
        "d41d8cd98f00b204e9800998ecf8427e",
        "D41D8CD98F00B204E9800998ECF8427E",
        "0a 0b",
        "0a0b-12",
        "é",
    ],
)
def test_every_etag_comes_back_as_it_was(state: State, etag: str) -> None:
    state.work.commit([done(TODAY, "a", etag), at(TODAY, "b", etag=etag, error="bad")])
    assert state.work.remembered(STREAM, [key(TODAY, "a")])[key(TODAY, "a")].etag == etag
    assert [failed.etag for failed in state.work.failures()] == [etag]


def test_keys_are_told_apart_whatever_their_stream(state: State) -> None:
    stream = "logs/"
    keys = ["logs/a", "a", "=a", "logs/=a", "logs/logs/a", "logs/", "", "=", "logs/\0a", "logs/ä€𝄞"]
    for number, name in enumerate(keys):
        state.work.commit([ObjectPosition(Found(Origin("b", name), 1, "e", stream, TODAY), number)])
    known = state.work.remembered(stream, keys)
    assert {name: remembered.records for name, remembered in known.items()} == {
        name: number for number, name in enumerate(keys)
    }


def test_of_ten_thousand_objects_of_a_day_none_is_forgotten(state: State) -> None:
    for begin in range(0, 10_000, 1000):
        state.work.commit([done(TODAY, f"{number:05}") for number in range(begin, begin + 1000)])
    work = state.reopen()
    asked = [key(TODAY, f"{number:05}") for number in range(10_500)]
    assert list(work.remembered(STREAM, asked)) == asked[:10_000]


def test_the_state_is_as_large_as_the_window_and_not_as_the_bucket(state: State) -> None:
    sizes = []
    for number in range(30):
        day = date(2026, 10, 20) + number * ONE_DAY
        state.work.commit([done(day, f"{name:05}") for name in range(1000)])
        assert state.rows() <= 2000
        state.reopen()
        sizes.append(state.path.stat().st_size)
    assert state.rows() == 2000
    assert max(sizes) <= 1.1 * max(sizes[:5])


def test_objects_older_than_the_window_are_forgotten_with_the_commit_that_moves_it(state: State) -> None:
    days = [date(2026, 11, day) for day in (18, 19, 20)]
    state.work.commit([done(day, "a") for day in days[:2]])
    state.work.commit([done(days[2], "a")])
    assert list(state.work.remembered(STREAM, [key(day, "a") for day in days])) == [key(day, "a") for day in days[1:]]
    state.work.commit([done(days[0], "late")])  # as after a retry
    assert state.work.remembered(STREAM, [key(days[0], "late")]) == {}


def test_objects_without_a_day_are_kept_and_move_nothing(state: State) -> None:
    undated = ObjectPosition(Found(Origin("b", f"{STREAM}undated"), 1, "e", STREAM), 1, finished=True)
    state.work.commit([undated])
    assert state.work.since(STREAM, date(2026, 1, 1)) == date(2026, 1, 1)
    state.work.commit([done(date(2026, 11, 1), "a")])
    state.work.commit([done(TODAY, "a"), undated])
    assert list(state.work.remembered(STREAM, [f"{STREAM}undated"])) == [f"{STREAM}undated"]
    assert state.work.since(STREAM, TODAY) == TODAY - ONE_DAY


def test_a_key_dated_in_the_future_hides_nothing_and_is_read_once(state: State) -> None:
    future = date(2099, 1, 1)
    state.work.commit([done(TODAY, "a"), done(future, "odd"), StreamPosition(STREAM, future)])
    assert state.work.since(STREAM, TODAY) == TODAY - ONE_DAY
    for number in range(1, 4):
        state.clock.today = TODAY + number * ONE_DAY
        state.reopen().commit([done(state.clock.today, "a")])
    assert state.work.since(STREAM, TODAY) == TODAY + 2 * ONE_DAY
    assert list(state.work.remembered(STREAM, [key(future, "odd")])) == [key(future, "odd")]


def test_streams_have_windows_of_their_own(state: State) -> None:
    other = ObjectPosition(Found(Origin("b", "other/old"), 1, "e", "other/", date(2026, 1, 1)), 1, finished=True)
    state.work.commit([other, done(TODAY, "a")])
    assert state.work.since("other/", TODAY) == date(2025, 12, 31)
    assert list(state.work.remembered("other/", ["other/old"])) == ["other/old"]


def test_what_cannot_be_read_is_on_the_failures_list_and_not_listed_again(state: State) -> None:
    state.work.commit([at(TODAY, "bad", 3, error="line 4 is cut off")])
    when = "2026-11-23T12:00:00Z"
    assert state.reopen().failures() == [
        FailedObject(STREAM, key(TODAY, "bad"), "etag", 1000, 3, "line 4 is cut off", when, when, 1, TODAY)
    ]
    assert state.work.remembered(STREAM, [key(TODAY, "bad")]) == {
        key(TODAY, "bad"): Remembered("etag", 3, finished=True, failed=True)
    }


def test_each_attempt_is_counted_until_there_were_enough(state: State) -> None:
    for attempt in range(1, 4):
        assert len(state.work.failures()) == (attempt > 1)
        state.clock.today = TODAY + (attempt - 1) * ONE_DAY
        state.work.commit([at(TODAY, "bad", attempt, error=f"error {attempt}")])
    assert state.work.failures() == []
    (failed,) = state.work.failures(max_attempts=4)
    assert (failed.attempts, failed.error, failed.records) == (3, "error 3", 3)
    assert (failed.first, failed.last) == ("2026-11-23T12:00:00Z", "2026-11-25T12:00:00Z")


def test_a_failed_object_that_is_finished_at_last_leaves_the_list(state: State) -> None:
    state.work.commit([at(TODAY, "bad", error="bad"), at(TODAY, "worse", error="bad")])
    state.work.commit([done(TODAY, "bad")])
    assert [failed.key for failed in state.work.failures()] == [key(TODAY, "worse")]
    assert state.work.remembered(STREAM, [key(TODAY, "bad")]) == {key(TODAY, "bad"): Remembered("etag", 10, True)}


def test_progress_of_a_failed_object_is_kept_on_the_list_and_nowhere_else(state: State) -> None:
    old = TODAY - 10 * ONE_DAY
    state.work.commit([at(old, "old", 3, error="bad")])
    state.work.commit([at(TODAY, "new", 3, error="bad")])
    state.work.commit([at(old, "old", 500), at(TODAY, "new", 500)])
    assert [(failed.key, failed.records, failed.attempts) for failed in state.work.failures()] == [
        (key(old, "old"), 500, 1),
        (key(TODAY, "new"), 500, 1),
    ]
    known = state.work.remembered(STREAM, [key(old, "old"), key(TODAY, "new")])
    assert known == {key(TODAY, "new"): Remembered("etag", 500, True, failed=True)}


def test_each_progress_of_a_failed_object_is_kept_on_the_list(state: State) -> None:
    state.work.commit([at(TODAY, "a", 5, error="bad")])
    for records in (6, 8):
        state.work.commit([at(TODAY, "a", records)])
        assert [failed.records for failed in state.work.failures()] == [records]


def test_failures_outlive_the_window(state: State) -> None:
    old = TODAY - 10 * ONE_DAY
    state.work.commit([at(old, "old", error="bad")])
    state.work.commit([done(TODAY, "a")])
    assert [failed.day for failed in state.work.failures()] == [old]
    state.work.commit([done(old, "old")])
    assert state.work.failures() == []
    assert state.rows() == 1


def test_of_very_many_failures_ten_thousand_at_a_time_are_listed(state: State) -> None:
    state.work.commit([at(TODAY, f"{number:05}", error="bad") for number in range(10_500)])
    listed = state.work.failures()
    assert [failed.key for failed in listed] == [key(TODAY, f"{number:05}") for number in range(10_000)]
    state.work.commit([done(TODAY, f"{number:05}") for number in range(10_000)])
    assert len(state.work.failures()) == 500


def test_a_failed_object_that_was_replaced_is_an_object_like_any_other(state: State) -> None:
    for _ in range(3):
        state.work.commit([at(TODAY, "a", etag="old", error="bad")])
    state.work.commit([at(TODAY, "a", 5, etag="new")])
    assert state.work.failures(max_attempts=100) == []
    assert state.work.remembered(STREAM, [key(TODAY, "a")]) == {key(TODAY, "a"): Remembered("new", 5, False)}
    state.work.commit([at(TODAY, "a", 6, etag="new", error="bad again")])
    assert [(failed.etag, failed.attempts) for failed in state.work.failures()] == [("new", 1)]


def test_the_failures_of_another_work_are_not_told(state: State) -> None:
    state.work.commit([at(TODAY, "a", error="bad")])
    state.close()
    with Checkpoints(state.path) as checkpoints:
        assert checkpoints.work("other").failures() == []


DAYS = [TODAY + number * ONE_DAY for number in range(-4, 5)]
NAMES = "ab"
POSITION = st.builds(
    lambda day, name, etag, records, end: ObjectPosition(
        Found(Origin("b", key(day, name)), 1000, etag, STREAM, day),
        records,
        end == "done",
        end * (end == "bad"),
    ),
    st.sampled_from(DAYS),
    st.sampled_from(NAMES),
    st.sampled_from(["etag", "0a0b"]),
    st.integers(0, 1000),
    st.sampled_from(["", "done", "bad"]),
)


PARTS = st.builds(
    lambda day, reached: [at(day, name, number, etag=etag) for name, number, etag in reached],
    st.sampled_from(DAYS[3:6]),
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 1000), st.sampled_from(["etag", "etag", "0a0b"])),
        min_size=1,
        max_size=3,
    ),
)
"""Of few objects, so that a commit often goes on where the one before it ended."""


@dataclass
class Model:
    """What a work promises, said with dictionaries."""

    newest: date | None = None
    objects: dict[str, tuple[date, Remembered]] = field(default_factory=dict)
    failures: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Etag, records, attempts."""

    def commit(self, positions: list[ObjectPosition], today: date) -> None:
        for name, position in {position.found.origin.key: position for position in positions}.items():
            day, etag = position.found.day, position.found.etag
            assert day is not None
            self.newest = max(self.newest or date.min, min(day, today))
            failed = self.failures.pop(name, ("", 0, 0))
            attempts = (failed[2] if failed[0] == etag else 0) + bool(position.error)
            if attempts and not position.finished:
                self.failures[name] = (etag, position.records, attempts)
            passed_by = position.finished or name in self.failures
            self.objects[name] = (day, Remembered(etag, position.records, passed_by, failed=name in self.failures))
        if self.newest:
            window = self.newest - ONE_DAY
            self.objects = {name: known for name, known in self.objects.items() if known[0] >= window}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.lists(POSITION, max_size=8), PARTS, st.sampled_from(["next day", "reopen"])), max_size=12))
def test_whatever_is_committed_in_whatever_runs_is_remembered_as_dictionaries_would(
    steps: list[list[ObjectPosition] | str],
) -> None:
    model = Model()
    everything = [key(day, name) for day in DAYS for name in NAMES]
    with tempfile.TemporaryDirectory() as folder, closing(State(Path(folder) / "state.db")) as state:
        for step in steps:
            if step == "next day":
                state.clock.today += ONE_DAY
            elif step == "reopen":
                state.reopen()
            elif isinstance(step, list):
                state.work.commit(step)
                model.commit(step, state.clock.today)
            assert state.work.remembered(STREAM, everything) == {
                name: known for name, (_, known) in model.objects.items()
            }
            assert state.work.since(STREAM, date.min) == (model.newest - ONE_DAY if model.newest else date.min)
            assert {
                failed.key: (failed.etag, failed.records, failed.attempts)
                for failed in state.work.failures(max_attempts=100)
            } == model.failures
