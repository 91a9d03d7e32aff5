"""What a command says, and where: one line a thing, never a secret."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO


class Channel:
    """`ERROR: ...`, `WARNING: ...` and, if wanted, `DEBUG: ...` lines, as people who read Wazuh's log expect them.

    Errors and warnings go to `out`. Debug lines go there too, or to `log_file`, each with its time.
    """

    def __init__(self, out: TextIO, debug: int = 0, log_file: Path | None = None) -> None:
        self._out = out
        self._debug = debug
        self._log = None if log_file is None else os.fdopen(_append_only(log_file), "a", encoding="utf-8")

    def error(self, text: str) -> None:
        """Somebody must act."""
        self._say(f"ERROR: {text}")

    def warning(self, text: str) -> None:
        """Nothing is lost, but somebody should know."""
        self._say(f"WARNING: {text}")

    def debug(self, text: str, level: int = 1) -> None:
        """For somebody who looks for a cause."""
        if self._debug < level:
            return
        if self._log is None:
            self._say(f"DEBUG: {text}")
        else:
            self._log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} DEBUG: {text}\n")
            self._log.flush()

    def close(self) -> None:
        """Let go of the log file."""
        if self._log is not None:
            self._log.close()

    def _say(self, line: str) -> None:
        try:
            print(line, file=self._out, flush=True)
        except BrokenPipeError:
            self._out = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - nobody listens any more


def _append_only(path: Path) -> int:
    """A descriptor of an owner-only file; no symbolic link is followed, for we may be root."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
