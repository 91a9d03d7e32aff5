"""What the decoders of JSON share: a text that comes in chunks, and finding where a value ends without reading it."""

import re
from collections.abc import Generator, Iterator
from typing import TypeAlias

from awsflow.errors import DecodeError
from awsflow.items import Block, Event, Unreadable

END = -1
"""In the place of a byte: there are no more."""
CLOSING = {ord("{"): ord("}"), ord("["): ord("]")}
EVENTS = 100
"""At most so many in a block."""
MARK = b"\xef\xbb\xbf"
"""What some writers put in front of a text in UTF-8."""
_WINDOW = 1 << 16
"""Bytes matched at a time: a match of groups takes some 100 bytes of memory for each string or escape in it."""
# Possessive is only what repeats single bytes: groups that do, Python 3.11.0 to 3.11.4 matches wrongly.
_TEXT = rb'[^"\\]*+'
_string = re.compile(_TEXT + rb"(?:\\." + _TEXT + rb")*", re.DOTALL)
_flat = re.compile(
    rb'[^"\[\]{}]*+(?:"' + _TEXT + rb'(?:"|(?:\\.' + _TEXT + rb')+")[^"\[\]{}]*+)*',
    re.DOTALL,
)
_word = re.compile(rb"[^\s,\]}]*+")
_not_blank = re.compile(rb"[^ \t\n\r]")

Blocks: TypeAlias = Generator[Block, None, None]


class Skim:
    """Finds the end of one JSON value, in a text that grows: no byte is looked at more than twice.

    Counts brackets outside of strings and nothing else: whether the value is right, its reader will tell.
    """

    def __init__(self) -> None:
        self._done = 0
        self._depth = 0
        self._in_string = False

    def length(self, text: bytearray, start: int, end: int | None = None) -> int:
        """Tell how long the value is that begins at `start`; -1 if the text up to `end` does not hold all of it.

        A number or word that reaches the end may be longer than it seems: -1.
        """
        end = len(text) if end is None else end
        at = start + self._done
        if at >= end:
            return -1
        if not self._done:
            self._depth = int(text[at] in b"[{")
            self._in_string = text[at] == ord('"')
            at += self._depth or self._in_string
        while True:
            stop = end if end - at <= _WINDOW else at + _WINDOW
            pattern = _string if self._in_string else _flat if self._depth else _word
            at = pattern.match(text, at, stop).end()  # type: ignore[union-attr]  # these match, if only nothing
            if at == stop or text[at] == ord("\\"):
                if stop < end:
                    continue
                self._done = at - start
                return -1
            if not self._depth and not self._in_string:
                return at - start
            if text[at] == ord('"'):
                self._in_string = not self._in_string
            else:
                self._depth += 1 if text[at] in b"[{" else -1
            at += 1
            if not self._depth and not self._in_string:
                return at - start


class Incoming:
    """A text, as far as it is here, and the place in it where reading goes on.

    A part that may need more of it is a generator: each chunk that it takes costs the consumer a block.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._waiting: Block = []
        self._owing = False  # a block, for the last chunk
        self._chunks = chunks
        self._text = bytearray()
        self._at = 0  # where in the text reading goes on
        self._gone = 0  # bytes that came before the text

    def _until_wrong(self, walk: Blocks) -> Blocks:
        """Yield what `walk` yields and, before an error of it goes up, the events that wait."""
        try:
            yield from walk
        except DecodeError:
            if self._waiting:
                yield self._take()
            raise

    def _skip_mark(self) -> Blocks:
        """Pass over the mark of UTF-8, at the start."""
        while len(self._text) < len(MARK) and MARK.startswith(self._text) and (yield from self._more()):
            pass
        if self._text.startswith(MARK):
            self._at = len(MARK)

    def _next(self) -> Generator[Block, None, int]:
        """Go to the next byte that is not white space, and return it, or END."""
        while not (found := _not_blank.search(self._text, self._at)):
            self._at = len(self._text)
            if not (yield from self._more()):
                return END
        self._at = found.start()
        return self._text[self._at]

    def _more(self) -> Generator[Block, None, bool]:
        """Take another chunk, having yielded what came of the last one; False if there is none."""
        if self._owing or self._waiting:
            yield self._take()
        for chunk in self._chunks:
            if chunk:
                self._drop()
                self._text += chunk
                self._owing = True
                return True
            yield []
        return False

    def _drop(self) -> None:
        """Forget the text that has been read, or most of it."""
        del self._text[: self._at]
        self._gone += self._at
        self._at = 0

    def _give(self, events: Block) -> Blocks:
        """Yield what waits, then these."""
        if self._waiting:
            yield self._take()
        self._owing = False
        for first in range(0, len(events), EVENTS):
            yield events[first : first + EVENTS]

    def _add(self, event: Event | Unreadable) -> Blocks:
        """Let this wait for the block owed, or until there are enough for another one."""
        self._waiting.append(event)
        if len(self._waiting) == EVENTS:
            yield self._take()

    def _take(self) -> Block:
        """The events that wait, as the block owed."""
        block, self._waiting, self._owing = self._waiting, [], False
        return block
