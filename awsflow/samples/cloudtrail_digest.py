"""CloudTrail digest samples: what proves the log files of an hour whole. The signatures are made up, too.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import orjson

from awsflow.samples import cloudtrail
from awsflow.samples.account import Account

FILE = timedelta(hours=1)
"""What one file covers."""
TRAIL = "management-events"
BUCKET = "example-logs"


def events(
    seed: int, count: int, start: datetime, account: str = cloudtrail.ACCOUNT, region: str = cloudtrail.REGION
) -> Iterator[dict[str, Any]]:
    """Make up the digests of so many hours; the same for the same arguments. AWS puts one into a file."""
    a = Account(seed, account, region)
    previous = None
    for number in range(count):
        begin = start.astimezone(UTC) + number * FILE
        digest = key(account, region, begin + FILE, 0)
        yield {
            "awsAccountId": account,
            "digestStartTime": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{begin + FILE:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": digest,
            "digestPublicKeyFingerprint": a.hex(32),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": f"{begin + timedelta(minutes=55):%Y-%m-%dT%H:%M:%SZ}",
            "oldestEventTime": f"{begin + timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}",
            "previousDigestS3Bucket": BUCKET if previous else None,
            "previousDigestS3Object": previous,
            "previousDigestHashValue": a.hex(64) if previous else None,
            "previousDigestHashAlgorithm": "SHA-256" if previous else None,
            "previousDigestSignature": a.hex(512) if previous else None,
            "logFiles": [
                {
                    "s3Bucket": BUCKET,
                    "s3Object": cloudtrail.key(account, region, begin + timedelta(minutes=5 * file), file),
                    "hashValue": a.hex(64),
                    "hashAlgorithm": "SHA-256",
                    "newestEventTime": f"{begin + timedelta(minutes=5 * file):%Y-%m-%dT%H:%M:%SZ}",
                    "oldestEventTime": f"{begin + timedelta(minutes=5 * file - 4):%Y-%m-%dT%H:%M:%SZ}",
                }
                for file in range(1, a.random.randrange(2, 12))
            ],
        }
        previous = digest


def write(out: BinaryIO, events: Iterable[dict[str, Any]], level: int = 6) -> None:
    """Write a gzipped file of these digests."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0, filename="") as zipped:
        zipped.writelines(map(orjson.dumps, events))


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as CloudTrail does; `number` counts the seconds that the digests of one minute are apart."""
    at = when.astimezone(UTC) + timedelta(seconds=number)
    return (
        f"AWSLogs/{account}/CloudTrail-Digest/{region}/{at:%Y/%m/%d}/"
        f"{account}_CloudTrail-Digest_{region}_{TRAIL}_{region}_{at:%Y%m%dT%H%M%SZ}.json.gz"
    )
