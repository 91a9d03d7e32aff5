"""Dead letters: a file with a line for everything that could not be read or sent as it was, whole, for a later try.

{"time": ..., "reason": ..., "bucket": ..., "key": ..., "record": N, "content": text, or "content_base64": bytes}
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from awsflow.exactjson import json_bytes
from awsflow.flow import Sink
from awsflow.items import Event, Failure, Origin, Record
from awsflow.sinks.file import NdjsonFile

ROTATE_AT = 64 << 20
"""Bytes of one file."""
WAIT = 30.0
"""Seconds for which another run is waited for that files something at the same time."""


class DeadLetters:
    """The file, ours from the first letter until the next flush: other runs may file theirs between.

    Objects that fail as a whole are not filed: the state lists them.
    """

    def __init__(
        self,
        file: Path | Sink,
        told: Callable[[Failure], None] = lambda failure: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        rotate_at: int = ROTATE_AT,
        wait: float = WAIT,
    ) -> None:
        """`file` may be a share of one. `told` is called with every failure, filed or not. `wait` is in seconds."""
        self._told = told
        self._now = now
        self._file = NdjsonFile(file, rotate_at=rotate_at, wait=wait) if isinstance(file, Path) else file

    def add(self, failure: Failure) -> None:
        """File what could not be read."""
        self._told(failure)
        if failure.content is not None:
            self._write(failure.origin, failure.number, str(failure.error), failure.content)

    def oversized(self, record: Record) -> None:
        """File an event that was too large to be sent whole."""
        self._write(record.origin, record.number, "larger than a datagram", _as_bytes(record.event))

    def flush(self) -> None:
        """Return when all letters are on the disk."""
        self._file.flush()
        self._file.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

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
        self._file.write([Record(json_bytes(letter), origin, number)])


def _as_bytes(event: Event) -> bytes:
    if isinstance(event, bytes):
        return event
    return event.encode("utf-8", "surrogatepass") if isinstance(event, str) else json_bytes(event)
