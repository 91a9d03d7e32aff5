"""Sinks: where records go, and when they are safe there."""

from collections.abc import Callable
from pathlib import Path

from awsflow.errors import ArgumentsError
from awsflow.flow import Sink
from awsflow.items import Record
from awsflow.sinks.file import NdjsonFile
from awsflow.sinks.stdout import StandardOutput
from awsflow.sinks.wazuh import WazuhSocket

__all__ = ["NdjsonFile", "StandardOutput", "WazuhSocket", "sink_named"]


def sink_named(
    text: str,
    default_socket: Path,
    *,
    stop: Callable[[], bool] = lambda: False,
    oversized: Callable[[Record], None] = lambda record: None,
) -> Sink:
    """The sink that `--to` names: `stdout`, `wazuh`, `wazuh:SOCKET` or `file:PATH`; ArgumentsError for others."""
    kind, _, place = text.partition(":")
    if text == "stdout":
        return StandardOutput()
    if kind == "wazuh":
        return WazuhSocket(place or default_socket, stop=stop, oversized=oversized)
    if kind == "file" and place:
        return NdjsonFile(place)
    raise ArgumentsError(f"--to {text}: write stdout, wazuh, wazuh:SOCKET or file:PATH")
