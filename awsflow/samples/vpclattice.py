"""VPC Lattice samples: requests to services of a made-up service network.

Format: https://docs.aws.amazon.com/vpc-lattice/latest/ug/monitoring-access-logs.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import AGENTS, ROLES, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the requests of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    network = a.arn("vpc-lattice", f"servicenetwork/{_network(account, region)}")
    service = a.arn("vpc-lattice", f"service/svc-{a.hex(17)}")
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        denied = a.chance(0.1)
        yield {
            "serviceNetworkArn": network,
            "resolvedUser": "Unknown" if denied else a.arn("sts", f"assumed-role/{a.one(ROLES)}/i-{a.hex(17)}"),
            "authDeniedReason": "Service" if denied else "null",
            "hostHeader": "billing.example.com",
            "sslCipher": "TLS_AES_128_GCM_SHA256",
            "tlsVersion": "TLSv1.3",
            "requestMethod": a.one(("GET", "POST", "-")),
            "targetGroupArn": a.arn("vpc-lattice", f"targetgroup/tg-{a.hex(17)}"),
            "userAgent": a.one(AGENTS),
            "serverNameIndication": "billing.example.com",
            "destinationVpcId": f"vpc-{a.hex(17)}",
            "sourceIpPort": f"{a.address()}:{a.random.randrange(1024, 65536)}",
            "targetIpPort": "-" if denied else f"10.0.0.{a.random.randrange(256)}:8443",
            "serviceArn": service,
            "sourceVpcArn": a.arn("ec2", f"vpc/vpc-{a.hex(17)}"),
            "requestPath": a.one(("/billing", '/billing/"größe"?q=1')),
            "startTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "protocol": "HTTP/1.1",
            "responseCode": 403 if denied else 200,
            "bytesReceived": a.random.randrange(5000),
            "bytesSent": a.random.randrange(50000),
            "duration": a.random.randrange(400),
            "requestToTargetDuration": None if denied else 1,
            "responseFromTargetDuration": None if denied else a.random.randrange(300),
            "grpcResponseCode": "-",
        }


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as VPC Lattice does: the folder of the service network lies in the day's."""
    at, network = when.astimezone(UTC), _network(account, region)
    unique = Account(number, account, f"{region}/{at}").hex(8)
    return (
        f"AWSLogs/{account}/VpcLattice/AccessLogs/{region}/{at:%Y/%m/%d}/{network}/"
        f"{account}_VpcLatticeAccessLogs_{region}_{network}_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )


def _network(account: str, region: str) -> str:
    return f"sn-{Account(0, account, region).hex(17)}"
