"""Content that is made to do harm: bombs, lies, and JSON that no parser likes."""

import gzip
import io
import struct
import zipfile
import zlib

BOMB = 1 << 30
"""Bytes that a bomb comes to."""


def deep(levels: int = 100_000) -> bytes:
    """A right event, nested as deeply."""
    return b'{"Records": [{"n": "deep", "a": ' + b"[" * levels + b"]" * levels + b"}]}"


def never_closed(levels: int = 100_000) -> bytes:
    return b'{"Records": [{"n": "open", "a": ' + b'{"a":[' * levels


def odd_json() -> bytes:
    """A right event with numbers and texts that many a parser breaks at."""
    numbers = b'"huge": 1e999999, "tiny": 1e-999999, "digits": ' + b"9" * 10_000 + b', "minus": -0.0, "nan": NaN'
    texts = b'"lone": "\\ud800\\udfff\\udc00", "nul": "\\u0000", "long": "' + b"x" * 1_000_000 + b'"'
    return b'{"Records": [{"n": "odd", ' + numbers + b", " + texts + b', "": {"": {"": null}}}]}'


def gzip_bomb() -> bytes:
    compress = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [compress.compress(bytes(1 << 20)) for _ in range(BOMB >> 20)]
    return b"".join((*parts, compress.flush()))


def gzip_in_gzip() -> bytes:
    return gzip.compress(gzip_bomb(), 9)


def overlapping_zip(files: int = 2000) -> bytes:
    """A zip whose files are all the same bytes, as David Fifield's: https://www.bamsoftware.com/hacks/zipbomb/."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = compress.compress(bytes(1 << 20)) + compress.flush()
    crc = zlib.crc32(bytes(1 << 20))
    name = b"../../../../etc/cron.d/a.json"
    sizes = struct.pack("<III", crc, len(kernel), 1 << 20)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x21) + sizes + struct.pack("<HH", len(name), 0) + name
    entry = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x21) + sizes
    entry += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, 0) + name
    content = local + kernel
    directory = entry * files
    end = struct.pack("<HHHHIIH", 0, 0, files, files, len(directory), len(content), 0)
    return content + directory + b"PK\x05\x06" + end


def zip_with_lies() -> bytes:
    """A zip whose Zip64 fields claim more than anybody has."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b'{"a": 1}')
    whole = bytearray(out.getvalue())
    at = whole.index(b"PK\x01\x02")
    whole[at + 20 : at + 28] = b"\xff" * 8
    whole[at + 30 : at + 32] = struct.pack("<H", 20)
    extra = struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62)
    name_end = at + 46 + len("a.json")
    whole[name_end:name_end] = extra
    end = whole.index(b"PK\x05\x06")
    whole[end + 12 : end + 16] = struct.pack("<I", end - at)
    return bytes(whole)


def xz_bomb() -> bytes:
    import lzma  # noqa: PLC0415 - few tests need it

    compressor = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}])
    parts = [compressor.compress(bytes(1 << 20)) for _ in range(BOMB >> 22)]
    return b"".join((*parts, compressor.flush()))


def xz_with_a_huge_dictionary() -> bytes:
    import lzma  # noqa: PLC0415 - few tests need it

    whole = bytearray(lzma.compress(b'{"a": 1}', preset=0))
    # the header of the first block begins behind the stream's 12 bytes: size, flags, LZMA2, one byte, dictionary
    whole[16] = 40  # 4 GiB - 1
    header = 4 * (whole[12] + 1)
    whole[12 + header - 4 : 12 + header] = struct.pack("<I", zlib.crc32(bytes(whole[12 : 12 + header - 4])))
    return bytes(whole)


def bzip2_bomb() -> bytes:
    import bz2  # noqa: PLC0415 - few tests need it

    return bz2.compress(bytes(45 << 20)) * 20


def zstd_with_a_huge_window() -> bytes:
    # magic, no single segment, window of 2 TiB, then a raw block of 8 bytes, the last one
    return b"\x28\xb5\x2f\xfd\x00\xf8" + (8 << 3 | 1).to_bytes(3, "little") + b'{"a": 1}'


def zstd_bomb() -> bytes:
    # blocks of one byte that is repeated 128 KiB times: four bytes each
    block = ((1 << 17) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + block * (BOMB >> 17) + (1).to_bytes(3, "little")


def snappy_that_lies() -> bytes:
    """A frame whose content claims to be of 4 GiB."""
    chunk = b"\0\0\0\0" + b"\xff\xff\xff\xff\x0f" + b"\x00x"
    return b"\xff\x06\x00\x00sNaPpY" + b"\x00" + len(chunk).to_bytes(3, "little") + chunk


BAD = {
    "never_closed": never_closed,
    "gzip_bomb": gzip_bomb,
    "gzip_in_gzip": gzip_in_gzip,
    "overlapping_zip": overlapping_zip,
    "zip_with_lies": zip_with_lies,
    "xz_bomb": xz_bomb,
    "xz_with_a_huge_dictionary": xz_with_a_huge_dictionary,
    "bzip2_bomb": bzip2_bomb,
    "zstd_with_a_huge_window": zstd_with_a_huge_window,
    "zstd_bomb": zstd_bomb,
    "snappy_that_lies": snappy_that_lies,
    "snappy_raw_that_lies": lambda: b"\xff\xff\xff\xff\x0f" + b"\x00x" * 100,
    "brackets": lambda: b"[" * 1_000_000,
    "braces": lambda: b'{"":' * 250_000,
    "quotes": lambda: b'{"Records": ["' + b'\\"' * 500_000,
    "nothing but nul": lambda: bytes(1_000_000),
    "not UTF-8": lambda: b'{"Records": [{"a": "\xff\xfe"}]}',
    "surrogates in UTF-8": lambda: b'{"Records": [{"a": "\xed\xa0\x80"}]}',
}
"""What cannot be read."""
GOOD = {"deep": deep, "odd": odd_json}
"""What can, and how many do not."""
