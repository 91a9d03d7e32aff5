"""What a run came to: a line for people, JSON for machines; and its progress on a terminal."""

import json
import sys
import time
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from awsflow.cli.replacing import replace_file
from awsflow.flow import Stats
from awsflow.items import Barrier, Item

REPAINT = 0.2
"""Seconds between two looks of the progress line."""


def as_json(stats: Stats, now: datetime | None = None) -> str:
    """The summary as a JSON object; `lag` is in seconds, from the newest event's time to now."""
    return json.dumps(
        {
            "read": stats.read,
            "discarded": stats.discarded,
            "sent": stats.sent,
            "shrunk": stats.shrunk,
            "failed": stats.failed,
            "objects": stats.objects,
            "bytes_in": stats.bytes_in,
            "bytes_out": stats.bytes_out,
            "seconds": round(stats.seconds, 3),
            "waited": round(stats.waited, 3),
            "events_per_second": round(stats.events_per_second),
            "newest_event": stats.newest or None,
            "lag": lag(stats, now or datetime.now(UTC)),
        }
    )


def lag(stats: Stats, now: datetime) -> float | None:
    """Seconds from the newest event's time to now; None if no event told its time."""
    try:
        newest = datetime.fromisoformat(stats.newest)
    except ValueError:
        return None
    return round((now - (newest if newest.tzinfo else newest.replace(tzinfo=UTC))).total_seconds(), 1)


def as_line(stats: Stats) -> str:
    """The summary for people.

    >>> as_line(Stats(read=3, sent=2, discarded=1, objects=1, bytes_in=2048, bytes_out=4096, seconds=0.5))
    '2 events of 1 object sent in 0.5 s (4 per second); 1 discarded; 2.0 KiB in, 4.0 KiB out'
    """
    parts = [
        f"{stats.sent:,} events of {_count(stats.objects, 'object')} sent in {stats.seconds:.1f} s"
        f" ({stats.events_per_second:,.0f} per second)"
    ]
    parts += [
        f"{number:,} {what}"
        for number, what in ((stats.discarded, "discarded"), (stats.shrunk, "shrunk"), (stats.failed, "failed"))
        if number
    ]
    if stats.waited:
        parts.append(f"held back for {stats.waited:.1f} s, so that Wazuh keeps up")
    parts.append(f"{_size(stats.bytes_in)} in, {_size(stats.bytes_out)} out")
    if stats.newest:
        parts.append(f"newest event {stats.newest}")
    return "; ".join(parts)


def write_json(stats: Stats, path: Path) -> None:
    """Write the summary to a file. AwsflowError if that does not work: the run itself has done what it could."""
    replace_file(path, as_json(stats).encode() + b"\n", "the summary")


def progress(
    stats: Stats, out: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic
) -> Callable[[Iterable[Item]], Generator[Item, None, None]]:
    """A stage that shows how far a run is, on one line of a terminal, and wipes it at the end."""

    def stage(items: Iterable[Item]) -> Generator[Item, None, None]:
        started = clock()
        due = started + REPAINT
        try:
            for item in items:
                yield item
                if item.__class__ is Barrier and clock() >= due:
                    due = clock() + REPAINT
                    pace = stats.sent / (clock() - started)
                    line = f"{stats.objects:,} objects, {stats.sent:,} events, {pace:,.0f} per second"
                    out.write(f"\r\x1b[K{line}")
                    out.flush()
        finally:
            out.write("\r\x1b[K")
            out.flush()

    return stage


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _size(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"
