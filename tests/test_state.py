"""`awsflow state`: what is remembered is shown, and forgotten when asked for."""

import json
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli import state
from awsflow.flow import Stats
from awsflow.items import Found, Origin
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.history import History, Told
from awsflow.state.positions import LogPosition, ObjectPosition, ScanPosition
from tests.commands import awsflow

TRAIL = "cloudtrail s3://trail/AWSLogs/"
REGION = "AWSLogs/123456789012/CloudTrail/eu-west-1/"
OTHER = "AWSLogs/123456789012/CloudTrail/us-east-1/"


def at(stream: str, key: str, **more: Any) -> ObjectPosition:
    found = Found(Origin("trail", stream + key), 1, "0f", stream, date(2026, 11, 23))
    return ObjectPosition(found, **{"records": 7, "finished": True, **more})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    with Checkpoints(path, now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC)) as checkpoints:
        work = checkpoints.work(TRAIL)
        work.commit([at(REGION, "a"), at(REGION, "b"), at(OTHER, "c")], remove=True)
        work.commit([at(REGION, "half", finished=False), at(REGION, "bad", finished=False, error="broken")])
        logs = checkpoints.log_work("cloudwatchlogs")
        logs.commit([LogPosition("eu-west-1", "/g", f"s{number:02}", 1000, 2000) for number in range(12)])
        logs.commit([LogPosition("eu-west-1", "/h", "s", 0, 500, until=1000)])
        checkpoints.scan_work("inspector").commit([ScanPosition("inspector2", "eu-west-1", 3000)])
    return path


