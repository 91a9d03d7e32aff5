"""What Wazuh says of its own queue: the state files of its engine, on a server, and of its agent.

https://documentation.wazuh.com/current/user-manual/reference/statistics-files/wazuh-analysisd-state.html and
wazuh-agentd-state.html, beside it. Both are rewritten every 5 seconds unless configured otherwise.
"""

import re
import stat
from itertools import chain
from pathlib import Path
from typing import NamedTuple

LARGEST_STATE = 64 << 10
"""Bytes of a state file that are read; a real one has some 3 KiB."""
LARGEST_CONFIG = 1 << 20
"""Bytes of a configuration that are read."""
AGENT_CAPACITY = 5000
"""Events that an agent's buffer holds where nothing is configured."""

_lines = re.compile(r"^([a-z_0-9]+)='([^'\n]*)'$", re.MULTILINE | re.ASCII).findall
_number = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch
_fraction = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,9})?", re.ASCII).fullmatch
_comments = re.compile(r"<!--.*?-->", re.DOTALL)
_buffers = re.compile(r"<client_buffer>(.*?)</client_buffer>", re.DOTALL).findall
_capacities = re.compile(r"<(?:queue_size|length)>\s{0,99}([0-9]{1,9})\s{0,99}</", re.ASCII).findall


class Gauge(NamedTuple):
    """What a receiver's queue held at a moment."""

    at: float
    """Seconds since 1970: when the file was written."""
    held: float
    """Events in the queue."""
    capacity: int
    """Events that it holds at most."""
    received: int
    """Events that the receiver has got since it was started."""
    dropped: int
    """Events that it has dropped since, as far as it says."""


class Gauges:
    """The state files of a Wazuh; the engine's is looked at first: an agent has none."""

    def __init__(self, home: Path) -> None:
        """`home` is the folder that Wazuh lies in."""
        folder = home / "var" / "run"
        self._engine = folder / "wazuh-analysisd.state"
        self._agent = folder / "wazuh-agentd.state"
        self._configs = (home / "etc" / "ossec.conf", home / "etc" / "shared" / "agent.conf")
        self._agent_capacity = 0
        """0: not looked up yet."""

    def newer(self, than: float, fresh_since: float) -> Gauge | None:
        """The gauge, if it was written later than these moments; None if not, or if it cannot be read whole now."""
        for path, gauge_in in ((self._engine, self._engines), (self._agent, self._agents)):
            try:
                status = path.stat()
                if stat.S_ISREG(status.st_mode) and status.st_mtime > than and status.st_mtime >= fresh_since:
                    return gauge_in(status.st_mtime, dict(_lines(_text(path, LARGEST_STATE))))
            except OSError:  # not there, or not for us to read: then there is nothing to go by
                continue
        return None

    def _engines(self, at: float, values: dict[str, str]) -> Gauge | None:
        """What the engine says of the queue that events such as ours wait in."""
        usage = values.get("event_queue_usage", "")
        capacity = _natural(values.get("event_queue_size"))
        if not capacity or not _fraction(usage):
            return None
        received, dropped = (_natural(values.get(name)) or 0 for name in ("events_received", "events_dropped"))
        return Gauge(at, float(usage) * capacity, capacity, received, dropped)

    def _agents(self, at: float, values: dict[str, str]) -> Gauge | None:
        """What an agent says of its buffer. It says nothing where that is switched off, and never from 5.0 on."""
        held = _natural(values.get("msg_buffer"))
        if held is None:
            return None
        if not self._agent_capacity:
            self._agent_capacity = min(chain.from_iterable(map(_configured, self._configs)), default=AGENT_CAPACITY)
        # An agent may be configured elsewhere, too: what it holds, it can hold.
        self._agent_capacity = max(self._agent_capacity, held)
        return Gauge(at, held, self._agent_capacity, _natural(values.get("msg_count")) or 0, 0)


def _configured(path: Path) -> list[int]:
    """The capacities of an agent's buffer in a configuration, which may have several, for different agents."""
    try:
        text = _comments.sub("", _text(path, LARGEST_CONFIG))
    except OSError:
        return []
    numbers = [int(number) for part in _buffers(text) for number in _capacities(part)]
    return [number for number in numbers if number]


def _text(path: Path, size: int) -> str:
    """A file's first `size` bytes."""
    with path.open("rb") as file:
        return file.read(size).decode("utf-8", "replace")


def _natural(text: str | None) -> int | None:
    return int(text) if text and _number(text) else None
