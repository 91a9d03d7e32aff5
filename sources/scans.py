"""Scans: of the findings of a region those that are new, as they are sent, and how far they have been read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from awsflow.items import Barrier, Event, Item, Origin, Record
from awsflow.sources.findings import Finding, Findings, Window
from awsflow.sources.marks import mark, marks_in, time_of
from awsflow.state.positions import ScanPosition

REMEMBERED = 4096
"""Findings that are known again when they come a second time: the latest."""
BORDER = 60_000
"""Milliseconds before the end of a window in which findings are remembered, in case they come again in the next one."""


class Scan:
    """One region's findings: which are new, and how far they have been read."""

    def __init__(self, service: str, region: str, windows: Sequence[Window], left: ScanPosition | None) -> None:
        self.service = service
        self.region = region
        self.windows = windows
        self._origin = Origin(key=f"{service} in {region}", envelope="service")
        self._marks = set(marks_in(left.marks)) if left else set()
        self._number = 0

    def items(self, page: "Page") -> Iterator[Item]:
        """The new findings of a page, and the position behind them."""
        read = newest = 0
        for finding in page.answer.findings:
            updated = finding.get("updatedAt") or finding.get("createdAt")
            time = int(updated.timestamp() * 1000) if updated else page.window.end
            known = mark(time, str(finding.get("findingArn") or finding.get("arn") or "").encode())
            if known in self._marks:
                continue
            self._marks.add(known)
            self._number, read, newest = self._number + 1, read + 1, max(newest, time)
            yield Record(event_of(finding), self._origin, self._number)
        told = f"{_utc(newest):%Y-%m-%dT%H:%M:%SZ}" if newest else ""
        yield Barrier(self._position(page), read=read, bytes_in=page.answer.size, newest=told)

    def _position(self, page: "Page") -> ScanPosition:
        """How far the region has been read behind a page."""
        window, token = page.window, page.answer.token
        if not token:
            self._marks = {known for known in self._marks if time_of(known) >= window.end - BORDER}
        marks = sorted(self._marks)[-REMEMBERED:]
        self._marks = set(marks)
        done, until = (window.begin, window.end) if token else (window.end, None)
        return ScanPosition(self.service, self.region, done, until, token, b"".join(marks))


@dataclass(frozen=True, slots=True)
class Page:
    """A page of findings, and where it belongs."""

    scan: Scan
    window: Window
    answer: Findings


def event_of(finding: Finding) -> Event:
    """A finding as Wazuh's rules expect it: where it comes from in `source`, and dates as text."""
    event: dict[str, Any] = {name: _plain(value) for name, value in finding.items()}
    for name in ("createdAt", "updatedAt"):
        if isinstance(finding.get(name), datetime):
            event[name] = f"{finding[name].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if "service" in event:
        event["source"] = str(event.pop("service")).lower()
    elif "findingArn" in event:
        event["source"] = "inspector2"
    return event


def _plain(value: Any) -> Any:
    """A value with its dates as Python writes them, in UTC."""
    if isinstance(value, datetime):
        return str(value.astimezone(UTC))
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value


def _utc(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)
