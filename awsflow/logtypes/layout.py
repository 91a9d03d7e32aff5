"""Layouts: where the objects of a log type lie in a bucket, and the days in their keys.

A bucket is searched stream by stream. A stream is a key prefix that has a position of its own in the state, such as
the folder of one account and region.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

_day_folder = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})/").match
_account = re.compile(r"(?:^|/)AWSLogs/(?:[^/]+/)*?(\d{12})/").search
is_account = re.compile(r"\d{12}", re.ASCII).fullmatch
"""Whether a folder's name is an account's id."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a bucket the user says that logs lie. Empty: not said."""

    prefix: str = ""
    suffix: str = ""
    """Between `AWSLogs/` and the organization or account."""
    organization: str = ""
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class Layout(Protocol):
    """How the keys of a log type are made."""

    def base(self, place: Place) -> str:
        """The prefix of all keys."""
        ...

    def streams(self, place: Place, folders: Callable[[str], Iterator[str]]) -> Iterator[str]:
        """The streams of a place. `folders` lists the names of the folders right below a prefix."""
        ...

    def listings(self, stream: str, since: date, until: date) -> Iterator[tuple[str, str]]:
        """What to list for the objects from a day on, in their order: each a prefix and the key to start after."""
        ...

    def day(self, key: str, stream: str) -> date | None:
        """The day in a key of this stream; None if it is no log of this type."""
        ...


@dataclass(frozen=True, slots=True)
class AwsLogs:
    """`PREFIX AWSLogs/ SUFFIX [ORGANIZATION/] ACCOUNT/ SERVICE/ REGION/ YYYY/MM/DD/`, as most AWS services write."""

    service: str

    def base(self, place: Place) -> str:
        """The folder of the accounts."""
        return f"{place.prefix}AWSLogs/{place.suffix}{place.organization + '/' if place.organization else ''}"

    def streams(self, place: Place, folders: Callable[[str], Iterator[str]]) -> Iterator[str]:
        """Each account's regions, those given or those that are there."""
        base = self.base(place)
        accounts: Iterable[str] = place.accounts or filter(is_account, folders(base))
        for account in accounts:
            regions = f"{base}{account}/{self.service}/"
            for region in place.regions or folders(regions):
                yield f"{regions}{region}/"

    def listings(self, stream: str, since: date, until: date) -> Iterator[tuple[str, str]]:
        """One listing: the order of the keys is the order of the days."""
        yield stream, f"{stream}{since:%Y/%m/%d}/"

    def day(self, key: str, stream: str) -> date | None:
        """The day of the date folder."""
        if key.endswith("/") or not (found := _day_folder(key, len(stream))):
            return None
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            return None


def account_in(path: str) -> str:
    """The account in a key or path that has `AWSLogs/` in it; empty if there is none.

    >>> account_in("backup/AWSLogs/o-abc123/123456789012/CloudTrail/eu-west-1/2026/11/23/x.json.gz")
    '123456789012'
    """
    found = _account(path)
    return found[1] if found else ""
