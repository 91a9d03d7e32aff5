"""A rate of requests: a token bucket that several threads share."""

import threading
import time
from collections.abc import Callable

from awsflow.errors import ArgumentsError


class Rate:
    """Lets `per_second` requests pass on average; after a rest a fifth of them at once, but one at least."""

    def __init__(
        self,
        per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < per_second < float("inf"):
            raise ArgumentsError(f"a rate of {per_second} requests per second: give a number above 0")
        self._interval = 1 / per_second
        self._saved = max(0.2 - self._interval, 0.0)
        """Seconds for which tokens are kept, besides the one that comes next."""
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock() - self._saved
        """When there is a token for the next request."""

    def wait(self) -> None:
        """Return when a request may be sent. Who comes first is served first."""
        with self._lock:
            now = self._clock()
            self._next = max(self._next, now - self._saved)
            pause = self._next - now
            self._next += self._interval
        if pause > 0:
            self._sleep(pause)
