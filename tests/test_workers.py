"""Workers: the same events, the same numbers and the same promise as with one process, whoever is killed."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from awsflow import Flow
from awsflow.errors import ArgumentsError, DecodeError, WorkerDied
from awsflow.items import Found, Item
from awsflow.sinks import NdjsonFile, WazuhSocket
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sources import CloudWatchLogs, LocalFiles, S3Bucket
from awsflow.state.positions import ObjectPosition
from awsflow.worker import YIELDS
from tests.conftest import Aws
from tests.test_delivery import BATCH, put_objects, wodle
from tests.wazuh import Wazuh

DAY = date(2026, 11, 1)
both = pytest.mark.parametrize("workers", [1, 3])


def put_files(folder: Path, files: int, events: int) -> None:
    """Files of JSON lines, with numbered events."""
    folder.mkdir()
    for number in range(files):
        lines = (json.dumps({"file": number, "event": event}) for event in range(events))
        (folder / f"{number:03}.jsonl").write_text("\n".join(lines))


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line)["aws"] for line in path.read_bytes().splitlines()]


@both
def test_every_event_arrives_once_and_those_of_an_object_in_their_order(tmp_path: Path, workers: int) -> None:
    put_files(tmp_path / "logs", 20, 150)
    flow = Flow(LocalFiles(tmp_path / "logs", log_type="custom", format="jsonl")).to(
        NdjsonFile(tmp_path / "out", wait=30)
    )
    assert flow.run(workers).sent == 3000
    events = lines_of(tmp_path / "out")
    for number in range(20):
        assert [event["event"] for event in events if event["file"] == number] == list(range(150))
    assert len(events) == 3000


@both
def test_what_a_run_came_to_is_told_as_by_one_process(tmp_path: Path, workers: int) -> None:
    put_files(tmp_path / "logs", 6, 100)
    (tmp_path / "logs" / "bad.jsonl").write_bytes(b'{"file": 7, "event": 0}\n{oops}\n')
    (tmp_path / "logs" / "worse.jsonl.gz").write_bytes(gzip.compress(b'{"file": 8}\n' * 50)[:-12])
    source = LocalFiles(tmp_path / "logs", log_type="custom", format="jsonl", skip_on_error=True)
    told: list[str] = []
    with closing(DeadLetters(tmp_path / "letters", lambda failure: told.append(failure.origin.key))) as letters:
        flow = Flow(source, failures=letters).discard("file", "x").filter(lambda event: event.get("event") != 5)
        stats = flow.to(NdjsonFile(tmp_path / "out", wait=30)).run(workers)
    assert (stats.discarded, stats.failed, stats.objects) == (6, 2, 7)
    assert stats.read == stats.sent + stats.discarded + 1  # the bad line
    assert stats.bytes_in == sum(file.stat().st_size for file in (tmp_path / "logs").iterdir())
    assert stats.bytes_out == (tmp_path / "out").stat().st_size - stats.sent  # line breaks
    assert sorted(map(os.path.basename, told)) == ["bad.jsonl", "worse.jsonl.gz"]
    assert json.loads((tmp_path / "letters").read_bytes())["content"] == "{oops}"
    assert source.objects_by_type == {"custom": 7}


@both
def test_an_object_that_cannot_be_read_ends_the_run_and_what_was_flushed_is_committed(
    aws: Aws, tmp_path: Path, workers: int
) -> None:
    ids = put_objects(aws, 12, 50)
    folder = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/"
    key = f"{folder}123456789012_CloudTrail_eu-west-1_20261120T0005Z_x.json.gz"
    good = aws.client("s3").get_object(Bucket="trail", Key=key)["Body"].read()
    aws.client("s3").put_object(Bucket="trail", Key=key, Body=gzip.compress(b'{"Records": [oops'))

    def source() -> S3Bucket:
        return S3Bucket("trail", state=tmp_path / "db", access=aws.access, only_after=DAY)

    with Wazuh(tmp_path) as wazuh:
        with pytest.raises(DecodeError, match="T0005Z"):
            Flow(source()).to(WazuhSocket(wazuh.path)).run(workers)
        before = [event["aws"]["eventID"] for event in wazuh.events()]
        aws.client("s3").put_object(Bucket="trail", Key=key, Body=good)
        Flow(source()).to(WazuhSocket(wazuh.path)).run(workers)
        seen = Counter(event["aws"]["eventID"] for event in wazuh.events())
    if workers == 1:  # several stop wherever they are, when one of them meets something bad
        assert {id_.partition(".")[0] for id_ in before} == {"0", "1", "2", "3", "4"}
    assert seen == Counter(ids)


def children_of(process: "subprocess.Popen[bytes]") -> list[int]:
    """The processes' numbers."""
    return [int(number) for number in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_alive(number: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def started(aws: Aws, wazuh: Wazuh, *flags: str) -> "subprocess.Popen[bytes]":
    """A run with three workers that has begun to deliver."""
    before = len(wazuh.bodies)
    command = wodle(aws, wazuh, "--workers", "3", *flags)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while len(wazuh.bodies) < before + 100 and process.poll() is None:
        time.sleep(0.001)
    return process


def kill_one(process: "subprocess.Popen[bytes]") -> int:
    os.kill(children_of(process)[0], signal.SIGKILL)
    return 1


def kill_all_workers(process: "subprocess.Popen[bytes]") -> int:
    children = children_of(process)
    for child in children:
        os.kill(child, signal.SIGKILL)
    return len(children)


def kill_the_coordinator(process: "subprocess.Popen[bytes]") -> int:
    children = children_of(process)
    process.kill()
    until = time.monotonic() + 30
    while any(map(is_alive, children)):
        assert time.monotonic() < until
        time.sleep(0.02)
    return len(children)


@pytest.mark.parametrize("kill", [kill_one, kill_all_workers, kill_the_coordinator])
def test_whoever_is_killed_no_event_is_lost_and_a_kill_repeats_a_batch_of_each_worker_at_most(
    aws: Aws, tmp_path: Path, kill: Callable[["subprocess.Popen[bytes]"], int]
) -> None:
    ids = put_objects(aws, 60, 700)
    with Wazuh(tmp_path) as wazuh:
        process = started(aws, wazuh)
        assert process.poll() is None
        killed = kill(process)
        output, _ = process.communicate(timeout=100)
        code = process.returncode
        if kill is kill_one:
            assert (code, output) == (0, b"")
        elif kill is kill_all_workers:
            assert code == WorkerDied.exit_code
            assert output.startswith(b"ERROR: ")
            assert b"s3://trail/" in output
        again = subprocess.run(wodle(aws, wazuh, "--workers", "3"), capture_output=True, check=False, timeout=100)
        assert (again.returncode, again.stdout) == (0, b"")
        seen = Counter(event["aws"]["eventID"] for event in wazuh.events())
    assert set(ids) - set(seen) == set()
    assert sum(seen.values()) - len(ids) <= killed * BATCH


def test_workers_end_with_their_coordinator_also_while_they_wait_for_the_pace_and_the_next_run_goes_on(
    aws: Aws, tmp_path: Path
) -> None:
    put_objects(aws, 6, 200)
    with Wazuh(tmp_path) as wazuh:
        process = subprocess.Popen(wodle(aws, wazuh, "--workers", "3", "--max-eps", "2"))
        wazuh.wait_for(4)
        kill_the_coordinator(process)
        process.wait()
        again = subprocess.run(wodle(aws, wazuh, "--workers", "3"), capture_output=True, check=False, timeout=100)
        assert (again.returncode, again.stdout) == (0, b"")
        assert len({event["aws"]["eventID"] for event in wazuh.events()}) == 1200


def test_what_is_of_a_later_day_than_something_undone_is_committed_too(aws: Aws, tmp_path: Path) -> None:
    ids = put_objects(aws, 1, 30_000)
    s3 = aws.client("s3")
    folder = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/21/"
    for number in range(40):
        of_object = [f"later {number}.{event}" for event in range(400)]
        document = json.dumps({"Records": [{"eventID": id_, "filling": "x" * 200} for id_ in of_object]})
        key = f"{folder}123456789012_CloudTrail_eu-west-1_20261121T00{number:02}Z_x.json.gz"
        s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(document.encode(), 1))
        ids += of_object
    with Wazuh(tmp_path) as wazuh:
        process = started(aws, wazuh)
        while len(wazuh.bodies) < 20_000 and process.poll() is None:
            time.sleep(0.001)
        assert process.poll() is None
        kill_the_coordinator(process)
        process.communicate(timeout=100)
        again = subprocess.run(wodle(aws, wazuh, "--workers", "3"), capture_output=True, check=False, timeout=100)
        assert (again.returncode, again.stdout) == (0, b"")
        seen = Counter(event["aws"]["eventID"] for event in wazuh.events())
    assert set(ids) - set(seen) == set()
    assert sum(seen.values()) - len(ids) <= 3 * BATCH


def test_a_worker_sends_nothing_more_until_what_it_sent_is_committed(tmp_path: Path) -> None:
    put_files(tmp_path / "logs", 6, 5000)
    uncommitted: list[int] = []

    class Slow(LocalFiles):
        def commit(self, positions: Sequence[Any]) -> None:
            time.sleep(0.2)  # enough for many batches
            uncommitted.append(len(wazuh.bodies) - sum(committed.values()))
            for position in positions:
                if isinstance(position, ObjectPosition):
                    committed[position.found.origin.key] = position.records
            super().commit(positions)

    committed: dict[str, int] = {}
    with Wazuh(tmp_path / "home") as wazuh:
        source = Slow(tmp_path / "logs", log_type="custom", format="jsonl")
        assert Flow(source).to(WazuhSocket(wazuh.path)).run(2).sent == 30_000
    assert len(uncommitted) > 10
    assert max(uncommitted) <= 2 * BATCH


def test_what_reading_takes_is_loaded_once_for_all_workers(tmp_path: Path) -> None:
    put_files(tmp_path / "logs", 4, 10)
    loaded: list[int] = []

    class Loading(LocalFiles):
        def load(self) -> None:
            loaded.append(os.getpid())

        def read(self, found: Iterator[Found | None], share: int = 1) -> Generator[Item, None, None]:
            assert os.getpid() not in loaded
            assert os.getppid() in loaded
            yield from super().read(found, share)

    source = Loading(tmp_path / "logs", log_type="custom", format="jsonl")
    assert Flow(source).to(NdjsonFile(tmp_path / "out", wait=30)).run(2).sent == 40
    assert loaded == [os.getpid()]


def test_the_coordinator_goes_before_its_workers(aws: Aws, tmp_path: Path) -> None:
    put_objects(aws, 6, 200)
    with Wazuh(tmp_path) as wazuh:
        process = started(aws, wazuh, "--max-eps", "200")
        own = os.getpriority(os.PRIO_PROCESS, process.pid)
        of_workers = {os.getpriority(os.PRIO_PROCESS, child) for child in children_of(process)}
        process.terminate()
        process.communicate(timeout=100)
    assert {min(own + YIELDS, 19)} == of_workers


def test_what_is_told_without_events_lets_no_worker_run_ahead(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    events = (json.dumps({"event": event, "drop": BATCH <= event < BATCH + 300}) for event in range(12_000))
    (tmp_path / "logs" / "a.jsonl").write_text("\n".join(events))
    (tmp_path / "logs" / "b.jsonl").write_text('{"event": -1, "drop": false}')
    uncommitted: list[int] = []

    class Slow(LocalFiles):
        def commit(self, positions: Sequence[Any]) -> None:
            time.sleep(1.5 if len(uncommitted) < 4 else 0.1)
            uncommitted.append(len(wazuh.bodies) - sum(committed.values()))
            for position in positions:
                if isinstance(position, ObjectPosition):
                    dropped = min(max(position.records - BATCH, 0), 300)
                    committed[position.found.origin.key] = position.records - dropped
            super().commit(positions)

    def keep(event: dict[str, Any]) -> bool:
        if event["drop"]:
            time.sleep(0.012)  # so that time passes in which nothing is sent
        return not event["drop"]

    committed: dict[str, int] = {}
    with Wazuh(tmp_path / "home") as wazuh:
        flow = Flow(Slow(tmp_path / "logs", log_type="custom", format="jsonl")).filter(keep)
        assert flow.to(WazuhSocket(wazuh.path)).run(2).sent == 11_701
    assert max(uncommitted) <= BATCH + 1


def test_asked_to_stop_the_workers_flush_and_nothing_is_repeated(aws: Aws, tmp_path: Path) -> None:
    ids = put_objects(aws, 60, 700)
    with Wazuh(tmp_path) as wazuh:
        process = started(aws, wazuh)
        for one in (process.pid, *children_of(process)):  # as a terminal and systemd do: all of them
            os.kill(one, signal.SIGTERM)
        output, _ = process.communicate(timeout=100)
        assert (process.returncode, output) == (143, b"")
        arrived = len(wazuh.events())
        again = subprocess.run(wodle(aws, wazuh, "--workers", "3"), capture_output=True, check=False, timeout=100)
        assert (again.returncode, again.stdout) == (0, b"")
        seen = Counter(event["aws"]["eventID"] for event in wazuh.events())
    assert 0 < arrived < len(ids)
    assert seen == Counter(ids)


def test_a_reader_that_goes_ends_a_run_with_workers_quietly(tmp_path: Path) -> None:
    put_files(tmp_path / "logs", 30, 3000)
    ended = subprocess.run(  # noqa: S602 - the shell's pipe is what is tested
        f"{sys.executable} -m awsflow replay {tmp_path}/logs --type custom --format jsonl --workers 3 | head -1",
        shell=True,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (json.loads(ended.stdout)["aws"]["event"], ended.stderr) == (0, b"")


def test_a_source_that_has_no_objects_cannot_be_divided() -> None:
    source = CloudWatchLogs(["a"], regions=("eu-west-1",))
    with pytest.raises(ArgumentsError, match="CloudWatchLogs"):
        Flow(source).to(WazuhSocket("/nowhere")).run(2)


def test_workers_keep_one_pace_together(tmp_path: Path) -> None:
    put_files(tmp_path / "logs", 12, 10)
    with Wazuh(tmp_path / "home") as wazuh:
        since = time.monotonic()
        sink = WazuhSocket(wazuh.path, max_eps=40)
        stats = Flow(LocalFiles(tmp_path / "logs", log_type="custom", format="jsonl")).to(sink).run(3)
        assert time.monotonic() - since >= (120 - 40) / 40  # the first second's worth goes at once
        assert stats.sent == len(wazuh.take()) == 120


def test_what_a_worker_leaves_behind_when_there_is_nothing_more_to_find_is_read_by_another(tmp_path: Path) -> None:
    put_files(tmp_path / "logs", 2, 250)
    with Wazuh(tmp_path / "home") as wazuh:
        command = [sys.executable, "-m", "awsflow", "replay", str(tmp_path / "logs"), "--type", "custom"]
        command += ["--format", "jsonl", "--workers", "2", "--max-eps", "100", "--to", f"wazuh:{wazuh.path}"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wazuh.wait_for(1)
        os.kill(children_of(process)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=100)
        seen = {(event["aws"]["file"], event["aws"]["event"]) for event in wazuh.events()}
    assert (process.returncode, len(seen)) == (0, 500), errors


def test_workers_that_file_large_events_while_others_wait_for_the_pace_do_not_wait_for_one_another(
    tmp_path: Path,
) -> None:
    put_files(tmp_path / "logs", 3, 20)
    for file in (tmp_path / "logs").iterdir():
        file.write_text(json.dumps({"large": "x" * 70_000}) + "\n" + file.read_text())
    with (
        Wazuh(tmp_path / "home") as wazuh,
        closing(DeadLetters(tmp_path / "letters", wait=0.5)) as letters,
    ):
        sink = WazuhSocket(wazuh.path, max_eps=10, oversized=letters.oversized)
        source = LocalFiles(tmp_path / "logs", log_type="custom", format="jsonl")
        assert Flow(source, failures=letters).to(sink).run(3).sent == 63
    assert len((tmp_path / "letters").read_bytes().splitlines()) == 3
