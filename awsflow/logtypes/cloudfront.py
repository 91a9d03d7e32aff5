"""CloudFront's access logs (standard logs): tab-separated with a header, or JSON lines or Parquet, as people choose.

Format: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
Keys: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html#bucket-path-examples
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from awsflow.decode.json_lines import json_lines
from awsflow.decode.parquet import is_parquet, parquet_rows, peek
from awsflow.decode.table import Columns, Table, delimited_at_once, rows
from awsflow.items import Block, RowsOrBlock
from awsflow.logtypes.distributions import NAME, Distributions
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIELDS = _words(
    """
    date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)
    cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken
    x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status
    fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len
    sc-range-start sc-range-end
    """
)
"""In the order that logs have without being told another one."""
_ALL_FIELDS = frozenset(
    (*FIELDS, *_words("timestamp(ms) origin-fbl origin-lbl asn c-country cache-behavior-path-pattern"))
)
_OF_MANY_SERVERS = frozenset(
    _words(
        """
        date time sc-bytes c-ip cs-method cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie)
        cs(Host) cs-bytes time-taken c-port x-forwarded-for asn
        """
    )
)
"""Names from the W3C's format, https://www.w3.org/TR/WD-logfile.html, which other servers' logs have as well."""
_PARTICULAR = _ALL_FIELDS - _OF_MANY_SERVERS
_LETTERS = str.maketrans({"-": "_", "(": "_", ")": None})
_line = re.compile(rb"\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t[A-Z]{3}\d+(?:-[A-Z]+\d+)?\t\d+\t").match


def field(name: str) -> str:
    """What a column is called in events.

    >>> field("cs(User-Agent)"), field("x-edge-location"), field("timestamp(ms)")
    ('cs_user_agent', 'x_edge_location', 'timestamp_ms')
    """
    return name.lower().translate(_LETTERS)


def header(line: str) -> tuple[str, ...] | None:
    """The names that a line gives to columns: behind `#Fields:` or, in plain files, without it."""
    if line.startswith("#"):
        directive, _, names = line.partition(":")
        return tuple(map(field, names.split())) if directive == "#Fields" else ()
    columns = line.split("\t") if line.partition("\t")[0] in _ALL_FIELDS else []
    return tuple(map(field, columns)) if columns and _ALL_FIELDS.issuperset(columns) else None


def split(lines: list[str]) -> list[list[str]]:
    """Split at each tab, or at spaces where those are chosen as delimiters: in values, they are encoded."""
    return [line.split("\t" if "\t" in line else " ") for line in lines]


def split_at_once(lines: Sequence[bytes]) -> Columns | None:
    """The same for many lines, if all are split at the same: at tabs only those have as many columns that hold some."""
    if b"\t" in lines[0]:
        return delimited_at_once(lines, "\t")
    return None if any(b"\t" in line for line in lines) else delimited_at_once(lines, " ")


def may_begin_header(first: str) -> bool:
    """Whether this is what a header may begin with."""
    return first.startswith("#") or first in _ALL_FIELDS


TABLE = Table(
    names=tuple(map(field, FIELDS)),
    split=split,
    split_at_once=split_at_once,
    header=header,
    may_begin_header=may_begin_header,
)


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The requests, each with its source. Values are as written: what is URL-encoded stays so."""
    head, chunks = yield from peek(chunks)
    if is_parquet(head):
        blocks: Iterator[RowsOrBlock] = _renamed(_texts(parquet_rows(chunks)))
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        blocks = _renamed(json_lines(chunks))
    else:
        blocks = rows(chunks, TABLE)
    yield from sourced(blocks, "cloudfront")


def _renamed(blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        yield [
            {field(name): value for name, value in event.items()} if isinstance(event, dict) else event
            for event in block
        ]


def _texts(blocks: Iterator[Block]) -> Iterator[Block]:
    """Numbers as text, which they are in the other formats."""
    for block in blocks:
        yield [_text(event) if isinstance(event, dict) else event for event in block]


def _text(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value if value is None else str(value) for name, value in event.items()}


def looks_like(head: bytes) -> bool:
    """Whether a header, the first object or the first line is CloudFront's. In Parquet, only the end would tell."""
    if is_parquet(head) or _line(head):
        return True
    names = set(opening(head))
    for line in head.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()[:3]:
        directive, _, rest = line.partition(":")
        if directive == "#Fields":
            names.update(rest.split())
        elif header(line):
            names.update(line.split("\t"))
    return not _PARTICULAR.isdisjoint(names)


CLOUDFRONT = LogType(
    name="cloudfront",
    what="requests to CloudFront's distributions",
    format="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html",
    layouts=(Distributions(vended=False), Distributions(vended=True)),
    decode=decode,
    account=True,
    names=NAME,
    looks_like=looks_like,
)
