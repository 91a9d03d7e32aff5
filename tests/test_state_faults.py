"""The state under faults, as the scheduler's runs meet them: each with its exit code, what is said, what is sent."""

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from awsflow.state.checkpoints import Checkpoints
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

REGION = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/"
NO_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
"""What makes root heed the rights of files."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def wazuh(tmp_path: Path) -> Iterator[Wazuh]:
    with Wazuh(tmp_path / "wazuh") as listening:
        yield listening


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    return client


@pytest.fixture
def run(aws: Aws, wazuh: Wazuh, tmp_path: Path) -> Run:
    """A run of the scheduler's command, with a state of our choice."""

    def run(state: Path, *before: str) -> "subprocess.CompletedProcess[str]":
        places = ("--state", str(state), "--wazuh-home", str(wazuh.home), "--service_endpoint", aws.url)
        dead = ("--dead-letter", str(tmp_path / "dead-letter.ndjson"))
        command = [sys.executable, "-m", "awsflow", "wodle", "--bucket", "trail", "-s", "2026-NOV-01", *places, *dead]
        env = {**CREDENTIALS, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        return subprocess.run([*before, *command], env=env, capture_output=True, text=True, check=False, timeout=120)

    return run


def put(s3: Any, *names: str) -> None:
    for name in names:
        body = gzip.compress(json.dumps({"Records": [{"eventID": name}]}).encode())
        s3.put_object(Bucket="trail", Key=REGION + name, Body=body)


def ids(wazuh: Wazuh) -> list[str]:
    return [json.loads(body)["aws"]["eventID"] for body in wazuh.take()]


def quiet(ended: "subprocess.CompletedProcess[str]") -> bool:
    return (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_damaged_state_is_set_aside_which_is_told_in_a_line_and_the_run_begins_anew_from_the_day_given(
    s3: Any, wazuh: Wazuh, tmp_path: Path, run: Run
) -> None:
    put(s3, "a", "b")
    state = tmp_path / "state.db"
    assert quiet(run(state))
    assert ids(wazuh) == ["a", "b"]
    content = bytearray(state.read_bytes())
    content[100:8000] = b"\x5a" * 7900
    state.write_bytes(content)
    ended = run(state)
    (aside,) = tmp_path.glob("state.db.corrupt-*Z")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(f"WARNING: opening the state {state}: it is damaged (")
    assert ended.stdout.endswith(
        f"it was set aside as {aside} and a new one begun, so what was delivered since the start date will be "
        "delivered again\n"
    )
    assert aside.read_bytes() == content
    assert ids(wazuh) == ["a", "b"]
    assert quiet(run(state))
    assert ids(wazuh) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk, of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], check=False).returncode:
        pytest.skip("mounting a disk takes root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)  # noqa: S607 - the system's


def fill(disk: Path) -> None:
    """Leave no space."""
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


def test_on_a_full_disk_a_run_ends_with_5_and_once_there_is_space_nothing_is_lost(
    s3: Any, wazuh: Wazuh, disk: Path, run: Run
) -> None:
    state = disk / "state.db"
    put(s3, "a")
    assert quiet(run(state))
    fill(disk)
    put(s3, "b")
    ended = run(state)
    assert (ended.returncode, ended.stderr) == (5, "")
    assert ended.stdout.startswith("ERROR: ")
    assert f"the state {state}: " in ended.stdout
    assert "; free some space on its disk" in ended.stdout or "; look at its disk: is it full" in ended.stdout
    (disk / "filler").unlink()
    assert quiet(run(state))
    assert set(ids(wazuh)) == {"a", "b"}
    assert quiet(run(state))
    assert ids(wazuh) == []


def test_where_the_state_cannot_even_be_made_for_want_of_space_a_run_ends_with_6_and_sends_nothing(
    s3: Any, wazuh: Wazuh, disk: Path, run: Run
) -> None:
    put(s3, "a")
    fill(disk)
    ended = run(disk / "state.db")
    assert (ended.returncode, ended.stderr) == (6, "")
    assert f"ERROR: s3://trail/: opening the state {disk / 'state.db'}: " in ended.stdout
    assert ids(wazuh) == []


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write anywhere")
def test_in_a_folder_or_file_that_may_not_be_written_to_a_run_ends_with_6_or_5_and_sends_nothing(
    s3: Any, wazuh: Wazuh, tmp_path: Path, run: Run
) -> None:
    put(s3, "a")
    before = NO_RIGHTS if os.geteuid() == 0 else ()
    folder = tmp_path / "folder"
    folder.mkdir(0o500)
    ended = run(folder / "state.db", *before)
    assert (ended.returncode, ended.stderr) == (6, "")
    assert f"ERROR: s3://trail/: opening the state {folder / 'state.db'}: Permission denied" in ended.stdout
    assert "let this user write to the file and its folder, or give another place" in ended.stdout
    assert ids(wazuh) == []
    folder.chmod(0o700)
    assert quiet(run(folder / "state.db", *before))
    assert ids(wazuh) == ["a"]
    put(s3, "b")
    for file in folder.iterdir():
        file.chmod(0o400)
    ended = run(folder / "state.db", *before)
    assert (ended.returncode, ended.stderr) == (5, "")
    assert "let this user write to the file and its folder" in ended.stdout
    for file in folder.iterdir():
        file.chmod(0o600)
    assert quiet(run(folder / "state.db", *before))
    assert set(ids(wazuh)) == {"b"}


def test_a_state_of_a_newer_version_ends_with_5_and_stays_as_it_is(
    s3: Any, wazuh: Wazuh, tmp_path: Path, run: Run
) -> None:
    put(s3, "a")
    state = tmp_path / "state.db"
    assert quiet(run(state))
    with closing(sqlite3.connect(state)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = state.read_bytes()
    ended = run(state)
    assert (ended.returncode, ended.stderr) == (5, "")
    assert f"ERROR: s3://trail/: opening the state {state}: a newer awsflow wrote it (schema version 99" in ended.stdout
    assert state.read_bytes() == content
    assert ids(wazuh) == ["a"]


def test_a_link_in_the_place_of_the_state_or_of_its_lock_is_not_followed(
    s3: Any, wazuh: Wazuh, tmp_path: Path, run: Run
) -> None:
    put(s3, "a")
    target = tmp_path / "target"
    target.write_text("precious")
    for name in ("state.db", "other.db.lock"):
        (tmp_path / name).symlink_to(target)
        ended = run(tmp_path / name.removesuffix(".lock"))
        assert ended.returncode in (5, 6)
        assert ended.stdout.startswith("ERROR: s3://trail/: opening the state ")
    assert target.read_text() == "precious"
    assert ids(wazuh) == []


def test_streams_and_groups_that_were_deleted_are_forgotten_and_a_group_of_that_name_begins_anew(
    aws: Aws, tmp_path: Path
) -> None:
    logs = aws.client("logs")

    def say(group: str, stream: str, message: str) -> None:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": int(time.time() * 1000), "message": message}]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    def read() -> tuple[int, list[str]]:
        named = ("--log-group", "/a", "--log-group", "/b", "--region", "us-east-1", "--state", tmp_path / "state.db")
        ended = awsflow("service", "cloudwatchlogs", *named, "--endpoint-url", aws.url, home=tmp_path)
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]

    def remembered() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(tmp_path / "state.db")) as connection:
            return connection.execute(
                "SELECT log_groups.name, log_streams.name FROM log_groups LEFT JOIN log_streams ON log_group = id "
                "ORDER BY 1, 2"
            ).fetchall()

    for group in ("/a", "/b"):
        logs.create_log_group(logGroupName=group)
        say(group, "old", "one")
        say(group, "new", "two")
    code, messages = read()
    assert (code, sorted(messages)) == (0, ["one", "one", "two", "two"])
    assert remembered() == [("/a", "new"), ("/a", "old"), ("/b", "new"), ("/b", "old")]
    logs.delete_log_stream(logGroupName="/a", logStreamName="old")
    logs.delete_log_group(logGroupName="/b")
    assert read() == (16, [])  # one is missing, which is told
    assert remembered() == [("/a", "new")]
    logs.create_log_group(logGroupName="/b")
    say("/b", "old", "three")
    assert read() == (0, ["three"])
    assert remembered() == [("/a", "new"), ("/b", "old")]


