"""What lies in a bucket where nothing lies of what was asked for: which types, and where."""

import re
from collections import Counter, deque
from collections.abc import Iterator

from awsflow.cli.checkup.asking import Asking
from awsflow.errors import AwsflowError
from awsflow.logtypes import LOG_TYPES
from awsflow.options import BucketOptions
from awsflow.sources.listing import S3Client, pages

LISTINGS = 40
"""Folders that are looked into at most."""
FOLDERS = 8
"""Folders of one folder that are looked into."""
KEYS = 20
"""Keys of one folder that are looked at."""
TOLD = 4
"""Places that are told."""

_dated = re.compile(r"(?:^|/)(?:year=)?2\d{3}[/-]$", re.ASCII).search
_in_logs = re.compile(
    r"(?P<prefix>(?:[^/]+/)*?)AWSLogs/(?P<suffix>(?:[^/]+/)*?)(?P<organization>o-[a-z0-9]{10,32}/)?"
    r"(?:aws-account-id=)?\d{12}/",
    re.ASCII,
).match


class Surroundings:
    """A walk through a bucket, folder by folder, that does not look at everything."""

    def __init__(self, s3: S3Client, options: BucketOptions, asking: Asking) -> None:
        self._s3 = s3
        self._options = options
        self._asking = asking
        self.refused: AwsflowError | None = None
        """Why nothing more was looked at."""
        self.example = ""
        """A key that was met."""

    def tell(self) -> str:
        """Which logs lie elsewhere, and the options that fit them; empty if none were met."""
        places: Counter[tuple[str, str, str, str]] = Counter()
        for key in self._keys():
            self.example = self.example or key
            for place in _places_of(key):
                places[place] += 1
        told = [_told(*place) for place, _ in places.most_common(TOLD)]
        more = len(places) - len(told)
        return "; or ".join(told) + (f"; and {more} more" if more > 0 else "")

    def _keys(self) -> Iterator[str]:
        """Some of the keys, from as many places as may be."""
        starts = dict.fromkeys([self._options.prefix, ""])
        waiting = deque(starts)
        for _ in range(LISTINGS):
            if not waiting or self._asking.is_over:
                return
            folder = waiting.popleft()
            more = {} if _dated(folder) else {"Delimiter": "/"}
            try:
                page = next(pages(self._s3, self._options.bucket, folder, MaxKeys=100, **more))
            except AwsflowError as error:
                self.refused = self.refused or error
                continue
            yield from (entry["Key"] for entry in page.get("Contents", ())[:KEYS])
            below = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            below.sort(key=lambda name: not name.endswith("AWSLogs/"))
            waiting.extend(each for each in below[:FOLDERS] if each not in starts)


def _places_of(key: str) -> Iterator[tuple[str, str, str, str]]:
    """Type, prefix, suffix and organization with which a key would be read."""
    for log_type in LOG_TYPES.values():
        if any(layout.holds(key) for layout in log_type.layouts) and log_type.has(key):
            found = _in_logs(key)
            yield (
                log_type.name,
                found["prefix"] if found else "",
                found["suffix"] if found else "",
                (found["organization"] or "").rstrip("/") if found else "",
            )


def _told(log_type: str, prefix: str, suffix: str, organization: str) -> str:
    parts = {"prefix": prefix, "suffix": suffix, "organization": organization}
    with_these = [f"{name} {value}" for name, value in parts.items() if value]
    return f"{log_type} with {', '.join(with_these) or 'no prefix'}"
