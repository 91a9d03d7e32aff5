"""Snappy, in the four ways it is put into files. Firehose writes two of them, snappy-java's and Hadoop's.

The framing format is described in the snappy repository (framing_format.txt); snappy-java's is that of its
SnappyOutputStream; Hadoop's that of its BlockCompressorStream.
"""

import re
from codecs import getincrementaldecoder
from types import ModuleType
from typing import Any

from awsflow.decode.stored import Pieces, Stored
from awsflow.errors import DecompressError, LibraryMissing

FRAMED = b"\xff\x06\x00\x00sNaPpY"
JAVA = b"\x82SNAPPY\x00"

LIMIT = 32 << 20
"""Bytes of content of one block. A block cannot be read piece by piece; usual are 32 to 256 KiB."""

_AT_ONCE = 1 << 17
_FRAME_CONTENT = 1 << 16
_COMPRESSED, _PLAIN, _SKIPPABLE = 0x00, 0x01, 0x80
_control = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def unframed(stored: Stored) -> Pieces:
    """The content of snappy's own framing format."""
    library = _library()
    while header := (yield from stored.exactly(4)):
        if len(header) < 4:
            raise stored.cut_short("snappy")
        kind, size = header[0], int.from_bytes(header[1:], "little")
        if kind >= _SKIPPABLE and (kind != FRAMED[0] or header == FRAMED[:4]):
            if not (yield from stored.skip(size)):
                raise stored.cut_short("snappy")
            continue
        if kind not in (_COMPRESSED, _PLAIN) or not 4 <= size <= 4 + _most_compressed(_FRAME_CONTENT):
            raise stored.damaged("snappy", f"a chunk of type {kind} and {size:,} bytes", back=4)
        data = yield from stored.exactly(size)
        if len(data) < size:
            raise stored.cut_short("snappy")
        try:
            # A stream of this one chunk: so the library compares the checksum.
            content = bytes(library.snappy.decompress(FRAMED + header + data))
        except library.DecompressionError as error:
            raise stored.damaged("snappy", error, back=size) from None
        yield content


def from_java(stored: Stored) -> Pieces:
    """The content of snappy-java's format. Several files one after the other are one file."""
    library = _library()
    while size := (yield from stored.exactly(4)):
        if size == JAVA[:4]:
            if len((yield from stored.exactly(12))) < 12:
                raise stored.cut_short("snappy")
        else:
            yield from _content(stored, library, size, 1 << 31)


def from_hadoop(stored: Stored) -> Pieces:
    """The content of Hadoop's format: blocks with the size of their content in front, each of one part or several."""
    library = _library()
    while header := (yield from stored.exactly(4)):
        if len(header) < 4:
            raise stored.cut_short("snappy")
        missing = int.from_bytes(header, "big")
        while missing:
            size = yield from stored.exactly(4)
            for content in _content(stored, library, size, missing):
                missing -= len(content)
                yield content


def raw(stored: Stored) -> Pieces:
    """The content of one block without anything around it; what cannot be that is passed on as it is.

    There is no magic number and no checksum: the file's name has said that it is snappy, and text is taken for text
    if it isn't.
    """
    head = yield from stored.look(6)
    size, at = _content_size(head)
    if head[0] == 0 and len(head) > 1:  # Hadoop's, with a wrong beginning, or not all of one
        yield from from_hadoop(stored)
        return
    if head == b"\0" or (size and at and head[at : at + 1] and _is_literal(head[at])):
        text = _looks_like_text((yield from stored.look(256)))
        if size <= LIMIT:
            most = _most_compressed(size)
            block = yield from stored.exactly(most + 1)
            if len(block) <= most:
                library = _library()
                try:
                    content = library.snappy.decompress_raw(block)
                except library.DecompressionError as error:
                    if not text:
                        raise stored.damaged("snappy", error, back=len(block)) from None
                else:
                    yield from _pieces(content)
                    return
            stored.put_back(block)
        elif not text:
            raise _too_large(stored, size)
    yield from stored.rest()


def is_hadoop(head: bytes) -> bool:
    """Tell whether 14 bytes look like the beginning of Hadoop's format: three sizes that fit together."""
    missing, compressed = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
    size, at = _content_size(head[8:])
    return (
        0 < size <= min(missing, LIMIT)
        and at < compressed <= _most_compressed(size)
        and 8 + at < len(head)
        and _is_literal(head[8 + at])
    )


def _content(stored: Stored, library: ModuleType, header: bytes, most: int) -> Pieces:
    """The content of the block behind its compressed size, `header`; at most so many bytes."""
    if len(header) < 4:
        raise stored.cut_short("snappy")
    compressed = int.from_bytes(header, "big")
    size, _ = _content_size((yield from stored.look(5)))
    if LIMIT < size <= most:
        raise _too_large(stored, size)
    if size > most or compressed > _most_compressed(size):
        raise stored.damaged("snappy", f"a block of {compressed:,} bytes for {size:,}", back=4)
    block = yield from stored.exactly(compressed)
    if len(block) < compressed:
        raise stored.cut_short("snappy")
    try:
        content = library.snappy.decompress_raw(block)
    except library.DecompressionError as error:
        raise stored.damaged("snappy", error, back=len(block)) from None
    yield from _pieces(content)


def _pieces(content: Any) -> Pieces:
    """The library's buffer, in pieces."""
    view = memoryview(content)
    for start in range(0, len(view), _AT_ONCE):
        yield bytes(view[start : start + _AT_ONCE])


def _content_size(block: bytes) -> tuple[int, int]:
    """Read the size of a block's content from its beginning; tell where that ends: 0 if it isn't all here."""
    size = 0
    for at, byte in enumerate(block[:5]):
        size |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return size, at + 1
    return size, 0


def _is_literal(tag: int) -> bool:
    """Whether what follows a tag stands for itself: a block cannot begin with a reference to what came before."""
    return tag & 3 == 0


def _most_compressed(size: int) -> int:
    """Tell how large so much content can become at most, by snappy's own formula."""
    return 32 + size + size // 6


def _looks_like_text(sample: bytes) -> bool:
    try:
        getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return not _control.search(sample)


def _too_large(stored: Stored, size: int) -> DecompressError:
    return DecompressError(
        f"the snappy block at byte {stored.taken:,} is of {size:,} bytes, more than {LIMIT:,}, and a block cannot be "
        "read piece by piece; write the file with smaller blocks"
    )


def _library() -> ModuleType:
    try:
        import cramjam  # noqa: PLC0415 - optional, and few objects need it
    except ImportError as missing:
        raise LibraryMissing(
            "decompressing snappy data: the library cramjam is missing; pip install 'awsflow[codecs]'"
        ) from missing
    return cramjam
