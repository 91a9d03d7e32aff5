"""Lines of text out of chunks of any size."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import islice
from typing import overload

from awsflow.errors import DecodeError

LIMIT = 16 << 20
"""Bytes of a line at most."""
BLOCK = 125
"""Lines of a block: twice as many leave the processor's cache before they are events, and half as many cost too much
each."""
_HELD = 1 << 18
"""Bytes of lines that wait for others to make a block with."""
_MARK = b"\xef\xbb\xbf"


class Lines(Sequence[bytes]):
    """Lines that are one text, which is split anew whenever somebody asks for one of them, or for all."""

    __slots__ = ("_count", "text")

    def __init__(self, text: bytes, count: int) -> None:
        """`text` has a line break between each two of them; `count`: how many these are, one at least."""
        self.text = text
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.text.split(b"\n"))

    @overload
    def __getitem__(self, at: int) -> bytes: ...

    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...

    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        return self.text.split(b"\n")[at]


def lines(chunks: Iterator[bytes], limit: int = LIMIT) -> Iterator[list[bytes]]:
    r"""The lines that each chunk completes, without their line breaks (LF or CRLF); an empty list if it completes none.

    A byte order mark is left off; the last line may lack its line break. DecodeError, behind the lines before it, for
    a line of more than `limit` bytes: what it is cannot be known without holding all of it.

    >>> list(lines(iter([b"a\nb", b"", b"c\r\n\nd"])))
    [[b'a'], [], [b'bc', b''], [b'd']]
    """
    for text in _texts(chunks, limit):
        whole = text.split(b"\n")
        whole.pop()  # what lies behind the last line break: nothing
        yield whole


def blocks(chunks: Iterator[bytes], limit: int = LIMIT) -> Iterator[Sequence[bytes]]:
    """The same lines in blocks of `BLOCK`, so that what is prepared for one block serves for the next as well.

    There are fewer at the end, before an error, and where lines are long; and none where a chunk makes no block full.
    A block is `Lines`, unless it is empty: who splits it into columns in one go need not put it together first.
    """
    held = b""
    try:
        for text in _texts(chunks, limit):
            if not text:
                yield []
                continue
            held += text
            begin = 0
            reader = BytesIO(held)
            while len(list(islice(reader, BLOCK))) == BLOCK:  # nothing finds so many line breaks faster
                end = reader.tell()
                yield Lines(held[begin : end - 1], BLOCK)
                begin = end
            held = held[begin:]
            del text, reader  # they are as large as a line may be
            if len(held) > _HELD:
                some, held = _all(held), b""
                yield some
            elif not begin:
                yield []
    except Exception:
        if held:
            yield _all(held)
        raise
    if held:
        yield _all(held)


def _all(text: bytes) -> Lines:
    """All lines of a text that ends with a line break."""
    return Lines(text[:-1], text.count(b"\n"))


def _texts(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """The whole lines that each chunk completes, with LF behind each; empty if it completes none. See `lines`."""
    rest: list[bytes] = []
    held = 0
    gone = 0
    for chunk in chunks:
        head, found, tail = chunk.rpartition(b"\n")
        text = b""
        if found:
            text = b"".join([*rest, head, found])
            if len(text) > limit:
                at = 0
                for line in text.split(b"\n"):
                    if len(line) > limit:
                        yield _clean(text[:at], gone)
                        raise _too_long(gone + at, limit)
                    at += len(line) + 1
            rest, held = [], 0
        if tail:
            rest.append(tail)
            held += len(tail)
        yield _clean(text, gone)
        gone += len(text)
        if held > limit:
            raise _too_long(gone, limit)
    if held:
        yield _clean(b"".join([*rest, b"\n"]), gone)


def _clean(text: bytes, gone: int) -> bytes:
    """The text without what is left of CRLF, and without the byte order mark that may begin the first one of all."""
    if not gone:
        text = text.removeprefix(_MARK)
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _too_long(gone: int, limit: int) -> DecodeError:
    return DecodeError(f"the line at byte {gone} is longer than the limit of {limit} bytes", gone)
