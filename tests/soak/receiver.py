"""Wazuh's queue as it is when things go wrong: it goes away and comes back, and sometimes nobody reads it."""

import re
import socket
import threading
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

MARK = re.compile(rb"soak-[a-z]+-\d+")
"""What every event has in it, once: its place and number."""


class Receiver:
    """Counts the marks of what arrives. What a sender was told to be in the queue is never thrown away."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.seen: Counter[str] = Counter()
        self.by_place: Counter[str] = Counter()
        self._path = home / "queue" / "sockets" / "queue"
        self._path.parent.mkdir(parents=True)
        self._over = threading.Event()
        self._may_read = threading.Event()
        self._may_read.set()
        self._wanted = True
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.back()
        self.read()
        self._over.set()
        self._thread.join()

    def away(self) -> None:
        """Nobody listens any more."""
        self._wanted = False

    def back(self) -> None:
        """Somebody listens again."""
        self._wanted = True

    def stall(self) -> None:
        """Nobody reads, so that the queue fills."""
        self._may_read.clear()

    def read(self) -> None:
        """Go on reading."""
        self._may_read.set()

    def _live(self) -> None:
        while not self._over.is_set():
            if not self._wanted:
                self._over.wait(0.02)
                continue
            self._path.unlink(missing_ok=True)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as queue:
                queue.bind(str(self._path))
                queue.settimeout(0.05)
                while self._wanted and not self._over.is_set():
                    self._may_read.wait(5)
                    self._take(queue)
                # no more is taken from senders; what was taken is still read: the engine ends in good order
                self._path.unlink()
                queue.shutdown(socket.SHUT_RD)
                while self._take(queue):
                    pass

    def _take(self, queue: socket.socket) -> bool:
        try:
            datagram = queue.recv(1 << 17)
        except TimeoutError:
            return False
        found = MARK.findall(datagram)
        if found:
            mark = found[0].decode()
            self.seen[mark] += 1
            self.by_place[mark.split("-")[1]] += 1
        return bool(datagram)
