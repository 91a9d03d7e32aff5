"""Reading a log's content with its type, and what is sent of it."""

import json
from typing import Any

from awsflow.envelope import wazuh_json
from awsflow.items import Event, Origin, Record, Unreadable
from awsflow.logtypes.types import LogType

KEY = "some/key"


def decoded(log_type: LogType, content: bytes, size: int = 1 << 16) -> list[Event | Unreadable]:
    """The events of a content that comes in chunks of this size, with blocks as every decoder owes them."""
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    blocks = list(log_type.decode(iter(chunks), KEY))
    assert len(blocks) >= len(chunks)
    assert all(len(block) <= 100 for block in blocks)
    return [event for block in blocks for event in block]


def sent(log_type: LogType, *events: Any) -> list[Any]:
    """What Wazuh is sent under `aws` for these events."""
    origin = Origin("bucket", KEY, shape=log_type.shape)
    records = (Record(event, origin, number) for number, event in enumerate(events, 1))
    encoded = [item.event for item in wazuh_json(records) if isinstance(item, Record)]
    bodies = [json.loads(body) for body in encoded if isinstance(body, bytes)]
    assert len(bodies) == len(encoded)
    assert all(body["aws"].pop("log_info") for body in bodies)
    return [body["aws"] for body in bodies]
