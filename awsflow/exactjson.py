"""JSON both ways without a changed digit: orjson, and what orjson refuses or would change.

orjson makes floats of integers beyond 64 bits, refuses NaN, Infinity, numbers beyond a double and lone
surrogates, and knows a limit to nesting. All of these go another way here, which is slower and as linear.

A decimal fraction is a double, as in any JSON library. One that has 20 digits in a row keeps them all.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Self

import orjson

_DIGIT, _NO_DIGIT = b"\x01", b"\x02"
_DIGITS = bytes.maketrans(bytes(range(256)), bytes(1 if byte in b"-0123456789" else 2 for byte in range(256)))
_LONG = _DIGIT * 20
_BEFORE_NUMBER = b" \t\n\r:,[.eE+"
_AFTER_NUMBER = b" \t\n\r,]}.eE"
_blank = re.compile(r"[ \t\n\r]*")
_Text = bytes | bytearray


class NotJson(ValueError):
    """A text is no JSON. `offset` is where, in bytes."""

    def __init__(self, complaint: str, offset: int) -> None:
        super().__init__(f"{complaint} at byte {offset}")
        self.complaint = complaint
        self.offset = offset


class NumberAsWritten(float):
    """A number that no int or float would show as it was written: NaN, 1e400, twenty decimals."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Keep the text that the number is written with."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __getnewargs__(self) -> tuple[str]:  # type: ignore[override]  # a copy is made of the text
        """Give the text to copies."""
        return (self.text,)

    def __repr__(self) -> str:
        return self.text


def loses_digits(text: _Text) -> bool:
    """Tell whether orjson might read a number of this text as another one. Costs about a seventh of parsing.

    For those who call orjson themselves, on many texts: one call for all of them together is enough. A number
    that the text cuts off is noticed by 20 of its characters.
    """
    marks = text.translate(_DIGITS)
    start = marks.find(_LONG)
    while start >= 0:
        end = marks.find(_NO_DIGIT, start)
        end = len(text) if end < 0 else end
        if text[start - 1 : start] in _BEFORE_NUMBER and text[end : end + 1] in _AFTER_NUMBER:
            return True
        start = marks.find(_LONG, end)
    return False


def json_value(text: _Text) -> Any:
    """Read a whole JSON text in UTF-8. Raises NotJson, a ValueError.

    Takes all that Python's json module takes, nested without a limit. Integers are exact; NaN, Infinity and
    what a double cannot hold are `NumberAsWritten`; of members of the same name the last one counts.
    """
    if not loses_digits(text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return _exact_value(text)


def json_bytes(value: Any) -> bytes:
    """Write a value as JSON, in UTF-8 without white space; a lone surrogate, which has no UTF-8, is escaped.

    NaN and Infinity, which are no JSON, are written as Python's json module does where they come from
    `json_value` or stand alone. Inside of lists and objects a plain float that is one of them becomes null,
    as orjson has it: to look for it would cost as much as all the rest. Give a `NumberAsWritten` instead.
    Raises TypeError for what has no JSON, ValueError for what holds itself.
    """
    try:
        encoded = orjson.dumps(value, _as_written)
    except TypeError:
        return _exact_bytes(value)
    return json.dumps(value).encode() if encoded == b"null" and isinstance(value, float) else encoded


def _as_written(value: Any) -> orjson.Fragment:
    """Answer orjson, which asks what to write for a type that it does not know."""
    if value.__class__ is NumberAsWritten:
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _integer(text: str) -> int | NumberAsWritten:
    try:
        return int(text)
    except ValueError:  # longer than Python converts
        return NumberAsWritten(text)


def _real(text: str) -> float:
    number = float(text)
    return number if repr(number) == text else NumberAsWritten(text)


def _exact_value(text: _Text) -> Any:
    """Read a text with the json module, and if that cannot nest as deeply, without it."""
    decoder = json.JSONDecoder(parse_int=_integer, parse_float=_real, parse_constant=NumberAsWritten)
    try:
        string = text.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"invalid UTF-8 ({error.reason})", error.start) from None
    mark = "\ufeff" if string.startswith("\ufeff") else ""
    string = string.removeprefix(mark)
    try:
        try:
            return decoder.decode(string)
        except RecursionError:
            return _nested_value(string, decoder)
    except json.JSONDecodeError as error:
        raise NotJson(error.msg.removesuffix(" at"), len(f"{mark}{string[: error.pos]}".encode())) from None