def shown(path: Path, capfd: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    capfd.readouterr()
    assert state.main(["show", "--state", str(path), "--json", *more]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def forget(path: Path, *more: str) -> int:
    return state.main(["forget", "--state", str(path), *more])


def test_all_that_is_remembered_is_shown(path: Path, tmp_path: Path) -> None:
    ended = awsflow("state", "show", "--state", path, home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode().splitlines() == [
        f"{TRAIL}: first run 2026-11-23, all listed 2026-11-23, 3 objects to delete",
        f"  {REGION}: newest 2026-11-23, 4 objects of 2026-11-22 and later, 1 half read, 1 on the failures list",
        f"    half read: {REGION}half: 7 records done",
        f"  {OTHER}: newest 2026-11-23, 1 objects of 2026-11-22 and later",
        "cloudwatchlogs: first run 2026-11-23, all listed 2026-11-23",
        "  eu-west-1 /g: 12 log streams, latest event 1970-01-01T00:00:02.000Z",
        *(
            f"    s{number:02}: read from 1970-01-01T00:00:01.000Z to 1970-01-01T00:00:02.000Z"
            for number in range(state.SHOWN)
        ),
        "    ... more with --json",
        "  eu-west-1 /h: 1 log streams, latest event 1970-01-01T00:00:00.500Z",
        "    s: read from 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.500Z, and what lies before "
        "1970-01-01T00:00:01.000Z up to there",
        "inspector: first run 2026-11-23, all listed 2026-11-23",
        "  eu-west-1 inspector2: all before 1970-01-01T00:00:03.000Z",
    ]


def test_an_empty_state_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forget(path, "*")
    capsys.readouterr()
    assert state.main(["show", "--state", str(path)]) == 0
    assert capsys.readouterr() == ("", f"nothing is remembered in {path}\n")


def test_in_json_each_thing_has_a_line_that_names_its_work(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    things = shown(path, capfd)
    assert all("work" in thing for thing in things)
    assert {"work": TRAIL, "stream": REGION, "key": f"{REGION}half", "records_done": 7} in things
    assert sum("log_stream" in thing for thing in things) == 13
    assert {thing["work"] for thing in shown(path, capfd, "cloud*")} == {TRAIL, "cloudwatchlogs"}
    assert {thing["work"] for thing in shown(path, capfd, TRAIL)} == {TRAIL}


def test_a_work_is_forgotten_as_a_whole_and_only_when_it_is_no_dry_run(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = shown(path, capfd)
    told = (
        f"{TRAIL}: all of it (1 failure, 5 objects, 2 streams, 3 objects to delete) {{}}\n"
        "cloudwatchlogs: all of it (13 log streams, 2 log groups) {}\n"
    )
    assert forget(path, "cloud*", "--dry-run") == 0
    assert capfd.readouterr().out == told.replace("{}", "would be forgotten")
    assert shown(path, capfd) == before
    assert forget(path, "cloud*") == 0
    assert capfd.readouterr().out == told.replace("{}", "forgotten")
    assert {thing["work"] for thing in shown(path, capfd)} == {"inspector"}


@pytest.mark.parametrize(
    ("arguments", "told", "count"),
    [
        ((TRAIL, "--stream", "*/us-east-1/"), f"{TRAIL}: 1 object, 1 stream forgotten", 1),
        ((TRAIL, "--key", "*/eu-west-1/[ab]"), f"{TRAIL}: 2 objects, 2 objects to delete forgotten", 0),
        ((TRAIL, "--key", "*", "--stream", REGION), f"{TRAIL}: 1 failure, 4 objects forgotten", 1),
        (("cloudwatchlogs", "--stream", "/g"), "cloudwatchlogs: 12 log streams, 1 log group forgotten", 13),
        (("cloudwatchlogs", "--stream", "s0*"), "cloudwatchlogs: 10 log streams forgotten", 10),
        (("inspector", "--stream", "eu-*"), "inspector: 1 scan forgotten", 1),
        (("inspector", "--stream", "us-*"), "inspector: nothing forgotten", 0),
    ],
)
def test_parts_are_forgotten_and_how_many_is_told(
    path: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str, count: int
) -> None:
    before = shown(path, capfd)
    assert forget(path, *arguments) == 0
    assert capfd.readouterr().out == told + "\n"
    assert len(before) - len(shown(path, capfd)) == count


def test_what_a_run_holds_is_not_forgotten(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = shown(path, capfd)
    with Checkpoints(path) as running:
        running.work(TRAIL)
        running.log_work("cloudwatchlogs")
        assert forget(path, "*") == 5
    told = capfd.readouterr()
    assert told.out == "inspector: all of it (1 scan) forgotten\n"
    assert f"ERROR: starting {TRAIL}: process " in told.err
    assert "starting cloudwatchlogs: another process does the same at this moment" in told.err
    assert shown(path, capfd) == [thing for thing in before if thing["work"] != "inspector"]


def test_what_is_not_there_is_told(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert state.main(["show", "--state", str(tmp_path / "none.db")]) == 5
    assert f"opening the state {tmp_path / 'none.db'}: there is none" in capfd.readouterr().err
    assert not (tmp_path / "none.db").exists()
    assert forget(path, "nobody*") == 2
    assert "forgetting nobody*: nothing goes by that" in capfd.readouterr().err
    assert state.main(["show", "nobody", "--state", str(path)]) == 2
    with closing(path.open("r+b")) as file:
        file.truncate(2000)
    assert state.main(["show", "--state", str(path)]) == 0
    assert "ERROR: opening the state" in capfd.readouterr().err


def test_who_forgets_a_source_does_not_meet_it_in_the_status_either(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with History(path) as history:
        for name in ("cloudtrail s3://trail/", "cloudtrial s3://trail/", "vpcflow s3://other/"):
            history.add(Told(name, 0.0, Stats(), Stats(), exit_code=0))
    assert forget(path, "cloudtr*", "--dry-run") == 0
    assert forget(path, TRAIL, "--stream", "none") == 0
    with History(path) as history:
        assert len(history.sources()) == 3
    capfd.readouterr()
    assert forget(path, "cloudtr* s3://trail/*") == 0
    told = capfd.readouterr().out
    assert TRAIL in told
    assert "cloudtrail s3://trail/: its history forgotten\ncloudtrial s3://trail/: its history forgotten\n" in told
    with History(path) as history:
        assert [past.name for past in history.sources()] == ["vpcflow s3://other/"]
