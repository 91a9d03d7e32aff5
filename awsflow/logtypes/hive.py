"""Hive-compatible keys, in which each folder says what it is: `AWSLogs/aws-account-id=123456789012/...`.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from awsflow.logtypes.layout import AwsLogs, Folders, Listing, Place

HIVE_ACCOUNT = "aws-account-id="
"""What an account's folder is called, before its number."""
_account = re.compile(rf"{HIVE_ACCOUNT}(\d{{12}})", re.ASCII).fullmatch
_day = re.compile(r"year=(\d{4})/month=(\d\d)/day=(\d\d)/", re.ASCII).match


@dataclass(frozen=True, slots=True)
class HiveLogs(AwsLogs):
    """`AWSLogs/aws-account-id=ACCOUNT/aws-service=SERVICE/aws-region=REGION/year=YYYY/month=MM/day=DD/`."""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        return f"AWSLogs/{HIVE_ACCOUNT}ACCOUNT/aws-service={self.service}/aws-region=REGION/year=YYYY/month=MM/day=DD/"

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """Each account's regions, those given or those that are there."""
        base = self.base(place)
        accounts = (f"{HIVE_ACCOUNT}{account}" for account in place.accounts)
        for account in accounts if place.accounts else filter(_account, folders(base)):
            service = f"{base}{account}/aws-service={self.service}/"
            regions = (f"aws-region={region}" for region in place.regions)
            for region in regions if place.regions else folders(service):
                yield f"{service}{region}/"

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """One: the order of the keys is the order of the days."""
        yield stream, f"{stream}year={since:%Y}/month={since:%m}/day={since:%d}/"

    def day(self, key: str, stream: str) -> date | None:
        """The day of the date folders."""
        found = None if key.endswith("/") else _day(key[len(stream) :])
        try:
            return date(*map(int, found.groups())) if found else None
        except ValueError:
            return None

    def holds(self, key: str) -> bool:
        """The key has the service's folder behind an account's."""
        return (
            re.search(rf"(?:^|/)AWSLogs/(?:[^/]+/)*?{HIVE_ACCOUNT}\d{{12}}/aws-service={self.service}/", key)
            is not None
        )
