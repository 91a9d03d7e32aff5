"""Sinks: where records go, and when they are safe there."""

from collections.abc import Callable
from pathlib import Path

from awsflow.errors import ArgumentsError
from awsflow.flow import Sink
from awsflow.items import Record
from awsflow.sinks.file import NdjsonFile
from awsflow.sinks.stdout import StandardOutput
from awsflow.sinks.wazuh import Oversize, Pacing, WazuhSocket

__all__ = ["NdjsonFile", "StandardOutput", "WazuhSocket", "sink_named"]


def sink_named(
    text: str,
    default_socket: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
    oversized: Callable[[Record], None] = lambda record: None,
    oversize: Oversize = "shrink",
    max_eps: float | None = None,
    pace: Pacing = "auto",
    waited: Callable[[float], None] = lambda seconds: None,
    note: Callable[[str], None] = lambda text: None,
    timeout: float = 30.0,
    rotate_at: int | None = None,
) -> Sink:
    """The sink that `--to` names: `stdout`, `wazuh`, `wazuh:SOCKET` or `file:PATH`; ArgumentsError for others.

    Each takes of the rest what it has a use for: files `rotate_at`, in bytes, and Wazuh's queue all the others.
    """
    kind, _, place = text.partition(":")
    if text == "stdout":
        return StandardOutput()
    if kind == "wazuh":
        return WazuhSocket(
            place or default_socket,
            timeout=timeout,
            stop=stop,
            oversized=oversized,
            oversize=oversize,
            max_eps=max_eps,
            pace=pace,
            waited=waited,
            note=note,
        )
    if kind == "file" and place:
        return NdjsonFile(place, rotate_at=rotate_at)
    raise ArgumentsError(f"--to {text}: write stdout, wazuh, wazuh:SOCKET or file:PATH")
