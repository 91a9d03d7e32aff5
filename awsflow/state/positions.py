"""What the state keeps: positions inside objects, log streams and scans, and where a listing goes on."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self

from awsflow.items import Found

MAX_ATTEMPTS = 3
"""How often an object is tried that cannot be read, until it is given up."""
ALL = 1 << 62
"""`LogPosition.more` where it is not known how many: all that have that time."""


class ObjectPosition(NamedTuple):
    """How far an object has been delivered."""

    found: Found
    records: int
    """Records done, from the object's beginning."""
    finished: bool = False
    error: str = ""
    """Why the rest could not be read, if so: the object goes on the failures list, to be tried again."""
    log_type: str = ""
    """Of what type it was found to be, once it is finished."""
    is_early: bool = False
    """Something of an earlier day is not done: the stream's newest day must not become this one's yet."""
    counts: bool = True
    """Whether that was an attempt to read it: not, while nothing has come that S3 might not refuse of any object."""


class StreamPosition(NamedTuple):
    """All of a stream before this day is done, though no object may lie there yet."""

    stream: str
    day: date


@dataclass(frozen=True, slots=True)
class AllListed:
    """Every stream there is was listed, and what was found in them is done."""


class Remembered(NamedTuple):
    """What the state knows of an object."""

    etag: str
    """Empty: not known, for another program has read it."""
    records: int
    finished: bool
    """Whether a listing passes by it."""
    failed: bool = False
    """Whether that is because it is on the failures list, or was: it has not been delivered."""


class Undeleted(NamedTuple):
    """An object that was delivered and is to be deleted."""

    number: int
    key: str
    etag: str


class FailedObject(NamedTuple):
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
    """Those that count: at `MAX_ATTEMPTS` it is given up."""
    day: date | None = None
    """The date in its key."""


class LogPosition(NamedTuple):
    """How far a log stream has been read: all events from `earliest` on. Times are milliseconds since 1970.

    Late events are told from those that were read by marks, 16 bytes for each event that was read last: its time and
    a digest of it. Before `floor` nothing is remembered; of the events at that very time, `more` have no mark.
    """

    region: str
    group: str
    """Its name or, if it is another account's, its ARN."""
    stream: str
    earliest: int
    latest: int
    """The latest event's time."""
    token: str = ""
    """Leads to what lies behind it; empty if there is none for this very place."""
    asked_from: int | None = None
    """The start time that was sent along with the requests which led to the token."""
    ingested: int | None = None
    """The latest time at which one of the events read had come to AWS; None if that is not known."""
    floor: int = 0
    more: int = 0
    marks: bytes = b""
    """In the order of their times."""
    until: int | None = None
    """None, or where this part of the stream ends: what had been read before begins there."""
    finished: bool = False
    """The end was reached, of the part or the stream; nothing that the stream holds was left out."""

    @classmethod
    def taken_over(cls, region: str, group: str, stream: str, *, token: str, earliest: int, latest: int) -> Self:
        """The position of somebody who has kept nothing but a token and times."""
        return cls(region, group, stream, earliest, latest, token, floor=latest, more=ALL)


class GroupListed(NamedTuple):
    """All streams of a log group were listed, or all whose names begin with `prefix`."""

    region: str
    group: str
    prefix: str = ""
    gone: bool = False
    """Whether the group is not there, or not any more."""


class StreamGone(NamedTuple):
    """A log stream was deleted."""

    region: str
    group: str
    stream: str


class ScanPosition(NamedTuple):
    """How far the findings of a service in a region have been read. Times are milliseconds since 1970."""

    service: str
    region: str
    done: int
    """All findings of before this time are done: the next window, or the one that is being read, begins here."""
    until: int | None = None
    """Where the window ends that is being read; None: none is."""
    token: str = ""
    """Leads to what is left of that window."""
    marks: bytes = b""
    """16 bytes for each finding that may come again: its time and a digest of its ARN; in the order of their times."""
