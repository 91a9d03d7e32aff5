"""Making an event fit into a datagram: what is cut is said, what is left is valid JSON.

Time and memory are about linear in the event's size, whatever it looks like.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from awsflow.exactjson import json_bytes, json_value

KEEP = 64
"""Bytes of JSON that are left of a text at least."""
LIST = len('"aws":{"log_info":{"truncated":[]}},')
"""Bytes that the list of what is truncated takes at most before anything is in it."""


def shrunk(body: bytes, limit: int) -> bytes:
    """The body of a datagram in at most `limit` bytes, of which there must be some hundreds.

    Of a JSON object the longest texts are cut, the deepest first among equals, one after the other, until it fits;
    `aws.log_info.truncated` lists their dotted paths, within `aws` if the event is in Wazuh's envelope. Where that is
    not enough, because it holds too much that is no text, its largest fields are left out whole, and listed as far as
    a quarter of the limit goes. `integration` and `log_info` stay.

    Anything else is taken as text, and ends at the last character that fits.
    """
    if len(body) <= limit:
        return body
    try:
        event = json_value(body)
    except ValueError:
        return _beginning(body, limit)
    if not isinstance(event, dict):
        return _beginning(body, limit)
    encoded = json_bytes(event)
    if len(encoded) <= limit:  # it was only written with much white space
        return encoded
    truncated: list[str] = []
    fields, to_keep = _fields(event, truncated)
    excess = len(encoded) + LIST - limit
    texts = [text for text in _texts(fields) if text.gain > 0]
    if sum(text.gain for text in texts) >= excess:
        _cut_texts(texts, truncated, excess)
    else:
        _leave_out(fields, to_keep, truncated, excess, limit // 4)
    return json_bytes(event)


class _Place:
    """Where a value is. Its path is made only when it is needed: those of deeply nested values are long."""

    __slots__ = ("above", "depth", "holder", "listed", "name", "size")

    def __init__(self, holder: Any, name: Any, above: "_Place | None" = None, size: int = 0) -> None:
        self.holder = holder
        self.name = name
        self.above = above
        self.size = size
        """Bytes of the value's JSON, if it is a text."""
        self.depth: int = above.depth + 1 if above else 1
        self.listed: int = (above.listed if above else 2) + len(json_bytes(str(name))) - 1
        """Bytes that its path takes in a list, with quotes and a comma."""

    @property
    def gain(self) -> int:
        """Bytes that cutting a text as short as can be saves at least."""
        return self.size - KEEP - self.listed

    @property
    def path(self) -> str:
        """The names that lead here, with dots between them."""
        names = []
        place: _Place | None = self
        while place is not None:
            names.append(str(place.name))
            place = place.above
        return ".".join(reversed(names))


def _fields(event: dict[str, Any], truncated: list[str]) -> tuple[list[_Place], list[_Place]]:
    """The event's fields that may be cut, and those to keep. The list of what is truncated gets its place."""
    aws = event.setdefault("aws", {})
    in_envelope = isinstance(aws, dict) and "log_info" in aws
    log_info = aws.setdefault("log_info", {}) if isinstance(aws, dict) else None
    if not isinstance(log_info, dict):  # not Wazuh's envelope, but something else of these names: no place for a list
        return [_Place(event, name) for name in event], []
    log_info["truncated"] = truncated
    above = None if in_envelope else _Place(event, "aws")
    fields = [_Place(event, name) for name in event if name not in {"aws", "integration"}]
    fields += [_Place(aws, name, above) for name in aws if name != "log_info"]
    below = _Place(aws, "log_info", above)
    to_keep = [_Place(log_info, name, below) for name in log_info if name != "truncated"]
    if "integration" in event:
        to_keep.append(_Place(event, "integration"))
    return fields, to_keep


def _texts(fields: Iterable[_Place]) -> Iterator[_Place]:
    """The texts in these fields, at any depth, that are longer than what is kept of a text."""
    todo: list[tuple[Any, _Place | None, Iterable[tuple[Any, Any]]]]
    todo = [(place.holder, place.above, [(place.name, place.holder[place.name])]) for place in fields]
    while todo:
        holder, above, members = todo.pop()
        for name, value in members:
            if isinstance(value, str):
                size = len(json_bytes(value))
                if size > KEEP:
                    yield _Place(holder, name, above, size)
            elif isinstance(value, dict | list) and value:
                inner = value.items() if isinstance(value, dict) else enumerate(value)
                todo.append((value, _Place(holder, name, above), inner))


def _cut_texts(texts: list[_Place], truncated: list[str], excess: int) -> None:
    """Cut texts until so many bytes are saved."""
    texts.sort(key=lambda text: (text.size, text.depth), reverse=True)
    for text in texts:
        if excess <= 0:
            return
        excess += text.listed
        value = _cut(text.holder[text.name], max(text.size - excess, KEEP))
        text.holder[text.name] = value
        excess -= text.size - len(json_bytes(value))
        truncated.append(text.path)


def _cut(text: str, size: int) -> str:
    """As much of the beginning of a text as has a JSON of at most `size` bytes."""
    low, high = 0, min(len(text), size)
    while low < high:
        middle = (low + high + 1) // 2
        if len(json_bytes(text[:middle])) <= size:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _leave_out(fields: list[_Place], to_keep: list[_Place], truncated: list[str], excess: int, room: int) -> None:
    """Leave out the largest fields until so many bytes are saved; `room` is how many of these the list may take."""
    for places in (fields, to_keep):
        sizes = [(len(json_bytes({place.name: place.holder[place.name]})) - 1, place) for place in places]
        for size, place in sorted(sizes, key=lambda found: found[0], reverse=True):
            if excess <= 0:
                return
            del place.holder[place.name]
            excess -= size
            if place.listed <= room:
                truncated.append(place.path)
                room -= place.listed
                excess += place.listed


def _beginning(body: bytes, limit: int) -> bytes:
    """The beginning of a text, without a part of a character at its end. Bytes that are no UTF-8 stay."""
    end = limit
    while end > max(limit - 3, 0) and body[end] & 0xC0 == 0x80:
        end -= 1
    return body[:end]
