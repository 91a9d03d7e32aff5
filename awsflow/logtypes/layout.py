"""Layouts: where the objects of a log type lie in a bucket, and the days in their keys.

A bucket is searched stream by stream. A stream is a key prefix that has a position of its own in the state, such as
the folder of one account and region. Where several writers share a folder, each is a part with its own position.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeAlias

_account = re.compile(r"(?:^|/)AWSLogs/(?:[^/]+/)*(?:aws-account-id=)?(\d{12})/", re.ASCII).search
is_account = re.compile(r"\d{12}", re.ASCII).fullmatch
"""Whether a folder's name is an account's id."""
_number = re.compile(r"[0-9]{1,4}").fullmatch

Folders: TypeAlias = Callable[..., Iterator[str]]
"""Lists the names of the folders right below a prefix, which is its first argument. Two more may follow: what ends
a name in the place of `/`, and the key to start after."""
Listing: TypeAlias = tuple[str, str]
"""What to list: a prefix, and the key to start after."""


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

    @property
    def shown(self) -> str:
        """The layout as people write it: `AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`."""
        ...

    @property
    def by_account(self) -> bool:
        """Whether accounts have folders of their own."""
        ...

    @property
    def is_dated(self) -> bool:
        """Whether there is a day in the keys. Where there is none, it is the one on which an object was written."""
        ...

    def base(self, place: Place) -> str:
        """The prefix of all keys."""
        ...

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """The streams of a place."""
        ...

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """What to list for the objects from a day on, in the order of their days."""
        ...

    def day(self, key: str, stream: str) -> date | None:
        """The day in a key of this stream; None if it is no log."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether several writers share a stream."""
        ...

    def part(self, key: str) -> str:
        """Who of them has written this object; empty: nobody is told apart."""
        ...

    def holds(self, key: str) -> bool:
        """Whether a key, wherever its prefix ends, can only be of this layout."""
        ...


