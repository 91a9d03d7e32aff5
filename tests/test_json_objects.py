"""JSON objects however they are set apart, compared with the standard library's parser at any size of chunks."""

import json
import re
import sys
import time
import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from awsflow.decode.json_objects import json_objects
from awsflow.errors import DecodeError
from awsflow.exactjson import json_bytes, loses_digits
from awsflow.items import Block, Event, Unreadable

texts = st.text(max_size=6) | st.sampled_from(
    ["},{", "}{", '}{"', '"},{"a":', "]}", '"}{"a":', "\\", '\\"', "\u2028\n\r\t", "é😀", "\ud800", ":007,-00.1"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=3)
sizes = st.lists(st.integers(0, 60), max_size=30)
"""Of chunks; the rest of a text is the last one."""
blanks = st.sampled_from(["", "", " ", "\n", "\r\n", "\n\n\t", "\n  "])


def written(
    value: Any, indent: int | None = None, separators: tuple[str, str] = (",", ":"), escape: bool = False
) -> str:
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=escape)
    return text.encode(errors="backslashreplace").decode()


styles = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, None, 0, 2]),
        "separators": st.sampled_from([(",", ":"), (", ", ": ")]),
        "escape": st.booleans(),
    }
)
mixtures = st.lists(st.tuples(objects | st.lists(objects, max_size=5), styles, blanks), max_size=10)


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
    for block in json_objects(counted(), limit):
        assert len(block) <= 100
        blocks += 1
        events += block
    assert blocks >= pulled
    return events


