"""Wazuh's state files as its engine and its agent write them, and an engine that drops what finds its queue full."""

import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self


def write_engine_state(
    home: Path, *, held: float, capacity: int, received: int = 0, dropped: int = 0, at: float | None = None
) -> None:
    """What a server's engine writes; `at` is when, if not now."""
    _write(
        home / "var" / "run" / "wazuh-analysisd.state",
        f"""# State file for wazuh-analysisd

# Total events decoded
total_events_decoded='{received - dropped}'

# Events received
events_received='{received}'

# Events dropped
events_dropped='{dropped}'

# Syscheck queue
syscheck_queue_usage='0.12'

# Event queue
event_queue_usage='{held / capacity:.2f}'

# Event queue size
event_queue_size='{capacity}'

# Rule matching queue
rule_matching_queue_usage='0.00'
""",
        at,
    )


def write_agent_state(home: Path, *, held: int | str, received: int = 0, at: float | None = None) -> None:
    """What an agent writes; an empty text is what it says where its buffer is disabled."""
    _write(
        home / "var" / "run" / "wazuh-agentd.state",
        f"""# State file for wazuh-agentd
status='connected'

# Last time a keepalive was sent
last_keepalive='2026-11-23 12:18:37'

# Number of generated events
msg_count='{received}'

# Number of messages (events + control messages) sent to the manager
msg_sent='12928'

# Number of events currently buffered
# Empty if anti-flooding mechanism is disabled
msg_buffer='{held}'
""",
        at,
    )


def _write(path: Path, text: str, at: float | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if at is not None:
        os.utime(path, (at, at))


class SlowEngine:
    """Reads Wazuh's socket as fast as it can into a queue, which it works off at its own pace; the rest is lost.

    Its state file is written every `interval` seconds. Its socket fills no faster than it is read, so an engine that
    this machine gives no time to loses no more than one that has all it needs.
    """

    def __init__(self, home: Path, *, capacity: int, per_second: float, interval: float) -> None:
        self.path = home / "queue" / "sockets" / "queue"
        self.per_second = per_second
        self.received = 0
        self.dropped = 0
        self._home = home
        self._capacity = capacity
        self._interval = interval
        self._held = 0.0
        self._stop = threading.Event()
        self.path.parent.mkdir(parents=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(0.005)
        self._write_state()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _live(self) -> None:
        now = time.monotonic()
        due = now + self._interval
        while not self._stop.is_set():
            before, now = now, time.monotonic()
            self._held = max(self._held - (now - before) * self.per_second, 0.0)
            if now >= due:
                due = now + self._interval
                self._write_state()
            try:
                self._socket.recv(1 << 17)
            except TimeoutError:
                continue
            self.received += 1
            if self._held + 1 > self._capacity:
                self.dropped += 1
            else:
                self._held += 1

    def _write_state(self) -> None:
        write_engine_state(
            self._home, held=self._held, capacity=self._capacity, received=self.received, dropped=self.dropped
        )
