"""GuardDuty samples: findings as GuardDuty exports them, of made-up threats.

Format: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import PEOPLE, ROLES, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the findings of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    detector = a.hex(32)
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        time, first = (f"{when:%Y-%m-%dT%H:%M:%S.000Z}" for when in (at, at - timedelta(hours=a.random.randrange(90))))
        kind, title, action = a.one((_probe, _call, _query))(a)
        finding = a.hex(32)
        yield {
            "schemaVersion": "2.0",
            "accountId": account,
            "region": region,
            "partition": "aws",
            "id": finding,
            "arn": a.arn("guardduty", f"detector/{detector}/finding/{finding}"),
            "type": kind,
            "resource": {"resourceType": "Instance", "instanceDetails": _instance(a)},
            "service": {
                "serviceName": "guardduty",
                "detectorId": detector,
                "action": action,
                "resourceRole": "TARGET",
                "additionalInfo": {"threatListName": "ProofPoint", "value": '{"unusual":"x"}', "type": "default"},
                "evidence": {"threatIntelligenceDetails": [{"threatListName": "ProofPoint", "threatNames": []}]}
                if a.chance(0.5)
                else None,
                "eventFirstSeen": first,
                "eventLastSeen": time,
                "archived": False,
                "count": a.random.randrange(1, 200),
            },
            "severity": a.one((2, 5, 5.3, 8)),
            "createdAt": first,
            "updatedAt": time,
            "title": title,
            "description": f"{title} by an address that is known for it.",
        }


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as GuardDuty does."""
    at = when.astimezone(UTC)
    name = Account(number, account, f"{region}/{at}")
    return f"AWSLogs/{account}/GuardDuty/{region}/{at:%Y/%m/%d}/{name.uuid()}.jsonl.gz"


def _instance(a: Account) -> dict[str, Any]:
    return {
        "instanceId": f"i-{a.hex(17)}",
        "instanceType": "m5.large",
        "tags": a.tags(),
        "iamInstanceProfile": {"arn": a.arn("iam", f"instance-profile/{a.one(ROLES)}"), "id": f"AIPA{a.upper(17)}"},
        "networkInterfaces": [
            {
                "networkInterfaceId": f"eni-{a.hex(17)}",
                "privateIpAddress": f"10.0.{a.random.randrange(256)}.{a.random.randrange(256)}",
                "securityGroups": [{"groupName": "default", "groupId": f"sg-{a.hex(17)}"}],
                "ipv6Addresses": [],
            }
        ],
        "platform": None,
    }


def _remote(a: Account) -> dict[str, Any]:
    return {
        "ipAddressV4": a.address(),
        "country": {"countryName": a.one(("Germany", "Brazil", "Côte d'Ivoire"))},
        "geoLocation": {"lat": a.random.randrange(-900, 900) / 10, "lon": a.random.randrange(-1800, 1800) / 10},
    }


def _probe(a: Account) -> tuple[str, str, dict[str, Any]]:
    details = [
        {"localPortDetails": {"port": port, "portName": name}, "remoteIpDetails": _remote(a)}
        for port, name in ((22, "SSH"), (443, "HTTPS"), (3306, "MySQL"))
    ]
    probe = {"blocked": a.chance(0.5), "portProbeDetails": details[: a.random.randrange(1, 4)]}
    action = {"actionType": "PORT_PROBE", "portProbeAction": probe}
    return "Recon:EC2/PortProbeUnprotectedPort", "An unprotected port is being probed", action


def _call(a: Account) -> tuple[str, str, dict[str, Any]]:
    call = {
        "api": a.one(("ListBuckets", "DescribeInstances", "GetCallerIdentity")),
        "serviceName": "s3.amazonaws.com",
        "callerType": "Remote IP",
        "remoteIpDetails": _remote(a),
        "affectedResources": {"user": a.one(PEOPLE)},
    }
    action = {"actionType": "AWS_API_CALL", "awsApiCallAction": call}
    return "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", "An API was called", action


def _query(a: Account) -> tuple[str, str, dict[str, Any]]:
    query = {"domain": f"{a.hex(8)}.example.com", "protocol": "UDP", "blocked": False}
    action = {"actionType": "DNS_REQUEST", "dnsRequestAction": query}
    return "CryptoCurrency:EC2/BitcoinTool.B!DNS", "A domain name was asked for", action
