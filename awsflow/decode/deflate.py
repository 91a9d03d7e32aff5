"""Gzip, and the deflate streams in it and in zip files."""

from collections.abc import Callable, Generator
from typing import Protocol, Self

from awsflow.decode.stored import Pieces, Stored

try:
    from zlib_ng import zlib_ng as zlib
except ImportError:  # there is no wheel of it for this machine
    import zlib  # type: ignore[no-redef]  # the same functions, slower

GZIP = b"\x1f\x8b\x08"
RAW = -15
"""The `wbits` of a stream without header and checksum."""
_MEMBER = 31

_AT_ONCE = 1 << 17
"""Bytes of content that are asked for at a time: more would leave the processor's cache before they are used."""
_PIECE = 1 << 16
"""Bytes that are taken at a time: what a call leaves of them is copied, and so is what follows a member."""


class _Inflate(Protocol):
    eof: bool
    unused_data: bytes
    unconsumed_tail: bytes

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...

    def copy(self) -> Self: ...


_inflate: Callable[[int], _Inflate] = zlib.decompressobj  # type: ignore[assignment]  # zlib_ng's types lack `copy`
_error: type[Exception] = zlib.error  # type: ignore[assignment]  # zlib_ng's types call the class an instance
crc32: Callable[[bytes, int], int] = zlib.crc32


def gunzipped(stored: Stored, format_name: str = "gzip") -> Pieces:
    """The content of all gzip members, one after the other."""
    yield from inflated(stored, format_name, _MEMBER)
    while (yield from stored.goes_on(format_name, (GZIP,))):
        yield from inflated(stored, format_name, _MEMBER)


def inflated(stored: Stored, format_name: str, wbits: int) -> Pieces:
    """The content of one deflate stream, up to the last byte before it is damaged or cut short."""
    inflate = _inflate(wbits)
    before: _Inflate | None = None
    while piece := (yield from stored.some(_PIECE)):
        done = 0
        try:
            content = inflate.decompress(piece, _AT_ONCE)
            while content:
                done += len(content)
                yield content
                if inflate.eof or (len(content) < _AT_ONCE and not inflate.unconsumed_tail):
                    break
                content = inflate.decompress(inflate.unconsumed_tail, _AT_ONCE)
        except _error as error:
            intact = yield from _before_damage(before or _inflate(wbits), piece, done)
            complaint = str(error).rpartition(": ")[2]
            raise stored.damaged(format_name, complaint, back=len(piece) - intact) from None
        if inflate.eof:
            stored.put_back(inflate.unused_data)
            return
        before = inflate.copy()
    raise stored.cut_short(format_name)


def _before_damage(before: _Inflate, piece: bytes, done: int) -> Generator[bytes, None, int]:
    """Decompress a piece again byte by byte, yielding what comes before the damage; return where that is.

    The library tells of the damage instead of handing over what it has made of all before it. `done` bytes of content
    were handed over before that.
    """
    for at in range(len(piece)):
        try:
            content = before.decompress(piece[at : at + 1])
        except _error:
            return at
        if len(content) > done:
            yield content[done:]
        done = max(done - len(content), 0)
    return len(piece)
