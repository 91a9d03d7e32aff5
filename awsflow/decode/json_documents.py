"""JSON documents that hold their events in one array, as `{"Records": [EVENT, ...]}`, read event by event.

Many events at a time go the fast way: cut the text where one event ends and the next one begins, as learnt from
earlier ones, put brackets around it and let orjson judge. That is never wrong: text that begins where an element
begins, and is an array when brackets are put around it, is some elements. What orjson refuses goes one by one: the
end of each is looked for, and `json_value` reads it. No text is tried twice, so time is linear.
"""

import re
from collections.abc import Generator, Iterator
from typing import Any

import orjson

from awsflow.decode.json_skim import CLOSING, END, Blocks, Incoming, Skim
from awsflow.errors import DecodeError
from awsflow.exactjson import NotJson, json_value, loses_digits
from awsflow.items import Block, Unreadable

_AT_ONCE = 1 << 16
"""Bytes given to orjson at a time. With more, the events leave the processor's cache before they are used."""
_OVERLAP = 32
"""A number that the end of a text cuts off is noticed in there, or in the next text with so many bytes before it."""
_WHOLE = 3
"""Values that do not belong to the array are read as a whole, if they are here, down to so many levels; each level
may cost a look at all of the text. The deeper ones are read with what holds them, or scalar by scalar."""
_boundary = re.compile(rb'[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\]*"[ \t\n\r]*:')
_close = re.compile(rb"\][ \t\n\r]*\}[ \t\n\r]*\Z")


def array_in_document(chunks: Iterator[bytes], key: str, limit: int = 64 << 20) -> Blocks:
    """Yield the elements of the array at a top-level key of one JSON document, given in chunks of any size.

    At least one block for each chunk, an empty one if it completed no element; at most 100 elements in a block. An
    element that is no object becomes an Unreadable. Where the key is missing, or its value is null, there are no
    elements, and neither in an empty document. Where the key is there twice, the elements of both are yielded (a
    JSON library would know the later ones only).

    Raises DecodeError where the document is wrong, is cut short, goes on behind its end, has no array at the key or
    an element of more than `limit` bytes; all elements before that place have been yielded then. Never holds more
    than one value of `limit` bytes and a chunk: what does not belong to the array is passed over piece by piece.
    """
    document = _Document(chunks, limit)
    return document._until_wrong(document.walk(key))