def in_chunks(text: bytes, size: int, limit: int = 64 << 20) -> list[Event | Unreadable]:
    return read(text, [size] * (len(text) // size), limit)


def shown(events: Sequence[Any]) -> str:
    """Text to compare: NaN equals NaN here."""
    return json.dumps(events, default=repr)


def without_reasons(events: Block) -> list[Any]:
    return [event.content if isinstance(event, Unreadable) else event for event in events]


@settings(max_examples=100, deadline=None)
@given(mixtures, sizes, st.booleans())
def test_any_mixture_of_objects_and_arrays_is_read_as_it_was_written(
    mixture: list[tuple[Any, dict[str, Any], str]], lengths: list[int], mark: bool
) -> None:
    text = "".join(written(value, **style) + blank for value, style, blank in mixture)
    expected = [event for value, _, _ in mixture for event in (value if isinstance(value, list) else [value])]
    assert shown(read(("\ufeff" * mark + text).encode(), lengths)) == shown(expected)


@settings(max_examples=50, deadline=None)
@given(mixtures)
def test_chunks_of_one_byte_cut_everything_that_can_be_cut(mixture: list[tuple[Any, dict[str, Any], str]]) -> None:
    text = "".join(written(value, **style) + blank for value, style, blank in mixture).encode()
    expected = [event for value, _, _ in mixture for event in (value if isinstance(value, list) else [value])]
    assert shown(in_chunks(text, 1)) == shown(expected)


@settings(max_examples=30, deadline=None)
@given(st.lists(objects, min_size=1, max_size=30), blanks, styles, st.booleans(), st.integers(1, 20_000))
def test_many_objects_in_one_manner_are_read_exactly(
    some: list[dict[str, Any]], blank: str, style: dict[str, Any], in_array: bool, size: int
) -> None:
    alike = [{"version": "0", **value} for value in some] * (1 + 200 // len(some))
    between = f"{blank},{blank}" if in_array else blank
    text = between.join(written(value, **style) for value in alike)
    text = f"[{text}]" if in_array else text
    assert shown(in_chunks(text.encode(), size)) == shown(alike)


@pytest.mark.parametrize(
    "value",
    [
        b'{"a":NaN,"b":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"a":12345678901234567890123}',
        b'{"a":-9223372036854775809}',
        b'{"a":1e400,"b":0.12345678901234567890}',
        b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=lambda value: repr(value[:20]),
)
@pytest.mark.parametrize("between", [b"", b"\n", b",\n"])
def test_what_orjson_refuses_or_changes_arrives_as_it_was_written_and_so_do_its_neighbours(
    value: bytes, between: bytes
) -> None:
    plain = b'{"eventVersion":"1.09","n":1}'
    some = [plain] * 50 + [value] + [plain] * 150
    text = between.join(some) if b"," not in between else b"[" + between.join(some) + b"]"
    for size in (13, 1_000, 1 << 20):
        assert [json_bytes(event) for event in in_chunks(text, size)] == some


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"lat":-00.12,"lon":012.3}', {"lat": -0.12, "lon": 12.3}),
        ('{"a":[007,00,-00,0.50,000.5e-07]}', {"a": [7, 0, 0, 0.5, 0.5e-7]}),
        ('{"a":":007,","b":01}', {"a": ":007,", "b": 1}),
        ('{"a":"\\\\",":007":"\\":007,","b":\n01}', {"a": "\\", ":007": '":007,', "b": 1}),
        ('{"a":00012345678901234567890123}', {"a": 12345678901234567890123}),
        ('{"a":1.007,"b":1e007,"c":10}', {"a": 1.007, "b": 1e7, "c": 10}),
    ],
)
def test_numbers_with_leading_zeros_are_the_numbers_they_look_like(text: str, expected: dict[str, Any]) -> None:
    assert read(text.encode()) == [expected]
    assert json.loads(json_bytes(read(text.encode())[0])) == expected
    assert read(f"[{text},{text}]\n{text}{text}".encode(), [7, 30, 5]) == [expected] * 4


@settings(deadline=None)
@given(st.lists(objects, max_size=4), st.integers(-(10**25), 10**25), st.integers(1, 3))
def test_leading_zeros_are_taken_from_numbers_and_never_from_text(
    some: list[dict[str, Any]], number: int, zeros: int
) -> None:
    padded = ("-" if number < 0 else "") + "0" * zeros + str(abs(number))
    text = f'{{"n":{padded},"some":{written(some)},"m":{padded}}}'
    assert shown(read(text.encode())) == shown([{"n": number, "some": some, "m": number}])


def test_leading_zeros_do_not_hide_what_else_is_wrong() -> None:
    (event,) = read(b'{"a":007,"b":oops}')
    assert event == Unreadable("line 1: not JSON: Expecting value at byte 13", b'{"a":007,"b":oops}')


bad_lines = st.text(alphabet='{}[]",:\\01ae \t-é\x00', max_size=20) | objects.map(written).flatmap(
    lambda text: st.integers(0, len(text)).map(lambda end: text[:end])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(objects, max_size=4), st.lists(objects, max_size=4), bad_lines, st.booleans(), sizes)
def test_a_bad_line_anywhere_spoils_no_other(
    before: list[dict[str, Any]], behind: list[dict[str, Any]], bad: str, indented: bool, lengths: list[int]
) -> None:
    numbered = [{**value, "number": number} for number, value in enumerate([*before, *behind])]
    lines = [written(value, indent=2 if indented else None) for value in numbered]
    lines.insert(len(before), bad)
    events = read("\n".join(lines).encode(), lengths)
    assert [json.dumps(event) for event in events if isinstance(event, dict) and "number" in event] == [
        json.dumps(value) for value in numbered
    ]


wrong_elements = st.sampled_from(
    [
        "{oops}",
        '{"a" 1}',
        '{"a":{"b":[1,]},"c":2}',
        '{"a":"\x01"}',
        "oops",
        "nul",
        "7",
        "[]",
        '[{"number":1}]',
        '"x"',
        "null",
    ]
)


@settings(deadline=None)
@given(
    st.lists(objects, max_size=4),
    st.lists(objects, max_size=4),
    wrong_elements,
    st.sampled_from([("[", ",", "]"), ("[ ", " , ", " ]"), ("[\n", ",\n", "\n]"), ("[\n  ", ",\n  ", "\n]\n")]),
    sizes,
)
def test_a_wrong_element_of_an_array_is_unreadable_and_spoils_no_other(
    before: list[dict[str, Any]],
    behind: list[dict[str, Any]],
    wrong: str,
    manner: tuple[str, str, str],
    lengths: list[int],
) -> None:
    opening, between, closing = manner
    elements = [*map(written, before), wrong, *map(written, behind)]
    text = f"{opening}{between.join(elements)}{closing}{{}}"
    events = without_reasons(read(text.encode(), lengths))
    assert shown(events) == shown([*before, wrong.encode(), *behind, {}])


@settings(deadline=None)
@given(
    st.lists(objects, max_size=4),
    st.lists(objects, min_size=1, max_size=4),
    objects.map(written).flatmap(lambda text: st.integers(1, len(text) - 1).map(lambda end: text[:end])),
    st.sampled_from([0, None, 2]),
    sizes,
)
def test_an_element_that_has_lost_its_end_spoils_no_other_where_each_begins_a_line(
    before: list[dict[str, Any]], behind: list[dict[str, Any]], torn: str, indent: int | None, lengths: list[int]
) -> None:
    numbered = [{"number": number, **value} for number, value in enumerate([*before, *behind])]
    margin = " " * (indent or 0)
    lines = [written(value, indent).replace("\n", f"\n{margin}") for value in numbered]
    lines.insert(len(before), torn)
    text = "[\n" + ",\n".join(f"{margin}{line}" for line in lines) + "\n]"
    events = read(text.encode(), lengths)
    assert [json.dumps(event) for event in events if isinstance(event, dict) and "number" in event] == [
        json.dumps(value) for value in numbered
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # its brackets say where it ends
        (b'{"a":1}{"b":oops}{"c":3}', [{"a": 1}, b'{"b":oops}', {"c": 3}]),
        (b'{"a":oops,"b":[{"c":1}]} [{"d":1}]', [b'{"a":oops,"b":[{"c":1}]}', {"d": 1}]),
        (
            b'{\n  "a": oops,\n  "b": {\n    "c": 1\n  }\n}\n{\n  "d": 1\n}\n',
            [b'{\n  "a": oops,\n  "b": {\n    "c": 1\n  }\n}', {"d": 1}],
        ),
        # they do not
        (b'{"a":1}{"b":{"c":2}{"d":4}', [{"a": 1}, b'{"b":{"c":2}', {"d": 4}]),
        (b'{"a":1}{"b":"c}{"d":4}', [{"a": 1}, b'{"b":"c}', {"d": 4}]),
        (b'{"a":"x"y","b":"}"}\n{"c":1}', [b'{"a":"x"y","b":"}"}', {"c": 1}]),
        (b'{"a":1\n{"b":2}\n', [b'{"a":1', {"b": 2}]),
        (b'{"a":\n{"b":2}\n{"c":3}\n', [b'{"a":', {"b": 2}, {"c": 3}]),
        (b'{"a":[\n{"b":2}\n', [b'{"a":[', {"b": 2}]),
        (b'{"a":1\n[{"b":2}]\n', [b'{"a":1', {"b": 2}]),
        (b'{"a":1}}{"b":2}', [{"a": 1}, b"}", {"b": 2}]),
        # text that is nothing
        (b'"x":{"y":1}}\n{"a":1}', [b'"x":{"y":1}}', {"a": 1}]),
        (b'oops\n{"a":1}\nmore oops\nstill\n{"b":2}\nend', [b"oops", {"a": 1}, b"more oops\nstill", {"b": 2}, b"end"]),
        (b'{"a":1},{"b":2}', [{"a": 1}, b",", {"b": 2}]),
        (b'{"a":oops},{"b":2}', [b'{"a":oops}', b",", {"b": 2}]),
        (b'{"a":1},\n{"b":2}\n', [{"a": 1}, b",", {"b": 2}]),
        (b'{"a":1}\x00{"b":2}\n{"c":3}', [{"a": 1}, b'\x00{"b":2}', {"c": 3}]),
        (b'null {"a":1}', [b"null", {"a": 1}]),
        (b'{"a":1}]{"b":2}', [{"a": 1}, b"]", {"b": 2}]),
        # cut short
        (b'{"a":1}{"b":', [{"a": 1}, b'{"b":']),
        (b'{"a":1}\n{"b":"x', [{"a": 1}, b'{"b":"x']),
        (b'[{"a":1},{"b":2', [{"a": 1}, b'{"b":2']),
        (b'[{"a":1},', [{"a": 1}, b""]),
        (b'[{"a":1}', [{"a": 1}, b""]),
        (b"[", [b""]),
        (b"[1", [b"1"]),
        # in arrays on one line
        (b'[{"a":1},{"a":2,{"a":3},{"a":4}]', [{"a": 1}, b'{"a":2,{"a":3},', {"a": 4}]),
        (b'[{"a":1}"b":2},{"c":3}]{"d":4}', [{"a": 1}, b'"b"', b":2", b"}", {"c": 3}, {"d": 4}]),
        (b'[{"a":1} {"b":2},,{"c":3},]', [{"a": 1}, {"b": 2}, {"c": 3}]),
        (b'[[{"a":1}],{"b":2}][{"c":3}]', [b'[{"a":1}]', {"b": 2}, {"c": 3}]),
        (
            b'[{"n":"x","of":[{"n":"y"},{"n":"z"}],"w" 1,{"n":"p"},{"n":"q"}]',
            [b'{"n":"x","of":[{"n":"y"},{"n":"z"}],"w" 1,{"n":"p"},', {"n": "q"}],
        ),
        # the end of the array is lost
        (b'[\n{"a":1},\n{"b":2\n]\n[{"c":3}]\n{"d":4}', [{"a": 1}, b'{"b":2\n]', {"c": 3}, {"d": 4}]),
    ],
)
def test_what_is_wrong_is_unreadable_in_its_place(text: bytes, expected: list[Any]) -> None:
    for size in (1, 2, 7, 1_000):
        assert without_reasons(in_chunks(text, size)) == expected


