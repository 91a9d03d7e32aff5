"""The Wazuh envelope, the shape that its rules expect of every event, and the JSON that is sent.

{"integration": "aws", "aws": {"log_info": {...}, ...the event's own fields...}}
"""

import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from awsflow.exactjson import json_bytes
from awsflow.items import Event, Failure, Item, Origin, Record, Records
from awsflow.joined import Joined
from awsflow.rows import Rows
from awsflow.rows_json import RowsJson
from awsflow.stages import Encoding, Together

_LEVELS = 50
"""Of objects in objects, for which Python's own stack is used."""
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
    _tidy(event, _LEVELS)
    address = event.get("sourceIPAddress")
    if address.__class__ is str and _starts_like_ipv4(address):
        event["source_ip_address"] = address
    if "tags" in event and event["tags"].__class__ is not dict:
        event["tags"] = {"value": event["tags"]}
    return event


COMMON_CHANGES = frozenset({"sourceIPAddress", "tags"})
"""The fields without one of which nothing changes in an event that holds only text."""


def text(event: dict[str, Any]) -> dict[str, Any]:
    """The shape of types whose events hold nothing but text: as they are."""
    return event


def _tidy(fields: dict[str, Any], levels: int) -> None:
    """Drop nulls and unwrap lists of one, in so many levels by calls, which is fast, and then without."""
    odd = None
    for name, value in fields.items():
        kind = value.__class__
        if kind is str:
            continue
        if kind is dict:
            if levels:
                _tidy(value, levels - 1)
            else:
                _tidy_deep(value)
        elif value is None or (kind is list and len(value) == 1):
            odd = [name] if odd is None else [*odd, name]
    if odd:
        for name in odd:
            value = fields[name]
            if value is None:
                del fields[name]
            else:
                fields[name] = value[0]


def _tidy_deep(top: dict[str, Any]) -> None:
    """The same, however deeply it nests."""
    below: list[dict[str, Any]] = [top]
    for fields in below:
        below += [value for value in fields.values() if value.__class__ is dict]
    for fields in below:
        odd = [name for name, value in fields.items() if value is None or _is_list_of_one(value)]
        for name in odd:
            if fields[name] is None:
                del fields[name]
            else:
                fields[name] = fields[name][0]


def _is_list_of_one(value: Any) -> bool:
    return value.__class__ is list and len(value) == 1


def log_info(origin: Origin) -> dict[str, str]:
    """What the envelope says of where an event comes from."""
    of_object = {"log_file": origin.key, "s3bucket": origin.bucket}
    return {"aws_account_alias": origin.alias, **of_object} if origin.envelope == "bucket" else of_object


@Encoding
def wazuh_json(items: Iterable[Item], head: bytes) -> Generator[Item, None, None]:
    """The stage that encodes records for Wazuh: each event becomes the bytes of a datagram's body.

    Text becomes its UTF-8; bytes are encoded already and pass.
    """
    encoder = _Encoder(Origin(), head)
    for item in items:
        if item.__class__ is Records:
            if item.origin is not encoder.origin:
                encoder = _Encoder(item.origin, head)
            yield encoder.together(item)
        elif item.__class__ is Record:
            if item.origin is not encoder.origin:
                encoder = _Encoder(item.origin, head)
            encoded = encoder.encoded(item.event, item.number)
            for body in encoded if isinstance(encoded, list) else (encoded,):
                yield Record(body, item.origin, item.number)
        else:
            yield item


_Writers: TypeAlias = dict[tuple[str, ...], RowsJson | None]
"""What wrote the last rows, by their names; None if it takes mappings."""


def _joined(rows: Rows, writers: _Writers, make: Callable[[tuple[str, ...]], RowsJson | None]) -> Joined | None:
    """The JSON of rows; None if it takes mappings to make it."""
    names = rows.names
    if names not in writers:
        writers.clear()  # they follow on each other, if there are several at all
        writers[names] = make(names)
    writer = writers[names]
    return None if writer is None else writer.joined(rows)


