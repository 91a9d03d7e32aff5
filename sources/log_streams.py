"""Reading log streams: what of each is to be read, and how, page by page."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from awsflow.errors import ServiceError
from awsflow.items import Event, Origin
from awsflow.sources.log_api import Events, LogsApi, Missing, TokenRefused
from awsflow.sources.log_tail import Tail
from awsflow.state.positions import LogPosition

MINUTE = 60_000
"""Milliseconds."""


@dataclass(slots=True)
class Part:
    """A part of a stream that is to be read, forward from where it was left."""

    tail: Tail
    until: int | None = None
    """Where it ends, in milliseconds since 1970; None: with the stream."""
    token: str = ""
    """Leads to what was not read, if not empty."""
    asked_from: int | None = None
    """The start time of the requests that led to the token."""


@dataclass(slots=True)
class LogStream:
    """A log stream, and what of it is to be read, in this order. Times are milliseconds since 1970."""

    api: LogsApi
    group: str
    name: str
    origin: Origin
    start: int
    """Nothing that is dated before this is sent."""
    parts: Sequence[Part]
    oldest: int | None = None
    """The time of the first event that it holds, as far as that is known."""
    dressed: Callable[[str, int], Event] = field(default=lambda message, time: message)
    """Makes an event of a message and its time."""
    number: int = 0
    """Records so far."""

    def position(self, part: Part, *, finished: bool = False) -> LogPosition:
        """How far a part has been read by now."""
        tail = part.tail
        floor, more, marks = tail.kept()
        latest = tail.earliest if tail.latest is None else tail.latest
        return LogPosition(
            self.api.region,
            self.group,
            self.name,
            tail.earliest,
            latest,
            part.token,
            part.asked_from,
            tail.ingested,
            floor,
            more,
            marks,
            part.until,
            finished,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a stream, up to 1 MB, and where in the reading of a part it belongs."""

    stream: LogStream
    part: Part
    events: Sequence[Mapping[str, Any]]
    begins: bool
    """Whether a pass over the part begins here; by the token, if there is one."""
    by_token: bool
    token: str
    """Leads to what comes behind it."""
    asked_from: int | None
    is_last: bool
    """Whether no more is read of the part."""
    is_end: bool
    """Whether there is no more of it."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A stream that could not be read, or not to its end."""

    stream: LogStream
    error: ServiceError


def parts_of(left: Sequence[LogPosition], start: int, only_after: int | None, last_ingested: int | None) -> list[Part]:
    """What of a stream is to be read.

    `left` is where earlier runs have left it: all of it, and a part before that; `start`, where a stream begins that
    is new; `only_after`, the start that somebody chose, if so; `last_ingested`, when AWS took the last event, as far
    as the list of streams tells, which may lag behind by an hour.
    """
    whole = next((position for position in left if position.until is None), None)
    before = next((position for position in left if position.until is not None), None)
    if whole is None or (only_after is not None and only_after > whole.latest):
        return [Part(Tail(start))]
    main = Part(Tail(start, whole))
    is_quiet = None not in (last_ingested, whole.ingested) and last_ingested <= whole.ingested  # type: ignore[operator] # neither is None
    if whole.token and (is_quiet or not main.tail.has_marks):
        # nothing has come, as far as the list tells; or it is not known what was read before the token
        main.token, main.asked_from = whole.token, whole.asked_from
    parts = []
    begin, end = only_after, whole.earliest
    if begin is not None and begin < end:
        if before is not None and begin <= before.latest:
            parts.append(Part(Tail(begin, before), end))
            end = before.earliest
        if begin < end:
            parts.append(Part(Tail(begin), end))
    return [*parts, main]


def pages(stream: LogStream, note: Callable[[str], None]) -> Generator[Page | Unread, None, None]:
    """The pages of all that is to be read of a stream."""
    try:
        for part in stream.parts:
            yield from _of_part(stream, part, note)
    except Missing as error:
        note(f"{error}; it was deleted since it was listed")
    except ServiceError as error:
        yield Unread(stream, error)


def _of_part(stream: LogStream, part: Part, note: Callable[[str], None]) -> Iterator[Page]:
    """The pages of a part, until the token stays the same: an empty page is not the end.

    A writer may be faster than we are. So the last page is also the one whose events have all come to AWS after this
    has begun, and a while: the next run begins behind it. Behind a token that is refused it is read by time; so it is
    if the token only was to confirm that nothing has come, and does not: something else may have come late.
    """
    again_from = part.tail.begins_at
    token = part.token
    asked_from = part.asked_from if token else again_from
    begins, refused_at = True, None
    confirms = bool(token) and part.tail.has_marks
    began = None
    while True:
        try:
            page = stream.api.events(stream.group, stream.name, token=token, start=asked_from, end=part.until)
        except TokenRefused as error:
            note(str(error))
            if refused_at == again_from:  # and nothing has come since: whatever is left is left to the next run
                return
            token, asked_from, begins, refused_at, confirms = "", again_from, True, again_from, False
            continue
        if confirms and (page.events or page.token != token):
            token, asked_from, confirms = "", again_from, False
            continue
        began = began or page.answered
        if page.events:
            again_from = max(again_from, page.events[-1]["timestamp"])
        is_end = page.token == token
        is_last = is_end or (part.until is None and _is_younger(page, began))
        yield Page(stream, part, page.events, begins, bool(begins and token), page.token, asked_from, is_last, is_end)
        if is_last:
            return
        token, begins = page.token, False


def _is_younger(page: Events, began: int | None) -> bool:
    """Whether all of a page's events have come to AWS after this time, more or less."""
    if began is None or not page.events:
        return False
    return all(event.get("ingestionTime", 0) > began + MINUTE for event in page.events)
