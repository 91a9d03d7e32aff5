"""What a log type is: where its objects lie, how their bytes become events, and in which shape these are sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from awsflow.envelope import common
from awsflow.items import Block, Shape
from awsflow.logtypes.layout import Layout

Decode: TypeAlias = Callable[[Iterator[bytes], str], Iterator[Block]]
"""From the chunks of a decompressed object, and its name, to blocks of events.

A chunk may be empty: time passed. Where the content cannot be read any further, a decoder yields what it had, then
raises DecodeError; what it can pass over becomes an Unreadable in its place.
"""


@dataclass(frozen=True, slots=True)
class LogType:
    """A kind of log. Data, and pure functions."""

    name: str
    """As `--type` has it."""
    layout: Layout
    decode: Decode
    shape: Shape = common
    account: bool = False
    """Whether events carry the account of the path as `aws_account_id`."""
    time_field: str = ""
    """The event's own time, ISO 8601 in UTC; empty: not told."""
    names: str = ""
    """How file names of this type look (a regular expression), for telling logs from other files of a folder."""
