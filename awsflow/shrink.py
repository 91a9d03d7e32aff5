"""Making an event fit into a datagram: what is cut is said, what is left is valid JSON."""

from typing import Any

from awsflow.exactjson import json_bytes, json_value

KEEP = 64
"""Bytes of JSON that are left of a text at least, while there are others to cut."""


def shrunk(body: bytes, limit: int) -> bytes:
    """The body of a datagram in at most `limit` bytes.

    Of an event in Wazuh's envelope the longest texts are cut, the deepest first among equals, one after the other,
    until it fits; `aws.log_info.truncated` lists their dotted paths. Where that is not enough, because it holds too
    much that is no text, only those top-level fields are left, whole, that fit, and the others are listed. Anything
    else is taken as text, and ends at the last character that fits.
    """
    try:
        event = json_value(body)
        log_info = event["aws"]["log_info"]
    except (ValueError, TypeError, KeyError):
        return body[:limit].decode("utf-8", "ignore").encode()
    texts = sorted(_texts(event["aws"]), key=lambda text: (text.size, text.path.count(".")), reverse=True)
    cut: list[str] = []
    log_info["truncated"] = cut
    size = len(json_bytes(event))
    for text in texts:
        if size <= limit or text.size <= KEEP:
            break
        size += len(json_bytes(text.path)) + len(",")
        value = _cut(text.holder[text.name], max(text.size - (size - limit), KEEP))
        text.holder[text.name] = value
        size -= text.size - len(json_bytes(value))
        cut.append(text.path)
    return json_bytes(event) if size <= limit else _what_fits(json_value(body), limit)


class _Text:
    """A text inside an event."""

    __slots__ = ("holder", "name", "path", "size")

    def __init__(self, holder: Any, name: Any, path: str, size: int) -> None:
        self.holder = holder
        self.name = name
        self.path = path
        self.size = size
        """Bytes of its JSON."""


def _texts(fields: dict[str, Any]) -> list[_Text]:
    """All texts that may be cut: everywhere but in `log_info`."""
    texts = []
    todo: list[tuple[Any, str]] = [(fields, "")]
    while todo:
        holder, path = todo.pop()
        members = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for name, value in members:
            below = f"{path}.{name}" if path else str(name)
            if isinstance(value, str):
                size = len(json_bytes(value))
                if size > KEEP:
                    texts.append(_Text(holder, name, below, size))
            elif isinstance(value, dict | list) and below != "log_info":
                todo.append((value, below))
    return texts


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


def _what_fits(event: dict[str, Any], limit: int) -> bytes:
    """The event with those of its top-level fields that fit, whole, and the list of the others as far as it fits."""
    fields = event["aws"]
    log_info = fields.pop("log_info")
    truncated: list[str] = []
    left = {"log_info": {**log_info, "truncated": truncated}}
    event["aws"] = left
    room = limit - len(json_bytes(event))
    for name, value in sorted(fields.items(), key=lambda field: len(json_bytes(field[1]))):
        needs = len(json_bytes({name: value})) - len("{}") + len(",")
        if needs <= room - (len(json_bytes(name)) + len(",")):
            left[name] = value
            room -= needs
        else:
            needs = len(json_bytes(name)) + len(",")
            if needs <= room:
                truncated.append(name)
                room -= needs
    return json_bytes(event)
