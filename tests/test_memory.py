"""Memory is bounded, whatever the size of an object: real processes, whose peak the kernel tells."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from awsflow.samples import SAMPLES

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


def peak(command: list[str], out: Path) -> int:
    """The largest memory that a process has had, in bytes. What it prints goes to a file."""
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, str(out), *command], capture_output=True, text=True, check=True
    )
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
