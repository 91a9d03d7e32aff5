"""CloudTrail Insights samples: starts and ends of unusual rates of calls and errors.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from awsflow.samples import cloudtrail
from awsflow.samples.account import AGENTS, ROLES, Account
from awsflow.samples.writing import gzipped_array


def events(
    seed: int, count: int, start: datetime, account: str = cloudtrail.ACCOUNT, region: str = cloudtrail.REGION
) -> Iterator[dict[str, Any]]:
    """Make up the events of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for number in range(count):
        at = start.astimezone(UTC) + cloudtrail.FILE * ((number + a.random.random()) / count)
        error = a.chance(0.3)
        statistics: dict[str, Any] = {
            "baseline": {"average": a.random.randrange(1, 1000) / 10000},
            "insight": {"average": a.random.randrange(10, 100)},
            "insightDuration": a.random.randrange(1, 60),
            "baselineDuration": 10176,
        }
        role = a.arn("iam", f"role/{a.one(ROLES)}")
        values = [{"value": role, "average": statistics["insight"]["average"]}]
        yield {
            "eventVersion": "1.08",
            "eventTime": f"{at - timedelta(seconds=at.second):%Y-%m-%dT%H:%M:%SZ}",
            "awsRegion": region,
            "eventID": a.uuid(),
            "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": account,
            "sharedEventID": a.uuid(),
            "insightDetails": {
                "state": a.one(("Start", "End")),
                "eventSource": "ec2.amazonaws.com",
                "eventName": a.one(("RunInstances", "AuthorizeSecurityGroupIngress", "CreateUser")),
                "insightType": "ApiErrorRateInsight" if error else "ApiCallRateInsight",
                **({"errorCode": "AccessDenied"} if error else {}),
                "insightContext": {
                    "statistics": statistics,
                    "attributions": [
                        {"attribute": "userIdentityArn", "insight": values, "baseline": []},
                        {"attribute": "userAgent", "insight": [{"value": a.one(AGENTS), "average": 1}], "baseline": []},
                    ],
                },
            },
            "eventCategory": "Insight",
        }


def write(out: BinaryIO, events: Iterable[dict[str, Any]], level: int = 6) -> None:
    """Write a gzipped file of these events, however many."""
    gzipped_array(out, "Records", events, level)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as CloudTrail does."""
    name = cloudtrail.key(account, region, when, number)
    return name.replace("/CloudTrail/", "/CloudTrail-Insight/").replace("_CloudTrail_", "_CloudTrail-Insight_")