def test_a_log_group_that_another_run_reads_is_left_to_it_and_told_and_the_others_are_read(
    aws: Aws, tmp_path: Path
) -> None:
    logs = aws.client("logs")
    for group in ("/a", "/b", "/c"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
        events = [{"timestamp": int(time.time() * 1000), "message": group}]
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)

    def read(*groups: str) -> tuple[int, list[str], str]:
        named = [word for group in groups for word in ("--log-group", group)]
        places = ("--region", "us-east-1", "--endpoint-url", aws.url, "--state", tmp_path / "state.db")
        ended = awsflow("service", "cloudwatchlogs", *named, *places, home=tmp_path)
        return ended.returncode, sorted(map(json.loads, ended.stdout.splitlines())), ended.stderr.decode()

    with Checkpoints(tmp_path / "state.db") as another:
        work = another.log_work("cloudwatchlogs")
        assert work.hold("us-east-1", "/b")
        told = (
            "WARNING: reading the log group /b in us-east-1: another run does so at this moment, and it is left to "
            "that one\n"
        )
        assert read("/b", "/c") == (0, ["/c"], told)
        assert read("/a") == (0, ["/a"], "")
        assert read("/b") == (0, [], told)
    assert read("/a", "/b", "/c") == (0, ["/b"], "")
