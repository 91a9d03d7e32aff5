"""JSON objects one after the other, however they are set apart, and arrays of objects, in any mixture.

Many objects at a time go the fast way: cut the text where one object ends and the next one begins, as learnt from
earlier ones, and let orjson judge each piece. That is never wrong: text that begins where an object begins, and falls
into pieces that are objects each, is these objects. (In an array: see `json_documents`.) What orjson refuses goes one
by one. There, something wrong must be noticed soon, or it would swallow all that follows: where a value is not whole
yet, and another one seems to begin, it is read as far as that; what is no JSON up to there is wrong.
"""

import re
from collections.abc import Generator, Iterator
from typing import Any

import orjson

from awsflow.decode.json_skim import CLOSING, END, Blocks, Incoming, Skim
from awsflow.errors import DecodeError
from awsflow.exactjson import NotJson, json_value, loses_digits
from awsflow.items import Block, Unreadable

_AT_ONCE = 1 << 15
"""Bytes given to orjson at a time. With more, the events leave the processor's cache before they are used."""
_INDENT = 64
"""White space in front of a value, or between two of them, is taken notice of up to so many bytes."""
_REACH = 300
"""What `_beginning` matches is shorter than that."""
_WASTE = 1 << 16
"""Bytes that may be read again because of wrong ones, besides four for each byte of the text."""
_BLANK = b" \t\n\r"
_boundary = re.compile(rb'\}[ \t\n\r]*\{[ \t\n\r]*"')
_comma_boundary = re.compile(rb'\}[ \t\n\r]*,[ \t\n\r]*\{[ \t\n\r]*"[^"\\]*"[ \t\n\r]*:')
# Where an object may end: what follows cannot follow on an object inside of it, or is not here yet.
_end = re.compile(rb"\}[ \t\n\r]*+(?:[^,\]} \t\n\r]|,?[ \t\n\r]*+\Z)")
_comma_end = re.compile(rb"\}[ \t\n\r]*+(?:[\],]|\Z)")
_head = re.compile(rb'\{[ \t\n\r]{0,64}"[^"\\]{0,64}"')
_beginning = re.compile(
    rb"\n[ \t]{0,64}[{\[]"  # a bracket that begins a line
    rb'|[}\]][ \t\n\r]{0,64}(?:\{(?=[ \t\n\r]{0,64}["}])|\[(?=[ \t\n\r]{0,64}[{\]]))'  # or follows on a closing one
    rb'|\}[ \t\n\r]{0,64},[ \t\n\r]{0,64}\{(?=[ \t\n\r]{0,64}"[^"\\]{0,64}")'  # or on a closing one and a comma
)
_indent = re.compile(rb"\n([ \t]*)\Z")
_not_blank = re.compile(rb"[^ \t\r]")
_leading_zeros = re.compile(rb"(?<![^ \t\n\r:,\[])(-?)(0+)(?=[0-9])")


def json_objects(chunks: Iterator[bytes], limit: int = 64 << 20) -> Blocks:
    """Yield the objects of a text in UTF-8: concatenated, on lines, over several lines, and those of top-level arrays.

    At least one block for each chunk, an empty one if it completed nothing; at most 100 events in a block. Numbers
    with leading zeros, which JSON does not know, are read as the numbers they are.

    What is no JSON becomes an Unreadable in its place, that tells line and byte. It reaches to where its brackets say
    that it ends, if something can follow there; else to where another value seems to begin: with a bracket that begins
    a line (as far to the right as the wrong value does, or not at all), or that follows on a closing one; else to the
    end. An element of an array that is no object becomes one, too. Commas between elements are not insisted on.

    Raises DecodeError for a value, or something wrong, of more than `limit` bytes; all before it has been yielded
    then. Never holds more than that and a chunk. Time is linear, whatever comes.
    """
    objects = _Objects(chunks, limit)
    return objects._until_wrong(objects.walk())


