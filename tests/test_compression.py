"""Decompression: every format, whatever the chunks; all that is good comes before an error; no bomb goes off."""

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import pytest
import zstandard
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from awsflow.decode.compression import members
from awsflow.decode.limits import Limits
from awsflow.decode.snappy import is_hadoop
from awsflow.errors import DecompressError, ServiceError

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 1 << 17
BOMB = bytes(10 << 20)


def framed(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(content))


def raw(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


def java(content: bytes, block: int = 300) -> bytes:
    blocks = [raw(content[at : at + block]) for at in range(0, len(content), block)]
    return b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"".join(len(block).to_bytes(4, "big") + block for block in blocks)


def hadoop(content: bytes, frame: int = 700, block: int = 300) -> bytes:
    """A frame's size stands in front of its blocks, of which the last is smaller."""
    out = b""
    for start in range(0, len(content), frame):
        part = content[start : start + frame]
        blocks = [raw(part[at : at + block]) for at in range(0, len(part), block)]
        out += len(part).to_bytes(4, "big") + b"".join(len(block).to_bytes(4, "big") + block for block in blocks)
    return out


def zstd(content: bytes) -> bytes:
    """With a checksum, and small blocks: a streaming writer makes one at each flush."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    parts = [content[at : at + 400] for at in range(0, len(content), 400)]
    flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return b"".join(compressor.compress(part) + compressor.flush(flush) for part in parts) + compressor.flush()


def zipped(*contents: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.json", content)
    return file.getvalue()


STREAMS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip": (gzip.compress, ".gz"),
    "bzip2": (bz2.compress, ".bz2"),
    "xz": (lzma.compress, ".xz"),
    "zstd": (zstd, ".zst"),
    "framed": (framed, ".snappy"),
    "java": (java, ".snappy"),
    "hadoop": (hadoop, ".snappy"),
}


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """In chunks of these sizes, over and over; a size of 0 is an empty chunk."""
    at = 0
    while at < len(data):
        for size in sizes:
            yield data[at : at + size]
            at += size


def read(data: bytes, name: str = "", sizes: tuple[int, ...] = (1 << 18,), limits: Limits | None = None) -> list[bytes]:
    """The files in an object."""
    return [b"".join(file) for file in members(cut(data, [*sizes]), name, limits or Limits())]


def until_error_of(
    kind: type[Exception], chunks: Iterator[bytes], name: str = "", limits: Limits | None = None
) -> tuple[bytes, str]:
    """What comes out before the error, and what the error says; empty if there is none."""
    content = bytearray()
    try:
        for file in members(chunks, name, limits or Limits()):
            for piece in file:
                content += piece
    except kind as error:
        return bytes(content), str(error)
    return bytes(content), ""


def until_error(data: bytes, name: str = "", sizes: tuple[int, ...] = (1 << 18,)) -> tuple[bytes, str]:
    """The same, where the object is wrong."""
    return until_error_of(DecompressError, cut(data, [*sizes]), name)


def varied(size: int, seed: int = 1) -> bytes:
    """Content that compresses, but not to nothing."""
    source = random.Random(seed)
    return b"".join(b'{"eventName":"%d"},\n' % source.randrange(10**9) for _ in range(size // 20 + 1))[:size]


contents = st.binary(max_size=3000) | st.binary(max_size=30).map(lambda content: content * 100)
contents = contents.filter(lambda content: content[:1] != b"\x1f")  # gzip would be decompressed once more
chunk_sizes = st.lists(st.integers(0, 100) | st.integers(1, 5000), min_size=1, max_size=4).filter(any)


@pytest.mark.parametrize("form", STREAMS)
@settings(deadline=None, max_examples=60)
@given(contents=st.lists(contents, min_size=1, max_size=3), sizes=chunk_sizes)
@example(contents=[varied(3000), varied(2000)], sizes=[1])
def test_several_streams_are_one_file_whatever_the_chunks(form: str, contents: list[bytes], sizes: list[int]) -> None:
    compress, suffix = STREAMS[form]
    data = b"".join(compress(content) for content in contents)
    assert read(data, "x" + suffix, (*sizes,)) == [b"".join(contents)]


@settings(deadline=None, max_examples=60)
@given(st.lists(contents, max_size=4), chunk_sizes, st.sampled_from([zipfile.ZIP_STORED, 8, zipfile.ZIP_BZIP2]))
def test_every_file_of_a_zip_is_read_in_order(contents: list[bytes], sizes: list[int], method: int) -> None:
    data = zipped(*contents, method=method)
    assert read(data, "x.log", (*sizes,)) == (contents or [b""])


@settings(deadline=None)
@given(contents, chunk_sizes)
def test_what_is_not_compressed_comes_as_it_is(content: bytes, sizes: list[int]) -> None:
    text = b"{" + content
    assert read(text, "x.json.gz", (*sizes,)) == [text]


@pytest.mark.parametrize("form", [*STREAMS, "plain", "zip"])
def test_large_content_comes_in_pieces_of_128_kib_at_most_and_not_in_crumbs(form: str) -> None:
    content = varied(1 << 20)
    data = {"plain": content, "zip": zipped(content)}.get(form) or STREAMS[form][0](content)
    pieces = [piece for file in members(iter([data]), "x.snappy") for piece in file]
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= LARGEST
    assert len(pieces) < 30


@pytest.mark.parametrize("form", [*STREAMS, "plain", "zip"])
@pytest.mark.parametrize("size", [1, 50])
def test_time_passes_on_with_every_chunk_and_with_every_empty_one(form: str, size: int) -> None:
    content = varied(3000)
    data = {"plain": content, "zip": zipped(content)}.get(form) or STREAMS[form][0](content)
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for chunk in cut(data, [size, 0, 0]):
            yield chunk
            taken += 1  # counted when the next one is wanted

    for file in members(chunks(), "x.snappy"):
        for pieces, _ in enumerate(file):
            assert taken <= pieces
    assert taken


def test_an_empty_chunk_is_an_empty_piece_and_all_before_it_has_come() -> None:
    data = gzip.compress(b"first") + gzip.compress(b"second")
    pieces = [piece for file in members(iter([b"", data[:25], b"", b"", data[25:], b""])) for piece in file]
    assert pieces[:5] == [b"", b"first", b"", b"", b"second"]
    assert pieces[5:]
    assert not any(pieces[5:])


@pytest.mark.parametrize("name", ["", "x.gz", "x.zip", "x.zst", "x.bz2", "x.xz", "x.snappy"])
def test_an_empty_object_is_an_empty_file(name: str) -> None:
    assert read(b"", name) == [b""]
    assert [b"".join(file) for file in members(iter([b"", b""]), name)] == [b""]


@pytest.mark.parametrize(
    "text",
    [
        b"BZh9 is how bzip2 begins",
        b"BZh",
        b"PK",
        b"PK\nkeys\n",
        b"\xef\xbb\xbf{}",
        b"\xef\xbb\xbfBZh91AY&SY",
        b"\x1f\x8b\x09 not by deflate",
        b"\x1f",
        b"\xfd7zXZ.",
        b"(\xb5/\xfe",
        b"2 123456789012 eni-1 10.0.0.1 10.0.0.2 ACCEPT OK\n" * 50,
        b'{"Records": [{"eventName": "A"}]}',
        b" |" + b"x" * 31,
        b"abcd\nefg\xe2\x80\x93xd and so on",  # by Hadoop's rules a block of 251 MB
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.gz", "x.snappy"])
@pytest.mark.parametrize("size", [1, 1000])
def test_content_that_only_resembles_a_format_comes_as_it_is(text: bytes, name: str, size: int) -> None:
    if not (text == b"\x1f" and name == "x.gz"):
        assert read(text, name, (size,)) == [text]


@pytest.mark.parametrize("form", STREAMS)
@pytest.mark.parametrize("name", ["", "x.json", "x.gz", "x.zip", "x.bz2", "x.snappy"])
def test_the_name_does_not_matter_where_the_content_tells(form: str, name: str) -> None:
    assert read(STREAMS[form][0](b"content" * 9), name, (1,)) == [b"content" * 9]


@settings(deadline=None)
@given(contents, chunk_sizes)
@example(b"", [1])
@example(b" " * 32, [7])
def test_raw_snappy_is_read_if_the_name_says_so(content: bytes, sizes: list[int]) -> None:
    assume(not is_hadoop(raw(content)[:14]))  # some content full of zeros looks like that, and no log does
    assert read(raw(content), "x.SNAPPY", (*sizes,)) == [content]


@pytest.mark.parametrize("before", [b"", java(b"ab") + b"\0\0\x10\0", hadoop(b"ab") + b"\x10\0\0\0\0\0\x10\0"])
def test_a_block_of_snappy_beyond_the_limit_is_refused_before_it_is_read(before: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield before + b"\x81\x80\x80\x10\xf0\x80" + bytes(1000)  # 32 MiB and a byte
        raise AssertionError("more was read")

    with pytest.raises(DecompressError, match="33,554,433 bytes, more than 33,554,432"):
        list(map(list, members(chunks(), "x.snappy")))


@pytest.mark.parametrize("block", ["00000009 00000005 0a 24", "00000009 000000ff 05 10"])
def test_a_block_of_hadoops_that_cannot_have_its_size_is_an_error(block: str) -> None:
    data = hadoop(b"content")
    content, error = until_error(data + bytes.fromhex(block) + bytes(300), "x.snappy")
    assert content == b"content"
    assert f"damaged at byte {len(data) + 4} (a block of " in error


def test_snappy_as_python_snappy_writes_it() -> None:
    assert read(b"\xff\x06\0\0sNaPpY\x01\n\0\0SU\xffShello\n") == [b"hello\n"]


def test_zstd_frames_without_content_are_passed_over() -> None:
    skippable = b"\x50\x2a\x4d\x18\x05\0\0\0hello"
    assert read(skippable + zstd(b"a") + skippable + zstd(b"b"), sizes=(3,)) == [b"ab"]


def test_a_zstd_block_that_is_too_large_is_an_error_before_it_is_read() -> None:
    frame = b"\x28\xb5\x2f\xfd\0\x58" + (200_000 << 3).to_bytes(3, "little")
    assert "damaged at byte 6 (a block of 200,000 bytes)" in until_error(frame)[1]


@pytest.mark.parametrize("level", [-5, 1, 19])
@pytest.mark.parametrize("known_size", [True, False])
def test_zstd_of_all_kinds_of_blocks(level: int, known_size: bool) -> None:
    content = b"".join([bytes(300_000), os.urandom(300_000), varied(500_000), b"x" * 200_000])
    data = zstandard.ZstdCompressor(level=level, write_content_size=known_size).compress(content)
    assert read(data, sizes=(100_000,)) == [content]


@pytest.mark.parametrize("form", ["gzip", "bzip2", "xz", "zstd"])
def test_zeros_that_fill_an_object_up_are_passed_over_and_anything_else_is_an_error(form: str) -> None:
    data = STREAMS[form][0](b"content")
    assert read(data + bytes(1000) + data + bytes(100), sizes=(64,)) == [b"contentcontent"]
    content, error = until_error(data + b"garbage and more of it")
    assert content == b"content"
    assert f"followed by something else at byte {len(data)}" in error


def test_gzip_within_gzip_is_decompressed_and_a_third_time_it_is_content() -> None:
    once = gzip.compress(varied(5000))
    twice = gzip.compress(once[:100]) + gzip.compress(once[100:])
    assert read(twice, sizes=(1,)) == [varied(5000)]
    assert read(gzip.compress(twice)) == [once]
    assert read(zipped(once, b"\x1f", b"\x1f\x8b\x09"), sizes=(99,)) == [varied(5000), b"\x1f", b"\x1f\x8b\x09"]
    content, error = until_error(gzip.compress(once[:-9]))
    assert varied(5000).startswith(content)
    assert content
    assert f"the inner gzip data is cut short after {len(once) - 9:,} bytes" in error


class Reference:
    """What can be known of a cut or damaged object: all that the format's library makes of its bytes one by one."""

    def __init__(self, new: Callable[[], Any]) -> None:
        self.new = new

    def __call__(self, data: bytes, step: int = 1) -> bytes:
        stream = self.new()
        content = bytearray()
        for at in range(0, len(data), step):
            if stream.eof:
                stream = self.new()
            try:
                content += stream.decompress(data[at : at + step])
            except (zlib.error, OSError, lzma.LZMAError, zstandard.ZstdError):
                break
        return bytes(content)


REFERENCES = {
    "gzip": Reference(lambda: zlib.decompressobj(31)),
    "bzip2": Reference(bz2.BZ2Decompressor),
    "xz": Reference(lzma.LZMADecompressor),
    "zstd": Reference(lambda: zstandard.ZstdDecompressor().decompressobj()),
}


@pytest.mark.parametrize("form", REFERENCES)
@pytest.mark.parametrize("size", [7, 1000])
def test_an_object_cut_short_anywhere_gives_all_that_is_good_and_then_an_error(form: str, size: int) -> None:
    compress, suffix = STREAMS[form]
    first = compress(varied(900))
    data = first + compress(varied(1000, 2) + random.Random(3).randbytes(700))
    for end in range(1, len(data)):
        content, error = until_error(data[:end], "x" + suffix, (size,))
        assert content == REFERENCES[form](data[:end]), end
        assert end == len(first) or f"cut short after {end:,} bytes" in error, end


def test_where_little_grows_to_much_all_of_it_comes_before_the_cut() -> None:
    data = gzip.compress(BOMB)
    for end in range(100, 300):
        assert until_error(data[:end])[0] == REFERENCES["gzip"](data[:end]), end


@pytest.mark.parametrize("form", ["framed", "java", "hadoop", "zip"])
def test_an_object_of_blocks_cut_short_anywhere_gives_the_whole_blocks_and_then_an_error(form: str) -> None:
    content = varied(1500)
    data = zipped(content) if form == "zip" else STREAMS[form][0](content)
    before = b""
    errors = 0
    for end in range(2, len(data)):
        good, error = until_error(data[:end], "x.zip" if form == "zip" else "x.snappy", (100,))
        assert content.startswith(good)
        assert len(before) <= len(good)
        before = good
        errors += bool(error)
    assert len(before) >= {"framed": 0, "java": 1200, "hadoop": 1400, "zip": 0}[form]
    assert errors >= len(data) - 2 - 5


@pytest.mark.parametrize("form", REFERENCES)
@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_object_gives_all_before_the_damage_and_then_an_error(form: str, data: st.DataObject) -> None:
    compress, suffix = STREAMS[form]
    damaged = bytearray(compress(varied(900)) + compress(varied(1500, 2)))
    at = data.draw(st.integers(8, len(damaged) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))
    content, error = until_error(bytes(damaged), "x" + suffix, (data.draw(st.integers(1, 2000)),))
    expected = REFERENCES[form](bytes(damaged))
    if error:
        assert content[: len(expected)] == expected[: len(content)]
        assert len(expected) - len(content) <= 1
    else:
        assert content == expected


@pytest.mark.parametrize("form", [*STREAMS, "zip"])
@settings(deadline=None, max_examples=120)
@given(st.data())
def test_no_damage_leads_to_anything_but_content_and_a_decompress_error(form: str, data: st.DataObject) -> None:
    whole = zipped(b"abc" * 99, varied(500)) if form == "zip" else STREAMS[form][0](varied(1000))
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut_at = data.draw(st.none() | st.integers(0, len(damaged)))
    until_error(bytes(damaged[:cut_at]), data.draw(st.sampled_from(["", "x.snappy"])), (61,))


@pytest.mark.parametrize("form", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_a_wrong_checksum_is_an_error_behind_all_of_the_content(form: str) -> None:
    content = varied(200_000)
    data = bytearray(zipped(content) if form == "zip" else STREAMS[form][0](content))
    place = {"gzip": -8, "bzip2": -5, "xz": -36, "zstd": -1, "zip": data.find(b"PK\x01\x02") + 16}[form]
    data[place] ^= 0x10
    found, error = until_error(bytes(data))
    assert found == content
    assert "damaged" in error


def test_what_may_be_the_beginning_of_gzip_comes_before_the_error_too() -> None:
    damaged = bytearray(gzip.compress(b"\x1f\x8b"))
    damaged[-8] ^= 1
    content, error = until_error(bytes(damaged))
    assert content == b"\x1f\x8b"
    assert error


def test_a_wrong_checksum_in_snappys_framing_is_an_error_before_the_chunk() -> None:
    data = bytearray(framed(varied(200_000)))
    second = 14 + int.from_bytes(data[11:14], "little")
    data[second + 4] ^= 1
    found, error = until_error(bytes(data))
    assert found == varied(200_000)[: 1 << 16]
    assert f"damaged at byte {second + 4:,}" in error
    assert "checksum" in error


@pytest.mark.parametrize("form", REFERENCES)
def test_damage_far_inside_is_met_at_the_same_byte_however_the_chunks_are_cut(form: str) -> None:
    """Who counts records relies on that. All before it has come; a kilobyte is missing behind 4 MiB of bzip2 or xz."""
    content = random.Random(1).randbytes(4_300_000) + varied(400_000)
    data = bytearray(lzma.compress(content, preset=0) if form == "xz" else STREAMS[form][0](content))
    data[-30_000] ^= 0xFF
    found = [until_error(bytes(data), sizes=sizes) for sizes in [(1 << 18,), (5_000, 0, 1_000_000)]]
    assert found[0][1]
    assert found[1] == found[0]
    good = len(REFERENCES[form](bytes(data), 250))
    assert len(found[0][0]) >= good - (1 << 10 if form in ("bzip2", "xz") else 0)


def test_the_message_says_where() -> None:
    data = gzip.compress(varied(100_000))
    assert until_error(data[:1234])[1] == "gzip data is cut short after 1,234 bytes; was it written to its end?"
    for form, (compress, suffix) in STREAMS.items():
        data = compress(varied(100_000))
        damaged = data[:5000] + bytes(200) + data[5200:]
        error = until_error(damaged, "x" + suffix)[1]
        place = int(error.partition(" at byte ")[2].partition(" ")[0].replace(",", ""))
        assert (14 if form == "framed" else 4_500) <= place < 20_000, form


def test_an_error_of_the_store_comes_behind_all_that_came_before_it() -> None:
    def chunks() -> Iterator[bytes]:
        yield gzip.compress(b"good") + gzip.compress(b"lost")[:10]
        raise ServiceError("the connection broke off")

    assert until_error_of(ServiceError, chunks()) == (b"good", "the connection broke off")


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_files_that_are_given_up_do_not_disturb_those_behind_them(taken: int) -> None:
    data = zipped(varied(400_000), b"second", b"third")
    seen = []
    for number, file in enumerate(members(cut(data, [1000]))):
        if number == 0:
            for _ in range(taken):
                next(file)
        else:
            seen.append(b"".join(file))
    assert seen == [b"second", b"third"]


def test_an_only_file_that_is_given_up_is_the_only_one() -> None:
    assert len(list(members(cut(gzip.compress(varied(1000)), [5])))) == 1


def test_a_zip_may_have_folders_a_comment_large_sizes_no_bytes_and_something_in_front() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", 8) as archive:
        archive.comment = b"a comment"
        archive.mkdir("folder")
        with archive.open("folder/1.json", "w", force_zip64=True) as entry:
            entry.write(b"first")
        archive.writestr("folder/2.json", b"")
        archive.writestr("\u00e9.json", b"third")
    assert read(b"PK\3\4 in front " + file.getvalue(), sizes=(10,)) == [b"first", b"", b"third"]


def changed(data: bytes, offset: int, value: bytes) -> bytes:
    """With other bytes in the first entry of the directory, which tells of method, flags and so on."""
    at = data.find(b"PK\1\2") + offset
    return data[:at] + value + data[at + len(value) :]


def test_a_file_of_a_zip_that_cannot_be_read_is_named_behind_those_before_it() -> None:
    data = zipped(b"first", b"second")
    for offset, value, message in [
        (8, b"\1", "'0.json' at byte 0: it is encrypted"),
        (10, b"\x09", "'0.json' at byte 0: it is compressed by method 9"),
        (24, b"\4", "'0.json' at byte 0: it is larger than the 4 bytes"),
        (24, b"\6", "'0.json' at byte 0: it is cut short: 5 of 6 bytes"),
        (42, b"\1", "'0.json' at byte 1: the directory says that it begins there"),
        (42, b"\xff\xff\xff\x7f", "'0.json' at byte 2,147,483,647: the directory says that it begins there"),
        (0, b"XX", "the zip's directory, at the end of its"),
    ]:
        assert message in until_error(changed(data, offset, value))[1]
    moved = bytearray(data)
    moved[data.find(b"PK\5\6") + 17] += 1  # the directory, and with it everything, seems to lie 256 bytes before
    assert "'0.json' at byte -256: the directory says that it begins there" in until_error(bytes(moved))[1]
    damaged = zipped(b"first", b"second", method=zipfile.ZIP_STORED).replace(b"second", b"sec0nd")
    content, error = until_error(damaged)
    assert content == b"firstsec0nd"
    assert error == "the zip's file '1.json' at byte 41: it is damaged (incorrect checksum)"


@pytest.mark.parametrize(("method", "form"), [(93, "zstd"), (95, "xz"), (12, "bzip2")])
def test_a_zip_may_hold_what_newer_tools_write(method: int, form: str) -> None:
    content = varied(5000)
    stored = zipped(STREAMS[form][0](content), method=zipfile.ZIP_STORED)
    crc, size = zlib.crc32(content).to_bytes(4, "little"), len(content).to_bytes(4, "little")
    data = changed(changed(changed(stored, 10, bytes([method])), 16, crc), 24, size)
    assert read(data) == [content]


def with_directory(packed: bytes, content: bytes, files: int) -> bytes:
    """A zip of one file that its directory has many times."""
    facts = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, zlib.crc32(content), len(packed), len(content), 1, 0)
    file = b"PK\3\4" + facts + b"x" + packed
    directory = (b"PK\1\2\x14\0" + facts + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"x") * files
    return file + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0, 0, len(directory), len(file), 0)


