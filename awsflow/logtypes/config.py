"""AWS Config: how resources are configured, and were before; JSON documents `{"configurationItems": [ITEM, ...]}`.

Format: https://docs.aws.amazon.com/config/latest/developerguide/example-s3-config-history.html
Keys: https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html

Notifications of oversized changes lie in the same folders and have no `configurationItems`: they have no events, and
the item that they tell of comes with the next history file.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from awsflow.decode.json_documents import array_in_document
from awsflow.envelope import common
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_time = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", re.ASCII).fullmatch
_LISTED = {"securityGroups": ("groupId", "groupName"), "availabilityZones": ("zoneName", "subnetId")}
"""Fields that become objects of lists, of which members; the first is what a text in the field's place stands for."""


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The items of `configurationItems`, each with its source."""
    return sourced(array_in_document(chunks, "configurationItems"), "config")


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """What Wazuh's index holds of `configuration`, which each resource type fills as it likes.

    A value of a kind that is not told of here is left as it is.
    """
    common(event)
    configuration = event.get("configuration")
    if configuration.__class__ is not dict:
        return event
    for value in configuration.values():
        if value.__class__ is dict and value.get("Content").__class__ is dict:
            value["Content"] = list(value["Content"])
    for field, names in _LISTED.items():
        if field in configuration:
            configuration[field] = _lists(configuration[field], names)
    for field in ("state", "iamInstanceProfile"):
        if configuration.get(field).__class__ is str:
            configuration[field] = {"name": configuration[field]}
    if "createdTime" in configuration:
        configuration["createdTime"] = _seconds(configuration["createdTime"])
    return event


def _lists(value: Any, names: tuple[str, str]) -> Any:
    """An object whose members are lists: of a text, of some objects' members, or of one object's."""
    if value.__class__ is str:
        return {names[0]: [value]}
    if value.__class__ is dict:
        return {name: [member] for name, member in value.items()}
    if value.__class__ is not list:
        return value
    lists: dict[str, list[Any]] = {}
    for name in names:
        for item in value:
            if item.__class__ is dict and item.get(name) is not None:
                lists.setdefault(name, []).append(item[name])
            elif item.__class__ is str and name == names[0]:
                lists.setdefault(name, []).append(item)
    return lists


def _seconds(value: Any) -> Any:
    """Seconds since the epoch, without their fraction if they were text, which is in UTC."""
    if value.__class__ is int:
        try:
            return float(value)
        except OverflowError:
            return value
    if value.__class__ is str and (time := _time(value)):
        try:
            return datetime.fromisoformat(f"{time[1]}+00:00").timestamp()
        except ValueError:
            pass
    return value


def looks_like(head: bytes) -> bool:
    """Whether a document has configuration items."""
    return opening(head).get("configurationItems", b"").startswith(b"[")


CONFIG = LogType(
    name="config",
    what="AWS Config: how resources are configured, and were before",
    format="https://docs.aws.amazon.com/config/latest/developerguide/example-s3-config-history.html",
    layouts=(AwsLogs("Config", padded=False),),
    decode=decode,
    shape=shape,
    account=True,
    time_field="configurationItemCaptureTime",
    names=r"\.json(\.[a-z0-9]+)?$",
    looks_like=looks_like,
)