def test_an_unreadable_tells_line_and_byte() -> None:
    text = '{"é":1}\n\r\n{"a":tru}\n{\n  "a": 1,\n  "b" 2\n}\n[1,{"c":1},\n{"a":{"b":2}\n{"c":'.encode()
    for size in (1, 5, 100):
        events = in_chunks(text + b'"\xff"}\n  "x', size)
        assert [event.reason for event in events if isinstance(event, Unreadable)] == [
            "line 3: not JSON: Expecting value at byte 16",
            "line 6: not JSON: Expecting ':' delimiter at byte 39",
            "line 8: an element that is no object at byte 44",
            "line 9: not JSON: Expecting ',' delimiter at byte 67",
            "line 10: not JSON: invalid UTF-8 (invalid start byte) at byte 74",
            "line 11: not JSON: Unterminated string starting at byte 80",
        ]
    assert read(b'{}\n[{"a":1},\n') == [
        {},
        {"a": 1},
        Unreadable("line 3: not JSON: it ends inside the array that begins at byte 3, at byte 13", b""),
    ]


@pytest.mark.parametrize("size", [1, 7, 100, 3_000, 100_000])
@pytest.mark.parametrize("between", ["\n", "\n\n", "\r\n", " ", ",\n"])
def test_lines_are_counted_where_many_are_read_at_once(between: str, size: int) -> None:
    count = 6_000  # more than are read at once before the first wrong one
    is_wrong = {5_000, 5_003, 5_500}
    text = between.join(["{oops}" if number in is_wrong else f'{{"a":{number}}}' for number in range(count)])
    text = f"\n[{text}]" if "," in between else f"\n{text}"
    events = in_chunks(text.encode(), size)
    assert [event for event in events if isinstance(event, dict)] == [
        {"a": at} for at in range(count) if at not in is_wrong
    ]
    assert [event.reason.partition(":")[0] for event in events if isinstance(event, Unreadable)] == [
        f"line {text.count(chr(10), 0, found.start()) + 1}" for found in re.finditer("oops", text)
    ]


