"""What the state keeps of a bucket: positions inside objects, and where the listing of a stream goes on."""

from dataclasses import dataclass
from datetime import date

from awsflow.items import Found


@dataclass(frozen=True, slots=True)
class ObjectPosition:
    """How far an object has been delivered."""

    found: Found
    records: int
    """Records done, from the object's beginning."""
    finished: bool = False
    error: str = ""
    """Why the rest could not be read, if so: the object goes on the failures list, to be tried again."""


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """All of a stream before this day is done, though no object may lie there yet."""

    stream: str
    day: date


@dataclass(frozen=True, slots=True)
class AllListed:
    """Every stream there is was listed, and what was found in them is done."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the state knows of an object."""

    etag: str
    records: int
    finished: bool


@dataclass(frozen=True, slots=True)
class FailedObject:
    """An object of the failures list."""

    stream: str
    key: str
    etag: str
    size: int
    records: int
    """Records delivered before the bad spot."""
    error: str
    first: str
    """First and last attempt, ISO 8601 in UTC."""
    last: str
    attempts: int
    day: date | None = None
    """The date in its key."""
