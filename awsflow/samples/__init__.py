"""Sample logs, made up but plausible, for the demo, tests and benchmarks. One module for each log type."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from awsflow.samples import cloudtrail


@dataclass(frozen=True, slots=True)
class Sample:
    """How logs of one type are made up."""

    events: Callable[..., Iterator[Any]]
    """(seed, count, start, account, region): events, the same for the same arguments."""
    document: Callable[[Iterable[Any]], bytes]
    """An object's content: these events as AWS delivers them."""
    key: Callable[..., str]
    """(account, region, when, number): the key that AWS gives such an object."""


SAMPLES = {"cloudtrail": Sample(cloudtrail.events, cloudtrail.document, cloudtrail.key)}
"""By the name of the log type."""
