"""Wazuh's queue: a Unix datagram socket, one datagram an event."""

import errno
import select
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from awsflow.errors import QueueDown, SinkError
from awsflow.items import Record
from awsflow.shrink import shrunk

HEADER = b"1:Wazuh-AWS:"
LIMIT = 65_535
"""Bytes of a datagram, with its header, that Wazuh's engine reads; it cuts off the rest."""
SMALLEST_LIMIT = 4096
"""A kernel that takes less in a datagram is of no use."""
WENT_AWAY = frozenset(
    {errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE, errno.ECONNABORTED}
)
FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
GRACE = 5.0
"""Seconds for which a full queue is still waited for once somebody asked to stop."""
LOOK_UP = 0.2
"""Seconds of waiting after which it is asked again whether to stop."""


class WazuhSocket:
    """Sends each record's body behind the header that Wazuh expects, over one connection for the whole run.

    What `send` has taken lies in the queue's own memory: "flushed" means that it is there. A full queue is waited for
    as long as it takes; one that went away, because the engine restarts, is tried again for `timeout` seconds, then
    QueueDown. Events that do not fit into a datagram are shrunk, and `oversized` is given them whole. The queue is
    opened with the first event: a run that has none needs no queue.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        timeout: float = 30.0,
        stop: Callable[[], bool] = lambda: False,
        oversized: Callable[[Record], None] = lambda record: None,
    ) -> None:
        self._path = Path(path)
        self._timeout = timeout
        self._stop = stop
        self._oversized = oversized
        self._limit = LIMIT
        self._socket: socket.socket | None = None

    def write(self, records: Sequence[Record]) -> None:
        """Send each record. QueueDown or SinkError if that does not work; those before it are sent."""
        if not records:
            return
        send = (self._socket or self._connected()).send
        for record in records:
            assert isinstance(record.event, bytes)  # noqa: S101 - for the type checker: an encoding stage came before
            datagram = HEADER + record.event
            if len(datagram) > self._limit:
                self._oversized(record)
                datagram = HEADER + shrunk(record.event, self._limit - len(HEADER))
            try:
                send(datagram)
            except OSError as error:
                self._send_after(error, record, datagram)
                send = (self._socket or self._connected()).send

    def flush(self) -> None:
        """Nothing is held back: what was sent is in the queue."""

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_after(self, error: OSError, record: Record, datagram: bytes) -> None:
        """Send a datagram that was refused, when what stands against it has passed."""
        stopped_at = None
        while True:
            if error.errno in WENT_AWAY:
                self.close()
                self._connected()
            elif error.errno in FULL:
                now = time.monotonic()
                if self._stop():
                    stopped_at = now if stopped_at is None else stopped_at
                    if now - stopped_at >= GRACE:
                        raise QueueDown(f"sending to {self._path}: the queue is full, and this run was asked to stop")
                self._wait_for_room(error.errno)
            elif error.errno == errno.EMSGSIZE:
                datagram = self._smaller(record, datagram)
            else:
                raise SinkError(f"sending to {self._path}: {error.strerror}; check what listens there") from error
            try:
                (self._socket or self._connected()).send(datagram)
            except OSError as again:
                error = again
            else:
                return

    def _wait_for_room(self, number: int | None) -> None:
        """Return when the queue may have room again, or after a moment."""
        if number != errno.EAGAIN or self._socket is None:
            time.sleep(0.01)  # the kernel is out of buffers, and nothing tells when it has some again
            return
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        poll.poll(LOOK_UP * 1000)

    def _smaller(self, record: Record, datagram: bytes) -> bytes:
        """The datagram in a size that this kernel may take: it takes less than Wazuh, by its `wmem_max`."""
        assert isinstance(record.event, bytes)  # noqa: S101 - see write
        if len(datagram) == len(HEADER) + len(record.event):
            self._oversized(record)
        self._limit = min(self._limit, len(datagram)) * 3 // 4
        if self._limit < SMALLEST_LIMIT:
            raise SinkError(
                f"sending to {self._path}: this kernel refuses datagrams of {len(datagram)} bytes; "
                "raise net.core.wmem_max"
            )
        return HEADER + shrunk(record.event, self._limit - len(HEADER))

    def _connected(self) -> socket.socket:
        """Connect to the queue, trying for as long as it may take the engine to restart."""
        give_up = time.monotonic() + self._timeout
        pause = 0.05
        while True:
            try:
                self._socket = _connection(self._path)
            except OSError as error:
                if error.errno not in WENT_AWAY:
                    raise SinkError(
                        f"connecting to {self._path}: {error.strerror}; it must be a Unix datagram socket that "
                        "this user may write to"
                    ) from error
                if time.monotonic() >= give_up or self._stop():
                    raise QueueDown(
                        f"connecting to {self._path}: {error.strerror}; is Wazuh running? Nothing of what was not sent "
                        "is lost: the next run sends it"
                    ) from error
                time.sleep(min(pause, max(give_up - time.monotonic(), 0)))  # back-off: the engine restarts
                pause = min(pause * 2, 1.0)
            else:
                return self._socket


def _connection(path: Path) -> socket.socket:
    """A connection that never blocks."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        connection.setblocking(False)
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection
