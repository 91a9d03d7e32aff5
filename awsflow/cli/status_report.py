"""What `awsflow status` tells, before it is a table, JSON or a page: each source, how it is, and its last 30 days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from awsflow.cli.summary import lasting
from awsflow.state.history import HOUR, History, Hour, Past

Condition: TypeAlias = Literal["ok", "error", "runs", "stopped", "lost"]
SILENT = 180.0
"""Seconds after which a run that goes on, and tells of itself every minute, is taken to have been killed."""
DAY = 24
"""Hours."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source, and what is known of it."""

    state: Path
    past: Past
    hours: tuple[Hour, ...]
    """Those in which it has told of itself, the oldest first."""
    now: float

    @property
    def condition(self) -> Condition:
        """How its last run has ended, or how it goes."""
        if self.past.exit_code is None:
            return "runs" if self.now - self.past.told < SILENT else "lost"
        if self.past.error:
            return "error"
        return "stopped" if self.past.exit_code else "ok"

    @property
    def told(self) -> str:
        """The condition in a few words."""
        return {
            "ok": "ok",
            "error": f"error {self.past.exit_code}",
            "runs": "runs now",
            "stopped": "stopped",
            "lost": "no end told",
        }[self.condition]

    @property
    def events(self) -> int:
        """Sent in the last 24 hours."""
        return sum(hour.sent for hour in self._last_day())

    @property
    def failures(self) -> int:
        """In the last 24 hours."""
        return sum(hour.failed for hour in self._last_day())

    def as_json(self) -> dict[str, Any]:
        """For machines: times as ISO 8601 in UTC, durations in seconds."""
        past = self.past
        totals = ("runs", "broken", "read", "sent", "discarded", "shrunk", "failed", "objects", "bytes_in", "bytes_out")
        return {
            "source": past.name,
            "state": str(self.state),
            "condition": self.condition,
            "last_run": {
                "began": iso(past.began),
                "ended": None if past.exit_code is None else iso(past.told),
                "told": iso(past.told),
                "exit_code": past.exit_code,
                "error": past.error or None,
                "events": past.last_sent,
                "failures": past.last_failed,
            },
            "last_success": iso(past.well),
            "newest_event": iso(past.newest_event),
            "newest_object": iso(past.newest_object),
            "lag": past.lag,
            "backlog": past.backlog,
            "last_24_hours": {"events": self.events, "failures": self.failures},
            "total": {name: getattr(past, name) for name in totals} | {"seconds": round(past.seconds, 3)},
            "hours": [hour._asdict() | {"hour": iso(hour.hour * HOUR)} for hour in self.hours],
        }

    def _last_day(self) -> Iterable[Hour]:
        return (hour for hour in self.hours if hour.hour > int(self.now) // HOUR - DAY)


def sources_of(state: Path, now: datetime) -> list[Source]:
    """All sources that a state knows, by name."""
    with History(state, now=lambda: now) as history:
        return [Source(state, past, tuple(history.hours(past.name)), now.timestamp()) for past in history.sources()]


def iso(when: float | None) -> str | None:
    """A time in seconds since 1970 as ISO 8601 in UTC."""
    return None if when is None else f"{datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%SZ}"


def ago(when: float | None, now: float) -> str:
    """How long ago a time is; a dash if it is not known."""
    return "-" if when is None else f"{lasting(max(now - when, 0))} ago"
