"""The history: the last run of each source, totals that go on, figures by the hour, 30 days of them."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import StateError
from awsflow.flow import Stats
from awsflow.state.history import HOURS, History, Told
from awsflow.state.schema import MIGRATIONS, migrate

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TRAIL = "cloudtrail s3://trail/"


def keep(path: Path, told: Told, when: datetime = NOON) -> None:
    with History(path, now=lambda: when) as history:
        history.add(told)


def run(**figures: Any) -> Told:
    return Told(TRAIL, NOON.timestamp() - 5, Stats(**figures, seconds=5.0), Stats(), exit_code=0)


def test_totals_go_on_from_run_to_run_and_the_last_run_is_told_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    keep(path, run(read=12, sent=10, discarded=2, objects=1, bytes_in=100, bytes_out=200))
    keep(path, run(read=5, sent=4, failed=1, objects=1, bytes_in=50, bytes_out=60), NOON + timedelta(minutes=10))
    with History(path) as history:
        (past,) = history.sources()
    assert (past.name, past.runs, past.broken, past.exit_code, past.error) == (TRAIL, 2, 0, 0, "")
    assert (past.read, past.sent, past.discarded, past.failed, past.objects) == (17, 14, 2, 1, 2)
    assert (past.bytes_in, past.bytes_out, past.seconds) == (150, 260, 10.0)
    assert (past.last_sent, past.last_failed) == (4, 1)
    assert past.told == past.well == (NOON + timedelta(minutes=10)).timestamp()


def test_a_run_that_tells_now_and_then_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first, second = Stats(sent=10, objects=1), Stats(sent=25, objects=3)
    with History(path, now=lambda: NOON) as history:
        history.add(Told(TRAIL, 0.0, first, Stats()))
        (past,) = history.sources()
        assert (past.runs, past.sent, past.exit_code, past.well) == (0, 10, None, None)
        history.add(Told(TRAIL, 0.0, second, first, exit_code=0))
        (past,) = history.sources()
        assert (past.runs, past.sent, past.objects, past.last_sent, past.exit_code) == (1, 25, 3, 25, 0)


def test_an_error_is_kept_until_a_run_ends_well_and_when_one_did_last_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    keep(path, run(sent=1))
    keep(path, Told(TRAIL, 0.0, Stats(), Stats(), 7, "x" * 10_000), NOON + timedelta(hours=1))
    with History(path) as history:
        (past,) = history.sources()
        assert (past.runs, past.broken, past.exit_code, past.error) == (2, 1, 7, "x" * 500)
        assert past.well == NOON.timestamp()
    keep(path, run(sent=1), NOON + timedelta(hours=2))
    with History(path) as history:
        assert history.sources()[0].error == ""


def test_what_a_run_does_not_know_stays_as_it_was_and_the_newest_stays_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    knows = {"newest_event": 100.0, "newest_object": 90.0, "lag": 7.0, "backlog": 3}
    keep(path, Told(TRAIL, 0.0, Stats(), Stats(), 0, **knows))  # type: ignore[arg-type] # one mapping of three types
    keep(path, Told(TRAIL, 0.0, Stats(), Stats(), 0))
    keep(path, Told(TRAIL, 0.0, Stats(), Stats(), 0, newest_event=50.0))
    with History(path) as history:
        (past,) = history.sources()
    assert {name: getattr(past, name) for name in knows} == knows
    keep(path, Told(TRAIL, 0.0, Stats(), Stats(), 0, newest_event=101.0, backlog=0))
    with History(path) as history:
        (past,) = history.sources()
    assert (past.newest_event, past.newest_object, past.backlog) == (101.0, 90.0, 0)


def test_figures_are_kept_by_the_hour_the_largest_lag_of_each_and_its_last_backlog(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for minute, sent, lag, backlog in ((0, 5, 30.0, 2), (20, 7, 10.0, 1), (59, 0, None, None), (61, 1, None, None)):
        told = Told(TRAIL, 0.0, Stats(sent=sent), Stats(), 0, lag=lag, backlog=backlog)
        keep(path, told, NOON + timedelta(minutes=minute))
    noon = int(NOON.timestamp()) // 3600
    with History(path, now=lambda: NOON + timedelta(hours=2)) as history:
        hours = list(history.hours(TRAIL))
        assert list(history.hours("nobody")) == []
    assert [(hour.hour, hour.runs, hour.sent, hour.lag, hour.backlog) for hour in hours] == [
        (noon, 3, 12, 30.0, 1),
        (noon + 1, 1, 1, None, None),
    ]


def test_thirty_days_are_kept_and_no_more_however_often_runs_tell(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    times = [NOON]
    with closing(History(path, now=lambda: times[0])) as history:
        for _ in range(HOURS + 100):
            history.add(run(sent=1))
            times[0] += timedelta(hours=1)
        assert len(list(history.hours(TRAIL))) == HOURS - 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM history_hours").fetchone() == (HOURS,)


def test_a_source_that_has_not_run_for_thirty_days_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    keep(path, Told("old", 0.0, Stats(), Stats(), 0))
    keep(path, run(), NOON + timedelta(days=31))
    with History(path) as history:
        assert [past.name for past in history.sources()] == [TRAIL]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM history_hours").fetchone() == (1,)


def test_a_database_of_version_2_gets_a_history_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, MIGRATIONS[:2])
        connection.execute("INSERT INTO works VALUES (1, 'w', 7, 8)")
    keep(path, run(sent=1))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM works").fetchall() == [(1, "w", 7, 8)]


def test_several_runs_tell_at_the_same_time_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "state.db"

    def tell() -> None:
        for _ in range(10):
            keep(path, run(sent=1))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with History(path) as history:
        assert history.sources()[0].sent == 40


def test_a_history_that_cannot_be_written_raises_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "state.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StateError, match="symbolic link"):
        History(tmp_path / "state.db")


@settings(deadline=None, max_examples=25)  # each is written to a disk
@given(name=st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable()))
def test_any_name_comes_back(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / "names.db"
    keep(path, Told(name, 0.0, Stats(), Stats(), 0))
    with History(path) as history:
        assert name in [past.name for past in history.sources()]
