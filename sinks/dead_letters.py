"""Dead letters: a file with a line for everything that could not be read or sent as it was, whole, for a later try.

{"time": ..., "reason": ..., "bucket": ..., "key": ..., "record": N, "content": text, or "content_base64": bytes}
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from awsflow.exactjson import json_bytes
from awsflow.items import Failure, Origin, Record
from awsflow.sinks.file import NdjsonFile

ROTATE_AT = 64 << 20
"""Bytes of one file."""


class DeadLetters:
    """The file, opened when the first letter comes. Objects that fail as a whole are not filed: the state lists them."""

    def __init__(
        self,
        path: Path,
        told: Callable[[Failure], None] = lambda failure: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`told` is called with every failure, filed or not."""
        self._path = path
        self._told = told
        self._now = now
        self._file: NdjsonFile | None = None

    def add(self, failure: Failure) -> None:
        """File what could not be read."""
        self._told(failure)
        if failure.content is not None:
            self._write(failure.origin, failure.number, str(failure.error), failure.content)

    def oversized(self, record: Record) -> None:
        """File an event that was too large to be sent whole."""
        content = record.event if isinstance(record.event, bytes) else str(record.event).encode()
        self._write(record.origin, record.number, "larger than a datagram", content)

    def flush(self) -> None:
        """Return when all letters are on the disk."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, origin: Origin, number: int, reason: str, content: bytes) -> None:
        letter = {
            "time": self._now().isoformat(timespec="seconds"),
            "reason": reason,
            "bucket": origin.bucket,
            "key": origin.key,
            "record": number,
        }
        try:
            letter["content"] = content.decode()
        except UnicodeDecodeError:
            letter["content_base64"] = b64encode(content).decode()
        if self._file is None:
            self._file = NdjsonFile(self._path, rotate_at=ROTATE_AT)
        self._file.write([Record(json_bytes(letter), origin, number)])
