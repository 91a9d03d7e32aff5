"""NDJSON: a line of JSON for each event. https://github.com/ndjson/ndjson-spec"""

from collections.abc import Sequence

from awsflow.exactjson import json_bytes, json_value
from awsflow.items import Record


def lines(records: Sequence[Record]) -> bytes:
    """The records' lines. An event is JSON already; text that is none becomes a JSON string."""
    parts = []
    for record in records:
        body = record.event
        assert isinstance(body, bytes)  # noqa: S101 - for the type checker: an encoding stage came before
        parts.append(body if body[:1] == b"{" and b"\n" not in body else _one_line(body))
        parts.append(b"\n")
    return b"".join(parts)


def _one_line(body: bytes) -> bytes:
    """What is JSON, without its line breaks; else a JSON string."""
    try:
        return json_bytes(json_value(body))
    except ValueError:
        return json_bytes(body.decode("utf-8", "backslashreplace"))