def test_a_zip_whose_files_lie_upon_each_other_is_stopped_by_the_ratio() -> None:
    data = with_directory(zlib.compress(BOMB, 9, -15), BOMB, files=1000)
    content, error = until_error(data)
    assert 127 << 20 < len(content) <= 128 << 20
    assert f"first {len(data):,} bytes of the object grow to 13" in error
    assert "more than 2,000 times" in error
    assert "--max-ratio" in error


def test_a_zip_may_hold_a_file_without_a_name() -> None:
    assert read(zipped(b"content").replace(b"0.json", b"\0.json")) == [b"content"]


def test_a_zip_whose_directory_is_larger_than_allowed_is_refused_before_it_is_read() -> None:
    data = bytearray(with_directory(b"\3\0", b"", files=1) + bytes(33 << 20))
    end = data.find(b"PK\5\6")
    record = data[end : end + 22]
    record[12:16] = (33 << 20).to_bytes(4, "little")
    with pytest.raises(DecompressError, match="directory is of 34,603,008 bytes, more than 33,554,432"):
        read(bytes(data + record))


def test_a_zip_of_too_many_files_is_refused_before_they_are_listed() -> None:
    assert read(with_directory(b"\3\0", b"", files=1000)) == [b""] * 1000
    with pytest.raises(DecompressError, match="more than 100,000 files"):
        read(with_directory(b"\3\0", b"", files=100_001))


