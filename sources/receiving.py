"""Receiving messages in a thread, a little ahead of whoever reads what they name."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from awsflow.sources.sqs_calls import AT_ONCE, Received

IN_FLIGHT = 500
"""Messages that are received and not yet done with, at most; a batch more may come on top."""
IN_FLIGHT_SIZE = 16 << 20
"""Bytes of their bodies, likewise."""
AHEAD = AT_ONCE
"""Messages that wait for their reader, likewise: what lies here is kept from others who might have time for it."""


class Receiver:
    """Long-polls until the queue is empty; for ever, if told to `follow`.

    Empty means that `wait` seconds brought nothing, or only messages that this run has failed with before: those
    come back again and again, and must not keep a run from ending. A queue `in_groups` (FIFO) hides messages behind
    those that are in flight: it is empty only when none is.
    """

    def __init__(
        self,
        receive: Callable[[], Sequence[Received]],
        *,
        wait: float,
        follow: bool,
        in_groups: bool = False,
        hold: Callable[[str], None],
        give_back: Callable[[Sequence[str]], None],
        failed_before: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`hold` is called with the receipt of each message as it comes, `give_back` with those that nobody wants."""
        self._receive = receive
        self._wait = wait
        self._follow = follow
        self._in_groups = in_groups
        self._hold = hold
        self._give_back = give_back
        self._failed_before = failed_before
        self._clock = clock
        self._waiting: deque[Received] = deque()
        self._in_flight = 0
        self._size = 0
        self._over = False
        self._closed = False
        self._error: Exception | None = None
        self._at_last: Callable[[], None] | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._poll, name="awsflow-receive", daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether no message will come any more."""
        with self._changed:
            return self._over and not self._waiting and self._error is None

    def next(self, patience: float) -> Received | None:
        """The next message; None if none has come in so many seconds. Raises what receiving has raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over, patience)
            if self._waiting:
                self._changed.notify_all()
                return self._waiting.popleft()
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            return None

    def release(self, size: int) -> None:
        """A message with a body of this size is done with."""
        with self._changed:
            self._in_flight -= 1
            self._size -= size
            self._changed.notify_all()

    def stop(self) -> list[str]:
        """Receive no more; return the receipts of the messages that nobody has taken."""
        with self._changed:
            self._closed = True
            left = [message.receipt for message in self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
        return left

    def at_last(self, act: Callable[[], None]) -> None:
        """Do this when the thread has ended, which may be waiting for messages: now, or there."""
        with self._changed:
            if not self._over:
                self._at_last = act
                return
        act()

    def _poll(self) -> None:
        """The thread's life."""
        try:
            self._receive_all()
        except Exception as error:  # noqa: BLE001 - raised again where the next message is asked for
            self._error = error
        finally:
            with self._changed:
                self._over = True
                at_last = self._at_last
                self._changed.notify_all()
            if at_last is not None:
                at_last()

    def _receive_all(self) -> None:
        quiet_since: float | None = None
        while self._has_room():
            asked = self._clock()
            may_hide = self._in_groups and self._in_flight > 0
            messages = self._receive()
            if any(not self._failed_before(message.id) for message in messages):
                quiet_since = None
            else:
                quiet_since = asked if quiet_since is None else quiet_since
                is_empty = not messages or self._clock() - quiet_since >= self._wait
                if is_empty and not self._follow and not may_hide:
                    return
            self._take(messages)

    def _has_room(self) -> bool:
        """Wait until another batch may be received; False if none is wanted any more."""

        def may() -> bool:
            return self._closed or (
                self._in_flight < IN_FLIGHT and self._size < IN_FLIGHT_SIZE and len(self._waiting) <= AHEAD
            )

        with self._changed:
            self._changed.wait_for(may)
            return not self._closed

    def _take(self, messages: Sequence[Received]) -> None:
        with self._changed:
            closed = self._closed
            if not closed:
                for message in messages:
                    self._hold(message.receipt)
                self._in_flight += len(messages)
                self._size += sum(len(message.body) for message in messages)
                self._waiting.extend(messages)
                self._changed.notify_all()
        if closed and messages:
            self._give_back([message.receipt for message in messages])
