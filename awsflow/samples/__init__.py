"""Sample logs, made up but plausible, for the demo, tests and benchmarks. One module for each log type."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from awsflow.samples import cloudtrail


@dataclass(frozen=True, slots=True)
class Sample:
    """How logs of one type are made up."""

    events: Callable[..., Iterator[Any]]
    """(seed, count, start, account, region): events, the same for the same arguments; text, or what JSON is made of."""
    write: Callable[[BinaryIO, Iterable[Any]], None]
    """Write an object's content, these events as AWS delivers them, however many."""
    key: Callable[..., str]
    """(account, region, when, number): the key that AWS gives such an object; `number` tells apart those of a minute."""

    def document(self, events: Iterable[Any]) -> bytes:
        """An object's content."""
        out = io.BytesIO()
        self.write(out, events)
        return out.getvalue()


SAMPLES = {"cloudtrail": Sample(cloudtrail.events, cloudtrail.write, cloudtrail.key)}
"""By the name of the log type."""
