"""Custom samples: events of EventBridge as Firehose writes them, one right behind the other.

Format: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import orjson

from awsflow.samples import guardduty
from awsflow.samples.account import BUCKETS, PEOPLE, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the events of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    findings = guardduty.events(seed, count, start, account, region)
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        finding = next(findings)
        source, what, detail = a.one((_macie, _trusted_advisor, _key_deletion, _finding))(a, finding)
        yield {
            "version": "0",
            "id": a.uuid(),
            "detail-type": what,
            "source": source,
            "account": account,
            "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": [f"arn:aws:s3:::{a.one(BUCKETS)}"] if a.chance(0.3) else [],
            "detail": detail,
        }


def write(out: BinaryIO, events: Iterable[dict[str, Any]]) -> None:
    """Write a file of these events, without anything between them."""
    out.writelines(map(orjson.dumps, events))


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Firehose does."""
    at = when.astimezone(UTC)
    name = Account(number, account, f"{region}/{at}")
    return f"{at:%Y/%m/%d/%H}/security-events-1-{at:%Y-%m-%d-%H-%M-%S}-{name.uuid()}"


def _macie(a: Account, finding: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    names = (*PEOPLE, *BUCKETS)
    summary = {
        "Description": "Bulk download of objects",
        "Bucket": {a.one(BUCKETS): a.random.randrange(1, 99) for _ in range(a.random.randrange(1, 4))},
        "IP": {a.address(): a.random.randrange(1, 99) for _ in range(a.random.randrange(1, 4))},
        "Location": {a.region: 2},
        "Owner": {a.one(PEOPLE): 3},
        "Themes": ["credentials"],
        "Timestamps": {"2026-11-20T00:00:00.000000": 1},
        "recipientAccountId": {a.number: 9},
        "Events": {
            "GetObject": {"count": 9, "ISP": {"Example Net": 9}, "Error Code": {"AccessDenied": 1}},
            "ListBucket": {"count": 1, "Error Code": {}},
        },
    }
    return (
        "aws.macie",
        "Macie Alert",
        {
            "notification-type": "ALERT_CREATED",
            "name": f"Access to {a.one(names)}",
            "trigger": {"rule-arn": a.arn("macie", f"trigger/{a.hex(32)}"), "risk": 8},
            "tags": ["Custom_Alert", "Insider"],
            "summary": summary,
        },
    )


def _trusted_advisor(a: Account, finding: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    detail = {
        "check-name": "Security Groups - Unrestricted Access",
        "check-item-detail": {"Region/AZ": a.region, "Status": "Red", "Ports": None},
        "status": a.one(("ERROR", "WARN", "OK")),
        "resource_id": "",
        "uuid": a.uuid(),
    }
    return "aws.trustedadvisor", "Trusted Advisor Check Item Refresh Notification", detail


def _key_deletion(a: Account, finding: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    return "aws.kms", "KMS CMK Deletion", {"key-id": a.uuid()}


def _finding(a: Account, finding: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    return "aws.guardduty", "GuardDuty Finding", finding
