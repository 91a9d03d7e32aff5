"""What a command says, and where: one line a thing, never a secret."""

import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TextIO

from awsflow.errors import ArgumentsError

SHORTEST_SECRET = 8
"""Characters. What is shorter would be found everywhere."""


class Channel:
    """`ERROR: ...`, `WARNING: ...` and, if wanted, `DEBUG: ...` lines, as people who read Wazuh's log expect them.

    Errors and warnings go to `out`. Debug lines go there too, or to `log_file`, each with its time. Whatever is said
    becomes one line of printable characters, and stays one, whichever threads speak. Nothing of awsflow says a secret;
    should a stranger's message hold one of the `secrets`, it is blotted out.
    """

    def __init__(
        self, out: TextIO, debug: int = 0, log_file: Path | None = None, secrets: Iterable[str | None] = ()
    ) -> None:
        self._out = out
        self._debug = debug
        self._turn = Lock()
        self._secrets: list[str] = []
        self.hide(secrets)
        self._log = None if log_file is None else _appended(log_file)

    def through(self, out: TextIO) -> None:
        """Say all through this from now on."""
        self._out = out

    def hide(self, secrets: Iterable[str | None]) -> None:
        """Blot these out, too, from now on."""
        long_enough = {secret for secret in secrets if secret and len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(long_enough.union(self._secrets), key=len)

    def error(self, text: str) -> None:
        """Somebody must act."""
        self._say(f"ERROR: {text}")

    def warning(self, text: str) -> None:
        """Nothing is lost, but somebody should know."""
        self._say(f"WARNING: {text}")

    def info(self, text: str) -> None:
        """The answer to somebody who has asked for something."""
        self._say(f"INFO: {text}")

    def debug(self, text: str, level: int = 1) -> None:
        """For somebody who looks for a cause."""
        if self._debug < level:
            return
        if self._log is None:
            self._say(f"DEBUG: {text}")
            return
        try:
            self._log.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} DEBUG: {self._line(text)}\n")
            self._log.flush()
        except OSError as error:
            self._debug = 0  # the logs that are collected matter more than this one
            self.warning(f"writing the log file {self._log.name}: {error.strerror}; no more of this run is logged")

    def close(self) -> None:
        """Let go of the log file. May be called again."""
        log, self._log = self._log, None
        if log is not None:
            try:
                log.close()
            except OSError as error:
                if self._debug:  # else it was told already
                    self.warning(f"writing the log file {log.name}: {error.strerror}; its last lines are missing")

    def say(self, text: str) -> None:
        """For somebody in front of a terminal."""
        self._say(text)

    def _say(self, text: str) -> None:
        line = self._line(text)
        encoding = getattr(self._out, "encoding", None) or "utf-8"
        try:
            with self._turn:
                print(line.encode(encoding, "backslashreplace").decode(encoding), file=self._out, flush=True)
        except OSError:  # nobody listens any more, or the terminal is gone: there is nobody else to tell
            to_nowhere(self._out)

    def _line(self, text: str) -> str:
        """One printable line. Keys of S3 hold whatever their owner likes."""
        for secret in reversed(self._secrets):  # the longest first: it may contain another
            text = text.replace(secret, "[secret]")
        return printable(text)


def printable(text: str) -> str:
    """The text as one printable line."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _visible(char) for char in text)


def to_nowhere(stream: TextIO) -> None:
    """What is written to a stream of the operating system, or waits in it, goes nowhere: its reader is gone.

    Python would complain of it again when it ends.
    """
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _visible(char: str) -> str:
    return " " if char.isspace() else char.encode("unicode_escape").decode()


def _appended(path: Path) -> TextIO:
    """Open an owner-only file at its end; no symbolic link is followed, for we may be root."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        file = os.open(path, flags, 0o600)
        mode = os.fstat(file).st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            os.fchmod(file, 0o600)
        return open(file, "a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ArgumentsError(
            f"opening the log file {path}: {error.strerror}; give a file in a folder that is there, no link"
        ) from None
