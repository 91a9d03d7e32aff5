"""Samples of connection logs of application load balancers.

Format: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
"""

from collections.abc import Iterator
from datetime import datetime

from awsflow.samples import alb, web
from awsflow.samples.account import PEOPLE, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the connections of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for at in web.moments(a, count, start):
        yield _line(a, at)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Elastic Load Balancing does."""
    folder, _, name = alb.key(account, region, when, number).rpartition("/")
    return f"{folder}/conn_log.{name}"


def _line(a: Account, at: datetime) -> str:
    cipher, protocol = a.one(web.CIPHERS)
    client = (web.stamp(at), a.address(), str(a.random.randrange(1024, 65536)))
    if a.chance(0.3):
        return " ".join((*client, "80", *"---", '"-"', *"---", f"TID_{a.hex(32)}"))
    if a.chance(0.1):
        return " ".join((*client, "443", *"---", '"-"', "-", "-", "Failed:ClientCertUntrusted", f"TID_{a.hex(32)}"))
    validity = f"NotBefore={at:%Y}-01-01T00:00:00Z;NotAfter={at:%Y}-12-31T23:59:59Z"
    return " ".join(
        (
            *(
                *client,
                "443",
                protocol,
                cipher,
                web.seconds(a),
                f'"CN={a.one(PEOPLE)},OU=Büro West,O=Example Ltd,C=DE"',
            ),
            *(validity, a.hex(32).upper(), "Success", f"TID_{a.hex(32)}"),
        )
    )
