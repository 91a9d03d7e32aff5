"""Access logs of application load balancers: a request on each line, columns between spaces.

Format and keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

import re
from collections.abc import Iterator
from typing import Any

from awsflow.decode.table import Table, by_quoted_spaces, quoted_spaces_at_once, rows
from awsflow.items import RowsOrBlock
from awsflow.logtypes.load_balancers import (
    BEGINNING,
    LAYOUTS,
    LIKE_A_TIME,
    move_ip,
    move_ips,
    others,
    split_addresses,
)
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType
from awsflow.rows import Rows

_FIRST = """
    type time elb client_port target_port request_processing_time target_processing_time response_processing_time
    elb_status_code target_status_code received_bytes sent_bytes request user_agent ssl_cipher ssl_protocol
    target_group_arn trace_id
"""
_SINCE = """
    domain_name chosen_cert_arn matched_rule_priority request_creation_time action_executed redirect_url error_reason
    target_port_list target_status_code_list classification classification_reason conn_trace_id transformed_host
    transformed_uri request_transform_status
"""
"""Columns that AWS has added."""


def finish(event: dict[str, Any]) -> dict[str, Any]:
    """Ports stay in the fields named after them; the addresses' ips get their own."""
    move_ip(event, "client_port", "client_ip")
    move_ip(event, "target_port", "target_ip")
    if targets := event.get("target_port_list"):
        ips, ports = targets_apart(targets)
        if ips is not None:
            event["target_port_list"], event["target_ip_list"] = ports, ips
    return event


def targets_apart(targets: str) -> tuple[str | None, str]:
    """The ips and the ports of a list of addresses; no ips, and the list as it is, if there is none in it."""
    ips, ports = split_addresses(targets.split(" "))
    if not any(ips):
        return None, targets
    return " ".join(ip or "-" for ip in ips), " ".join(ports)


def finish_rows(rows: Rows) -> Rows:
    """The same for many requests at once."""
    columns = dict(zip(rows.names, rows.columns, strict=True))
    move_ips(columns, "client_port", "client_ip")
    move_ips(columns, "target_port", "target_ip")
    if "target_port_list" in columns:
        lists = [targets or "" for targets in columns["target_port_list"]]
        if " " not in "".join(lists):  # one target at most for each request, as nearly always
            move_ips(columns, "target_port_list", "target_ip_list")
        else:
            split = [targets_apart(targets) for targets in lists]
            columns["target_port_list"] = [ports for _, ports in split]
            if any(ips is not None for ips, _ in split):
                columns["target_ip_list"] = [ips for ips, _ in split]
    optional = None if rows.optional is None else {*rows.optional, *(columns.keys() - {*rows.names})}
    escaped = None if rows.escaped else rows.escaped  # what is escaped may be in another field now
    return Rows(tuple(columns), list(columns.values()), escaped=escaped, optional=optional)


TABLE = Table(
    (*_FIRST.split(), *_SINCE.split()),
    by_quoted_spaces,
    least=len(_FIRST.split()),
    split_at_once=quoted_spaces_at_once,
    finish=finish,
    finish_rows=finish_rows,
)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The requests, each with its source."""
    return sourced(rows(chunks, TABLE), "alb")


ALB = LogType(
    name="alb",
    what="requests to application load balancers",
    format="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
    layouts=LAYOUTS,
    decode=decode,
    time_field="time",
    others=others("app"),
    looks_like=re.compile(BEGINNING + rb"(?:https?|h2|grpcs?|wss?) " + LIKE_A_TIME + rb" app/\S+ ").match,
)
