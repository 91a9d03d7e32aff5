"""The subscriber `buckets`: whatever lies in a bucket. What it is, is seen from the content, or said with `--format`.

JSON begins as JSON does: an object, or an array of objects. Parquet says that it is. Of other text the first line
decides: with a digit in it, it is a log, line by line; without, it names the columns of a table, if it has several.
"""

import csv
import re
from collections.abc import Iterator
from itertools import chain

from awsflow.decode.json_lines import json_lines
from awsflow.decode.json_objects import json_objects
from awsflow.decode.parquet import is_parquet, parquet_rows
from awsflow.decode.table import Split, Table, by_commas, by_commas_and_spaces, by_spaces, distinct, rows
from awsflow.envelope import drop_nulls
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Event, RowsOrBlock, Unreadable
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import Decode, LogType
from awsflow.logtypes.unpacking import unpacked

_AS_THEY_ARE = ".jsonl.gz"
"""Objects whose names end so hold a JSON object on each line, and get no `source`."""
_HEAD = 1 << 16
"""Bytes that are looked at."""
_LOOKED_AT = 20
"""Lines whose columns are counted."""
_json = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\{[ \t\r\n]*[\"}]|\[[ \t\r\n]*[{\]])").match
_DELIMITERS = (",", "\t", ";", "|", " ")
_TEXT = Table(("full_log",), lambda lines: [[line] for line in lines])


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events of an object of this name."""
    if name.endswith(_AS_THEY_ARE):
        yield from json_lines(chunks)
        return
    head = b""
    taken = []
    for chunk in chunks:
        taken.append(chunk)
        head += chunk[: _HEAD - len(head)]
        if len(head) == _HEAD or _json(head) or is_parquet(head):
            break
        yield []
    yield from sourced(_told_by(head, chain(taken, chunks)), "custom")


def _told_by(head: bytes, content: Iterator[bytes]) -> Iterator[RowsOrBlock]:
    """The events of a content that begins so."""
    if _json(head):
        return map(_details, json_objects(content))
    if is_parquet(head):
        return map(_details, parquet_rows(content))
    return rows(content, _table(head) or _TEXT)


def decode_in(format: str) -> Decode:  # noqa: A002 - as the command line has it
    """How objects are read that are in this format, in any case; ArgumentsError if there is no such format.

    Here arrays named `Records` are unpacked.
    """
    from awsflow.logtypes.custom import custom_in  # noqa: PLC0415 - few runs need it

    of_custom = custom_in(format).decode
    if format.lower() == "jsonl":
        return lambda chunks, name: unpacked(json_lines(chunks), _records)
    return lambda chunks, name: sourced(of_custom(chunks, name), "custom")


def _details(block: Block) -> Block:
    """What EventBridge has wrapped; of other objects all."""
    return [_detail(event) for event in block]


def _detail(event: Event | Unreadable) -> Event | Unreadable:
    inside = event.get("detail") if isinstance(event, dict) else None
    return inside if isinstance(inside, dict) else event


def _records(event: Event | Unreadable) -> Iterator[Event | Unreadable]:
    if isinstance(event, dict) and event.keys() == {"Records"} and isinstance(event["Records"], list):
        for record in event["Records"]:
            is_event = isinstance(record, dict)
            yield record if is_event else Unreadable("an element of Records that is no object", json_bytes(record))
    else:
        yield event


def _table(head: bytes) -> Table | None:
    """The table that a text is, as far as its first lines tell; None if it is none."""
    lines = head.decode("utf-8-sig", "replace").split("\n")
    if len(head) == _HEAD:
        lines.pop()  # it may be cut off
    lines = [line.rstrip("\r") for line in lines if line.strip()]
    if not lines or any(map(str.isdigit, lines[0])):
        return None
    split = _dialect(lines[:_LOOKED_AT])
    names = distinct(split([lines[0]])[0]) if split else ()
    if split is None or not names:
        return None
    return Table(names, split, least=1, header=lambda line: names if line == lines[0] else None)


def _dialect(lines: list[str]) -> Split | None:
    """How the lines are split: so that all have as many columns as the first, else at what that one is split at.

    A line of words is no table by itself, nor are lines of ever so many words.
    """
    wide = []
    for delimiter in _DELIMITERS:
        split = _split_at(delimiter, spaced=re.search(rf"{re.escape(delimiter)}(?! )", lines[0]) is None)
        widths = [_width(split, line) for line in lines]
        if widths[0] > 1 and len(set(widths)) == 1 and (delimiter != " " or len(lines) > 1):
            return split
        if widths[0] > 1 and delimiter != " ":
            wide.append(split)
    return wide[0] if wide else None


def _split_at(delimiter: str, *, spaced: bool) -> Split:
    """Split as CSV, at another delimiter than commas maybe, and with spaces behind it maybe."""
    if delimiter == ",":
        return by_commas_and_spaces if spaced else by_commas
    if delimiter == " ":
        return by_spaces

    def split(lines: list[str]) -> list[list[str]]:
        return [_quoted(line, delimiter, spaced) if '"' in line else _bare(line, delimiter, spaced) for line in lines]

    return split


def _bare(line: str, delimiter: str, spaced: bool) -> list[str]:
    columns = line.split(delimiter)
    return [column.lstrip(" ") for column in columns] if spaced else columns


def _quoted(line: str, delimiter: str, spaced: bool) -> list[str]:
    try:
        (columns,) = csv.reader([line], delimiter=delimiter, skipinitialspace=spaced, strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return columns


def _width(split: Split, line: str) -> int:
    """How many columns a line has; 0 if it cannot be split so."""
    try:
        return len(split([line])[0])
    except ValueError:
        return 0


BUCKETS = LogType(
    name="buckets",
    what="whatever lies in a bucket: JSON, CSV, text, Parquet",
    format="https://documentation.wazuh.com/current/cloud-security/amazon/services/supported-services/custom-buckets.html",
    layouts=(),
    decode=decode,
    shape=drop_nulls,
    envelope="object",
)
