"""Samples of access logs of network load balancers.

Format: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from awsflow.samples import web
from awsflow.samples.account import Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

NAME = "gateway"
_PROTOCOLS = {"-": "-", "TLSv1.2": "tlsv12", "TLSv1.3": "tlsv13"}


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the TLS connections of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for at in web.moments(a, count, start):
        yield _line(a, at)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Elastic Load Balancing does."""
    at = when.astimezone(UTC)
    unique = Account(number, account, f"{region}/{at}")
    return (
        f"AWSLogs/{account}/elasticloadbalancing/{region}/{at:%Y/%m/%d}/"
        f"{account}_elasticloadbalancing_{region}_{balancer(account, region).replace('/', '.')}_{at:%Y%m%dT%H%MZ}_"
        f"{unique.hex(8)}.log.gz"
    )


def balancer(account: str, region: str) -> str:
    """Name the account's load balancer: `net/NAME/ID`."""
    return f"net/{NAME}/{Account(0, account, region).hex(16)}"


def _line(a: Account, at: datetime) -> str:
    failed = a.chance(0.05)
    cipher, protocol = ("-", "-") if failed else a.one(web.CIPHERS)
    front, back, preferred = a.one((("-", "-", "-"), ("h2", "h2", '"h2","http/1.1"'), ("http/1.1", "-", '"http/1.1"')))
    return " ".join(
        (
            *("tls", "2.0", f"{at:%Y-%m-%dT%H:%M:%S}", balancer(a.number, a.region), a.hex(16), web.client(a)),
            *("-" if failed else web.target(a), str(a.random.randrange(5000)), "-" if failed else "2"),
            *(str(a.random.randrange(10**4)), str(a.random.randrange(10**6)), "48" if failed else "-"),
            *(a.arn("acm", f"certificate/{a.uuid()}"), "-", cipher, _PROTOCOLS[protocol]),
            *("-", f"{NAME}.elb.{a.region}.amazonaws.com", front, back, preferred, f"{at:%Y-%m-%dT%H:%M:%S}"),
        )
    )
