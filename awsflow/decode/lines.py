"""Lines of text out of chunks of any size."""

from collections.abc import Iterator

from awsflow.errors import DecodeError

LIMIT = 16 << 20
"""Bytes of a line at most."""
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
        if not found:
            rest.append(chunk)
            held += len(chunk)
            if held > limit:
                raise _too_long(gone, limit)
            yield []
            continue
        whole = _text(b"".join([*rest, head]), gone).split(b"\n")
        gone += held + len(head) + 1
        rest, held = [tail], len(tail)
        if b"\r" in chunk or b"\r" in whole[0]:
            whole = [line.removesuffix(b"\r") for line in whole]
        yield whole
    if held:
        yield [_text(b"".join(rest), gone).removesuffix(b"\r")]


def _text(text: bytes, gone: int) -> bytes:
    """The text without the byte order mark that may begin it."""
    return text.removeprefix(_MARK) if gone == 0 else text


def _too_long(gone: int, limit: int) -> DecodeError:
    return DecodeError(f"the line at byte {gone} is longer than the limit of {limit} bytes", gone)
