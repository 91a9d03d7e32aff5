"""Where CloudFront's logs lie: their names tell distribution and hour, their folders what people want them to.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging-legacy-s3.html#AccessLogsFileNaming
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html#bucket-path-examples
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from awsflow.logtypes.hive import HIVE_ACCOUNT
from awsflow.logtypes.layout import Folders, Listing, Place

NAME = r"(?:^|/)(E[A-Z0-9]+)\.(\d{4})-(\d\d)-(\d\d)-\d\d\.[^/]+$"
"""How a log is called: `DISTRIBUTION.YYYY-MM-DD-HH.UNIQUE.gz`. All distributions' ids begin with an E."""
_name = re.compile(NAME, re.ASCII).search
_id = re.compile(r"E[A-Z0-9]+", re.ASCII).fullmatch
_id_folder = re.compile(r"E[A-Z0-9]{8,}/", re.ASCII).fullmatch
_account = re.compile(rf"(?:{HIVE_ACCOUNT})?(\d{{12}})", re.ASCII).fullmatch
_year = re.compile(r"((?:year=)?2)\d{3}/", re.ASCII).fullmatch
_in_year = re.compile(r"\d{3}/", re.ASCII).match
_month_or_day = re.compile(r"(?:month=|day=|)\d\d", re.ASCII).fullmatch
_DEEPEST = 8
"""Folders inside of each other that are looked into for the first one that is named after a year."""


@dataclass(frozen=True, slots=True)
class Distributions:
    """`DISTRIBUTION.YYYY-MM-DD-HH.UNIQUE.gz`, whatever folders are around it.

    A stream is a distribution's logs in one folder (it ends in a dot), or what lies in one folder's folders for years,
    which is further divided or not (it ends in what these begin with: `2`, or `year=2` where they are Hive's).
    """

    vended: bool
    """Whether they lie below `AWSLogs/ACCOUNT/CloudFront/`; if not, at the prefix or in folders of distributions."""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        return f"{'AWSLogs/ACCOUNT/CloudFront' if self.vended else 'PREFIX'}/[.../]DISTRIBUTION.YYYY-MM-DD-HH.ID"

    @property
    def by_account(self) -> bool:
        """Accounts have folders of their own where CloudWatch delivers."""
        return self.vended

    @property
    def is_dated(self) -> bool:
        """The names tell the day."""
        return True

    def base(self, place: Place) -> str:
        """The folder of the accounts, or the prefix."""
        return f"{place.prefix}AWSLogs/{place.suffix}" if self.vended else place.prefix

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """Those that are there. In a bucket that may be full of other things, not every folder is looked into."""
        base = self.base(place)
        if self.vended:
            for name in folders(base):
                account = _account(name)
                if account and (not place.accounts or account[1] in place.accounts):
                    yield from _streams(f"{base}{name}/CloudFront/", folders)
            return
        yield from _streams(base, folders, "E")
        for years in ("2", "year=2"):
            if any(
                map(_in_year, folders(f"{base}{years}", "-"))
            ):  # not `/`, where `2026-11-23-...` would all be listed
                yield f"{base}{years}"

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """One: the order of the keys is the order of the days."""
        if stream.endswith("."):
            yield stream, f"{stream}{since:%Y-%m-%d}"
            return
        hive = stream.endswith("year=2")
        start = f"{stream[:-1]}{since:%Y}/"
        for folder in (f"{'month=' if hive else ''}{since:%m}", f"{'day=' if hive else ''}{since:%d}"):
            if any(folders(f"{start}E", ".")) or not _month_or_day(next(folders(start), "")):
                break  # what lies right there, or in folders of other names, may come before such a folder
            start += f"{folder}/"
        yield stream, start

    def day(self, key: str, stream: str) -> date | None:
        """The day in a log's name."""
        found = _name(key)
        if found is None or not (stream.endswith(".") or _in_year(key[len(stream) :])):
            return None
        try:
            return date(*map(int, found.groups()[1:]))
        except ValueError:
            return None

    @property
    def is_shared(self) -> bool:
        """A folder may hold the logs of several distributions."""
        return True

    def part(self, key: str) -> str:
        """The distribution."""
        found = _name(key)
        return found[1] if found else ""

    def holds(self, key: str) -> bool:
        """Nothing else is called like that."""
        return _name(key) is not None


def _streams(folder: str, folders: Folders, begins: str = "", depth: int = _DEEPEST) -> Iterator[str]:
    """The streams in a folder and those below it; `begins`: of distributions, and folders named after these."""
    years = set()
    for name in _right_below(folder, folders, begins):
        if name.endswith("."):
            yield f"{folder}{name}"
        elif year := _year(name):
            if year[1] not in years:
                yield f"{folder}{year[1]}"
            years.add(year[1])
        elif depth and (not begins or _id_folder(name)):
            yield from _streams(f"{folder}{name}", folders, depth=depth - 1)


def _right_below(folder: str, folders: Folders, begins: str) -> Iterator[str]:
    """The distributions that have logs in a folder (`E2EXAMPLE.`), and the folders in it (`NAME/`).

    Takes a request for each folder, however much lies in them, and for a thousand distributions.
    """
    after = last = ""
    while True:
        for rest in folders(f"{folder}{begins}", ".", after):
            name, slash, _ = f"{begins}{rest}".partition("/")
            if slash and name + slash > last:
                yield name + slash
                last = name + slash
                after = f"{folder}{name}0"  # in the order of keys, 0 is what follows a slash
                break
            if not slash and _id(name):
                yield f"{name}."
        else:
            return
