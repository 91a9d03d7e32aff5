"""Bzip2 and xz, whose libraries are alike."""

from collections.abc import Callable, Generator
from itertools import chain
from typing import Protocol

from awsflow.decode.stored import Pieces, Stored

BZIP2 = b"BZh"
XZ = b"\xfd7zXZ\0"

_PIECE = 1 << 14
_STEP = 1 << 10
"""Bytes of content that are asked for at a time: as many are lost where a long stream is damaged."""
_KEPT = 1 << 22
"""Compressed bytes from the beginning of a stream within which nothing is lost in front of the damage."""
_XZ_MEMORY = 1 << 27
"""Twice as much as `xz -9` asks for."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def bunzipped(stored: Stored) -> Pieces:
    """The content of all bzip2 streams, one after the other."""
    import bz2  # noqa: PLC0415 - few objects need it

    yield from _streams(stored, "bzip2", BZIP2, bz2.BZ2Decompressor, OSError)


def unxzed(stored: Stored) -> Pieces:
    """The content of all xz streams, one after the other. Dictionaries of more than about 128 MiB are refused."""
    import lzma  # noqa: PLC0415 - few objects need it

    def decompressor() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    yield from _streams(stored, "xz", XZ, decompressor, lzma.LZMAError)


def _streams(
    stored: Stored, format_name: str, beginning: bytes, new: Callable[[], _Decompressor], error: type[Exception]
) -> Pieces:
    yield from _stream(stored, format_name, new, error)
    while (yield from stored.goes_on(format_name, (beginning,))):
        yield from _stream(stored, format_name, new, error)


def _stream(stored: Stored, format_name: str, new: Callable[[], _Decompressor], error: type[Exception]) -> Pieces:
    """The content of one stream.

    The library gets its bytes in pieces of one size, so that damage is noticed at the same byte of content however the
    chunks were cut: who counts records relies on that.
    """
    decompressor = new()
    content = piece = b""
    done = 0
    fed: list[bytes] | None = []
    while not decompressor.eof:
        more = b""
        if len(content) < _STEP:
            more = piece = yield from stored.exactly(_PIECE)
            if not piece:
                raise stored.cut_short(format_name)
            if fed is not None:
                fed.append(piece)
                if len(fed) > _KEPT // _PIECE:
                    fed = None
        try:
            content = decompressor.decompress(more, _STEP)
        except error as damage:
            intact = 0
            if fed is not None:
                intact = yield from _before_damage(new(), fed, done, error)
            raise stored.damaged(format_name, damage, back=len(piece) - intact) from None
        if content:
            done += len(content)
            yield content
    stored.put_back(decompressor.unused_data)


def _before_damage(
    decompressor: _Decompressor, fed: list[bytes], done: int, error: type[Exception]
) -> Generator[bytes, None, int]:
    """Decompress a damaged stream again, yield all content behind the first `done` bytes, return where the damage is.

    The library tells of the damage instead of handing over what it has made of all before it. The damage is in the
    last piece, so this one goes in byte by byte; and comes out so, where the library has much of it ready.
    """
    *pieces, last = fed
    size = 0
    for number, piece in enumerate(chain(pieces, (last[at : at + 1] for at in range(len(last))))):
        content = b""
        step = 0
        while len(content) == step:
            step = _STEP if size < done else 1
            try:
                content = decompressor.decompress(b"" if content else piece, step)
            except error:
                return number - len(pieces)
            if size + len(content) > done:
                yield content[max(done - size, 0) :]
            size += len(content)
    return len(last)
