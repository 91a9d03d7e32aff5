"""Wazuh as a collector meets it: a home folder with a queue, a real Unix datagram socket that somebody reads."""

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HEADER = b"1:Wazuh-AWS:"


class Wazuh:
    """A listening queue. What arrived is in `bodies`, without the header that every datagram must have."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "queue" / "sockets" / "queue"
        self.bodies: list[bytes] = []
        self._stop = threading.Event()
        self._arrived = threading.Condition()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(0.05)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.shutdown(socket.SHUT_RD)  # takes no more, and lets go of nothing that it has
        with suppress(TimeoutError):
            while True:
                self._keep(self._socket.recv(1 << 17))
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def events(self) -> list[Any]:
        """What has arrived so far, as JSON. Call it when the sender has ended: what it sent is in the queue then."""
        self._drain()
        return [json.loads(body) for body in self.bodies]

    def take(self) -> list[bytes]:
        """The bodies that arrived since the last call."""
        self._drain()
        taken, self.bodies = self.bodies, []
        return taken

    def wait_for(self, count: int, seconds: float = 30.0) -> None:
        """Return when so many bodies have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.bodies) >= count, seconds), f"only {len(self.bodies)} came"

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._keep(self._socket.recv(1 << 17))
            except TimeoutError:
                continue

    def _drain(self) -> None:
        """Wait until the queue has been empty for a moment, which it only is when all has been read."""
        while True:
            before = len(self.bodies)
            threading.Event().wait(0.12)
            if len(self.bodies) == before:
                return

    def _keep(self, datagram: bytes) -> None:
        assert datagram.startswith(HEADER), datagram[:40]
        with self._arrived:
            self.bodies.append(datagram[len(HEADER) :])
            self._arrived.notify_all()
