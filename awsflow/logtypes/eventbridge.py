"""EventBridge: events of any AWS service in one envelope, `{"source": "aws.SERVICE", "detail": {...}, ...}`.

Format: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

from typing import Any

from awsflow.exactjson import json_bytes
from awsflow.items import Unreadable


def detail(envelope: dict[str, Any], otherwise: str) -> dict[str, Any] | Unreadable:
    """What an envelope holds, with the envelope's source less its `aws.`.

    Where the envelope has no source, the detail keeps its own, and if it has none either gets `otherwise`.
    """
    inside = envelope["detail"]
    if inside.__class__ is not dict:
        return Unreadable("its detail is no object", json_bytes(envelope))
    source = envelope.get("source")
    if source.__class__ is str:
        inside["source"] = source.removeprefix("aws.")
    else:
        inside.setdefault("source", otherwise)
    event: dict[str, Any] = inside
    return event
