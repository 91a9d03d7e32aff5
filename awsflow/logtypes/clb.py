"""Access logs of classic load balancers: a request or connection on each line, columns between spaces.

Format and keys: https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html
"""

import re
from collections.abc import Iterator

from awsflow.decode.table import Table, by_quoted_spaces, quoted_spaces_at_once, rows
from awsflow.items import RowsOrBlock
from awsflow.logtypes.load_balancers import BEGINNING, LAYOUTS, LIKE_A_TIME, others
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_FIRST = """
    time elb client_port backend_port request_processing_time backend_processing_time response_processing_time
    elb_status_code backend_status_code received_bytes sent_bytes request
"""
_SINCE = "user_agent ssl_cipher ssl_protocol"
"""Columns that AWS has added."""
TABLE = Table(
    (*_FIRST.split(), *_SINCE.split()),
    by_quoted_spaces,
    least=len(_FIRST.split()),
    split_at_once=quoted_spaces_at_once,
)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The requests, each with its source."""
    return sourced(rows(chunks, TABLE), "clb")


CLB = LogType(
    name="clb",
    what="requests to classic load balancers",
    format="https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html",
    layouts=LAYOUTS,
    decode=decode,
    time_field="time",
    others=others(""),
    looks_like=re.compile(
        BEGINNING + LIKE_A_TIME + rb' [\w-]+ \S+:\d+ (?:\S+:\d+|-) (?:-?[\d.]+ ){3}(?:\d{3}|-) (?:\d{3}|-) \d+ \d+ "'
    ).match,
)
