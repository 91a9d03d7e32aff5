"""Log work: where log streams were left, which are there, and since when their groups are read."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from awsflow.errors import AlreadyRunning, StateError
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.log_work import LogWork
from awsflow.state.positions import GroupListed, LogPosition, StreamGone

REGION, GROUP = "eu-west-1", "/aws/lambda/x"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FULL = LogPosition(
    REGION, GROUP, "s", 1000, 2000, token="f/1", asked_from=900, ingested=2500, floor=1500, more=3, marks=b"m" * 32
)


class State:
    """A work that is closed and opened again at will."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOON
        self.open()

    def open(self) -> LogWork:
        self._checkpoints = Checkpoints(self.path, now=lambda: self.now)
        self.work = self._checkpoints.log_work("logs")
        return self.work

    def reopen(self) -> LogWork:
        self.close()
        return self.open()

    def close(self) -> None:
        self._checkpoints.close()

    def names(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute("SELECT name FROM log_streams ORDER BY name, part")]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def of(stream: str, latest: int = 2000) -> LogPosition:
    return LogPosition(REGION, GROUP, stream, 1000, latest)


def test_a_stream_is_remembered_as_it_was_left(state: State) -> None:
    bare = LogPosition("us-east-1", "/other", "$ [LATEST] ünï", 0, 0)
    state.work.commit([FULL, bare])
    work = state.reopen()
    assert work.left(REGION, GROUP, ["new", "s"]) == {"s": [FULL]}
    assert work.left("us-east-1", "/other", ["$ [LATEST] ünï"]) == {"$ [LATEST] ünï": [bare]}
    assert work.left("us-east-1", GROUP, ["s"]) == {}


def test_only_the_last_position_of_a_stream_counts(state: State) -> None:
    state.work.commit([of("s", 1), of("t", 5), of("s", 3)])
    state.work.commit([of("t", 6)])
    left = state.work.left(REGION, GROUP, ["s", "t"])
    assert {name: position.latest for name, (position,) in left.items()} == {"s": 3, "t": 6}


def test_a_part_before_becomes_one_with_the_rest_when_it_is_finished(state: State) -> None:
    before = FULL._replace(earliest=100, latest=400, until=1000)
    state.work.commit([FULL, before])
    assert state.reopen().left(REGION, GROUP, ["s"]) == {"s": [FULL, before]}
    state.work.commit([before._replace(latest=900), before._replace(latest=950, finished=True)])
    assert state.work.left(REGION, GROUP, ["s"]) == {"s": [FULL._replace(earliest=100)]}


def test_two_parts_before_that_end_in_one_commit_are_both_taken_in(state: State) -> None:
    near = FULL._replace(earliest=500, latest=900, until=1000, finished=True)
    far = FULL._replace(earliest=100, latest=300, until=500)
    state.work.commit([FULL])
    state.work.commit([near, far])
    assert state.work.left(REGION, GROUP, ["s"]) == {"s": [FULL._replace(earliest=500), far]}


def test_streams_that_were_not_listed_are_forgotten_once_that_is_committed(state: State) -> None:
    state.work.commit([of("gone"), of("here"), of("gone")._replace(group="/other")])
    work = state.reopen()
    work.left(REGION, GROUP, ["here", "new"])
    assert state.names() == ["gone", "gone", "here"]
    work.commit([of("new"), GroupListed(REGION, GROUP)])
    assert state.names() == ["gone", "here", "new"]
    assert set(work.left(REGION, "/other", ["gone"])) == {"gone"}


def test_where_only_some_were_listed_only_those_are_forgotten(state: State) -> None:
    state.work.commit([of("a1"), of("a2"), of("b%_")])
    state.work.left(REGION, GROUP, ["a2"])
    state.work.commit([GroupListed(REGION, GROUP, "a")])
    assert state.names() == ["a2", "b%_"]


def test_a_group_that_nobody_knows_leaves_nothing_behind(state: State) -> None:
    state.work.commit([GroupListed(REGION, "/unknown"), StreamGone(REGION, "/unknown", "s")])
    with closing(sqlite3.connect(state.path)) as connection:
        assert connection.execute("SELECT count(*) FROM log_groups").fetchone() == (0,)


def test_a_stream_that_was_deleted_is_forgotten_with_all_its_parts(state: State) -> None:
    state.work.commit([FULL, FULL._replace(until=1000, earliest=1, latest=2), of("t")])
    state.work.commit([StreamGone(REGION, GROUP, "s")])
    assert state.names() == ["t"]


def test_the_day_on_which_a_group_was_listed_first_is_remembered(state: State) -> None:
    today = date(2026, 11, 23)
    assert state.work.first_listed(REGION, GROUP, note=False) == today
    state.now = NOON + timedelta(days=1)
    assert state.reopen().first_listed(REGION, GROUP) == today + timedelta(days=1)
    state.now = NOON + timedelta(days=5)
    work = state.reopen()
    assert work.first_listed(REGION, GROUP) == today + timedelta(days=1)
    assert work.first_listed(REGION, "/new") == today + timedelta(days=5)


def test_more_streams_than_sqlite_takes_values_are_looked_up(state: State) -> None:
    names = [f"{number:05}" for number in range(3000)]
    state.work.commit([of(name) for name in names])
    assert list(state.work.left(REGION, GROUP, names)) == names


def test_works_know_nothing_of_each_other_and_each_group_is_held_once(state: State) -> None:
    state.work.commit([of("s")])
    with Checkpoints(state.path) as others:
        other = others.log_work("another account's logs")
        assert other.left(REGION, GROUP, ["s"]) == {}
        other.left(REGION, GROUP, [])
        other.commit([of("s", 7), GroupListed(REGION, GROUP)])
        assert state.work.hold(REGION, GROUP)
        assert state.work.hold(REGION, GROUP)
        with others.log_work("logs") as same:
            assert not same.hold(REGION, GROUP)
            assert same.hold(REGION, "/aws/lambda/y")
            assert same.hold("us-east-1", GROUP)
            assert not state.work.hold(REGION, "/aws/lambda/y")
        assert state.work.hold(REGION, "/aws/lambda/y")
        with pytest.raises(AlreadyRunning, match="another process"):
            others.forgetting("logs")
    assert state.work.left(REGION, GROUP, ["s"]) == {"s": [of("s")]}


def test_a_closed_work_cannot_be_written_to(state: State) -> None:
    state.work.close()
    with pytest.raises(StateError, match="logs was closed before"):
        state.work.commit([of("s")])
