"""What a log type is: where its objects lie, how their bytes become events, and in which shape these are sent."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from awsflow.envelope import common
from awsflow.items import Envelope, RowsOrBlock, Shape
from awsflow.logtypes.layout import Layout, Place

Decode: TypeAlias = Callable[[Iterator[bytes], str], Iterator[RowsOrBlock]]
"""From the chunks of a decompressed object, and its key, to blocks of events.

A chunk may be empty: time passed. Where the content cannot be read any further, a decoder yields what it had, then
raises DecodeError; what it can pass over becomes an Unreadable in its place.
"""


@dataclass(frozen=True, slots=True)
class LogType:
    """A kind of log. Data, and pure functions."""

    name: str
    """As `--type` has it."""
    what: str
    """In a few words, for `awsflow types`."""
    format: str
    """The page that the format comes from."""
    layouts: tuple[Layout, ...]
    """Where the objects lie: all of these places are searched."""
    decode: Decode
    exclusive: bool = False
    """Whether what lies in other places is of other types, where anything lies in the folders of accounts."""
    shape: Shape = common
    account: bool = False
    """Whether events carry the account of the path as `aws_account_id`."""
    envelope: Envelope = "bucket"
    time_field: str = ""
    """The event's own time, ISO 8601 in UTC; empty: not told."""
    names: str = ""
    """How keys of this type look (a regular expression that is searched for); asked where anything may lie beside."""
    others: str = ""
    """How keys look that are none of this type's, though they lie where its objects do."""
    looks_like: Callable[[bytes], object] = lambda head: False
    """Whether the first bytes of a decompressed object are of this type: for `--type auto`."""
    wanted: bool = True
    """Whether `--type auto` collects it; what only proves that logs are whole is collected when asked for by name."""
    check: Callable[[Place], None] = lambda place: None
    """UnknownType where a place cannot hold logs of this type."""

    def base(self, place: Place) -> str:
        """The prefix that names a bucket's logs of this type in the state and in messages."""
        return self.layouts[0].base(place)

    def may_have(self, key: str) -> bool:
        """Whether a key that lies where this type's do is one of them."""
        return not self.others or re.search(self.others, key) is None

    def has(self, key: str) -> bool:
        """Whether a key, wherever it lies, looks like one of this type's."""
        return self.may_have(key) and (not self.names or re.search(self.names, key) is not None)
