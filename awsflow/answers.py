"""What an answer of AWS must hold for us to go on: stores that only look like S3, and proxies, leave things out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from awsflow.errors import ServiceError

LAST = 253_402_300_799_999
"""The last millisecond of the year 9999."""
_NEEDED: Mapping[str, tuple[tuple[str, str, type], ...]] = {
    "ListObjectsV2": (
        ("Contents", "Key", str),
        ("Contents", "Size", int),
        ("Contents", "ETag", str),
        ("Contents", "LastModified", datetime),
        ("CommonPrefixes", "Prefix", str),
    ),
    "DescribeLogGroups": (("logGroups", "logGroupName", str),),
    "DescribeLogStreams": (("logStreams", "logStreamName", str),),
    "GetLogEvents": (("events", "timestamp", int), ("events", "message", str)),
    "GetQueueUrl": (("", "QueueUrl", str),),
    "ReceiveMessage": (("Messages", "MessageId", str), ("Messages", "ReceiptHandle", str), ("Messages", "Body", str)),
    "DeleteMessageBatch": (("Failed", "Id", str),),
    "ChangeMessageVisibilityBatch": (("Failed", "Id", str),),
}
"""By operation: the list, or the answer itself, and what each of its entries has."""
_TOKENS = ("nextToken", "nextForwardToken", "NextContinuationToken")
_TIMES = ("timestamp", "ingestionTime", "lastIngestionTime", "firstEventTimestamp")


class NotOfAws(Exception):
    """An answer is not as AWS's are. What is wrong with it is its text."""


def check(operation: str, answer: Any) -> None:
    """Raise NotOfAws for an answer that lacks what is needed of it, or has something else in its place."""
    if not isinstance(answer, dict):
        raise NotOfAws("it is no object")
    for token in _TOKENS:
        _is(answer, token, str)
    for name, member, kind in _NEEDED.get(operation, ()):
        entries = answer.get(name) or () if name else [answer]
        if not isinstance(entries, list | tuple):
            raise NotOfAws(f"its {name} is no list")
        for entry in entries:
            if not isinstance(entry, dict) or member not in entry:
                raise NotOfAws(f"there is no {member}" + (f" in one of its {name}" if name else ""))
            _is(entry, member, kind)
    for name in ("events", "logStreams"):
        for entry in answer.get(name) or ():
            for time in _TIMES:
                if not 0 <= _is(entry, time, int, 0) <= LAST:
                    raise NotOfAws(f"a {time} is no time")


def next_token(answer: Mapping[str, Any], name: str, before: str, what: str) -> str:
    """The token that leads to the next page, empty at the end; ServiceError if it leads to the same page again."""
    token: str = answer.get(name) or ""
    if token and token == before:
        raise ServiceError(f"{what}: the same page is given again and again; check the endpoint URL")
    return token


def _is(entry: Any, name: str, kind: type, default: Any = None) -> Any:
    value = entry.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise NotOfAws(f"its {name} is of another type")
    return value