@dataclass(frozen=True, slots=True)
class AwsLogs:
    """`PREFIX AWSLogs/ SUFFIX [ORGANIZATION/] ACCOUNT/ SERVICE/ REGION/ YYYY/MM/DD/`, as most AWS services write."""

    service: str
    below: tuple[str, ...] = ()
    """What the folders between the region's and the date's are named after."""
    region: str = "REGION"
    """What the folder below the service's is named after; `regions` are asked for only where it is the region."""
    organization: bool = True
    """Whether an organization's id may stand in the path."""
    padded: bool = True
    """Whether months and days have leading zeros. If not, the order of the keys is not that of the days."""
    writer: str = ""
    """A regular expression for the part of a file's name, its first group, that tells the writer."""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        between = "/".join((self.region, *self.below))
        return f"AWSLogs/ACCOUNT/{self.service}/{between}/{'YYYY/MM/DD' if self.padded else 'YYYY/M/D'}/"

    @property
    def by_account(self) -> bool:
        """Accounts have folders of their own."""
        return True

    @property
    def is_dated(self) -> bool:
        """There are folders for days."""
        return True

    def base(self, place: Place) -> str:
        """The folder of the accounts."""
        organization = f"{place.organization}/" if place.organization and self.organization else ""
        return f"{place.prefix}AWSLogs/{place.suffix}{organization}"

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """Each account's regions, those given or those that are there, and what is below them."""
        base = self.base(place)
        accounts: Iterable[str] = place.accounts or filter(is_account, folders(base))
        regions = place.regions if self.region == "REGION" else ()
        for account in accounts:
            service = f"{base}{account}/{self.service}/"
            for region in regions or folders(service):
                yield from _below(f"{service}{region}/", len(self.below), folders)

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """One listing, where the order of the keys is the order of the days; else one for each day there is."""
        if self.padded:
            yield stream, f"{stream}{since:%Y/%m/%d}/"
            return
        for folder in _days(stream, since, folders):
            yield folder, ""

    def day(self, key: str, stream: str) -> date | None:
        """The day of the date folder."""
        parts = key[len(stream) :].split("/", 3)
        return _date(*parts[:3]) if len(parts) == 4 and not key.endswith("/") else None

    @property
    def is_shared(self) -> bool:
        """The names tell."""
        return bool(self.writer)

    def holds(self, key: str) -> bool:
        """The key has the service's folder behind an account's."""
        account = _account(key)
        return account is not None and key.startswith(f"{self.service}/", account.end())

    def part(self, key: str) -> str:
        """What the file's name tells of its writer."""
        found = re.search(self.writer, key[key.rfind("/") + 1 :]) if self.writer else None
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Dated:
    """`PREFIX` and then the date: as Firehose, S3's server access logging and Cisco Umbrella write."""

    separator: str
    """What stands between year, month and day: `/` or `-`."""
    behind: str = ""
    """What stands behind the day, as people write it."""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        return f"PREFIX/{self.separator.join(('YYYY', 'MM', 'DD'))}{self.behind}"

    @property
    def by_account(self) -> bool:
        """Accounts are not told apart."""
        return False

    @property
    def is_dated(self) -> bool:
        """The day stands right behind the prefix."""
        return True

    def base(self, place: Place) -> str:
        """The prefix."""
        return place.prefix

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """One. Keys in which the date is written in another way are another stream: they have another order."""
        yield f"{place.prefix}{'' if self.separator == '/' else self.separator}"

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """Year by year: what begins like that, so that nothing else is listed; one more, for clocks differ."""
        prefix = self._prefix(stream)
        first = self.separator.join((f"{since:%Y}", f"{since:%m}", f"{since:%d}"))
        yield f"{prefix}{first[:4]}{self.separator}", f"{prefix}{first}"
        for year in range(since.year + 1, until.year + 2):
            yield f"{prefix}{year}{self.separator}", ""

    def day(self, key: str, stream: str) -> date | None:
        """The day that stands right behind the prefix."""
        prefix = self._prefix(stream)
        parts = key[len(prefix) : len(prefix) + len("YYYY-MM-DD")].split(self.separator)
        return _date(*parts) if len(parts) == 3 and not key.endswith("/") else None

    @property
    def is_shared(self) -> bool:
        """Writers are not told apart."""
        return False

    def holds(self, key: str) -> bool:
        """A date may stand in any key."""
        return False

    def part(self, key: str) -> str:
        """Writers are not told apart."""
        return ""

    def _prefix(self, stream: str) -> str:
        return stream if self.separator == "/" else stream.removesuffix(self.separator)


def account_in(path: str) -> str:
    """The account in a key or path that has `AWSLogs/` in it; empty if there is none. Other numbers come before it.

    >>> account_in("AWSLogs/999999999999/copies/AWSLogs/000000000001/123456789012/Config/eu-west-1/2026/1/2/x.json.gz")
    '123456789012'
    >>> account_in("backup/AWSLogs/o-abc123/123456789012/CloudTrail/eu-west-1/2026/11/23/x.json.gz")
    '123456789012'
    >>> account_in("AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/x.log.parquet")
    '123456789012'
    """
    found = _account(path)
    return found[1] if found else ""


def _below(prefix: str, depth: int, folders: Folders) -> Iterator[str]:
    """The folders so many levels below a prefix."""
    if depth == 0:
        yield prefix
        return
    for name in folders(prefix):
        yield from _below(f"{prefix}{name}/", depth - 1, folders)


def _days(stream: str, since: date, folders: Folders) -> Iterator[str]:
    """The day folders below a stream's, from one day on, in their order, which is not that of their names."""
    for year, in_year in _numbered(stream, folders):
        for month, in_month in _numbered(in_year, folders) if year >= since.year else ():
            for day, in_day in _numbered(in_month, folders) if (year, month) >= (since.year, since.month) else ():
                if (year, month, day) >= (since.year, since.month, since.day):
                    yield in_day


def _numbered(prefix: str, folders: Folders) -> list[tuple[int, str]]:
    """The folders right below a prefix whose names are numbers, in the order of these."""
    return sorted((int(name), f"{prefix}{name}/") for name in folders(prefix) if _number(name))


def _date(year: str, month: str, day: str) -> date | None:
    """The date of these digits."""
    if not (_number(year) and _number(month) and _number(day) and len(year) == 4):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