class _Objects(Incoming):
    """A text of objects, as far as it is here."""

    def __init__(self, chunks: Iterator[bytes], limit: int) -> None:
        super().__init__(chunks)
        self._limit = limit
        self._array = END  # where the array begins whose elements are being read; END: none
        self._unsure = False  # whether that array may have ended, within something wrong
        self._indent = b""  # what stood before the last value that began a line
        self._cut = b""  # what stands where one object ends and the next begins
        self._on_lines = False  # whether each object seems to have a line
        self._lines = 0  # line breaks before `_counted`
        # Places in all of the text:
        self._counted = 0
        self._one_by_one = 0  # objects that begin before this place go one by one
        self._uncut = 0  # no cut begins between here and this place
        self._unended = 0  # no object ends between here and this place
        self._learn = 0  # no other cut is learnt before this place
        self._begins = 0  # where another value seems to begin, the next time
        self._looked = 0  # none other does between `_passed` and here
        self._passed = 0
        self._wasted = 0  # bytes that were read again because of wrong ones

    def walk(self) -> Blocks:
        """Yield all events."""
        yield from self._skip_mark()
        while (start := (yield from self._next())) != END:
            if start == ord("{"):
                yield from self._objects()
            elif start == ord("[") and (self._array == END or self._unsure):
                self._turn(self._gone + self._at)
            elif self._array == END:
                yield from self._bad(NotJson("'{' or '[' was expected", 0))
            elif start == ord("]"):
                self._turn(END)
            elif start == ord(","):
                self._at += 1
            else:
                yield from self._one()
        if self._array != END and not self._unsure:
            inside = f"it ends inside the array that begins at byte {self._array}, at byte {self._gone + self._at}"
            self._waiting.append(Unreadable(f"line {self._line(self._at)}: not JSON: {inside}", b""))
        if self._waiting:
            yield self._take()

    def _turn(self, array: int) -> None:
        """Pass over the bracket where an array begins or ends."""
        self._at += 1
        self._array = array
        self._unsure = False
        self._cut = b""
        self._uncut = self._unended = self._learn = 0

    def _objects(self) -> Blocks:
        """Read as many objects as can be had at once, at least the one that begins here."""
        while not (events := self._several()) and self._is_cut_off():
            if not (yield from self._more()):
                break
        yield from self._give(events) if events else self._one()

    def _is_cut_off(self) -> bool:
        """Tell whether nothing is here but the beginning of an object, which is like others and not long.

        To wait for its rest, and to read it with those behind it, is faster than to look for its end.
        """
        start = self._at
        if self._gone + start < self._one_by_one or not self._cut:
            return False
        if len(self._text) - start >= min(_AT_ONCE, self._limit):
            return False
        end = _comma_end if self._array != END else _end
        found = end.search(self._text, max(start, self._unended - self._gone))
        self._unended = self._gone + (found.start() if found else len(self._text))
        return not found

    def _several(self) -> Block:
        """Read some objects at once, if it can be done."""
        start = self._at
        if self._gone + start < self._one_by_one or not self._cut:
            return []
        last = start + min(_AT_ONCE, self._limit)
        end = self._text.rfind(self._cut, max(start, self._uncut - self._gone), last) + 1
        if not end:
            self._uncut = self._gone + min(len(self._text), last) - len(self._cut) + 1
            return []
        text = bytes(memoryview(self._text)[start:end])
        events = [] if loses_digits(text) else self._at_once(text)
        if events:
            self._at = end
        else:
            self._one_by_one = self._gone + end
        return events

    def _at_once(self, text: bytes) -> Block:
        """Read some whole objects; none of them if one cannot be read so."""
        try:
            if self._array != END:
                events: Block = orjson.loads(b"[%b]" % text)
            else:
                pieces = text.split(b"\n") if self._on_lines else list(_pieces(text, self._cut))
                events = list(map(orjson.loads, filter(None, pieces)))
        except orjson.JSONDecodeError:
            return []
        if set(map(type, events)) != {dict}:
            return []
        if self._array == END and self._on_lines:  # to count them again takes a tenth of the time
            self._line(self._at)
            if self._counted == self._gone + self._at:  # else something wrong in front of them was counted further
                self._lines += len(pieces) - 1
                self._counted += len(text)
        return events

    def _learn_cut(self, text: bytes) -> None:
        """Take what follows this object, just read, as the mark to cut at, every now and then."""
        boundary = _boundary if self._array == END else _comma_boundary
        if self._gone + self._at >= self._learn and (found := boundary.match(self._text, self._at - 1)):
            self._learn = self._gone + self._at + _AT_ONCE
            if found[0] != self._cut:
                self._cut = found[0]
                self._uncut = 0
            self._on_lines = b"\n" in found[0] and b"\n" not in text

    def _one(self) -> Blocks:
        """Read the value that begins here, be it right or wrong."""
        start = self._gone + self._at
        length = yield from self._length()
        if length == END:
            return
        if length > self._limit:
            raise self._too_large()
        text = bytes(self._text[self._at : self._at + length])
        try:
            value = _value(text)
        except NotJson as error:
            yield from self._bad(error)
            return
        if value.__class__ is not dict:
            reason = f"line {self._line(self._at)}: an element that is no object at byte {start}"
            value = Unreadable(reason, text)
        self._at += length
        if value.__class__ is dict:
            self._learn_cut(text)
        yield from self._add(value)

    def _length(self) -> Generator[Block, None, int]:
        """Tell how long the value is that begins here; END if it turned out to be wrong, and has been dealt with."""
        before = bytes(self._text[max(0, self._at - _INDENT - 1) : self._at])
        if found := _indent.search(before):
            self._indent = found[1]
        hasty = self._wasted > _WASTE + 4 * (self._gone + self._at)
        skim = Skim()
        seen = right = 0  # bytes of the value: looked at for others that begin; known to be JSON
        while True:
            begins = self._after(seen)
            length = skim.length(self._text, self._at, None if begins == END else begins)
            if length >= 0:
                return length
            here = (len(self._text) if begins == END else begins) - self._at
            if here > self._limit:
                raise self._too_large()
            error = None
            if begins == END:
                if not (yield from self._more()):
                    error = NotJson("it ends inside a value", here)
            else:
                seen = here
                if self._fits(begins) and (hasty or seen > 2 * right):
                    error = NotJson("another value begins", here) if hasty else self._wrong(here + 1)
                    right = seen
            if error:
                yield from self._bad(error, here)
                return END

    def _wrong(self, length: int) -> NotJson | None:
        """Tell what is wrong with a value of which so many bytes are here, the last one being an opening bracket."""
        try:
            _value(bytes(self._text[self._at : self._at + length]))
        except NotJson as error:
            if error.offset < length and not error.complaint.startswith("Unterminated string"):
                return error
        return None

    def _bad(self, error: NotJson, looked: int = 0) -> Blocks:
        """Put an Unreadable in the place of what begins here, and go on behind it. So many bytes of it were read."""
        length = yield from self._bad_length(error.offset)
        if length > self._limit:
            raise self._too_large()
        self._wasted += max(0, looked - length)
        text = bytes(self._text[self._at : self._at + length]).rstrip(_BLANK)
        if looked:  # tell what is wrong without what follows
            try:
                _value(text)
            except NotJson as alone:
                error = alone
        place = self._at + error.offset
        reason = f"line {self._line(place)}: not JSON: {error.complaint} at byte {self._gone + place}"
        self._at += length
        yield from self._add(Unreadable(reason, text))

    def _bad_length(self, wrong: int) -> Generator[Block, None, int]:
        """Tell where something ends that begins here, and is wrong at this byte of it."""
        skim: Skim | None = Skim()
        seen, length = 0, END
        while True:
            begins = self._after(seen)
            if skim and length == END:
                length = skim.length(self._text, self._at, None if begins == END else begins) or 1
            can_end = length != END and self._can_end(length)
            if can_end:
                return length
            if can_end is False:
                if length != END:
                    skim, length = None, END  # its brackets are wrong, too
                if begins != END:
                    seen = begins - self._at
                    if self._fits(begins, wrong):
                        self._unsure = True
                        return seen
                    continue
            if len(self._text) - self._at > self._limit:
                if length == END:
                    raise self._too_large()
                return length
            if not (yield from self._more()):
                self._unsure = length == END
                return len(self._text) - self._at if length == END else length

    def _can_end(self, length: int) -> bool | None:
        """Tell whether something wrong can end behind so many bytes; None if it depends on what is not here yet."""
        start, end = self._at, self._at + length
        closing = CLOSING.get(self._text[start])
        if closing and self._text[end - 1] != closing:
            return False
        if not (follower := _not_blank.search(self._text, end)):
            return None
        followers = b"{[\n,]}" if self._array != END else b"{[\n," if closing else b"{["
        return self._text[follower.start()] in followers

    def _after(self, seen: int) -> int:
        """Tell where another value seems to begin, behind so many bytes of this one; END if nowhere yet."""
        place = self._gone + self._at + seen
        if place < self._passed:
            self._passed = self._begins = self._looked = place
        if self._begins <= place:
            self._passed = place if place > self._looked else max(self._passed, self._begins)
            found = _beginning.search(self._text, max(place, self._looked - _REACH) - self._gone)
            if not found:
                self._looked = self._gone + len(self._text)
                return END
            self._begins = self._gone + found.end() - 1
        return self._begins - self._gone

    def _fits(self, begins: int, wrong: int = 0) -> bool:
        """Tell whether what seems to begin there may follow on the value that begins here, of which a byte is wrong."""
        before = bytes(self._text[max(self._at, begins - 2 * _INDENT - 2) : begins])
        ink = before.rstrip(_BLANK)
        if ink.endswith((b"}", b"]")):
            return True
        _, line_break, indent = before[len(ink) :].rpartition(b"\n")
        if line_break and indent in (b"", self._indent):
            return True
        if self._array == END or begins - self._at < wrong:
            return False
        mine, other = _head.match(self._text, self._at), _head.match(self._text, begins)
        return bool(mine and other and mine[0] == other[0])

    def _line(self, at: int) -> int:
        """Tell the number of the line of a place in the text, one that is not before the last one asked for."""
        counted = self._counted - self._gone
        if at > counted:
            self._lines += self._text.count(b"\n", counted, at)
            self._counted = self._gone + at
        return self._lines + 1

    def _drop(self) -> None:
        """Forget the text that has been read, but for what may be the indentation of what comes."""
        gone = max(0, self._at - _INDENT - 1)
        self._line(gone)
        del self._text[:gone]
        self._gone += gone
        self._at -= gone

    def _too_large(self) -> DecodeError:
        offset = self._gone + self._at
        what = f"what begins in line {self._line(self._at)}, at byte {offset},"
        return DecodeError(f"{what} does not end within the limit of {self._limit} bytes", offset)


def _pieces(text: bytes, cut: bytes) -> Iterator[bytes]:
    """Cut behind the first byte of each cut."""
    start = 0
    while end := text.find(cut, start) + 1:
        yield text[start:end]
        start = end
    yield text[start:]


def _value(text: bytes) -> Any:
    """Read a whole JSON text, in which numbers may have leading zeros. Raises NotJson."""
    try:
        return json_value(text)
    except NotJson:
        if not _leading_zeros.search(text):
            raise
    return json_value(_without_leading_zeros(text))


def _without_leading_zeros(text: bytes) -> bytes:
    """Blank the leading zeros of numbers, outside of strings; all other bytes stay where they are."""
    parts = text.split(b'"')
    in_string = False
    for number, part in enumerate(parts):
        if in_string:
            in_string = (len(part) - len(part.rstrip(b"\\"))) % 2 == 1
        else:
            parts[number] = _leading_zeros.sub(lambda found: b" " * len(found[2]) + found[1], part)
            in_string = True
    return b'"'.join(parts)
