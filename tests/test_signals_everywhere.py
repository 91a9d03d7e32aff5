"""Every command ends in good order, wherever it waits, when a signal, a Ctrl-C or a closed terminal asks it to."""

import fcntl
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import LogPosition
from tests.answers import Answer, Answering, Request, listing, refused
from tests.commands import CREDENTIALS
from tests.conftest import Aws
from tests.queues import Logs
from tests.state_files import write_engine_state
from tests.test_signals import IN_TIME, Process, deaf, wait_until_full
from tests.wazuh import Wazuh

KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/{}.json.gz"


def trail(first: int, count: int) -> bytes:
    events = [{"eventID": number, "filling": "x" * 300} for number in range(first, first + count)]
    return json.dumps({"Records": events}).encode()


class Commands:
    """Commands that run; what is left of them at the end of a test is killed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._running: list[Process] = []

    def start(self, *arguments: str | Path, **options: Any) -> Process:
        """Run awsflow, with a home of its own, and our Wazuh."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_", "WAZUH_"))}
        process = subprocess.Popen(
            [sys.executable, "-m", "awsflow", *map(str, arguments)],
            env={
                **kept,
                **CREDENTIALS,
                "HOME": str(self.home / str(len(self._running))),
                "WAZUH_HOME": str(self.home),
                "TERM": "xterm",
            },
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options},
        )
        self._running.append(process)
        return process

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    with closing(Commands(tmp_path)) as commands:
        yield commands


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """More events than fit into pipes and sockets."""
    path = tmp_path / "trail.json"
    path.write_bytes(trail(0, 5000))
    return path


def ends(processes: dict[str, Process], number: signal.Signals) -> dict[str, int]:
    """How they end, all within the time, when they get the signal."""
    for where, process in processes.items():
        assert process.poll() is None, (where, process.communicate())
        process.send_signal(number)
    until = time.monotonic() + IN_TIME
    return {where: process.wait(max(until - time.monotonic(), 0.1)) for where, process in processes.items()}


def printed(process: Process) -> bytes:
    out, _ = process.communicate(timeout=30)
    return out or b""


