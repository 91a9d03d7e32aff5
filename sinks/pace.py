"""Pace: a cap on events per second, by a token bucket."""

import time
from collections.abc import Callable, Generator, Iterable

from awsflow.errors import ArgumentsError
from awsflow.items import Record

LOOK_UP = 0.2
"""Seconds of waiting after which it is asked again whether to stop."""


class Pace:
    """Lets `per_second` records through on average; after a rest, one second's worth at once, but one at least.

    Once somebody has asked to stop nothing is held up any more: the rest of a batch, sent at once, is better than
    the batch sent twice.
    """

    def __init__(
        self,
        per_second: float,
        *,
        stop: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < per_second < float("inf"):
            raise ArgumentsError(f"a cap of {per_second} events per second: give a number above 0")
        self._interval = 1 / per_second
        self._saved = max(1 - self._interval, 0.0)
        """Seconds for which tokens are kept: with the one that comes next they are one second's worth."""
        self._stop = stop
        self._clock = clock
        self._sleep = sleep
        self._next = clock() - self._saved
        """When there is a token for the next record."""

    def paced(self, records: Iterable[Record]) -> Generator[Record, None, None]:
        """The records, each when its turn has come."""
        for record in records:
            self._wait()
            yield record

    def _wait(self) -> None:
        now = self._clock()
        self._next = max(self._next, now - self._saved)
        while now < self._next and not self._stop():
            self._sleep(min(self._next - now, LOOK_UP))
            now = self._clock()
        self._next += self._interval
