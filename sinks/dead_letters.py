"""Dead letters: a file with a line for everything that could not be read or sent as it was, whole, for a later try.

`awsflow.letters` says what a line holds.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from awsflow.exactjson import json_bytes
from awsflow.flow import Sink
from awsflow.folders import make_folder
from awsflow.items import Event, Failure, Record
from awsflow.letters import TOO_LARGE, Kind, Letter
from awsflow.sinks.file import NdjsonFile
from awsflow.sinks.shared import Shared

ROTATE_AT = 64 << 20
"""Bytes of one file."""
WAIT = 30.0
"""Seconds for which another run is waited for that files something at the same time."""


class DeadLetters:
    """The file, ours while letters are written to it: other runs, and workers, may file theirs between.

    Objects that fail as a whole are not filed: the state lists them.
    """

    def __init__(
        self,
        file: Path | Sink,
        told: Callable[[Failure], None] = lambda failure: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        format: str = "",  # noqa: A002 - as the command line has it
        rotate_at: int = ROTATE_AT,
        wait: float = WAIT,
    ) -> None:
        """`file` may be a share of one. `told` is called with every failure, filed or not. `wait` is in seconds.

        `format` says how objects read, where that had to be said.
        """
        self._told = told
        self._now = now
        self._format = format
        self._folder = file.parent if isinstance(file, Path) else None
        if isinstance(file, Path):
            to_file = NdjsonFile(file, rotate_at=rotate_at, wait=wait)
            file = Shared(lambda *_: to_file, is_kept=False).share()
        self._file = file

    def add(self, failure: Failure) -> None:
        """File what could not be read."""
        self._told(failure)
        if failure.content is not None:
            kind: Kind = "message" if failure.is_message else "line"
            what = Record(failure.content, failure.origin, failure.number)
            self._write(kind, what, str(failure.error), log_type=failure.log_type, header=failure.header)

    def oversized(self, record: Record) -> None:
        """File an event that was too large to be sent whole."""
        self._write("event", record, TOO_LARGE)

    def flush(self) -> None:
        """Return when all letters are on the disk."""
        self._file.flush()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _write(self, kind: Kind, record: Record, reason: str, *, log_type: str = "", header: bytes = b"") -> None:
        letter = Letter(
            kind,
            _as_bytes(record.event),
            record.origin.bucket,
            record.origin.key,
            record.number,
            record.origin.alias,
            log_type,
            "" if kind == "event" else self._format,
            header,
            reason,
            self._now().isoformat(timespec="seconds"),
        )
        if self._folder is not None:
            with suppress(OSError):  # the file cannot be opened then, and that is told
                make_folder(self._folder)  # it is where the state would be, and not every source has one
            self._folder = None
        self._file.write([Record(letter.line(), record.origin, record.number)])


def _as_bytes(event: Event) -> bytes:
    if isinstance(event, bytes):
        return event
    return event.encode("utf-8", "surrogatepass") if isinstance(event, str) else json_bytes(event)
