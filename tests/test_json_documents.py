"""`{"Records": [...]}`, record by record, compared with the standard library's parser at any size of chunks."""

import json
import re
import sys
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.json_documents import array_in_document
from awsflow.errors import DecodeError
from awsflow.exactjson import json_bytes
from awsflow.items import Block, Event, Unreadable

awkward = st.sampled_from(
    ["},{", '"},{"a":', "]}", "[{", "\\", '\\"', "\u2028\n\t\x01", "é", "😀", "\ud800", "Records", "x" * 700]
)
texts = st.text(max_size=6) | awkward
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
records = st.dictionaries(texts, values, max_size=3)
sizes = st.lists(st.integers(0, 40), max_size=30)
"""Of chunks; the rest of a text is the last one."""


class Pairs(list[tuple[str, Any]]):
    """An object of the standard library's parser, with members of the same name."""


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Documents with an array of records, or several, or none, in any white space."""
    members = draw(st.lists(st.tuples(texts.filter(lambda name: name != "Records"), values), max_size=2))
    for _ in range(draw(st.sampled_from([1, 1, 1, 0, 2]))):
        array = draw(st.none() | st.lists(records, max_size=8) | st.lists(records | values, max_size=3))
        members.insert(draw(st.integers(0, len(members))), ("Records", array))
    blank = draw(st.sampled_from(["", " ", "\n", "\r\n\t "]))
    style: dict[str, Any] = {
        "ensure_ascii": draw(st.booleans()),
        "indent": draw(st.sampled_from([None, 0, 2])),
        "separators": (f"{blank},{blank}", f"{blank}:{blank}"),
    }
    inside = style["separators"][0].join(
        json.dumps(name, ensure_ascii=style["ensure_ascii"]) + style["separators"][1] + json.dumps(value, **style)
        for name, value in members
    )
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    document = f"{mark}{blank}{{{blank}{inside}{blank}}}{blank}"
    return document.encode(errors="backslashreplace").decode()


def cut(text: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for length in lengths:
        yield text[start : start + length]
        start += length
    yield text[start:]


def read(text: bytes, lengths: Iterable[int] = (), limit: int = 64 << 20) -> tuple[list[Event | Unreadable], str, int]:
    """The events, and what the error says and where it is, if there is one."""
    pulled = blocks = 0

    def counted() -> Iterator[bytes]:
        nonlocal pulled
        for chunk in cut(text, lengths):
            assert blocks >= pulled, "every chunk yields a block before the next one is asked for"
            pulled += 1
            yield chunk

    events: list[Event | Unreadable] = []
    try:
        for block in array_in_document(counted(), "Records", limit):
            assert len(block) <= 100
            blocks += 1
            events += block
    except DecodeError as error:
        return events, str(error), -1 if error.offset is None else error.offset
    assert blocks >= pulled
    return events, "", -1


def theirs(text: str) -> tuple[list[Any] | None, int]:
    """What the standard library finds in a document: the records (None: it finds no array), or where it stops."""
    try:
        top = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=Pairs)
    except json.JSONDecodeError as error:
        string = text.removeprefix("\ufeff")[: error.pos]
        return None, len(string.encode()) + 3 * text.startswith("\ufeff")
    if top.__class__ is not Pairs:
        return None, -1
    found: list[Any] = []
    for name, value in top:
        if name == "Records" and value is not None:
            if value.__class__ is not list:
                return None, -1
            found += value
    return [plain(value) for value in found], -1


def plain(value: Any) -> Any:
    if value.__class__ is Pairs:
        return {name: plain(member) for name, member in value}
    return [plain(member) for member in value] if isinstance(value, list) else value


def same(events: Block, expected: Iterable[Any]) -> bool:
    """Tell whether these are the records; NaN equals NaN here."""
    for event, value in zip(events, expected, strict=True):
        if isinstance(event, Unreadable):
            if isinstance(value, dict) or json.dumps(plain(json.loads(event.content))) != json.dumps(value):
                return False
        elif json.dumps(event) != json.dumps(value):
            return False
    return True


@settings(max_examples=100, deadline=None)
@given(documents(), sizes)
def test_any_document_in_chunks_of_any_size_gives_the_records_that_the_standard_library_finds(
    document: str, lengths: list[int]
) -> None:
    expected, stopped = theirs(document)
    events, error, _ = read(document.encode(), lengths)
    assert (error, stopped) == ("", -1)
    assert expected is not None
    assert same(events, expected)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_chunks_of_one_byte_cut_everything_that_can_be_cut(document: str) -> None:
    expected, _ = theirs(document)
    events, error, _ = read(document.encode(), [1] * len(document.encode()))
    assert error == ""
    assert expected is not None
    assert same(events, expected)


@settings(max_examples=30, deadline=None)
@given(st.lists(records, min_size=1, max_size=40), st.integers(0, 300), sizes)
def test_many_records_that_begin_alike_are_read_exactly(
    some: list[dict[str, Any]], count: int, lengths: list[int]
) -> None:
    alike: list[dict[str, Any]] = [{"eventVersion": "1.09", **record} for record in some] * (1 + count // len(some))
    text = json_text({"Records": alike, "next": None})
    events, error, _ = read(text, [*lengths, 5_000])
    assert error == ""
    assert same(events, alike)


def json_text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="backslashreplace")


@pytest.mark.parametrize(
    "record",
    [
        b'{"a":NaN,"b":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":12345678901234567890123}',
        b'{"a":-9223372036854775809}',
        b'{"a":1e400,"b":0.12345678901234567890}',
        b'{"a":' + b"[" * 1_100 + b"]" * 1_100 + b"}",
        b'{"a":' + b'{"b":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
    ],
    ids=lambda record: repr(record[:20]),
)
@pytest.mark.parametrize("size", [7, 1_000, 1 << 20])
def test_what_orjson_refuses_or_changes_arrives_as_it_was_written_and_so_do_its_neighbours(
    record: bytes, size: int
) -> None:
    plain_record = b'{"eventVersion":"1.09","n":1}'
    around = b",".join([plain_record] * 50)
    text = b'{"Records":[%b,%b,%b]}' % (around, record, around)
    events, error, _ = read(text, [size] * (len(text) // size))
    assert error == ""
    assert [json_bytes(event) for event in events] == [plain_record] * 50 + [record] + [plain_record] * 50


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**22 + 1, -(10**30) - 1, 10**45 + 1])
def test_a_number_cut_by_the_end_of_a_chunk_keeps_its_digits(number: int) -> None:
    text = b'{"Records":[{"a":1},{"a":1},{"a":%d},{"a":1},{"a":1}]}' % number
    for place in range(len(text)):
        events, _, _ = read(text, [place])
        assert events == [{"a": 1}, {"a": 1}, {"a": number}, {"a": 1}, {"a": 1}]


def test_no_text_is_given_to_orjson_more_than_twice() -> None:
    text = b'{"Records":[' + (b'{"a":1},' * 3_000 + b'{"a":NaN},') * 5 + b"{}]}"
    called = 0

    def count(frame: FrameType, event: str, function: Any) -> None:
        nonlocal called
        called += event == "c_call" and function is orjson.loads

    sys.setprofile(count)
    try:
        events, _, _ = read(text)
    finally:
        sys.setprofile(None)
    assert called < 1.1 * len(events)


EVENTS: list[dict[str, Any]] = [
    {"é": '😀\\"},{', "a": [1, -2.5e10, True, None]},
    {"a": {"b": [{"c": 1}, {"c": 2}]}},
    {},
    {"eventVersion": "1.09", "n": 10**30},
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("escape", [True, False])
@pytest.mark.parametrize("size", [1 << 20, 3])
def test_a_document_that_ends_too_early_gives_the_whole_records_and_the_byte_where_it_stops_being_json(
    indent: int | None, escape: bool, size: int
) -> None:
    document = {"before": {"a": [[], {}, "x"]}, "Records": EVENTS, "after": [1, {"b": None}], "more": -1.5}
    text = json.dumps(document, indent=indent, ensure_ascii=escape)
    ends: list[int] = []
    at = text.index('"Records"') + len('"Records": [')
    for _ in EVENTS:
        at = text.index("{", at)
        at = json.JSONDecoder().raw_decode(text, at)[1]
        ends.append(at)
    for length in range(1, len(text)):
        events, error, offset = read(text[:length].encode(), [size] * len(text))
        assert same(events, EVENTS[: sum(end <= length for end in ends)])
        assert error
        assert offset == theirs(text[:length])[1], error


def test_a_document_cut_inside_a_character_stops_there() -> None:
    text = '{"Records":[{"a":1},{"a":"😀"}]}'.encode()
    for length in range(27, 30):
        events, error, offset = read(text[:length])
        assert (events, offset) == ([{"a": 1}], 26)
        assert "invalid UTF-8" in error


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, int]:
    """A document, changed from some place on, for some characters."""
    document = draw(documents())
    place = draw(st.integers(0, len(document)))
    put = draw(st.text(alphabet='{}[]",:\\01e-. \n\x01tNé', max_size=3))
    return document[:place] + put + document[place + draw(st.integers(0, 3)) :], place


@settings(max_examples=200, deadline=None)
@given(damaged(), sizes)
def test_a_damaged_document_gives_what_comes_before_the_damage_and_the_byte_where_it_stops_being_json(
    changed: tuple[str, int], lengths: list[int]
) -> None:
    document, place = changed
    expected, stopped = theirs(document)
    events, error, offset = read(document.encode(), lengths)
    before, _, _ = read(document[:place].encode())
    assert json.dumps(events[: len(before)], default=repr) == json.dumps(before, default=repr)
    if stopped < 0 and expected is not None:
        assert error == ""
        assert same(events, expected)
    elif document.strip(" \t\r\n") in ("", "\ufeff"):
        assert (events, error) == ([], "")
    else:
        assert error.startswith("not a JSON document: ")
        assert offset == stopped or re.search(r"('\{'|an array in 'Records') was expected", error)
    events_of_bytes, _, offset_of_bytes = read(document.encode(), [1] * len(document.encode()))
    assert offset_of_bytes == offset
    assert json.dumps(events_of_bytes, default=repr) == json.dumps(events, default=repr)


def test_records_before_the_damage_have_arrived() -> None:
    good = [{"eventVersion": "1.09", "n": number} for number in range(300)]
    text = json_text({"Records": good})
    for number in (0, 1, 2, 99, 100, 150, 299):
        place = text.index(b'"n":%d}' % number)
        for size in (100, 5_000, 1 << 20):
            events, error, offset = read(text[:place] + b"oops" + text[place:], [size] * (len(text) // size))
            assert events == good[:number]
            assert offset == place
            assert f"at byte {place}" in error


@pytest.mark.parametrize(
    ("document", "complaint", "offset"),
    [
        (b"[1]", "'{' was expected at byte 0", 0),
        (b"null", "'{' was expected at byte 0", 0),
        (b'{"Records":{}}', "an array in 'Records' was expected at byte 11", 11),
        (b'{"Records":1}', "an array in 'Records' was expected at byte 11", 11),
        (b'{"Records":[]} x', "the end was expected at byte 15", 15),
        (b'{"Records":[{}]}{"Records":[{}]}', "the end was expected at byte 16", 16),
        (b'{"Records":[{} {}]}', "',' or ']' was expected at byte 15", 15),
        (b'{"Records":[{"a":tru}]}', "Expecting value at byte 17", 17),
        (b'{"Records":[{}', "it ends at byte 14, ',' or ']' was expected", 14),
        (b'{"Records":[{"a":1', "it ends inside the value that begins at byte 12", 18),
        (b'{"a":[{"b":]}', "Expecting value at byte 11", 11),
        (b'{"Records":n}', "Expecting value at byte 11", 11),
    ],
)
def test_an_error_says_what_was_expected_and_where(document: bytes, complaint: str, offset: int) -> None:
    for lengths in ((), [1] * 40):
        _, error, place = read(document, lengths)
        assert complaint in error
        assert place == offset


@pytest.mark.parametrize(
    "document", [b"", b" \n", b"\xef\xbb\xbf", b"{}", b'{"a":[{"Records":[{"b":1}]}]}', b'{"Records":null}']
)
def test_a_document_without_the_array_has_no_records(document: bytes) -> None:
    assert read(document) == read(document, [1] * 40) == ([], "", -1)


def test_records_of_both_arrays_of_that_name_arrive() -> None:
    assert read(b'{"Records":[{"a":1}],"b":[],"Rec\\u006frds":[{"a":2}]}') == ([{"a": 1}, {"a": 2}], "", -1)


def test_an_element_that_is_no_object_is_unreadable_and_the_others_arrive() -> None:
    events, error, _ = read(b'{"Records":[{"a":1},[2],{"a":3},null,"x",4.50]}')
    assert error == ""
    assert [event.content if isinstance(event, Unreadable) else event for event in events] == [
        {"a": 1},
        b"[2]",
        {"a": 3},
        b"null",
        b'"x"',
        b"4.50",
    ]


@settings(deadline=None)
@given(st.lists(records, min_size=1, max_size=6), st.integers(1, 60), sizes)
def test_a_record_over_the_limit_is_an_error_at_its_place_and_those_before_it_arrive(
    some: list[dict[str, Any]], limit: int, lengths: list[int]
) -> None:
    text = json_text({"Records": some})
    expected: list[dict[str, Any]] = []
    place = -1
    at = len(b'{"Records":[')
    for record in some:
        size = len(json_text(record))
        if size > limit:
            place = at
            break
        expected.append(record)
        at += size + 1
    events, error, offset = read(text, lengths, max(limit, len(b'"Records"')))
    if limit >= len(b'"Records"'):
        assert same(events, expected)
        assert offset == place
        assert (f"limit of {limit} bytes" in error) == (place >= 0)


@settings(deadline=None)
@given(documents(), sizes, st.integers(1, 200))
def test_whether_the_limit_is_reached_does_not_depend_on_the_chunks(
    document: str, lengths: list[int], limit: int
) -> None:
    whole = read(document.encode(), (), limit)
    assert json.dumps(read(document.encode(), lengths, limit), default=repr) == json.dumps(whole, default=repr)


def test_what_does_not_belong_to_the_array_has_no_limit_but_for_each_scalar() -> None:
    other = b'{"a":[%b],"Records":[{"b":1}],"c":{"d":{"e":[[[%b]]]}}}' % (
        b",".join([b'{"x":[1]}'] * 90),
        b"1," * 90 + b"2",
    )
    for size in (1, 50, 10_000):
        assert read(other, [size] * (len(other) // size), limit=20) == ([{"b": 1}], "", -1)
    events, error, offset = read(b'{"a":"%b","Records":[]}' % (b"x" * 30), (), limit=20)
    assert (events, offset) == ([], 5)
    assert "limit of 20 bytes" in error


def test_time_that_passes_and_chunks_that_complete_nothing_give_empty_blocks() -> None:
    chunks = [b"", b'{"Rec', b"", b'ords":[{"a":', b"", b"1}", b",", b"", b'{"a":2}]}', b"", b" "]
    blocks = list(array_in_document(iter(chunks), "Records"))
    assert len(blocks) >= len(chunks)
    assert [block for block in blocks if block] == [[{"a": 1}], [{"a": 2}]]


def test_what_was_read_arrives_before_the_next_chunk_is_asked_for() -> None:
    def breaking_off() -> Iterator[bytes]:
        yield b'{"Records":[{"a":1},{"a":2},{"a"'
        raise ConnectionError

    blocks = array_in_document(breaking_off(), "Records")
    assert next(blocks) == [{"a": 1}, {"a": 2}]
    with pytest.raises(ConnectionError):
        next(blocks)


def document_of(record: bytes, count: int, chunk: int) -> Iterator[bytes]:
    """A document of so many times this record."""
    waiting = bytearray(b'{"first":[1,2,3],"Records":[')
    for number in range(count):
        waiting += b"," + record if number else record
        while len(waiting) >= chunk:
            yield bytes(waiting[:chunk])
            del waiting[:chunk]
    yield bytes(waiting) + b'],"last":{}}'


def test_memory_stays_small_in_a_document_of_200_megabytes() -> None:
    record = json_text({"eventVersion": "1.09", "parameters": {"text": "},{" * 6_600}})
    tracemalloc.start()
    try:
        count = sum(map(len, array_in_document(document_of(record, 10_000, 1 << 17), "Records")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert len(record) * count > 198_000_000
    assert peak < 3_000_000


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (b'{"Records":[{"a":"' + b'\\"x' * 1_000_000 + b'"}]}', 1_000),
        (b'{"Records":[{"a":[' + b"1," * 1_000_000 + b"1]}]}", 1_000),
        (b'{"Records":[{"a":' + b'{"b":' * 50_000 + b"1" + b"}" * 50_000 + b"}]}", 100),
        (b'{"Records":[' + b"{}," * 100_000 + b"{}]}", 1 << 20),
        (b'{"Records":[' + b'{"a":1},{"b":NaN},' * 20_000 + b'{"a":1}]}', 1 << 20),
        (b'{"Records":[' + b" " * 2_000_000 + b"{}]}", 100),
        (b'{"Records":[' + b'{"a":"},{"},' * 30_000 + b'{"a":1}]}', 1 << 20),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b',"Records":[]}', 100_000),
        (b'{"a":[' + b'{"b":[1,{}]},' * 20_000 + b'0],"Records":[]}', 100_000),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
def test_time_is_linear(text: bytes, size: int) -> None:
    started = time.process_time()
    _, error, _ = read(text, [size] * (len(text) // size))
    assert error == ""
    assert time.process_time() - started < 10  # a tenth of that, at most; quadratic would be minutes
