"""GuardDuty: findings, as it exports them itself (JSON lines) or as EventBridge hands them to Firehose.

Format: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html
Keys: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_exportfindings.html

Where GuardDuty itself exports to, what Firehose writes beside it is taken for other services' events.
"""

from collections.abc import Iterator
from typing import Any

from awsflow.decode.json_objects import json_objects
from awsflow.envelope import common, drop_nulls
from awsflow.items import Block, Unreadable
from awsflow.logtypes.eventbridge import detail
from awsflow.logtypes.layout import AwsLogs, Dated
from awsflow.logtypes.opening import opening
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
    """The findings, each with its source: the service that it names, or that its envelope names."""
    for block in json_objects(chunks):
        yield [_finding(event) if isinstance(event, dict) else event for event in block]


def _finding(event: dict[str, Any]) -> dict[str, Any] | Unreadable:
    if "detail" in event:
        return detail(event, "guardduty")
    service = event.get("service")
    named = service.get("serviceName") if service.__class__ is dict else None
    event["source"] = named if named.__class__ is str else "guardduty"
    return event


def shape(event: dict[str, Any]) -> dict[str, Any] | list[dict[str, Any]]:
    """A finding of several probed ports becomes one event a port, which keep their lists; others are as all types."""
    service: Any = event.get("service")
    action: Any = service.get("action") if service.__class__ is dict else None
    probe: Any = action.get("portProbeAction") if action.__class__ is dict else None
    ports: Any = probe.get("portProbeDetails") if probe.__class__ is dict else None
    if ports.__class__ is not list or len(ports) < 2:
        return common(event)
    drop_nulls(event)
    return [
        {**event, "service": {**service, "action": {**action, "portProbeAction": {**probe, "portProbeDetails": port}}}}
        for port in ports
    ]


def looks_like(head: bytes) -> bool:
    """Whether the first object is a finding as GuardDuty exports it. In envelopes they are of the type custom."""
    members = opening(head)
    return members.get("schemaVersion") == b'"2.0"' and {"accountId", "region", "id", "type"} <= members.keys()


GUARDDUTY = LogType(
    name="guardduty",
    what="GuardDuty: threats that it has found",
    format="https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html",
    layouts=(AwsLogs("GuardDuty"), Dated("/")),
    exclusive=True,
    decode=decode,
    shape=shape,
    time_field="updatedAt",
    looks_like=looks_like,
)
