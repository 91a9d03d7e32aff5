"""Connection logs of application load balancers: a TLS connection on each line, columns between spaces.

Format and keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
"""

import re
from collections.abc import Iterator

from awsflow.decode.table import Table, by_quoted_spaces, quoted_spaces_at_once, rows
from awsflow.items import RowsOrBlock
from awsflow.logtypes.load_balancers import BEGINNING, LAYOUTS, LIKE_A_TIME, others_than_connections
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_FIRST = """
    timestamp client_ip client_port listener_port tls_protocol tls_cipher tls_handshake_latency
    leaf_client_cert_subject leaf_client_cert_validity leaf_client_cert_serial_number tls_verify_status
"""
_SINCE = "conn_trace_id tls_keyexchange"
"""Columns that AWS has added."""
TABLE = Table(
    (*_FIRST.split(), *_SINCE.split()),
    by_quoted_spaces,
    least=len(_FIRST.split()),
    split_at_once=quoted_spaces_at_once,
)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The connections, each with its source."""
    return sourced(rows(chunks, TABLE), "alb_connection")


ALB_CONNECTION = LogType(
    name="alb_connection",
    what="connections to application load balancers, and clients' certificates",
    format="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
    layouts=LAYOUTS,
    decode=decode,
    time_field="timestamp",
    others=others_than_connections(),
    looks_like=re.compile(
        BEGINNING + LIKE_A_TIME + rb" [\da-fA-F.:]+ \d+ \d+ (?:TLSv[\d.]+|-) \S+ (?:[\d.]+|-) "
    ).match,
)
