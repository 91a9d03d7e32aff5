"""Zstandard (RFC 8878), block by block.

Frames are taken apart into their blocks here, for two reasons: the content of a block is of 128 KiB at most, while the
library gives all that some input comes to, be it gigabytes; and all blocks before a damaged one are safe.
"""

from typing import TYPE_CHECKING

from awsflow.decode.stored import Pieces, Stored
from awsflow.errors import LibraryMissing

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj

FRAME = b"\x28\xb5\x2f\xfd"
SKIPPABLE = tuple(bytes([0x50 + number]) + b"\x2a\x4d\x18" for number in range(16))
"""Frames without content, for tools' own use: pzstd writes one in front of each of the others."""

_BLOCK = 1 << 17
_RUN = 1
"""The type of a block that is one byte, repeated."""


def unzstd(stored: Stored) -> Pieces:
    """The content of all frames, one after the other. Windows of more than 128 MiB are refused."""
    try:
        import zstandard  # noqa: PLC0415 - optional, and few objects need it
    except ImportError as missing:
        raise LibraryMissing(
            "decompressing zstd data: the library zstandard is missing; pip install 'awsflow[codecs]'"
        ) from missing

    while (yield from stored.goes_on("zstd", (FRAME, *SKIPPABLE))):
        if (yield from stored.look(4)) == FRAME:
            yield from _frame(stored, zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError)
        else:
            yield from _skipped(stored)


def _frame(stored: Stored, decompressor: "ZstdDecompressionObj", error: type[Exception]) -> Pieces:
    """The content of the frame that begins here."""

    def part(size: int, *, before: bytes = b"") -> Pieces:
        """The content that the next bytes come to."""
        data = yield from stored.exactly(size)
        try:
            content = decompressor.decompress(before + data)
        except error as damage:
            raise stored.damaged("zstd", damage, back=len(data)) from None
        if content:
            yield content
        if len(data) < size:
            raise stored.cut_short("zstd")

    head = yield from stored.look(5)
    if len(head) < 5:
        raise stored.cut_short("zstd", len(head))
    has_checksum = head[4] >> 2 & 1
    yield from part(_header_size(head[4]))
    last = 0
    while not last:
        header = yield from stored.exactly(3)
        if len(header) < 3:
            raise stored.cut_short("zstd")
        number = int.from_bytes(header, "little")
        last, kind, size = number & 1, number >> 1 & 3, number >> 3
        if size > _BLOCK:
            raise stored.damaged("zstd", f"a block of {size:,} bytes", back=3)
        yield from part(1 if kind == _RUN else size, before=header)
    if has_checksum:
        yield from part(4)


def _header_size(descriptor: int) -> int:
    """Tell how long a frame's header is, with the four bytes that mark a frame."""
    single_segment = descriptor >> 5 & 1
    window = 0 if single_segment else 1
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor >> 6]
    return 5 + window + dictionary + content_size


def _skipped(stored: Stored) -> Pieces:
    """Nothing: goes past the frame without content that begins here."""
    header = yield from stored.exactly(8)
    if len(header) < 8 or not (yield from stored.skip(int.from_bytes(header[4:], "little"))):
        raise stored.cut_short("zstd")
