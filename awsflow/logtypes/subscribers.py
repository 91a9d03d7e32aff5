"""The three subscribers of a queue, as log types: buckets, security_lake, security_hub.

Security Lake: https://docs.aws.amazon.com/security-lake/latest/userguide/open-cybersecurity-schema-framework.html
Security Hub: https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from awsflow.decode.json_objects import json_objects
from awsflow.decode.parquet import parquet_rows
from awsflow.envelope import drop_nulls
from awsflow.errors import ArgumentsError, UnknownType
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Event, Unreadable
from awsflow.logtypes import log_types_named
from awsflow.logtypes.subscriber_buckets import BUCKETS, decode_in
from awsflow.logtypes.types import LogType
from awsflow.logtypes.unpacking import unpacked
from awsflow.stages import Stage, without

_OF_HUB = (
    "actionName",
    "actionDescription",
    "insightName",
    "insightArn",
    "resultType",
    "insightResults",
)
"""What is taken over from an event of Security Hub besides its findings."""


def as_it_is(event: dict[str, Any]) -> dict[str, Any]:
    """The shape of events that are sent as they are, nulls and all."""
    return event


def findings(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
    """The events of Security Hub's objects: one for each finding, and one for an object that has none."""
    return unpacked(json_objects(chunks), _of_hub)


def _of_hub(event: Event | Unreadable) -> Iterator[Event | Unreadable]:
    if not isinstance(event, dict):
        yield event
        return
    detail = event.get("detail")
    if not isinstance(detail, dict):
        yield Unreadable("no event of Security Hub: it has no detail", json_bytes(event))
        return
    head = {"source": "securityhub"}
    if "detail-type" in event:
        head["detail_type"] = event["detail-type"]
    rest = {name: detail[name] for name in _OF_HUB if name in detail}
    found = detail.get("findings") or {}
    for finding in found if isinstance(found, list) else [found]:
        if isinstance(finding, dict):
            yield {**head, "finding": finding, **rest} if finding else {**head, **rest}
        else:
            yield Unreadable("a finding of Security Hub that is no object", json_bytes(finding))


SECURITY_HUB = LogType(
    name="security_hub",
    what="findings and insights of Security Hub, as EventBridge and Firehose write them",
    format="https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html",
    layouts=(),
    decode=findings,
    shape=drop_nulls,
    envelope="object",
)

SECURITY_LAKE = LogType(
    name="security_lake",
    what="rows of Security Lake's Parquet files, in the Open Cybersecurity Schema",
    format="https://docs.aws.amazon.com/security-lake/latest/userguide/open-cybersecurity-schema-framework.html",
    layouts=(),
    decode=lambda chunks, name: parquet_rows(chunks),
    shape=as_it_is,
    envelope="none",
)

SUBSCRIBERS: dict[str, LogType] = {each.name: each for each in (BUCKETS, SECURITY_HUB, SECURITY_LAKE)}


def subscriber_named(name: str, format: str = "") -> LogType:  # noqa: A002 - as the command line has it
    """The subscriber of this name, in any case; UnknownType if there is none.

    `format` says how objects of `buckets` read; ArgumentsError for the others, which have their own.
    """
    try:
        subscriber = SUBSCRIBERS[name.lower()]
    except KeyError:
        known = ", ".join(SUBSCRIBERS)
        raise UnknownType(
            f"choosing a subscriber: there is no subscriber {name!r}; the subscribers are: {known}"
        ) from None
    if not format:
        return subscriber
    if subscriber is not BUCKETS:
        raise ArgumentsError(f"--format {format}: it is for the subscriber buckets, not {name}")
    return replace(BUCKETS, decode=decode_in(format))


def types_of(reader: str, format: str = "") -> tuple[LogType, ...]:  # noqa: A002 - as the command line has it
    """What the objects of a queue may be: those of a subscriber, of a log type, or of any (`auto`), in any case."""
    return (subscriber_named(reader, format),) if reader.lower() in SUBSCRIBERS else log_types_named(reader, format)


def discard_lines(pattern: str, dropped: Callable[[], None] = lambda: None) -> Stage:
    """Drop the lines of `buckets`' plain text that match as a whole, as Wazuh's `discard_regex` does.

    JSON and tables have fields: `awsflow.stages.discard` is for them.
    """
    matches = re.compile(pattern).match

    def matched(event: Event) -> bool:
        line = _line(event)
        return line is not None and matches(line) is not None

    return without(matched, dropped)


def _line(event: Event) -> str | None:
    """The line of plain text that an event is; None for another event."""
    if not isinstance(event, dict) or event.keys() != {"full_log", "source"} or event["source"] != "custom":
        return None
    line = event["full_log"]
    return line if isinstance(line, str) else None