@pytest.mark.parametrize("form", ["gzip", "bzip2", "xz", "zstd"])
def test_a_bomb_is_stopped_at_the_ratio_and_before_that_at_the_size(form: str) -> None:
    data = zstandard.compress(BOMB) if form == "zstd" else STREAMS[form][0](BOMB)
    dense = Limits(ratio=100)
    content, error = until_error_of(DecompressError, cut(data * 15, [1000]), "", dense)
    assert 127 << 20 < len(content) <= 128 << 20
    assert "more than 100 times" in error
    assert "--max-ratio" in error
    small = Limits(size=20 << 20, ratio=100)
    content, error = until_error_of(DecompressError, cut(data * 3, [1000]), "", small)
    assert 19 << 20 < len(content) <= 20 << 20
    assert "beyond 20,971,520 bytes, at byte " in error
    assert "--max-object-size" in error
    assert len(read(data * 2, limits=small)[0]) == 20 << 20


def test_a_zip_beyond_the_limit_of_the_disk_is_refused() -> None:
    with pytest.raises(DecompressError, match="more than 1,000 bytes"):
        read(zipped(os.urandom(1000)), limits=Limits(spooled=1000))


MEMORY = """
import sys
import psutil
from awsflow.decode.compression import members
data = sys.stdin.buffer.read()
memory = psutil.Process().memory_info
before = memory().rss
size = most = 0
for file in members(iter([data])):
    for number, piece in enumerate(file):
        size += len(piece)
        if number % 16 == 0:
            most = max(most, memory().rss)
print(size, most - before)
"""  # not ru_maxrss, which begins with what the parent of a process has used


