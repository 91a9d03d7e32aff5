"""Samples of Cisco Umbrella's logs: DNS queries.

Format: https://docs.umbrella.com/umbrella-user-guide/docs/dns-log-formats
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from awsflow.samples import web
from awsflow.samples.account import PEOPLE, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FOLDER = "dnslogs"
_DOMAINS = (
    ("www.example.com.", "Software/Technology,Business Services", ""),
    ("cdn.example.net.", "Infrastructure and Content Delivery Networks", ""),
    ("xn--grsse-lva.example.org.", "", ""),
    ("chat.example.org.", "Chat,Instant Messaging", "Chat"),
    ("c2.bad.example.", "Command and Control,Malware", "Command and Control"),
)


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the queries of a few minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for at in web.moments(a, count, start):
        yield _line(a, at)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Umbrella does, in a bucket of one's own."""
    at = when.astimezone(UTC)
    return f"{FOLDER}/{at:%Y-%m-%d}/{at:%Y-%m-%d-%H-%M}-{Account(number, account, f'{region}/{at}').hex(4)}.csv.gz"


def _line(a: Account, at: datetime) -> str:
    who, site = a.one(PEOPLE), a.one(("Büro West", 'Lab "B"', "HQ"))
    domain, categories, blocked = a.one(_DOMAINS)
    columns = (
        *(f"{at:%Y-%m-%d %H:%M:%S}", who, f"{who},{site}", f"10.1.0.{a.random.randrange(2, 255)}", a.address()),
        *("Blocked" if blocked else "Allowed", a.one(("1 (A)", "28 (AAAA)")), "NOERROR", domain, categories),
        *("AD Users", "AD Users,Sites", blocked),
    )
    return ",".join('"{}"'.format(column.replace('"', '""')) for column in columns)