def _nested_value(text: str, decoder: json.JSONDecoder) -> Any:
    """Read what the decoder would read if it could nest without end."""
    waiting: list[tuple[Any, str]] = []  # open lists and objects; these with the name of the member to come
    at = _after_blank(text, 0)
    while True:
        opening = text[at : at + 1]
        value: Any
        if opening in ("[", "{"):
            value, closing = ([], "]") if opening == "[" else ({}, "}")
            at = _after_blank(text, at + 1)
            if text[at : at + 1] != closing:
                name, at = _name(text, at, decoder) if opening == "{" else ("", at)
                waiting.append((value, name))
                continue
            at += 1
        else:
            value, at = decoder.raw_decode(text, at)
        while waiting:
            holder, name = waiting[-1]
            if holder.__class__ is list:
                holder.append(value)
            else:
                holder[name] = value
            at = _after_blank(text, at)
            if text[at : at + 1] == ",":
                at = _after_blank(text, at + 1)
                if holder.__class__ is dict:
                    name, at = _name(text, at, decoder)
                    waiting[-1] = (holder, name)
                break
            if text[at : at + 1] != ("]" if holder.__class__ is list else "}"):
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at += 1
            value = waiting.pop()[0]
        else:
            if (end := _after_blank(text, at)) != len(text):
                raise json.JSONDecodeError("Extra data", text, end)
            return value


def _name(text: str, at: int, decoder: json.JSONDecoder) -> tuple[str, int]:
    """Read the name of a member, and tell where its value begins."""
    if text[at : at + 1] != '"':
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    name, at = decoder.raw_decode(text, at)
    at = _after_blank(text, at)
    if text[at : at + 1] != ":":
        raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
    return name, _after_blank(text, at + 1)


def _after_blank(text: str, at: int) -> int:
    found = _blank.match(text, at)
    return found.end() if found else at


def _exact_bytes(value: Any) -> bytes:
    """Write any value, however deeply it nests."""
    if not isinstance(value, dict | list | tuple):
        return _scalar_bytes(value)
    parts: list[bytes] = []
    holders = [(value, _members(value))]
    open_ids = {id(value)}
    while holders:
        holder, members = holders[-1]
        for part, inner in members:
            parts.append(part)
            if inner is not None:
                if id(inner) in open_ids:
                    raise ValueError("a value that holds itself has no JSON")
                open_ids.add(id(inner))
                holders.append((inner, _members(inner)))
                break
        else:
            holders.pop()
            open_ids.remove(id(holder))
    return b"".join(parts)


def _members(holder: Any) -> Iterator[tuple[bytes, Any]]:
    """Write a list or object in parts, each with the list or object that belongs behind it, or None."""
    if isinstance(holder, dict):
        before, closing = b"{", b"}"
        labelled = ((_name_bytes(name), value) for name, value in holder.items())
    else:
        before, closing = b"[", b"]"
        labelled = ((b"", value) for value in holder)
    for label, value in labelled:
        if isinstance(value, dict | list | tuple):
            yield before + label, value
        else:
            yield before + label + _scalar_bytes(value), None
        before = b","
    yield closing if before == b"," else before + closing, None


def _name_bytes(name: Any) -> bytes:
    """Write a member's name; numbers, booleans and None become strings, as the json module has it."""
    if not isinstance(name, str):
        if not isinstance(name, int | float | None):
            raise TypeError(f"{type(name).__name__} cannot be a name in JSON")
        name = json.dumps(name) if name.__class__ is float else _scalar_bytes(name).decode()
    return _scalar_bytes(name) + b":"


def _scalar_bytes(value: Any) -> bytes:
    if value.__class__ is NumberAsWritten:
        text: str = value.text
        return text.encode()
    try:
        return orjson.dumps(value)
    except TypeError:
        if isinstance(value, float):
            return json.dumps(value).encode()
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        if isinstance(value, int):
            return int.__repr__(value).encode()
        raise
