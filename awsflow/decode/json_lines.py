"""JSON lines: one object on each line.

Many lines at a time are read with a call of orjson for each, without Python's doing between them. That is as fast as
to read them as one array, which would not do: lines that are wrong by themselves can make a right array together,
as `{"a":[{}` and `{}]},{}` do. Where orjson refuses a line, its neighbours are read again with it, one by one.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile

import orjson

from awsflow.decode.json_skim import EVENTS, MARK, Blocks
from awsflow.errors import DecodeError
from awsflow.exactjson import NotJson, json_value, loses_digits
from awsflow.items import Block, Event, Unreadable

_AT_ONCE = 1 << 15
"""Bytes read at a time, about. With more, the events leave the processor's cache before they are used."""


def json_lines(chunks: Iterator[bytes], limit: int = 64 << 20) -> Blocks:
    """Yield the objects of a text that has one on each line, in UTF-8, with or without its mark; LF or CRLF.

    At least one block for each chunk, an empty one if it completed no line; at most 100 events in a block. Blank lines
    are passed over; a line that is no JSON, or no object, becomes an Unreadable that tells its number. The last line
    may lack its line break.

    Raises DecodeError at a line of more than `limit` bytes; all lines before it have been yielded then. Never holds
    more than a line of `limit` bytes and a chunk, and what comes of 100 lines.
    """
    lines = _Lines(limit)
    begun = bytearray()
    for chunk in chunks:
        end = chunk.rfind(b"\n")
        if end < 0:
            begun += chunk
            if len(begun) > limit:
                raise lines.too_large()
            yield []
            continue
        text = b"".join((begun, memoryview(chunk)[:end]))
        begun = bytearray(memoryview(chunk)[end + 1 :])
        yield from lines.read(text)
    if begun:
        yield from lines.read(bytes(begun))


class _Lines:
    """How far reading has come."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines = 0
        self._bytes = 0

    def read(self, text: bytes) -> Blocks:
        """Yield the events of some whole lines; the last one's line break is left off."""
        exact = loses_digits(text)
        lines = text.split(b"\n")
        count = max(1, min(EVENTS, len(lines) * _AT_ONCE // (len(text) or 1)))
        for first in range(0, len(lines), count):
            some = lines[first : first + count]
            fitting = some
            if len(text) > self._limit:
                fitting = list(takewhile(lambda line: len(line) <= self._limit, some))
            yield self._several(fitting, exact)
            if len(fitting) < len(some):
                raise self.too_large()

    def too_large(self) -> DecodeError:
        """The error for the line that comes next."""
        where = f"line {self._lines + 1}, which begins at byte {self._bytes}"
        return DecodeError(f"{where}, is larger than the limit of {self._limit} bytes", self._bytes)

    def _several(self, lines: list[bytes], exact: bool) -> Block:
        """Read lines; where orjson takes all of them, at once."""
        events: Block = []
        if not exact:
            with suppress(orjson.JSONDecodeError):
                events = list(map(orjson.loads, filter(None, lines)))
        if set(map(type, events)) == {dict}:
            self._lines += len(lines)
            self._bytes += sum(map(len, lines)) + len(lines)
            return events
        return list(self._one_by_one(lines))

    def _one_by_one(self, lines: list[bytes]) -> Iterator[Event | Unreadable]:
        for line in lines:
            self._lines += 1
            if line.removeprefix(MARK).strip(b" \t\r"):
                yield self._event(line)
            self._bytes += len(line) + 1

    def _event(self, line: bytes) -> Event | Unreadable:
        try:
            value = json_value(line)
        except NotJson as error:
            reason = f"not JSON: {error.complaint} at byte {self._bytes + error.offset}"
        else:
            if value.__class__ is dict:
                event: Event = value
                return event
            reason = f"no JSON object at byte {self._bytes}"
        return Unreadable(f"line {self._lines}: {reason}", line.removesuffix(b"\r"))
