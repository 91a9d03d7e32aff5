"""Network Firewall: alerts, flows and TLS inspection of its stateful engine; JSON lines.

Format: https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html
Keys: https://docs.aws.amazon.com/network-firewall/latest/developerguide/logging-s3.html

The three kinds are told apart by what the event itself says: `event.event_type` is `alert` or `netflow`, and TLS logs
have `event.tls_error` or `event.revocation_check`.
"""

from collections.abc import Iterator

from awsflow.decode.json_lines import json_lines
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events, each with its source."""
    return sourced(json_lines(chunks), "networkfirewall")


def looks_like(head: bytes) -> bool:
    """Whether the first object is a firewall's event."""
    return {"firewall_name", "availability_zone", "event"} <= opening(head).keys()


NETWORKFIREWALL = LogType(
    name="networkfirewall",
    what="Network Firewall: alerts, flows and TLS inspection",
    format="https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html",
    layouts=tuple(AwsLogs(f"network-firewall/{kind}", below=("FIREWALL",)) for kind in ("alert", "flow", "tls")),
    decode=decode,
    account=True,
    names=r"\.(json|log)(\.[a-z0-9]+)?$",
    looks_like=looks_like,
)
