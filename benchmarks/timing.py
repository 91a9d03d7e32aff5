"""Parts of awsflow alone: CPU time of what happens between two looks at the clock, and how it is told."""

import json
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


class Stopwatches:
    """CPU seconds of this thread, by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Measure what the block does."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.thread_time() - started

    def around(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """The items; measure what it takes to get each of them."""
        them = iter(items)
        while True:
            with self.running(name):
                try:
                    item = next(them)
                except StopIteration:
                    return
            yield item


def tell(name: str, seconds: float, events: int, size: int = 0) -> None:
    """Print a line that `benchmarks.claims` reads."""
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"what": name, "cpu": seconds, "events": events, "bytes": size, "rss": rss}), flush=True)