def until(true: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def listens(process: Process) -> bool:
    """Whether it has got as far as to hear signals."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (caught,) = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(caught >> (signal.SIGTERM - 1) & 1)


# --- wherever it waits


def stuck(request: Request) -> Answer | None:
    """A listing, and an object that never comes; a bucket that is too busy; and a service that does not answer."""
    if "busy" in request.path:
        return refused("SlowDown", 503)
    if "list-type" in request.parameters and "slow" in request.path:
        return listing("slow/a.json")
    return None


def test_every_command_ends_in_time_wherever_it_waits_for_aws(commands: Commands, aws: Aws) -> None:
    Logs(aws)
    aws.client("logs").create_log_group(logGroupName="group")
    group = ("service", "cloudwatchlogs", "--log-group", "group", "--region", "us-east-1", "--follow")
    queue = ("subscriber", "buckets", "--queue", "logs")
    with Answering(stuck) as server:
        at = ("--endpoint-url", server.url)
        waiting = {
            "a listing": commands.start("bucket", "silent", *at),
            "a back-off": commands.start("bucket", "busy", *at),
            "an object": commands.start("replay", "s3://slow/slow/", *at),
            "a service": commands.start(*group, *at),
            "findings": commands.start("service", "inspector", "--region", "us-east-1", *at),
            "a queue that does not answer": commands.start(*queue, *at),
            "more log events": commands.start(*group, "--interval", "600", "--endpoint-url", aws.url),
            "messages": commands.start(*queue, "--follow", "--endpoint-url", aws.url),
        }
        until(lambda: all(map(listens, waiting.values())) and len(server.requests) >= 8)
        time.sleep(2)  # nothing tells from outside that all are there
        assert ends(waiting, signal.SIGTERM) == dict.fromkeys(waiting, 143)
        assert {where: printed(process) for where, process in waiting.items()} == dict.fromkeys(waiting, b"")


def test_every_command_ends_in_time_when_nothing_takes_what_it_has(
    commands: Commands, aws: Aws, document: Path
) -> None:
    aws.client("s3").create_bucket(Bucket="trail")
    aws.client("s3").put_object(Bucket="trail", Key=KEY.format("a"), Body=gzip.compress(b'{"Records":[1]}'))
    replay = ("replay", document)
    write_engine_state(commands.home / "paced", held=1000, capacity=1000)
    letters = commands.home / "dead-letter.ndjson"
    with ExitStack() as places:
        full = places.enter_context(deaf(commands.home / "full"))
        places.enter_context(deaf(commands.home / "paced"))
        fcntl.flock(places.enter_context(letters.open("ab")), fcntl.LOCK_EX)
        waiting = {
            "a pipe": commands.start(*replay),
            "a full queue": commands.start(*replay, "--to", f"wazuh:{full.getsockname()}"),
            "pacing": commands.start(*replay, "--to", f"wazuh:{commands.home}/paced/queue/sockets/queue"),
            "a cap": commands.start(*replay, "--max-eps", "0.01", "--to", f"wazuh:{full.getsockname()}"),
            "a queue that is away": commands.start(
                *replay, "--queue-timeout", "90", "--to", f"wazuh:{commands.home}/none"
            ),
            "dead letters that another run has locked": commands.start(
                *("bucket", "trail", "--after", "2026-11-01", "--skip-on-error", "--no-state", "--to", "wazuh"),
                *("--dead-letter", letters, "--endpoint-url", aws.url),
            ),
        }
        wait_until_full(full)
        until(lambda: all(map(listens, waiting.values())))
        time.sleep(2)  # likewise
        assert ends(waiting, signal.SIGTERM) == dict.fromkeys(waiting, 143)
    assert printed(waiting.pop("a pipe")).startswith(b'{"integration":"aws"')
    assert printed(waiting.pop("dead letters that another run has locked")).count(b"\n") == 1  # the bad record
    assert {where: printed(process) for where, process in waiting.items()} == dict.fromkeys(waiting, b"")


# --- whoever asks


@pytest.fixture
def slow(commands: Commands) -> Iterator[tuple[str | Path, ...]]:
    """A command that takes long, and has begun to send when the queue is full."""
    path = commands.home / "trail.json"
    path.write_bytes(trail(0, 5000))
    with deaf(commands.home / "full") as full:
        yield ("replay", path, "--queue-timeout", "90", "--to", f"wazuh:{full.getsockname()}")


def ended_by(process: Process, number: signal.Signals) -> int:
    until(lambda: listens(process))
    process.send_signal(number)
    return process.wait(IN_TIME)


def test_the_exit_code_tells_which_signal_it_was(commands: Commands, slow: tuple[str | Path, ...]) -> None:
    for number, code in ((signal.SIGINT, 2), (signal.SIGHUP, 129)):
        assert ended_by(commands.start(*slow), number) == code


def test_what_is_told_to_outlive_its_terminal_does_and_may_be_ended_all_the_same(
    commands: Commands, slow: tuple[str | Path, ...]
) -> None:
    def ignore() -> None:
        for number in (signal.SIGHUP, signal.SIGINT):  # what nohup does, and a shell with what runs in the background
            signal.signal(number, signal.SIG_IGN)

    process = commands.start(*slow, preexec_fn=ignore)
    until(lambda: listens(process))
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.terminate()
    time.sleep(0.2)
    assert ended_by(process, signal.SIGTERM) == 143  # the second one, at once


def test_when_its_terminal_is_closed_it_ends_in_order_and_the_next_run_goes_on_behind_it(
    commands: Commands, aws: Aws
) -> None:
    aws.client("s3").create_bucket(Bucket="trail")
    aws.client("s3").put_object(Bucket="trail", Key=KEY.format("a"), Body=gzip.compress(trail(0, 20_000), 1))
    bucket = ("bucket", "trail", "--after", "2026-11-01", "--endpoint-url", aws.url, "--to", "wazuh")
    state = commands.home / "state.db"
    with Wazuh(commands.home) as wazuh:
        terminal, line = pty.openpty()

        def take() -> None:
            fcntl.ioctl(line, termios.TIOCSCTTY, 0)

        process = commands.start(
            *bucket,
            *("--state", state, "--max-eps", "4000", "--debug"),
            **dict.fromkeys(("stdin", "stdout", "stderr"), line),
            start_new_session=True,
            preexec_fn=take,
        )
        os.close(line)
        wazuh.wait_for(2000)
        os.close(terminal)
        assert process.wait(IN_TIME) == 129
        first = [event["aws"]["eventID"] for event in wazuh.events()]
        assert first == list(range(len(first)))
        assert len(first) < 20_000
        wazuh.take()
        assert commands.start(*bucket, "--state", state).wait(60) == 0
        second = [event["aws"]["eventID"] for event in wazuh.events()]
    assert first + second == list(range(20_000))


# --- readers that go


@pytest.mark.parametrize("words", [["--help"], ["types"], ["bucket", "--help"], ["config", "schema"], ["--version"]])
@pytest.mark.parametrize("buffered", [True, False])
def test_whatever_is_printed_a_reader_that_goes_early_is_no_error(
    commands: Commands, words: list[str], buffered: bool
) -> None:
    received, sent = os.pipe()
    os.close(received)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run(
        [sys.executable, *([] if buffered else ["-u"]), "-m", "awsflow", *words],
        stdout=sent,
        stderr=subprocess.PIPE,
        env=kept,
        check=False,
        timeout=60,
    )
    os.close(sent)
    assert ended.stderr == b""
    assert ended.returncode in ((141,) if buffered else (141, 0))  # argparse ignores it, where it may


@pytest.mark.parametrize("words", [["types"], ["config", "schema"], ["status"], ["state", "show"]])
@pytest.mark.parametrize("buffered", [True, False])
def test_a_full_disk_is_told_in_a_line(tmp_path: Path, words: list[str], buffered: bool) -> None:
    state = tmp_path / "awsflow.db"
    with Checkpoints(state) as checkpoints:
        checkpoints.log_work("cloudwatchlogs").commit([LogPosition("eu-west-1", "/g", "s", 1000, 2000)])
    of = ["--state", str(state)] if words[0] in ("status", "state") else []
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, *([] if buffered else ["-u"]), "-m", "awsflow", *words, *of],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 13
    assert ended.stderr.startswith(b"ERROR: writing to standard output: No space left on device")
    assert ended.stderr.count(b"\n") == 1
