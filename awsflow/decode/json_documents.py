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

from awsflow.decode.json_skim import Skim
from awsflow.errors import DecodeError
from awsflow.exactjson import NotJson, json_value, loses_digits
from awsflow.items import Block, Unreadable

_AT_ONCE = 1 << 16
"""Bytes given to orjson at a time. With more, the events leave the processor's cache before they are used."""
_BLOCK = 100
_OVERLAP = 32
"""A number that the end of a text cuts off is noticed in there, or in the next text with so many bytes before it."""
_END = -1
_MARK = b"\xef\xbb\xbf"
_CLOSING = {ord("{"): ord("}"), ord("["): ord("]")}
_not_blank = re.compile(rb"[^ \t\n\r]")
_boundary = re.compile(rb'[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\]*"[ \t\n\r]*:')
_close = re.compile(rb"\][ \t\n\r]*\}[ \t\n\r]*\Z")

_Blocks = Generator[Block, None, None]


def array_in_document(chunks: Iterator[bytes], key: str, limit: int = 64 << 20) -> _Blocks:
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
    try:
        yield from document.walk(key)
    except DecodeError:
        if document.waiting:
            yield document.waiting
        raise


class _Document:
    """A document, as far as it is here. Generators, because each chunk that they need costs the consumer a block."""

    def __init__(self, chunks: Iterator[bytes], limit: int) -> None:
        self.waiting: Block = []
        self._owing = False  # a block, for the last chunk
        self._chunks = chunks
        self._limit = limit
        self._text = bytearray()
        self._at = 0  # where in the text reading goes on
        self._gone = 0  # bytes that came before the text; below are places in the whole document:
        self._seen = 0  # `_look` knows everything before this place
        self._one_by_one = 0  # elements that begin before this place go one by one
        self._close = _END  # where the array seems to be closed, together with the document
        self._cut = (
            b""  # what stands where one element ends and the next begins, as far as that one's first name
        )
        self._uncut = 0  # no cut begins between here and this place
        self._learn = 0  # no other cut is learnt before this place

    def walk(self, key: str) -> _Blocks:
        """Yield the elements of the arrays at the key, passing over all the rest."""
        while len(self._text) < len(_MARK) and _MARK.startswith(self._text) and (yield from self._more()):
            pass
        self._at = len(_MARK) if self._text.startswith(_MARK) else 0
        start = yield from self._next()
        if start == _END:
            return
        if start != ord("{"):
            raise self._wrong("'{'")
        closings = bytearray()
        wanted = False
        while True:
            start = yield from self._next()
            if wanted and start == ord("["):
                yield from self._array()
            elif wanted and start != ord("n"):
                raise self._wrong(f"an array in {key!r}")
            elif len(closings) == 1 and (length := Skim().length(self._text, self._at)) >= 0:
                self._read(length)
            elif start in _CLOSING:
                self._at += 1
                closings.append(_CLOSING[start])
                if (yield from self._next()) != closings[-1]:
                    wanted = start == ord("{") and (yield from self._name()) == key and len(closings) == 1
                    continue
            else:
                yield from self._scalar()
            while closings:
                mark = yield from self._next()
                if mark not in (closings[-1], ord(",")):
                    raise self._wrong(f"',' or {chr(closings[-1])!r}")
                self._at += 1
                if mark == ord(","):
                    wanted = (
                        closings[-1] == ord("}") and (yield from self._name()) == key and len(closings) == 1
                    )
                    break
                closings.pop()
            else:
                if (yield from self._next()) != _END:
                    raise self._wrong("the end")
                return

    def _array(self) -> _Blocks:
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

    def _elements(self) -> _Blocks:
        """Yield as many elements as can be had at once, at least the one that begins here."""
        skim = Skim()
        while not (events := self._several()) and (length := skim.length(self._text, self._at)) < 0:
            yield from self._more_of_value()
        if events:
            if self.waiting:
                yield self._take()
            self._owing = False
            for first in range(0, len(events), _BLOCK):
                yield events[first : first + _BLOCK]
            return
        start = self._at
        value = self._read(length)
        if value.__class__ is dict:
            self.waiting.append(value)
            self._learn_cut()
        else:
            self.waiting.append(
                Unreadable("an element that is no object", bytes(self._text[start : self._at]))
            )
        if len(self.waiting) == _BLOCK:
            yield self._take()

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
            events: Block = orjson.loads(b"[%b]" % self._text[start:end])
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
        self._close = self._gone + close.start() if close else _END

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

    def _next(self) -> Generator[Block, None, int]:
        """Go to the next byte that is not white space, and return it."""
        while not (found := _not_blank.search(self._text, self._at)):
            self._at = len(self._text)
            if not (yield from self._more()):
                return _END
        self._at = found.start()
        return self._text[self._at]

    def _more_of_value(self) -> _Blocks:
        """Take another chunk of the value that begins here, and is not whole."""
        start = self._gone + self._at
        if len(self._text) - self._at > self._limit:
            raise self._too_large()
        if not (yield from self._more()):
            inside, offset = (
                f"it ends inside the value that begins at byte {start}",
                self._gone + len(self._text),
            )
            try:
                json_value(self._text[self._at :])
            except NotJson as error:
                offset = start + error.offset
                inside = f"{error.complaint} at byte {offset}; {inside}"
            raise DecodeError(f"not a JSON document: {inside}", offset)

    def _more(self) -> Generator[Block, None, bool]:
        """Take another chunk, having yielded what came of the last one; False if there is none."""
        if self._owing or self.waiting:
            yield self._take()
        for chunk in self._chunks:
            if chunk:
                del self._text[: self._at]
                self._gone += self._at
                self._at = 0
                self._text += chunk
                self._owing = True
                return True
            yield []
        return False

    def _take(self) -> Block:
        block, self.waiting, self._owing = self.waiting, [], False
        return block

    def _wrong(self, expected: str) -> DecodeError:
        offset = self._gone + self._at
        if self._at < len(self._text):
            return DecodeError(f"not a JSON document: {expected} was expected at byte {offset}", offset)
        return DecodeError(f"not a JSON document: it ends at byte {offset}, {expected} was expected", offset)

    def _too_large(self) -> DecodeError:
        offset = self._gone + self._at
        return DecodeError(
            f"the value at byte {offset} is larger than the limit of {self._limit} bytes", offset
        )
