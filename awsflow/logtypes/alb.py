"""Access logs of application load balancers: a request on each line, columns between spaces.

Format and keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

import re
from collections.abc import Iterator
from typing import Any

from awsflow.decode.table import Table, by_quoted_spaces, rows
from awsflow.items import Block
from awsflow.logtypes.load_balancers import BEGINNING, LAYOUTS, LIKE_A_TIME, move_ip, others, split_address
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

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
        split = [split_address(target) for target in targets.split(" ")]
        if any(ip for ip, _ in split):
            event["target_port_list"] = " ".join(port for _, port in split)
            event["target_ip_list"] = " ".join(ip or "-" for ip, _ in split)
    return event


TABLE = Table((*_FIRST.split(), *_SINCE.split()), by_quoted_spaces, least=len(_FIRST.split()), finish=finish)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
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
