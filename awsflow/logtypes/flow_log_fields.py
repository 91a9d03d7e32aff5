"""What the columns of flow logs are called, and whose they are: a VPC's or a transit gateway's.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-fields
https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html#flow-logs-fields
"""

import re
from collections.abc import Collection, Sequence
from typing import TypeAlias

Names: TypeAlias = tuple[str, ...]

VPC = "vpc"
TRANSIT_GATEWAY = "transitgateway"


def _names(text: str) -> Names:
    """Names that stand in a text."""
    return tuple(text.split())


OF_VPCS = _names(
    """
    version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
    """
)
"""Of the default format, which is version 2."""
OF_TRANSIT_GATEWAYS = _names(
    """
    version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id
    tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id
    tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status
    type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags
    region flow-direction pkt-src-aws-service pkt-dst-aws-service
    """
)
"""Of the default format, which has all fields up to version 6."""
MORE_OF_VPCS = _names(
    """
    vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr
    region az-id sublocation-type sublocation-id
    pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path
    ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id
    ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id
    reject-reason
    resource-id
    encryption-status
    instance-tag instance-tag-2 interface-tag interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id
    next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type
    """
)
"""Those that custom formats can have besides: of the versions 3, 4, 5, 7, 8, 9, 10 and 11."""
FIELDS = frozenset((*OF_VPCS, *MORE_OF_VPCS, *OF_TRANSIT_GATEWAYS))
"""All that there are at present. AWS adds some with each version."""
FIRST_WORDS = FIELDS | {name.replace("-", "_") for name in FIELDS}
"""What a header begins with."""
_ONLY_OF_TRANSIT_GATEWAYS = frozenset(OF_TRANSIT_GATEWAYS).difference(OF_VPCS, MORE_OF_VPCS)
_OF_MANY_LOGS = frozenset({"version", "protocol", "packets", "bytes", "start", "end", "action", "type", "region"})
"""Words that may begin anything."""

_is_name = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*").fullmatch
_vpc_line = re.compile(
    rb"\d+ (?:\d{12}|unknown) eni-[0-9a-z]+ (?:\S+ ){7}(?:\d+|-) (?:\d+|-) \S+ (?:OK|NODATA|SKIPDATA)\s"
)
_transit_gateway_line = re.compile(rb"\d+ TransitGateway\w* \d{12} tgw-[0-9a-z]+ (?:\S+ ){31}\S+\s")


def header(columns: Sequence[str]) -> Names | None:
    """The names of columns, if a log's first line is made of such, some of which may be newer than this list."""
    names = tuple(column.replace("_", "-") for column in columns)
    known = sum(name in FIELDS for name in names)
    return names if names and known * 2 >= len(names) and all(map(_is_name, names)) else None


def is_particular(names: Names) -> bool:
    """Whether some of the names can only be those of flow logs."""
    return not FIELDS.difference(_OF_MANY_LOGS).isdisjoint(names)


def default(columns: Sequence[str]) -> Names:
    """The names of the columns of a log without a header, of which this is a line."""
    is_of_gateway = len(columns) > 1 and columns[1].startswith("TransitGateway")
    return OF_TRANSIT_GATEWAYS if is_of_gateway else OF_VPCS


def source(names: Collection[str]) -> str:
    """Whose log has columns of these names."""
    return VPC if _ONLY_OF_TRANSIT_GATEWAYS.isdisjoint(names) else TRANSIT_GATEWAY


def source_of(head: bytes) -> str:
    """Whose log begins so; empty if it is no flow log in text."""
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    first = line.partition(b"\n")[0].decode("utf-8", "replace").split()
    names = header(first)
    if names is not None:
        return source(names) if is_particular(names) or (len(names) > 2 and FIELDS.issuperset(names)) else ""
    if _vpc_line.match(line):
        return VPC
    return TRANSIT_GATEWAY if _transit_gateway_line.match(line) else ""
