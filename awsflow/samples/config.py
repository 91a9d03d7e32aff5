"""AWS Config samples: configuration history files of made-up resources.

Format: https://docs.aws.amazon.com/config/latest/developerguide/example-s3-config-history.html
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from awsflow.samples.account import BUCKETS, ROLES, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION
from awsflow.samples.writing import gzipped_array

FILE = timedelta(hours=6)
"""What one file covers."""
_Configuration = Callable[[Account, str], dict[str, Any]]


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the items of six hours, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for number in range(count):
        kind, prefix, configuration = a.one(_KINDS)
        resource = f"{prefix}{a.hex(17)}" if prefix else a.one(BUCKETS)
        captured = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        yield {
            "relatedEvents": [a.uuid()] if a.chance(0.2) else [],
            "relationships": [
                {"resourceId": f"vpc-{a.hex(17)}", "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"}
            ][: a.random.randrange(2)],
            "configuration": None if a.chance(0.05) else configuration(a, resource),
            "supplementaryConfiguration": {"Tags": a.tags()} if a.chance(0.3) else {},
            "tags": {tag["key"]: tag["value"] for tag in a.tags()},
            "configurationItemVersion": "1.3",
            "configurationItemCaptureTime": f"{captured:%Y-%m-%dT%H:%M:%S}.{captured.microsecond // 1000:03}Z",
            "configurationStateId": int(captured.timestamp() * 1000),
            "awsAccountId": account,
            "configurationItemStatus": a.one(("OK", "OK", "OK", "ResourceDiscovered", "ResourceDeleted")),
            "resourceType": kind,
            "resourceId": resource,
            "resourceName": a.one(ROLES),
            "ARN": a.arn("ec2", f"{kind.rpartition(':')[2].lower()}/{resource}"),
            "awsRegion": region,
            "availabilityZone": f"{region}{a.one('abc')}",
            "configurationStateMd5Hash": "",
            "resourceCreationTime": f"{captured - timedelta(days=a.random.randrange(1, 900)):%Y-%m-%dT%H:%M:%S.000Z}",
        }


def write(out: BinaryIO, events: Iterable[dict[str, Any]], level: int = 6) -> None:
    """Write a gzipped history file of these items, however many."""
    gzipped_array(out, "configurationItems", events, level, '"fileVersion":"1.0","configSnapshotId":"",')


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a history file as Config does: no zeros in front of month and day."""
    at = when.astimezone(UTC)
    return (
        f"AWSLogs/{account}/Config/{region}/{at.year}/{at.month}/{at.day}/ConfigHistory/{account}_Config_{region}_"
        f"ConfigHistory_AWS::EC2::Instance_{at - FILE:%Y%m%dT%H%M%SZ}_{at:%Y%m%dT%H%M%SZ}_{number}.json.gz"
    )


def _groups(a: Account) -> list[dict[str, str]]:
    return [{"groupName": a.one(ROLES), "groupId": f"sg-{a.hex(17)}"} for _ in range(a.random.randrange(4))]


def _instance(a: Account, resource: str) -> dict[str, Any]:
    return {
        "instanceId": resource,
        "imageId": f"ami-{a.hex(17)}",
        "state": {"code": 16, "name": "running"},
        "privateIpAddress": f"10.0.{a.random.randrange(256)}.{a.random.randrange(256)}",
        "publicIpAddress": a.address() if a.chance(0.5) else None,
        "securityGroups": _groups(a),
        "iamInstanceProfile": {"arn": a.arn("iam", f"instance-profile/{a.one(ROLES)}"), "id": f"AIPA{a.upper(17)}"},
        "tags": a.tags(),
    }


def _volume(a: Account, resource: str) -> dict[str, Any]:
    return {
        "volumeId": resource,
        "size": a.random.randrange(8, 2000),
        "state": a.one(("in-use", "available")),
        "createTime": "2025-02-27T21:43:53.885Z",
        "encrypted": a.chance(0.7),
        "attachments": [{"instanceId": f"i-{a.hex(17)}", "device": "/dev/sda1"}],
    }


def _load_balancer(a: Account, resource: str) -> dict[str, Any]:
    zones = [{"zoneName": f"{a.region}{zone}", "subnetId": f"subnet-{a.hex(17)}"} for zone in "abc"]
    return {
        "loadBalancerArn": a.arn("elasticloadbalancing", f"loadbalancer/app/{resource}"),
        "createdTime": a.one(("2025-02-27T21:43:53.885Z", 1740692633000)),
        "scheme": "internet-facing",
        "availabilityZones": zones[: a.random.randrange(1, 4)],
        "securityGroups": [f"sg-{a.hex(17)}" for _ in range(a.random.randrange(1, 4))],
        "state": {"code": "active"},
    }


def _launch_configuration(a: Account, resource: str) -> dict[str, Any]:
    return {
        "launchConfigurationName": resource,
        "securityGroups": f"sg-{a.hex(17)}",
        "availabilityZones": f"{a.region}a",
        "iamInstanceProfile": a.one(ROLES),
    }


def _bucket(a: Account, resource: str) -> dict[str, Any]:
    allowed = {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{resource}/*"}
    return {
        "name": resource,
        "BucketPolicy": {"policyText": f'{{"Statement":["{resource}"]}}', "Content": allowed},
        "owner": {"displayName": None, "id": a.hex(64)},
    }


_KINDS: tuple[tuple[str, str, _Configuration], ...] = (
    ("AWS::EC2::Instance", "i-", _instance),
    ("AWS::EC2::Volume", "vol-", _volume),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "lb-", _load_balancer),
    ("AWS::AutoScaling::LaunchConfiguration", "lc-", _launch_configuration),
    ("AWS::S3::Bucket", "", _bucket),
)
