"""Wazuh's queue: a Unix datagram socket, one datagram an event."""

import errno
import os
import socket
import stat
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, compress, repeat
from operator import length_hint
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeGuard

from awsflow.errors import QueueDown, SinkError
from awsflow.items import Record, bodies_together
from awsflow.joined import Joined
from awsflow.shrink import shrunk
from awsflow.sinks.gauged_pace import LOOK, GaugedPace
from awsflow.sinks.gauges import Gauges
from awsflow.sinks.pace import Pace

Oversize: TypeAlias = Literal["shrink", "dead-letter", "send"]
"""What becomes of an event that does not fit: cut until it fits, not sent at all, or sent as it is."""
Pacing: TypeAlias = Literal["auto", "off"]
"""By Wazuh's own gauges, where it has some; or not at all."""

QUEUE = ("queue", "sockets", "queue")
"""Where the queue lies in Wazuh's home."""
HEADER = b"1:Wazuh-AWS:"
LIMIT = 65_535
"""Bytes of a datagram, with its header, that Wazuh's engine reads; it cuts off the rest."""
SMALLEST_LIMIT = 2048
"""A kernel that takes less in a datagram is of no use."""
WENT_AWAY = frozenset(
    {errno.ECONNREFUSED, errno.ENOENT, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE, errno.ECONNABORTED}
)
OUT_OF_MEMORY = frozenset({errno.ENOBUFS, errno.ENOMEM})
GRACE = 5.0
"""Seconds for which a full queue is still waited for once somebody asked to stop."""
LOOK_UP = 200_000
"""Microseconds that the kernel waits for room in the queue before it is asked again whether to stop."""
MOMENT = 0.01
"""Seconds to wait for a kernel that is out of memory, for nothing tells when it has some again."""


