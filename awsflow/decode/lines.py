"""Lines of text out of chunks of any size."""

from collections.abc import Iterator

from awsflow.errors import DecodeError

LIMIT = 16 << 20
"""Bytes of a line at most."""
BLOCK = 250
"""Lines of a block."""
_HELD = 1 << 18
"""Bytes of lines that wait for others to make a block with."""
_MARK = b"\xef\xbb\xbf"


def lines(chunks: Iterator[bytes], limit: int = LIMIT) -> Iterator[list[bytes]]:
    r"""The lines that each chunk completes, without their line breaks (LF or CRLF); an empty list if it completes none.

    A byte order mark is left off; the last line may lack its line break. DecodeError, behind the lines before it, for
    a line of more than `limit` bytes: what it is cannot be known without holding all of it.

    >>> list(lines(iter([b"a\nb", b"", b"c\r\n\nd"])))
    [[b'a'], [], [b'bc', b''], [b'd']]
    """
    rest: list[bytes] = []
    held = 0
    gone = 0
    for chunk in chunks:
        head, found, tail = chunk.rpartition(b"\n")
        whole: list[bytes] = []
        text = b""
        if found:
            text = b"".join([*rest, head])
            whole = text.split(b"\n")
            if len(text) > limit:
                for at, line in enumerate(whole):
                    if len(line) > limit:
                        yield _clean(whole[:at], gone)
                        raise _too_long(gone + sum(map(len, whole[:at])) + at, limit)
            rest, held = [], 0
        if tail:
            rest.append(tail)
            held += len(tail)
        yield _clean(whole, gone, has_cr=b"\r" in text)
        gone += len(text) + 1 if found else 0
        if held > limit:
            raise _too_long(gone, limit)
    if held:
        yield _clean([b"".join(rest)], gone)


def blocks(chunks: Iterator[bytes], limit: int = LIMIT) -> Iterator[list[bytes]]:
    """The same lines in blocks of `BLOCK`, so that what is prepared for one block serves for the next as well.

    There are fewer at the end, before an error, and where lines are long; and none where a chunk makes no block full.
    """
    held: list[bytes] = []
    try:
        for some in lines(chunks, limit):
            held += some
            full = len(held) - len(held) % BLOCK
            for at in range(0, full, BLOCK):
                yield held[at : at + BLOCK]
            held = held[full:]
            if sum(map(len, held)) > _HELD:
                yield held
                held = []
            elif not full:
                yield []
    except Exception:
        if held:
            yield held
        raise
    if held:
        yield held


def _clean(whole: list[bytes], gone: int, *, has_cr: bool = True) -> list[bytes]:
    """The lines without what is left of CRLF, and without the byte order mark that may begin the first one of all."""
    if whole and not gone:
        whole[0] = whole[0].removeprefix(_MARK)
    return [line.removesuffix(b"\r") for line in whole] if has_cr else whole


def _too_long(gone: int, limit: int) -> DecodeError:
    return DecodeError(f"the line at byte {gone} is longer than the limit of {limit} bytes", gone)