@pytest.mark.parametrize("form", ["gzip", "zip", "bzip2", "xz", "zstd"])
def test_memory_is_bounded_whatever_a_few_bytes_grow_to(form: str) -> None:
    content = bytes((300 if form in ("gzip", "zip") else 100) << 20)
    forms: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zip": zipped, "bzip2": bz2.compress}
    compress = {**forms, "xz": lzma.compress, "zstd": zstandard.compress}[form]
    command = [sys.executable, "-c", MEMORY]
    out = subprocess.run(command, input=compress(content), capture_output=True, check=True, cwd=ROOT).stdout
    size, growth = map(int, out.split())
    assert size == len(content)
    assert growth < 40 << 20


def test_a_large_zip_lies_on_disk_without_a_name_and_is_gone_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = os.urandom(6 << 20)
    data = zipped(content)
    for file in members(cut(data, [1 << 18])):
        assert b"".join(file) == content
        assert [name for name in open_files() if name.startswith(str(tmp_path)) and name.endswith("(deleted)")]
        assert list(tmp_path.iterdir()) == []
    assert not [name for name in open_files() if name.startswith(str(tmp_path))]


def open_files() -> list[str]:
    """Where this process's file descriptors lead to."""
    descriptors = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [os.readlink(descriptor) for descriptor in descriptors if os.path.islink(descriptor)]


@pytest.mark.parametrize(("library", "form"), [("zstandard", "zstd"), ("cramjam", "java")])
def test_a_missing_library_says_what_to_install_and_is_missed_only_where_it_is_needed(library: str, form: str) -> None:
    code = f"""
import gzip, sys
sys.modules[{library!r}] = None
from awsflow.decode.compression import members
from awsflow.errors import LibraryMissing
assert [b"".join(file) for file in members(iter([gzip.compress(b"x")]))] == [b"x"]
try:
    for file in members(iter([{STREAMS[form][0](b"content")!r}])):
        list(file)
except LibraryMissing as error:
    print(error.exit_code, error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.startswith("10 decompressing")
    assert f"{library} is missing; pip install 'awsflow[codecs]'" in out


def test_without_zlib_ng_the_standard_library_does_it() -> None:
    code = """
import gzip, sys
sys.modules["zlib_ng"] = None
from awsflow.decode import compression, deflate
print([b"".join(file) for file in compression.members(iter([gzip.compress(b"content"), b"more"[:0]]))])
assert deflate.zlib.__name__ == "zlib"
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out == "[b'content']\n"
