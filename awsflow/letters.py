"""A dead letter: what could not be read or sent as it was, whole, and what is needed to send it again, as a line.

{"time": ..., "reason": ..., "kind": "event", "line" or "message", "bucket": ..., "key": ..., "record": N, "alias": ...,
"type": ..., "format": ..., "header": ..., "content": text}. What is not known is left out. In place of `content` and
`header`, `content_base64` and `header_base64` hold what is no UTF-8.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, get_args

from awsflow.exactjson import json_bytes, json_value
from awsflow.items import Origin

Kind: TypeAlias = Literal["event", "line", "message"]
"""An encoded event, that was too large; a line or row, or whatever else a decoder could not read; a queue's message."""
TOO_LARGE = "larger than a datagram"
"""The reason of events."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a line of a dead-letter file says."""

    kind: Kind
    content: bytes
    bucket: str = ""
    key: str = ""
    record: int = 0
    alias: str = ""
    log_type: str = ""
    """The log type, or the subscriber; of a message, that of the objects which it names."""
    format: str = ""
    """As `--format` has it."""
    header: bytes = b""
    """The line that names the columns of a line, if another one does."""
    reason: str = ""
    time: str = ""
    """ISO 8601 in UTC."""

    @classmethod
    def of(cls, line: bytes) -> Self:
        """Read a line, also of those that have no kind yet; ValueError, with what is wrong, if it is no letter."""
        told = json_value(line)
        if not isinstance(told, dict):
            raise ValueError("it is no JSON object")
        content = _bytes(told, "content")
        if content is None:
            raise ValueError("it has no content")
        reason, key = _text(told, "reason"), _text(told, "key")
        kind = _text(told, "kind") or ("event" if reason == TOO_LARGE else "line")
        if kind not in get_args(Kind):
            raise ValueError(f"its kind, {kind!r}, is not known")
        record = told.get("record", 0)
        return cls(
            kind,  # type: ignore[arg-type]  # it is one of them
            content,
            _text(told, "bucket"),
            key,
            record if record.__class__ is int else 0,
            _text(told, "alias"),
            _text(told, "type"),
            _text(told, "format"),
            _bytes(told, "header") or b"",
            reason,
            _text(told, "time"),
        )

    @property
    def origin(self) -> Origin:
        """Where it comes from."""
        return Origin(self.bucket, self.key, self.alias)

    def line(self) -> bytes:
        """Write it as a line, without its line break."""
        known = {"time": self.time, "reason": self.reason, "kind": self.kind, "bucket": self.bucket, "key": self.key}
        more = {"alias": self.alias, "type": self.log_type, "format": self.format}
        return json_bytes(
            {
                **known,
                "record": self.record,
                **{name: value for name, value in more.items() if value},
                **(_told("header", self.header) if self.header else {}),
                **_told("content", self.content),
            }
        )


def _told(name: str, content: bytes) -> dict[str, str]:
    try:
        return {name: content.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(content).decode()}


def _bytes(told: dict[str, Any], name: str) -> bytes | None:
    text, encoded = told.get(name), told.get(f"{name}_base64")
    if isinstance(encoded, str):
        return b64decode(encoded, validate=True)  # its error is a ValueError
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else None


def _text(told: dict[str, Any], name: str) -> str:
    value = told.get(name, "")
    return value if isinstance(value, str) else ""