class _Encoder:
    """Encodes the events of one origin. What is the same around all of them is made once."""

    def __init__(self, origin: Origin, rows_head: bytes) -> None:
        self.origin = origin
        self._rows_head = rows_head
        self._shape = origin.shape or text
        self._account = origin.account
        head, self._tail = _around(origin)
        self._in_object = head.endswith(b"}")
        """Whether the event's fields go into the object that `log_info` begins."""
        self._head = head
        self._begun = head + b"," if self._in_object else head + b"{"
        self._writers: _Writers = {}

    def together(self, records: Records) -> Records:
        """The encoded records."""
        events = records.events
        if events.__class__ is Rows and (joined := _joined(events, self._writers, self._rows_json)) is not None:
            return Records(joined, self.origin, records.numbers)
        bodies: list[Event] = []
        numbers: list[int] = []
        for event, number in zip(events, records.numbers, strict=True):
            encoded = self.encoded(event, number)
            if isinstance(encoded, list):
                bodies += encoded
                numbers += [number] * len(encoded)
            else:
                bodies.append(encoded)
                numbers.append(number)
        return Records(bodies, self.origin, numbers)

    def encoded(self, event: Any, number: int) -> bytes | list[bytes]:
        """What is sent for an event, or all that is: in its type's shape, with the account, without its log_info."""
        if event.__class__ is not dict:
            if not isinstance(event, Mapping):
                return _text_bytes(event, self.origin, number)
            event = dict(event)
        if self._account:
            event["aws_account_id"] = self._account
        if self._in_object:
            event.pop("log_info", None)
        shaped = self._shape(event)
        return [self._body(one) for one in shaped] if isinstance(shaped, list) else self._body(shaped)

    def _body(self, fields: dict[str, Any]) -> bytes:
        if not fields:
            return self._head + (b"}" if self._in_object else b"{}") + self._tail
        if not self._tail:
            return json_bytes(fields)
        return json_bytes({"": fields}).replace(b'{"":{', self._begun, 1)  # one copy: a tenth faster than to add up

    def _rows_json(self, names: tuple[str, ...]) -> RowsJson | None:
        """What writes rows of these names, if nothing but the account has to be added to them."""
        is_plain = self._shape is text or (self._shape is common and COMMON_CHANGES.isdisjoint(names))
        if not is_plain or {"aws_account_id", "log_info"} & {*names}:
            return None
        account = b',"aws_account_id":' + json_bytes(self._account) if self._account else b""
        return RowsJson(names, self._begun, account + b"}" + self._tail, self._rows_head)


def _around(origin: Origin) -> tuple[bytes, bytes]:
    """What stands before an event's JSON, and behind it."""
    if origin.envelope == "none":
        return b"", b""
    head = b'{"integration":"aws","aws":'
    if origin.envelope == "service":
        return head, b"}"
    return head + b'{"log_info":' + json_bytes(log_info(origin)), b"}"


@Together
def tell_failures(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The stage that tells Wazuh of objects that could not be read: behind each such failure comes an encoded event.

    It is `{"integration": "aws", "aws": {"log_info": {...}}, "error_msg": "..."}`.
    """
    for item in items:
        yield item
        if isinstance(item, Failure) and item.content is None:
            told = {"integration": "aws", "aws": {"log_info": log_info(item.origin)}, "error_msg": str(item.error)}
            yield Record(json_bytes(told), item.origin, item.number)


@Together
def plain_json(items: Iterable[Item]) -> Generator[Item, None, None]:
    """The stage that encodes events as they are, without Wazuh's envelope and shape: for jq, files, other programs."""
    writers: _Writers = {}
    for item in items:
        if item.__class__ is Record:
            item.event = _plain(item.event, item.origin, item.number)
            yield item
        elif isinstance(item, Records):
            yield Records(_plain_together(item, writers), item.origin, item.numbers)
        else:
            yield item


def _plain_together(records: Records, writers: _Writers) -> Sequence[bytes]:
    """The JSON of several events."""
    events = records.events
    if events.__class__ is Rows and (joined := _joined(events, writers, _plain_rows_json)) is not None:
        return joined
    return [_plain(event, records.origin, number) for event, number in zip(events, records.numbers, strict=True)]


def _plain_rows_json(names: tuple[str, ...]) -> RowsJson:
    return RowsJson(names, b"{", b"}")


def _plain(event: Any, origin: Origin, number: int) -> bytes:
    if event.__class__ is dict:
        return json_bytes(event)
    return json_bytes(dict(event)) if isinstance(event, Mapping) else _text_bytes(event, origin, number)


def _text_bytes(event: Any, origin: Origin, number: int) -> bytes:
    """The bytes of an event that is no mapping. TypeError if it is nothing that could be sent."""
    if isinstance(event, bytes):
        return event
    if isinstance(event, str):
        return event.encode("utf-8", "surrogatepass")
    raise TypeError(
        f"encoding record {number} of {origin}: a stage has made {type(event).__name__} of it; return a "
        "dict, text or bytes"
    )
