"""The records of log streams: of a page those that are new, and what is sent of a message."""

from collections.abc import Generator
from datetime import UTC, datetime

from awsflow.items import Barrier, Event, Item, Record
from awsflow.sources.log_streams import Page
from awsflow.stages import json_in
from awsflow.state.positions import LogPosition

BLOCK = 100
"""Records between two barriers at most."""


def items_of(page: Page, *, remove: bool) -> Generator[Item, None, None]:
    """The new records of a page, with a barrier behind each hundred, and at the end."""
    stream, part = page.stream, page.part
    tail = part.tail
    if page.begins:
        tail.begin(behind=page.by_token)
    had_token, part.token = part.token, ""  # it does not lead to the middle of a page
    before = stream.number
    read = size = newest = 0
    for event in page.events:
        time, message = event["timestamp"], event["message"]
        if time < stream.start or (part.until is not None and time >= part.until):
            continue
        encoded = message.encode("utf-8", "surrogatepass")
        if not tail.take(time, event.get("ingestionTime"), encoded):
            continue
        stream.number += 1
        yield Record(stream.dressed(message, time), stream.origin, stream.number)
        read, size, newest = read + 1, size + len(encoded), max(newest, time)
        if read == BLOCK:
            yield Barrier(stream.position(part), read=read, bytes_in=size, newest=_iso(newest))
            read = size = newest = 0
    part.token, part.asked_from = page.token, page.asked_from
    position = None
    if stream.number > before or page.token != had_token or (page.is_end and (part.until is not None or remove)):
        position = _behind(page, remove=remove)
    yield Barrier(position, read=read, bytes_in=size, newest=_iso(newest) if newest else "")


def _behind(page: Page, *, remove: bool) -> LogPosition | None:
    """The position behind a page; None if there is nothing to remember."""
    stream, tail = page.stream, page.part.tail
    if page.part.until is not None and page.is_end:
        for part in stream.parts:
            part.tail.earliest = min(part.tail.earliest, tail.earliest)
        return stream.position(page.part, finished=True)
    if tail.latest is None:
        return None
    is_whole = stream.oldest is None or stream.oldest >= tail.earliest
    return stream.position(page.part, finished=remove and page.is_end and is_whole)


class Dressed:
    """Makes events of messages, with what is known of where they come from in `log_info`."""

    def __init__(self, region: str, account: str, group: str, stream: str) -> None:
        self._of_stream = {"log_group": group, "log_stream": stream, "aws_account_id": account, "aws_region": region}

    def __call__(self, message: str, time: int) -> Event:
        """The fields of a message that is a JSON object; or its text, as `message`."""
        fields = json_in(message)
        if not isinstance(fields, dict):
            fields = {"message": message}
        fields.pop("log_info", None)
        when = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"log_info": {**self._of_stream, "timestamp": when}, **fields}


def as_it_is(message: str, time: int) -> Event:
    """The message itself."""
    return message


def _iso(time: int) -> str:
    """A time in milliseconds since 1970 as ISO 8601 in UTC."""
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
