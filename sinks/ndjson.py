"""NDJSON: a line of JSON for each event, as https://github.com/ndjson/ndjson-spec has it."""

from collections.abc import Sequence

import orjson

from awsflow.exactjson import json_bytes, json_value
from awsflow.items import Record, bodies_together
from awsflow.joined import Joined

STARTS = (b"{", b"[", b'"')
"""What a line begins with. So no part of a line is JSON itself, and one that a crash has torn is known by that."""
_ENVELOPE = b'{"integration":"aws","aws":{"log_info":'


def lines(records: Sequence[Record]) -> bytes:
    """The records' lines. An event that is JSON stays as it is; text that is none becomes a JSON string."""
    parts = []
    for together in bodies_together(records):
        if together.__class__ is Joined and not together.head:
            parts.append(together.text)
            continue
        for body in together:
            # To parse every event costs as much as encoding it, so what is in our envelope is trusted to be JSON.
            parts.append(body if body.startswith(_ENVELOPE) and b"\n" not in body else _line(body))
            parts.append(b"\n")
    return b"".join(parts)


def _line(body: bytes) -> bytes:
    """JSON without its line breaks, which can only be white space; anything else as a JSON string, numbers too."""
    try:
        orjson.loads(body)
        line = body.strip().replace(b"\n", b" ").replace(b"\r", b" ")
    except orjson.JSONDecodeError:
        try:
            line = json_bytes(json_value(body))  # the odd JSON that orjson does not take
        except ValueError:
            line = b""
    return line if line.startswith(STARTS) else json_bytes(body.decode("utf-8", "backslashreplace"))
