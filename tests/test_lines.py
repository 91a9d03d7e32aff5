"""Lines out of chunks: the same ones wherever the chunks end."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.decode.lines import BLOCK, LIMIT, blocks, lines
from awsflow.errors import DecodeError

Read = Callable[[Iterator[bytes], int], Iterator[Sequence[bytes]]]
"""Reads chunks, up to a limit of bytes for a line."""
either = pytest.mark.parametrize("read", [lines, blocks])
TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\xef\xbb\xbf", b"\xff", b'"'])).map(b"".join)


def cut(data: bytes, ends: list[int]) -> Iterator[bytes]:
    """The data in chunks that end at these places; empty ones too."""
    at = 0
    for end in sorted(end % (len(data) + 1) for end in ends):
        yield data[at:end]
        at = end
    yield data[at:]


def plainly(data: bytes) -> list[bytes]:
    """The lines of a whole content."""
    whole = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if data.endswith(b"\n") or not data:
        del whole[-1:]
    return [line.removesuffix(b"\r") for line in whole]


@either
@given(data=TEXT, ends=st.lists(st.integers(0, 50)))
def test_the_lines_are_the_same_wherever_the_chunks_end(read: Read, data: bytes, ends: list[int]) -> None:
    assert [line for some in read(cut(data, ends), LIMIT) for line in some] == plainly(data)


@given(data=TEXT, ends=st.lists(st.integers(0, 50)))
def test_every_chunk_is_answered_even_an_empty_one(data: bytes, ends: list[int]) -> None:
    chunks = cut(data, ends)
    taken = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for chunk in chunks:
            taken += 1
            yield chunk

    answered = 0
    for answered, _ in enumerate(lines(counted()), 1):
        assert answered in {taken, taken + 1}
    assert answered >= taken


def test_a_chunk_without_a_line_break_completes_no_line() -> None:
    assert list(lines(iter([b"a", b"", b"b\nc\nd", b"\n"]))) == [[], [], [b"ab", b"c"], [b"d"]]


def test_crlf_may_be_cut_in_two() -> None:
    assert list(lines(iter([b"a\r", b"\nb\r\n", b"c\r"]))) == [[], [b"a", b"b"], [], [b"c"]]


def test_a_byte_order_mark_is_left_off_at_the_beginning_alone() -> None:
    mark = b"\xef\xbb\xbf"
    assert list(lines(iter([mark[:1], mark[1:] + b"a\n", mark + b"b\n"]))) == [[], [b"a"], [mark + b"b"]]


def test_the_last_line_may_lack_its_line_break() -> None:
    assert list(lines(iter([b"a\nb"]))) == [[b"a"], [b"b"]]
    assert list(lines(iter([b"a\nb\n"]))) == [[b"a", b"b"]]


@either
@pytest.mark.parametrize(("end", "offset"), [(b"\n", 8), (b"\r\n", 9)])
@given(ends=st.lists(st.integers(0, 50)))
def test_a_line_over_the_limit_ends_the_reading_behind_the_lines_before_it(
    read: Read, end: bytes, offset: int, ends: list[int]
) -> None:
    taken: list[bytes] = []

    def take() -> None:
        for some in read(cut(b"a" + end + b"12345\n123456\nb\n", ends), 5):
            taken.extend(some)

    with pytest.raises(DecodeError, match=f"byte {offset} is longer than the limit of 5 bytes") as caught:
        take()
    assert taken == [b"a", b"12345"]
    assert caught.value.offset == offset


def test_a_line_that_does_not_end_is_not_held_beyond_the_limit() -> None:
    asked = 0

    def without_a_break() -> Iterator[bytes]:
        nonlocal asked
        for asked in range(1, 1001):  # noqa: B007 - it is looked at below
            yield b"x" * 10

    with pytest.raises(DecodeError):
        list(lines(without_a_break(), limit=95))
    assert asked == 10


@given(ends=st.lists(st.integers(0, 20_000)))
def test_blocks_are_full_until_the_end(ends: list[int]) -> None:
    data = b"some line\n" * (3 * BLOCK + 7)
    got = [block for block in blocks(cut(data, ends)) if block]
    assert [len(block) for block in got] == [BLOCK, BLOCK, BLOCK, 7]
    assert [line for block in got for line in block] == data.split(b"\n")[:-1]


LENGTHS = st.lists(st.sampled_from([0, 1, 1, 1, 2, 7, 300]), max_size=12)
"""Of lines: each of a hundred."""


@given(lengths=LENGTHS, ends=st.lists(st.integers(0, 100_000), max_size=5), last=st.sampled_from([b"", b"x", b"x\n"]))
def test_blocks_are_full_whatever_the_lengths_of_short_lines(lengths: list[int], ends: list[int], last: bytes) -> None:
    data = b"".join((b"." * length + b"\n") * 100 for length in lengths) + last
    got = [block for block in blocks(cut(data, ends)) if block]
    assert [line for block in got for line in block] == plainly(data)
    assert {len(block) for block in got[:-1]} <= {BLOCK}
    for block in got:
        alone = list(block)
        assert (len(block), block[0], block[-1], block[1:3]) == (len(alone), alone[0], alone[-1], alone[1:3])


def test_long_lines_are_not_held_until_there_is_a_block_of_them() -> None:
    line = b"x" * 100_000 + b"\n"
    got = blocks(iter([line] * 7))
    assert [len(block) for block in got] == [0, 0, 3, 0, 0, 3, 0, 1]


def test_lines_that_are_held_come_before_an_error() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a\nb\nc"
        raise DecodeError("cut short")

    taken: list[list[bytes]] = []
    with pytest.raises(DecodeError, match="cut short"):
        taken.extend(map(list, blocks(broken())))
    assert taken == [[], [b"a", b"b"]]
