"""Access logs of network load balancers: a TLS connection on each line, columns between spaces.

Format and keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html
"""

import re
from collections.abc import Iterator
from typing import Any

from awsflow.decode.table import Table, by_spaces_and_lists, rows, spaces_and_lists_at_once
from awsflow.items import RowsOrBlock
from awsflow.logtypes.load_balancers import BEGINNING, LAYOUTS, move_ip, others, split_addresses
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType
from awsflow.rows import Rows


def finish(event: dict[str, Any]) -> dict[str, Any]:
    """Ports stay in the fields named after them; the addresses' ips get their own. What is no address is in both.

    An event of 20 columns has what the client prefers in the last one, and nothing of what the targets speak.
    """
    if "alpn_be_protocol" in event and "alpn_client_preference_list" not in event:
        event["alpn_client_preference_list"] = event.pop("alpn_be_protocol")
    for whose in ("client", "destination"):
        port = f"{whose}_port"
        event[f"{whose}_ip"] = event[port]
        move_ip(event, port, f"{whose}_ip")
    return event


def finish_rows(rows: Rows) -> Rows:
    """The same for many connections at once."""
    columns = dict(zip(rows.names, rows.columns, strict=True))
    if "alpn_be_protocol" in columns and "alpn_client_preference_list" not in columns:
        columns["alpn_client_preference_list"] = columns.pop("alpn_be_protocol")
    for whose in ("client", "destination"):
        addresses = columns[f"{whose}_port"]
        ips, columns[f"{whose}_port"] = split_addresses(addresses)
        columns[f"{whose}_ip"] = [ip or address for ip, address in zip(ips, addresses, strict=True)]
    escaped = rows.escaped
    if escaped:  # what is may be in another field now
        escaped = _LISTS if _LISTS.issuperset(escaped) else None
    return Rows(tuple(columns), list(columns.values()), escaped=escaped, optional=rows.optional)


_FIRST = """
    type version time elb listener client_port destination_port connection_time tls_handshake_time received_bytes
    sent_bytes incoming_tls_alert chosen_cert_arn chosen_cert_serial tls_cipher tls_protocol_version tls_named_group
    domain_name
"""
_SINCE = "alpn_fe_protocol alpn_be_protocol alpn_client_preference_list tls_connection_creation_time"
"""Columns that AWS has added."""
_LISTS = frozenset({"alpn_be_protocol", "alpn_client_preference_list"})
"""Those that may hold a list, the former where there are 20 columns."""
TABLE = Table(
    (*_FIRST.split(), *_SINCE.split()),
    by_spaces_and_lists,
    least=len(_FIRST.split()),
    split_at_once=spaces_and_lists_at_once,
    finish=finish,
    finish_rows=finish_rows,
)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The connections, each with its source."""
    return sourced(rows(chunks, TABLE), "nlb")


NLB = LogType(
    name="nlb",
    what="TLS connections to network load balancers",
    format="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html",
    layouts=LAYOUTS,
    decode=decode,
    time_field="time",
    others=others("net"),
    looks_like=re.compile(BEGINNING + rb"tls \d+\.\d+ \d{4}-\d\d-\d\dT[\d:.]+Z? net/\S+ ").match,
)
