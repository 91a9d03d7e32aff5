"""Samples of access logs of application load balancers.

Format: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from awsflow.samples import web
from awsflow.samples.account import Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

NAME = "shop"


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the requests of five minutes, in order of time; the same for the same arguments."""
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
        f"192.0.2.{unique.random.randrange(1, 255)}_{unique.hex(8)}.log.gz"
    )


def balancer(account: str, region: str) -> str:
    """Name the account's load balancer: `app/NAME/ID`."""
    return f"app/{NAME}/{Account(0, account, region).hex(16)}"


def _line(a: Account, at: datetime) -> str:
    scheme, code = a.one(("http", "https")), web.status(a)
    cipher, protocol = a.one(web.CIPHERS) if scheme == "https" else ("-", "-")
    line, host = web.request(a, scheme)
    answered = code not in (301, 502)
    target = web.target(a) if answered else "-"
    times = [web.seconds(a) for _ in range(3)] if answered else ["-1"] * 3
    group = a.arn("elasticloadbalancing", f"targetgroup/{NAME}/{a.hex(16)}") if answered else "-"
    certificate = a.arn("acm", f"certificate/{a.uuid()}") if scheme == "https" else "-"
    return " ".join(
        (
            *(
                "h2" if scheme == "https" else scheme,
                web.stamp(at),
                balancer(a.number, a.region),
                web.client(a),
                target,
            ),
            *(*times, str(code), str(code) if answered else "-", str(a.random.randrange(30, 5000))),
            *(str(a.random.randrange(100, 10**6)), f'"{line}"', f'"{a.one(web.BROWSERS)}"', cipher, protocol, group),
            *(f'"Root=1-{a.hex(8)}-{a.hex(24)}"', f'"{host}"' if scheme == "https" else '"-"', f'"{certificate}"'),
            *("0", web.stamp(at - timedelta(milliseconds=3)), '"forward"' if answered else '"redirect"', '"-"', '"-"'),
            *(f'"{target}"', f'"{code}"' if answered else '"-"', '"-"', '"-"', f"TID_{a.hex(32)}", '"-"', '"-"', '"-"'),
        )
    )
