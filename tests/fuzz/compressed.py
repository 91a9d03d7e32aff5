"""The decompressors, through `members`, compared with those of Python and of the libraries."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import cramjam
import zstandard

from awsflow.decode.compression import members
from awsflow.decode.limits import Limits
from awsflow.errors import DecompressError
from tests.fuzz.target import Target, pieces

MOST = 1 << 20
"""Bytes that content may grow to here."""
_LIMITS = Limits(size=MOST, spooled=MOST)


class Refused(Exception):
    """The plain implementation refuses it, or cannot tell."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format, as others write and read it."""

    write: Callable[[bytes], bytes]
    read: Callable[[bytes], list[bytes]]
    """The files inside; Refused if they cannot be read."""
    name: str = ""
    strict: bool = True
    """Whether what the others take is to be taken by us, too."""


def _gunzip(data: bytes) -> list[bytes]:
    parts = []
    while data:
        inflate = zlib.decompressobj(31)
        try:
            parts.append(inflate.decompress(data, 2 * MOST))
        except zlib.error as error:
            raise Refused from error
        if not inflate.eof:
            raise Refused
        data = inflate.unused_data.lstrip(b"\0")
    return [b"".join(parts)]


def _unzip(data: bytes) -> list[bytes]:
    contents = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith("/"):
                    with archive.open(entry) as file:
                        contents.append(file.read(2 * MOST))
    except Exception as error:
        raise Refused from error
    return contents


def _zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/a.json", content)
        archive.writestr("folder/", "")
        archive.writestr(zipfile.ZipInfo("b"), content[: len(content) // 2])
    return out.getvalue()


def _unzstd(data: bytes) -> list[bytes]:
    try:
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return [reader.read(2 * MOST)]
    except zstandard.ZstdError as error:
        raise Refused from error


def _with(read: Callable[[bytes], bytes], error: type[Exception], data: bytes) -> list[bytes]:
    try:
        return [read(data)]
    except (error, EOFError) as refused:
        raise Refused from refused


def _unxz(data: bytes) -> bytes:
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 27)
    content = decompressor.decompress(data, 2 * MOST)
    if not decompressor.eof or decompressor.unused_data:
        raise EOFError
    return content


def _bunzip(data: bytes) -> bytes:
    decompressor = bz2.BZ2Decompressor()
    content = decompressor.decompress(data, 2 * MOST)
    if not decompressor.eof or decompressor.unused_data:
        raise EOFError
    return content


FORMATS = {
    "gzip": Format(lambda content: gzip.compress(content, 6, mtime=0), _gunzip),
    "zip": Format(_zip, _unzip, strict=False),
    "zstd": Format(
        lambda content: zstandard.ZstdCompressor(write_checksum=True).compress(content), _unzstd, strict=False
    ),
    "bzip2": Format(bz2.compress, partial(_with, _bunzip, OSError)),
    "xz": Format(lzma.compress, partial(_with, _unxz, lzma.LZMAError)),
    "snappy": Format(
        lambda content: bytes(cramjam.snappy.compress(content)),
        partial(_with, lambda data: bytes(cramjam.snappy.decompress(data)), cramjam.DecompressionError),
        strict=False,
    ),
    "snappy_raw": Format(
        lambda content: bytes(cramjam.snappy.compress_raw(content)),
        partial(_with, lambda data: bytes(cramjam.snappy.decompress_raw(data)), cramjam.DecompressionError),
        name="a.snappy",
        strict=False,
    ),
    "stored": Format(lambda content: content, lambda data: [data], strict=False),
}


def contents(data: bytes, size: int, name: str = "") -> tuple[list[bytes], str]:
    """The files inside, as far as they can be read, and the error if there is one. Neither is ever out of bounds."""
    files: list[bytes] = []
    try:
        for content in members(pieces(data, size), name, _LIMITS):
            files.append(b"")
            for piece in content:
                assert len(piece) <= 1 << 17, "a piece of more than 128 KiB"
                files[-1] += piece
                assert sum(map(len, files)) <= MOST, "more than the limit"
    except DecompressError as error:
        assert str(error)
        return files, str(error)
    return files, ""


def check(of: Format, data: bytes) -> None:
    """Data as it is, or written in the format first and then changed in a place or two.

    The first byte says which; then come places and what to put there.
    """
    if not data:
        return
    stored = data[1:]
    if data[0] & 1:
        count = data[0] >> 1 & 3
        changes, content = data[1 : 1 + 3 * count], data[1 + 3 * count :]
        changed = bytearray(of.write(content) or b"x")
        for at in range(0, len(changes) - 2, 3):
            changed[int.from_bytes(changes[at : at + 2], "big") % len(changed)] = changes[at + 2]
        stored = bytes(changed) if data[0] < 128 else bytes(changed[: -1 - data[0] % 16])
    files, error = contents(stored, max(len(stored), 1), of.name)
    for size in (1, 1000) if len(stored) < 4000 else (1000,):
        assert contents(stored, size, of.name) == (files, error), f"otherwise in chunks of {size}"
    try:
        plain = of.read(stored)
    except Refused:
        plain = []
    if plain and not error and _is(of, stored):
        assert files == _unwrapped(plain), f"{files!r} instead of {plain!r}"
    is_gzip_inside = any(content.startswith(b"\x1f\x8b\x08") for content in plain)
    if plain and of.strict and _is(of, stored) and sum(map(len, plain)) <= MOST and not is_gzip_inside:
        assert not error, f"refused: {error}"


def _is(of: Format, stored: bytes) -> bool:
    """Whether the data begins as the format does; where nothing tells, it may be anything."""
    magic = of.write(b"x")[:4]
    return stored.startswith(magic) if of.strict or magic[:2] == b"PK" else False


def _unwrapped(plain: list[bytes]) -> list[bytes]:
    """Without the gzip that may be inside; what is wrong in there is ours to tell."""
    unwrapped = []
    for content in plain:
        inner = content
        if content.startswith(b"\x1f\x8b\x08"):
            try:
                (inner,) = _gunzip(content)
            except Refused:
                inner = content
        unwrapped.append(inner)
    return unwrapped


def _seeds(of: Format) -> Iterator[bytes]:
    text = b'{"Records": [{"a": "some text, some text"}]}'
    stored = of.write(text)
    yield b"\x00" + stored
    yield b"\x00" + stored + stored
    yield b"\x00" + stored[: len(stored) // 2]
    yield b"\x01" + text
    yield b"\x03\x00\x09\xff" + text * 20
    yield b"\x85\x00\x02\x01\x00\x20\x80" + text
    yield b"\x00" + of.write(gzip.compress(text, mtime=0))
    yield b"\x00" + of.write(b"\0" * 300_000)


COMPRESSED: dict[str, Target] = {
    name: Target(
        partial(check, of),
        "what Python or the library reads, however it is cut; never more than the limit",
        partial(_seeds, of),
    )
    for name, of in FORMATS.items()
}
