"""Samples of access logs of classic load balancers.

Format: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from awsflow.samples import web
from awsflow.samples.account import Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

NAME = "old-shop"


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the requests and connections of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for at in web.moments(a, count, start):
        yield _line(a, at)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Elastic Load Balancing does."""
    at = when.astimezone(UTC)
    unique = Account(number, account, f"{region}/{at}")
    return (
        f"AWSLogs/{account}/elasticloadbalancing/{region}/{at:%Y/%m/%d}/"
        f"{account}_elasticloadbalancing_{region}_{NAME}_{at:%Y%m%dT%H%MZ}_"
        f"192.0.2.{unique.random.randrange(1, 255)}_{unique.hex(8)}.log"
    )


def _line(a: Account, at: datetime) -> str:
    scheme, code = a.one(("http", "https", "tcp")), web.status(a)
    cipher, protocol = a.one(web.CIPHERS) if scheme == "https" else ("-", "-")
    line, agent, code_text = "- - - ", "-", "-"
    if scheme != "tcp":
        line, agent, code_text = web.request(a, scheme)[0], a.one(web.BROWSERS), str(code)
    answered = code != 502
    times = [f"{a.random.random() / 100:.6f}" for _ in range(3)] if answered else ["-1"] * 3
    return " ".join(
        (
            *(web.stamp(at), NAME, web.client(a), web.target(a) if answered else "-", *times, code_text, code_text),
            *(
                str(a.random.randrange(5000)),
                str(a.random.randrange(10**6)),
                f'"{line}"',
                f'"{agent}"',
                cipher,
                protocol,
            ),
        )
    )
