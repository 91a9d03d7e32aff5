"""Memory is bounded, whatever the size of an object: real processes, whose peak the kernel tells."""

import gzip
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from awsflow.samples import SAMPLES
from awsflow.sources.ahead import BUFFER
from benchmarks.measure import environment, s3_standin

EVENTS = 100_000
MANY = 2_000
"""Events that are made up; they are written again and again."""
AT_MOST = 150_000_000
"""Bytes."""


MEASURED = """
import os, subprocess, sys
with open(sys.argv[1], "wb") as out:
    process = subprocess.Popen(sys.argv[2:], stdout=out)
    _, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
"""
"""A small process that starts the one that is measured: Linux counts in what the starting one has."""


def peak(command: list[str], out: Path, environment: dict[str, str] | None = None) -> int:
    """The largest memory that a process has had, in bytes. What it prints goes to a file."""
    command = [sys.executable, "-c", MEASURED, str(out), *command]
    measured = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    code, size = map(int, measured.stdout.split())
    assert (code, measured.stderr) == (0, "")
    return size


def again_and_again(events: Iterable[Any]) -> Iterator[Any]:
    some = list(events)
    return chain.from_iterable(repeat(some, EVENTS // MANY))


def lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_of_100_000_events_is_replayed_in_less_than_150_mb(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    path = tmp_path / sample.key("123456789012", "eu-west-1", start, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        sample.write(file, again_and_again(sample.events(1, MANY, start, "123456789012", "eu-west-1")))
    out = tmp_path / "events.ndjson"
    command = [sys.executable, "-m", "awsflow", "replay", str(path), "--type", name]
    assert peak(command, out) < AT_MOST
    assert lines(out) >= (EVENTS if name not in ("custom", "cloudtrail_digest") else 1)


def test_many_large_objects_are_fetched_at_a_time_in_less_than_100_mb(tmp_path: Path) -> None:
    sample = SAMPLES["cloudtrail"]
    for day, events in ((1, 1), (2, 1000)):  # over small ones it is found out how many at a time pay
        start = datetime(2026, 11, day, tzinfo=UTC)
        path = tmp_path / "store" / "trail" / sample.key("123456789012", "eu-west-1", start, 1).removesuffix(".gz")
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.decompress(sample.document(sample.events(1, events, start))))
    assert path.stat().st_size > BUFFER
    out = tmp_path / "events.ndjson"
    with s3_standin(tmp_path / "store", latency=30, copies=72) as endpoint:
        where = ["--endpoint-url", endpoint, "--no-state", "--after", "2026-11-01"]
        command = [sys.executable, "-m", "awsflow", "bucket", "trail", *where]
        assert peak(command, out, environment()) < 100_000_000
    assert lines(out) == 72 * 1001