class _Document(Incoming):
    """A document, as far as it is here."""

    def __init__(self, chunks: Iterator[bytes], limit: int) -> None:
        super().__init__(chunks)
        self._limit = limit
        # Places in the whole document:
        self._seen = 0  # `_look` knows everything before this place
        self._one_by_one = 0  # elements that begin before this place go one by one
        self._close = END  # where the array seems to be closed, together with the document
        self._cut = b""  # what stands where one element ends and the next begins, as far as that one's first name
        self._uncut = 0  # no cut begins between here and this place
        self._learn = 0  # no other cut is learnt before this place

    def walk(self, key: str) -> Blocks:
        """Yield the elements of the arrays at the key, passing over all the rest."""
        yield from self._skip_mark()
        start = yield from self._next()
        if start == END:
            return
        if start != ord("{"):
            raise self._wrong("'{'")
        self._at += 1
        mark = yield from self._next()
        while mark != ord("}"):
            if (yield from self._name()) == key:
                yield from self._wanted(key)
            else:
                yield from self._unwanted()
            mark = yield from self._next()
            if mark == ord(","):
                self._at += 1
            elif mark != ord("}"):
                raise self._wrong("',' or '}'")
        self._at += 1
        if (yield from self._next()) != END:
            raise self._wrong("the end")

    def _wanted(self, key: str) -> Blocks:
        """Yield the elements of the array that begins here; none if it is null."""
        start = yield from self._next()
        if start == ord("["):
            yield from self._array()
        elif start == ord("n"):
            yield from self._scalar()
        else:
            raise self._wrong(f"an array in {key!r}")

    def _unwanted(self) -> Blocks:
        """Pass over the value that begins here: piece by piece, where not all of it is here."""
        closings = bytearray()
        while True:
            start = yield from self._next()
            length = Skim().length(self._text, self._at) if len(closings) < _WHOLE else END
            begins = False  # another value, behind a bracket or comma
            if 0 <= length <= self._limit:
                self._read(length)
            elif start in CLOSING:
                self._at += 1
                closings.append(CLOSING[start])
                begins = (yield from self._next()) != closings[-1]
            else:
                yield from self._scalar()
            while closings and not begins:
                mark = yield from self._next()
                if mark not in (closings[-1], ord(",")):
                    raise self._wrong(f"',' or {chr(closings[-1])!r}")
                self._at += 1
                begins = mark == ord(",")
                if not begins:
                    closings.pop()
            if not closings:
                return
            if closings[-1] == ord("}"):
                yield from self._name()

    def _array(self) -> Blocks:
        """Yield the elements of the array that begins here."""
        self._at += 1
        mark = yield from self._next()
        while mark != ord("]"):
            yield from self._elements()
            mark = yield from self._next()
            if mark == ord(","):
                self._at += 1
                yield from self._next()
            elif mark != ord("]"):
                raise self._wrong("',' or ']'")
        self._at += 1

    def _elements(self) -> Blocks:
        """Yield as many elements as can be had at once, at least the one that begins here."""
        skim = Skim()
        while not (events := self._several()) and (length := skim.length(self._text, self._at)) < 0:
            yield from self._more_of_value()
        if events:
            yield from self._give(events)
            return
        start = self._at
        value = self._read(length)
        if value.__class__ is dict:
            self._learn_cut()
        else:
            value = Unreadable("an element that is no object", bytes(self._text[start : self._at]))
        yield from self._add(value)

    def _several(self) -> Block:
        """Read some elements at once, if it can be done."""
        if self._gone + len(self._text) > self._seen:
            self._look()
        start = self._at
        if self._gone + start < self._one_by_one:
            return []
        last = start + min(_AT_ONCE, self._limit)
        end = self._close - self._gone
        if not start < end <= last:
            if not self._cut:
                return []
            end = self._text.rfind(self._cut, max(start, self._uncut - self._gone), last) + 1
            if not end:
                self._uncut = self._gone + min(len(self._text), last) - len(self._cut) + 1
                return []
        try:
            events: Block = orjson.loads(b"".join((b"[", memoryview(self._text)[start:end], b"]")))
        except orjson.JSONDecodeError:
            events = []
        if set(map(type, events)) != {dict}:
            self._one_by_one = self._gone + end
            return []
        self._at = end
        return events

    def _look(self) -> None:
        """Look at the text that has come since the last look."""
        fresh = max(self._at, self._seen - _OVERLAP - self._gone)
        self._seen = self._gone + len(self._text)
        if loses_digits(self._text[fresh:]):
            self._one_by_one = self._seen
        close = _close.search(self._text, max(self._at, len(self._text) - 64))
        self._close = self._gone + close.start() if close else END

    def _learn_cut(self) -> None:
        """Take what follows the object that was just read as the mark to cut at, every now and then."""
        if self._gone + self._at >= self._learn and (found := _boundary.match(self._text, self._at)):
            self._learn = self._gone + self._at + _AT_ONCE
            cut = b"}" + found[0]
            if cut != self._cut:
                self._cut = cut
                self._uncut = 0

    def _name(self) -> Generator[Block, None, Any]:
        """Read the name of a member, and go to its value."""
        if (yield from self._next()) != ord('"'):
            raise self._wrong("a name in quotes")
        name = yield from self._scalar()
        if (yield from self._next()) != ord(":"):
            raise self._wrong("':'")
        self._at += 1
        return name

    def _scalar(self) -> Generator[Block, None, Any]:
        """Read the string, number or word that begins here."""
        skim = Skim()
        while (length := skim.length(self._text, self._at)) < 0:
            yield from self._more_of_value()
        return self._read(length)

    def _read(self, length: int) -> Any:
        """Read the value of so many bytes that begins here."""
        if length > self._limit:
            raise self._too_large()
        try:
            value = json_value(self._text[self._at : self._at + length])
        except NotJson as error:
            offset = self._gone + self._at + error.offset
            raise DecodeError(f"not a JSON document: {error.complaint} at byte {offset}", offset) from None
        self._at += length
        return value

    def _more_of_value(self) -> Blocks:
        """Take another chunk of the value that begins here, and is not whole."""
        start = self._gone + self._at
        if len(self._text) - self._at > self._limit:
            raise self._too_large()
        if not (yield from self._more()):
            offset = self._gone + len(self._text)
            inside = f"it ends inside the value that begins at byte {start}"
            try:
                json_value(self._text[self._at :])
            except NotJson as error:
                offset = start + error.offset
                inside = f"{error.complaint} at byte {offset}; {inside}"
            raise DecodeError(f"not a JSON document: {inside}", offset)

    def _wrong(self, expected: str) -> DecodeError:
        offset = self._gone + self._at
        if self._at < len(self._text):
            return DecodeError(f"not a JSON document: {expected} was expected at byte {offset}", offset)
        return DecodeError(f"not a JSON document: it ends at byte {offset}, {expected} was expected", offset)

    def _too_large(self) -> DecodeError:
        offset = self._gone + self._at
        return DecodeError(f"the value at byte {offset} is larger than the limit of {self._limit} bytes", offset)
