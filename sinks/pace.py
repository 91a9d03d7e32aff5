"""Pace: a cap on events per second, by a token bucket."""

import fcntl
import os
import time
from collections.abc import Callable, Generator, Iterable
from mmap import mmap
from typing import Self, TypeVar

from awsflow.errors import ArgumentsError

T = TypeVar("T")

LOOK_UP = 0.2
"""Seconds of waiting after which it is asked again whether to stop."""


class Pace:
    """Lets `per_second` records through on average; after a rest, one second's worth at once, but one at least.

    Processes that are forked keep the pace together.

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
        self._next = _Shared(clock() - self._saved)
        """When there is a token for the next record."""

    def paced(self, records: Iterable[T]) -> Generator[T, None, None]:
        """The records, or what stands for them, each when its turn has come."""
        for record in records:
            self._wait()
            yield record

    def _wait(self) -> None:
        now = self._clock()
        with self._next as moment:
            turn = max(moment.value, now - self._saved)
            moment.value = turn + self._interval
        while now < turn and not self._stop():
            self._sleep(min(turn - now, LOOK_UP))
            now = self._clock()


class _Shared:
    """A number that this process and those that are forked from it have in common; one of them at a time enters.

    The lock is the kernel's, so that a process which dies lets go of it.
    """

    def __init__(self, value: float) -> None:
        self._file = os.memfd_create("awsflow-pace")
        os.ftruncate(self._file, 8)
        self._memory = memoryview(mmap(self._file, 8)).cast("d")
        self.value = value

    @property
    def value(self) -> float:
        """The number."""
        return float(self._memory[0])

    @value.setter
    def value(self, value: float) -> None:
        self._memory[0] = value

    def __enter__(self) -> Self:
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *raised: object) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __del__(self) -> None:
        os.close(self._file)
