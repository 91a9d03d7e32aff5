"""Transit gateway flow log samples: files as they are delivered, in the default format.

Format: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html#flow-log-records
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import BinaryIO

from awsflow.samples import vpcflow
from awsflow.samples.account import Account
from awsflow.samples.vpcflow import ACCOUNT, FILE, REGION, WINDOW, amount_of, flow_between
from awsflow.samples.writing import gzipped_lines

HEADER = (
    "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "
    "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "
    "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status "
    "type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "
    "region flow-direction pkt-src-aws-service pkt-dst-aws-service"
)


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the lines of five minutes; the same for the same arguments."""
    made_up = Account(seed, account, region)
    gateway = f"tgw-{made_up.hex(17)}"
    networks = [_Network(made_up) for _ in range(4)]
    begin = int(start.astimezone(UTC).timestamp())
    for number in range(count):
        window = begin + int(FILE.total_seconds() * number / count) // WINDOW * WINDOW
        here, there = made_up.random.sample(networks, 2)
        ends = zip(here.described(), there.described(), strict=True)
        flow = flow_between(made_up)
        lost = made_up.random.randrange(1, 9) if made_up.chance(0.02) else 0
        yield " ".join(
            (
                f"6 TransitGateway {account} {gateway} {here.attachment}",
                *(f"{source} {destination}" for source, destination in ends),
                f"{there.attachment} {flow} {amount_of(made_up)} {window} {window + WINDOW - 1} OK",
                f"{'IPv6' if ':' in flow else 'IPv4'} {lost} 0 0 0 {made_up.one((0, 2, 3, 18, 19))} {region}",
                f"{made_up.one(('ingress', 'egress'))} - {'S3' if made_up.chance(0.1) else '-'}",
            )
        )


class _Network:
    """A VPC that is attached."""

    def __init__(self, made_up: Account) -> None:
        self.attachment = f"tgw-attach-{made_up.hex(17)}"
        self._vpc, self._subnet, self._interface = (f"{kind}-{made_up.hex(17)}" for kind in ("vpc", "subnet", "eni"))
        self._account = made_up.number
        self._zone = f"use1-az{made_up.random.randrange(1, 7)}"

    def described(self) -> tuple[str, ...]:
        return self._account, self._vpc, self._subnet, self._interface, self._zone


def write(out: BinaryIO, events: Iterable[str], level: int = 6) -> None:
    """Write a gzipped file of these lines, below a header, however many; `level` is gzip's, 1 to 9."""
    gzipped_lines(out, chain([HEADER], events), level)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as AWS does: as another flow log's, among those of VPCs."""
    return vpcflow.key(account, region, when, number, writer=1)
