"""S3's server access logs: a request for an object on each line, columns between spaces.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
Keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html and, with date-based partitioning,
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PartitionedPrefix.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from awsflow.decode.table import Table, bracketed_spaces_at_once, by_bracketed_spaces, rows
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs, Dated, Folders, Place, is_account
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_FIRST = """
    bucket_owner bucket time remote_ip requester request_id operation key request_uri http_status error_code bytes_sent
    object_sent total_time turn_around_time referer user_agent
"""
_SINCE = "version_id host_id signature_version cipher_suite authentication_type host_header tls_version"
"""Columns that AWS has added."""
TABLE = Table(
    (*_FIRST.split(), *_SINCE.split()),
    by_bracketed_spaces,
    least=len(_FIRST.split()),
    beyond="drop",
    split_at_once=bracketed_spaces_at_once,
)
_NAME = r"\d{4}(?:-\d\d){5}-[^/]*$"
"""A file is named after the moment: `YYYY-MM-DD-HH-MM-SS-UNIQUE`."""
_partitioned = re.compile(rf"(?:^|/)\d{{12}}/[a-z]+(?:-[a-z]+)+-\d/[^/]+/\d{{4}}/\d\d/\d\d/{_NAME}").search


@dataclass(frozen=True, slots=True)
class Partitioned(AwsLogs):
    """`PREFIX ACCOUNT/ REGION/ BUCKET/ YYYY/MM/DD/`: with date-based partitioning.

    The accounts must be given, or the prefix must end with one's folder: they cannot be found by listing where a
    million logs of the simple layout may lie beside them.
    """

    service: str = ""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        return "PREFIX/ACCOUNT/REGION/BUCKET/YYYY/MM/DD/"

    def base(self, place: Place) -> str:
        """The prefix."""
        return place.prefix

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """Each bucket's folder in each account and region."""
        *_, last, rest = ("", "", *place.prefix.split("/"))
        accounts = [f"{place.prefix}{account}/" for account in place.accounts]
        for account in [place.prefix] if is_account(last) and not rest else accounts:
            for region in place.regions or folders(account):
                for bucket in folders(f"{account}{region}/"):
                    yield f"{account}{region}/{bucket}/"

    def holds(self, key: str) -> bool:
        """The key has the folders of an account, a region, a bucket and a day, and then the day again."""
        return _partitioned(key) is not None


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The requests, each with its source."""
    return sourced(rows(chunks, TABLE), "s3_server_access")


SERVER_ACCESS = LogType(
    name="server_access",
    what="requests to S3 buckets",
    format="https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",
    layouts=(Dated("-", behind="-HH-MM-SS-UNIQUE"), Partitioned()),
    decode=decode,
    others=rf"^(?!.*{_NAME})",
    looks_like=re.compile(
        rb"(?:\xef\xbb\xbf)?\s*[0-9a-f]{64} \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}(?::\d\d){3} [+-]\d{4}\] \S+ \S+ \S+ \S+\."
    ).match,
)
