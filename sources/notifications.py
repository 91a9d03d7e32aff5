"""What a message of a queue tells of new objects, in every shape: S3's, EventBridge's, CloudTrail's, by SNS or not.

S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
EventBridge: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
Security Lake: https://docs.aws.amazon.com/security-lake/latest/userguide/subscriber-data-access.html
CloudTrail: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

from awsflow.errors import DecodeError
from awsflow.exactjson import NotJson, json_value

_WRAPPERS = 3
"""How often one message may be wrapped in another."""
_SHOWN = 100
"""Characters of what a message says that are told at most."""
_is_time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII).fullmatch
_HELLO = "CloudTrail validation message."
"""What CloudTrail sends when its topic is set up."""


@dataclass(frozen=True, slots=True)
class Named:
    """A new object."""

    bucket: str
    key: str
    size: int = 0
    """In bytes; 0: not told."""
    written: str = field(default="", compare=False, repr=False)
    """When, as ISO 8601 in UTC; empty: not told."""


@dataclass(frozen=True, slots=True)
class Other:
    """Something that happened, but brought no new object: `what` it was."""

    what: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A part of a message that cannot be understood, and `why`."""

    why: str


Part: TypeAlias = Named | Other | Wrong


def parts(body: str) -> list[Part]:
    """All that a message tells of, each object once; DecodeError, with what is wrong, if it is of no known shape.

    >>> parts('{"s3Bucket": "trail", "s3ObjectKey": ["a.json.gz"]}')
    [Named(bucket='trail', key='a.json.gz', size=0)]
    """
    told = {(part.bucket, part.key) if isinstance(part, Named) else part: part for part in _parts(body, _WRAPPERS)}
    return list(told.values())


def _parts(body: str, wrappers: int) -> Iterator[Part]:
    message = _message(body)
    if message == _HELLO:
        yield Other("CloudTrail's validation message")
    elif not isinstance(message, dict):
        raise _unknown("it is no JSON object")
    elif isinstance(message.get("Records"), list):
        yield from map(_of_s3, message["Records"])
    elif message.get("Event") == "s3:TestEvent":
        yield Other("s3:TestEvent")
    elif isinstance(message.get("detail"), dict) and ("bucket" in message["detail"] or "object" in message["detail"]):
        yield _of_eventbridge(message)
    elif "s3ObjectKey" in message:
        yield from _of_cloudtrail(message)
    elif message.get("Type") == "SubscriptionConfirmation":
        raise _unknown("it asks to confirm the queue's subscription to an SNS topic; confirm it")
    elif isinstance(message.get("Message"), str) and wrappers:
        yield from _parts(message["Message"], wrappers - 1)
    else:
        raise _unknown("it names no object; its fields are " + (", ".join(sorted(message))[:_SHOWN] or "none"))


def _message(body: str) -> Any:
    """The message's JSON; the text itself, if it is CloudTrail's greeting."""
    if body.strip() == _HELLO:
        return _HELLO
    try:
        return json_value(body.encode("utf-8", "surrogatepass"))
    except NotJson as error:
        raise _unknown(f"it is not JSON: {error.complaint}") from None


def _of_s3(record: Any) -> Part:
    """One record of an event notification. S3-compatible stores put `s3:` in front of the event's name."""
    bucket, key = _text(record, "s3", "bucket", "name"), _text(record, "s3", "object", "key")
    if not bucket or not key:
        return Wrong("one of its records names no bucket and key")
    happened = _text(record, "eventName").removeprefix("s3:")
    if happened and not happened.startswith("ObjectCreated:"):
        return Other(happened[:_SHOWN])
    return Named(bucket, unquote_plus(key), _size(record, "s3", "object", "size"), _time(record, "eventTime"))


def _of_eventbridge(message: dict[str, Any]) -> Part:
    """An event. Security Lake's may come without a type. Keys are plain."""
    happened = _text(message, "detail-type")
    bucket, key = _text(message, "detail", "bucket", "name"), _text(message, "detail", "object", "key")
    if not bucket or not key:
        raise _unknown("its detail names no bucket and key")
    if happened and happened != "Object Created":
        return Other(happened[:_SHOWN])
    return Named(bucket, key, _size(message, "detail", "object", "size"), _time(message, "time"))


def _of_cloudtrail(message: dict[str, Any]) -> Iterator[Part]:
    """A notice of files that were delivered. Keys are plain."""
    bucket, keys = _text(message, "s3Bucket"), message["s3ObjectKey"]
    for key in keys if isinstance(keys, list) else [keys]:
        if bucket and isinstance(key, str) and key:
            yield Named(bucket, key)
        else:
            yield Wrong("it names no s3Bucket or s3ObjectKey")


def _text(value: Any, *path: str) -> str:
    """The text at a path; empty if there is none."""
    found = _at(value, path)
    return found if isinstance(found, str) else ""


def _size(value: Any, *path: str) -> int:
    """The size at a path; 0 if there is none."""
    found = _at(value, path)
    return found if found.__class__ is int and found > 0 else 0


def _time(value: Any, *path: str) -> str:
    """The time at a path; empty if there is none in UTC: the newest is found by comparing texts."""
    found = _text(value, *path)
    return found if _is_time(found) else ""


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _unknown(why: str) -> DecodeError:
    return DecodeError(why)
