"""VPC flow log samples: files as they are delivered, in the default format.

Format: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import BinaryIO

from awsflow.samples.account import Account
from awsflow.samples.writing import gzipped_lines

ACCOUNT = "123456789012"
REGION = "us-east-1"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
FILE = timedelta(minutes=5)
"""What one file covers."""
WINDOW = 60
"""Seconds that a flow is summed up for."""
PORTS = (("6", "443"), ("6", "443"), ("6", "443"), ("6", "80"), ("6", "22"), ("6", "5432"), ("17", "53"), ("17", "123"))
"""Protocols and ports."""


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the lines of five minutes, as mixed as a real VPC's; the same for the same arguments."""
    made_up = Account(seed, account, region)
    interfaces = [f"eni-{made_up.hex(17)}" for _ in range(30)]
    begin = int(start.astimezone(UTC).timestamp())
    for number in range(count):
        window = begin + int(FILE.total_seconds() * number / count) // WINDOW * WINDOW
        times = f"{window + made_up.random.randrange(20)} {window + WINDOW - made_up.random.randrange(1, 20)}"
        head = f"2 {account} {made_up.one(interfaces)}"
        if made_up.chance(0.02):
            status = "NODATA" if made_up.chance(0.8) else "SKIPDATA"
            yield f"{head} - - - - - - - {times} - {status}"
            continue
        flow, amount = flow_between(made_up), amount_of(made_up)
        action = "REJECT" if made_up.chance(0.15) else "ACCEPT"
        yield f"{head} {flow} {amount} {times} {action} OK"


def flow_between(made_up: Account) -> str:
    """Make up addresses, ports and protocol, in either direction."""
    protocol, port = made_up.one(PORTS)
    ours, theirs = f"10.0.{made_up.random.randrange(8)}.{made_up.random.randrange(4, 255)}", made_up.address()
    if ":" in theirs:
        ours = f"2001:db8:0:{made_up.hex(2)}::{made_up.hex(4)}"
    ephemeral = str(made_up.random.randrange(1024, 65536))
    if made_up.chance(0.03):
        protocol, port, ephemeral = ("58" if ":" in theirs else "1"), "0", "0"
    if made_up.chance(0.5):
        return f"{ours} {theirs} {ephemeral} {port} {protocol}"
    return f"{theirs} {ours} {port} {ephemeral} {protocol}"


def amount_of(made_up: Account) -> str:
    """Make up packets and bytes."""
    packets = int(made_up.random.paretovariate(0.8))
    return f"{packets} {packets * made_up.random.randrange(40, 1500)}"


def write(out: BinaryIO, events: Iterable[str], level: int = 6) -> None:
    """Write a gzipped file of these lines, below a header, however many; `level` is gzip's, 1 to 9."""
    gzipped_lines(out, chain([HEADER], events), level)


def key(account: str, region: str, when: datetime, number: int, writer: int = 0) -> str:
    """Name a file as AWS does; `number` tells apart the files of one minute, `writer` the flow logs of a region."""
    at = when.astimezone(UTC)
    made_up = Account(number, account, f"{region}/{at:%Y%m%d%H%M}/{writer}")
    flow_log = Account(writer, account, region).hex(17)
    return (
        f"AWSLogs/{account}/vpcflowlogs/{region}/{at:%Y/%m/%d}/"
        f"{account}_vpcflowlogs_{region}_fl-{flow_log}_{at:%Y%m%dT%H%MZ}_{made_up.hex(8)}.log.gz"
    )
