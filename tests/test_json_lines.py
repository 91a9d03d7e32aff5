"""JSON lines, compared with the standard library's parser, line by line, at any size of chunks."""

import json
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.json_lines import json_lines
from awsflow.errors import DecodeError
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Event, Unreadable

texts = st.text(max_size=6) | st.sampled_from(["},{", '"},{"a":', "\\", "\u2028\u0085\n\r\x0b\x0c", "é😀", "\ud800"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
sizes = st.lists(st.integers(0, 60), max_size=30)
"""Of chunks; the rest of a text is the last one."""
line_breaks = st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\r\n"])
junk = st.text(alphabet='{}[]",:\\01ae \t-é\x00\x1e', max_size=20) | st.sampled_from(
    ["{", "}", '{"a":', '{"a":[{}', "{}]},{}", '{"a":1,', "{},{}", "[{}]", "{}{}", '{"a":"', "null", "7", "NaN", '"{}"']
)


def compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace").decode()


def cut(text: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length
    yield text[start:]


def read(text: bytes, lengths: Iterable[int] = (), limit: int = 64 << 20) -> list[Event | Unreadable]:
    pulled = blocks = 0

    def counted() -> Iterator[bytes]:
        nonlocal pulled
        for chunk in cut(text, lengths):
            assert blocks >= pulled, "every chunk yields a block before the next one is asked for"
            pulled += 1
            yield chunk

    events: list[Event | Unreadable] = []
    for block in json_lines(counted(), limit):
        assert len(block) <= 100
        blocks += 1
        events += block
    assert blocks >= pulled
    return events


def shown(events: Sequence[Any]) -> str:
    """Text to compare: NaN equals NaN here."""
    return json.dumps(events, default=repr)


def theirs(text: bytes) -> list[Any]:
    """What the standard library finds in each line: objects, or the content of a line that is none."""
    found: list[Any] = []
    for line in text.split(b"\n"):
        if line.strip(b" \t\r"):
            try:
                value = json.loads(line.decode())
            except ValueError:
                value = None
            found.append(value if isinstance(value, dict) else line.removesuffix(b"\r"))
    return found


def without_reasons(events: Block) -> list[Any]:
    return [event.content if isinstance(event, Unreadable) else event for event in events]


@settings(deadline=None)
@given(st.lists(st.tuples(objects, line_breaks), max_size=12), sizes, st.booleans(), st.booleans())
def test_objects_on_lines_are_read_as_they_were_written(
    some: list[tuple[dict[str, Any], str]], lengths: list[int], mark: bool, last_break: bool
) -> None:
    text = "".join(f"{compact(value)}{line_break}" for value, line_break in some)
    text = text if last_break else text.rstrip()
    events = read(("\ufeff" * mark + text).encode(), lengths)
    assert shown(events) == shown([value for value, _ in some])


@settings(max_examples=200, deadline=None)
@given(st.lists(objects.map(compact) | junk, max_size=12), line_breaks, sizes)
def test_a_line_is_an_event_if_it_is_an_object_by_itself_and_unreadable_if_it_is_not(
    lines: list[str], line_break: str, lengths: list[int]
) -> None:
    text = line_break.join(lines).encode()
    assert shown(without_reasons(read(text, lengths))) == shown(theirs(text))


@given(st.integers(0, 250), st.integers(1, 250), junk.filter(lambda line: line.strip(" \t")), st.integers(1, 9_000))
def test_a_bad_line_anywhere_spoils_no_other(before: int, behind: int, bad: str, size: int) -> None:
    good = b'{"version":"0","detail":{"type":"x"}}\n'
    text = good * before + bad.encode() + b"\n" + good * behind
    events = read(text, [size] * (len(text) // size))
    event = {"version": "0", "detail": {"type": "x"}}
    assert without_reasons(events) == [event] * before + theirs(bad.encode()) + [event] * behind


def test_lines_that_make_an_array_only_together_are_all_unreadable() -> None:
    lines = [b'{"a":1', b'"b":2}', b'{"a":[{}', b"{}]},{}", b'{"c":"', b'"}']
    assert without_reasons(read(b"\n".join(lines))) == lines


def test_an_unreadable_line_tells_its_number_and_the_byte_where_it_stops_being_json() -> None:
    text = b'\xef\xbb\xbf{"a":1}\r\n\r\n{"a":tru}\r\n{"a":"\xe9"}\n[1]\n{"a":2} x'
    for size in (1, 5, 100):
        assert read(text, [size] * (len(text) // size)) == [
            {"a": 1},
            Unreadable("line 3: not JSON: Expecting value at byte 19", b'{"a":tru}'),
            Unreadable("line 4: not JSON: invalid UTF-8 (invalid continuation byte) at byte 31", b'{"a":"\xe9"}'),
            Unreadable("line 5: no JSON object at byte 35", b"[1]"),
            Unreadable("line 6: not JSON: Extra data at byte 47", b'{"a":2} x'),
        ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1", "cp037"])
def test_lines_in_another_encoding_are_unreadable_and_not_lost(encoding: str) -> None:
    text = '{"a":"é"}\n{"a":"ü"}\n'.encode(encoding)
    events = read(text)
    assert events
    assert all(isinstance(event, Unreadable) for event in events)
    assert b"\n".join(without_reasons(events)).replace(b"\n", b"") in text.replace(b"\n", b"")


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":NaN,"b":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":12345678901234567890123}',
        b'{"a":-9223372036854775809}',
        b'{"a":1e400,"b":0.12345678901234567890}',
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=lambda line: repr(line[:20]),
)
def test_what_orjson_refuses_or_changes_arrives_as_it_was_written_and_so_do_its_neighbours(line: bytes) -> None:
    plain = b'{"eventVersion":"1.09","n":1}'
    lines = [plain] * 50 + [line] + [plain] * 150
    for size in (13, 1_000, 1 << 20):
        text = b"\n".join(lines)
        events = read(text, [size] * (len(text) // size))
        assert [json_bytes(event) for event in events] == lines


@pytest.mark.parametrize("text", [b"", b"\n", b"\r\n \t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"])
def test_a_text_without_lines_has_no_events(text: bytes) -> None:
    assert read(text) == read(text, [1] * 10) == []


@settings(deadline=None)
@given(st.lists(objects, min_size=1, max_size=6), st.integers(2, 60), sizes)
def test_a_line_over_the_limit_is_an_error_at_its_place_and_the_lines_before_it_arrive(
    some: list[dict[str, Any]], limit: int, lengths: list[int]
) -> None:
    lines = [compact(value).encode() for value in some]
    long = next((number for number, line in enumerate(lines) if len(line) > limit), None)
    text = b"\n".join(lines)
    if long is None:
        assert shown(read(text, lengths, limit)) == shown(some)
        return
    blocks = json_lines(cut(text, lengths), limit)
    events: Block = []
    with pytest.raises(DecodeError, match=f"^line {long + 1}, .* limit of {limit} bytes") as refused:
        events.extend(event for block in blocks for event in block)
    assert refused.value.offset == sum(len(line) + 1 for line in lines[:long])
    assert shown(events) == shown(some[:long])


def test_memory_stays_within_the_limit_where_no_line_ends() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(
            DecodeError, match="line 2, which begins at byte 3, is larger than the limit of 1000000 bytes"
        ):
            list(json_lines(iter([b"{}\n", *[b"x" * 100_000] * 1_000]), limit=1_000_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_time_that_passes_and_chunks_that_complete_nothing_give_empty_blocks() -> None:
    chunks = [b"", b'{"a"', b"", b":1", b"}", b"\n", b"", b'{"a":2}', b""]
    assert list(json_lines(iter(chunks))) == [[], [], [], [], [], [{"a": 1}], [], [], [], [{"a": 2}]]


def test_memory_stays_small_in_a_text_of_200_megabytes() -> None:
    line = compact({"eventVersion": "1.09", "parameters": {"text": "},{" * 6_600}}).encode() + b"\n"
    chunk = line * 6 + line[:777]
    behind = line[777:] + line * 6
    tracemalloc.start()
    try:
        count = sum(map(len, json_lines(chunk if number % 2 else behind for number in range(1, 1_602))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 801 * 7 + 800 * 6
    assert len(line) * count > 200_000_000
    assert peak < 3_000_000


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"' + b"x" * 3_000_000 + b'"}',
        b"{\n" * 50_000,
        b"\n" * 1_000_000,
        b'{"a":NaN}\n' * 50_000,
        b"7\n" * 100_000,
    ],
    ids=lambda text: repr(text[:10]),
)
@pytest.mark.parametrize("size", [100, 1 << 20])
def test_time_is_linear(text: bytes, size: int) -> None:
    started = time.process_time()
    read(text, [size] * (len(text) // size))
    assert time.process_time() - started < 10  # a tenth of that, at most; quadratic would be minutes
