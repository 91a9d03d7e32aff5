"""Custom: whatever Firehose writes, foremost events of EventBridge; and other contents, whose format the user names.

Format: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
Keys: https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html

Told by itself are: JSON, of which what EventBridge has wrapped is wanted and nothing else; Parquet; and text, whose
lines are flow logs of a VPC. With `--format` everything is an event.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from awsflow.decode.json_lines import json_lines
from awsflow.decode.json_objects import json_objects
from awsflow.decode.parquet import is_parquet, parquet_rows
from awsflow.decode.table import Names, Split, Table, by_commas, by_spaces, by_tabs, distinct, rows
from awsflow.envelope import common
from awsflow.errors import ArgumentsError
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Event, RowsOrBlock, Unreadable
from awsflow.logtypes.eventbridge import detail
from awsflow.logtypes.flow_log_fields import FIRST_WORDS, OF_VPCS, header
from awsflow.logtypes.layout import Dated
from awsflow.logtypes.macie import macie
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import Decode, LogType
from awsflow.logtypes.unpacking import unpacked

_HEAD = 1 << 12
"""Bytes that are looked at. All white space may well be what comes before JSON, or nothing at all."""


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events, in the format that the content begins like."""
    head = b""
    taken = []
    for chunk in chunks:
        taken.append(chunk)
        head += chunk[: _HEAD - len(head)]
        if len(head.strip()) >= 4 or len(head) == _HEAD:
            break
        yield []
    content = chain(taken, chunks)
    if is_parquet(head):
        yield from _objects(parquet_rows(content), every=True)
    elif head.removeprefix(b"\xef\xbb\xbf").strip()[:1] in (b"{", b"[", b""):
        yield from _objects(json_objects(content), every=False)
    else:
        yield from sourced(rows(content, _FLOWS), "vpc")


def _objects(blocks: Iterator[Block], *, every: bool) -> Iterator[Block]:
    """The events of objects: of each that EventBridge has wrapped what is inside; and the others, if `every` one."""
    return unpacked(blocks, partial(_of_one, every=every))


def _of_one(event: Event | Unreadable, *, every: bool) -> Iterator[Event | Unreadable]:
    """The events of one object: several, if it holds nothing but an array of `Records`."""
    if not isinstance(event, dict):
        yield event
    elif event.get("detail").__class__ is dict or ("detail" in event and not every):
        yield detail(event, "custom")
    elif event.keys() == {"Records"} and event["Records"].__class__ is list:
        for record in event["Records"]:
            if record.__class__ is dict:
                yield from _of_one(record, every=every)
            else:
                yield Unreadable("an element of Records that is no object", json_bytes(record))
    elif every:
        yield _own(event)


def _own(event: dict[str, Any]) -> dict[str, Any]:
    event.setdefault("source", "custom")
    return event


def _flow_names(line: str) -> Names | None:
    """The names in a flow log's header; None for a flow."""
    if line.partition(" ")[0] not in FIRST_WORDS:
        return None
    names = header(line.split())
    return names and _as_fields(names)


def _as_fields(names: Names) -> Names:
    return tuple(name.replace("-", "_") for name in names)


_FLOWS = Table(_as_fields(OF_VPCS), by_spaces, least=1, header=_flow_names)
_TEXT = Table(("full_log",), lambda lines: [[line] for line in lines], finish=_own)


def _with_header(split: Split) -> Decode:
    """Rows, of which the first one names the columns, wherever it stands."""

    def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
        first: list[str] = []

        def names(line: str) -> Names | None:
            if not first:
                first.append(line)
            return distinct(split([line])[0]) if line == first[0] else None

        return rows(chunks, Table((), split, header=names, finish=_own))

    return decode


_FORMATS: dict[str, Decode] = {
    "json": lambda chunks, name: _objects(json_objects(chunks), every=True),
    "jsonl": lambda chunks, name: _objects(json_lines(chunks), every=True),
    "csv": _with_header(by_commas),
    "tsv": _with_header(by_tabs),
    "text": lambda chunks, name: rows(chunks, _TEXT),
    "parquet": lambda chunks, name: _objects(parquet_rows(chunks), every=True),
}


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """Objects where Wazuh's index holds objects: in Macie's summaries, and in GuardDuty's `unusual`."""
    common(event)
    if event.get("source") == "macie":
        macie(event)
    service = event.get("service")
    more = service.get("additionalInfo") if service.__class__ is dict else None
    if more.__class__ is dict and "unusual" in more and more["unusual"].__class__ is not dict:
        more["unusual"] = {"value": more["unusual"]}
    return event


def looks_like(head: bytes) -> bool:
    """Whether the first object is one that EventBridge has wrapped."""
    return {"detail-type", "source"} <= opening(head).keys()


CUSTOM = LogType(
    name="custom",
    what="what Firehose writes: EventBridge's events of any AWS service, or whatever --format says",
    format="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html",
    layouts=(Dated("/"), Dated("-")),
    decode=decode,
    shape=shape,
    looks_like=looks_like,
)


def custom_in(format: str) -> LogType:  # noqa: A002 - as the command line has it
    """The type custom, whose objects are in this format, in any case; ArgumentsError if there is no such format."""
    try:
        return replace(CUSTOM, decode=_FORMATS[format.lower()])
    except KeyError:
        known = ", ".join(_FORMATS)
        raise ArgumentsError(f"--format {format!r}: there is no such format; the formats are: {known}") from None