def test_lines_are_counted_behind_something_wrong_that_seemed_to_be_longer() -> None:
    chunks = [
        b'{"a":1}\n{"a":2}\n{"a":3}\n',
        b'{"kkkkkkkkkkkkkkkkkkkkkkkkk":[\n{"a":12345678}',
        b'\n{"b":2}]}\n',
        b'{"a":5}\n{"a":6}\n{oops}\n',
    ]
    events = [event for block in json_objects(iter(chunks)) for event in block]
    assert isinstance(events[-1], Unreadable)
    assert events[-1].content == b"{oops}"
    assert events[-1].reason.startswith("line 9:")


anything = st.text(alphabet='{}[]",:\\01ea \n-é\x00', max_size=60).map(str.encode) | st.binary(max_size=40)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A mixture, changed at some places."""
    mixture = draw(mixtures)
    text = "".join(written(value, **style) + blank for value, style, blank in mixture)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        put = draw(st.text(alphabet='{}[]",:\\01e \n', max_size=2))
        text = text[:place] + put + text[place + draw(st.integers(0, 3)) :]
    return text.encode()


@settings(max_examples=200, deadline=None)
@given(anything | damaged(), sizes)
def test_whatever_comes_is_read_to_its_end_and_chunks_make_no_difference(text: bytes, lengths: list[int]) -> None:
    whole = shown(read(text))
    assert shown(read(text, lengths)) == whole
    assert shown(in_chunks(text, 1)) == whole


@settings(max_examples=200, deadline=None)
@given(anything | damaged())
def test_no_byte_is_lost_in_silence(text: bytes) -> None:
    assume(not re.search(rb"[\s:,[]-?0[0-9]", text))  # which the standard library would not read
    rest = text
    for event in read(text):
        if isinstance(event, Unreadable):
            if event.content:
                rest = rest.replace(event.content, b" ", 1)
        else:
            at = rest.index(b"{")
            value, end = decoded(rest, at)
            assert json.dumps(value) == json.dumps(event)
            rest = rest[:at] + b" " + rest[end:]
    assert rest.strip(b" \t\r\n[],\xef\xbb\xbf") == b""


def decoded(text: bytes, at: int) -> tuple[Any, int]:
    string = text[at:].decode(errors="surrogateescape")
    value, end = json.JSONDecoder().raw_decode(string)
    return value, at + len(string[:end].encode(errors="surrogateescape"))


@settings(deadline=None)
@given(st.lists(objects, min_size=1, max_size=6), st.integers(2, 60), st.sampled_from(["", "\n"]), sizes)
def test_an_object_over_the_limit_is_an_error_at_its_place_and_those_before_it_arrive(
    some: list[dict[str, Any]], limit: int, between: str, lengths: list[int]
) -> None:
    lines = [written(value).encode() for value in some]
    long = next((number for number, line in enumerate(lines) if len(line) > limit), None)
    text = between.encode().join(lines)
    if long is None:
        assert shown(read(text, lengths, limit)) == shown(some)
        return
    blocks = json_objects(cut(text, lengths), limit)
    events: Block = []
    with pytest.raises(DecodeError, match=f"limit of {limit} bytes") as refused:
        events.extend(event for block in blocks for event in block)
    assert refused.value.offset == sum(len(line) + len(between) for line in lines[:long])
    assert shown(events) == shown(some[:long])


@pytest.mark.parametrize(
    "endless", [b'{"a":"' + b"x" * 20_000, b'{"a":1,' * 3_000, b"[1," * 7_000, b"oops oops " * 2_000]
)
@pytest.mark.parametrize("limit", [20_000, 200_000])
@pytest.mark.parametrize("start", [b"{}\n", b'{"a":1}\n{"a":2}\n'], ids=["nothing learnt", "a cut learnt"])
def test_memory_stays_within_the_limit_where_nothing_ends(endless: bytes, limit: int, start: bytes) -> None:
    line = 1 + start.count(b"\n")
    tracemalloc.start()
    try:
        with pytest.raises(
            DecodeError,
            match=rf"what begins in line {line}, at byte .*, does not end within the limit of {limit} bytes",
        ):
            list(json_objects(iter([start, *[endless] * 1_000]), limit=limit))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * limit + 400_000


@pytest.mark.parametrize(
    ("between", "bad"), [(b"", b""), (b"\n", b'{"lost":[{"end":1}'), (b",\n", b'{"lost":[{"end":1}')]
)
def test_memory_stays_small_in_a_text_of_100_megabytes(between: bytes, bad: bytes) -> None:
    event = written({"eventVersion": "1.09", "parameters": {"text": "},{" * 6_600}}).encode() + between
    chunks = [b"[" if b"," in between else b"", *[event * 6 + event[:777], event[777:] + event * 6] * 390]
    if bad:
        chunks.insert(100, event[777:] + bad + (b"\n" if between else b"") + event[:777])
    tracemalloc.start()
    try:
        count = sum(map(len, json_objects(iter(chunks))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 390 * 13 <= count <= 390 * 13 + 3
    assert len(event) * count > 100_000_000
    assert peak < 3_000_000


def test_time_that_passes_and_chunks_that_complete_nothing_give_empty_blocks() -> None:
    chunks = [b"", b'{"a"', b"", b":1", b"}", b"", b'[{"a":2}', b",", b'{"a":3', b"}]", b"", b"oops", b" ", b""]
    blocks = list(json_objects(iter(chunks)))
    assert len(blocks) >= len(chunks)
    assert [block for block in blocks if block][:3] == [[{"a": 1}], [{"a": 2}], [{"a": 3}]]


def test_what_was_read_arrives_before_the_next_chunk_is_asked_for() -> None:
    def breaking_off() -> Iterator[bytes]:
        yield b'{"a":1}{"a":2}{"a"'
        raise ConnectionError

    blocks = json_objects(breaking_off())
    assert next(blocks) + next(blocks) == [{"a": 1}, {"a": 2}]
    with pytest.raises(ConnectionError):
        next(blocks)


@st.composite
def one_after_the_other(draw: st.DrawFn) -> tuple[bytes, list[tuple[dict[str, Any], int]]]:
    """A text of objects, in an array or in none, alike most often; and each of them, and where it ends."""
    some = draw(st.lists(objects, max_size=8))
    if draw(st.booleans()):
        some = [{"a": at, "b": one} for at, one in enumerate(some)]
    comma = draw(st.sampled_from(["", ","]))
    usual = draw(blanks)
    text, ends = "[" if comma else "", []
    for one in some:
        text += written(one, indent=draw(st.sampled_from([None, None, 1])))
        ends.append((one, len(text.encode())))
        text += draw(st.just(usual) | blanks) + comma + draw(blanks)
    return text.encode(), ends


@settings(max_examples=300, deadline=None)
@given(one_after_the_other(), sizes)
def test_all_that_is_whole_arrives_before_the_next_chunk_is_asked_for(
    made: tuple[bytes, list[tuple[dict[str, Any], int]]], lengths: list[int]
) -> None:
    text, ends = made
    arrived: Block = []

    def chunks() -> Iterator[bytes]:
        taken = 0
        for chunk in cut(text, lengths):
            yield chunk
            taken += len(chunk)
            assert shown(arrived) == shown([one for one, end in ends if end <= taken])

    for block in json_objects(chunks()):
        arrived += [event for event in block if isinstance(event, dict)]


def test_no_text_is_given_to_orjson_more_than_twice() -> None:
    text = (b'{"a":1}\n' * 3_000 + b'{"a":NaN}\n') * 5
    called = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal called
        called += event == "call" and frame.f_code is loses_digits.__code__

    sys.setprofile(count)
    try:
        events = read(text)
    finally:
        sys.setprofile(None)
    assert called < 1.1 * len(events)  # it is called for each text that orjson is given


def seconds(text: bytes) -> float:
    started = time.process_time()
    in_chunks(text, 1_000)
    in_chunks(text, 1 << 20)
    return time.process_time() - started


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (b'{"a":"', b'\\"x'),
        (b'{"a":"', b'}{"'),
        (b'{"a":"', b'}{"a":"'),
        (b"", b'{"a":[\n'),
        (b"", b'{"a":[{'),
        (b"", b'{"a":1\n'),
        (b"", b'{"a":"b\n'),
        (b"", b'{"a":oops}'),
        (b"", b"oops\n"),
        (b"", b'"'),
        (b"", b"}]"),
        (b"", b"[\n"),
        (b"", b'{"a":007}'),
        (b'{"b":1}\n{"b":1}\n{"a":"', b"x"),
        (b'{"b":1}\n{"b":1}\n', b'{"a":{},"b'),
        (b'{"b":1}\n{"b":1}\n', b'{"a":1},'),
        (b'{"b":1}\n{"b":1}\n', b'{"a":1} '),
        (b"[", b"oops,"),
        (b"[", b'{"a":1,'),
        (b"[", b'{"a":[{"b":1},'),
        (b"[", b'{"a":{"b":1},'),
        (b"[", b'{"a":[\n{"b":1},\n'),
        (b"[", b'  {"a":{\n    "b":1},\n'),
    ],
)
def test_time_is_linear_whatever_comes(start: bytes, again: bytes) -> None:
    # both deeper than orjson goes: there are two ways to read, each linear, and the deep one is the slower
    short, long = (start + again * (length // len(again)) for length in (10_000, 80_000))
    # Eight times as much is linear, 64 times quadratic; and again, since other processes may disturb it.
    assert any(seconds(long) < 24 * seconds(short) + 0.1 for _ in range(3))
