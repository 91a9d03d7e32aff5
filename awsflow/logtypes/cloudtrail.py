"""CloudTrail: one JSON document an object, `{"Records": [EVENT, ...]}`.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
Keys: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-find-log-files.html
"""

import re
from collections.abc import Iterator
from typing import Any

from awsflow.decode.json_documents import array_in_document
from awsflow.envelope import common
from awsflow.exactjson import json_bytes
from awsflow.items import Block
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.types import LogType

_DYNAMIC = ("additionalEventData", "responseElements", "requestParameters")


def decode(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
    """The events of `Records`, each with its source. A document without `Records`, such as a digest, has none."""
    for block in array_in_document(chunks, "Records"):
        for event in block:
            if event.__class__ is dict:
                event["source"] = "cloudtrail"
        yield block


def shape(event: dict[str, Any]) -> dict[str, Any]:
    """Wazuh's index holds objects in the fields that CloudTrail fills as it likes: text becomes `{"string": text}`."""
    common(event)
    for name in _DYNAMIC:
        if name in event and event[name].__class__ is not dict:
            event[name] = {"string": _text(event[name])}
    parameters = event.get("requestParameters")
    if parameters.__class__ is dict and parameters.get("disableApiTermination").__class__ is bool:
        parameters["disableApiTermination"] = {"value": parameters["disableApiTermination"]}
    return event


def _text(value: Any) -> str:
    """The text that Python makes of a value; JSON, where it is nested more deeply than Python can."""
    try:
        return str(value)
    except RecursionError:
        return json_bytes(value).decode()


CLOUDTRAIL = LogType(
    name="cloudtrail",
    what="calls of AWS's API: who did what, when, from where",
    format="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html",
    layouts=(AwsLogs("CloudTrail"),),
    decode=decode,
    shape=shape,
    account=True,
    time_field="eventTime",
    names=r"\.json(\.[a-z0-9]+)?$",
    looks_like=re.compile(rb'\s*\{\s*"Records"\s*:\s*\[').match,
)
