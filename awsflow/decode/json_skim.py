"""Finding where a JSON value ends, without reading it."""

import re

_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_string = re.compile(_STRING, re.DOTALL)
_flat = re.compile(rb'[^"\[\]{}]*+(?:"' + _STRING + rb'"[^"\[\]{}]*+)*+', re.DOTALL)
_word = re.compile(rb"[^\s,\]}]*+")


class Skim:
    """Finds the end of one JSON value, in a text that grows: no byte is looked at more than twice.

    Counts brackets outside of strings and nothing else: whether the value is right, its reader will tell.
    """

    def __init__(self) -> None:
        self._done = 0
        self._depth = 0
        self._in_string = False

    def length(self, text: bytearray, start: int) -> int:
        """Tell how long the value is that begins at `start`; -1 if the text does not hold all of it yet.

        A number or word at the very end of the text may be longer than it seems: -1.
        """
        at = start + self._done
        if not self._done and at < len(text):
            self._depth = int(text[at] in b"[{")
            self._in_string = text[at] == ord('"')
            at += self._depth or self._in_string
        while True:
            at = _past(_string if self._in_string else _flat if self._depth else _word, text, at)
            if at == len(text) or text[at] == ord("\\"):
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


def _past(pattern: re.Pattern[bytes], text: bytearray, at: int) -> int:
    """Tell where the match that begins at `at` ends; all patterns here match, if only nothing."""
    found = pattern.match(text, at)
    return found.end() if found else at
