"""Processes and what they cost: a collector beside an S3 stand-in and a queue, each a process of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, build_opener


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process came to."""

    seconds: float
    cpu: float
    """Seconds, its own and the kernel's for it."""
    rss: int
    """Bytes at the peak. Never less than this process had when it started the other: Linux counts it in."""


def run(command: Sequence[str], environment: dict[str, str], cwd: Path | None = None) -> Cost:
    """Run a process to its end; a RuntimeError if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=cwd)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def output(command: Sequence[str], environment: dict[str, str], cwd: Path) -> str:
    """What a process prints; CalledProcessError if it fails."""
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, cwd=cwd).stdout


def environment() -> dict[str, str]:
    """Return this environment without anybody's settings of AWS and Python, and with made-up credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WAZUH_", "PYTHON"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a module of ours; yield it, and the line by which it said that it is ready. End it at the end."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent) as process:
        assert process.stdout is not None  # noqa: S101 - for mypy: it is a pipe
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


@contextlib.contextmanager
def s3_standin(root: Path, latency: float = 0.0, copies: int = 1) -> Iterator[str]:
    """Start the S3 stand-in over a folder; yield its address. `latency` in milliseconds, `copies` of each object."""
    more = ["--latency", str(latency), "--copies", str(copies)]
    with _process("benchmarks.s3_standin", str(root), *more) as (_, address):
        yield address


def asked(address: str) -> dict[str, int]:
    """Return how often the stand-in was asked for what."""
    with build_opener(ProxyHandler({})).open(f"{address}/-/stats") as answer:
        counts: dict[str, int] = json.load(answer)
        return counts


@dataclass(slots=True)
class Wazuh:
    """A home folder whose queue is read. `received` is told once the reader has ended."""

    home: Path
    received: dict[str, int]


@contextlib.contextmanager
def wazuh() -> Iterator[Wazuh]:
    """Make a home folder with a queue that is read; both are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="awsflow-bench-") as folder:
        told = Wazuh(Path(folder), {})
        queue = told.home / "queue" / "sockets" / "queue"
        queue.parent.mkdir(parents=True)
        with _process("benchmarks.receiver", str(queue)) as (process, _):
            yield told
            process.send_signal(signal.SIGTERM)
            assert process.stdout is not None  # noqa: S101 - for mypy: it is a pipe
            told.received |= json.loads(process.stdout.readline())


def repeated(times: int, *measurements: Callable[[], Cost]) -> list[list[Cost]]:
    """Take turns, for a noisy machine slows down all alike; the costs of each, in order."""
    rounds = [[measure() for measure in measurements] for _ in range(times)]
    return [list(costs) for costs in zip(*rounds, strict=True)]
