"""What the logs of load balancers have in common: one folder for all of them, and addresses with ports.

Keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html

The name of a file tells what wrote it: `ACCOUNT_elasticloadbalancing_REGION_app.NAME.ID_...` an application load
balancer, `net.NAME.ID_` a network load balancer, `NAME_` a classic one; `conn_log.` and `health_check_log.` stand in
front of those of other logs. `ELBAccessLogTestFile` shows that the bucket may be written to. A file of any other name
has been copied by somebody, and may be of any of them.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import cast

from awsflow.logtypes.layout import AwsLogs
from awsflow.rows import Column

LAYOUTS = (AwsLogs("elasticloadbalancing", organization=False),)
LIKE_A_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
BEGINNING = rb"(?:\xef\xbb\xbf)?\s*"
"""What may stand before the first line."""
_NO_ACCESS_LOG = r"(?:^|/)(?:conn_log\.|health_check_log\.|ELB\w*TestFile)[^/]*$"
_NO_CONNECTION_LOG = r"(?:^|/)(?:health_check_log\.|ELB\w*TestFile|(?!conn_log\.)[^/]*_elasticloadbalancing_)[^/]*$"


def others(mark: str) -> str:
    """How keys look that are no access logs of the load balancers with this mark: `app`, `net`, or none."""
    another = rf"(?!{mark}\.)" if mark else r"(?:app|net)\."
    return rf"{_NO_ACCESS_LOG}|_elasticloadbalancing_[^/_]+_{another}[^/]*$"


def others_than_connections() -> str:
    """How keys look that are no connection logs."""
    return _NO_CONNECTION_LOG


def split_address(address: str) -> tuple[str, str]:
    """The ip and the port of an address, IPv6 without brackets; an empty ip, and the whole, where there is no port.

    >>> split_address("[2001:db8::1]:443")
    ('2001:db8::1', '443')
    >>> split_address("-")
    ('', '-')
    """
    before, _, port = address.rpartition(":")
    ip = before.removeprefix("[").removesuffix("]")
    return (ip, port) if ip and port and not port.endswith("]") else ("", address)


def move_ip(event: dict[str, str], field: str, to: str) -> None:
    """Leave the port in a field that holds an address, and put the ip into another; nothing, if there is no address."""
    ip, port = split_address(event[field])
    if ip:
        event[field], event[to] = port, ip


def split_addresses(addresses: Sequence[str | None]) -> tuple[list[str], list[str]]:
    """The ips and the ports of addresses, as `split_address` has them."""
    if addresses and all(addresses):
        texts = cast("Sequence[str]", addresses)
        ips, colons, ports = map(list, zip(*map(str.rpartition, texts, repeat(":")), strict=True))
        if "]" in "".join(ips):
            ips = [ip.removeprefix("[").removesuffix("]") for ip in ips]
        has_both = ips.count("") == colons.count("") and "" not in ports  # an ip is empty where no colon is, alone
        if has_both and "]" not in "".join(ports) and "[" not in "".join(ips):
            return ips, ports
    split = [split_address(address or "") for address in addresses]
    return [ip for ip, _ in split], [port for _, port in split]


def move_ips(columns: dict[str, Column], field: str, to: str) -> None:
    """Do what `move_ip` does, with the columns of many events."""
    ips, columns[field] = split_addresses(columns[field])
    if any(ips):
        columns[to] = ips if all(ips) else [ip or None for ip in ips]
