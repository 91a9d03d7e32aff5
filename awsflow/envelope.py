"""The Wazuh envelope, the shape that its rules expect of every event, and the JSON that is sent.

{"integration": "aws", "aws": {"log_info": {...}, ...the event's own fields...}}
"""

import re
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from awsflow.exactjson import json_bytes
from awsflow.items import Failure, Item, Origin, Record

_starts_like_ipv4 = re.compile(r"\d+\.\d+\.\d+\.\d+").match


def drop_nulls(event: dict[str, Any]) -> dict[str, Any]:
    """Drop fields that are null, in place, in nested objects too, not inside lists."""
    todo = [event]
    while todo:
        fields = todo.pop()
        nulls = None
        for name, value in fields.items():
            if value is None:
                nulls = [name] if nulls is None else [*nulls, name]
            elif value.__class__ is dict:
                todo.append(value)
        if nulls:
            for name in nulls:
                del fields[name]
    return event


def common(event: dict[str, Any]) -> dict[str, Any]:
    """The shape that all types share: no nulls, lists of one unwrapped, the caller's address, tags as an object.

    In place. A list of exactly one element becomes that element, at every level of nested objects, not inside lists
    and not again inside what came out of a list.

    >>> common({"a": [1], "b": {"c": None, "d": [[2]]}, "e": [{"f": [3]}], "sourceIPAddress": "10.0.0.1"})
    {'a': 1, 'b': {'d': [2]}, 'e': {'f': [3]}, 'sourceIPAddress': '10.0.0.1', 'source_ip_address': '10.0.0.1'}
    """
    todo = [event]
    while todo:
        fields = todo.pop()
        odd = None
        for name, value in fields.items():
            kind = value.__class__
            if kind is dict:
                todo.append(value)
            elif value is None or (kind is list and len(value) == 1):
                odd = [name] if odd is None else [*odd, name]
        if odd:
            for name in odd:
                value = fields[name]
                if value is None:
                    del fields[name]
                else:
                    fields[name] = value[0]
    address = event.get("sourceIPAddress")
    if address.__class__ is str and _starts_like_ipv4(address):
        event["source_ip_address"] = address
    if "tags" in event and event["tags"].__class__ is not dict:
        event["tags"] = {"value": event["tags"]}
    return event


def log_info(origin: Origin) -> dict[str, str]:
    """What the envelope says of where an event comes from."""
    of_object = {"log_file": origin.key, "s3bucket": origin.bucket}
    return {"aws_account_alias": origin.alias, **of_object} if origin.envelope == "bucket" else of_object


def wazuh_json(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The stage that encodes records for Wazuh: each event becomes the bytes of a datagram's body.

    Text becomes its UTF-8; bytes are encoded already and pass.
    """
    origin = None
    head = tail = b""
    is_open = False
    for item in items:
        if item.__class__ is Record:
            event = item.event
            if event.__class__ is not dict:
                if not isinstance(event, Mapping):
                    item.event = _text_bytes(item)
                    yield item
                    continue
                event = dict(event)
            if item.origin is not origin:
                origin = item.origin
                head, tail = _around(origin)
                is_open = head.endswith(b"}")  # the event's fields go into the object that `log_info` begins
            for shaped in _shaped(event, origin, is_open):
                body = json_bytes(shaped)
                if is_open:
                    body = b"," + body[1:] if len(body) > 2 else b"}"
                yield Record(head + body + tail, origin, item.number)
        else:
            yield item


def _around(origin: Origin) -> tuple[bytes, bytes]:
    """What stands before an event's JSON, and behind it."""
    if origin.envelope == "none":
        return b"", b""
    head = b'{"integration":"aws","aws":'
    if origin.envelope == "service":
        return head, b"}"
    return head + b'{"log_info":' + json_bytes(log_info(origin)), b"}"


def tell_failures(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The stage that tells Wazuh of objects that could not be read: behind each such failure comes an encoded event.

    It is `{"integration": "aws", "aws": {"log_info": {...}}, "error_msg": "..."}`.
    """
    for item in items:
        yield item
        if isinstance(item, Failure) and item.content is None:
            told = {"integration": "aws", "aws": {"log_info": log_info(item.origin)}, "error_msg": str(item.error)}
            yield Record(json_bytes(told), item.origin, item.number)


def plain_json(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The stage that encodes events as they are, without Wazuh's envelope and shape: for jq, files, other programs."""
    for item in items:
        if item.__class__ is Record:
            event = item.event
            if event.__class__ is dict:
                item.event = json_bytes(event)
            else:
                item.event = json_bytes(dict(event)) if isinstance(event, Mapping) else _text_bytes(item)
        yield item


def _text_bytes(record: Record) -> bytes:
    """The bytes of an event that is no mapping. TypeError if it is nothing that could be sent."""
    event = record.event
    if isinstance(event, bytes):
        return event
    if isinstance(event, str):
        return event.encode("utf-8", "surrogatepass")
    raise TypeError(
        f"encoding record {record.number} of {record.origin}: a stage has made {type(event).__name__} of it; return a "
        "dict, text or bytes"
    )


def _shaped(event: dict[str, Any], origin: Origin, has_log_info: bool) -> list[dict[str, Any]]:
    """The events that are sent for this one: in the shape of its type, with the account, without its own log_info."""
    if origin.account:
        event["aws_account_id"] = origin.account
    if has_log_info:
        event.pop("log_info", None)
    if origin.shape is None:
        return [event]
    shaped = origin.shape(event)
    return shaped if isinstance(shaped, list) else [shaped]
