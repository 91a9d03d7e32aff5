"""AWS WAF: web requests and what was done with them; JSON objects, one or several on a line.

Format: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
Keys: https://docs.aws.amazon.com/waf/latest/developerguide/logging-s3.html (as WAF writes them itself) and
https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html (through Firehose)

Where WAF itself writes to, what Firehose writes beside it is taken for other services' logs.

Web ACLs of CloudFront have the folder `cloudfront` where others have their region: it is read wherever regions are
found by listing, and not where others are given.
"""

from collections.abc import Iterator
from typing import Any

from awsflow.decode.json_objects import json_objects
from awsflow.envelope import common
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Unreadable
from awsflow.logtypes.layout import AwsLogs, Dated
from awsflow.logtypes.opening import opening
from awsflow.logtypes.types import LogType

STANDARD_HEADERS = frozenset(
    """
    a-im accept accept-charset accept-encoding accept-language access-control-request-method
    access-control-request-headers authorization cache-control connection content-encoding content-length content-type
    cookie date expect forwarded from host http2-settings if-match if-modified-since if-none-match if-range
    if-unmodified-since max-forwards origin pragma prefer proxy-authorization range referer te trailer transfer-encoding
    user-agent upgrade via warning x-requested-with x-forwarded-for x-forwarded-host x-forwarded-proto
    """.split()  # noqa: SIM905 - as the document has them
)
"""Headers whose names are known beforehand. All others would each be a new field in Wazuh's index."""


def decode(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
    """The requests, each with its source, and with its headers as an object: of those of one name the last one counts.

    One without a list of headers becomes an Unreadable.
    """
    for block in json_objects(chunks):
        yield [_request(event) if isinstance(event, dict) else event for event in block]


def _request(event: dict[str, Any]) -> dict[str, Any] | Unreadable:
    request = event.get("httpRequest")
    headers = request.get("headers") if isinstance(request, dict) else None
    try:
        event["httpRequest"]["headers"] = _by_name(headers)
    except (KeyError, TypeError):
        return Unreadable("no list of headers, each with name and value, in its httpRequest", json_bytes(event))
    event["source"] = "waf"
    return event


def _by_name(headers: Any) -> dict[str, Any]:
    """The headers' values by their names; KeyError or TypeError if they are no list of such, or a name is no text."""
    if not isinstance(headers, list):
        raise TypeError("no list")
    by_name = {header["name"]: header["value"] for header in headers}
    "".join(by_name)
    return by_name


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """Of `httpRequest.headers`, only the standard ones are sent."""
    request = event.get("httpRequest")
    if isinstance(request, dict) and isinstance(headers := request.get("headers"), dict):
        request["headers"] = {name: headers[name] for name in headers if name.lower() in STANDARD_HEADERS}
    return common(event)


def looks_like(head: bytes) -> bool:
    """Whether the first object is a request that a web ACL has judged."""
    return {"timestamp", "formatVersion", "webaclId"} <= opening(head).keys()


WAF = LogType(
    name="waf",
    what="AWS WAF: web requests, and what was done with them",
    format="https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html",
    layouts=(AwsLogs("WAFLogs", below=("WEBACL",)), Dated("/"), Dated("-")),
    exclusive=True,
    decode=decode,
    shape=shape,
    looks_like=looks_like,
)
