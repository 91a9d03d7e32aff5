"""What a run came to: a line for people, JSON for machines."""

import json
from datetime import UTC, datetime
from pathlib import Path

from awsflow.cli.replacing import replace_file
from awsflow.flow import Stats


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
        f"{stats.sent:,} events of {count(stats.objects, 'object')} sent in {stats.seconds:.1f} s"
        f" ({stats.events_per_second:,.0f} per second)"
    ]
    parts += [
        f"{number:,} {what}"
        for number, what in ((stats.discarded, "discarded"), (stats.shrunk, "shrunk"), (stats.failed, "failed"))
        if number
    ]
    if stats.waited:
        parts.append(f"held back for {stats.waited:.1f} s, so that Wazuh keeps up")
    parts.append(f"{size(stats.bytes_in)} in, {size(stats.bytes_out)} out")
    if stats.newest:
        parts.append(f"newest event {stats.newest}")
    return "; ".join(parts)


def write_json(stats: Stats, path: Path) -> None:
    """Write the summary to a file. AwsflowError if that does not work: the run itself has done what it could."""
    replace_file(path, as_json(stats).encode() + b"\n", "the summary")


def lasting(seconds: float) -> str:
    """A duration, in the one unit that fits.

    >>> [lasting(seconds) for seconds in (0.4, 59, 60, 3599, 7200, 90000, 864000)]
    ['0 s', '59 s', '1 min', '59 min', '2 h', '25 h', '10 d']
    """
    for unit, size, until in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 48 * 3600)):
        if seconds < until:
            return f"{int(seconds / size)} {unit}"
    return f"{int(seconds / 86400):,} d"


def count(number: int, what: str) -> str:
    """So many things, with the plural's s."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(of: float) -> str:
    """A number of bytes, in the unit that fits."""
    for unit in ("bytes", "KiB", "MiB"):
        if of < 1024:
            return f"{of:,.0f} {unit}" if unit == "bytes" else f"{of:,.1f} {unit}"
        of /= 1024
    return f"{of:,.1f} GiB"
