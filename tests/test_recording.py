"""Recording: what a run tells the history, now and then, and at its end, whatever that is."""

from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli.ending import Stop
from awsflow.cli.recording import Recording, recorded
from awsflow.errors import AlreadyRunning, ArgumentsError, QueueDown, ReaderGone, ServiceError, StateError
from awsflow.flow import Flow, Stats
from awsflow.items import Barrier, Item, Origin, Record
from awsflow.sinks import NdjsonFile
from awsflow.state.history import History, Past

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Ticking:
    """A clock that goes on by a second whenever somebody looks."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


class Waiting:
    """A source of barriers with events, of which some always wait."""

    def __init__(self, *items: Item, waiting: int | None = 5) -> None:
        self._items = items
        self._waiting = waiting

    def items(self) -> Generator[Item, None, None]:
        yield from self._items

    def commit(self, positions: Sequence[Any]) -> None: ...

    def close(self) -> None: ...

    def backlog(self) -> int | None:
        return self._waiting


def pasts(path: Path) -> list[Past]:
    with History(path) as history:
        return history.sources()


def recording(path: Path | None, warned: list[str] | None = None, **options: Any) -> Recording:
    told = [] if warned is None else warned
    return Recording("a", path, warn=told.append, now=lambda: NOON, **options)


def test_a_run_is_told_at_its_end_with_its_figures_its_lag_and_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    run = recording(path)
    with recorded(run, Stop()):
        run.watch(
            Stats(sent=3, seconds=2.5, newest="2026-11-23T11:59:00Z", newest_object="2026-11-23T11:30:00Z"), Waiting()
        )
    (past,) = pasts(path)
    assert (past.sent, past.seconds, past.exit_code, past.lag, past.backlog) == (3, 2.5, 0, 60.0, 5)
    assert past.newest_object == (NOON - timedelta(minutes=30)).timestamp()


def test_where_events_tell_no_time_the_lag_is_that_of_the_newest_object(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    run = recording(path)
    with recorded(run, Stop()):
        run.watch(Stats(newest_object="2026-11-23T11:30:00Z"), Waiting(waiting=None))
    (past,) = pasts(path)
    assert (past.lag, past.newest_event, past.backlog) == (1800.0, None, None)


@pytest.mark.parametrize("newest", ["9999-01-01T00:00:00Z", "yesterday", "2026-11-23T14:00:00Z"])
def test_a_time_that_is_none_or_lies_in_the_future_is_not_believed(tmp_path: Path, newest: str) -> None:
    path = tmp_path / "state.db"
    run = recording(path)
    with recorded(run, Stop()):
        run.watch(Stats(newest=newest), Waiting())
    assert (pasts(path)[0].newest_event, pasts(path)[0].lag) == (None, None)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ServiceError("listing s3://a/:\n denied"), 7, "listing s3://a/: denied"),
        (ReaderGone("reader"), 141, ""),
        (KeyboardInterrupt(), 2, ""),
        (ZeroDivisionError("by zero"), 1, "unknown error: ZeroDivisionError: by zero"),
        (QueueDown("nobody listens"), 11, "nobody listens"),
    ],
)
def test_a_run_that_breaks_off_is_told_with_its_exit_code(
    tmp_path: Path, error: BaseException, code: int, told: str
) -> None:
    path = tmp_path / "state.db"
    History(path).close()
    run = recording(path)
    run.watch(Stats(sent=1), Waiting())
    with pytest.raises(type(error)), recorded(run, Stop()):
        raise error
    (past,) = pasts(path)
    assert (past.exit_code, past.error, past.broken, past.sent) == (code, told, int(bool(told)), 1)


def test_a_run_that_leaves_to_another_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunning), recorded(recording(tmp_path / "state.db"), Stop()):
        raise AlreadyRunning("it runs")
    assert list(tmp_path.iterdir()) == []


def test_what_was_mistyped_is_no_news_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with recorded(recording(path), Stop()):
        pass
    with pytest.raises(ArgumentsError), recorded(recording(path), Stop()):
        raise ArgumentsError("'x': give a number")
    with History(path) as history:
        (past,) = history.sources()
    assert (past.runs, past.broken, past.exit_code) == (1, 0, 0)


def test_an_error_before_there_is_a_state_makes_none(tmp_path: Path) -> None:
    with pytest.raises(ServiceError), recorded(recording(tmp_path / "state.db"), Stop()):
        raise ServiceError("denied")
    assert list(tmp_path.iterdir()) == []


def test_without_a_state_nothing_is_told_anywhere(tmp_path: Path) -> None:
    with recorded(recording(None), Stop()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_history_that_cannot_be_written_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    warned: list[str] = []
    run = recording(tmp_path / "state.db", warned)
    with recorded(run, Stop()):
        run.tell()
    (told,) = warned
    assert "this is a folder" in told
    assert "what became of a is missing" in told


def test_an_error_of_the_state_is_not_told_twice(tmp_path: Path) -> None:
    warned: list[str] = []
    with pytest.raises(StateError), recorded(recording(tmp_path / "state.db", warned), Stop()):
        raise StateError("damaged")
    assert warned == []


def test_a_run_that_stays_tells_of_itself_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    run = recording(path, every=20.0, clock=Ticking())
    seen: list[tuple[int | None, int]] = []
    stop: Callable[[], bool] = run.stopping(lambda: False)

    def look() -> bool:
        stopped = stop()
        if path.exists():
            seen.extend((past.exit_code, past.sent) for past in pasts(path))
        return stopped

    items: list[Item] = []
    for number in range(1, 61):
        items += [Record({"n": number}, Origin(), number), Barrier(number, read=1)]
    source = Waiting(*items)
    flow = Flow(source, stop=look, clock=Ticking())
    run.watch(flow.stats, source)
    with recorded(run, Stop()):
        flow.to(NdjsonFile(tmp_path / "events")).run()
    codes = {code for code, _ in seen}
    assert codes == {None}
    assert len({sent for _, sent in seen}) > 1
    (past,) = pasts(path)
    assert (past.sent, past.read, past.runs, past.exit_code) == (60, 60, 1, 0)


def test_the_lag_is_that_of_the_delivery_and_does_not_grow_while_nothing_new_comes(tmp_path: Path) -> None:
    path, times = tmp_path / "state.db", [NOON]
    run = Recording("a", path, warn=lambda text: None, now=lambda: times[0])
    with recorded(run, Stop()):
        run.watch(Stats(sent=1, newest="2026-11-23T11:59:00Z"), Waiting())
        run.tell()
        times[0] += timedelta(hours=1)
    assert pasts(path)[0].lag == 60.0
    run.stats.newest = "2026-11-23T12:59:30Z"
    run.tell(0)
    assert pasts(path)[0].lag == 30.0
