"""Asked to stop, a run ends soon and in good order, wherever it happens to be; the next one goes on behind it."""

import gzip
import json
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.answers import Answering
from tests.conftest import Aws
from tests.wazuh import HEADER, Wazuh

IN_TIME = 10.0
"""Seconds."""
BATCH = 1000
"""Events of a flush batch: what an end without a commit may repeat at most."""
EVENTS = 30_000
Process: TypeAlias = "subprocess.Popen[bytes]"
Start: TypeAlias = Callable[..., Process]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture
def filled(aws: Aws) -> Aws:
    """One large object and a small one."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    for name, first, count in (("a", 0, EVENTS - 1), ("b", EVENTS - 1, 1)):
        events = [{"eventID": str(number), "filling": "x" * 300} for number in range(first, first + count)]
        key = f"AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/{name}.json.gz"
        s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(json.dumps({"Records": events}).encode(), 1))
    return aws


@pytest.fixture
def started() -> Iterator[Start]:
    """Starts the command; what is left of it at the end of a test is killed."""
    processes = []

    def start(endpoint: str, home: Path, *flags: str) -> Process:
        words = ("--bucket", "trail", "--only_logs_after", "2026-NOV-01", "--service_endpoint", endpoint)
        command = [sys.executable, "-m", "awsflow", "wodle", *words, "--wazuh-home", str(home), *flags]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def end_of(process: Process, since: float) -> tuple[int, bytes]:
    """The exit code and what was printed, if the end came in time."""
    printed, _ = process.communicate(timeout=30)
    assert time.monotonic() - since < IN_TIME
    return process.returncode, printed


@contextmanager
def deaf(home: Path) -> Iterator[socket.socket]:
    """A queue that nobody reads."""
    path = home / "queue" / "sockets" / "queue"
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as queue:
        queue.bind(str(path))
        yield queue


def wait_until_full(queue: socket.socket) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as probe:
        probe.connect(queue.getsockname())
        until = time.monotonic() + 30
        while select.select([], [probe], [], 0)[1]:
            assert time.monotonic() < until
            time.sleep(0.02)


def drained(queue: socket.socket) -> list[str]:
    """The ids of the events that lie in the queue."""
    queue.setblocking(False)
    ids = []
    while True:
        try:
            ids.append(json.loads(queue.recv(1 << 17).removeprefix(HEADER))["aws"]["eventID"])
        except BlockingIOError:
            return ids


def ids(wazuh: Wazuh) -> list[str]:
    return [json.loads(body)["aws"]["eventID"] for body in wazuh.take()]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 2)])
def test_in_the_midst_of_an_object_what_was_read_is_delivered_committed_and_never_sent_again(
    filled: Aws, tmp_path: Path, started: Start, number: signal.Signals, code: int
) -> None:
    with Wazuh(tmp_path) as wazuh:
        process = started(filled.url, wazuh.home)
        wazuh.wait_for(2000)
        process.send_signal(number)
        assert end_of(process, time.monotonic()) == (code, b"")
        before = ids(wazuh)
        assert 2000 <= len(before) < EVENTS
        assert end_of(started(filled.url, wazuh.home), time.monotonic()) == (0, b"")
        after = ids(wazuh)
    assert Counter(before) + Counter(after) == Counter(map(str, range(EVENTS)))


def test_with_a_full_queue_it_ends_in_time_without_complaint_and_nothing_is_lost(
    filled: Aws, tmp_path: Path, started: Start
) -> None:
    with deaf(tmp_path) as queue:
        process = started(filled.url, tmp_path)
        wait_until_full(queue)
        process.terminate()
        assert end_of(process, time.monotonic()) == (143, b"")
        before = drained(queue)
        assert before
    with Wazuh(tmp_path) as wazuh:
        assert end_of(started(filled.url, tmp_path), time.monotonic()) == (0, b"")
        seen = Counter(before) + Counter(ids(wazuh))
    assert set(seen) == set(map(str, range(EVENTS)))
    assert seen.total() - EVENTS <= BATCH


def test_a_second_signal_ends_it_at_once(filled: Aws, tmp_path: Path, started: Start) -> None:
    with deaf(tmp_path) as queue:
        process = started(filled.url, tmp_path)
        wait_until_full(queue)
        process.terminate()
        time.sleep(0.5)
        assert process.poll() is None
        since = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert end_of(process, since) == (143, b"")
        assert time.monotonic() - since < 1


def test_wherever_it_waits_it_ends_in_time(filled: Aws, tmp_path: Path, started: Start) -> None:
    waiting: dict[str, Process] = {}
    with ExitStack() as places:
        silent = places.enter_context(Answering(lambda request: None))
        waiting["for an endpoint that does not answer"] = started(silent.url, tmp_path / "1")
        waiting["for a queue that is away"] = started(filled.url, tmp_path / "2", "--queue-timeout", "60")
        state = tmp_path / "3" / "state.db"
        assert end_of(started(filled.url, tmp_path, "-l", "nothing", "--state", str(state)), time.monotonic())[0] == 14
        database = places.enter_context(closing(sqlite3.connect(state, isolation_level=None)))
        database.execute("BEGIN IMMEDIATE")
        waiting["for a state that another program keeps locked"] = started(filled.url, tmp_path, "--state", str(state))
        time.sleep(2)  # nothing tells from outside that they are there
        since = time.monotonic()
        for where, process in waiting.items():
            assert process.poll() is None, where
            process.terminate()
        assert {where: end_of(process, since) for where, process in waiting.items()} == dict.fromkeys(
            waiting, (143, b"")
        )


def test_nothing_new_is_begun_once_the_end_is_near(filled: Aws, tmp_path: Path, started: Start) -> None:
    with Wazuh(tmp_path) as wazuh:
        process = started(filled.url, wazuh.home, "--max-eps", "2000")
        wazuh.wait_for(100)
        process.terminate()
        assert end_of(process, time.monotonic()) == (143, b"")
        assert len(ids(wazuh)) <= 3 * BATCH
