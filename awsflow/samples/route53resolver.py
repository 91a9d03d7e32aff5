"""Route 53 Resolver samples: DNS queries of a made-up VPC.

Format: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""
_HOSTS = ("ec2.{region}.amazonaws.com.", "www.example.com.", "db.internal.example.net.", "xn--grsse-lva.example.org.")


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the queries of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    vpc = _vpc(account, region)
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        kind, bad = a.one(("A", "A", "AAAA", "TXT")), a.chance(0.1)
        name = f"{a.hex(24)}.bad.example." if bad else a.one(_HOSTS).format(region=region)
        query = {
            "version": "1.100000",
            "account_id": account,
            "region": region,
            "vpc_id": vpc,
            "query_timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "query_name": name,
            "query_type": kind,
            "query_class": "IN",
            "rcode": "NXDOMAIN" if bad else "NOERROR",
            "answers": [] if bad else [_answer(a, kind) for _ in range(a.random.randrange(1, 4))],
            "srcaddr": f"10.0.{a.random.randrange(256)}.{a.random.randrange(256)}",
            "srcport": str(a.random.randrange(1024, 65536)),
            "transport": a.one(("UDP", "UDP", "TCP")),
            "srcids": {"instance": f"i-{a.hex(17)}"},
        }
        if bad:
            query["firewall_rule_action"] = "BLOCK"
            query["firewall_rule_group_id"] = f"rslvr-frg-{a.hex(16)}"
            query["firewall_domain_list_id"] = f"rslvr-fdl-{a.hex(16)}"
        yield query


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Resolver does: there is no region in it."""
    at, vpc = when.astimezone(UTC), _vpc(account, region)
    unique = Account(number, account, f"{region}/{at}").hex(8)
    return (
        f"AWSLogs/{account}/vpcdnsquerylogs/{vpc}/{at:%Y/%m/%d}/"
        f"{vpc}_vpcdnsquerylogs_{account}_{at:%Y%m%dT%H%MZ}_{unique}.log.gz"
    )


def _vpc(account: str, region: str) -> str:
    return f"vpc-{Account(0, account, region).hex(17)}"


def _answer(a: Account, kind: str) -> dict[str, str]:
    data = {"A": a.address(), "AAAA": f"2001:db8::{a.hex(4)}", "TXT": '"v=spf1 -all"'}[kind]
    return {"Rdata": data, "Type": kind, "Class": "IN"}