class WazuhSocket:
    """Sends each record's body behind the header that Wazuh expects, over one connection for the whole run.

    What `send` has taken lies in the queue's own memory: "flushed" means that it is there. A full queue is waited for
    as long as it takes; one that went away, because the engine restarts, is tried again for `timeout` seconds, then
    QueueDown. An event that does not fit into a datagram is given to `oversized`, whole, and shrunk, unless `oversize`
    says "dead-letter", which sends nothing of it, or "send": then it is sent as it is, and treated like the others
    only if the kernel refuses it. The queue is opened with the first event: a run that has none needs no queue.

    The socket takes events faster than Wazuh can deal with them, and what finds Wazuh's own queue full is dropped
    there. So, with a `pace` of "auto" and the queue in its place in Wazuh's home, events are held back while the state
    files there say that this would come; `waited` is told for how many seconds, `note` that it begins. They are looked
    at every `look` seconds. `max_eps` caps the events per second besides.
    """

    head = HEADER
    """What is sent before each event, where it does not stand there already."""

    def __init__(
        self,
        path: Path | str,
        *,
        timeout: float = 30.0,
        stop: Callable[[], bool] = lambda: False,
        oversized: Callable[[Record], None] = lambda record: None,
        oversize: Oversize = "shrink",
        max_eps: float | None = None,
        pace: Pacing = "auto",
        look: float = LOOK,
        waited: Callable[[float], None] = lambda seconds: None,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = Path(path)
        self._timeout = timeout
        self._stop = stop
        self._stopped_at: float | None = None
        self._oversized = oversized
        self._oversize = oversize
        self._clock = clock
        self._sleep = sleep
        self._cap = None if max_eps is None else Pace(max_eps, stop=stop, clock=clock, sleep=sleep)
        self._pace: GaugedPace | None = None
        if pace == "auto" and self._path.parts[-len(QUEUE) :] == QUEUE:
            self._pace = GaugedPace(
                Gauges(self._path.parents[len(QUEUE) - 1]),
                check=self._check_grace,
                waited=waited,
                note=note,
                look=look,
                clock=clock,
                sleep=sleep,
            )
        self._whole = sys.maxsize if oversize == "send" else LIMIT
        """Bytes of a datagram up to which an event is sent as it is."""
        self._limit = LIMIT
        """Bytes of a datagram that an event is shrunk to."""
        self._socket: socket.socket | None = None

    def write(self, records: Sequence[Record]) -> None:
        """Send each record. QueueDown or SinkError if that does not work; those before it are sent."""
        if self._pace is None:
            self._write(records)
            return
        for share in self._pace.shares(records):
            self._write(share)

    def _write(self, records: Sequence[Record]) -> None:
        send = self._send if self._socket is None else self._socket.send
        whole = self._whole
        together = bodies_together(records)
        left: Iterator[Any]
        # The closer they follow on each other, the less often has the queue's reader fallen asleep in between, and to
        # wake it costs more than all else here.
        ready = [some for some in together if _are_ready(some) and some.longest <= whole]
        if self._cap is None and len(ready) == len(together):
            left = repeat(True, len(records))
            datagrams: Iterator[bytes] = compress(chain.from_iterable(map(Joined.lines, ready)), left)
            try:
                deque(map(send, datagrams), maxlen=0)  # without a step of Python's in between
            except OSError as error:
                record = _before(left, records)
                self._send_after(error, record, HEADER + _body(record()))
                send, whole = self._send, self._whole
        else:
            left = datagrams = iter([datagram for some in together for datagram in _datagrams(some)])
        for datagram in datagrams if self._cap is None else self._cap.paced(datagrams):
            if len(datagram) > whole and not (datagram := self._fitting(_before(left, records))):
                continue
            try:
                send(datagram)
            except OSError as error:
                self._send_after(error, _before(left, records), datagram)
                send, whole = self._send, self._whole

    def among(self, senders: int) -> None:
        """Be one of so many processes that send to this queue, each over a connection of its own, at one pace."""
        if self._pace is not None:
            self._pace.among(senders)

    def flush(self) -> None:
        """Nothing is held back: what was sent is in the queue."""

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, datagram: bytes) -> int:
        """Send over the connection, made anew if there is none."""
        if self._socket is None:
            self._socket = _connection(self._path)
        return self._socket.send(datagram)

    def _send_after(self, error: OSError, record: Callable[[], Record], datagram: bytes) -> None:
        """Send a record's datagram that was refused, when what stands against it has passed."""
        pauses = _pauses(self._timeout)  # for all that is tried for this datagram, however often the queue comes back
        while True:
            if error.errno == errno.EMSGSIZE or (error.errno in OUT_OF_MEMORY and len(datagram) > LIMIT):
                datagram = self._smaller(record, datagram, error)
                if not datagram:
                    return
            elif error.errno in OUT_OF_MEMORY or error.errno == errno.EAGAIN:
                self._check_grace()
                if error.errno != errno.EAGAIN:
                    self._sleep(MOMENT)
            elif error.errno in WENT_AWAY and not _is_no_socket(self._path):
                self.close()
                pause = next(pauses, None)
                if pause is None or (pause and self._stop()):
                    raise QueueDown(
                        f"sending to {self._path}: {error.strerror}; is Wazuh running? Nothing of what was not sent "
                        "is lost: the next run sends it"
                    ) from error
                self._sleep(pause)
            else:
                raise SinkError(
                    f"sending to {self._path}: {error.strerror or error}; it must be a Unix datagram socket that this "
                    "user may write to"
                ) from error
            try:
                self._send(datagram)
            except OSError as again:
                error = again
            else:
                return

    def _check_grace(self) -> None:
        """Go on waiting for a full queue, but not for long once somebody has asked to stop."""
        if not self._stop():
            return
        now = self._clock()
        if self._stopped_at is None:
            self._stopped_at = now
        if now - self._stopped_at >= GRACE:
            raise QueueDown(
                f"sending to {self._path}: the queue is full, and this run was asked to stop; the next run goes on"
            )

    def _smaller(self, record: Callable[[], Record], datagram: bytes, error: OSError) -> bytes:
        """A datagram in a size that this kernel may take, of which it has refused another one; empty for none."""
        size = len(datagram)
        if error.errno == errno.EMSGSIZE:
            self._whole = min(self._whole, size - 1)
        if size <= LIMIT:
            self._limit = size * 3 // 4
            if self._limit < SMALLEST_LIMIT:
                raise SinkError(
                    f"sending to {self._path}: this kernel refuses datagrams of {size} bytes; raise "
                    "net.core.wmem_default and net.core.wmem_max"
                ) from error
        return self._fitting(record, told=size != len(HEADER) + len(_body(record())))

    def _fitting(self, record: Callable[[], Record], *, told: bool = False) -> bytes:
        """The datagram to send in place of one that is too large; empty if none is to be sent."""
        whole = record()
        if not told:
            self._oversized(whole)
        if self._oversize == "dead-letter":
            return b""
        return HEADER + shrunk(_body(whole), self._limit - len(HEADER))


def _are_ready(together: Sequence[bytes]) -> TypeGuard[Joined]:
    """Whether the lines of several events are their datagrams."""
    return together.__class__ is Joined and together.head == HEADER


def _datagrams(together: Sequence[bytes]) -> Iterable[bytes]:
    """The datagrams of several events."""
    return together.lines() if _are_ready(together) else [HEADER + body for body in together]


def _body(record: Record) -> bytes:
    assert isinstance(record.event, bytes)  # noqa: S101 - for the type checker: an encoding stage came before
    return record.event


def _before(left: Iterator[Any], records: Sequence[Record]) -> Callable[[], Record]:
    """What gets the record right before those that are left: the last ones, so many."""
    return partial(records.__getitem__, -1 - length_hint(left))


def _connection(path: Path) -> socket.socket:
    """A connection that waits in the kernel while the queue is full, which costs less than asking, but not for ever."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        connection.settimeout(None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 0, LOOK_UP))
        connection.connect(os.fspath(path))
    except OSError:
        connection.close()
        raise
    return connection


def _pauses(seconds: float) -> Iterator[float]:
    """How long to wait before each try: not at all, then longer and longer, `seconds` in all."""
    yield 0.0
    pause = 0.05
    while seconds > 0:
        pause = min(pause, seconds)
        yield pause
        seconds -= pause
        pause = min(pause * 2, 1.0)


def _is_no_socket(path: Path) -> bool:
    """Whether something else lies there: the kernel says of it, too, that nobody listens."""
    try:
        return not stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
