"""JSON both ways without a changed digit, compared with the standard library's."""

import copy
import json
import math
import pickle
import time
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.exactjson import NotJson, NumberAsWritten, json_bytes, json_value, loses_digits

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(['"', "\\", "},{", "\u2028", "\x7f", "é", "😀", "\ud800", "\udc00\ud800", "x" * 300])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)
numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True)


def theirs(text: bytes) -> tuple[Any, int]:
    """What the standard library reads, or None and the byte where it stops."""
    string = text.decode()
    try:
        return json.loads(string), -1
    except json.JSONDecodeError as error:
        return None, len(string[: error.pos].encode())


def nested(depth: int) -> bytes:
    return b'{"a":[' * depth + b"1" + b"]}" * depth


@given(values, st.sampled_from([None, 0, 3]), st.booleans())
def test_a_value_written_by_the_standard_library_is_read_as_it_is(value: Any, indent: int | None, escape: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=escape).encode("utf-8", "backslashreplace")
    assert json_value(text) == value
    assert json_value(bytearray(text)) == value


@given(values)
def test_a_value_that_is_written_and_read_again_is_the_same(value: Any) -> None:
    text = json_bytes(value)
    assert json_value(text) == value
    assert json.loads(text) == value


@given(values)
def test_what_is_written_has_no_white_space_and_keeps_the_order_of_members(value: Any) -> None:
    value = json.loads(json.dumps(value), parse_float=str, parse_constant=str)
    expected = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert json_bytes(value) == expected.encode("utf-8", "backslashreplace")


@given(st.integers())
def test_integers_are_exact(number: int) -> None:
    assert json_value(b'{"a":[%d]}' % number) == {"a": [number]}
    assert json_bytes({"a": [number]}) == b'{"a":[%d]}' % number


@given(st.sampled_from([2**53, 2**63, 2**64, -(2**63), 10**18, 10**19, 10**20]), st.integers(-3, 3))
def test_integers_are_exact_around_every_limit(limit: int, distance: int) -> None:
    assert json_value(b"%d" % (limit + distance)) == limit + distance


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"[NaN]",
        b'{"a":-Infinity,"b":[Infinity]}',
        b'{"a":1e400}',
        b"-1e400",
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'["\\ud800",12345678901234567890123]',
        b"123456789012345678901234567890.123456789012345678901234567890",
        b"0.12345678901234567890",
        b"[" + b"9" * 10_000 + b"]",
        b"[" * 1_000 + b"7" + b"]" * 1_000,
        b"[" * 1_100 + b"NaN" + b"]" * 1_100,
    ],
)
def test_what_orjson_refuses_or_changes_comes_back_as_it_was_written(text: bytes) -> None:
    assert json_bytes(json_value(text)) == text


@pytest.mark.parametrize("depth", [1, 500, 1_024, 5_000, 20_000])
def test_nesting_has_no_limit(depth: int) -> None:
    text = nested(depth)
    assert json_bytes(json_value(text)) == text


@given(numbers)
def test_a_number_is_the_one_that_is_written(text: str) -> None:
    number = json_value(text.encode())
    if isinstance(number, int):
        assert number == int(text)
    else:
        assert float(number) == float(text)


@given(numbers)
def test_a_number_with_twenty_digits_in_a_row_keeps_every_one_of_them(text: str) -> None:
    text = text.replace(".", ".12345678901234567890")
    number = json_value(b"[%b]" % text.encode())[0]
    if "." in text:
        assert json_bytes([number]).decode() == f"[{text}]"


@given(st.text(alphabet='0123456789-.eE+,:[] \t\n"a', max_size=60), st.integers(20, 25))
def test_whatever_text_is_not_said_to_lose_digits_loses_none_with_orjson(text: str, digits: int) -> None:
    candidates = [text, text.replace("1", "1" * digits), f'{{"a":{text}}}', f"[{text}]"]
    for candidate in candidates:
        if not loses_digits(candidate.encode()):
            try:
                value = orjson.loads(candidate)
            except orjson.JSONDecodeError:
                continue
            assert value == json.loads(candidate)


def test_digits_in_strings_do_not_take_the_slow_way() -> None:
    assert not loses_digits(b'{"id":"12345678901234567890123","at":"2024-01-01-00-00-00-123456789"}')
    assert loses_digits(b'{"id":12345678901234567890123}')
    assert loses_digits(b"12345678901234567890")
    assert loses_digits(b"-9223372036854775809")


json_like = st.text(alphabet='{}[]",:\\u0d8 \n\t-1.eE+truefalsnNaIity\x01é\ufeff', max_size=25)
written = values.map(json.dumps)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(written)
    place = draw(st.integers(0, len(text)))
    return text[:place] + draw(json_like.map(lambda put: put[:3])) + text[place + draw(st.integers(0, 3)) :]


@settings(max_examples=200, deadline=None)
@given(json_like | written | damaged())
def test_a_text_is_refused_if_the_standard_library_refuses_it_and_at_the_same_byte(text: str) -> None:
    encoded = text.encode()
    value, offset = theirs(encoded.removeprefix(b"\xef\xbb\xbf"))
    if offset < 0:
        assert json.dumps(json_value(encoded)) == json.dumps(value)
    else:
        with pytest.raises(NotJson) as refused:
            json_value(encoded)
        assert refused.value.offset == offset + 3 * encoded.startswith(b"\xef\xbb\xbf")


@given(st.text(alphabet='{}[]",:\\ 1ae', max_size=12), st.integers(0, 12))
def test_deeply_nested_text_is_judged_like_any_other(text: str, spot: int) -> None:
    depth = 2_000
    around = text[:spot], text[spot:]
    deep = f"{'[' * depth}{around[0]}{']' * depth}{around[1]}".encode()
    shallow = f"[[{around[0]}]]{around[1]}".encode()
    value, offset = theirs(shallow)
    if offset < 0:
        for _ in range(2):
            (value,) = value if len(value) == 1 else (value,)
        assert json_bytes(json_value(deep)).count(b"[") >= depth
    else:
        with pytest.raises(NotJson):
            json_value(deep)


@given(st.binary(max_size=12))
def test_bytes_of_no_encoding_are_refused_with_their_place(raw: bytes) -> None:
    text = b'["%b"]' % raw.replace(b'"', b"").replace(b"\\", b"")
    whole = len(text.decode(errors="ignore").encode())
    if whole < len(text):
        with pytest.raises(NotJson, match="invalid UTF-8") as refused:
            json_value(text)
        text[: refused.value.offset].decode()
        assert "\ufffd" in text[refused.value.offset : refused.value.offset + 1].decode(errors="replace")


def test_an_error_reads_well_and_tells_the_byte() -> None:
    with pytest.raises(NotJson) as refused:
        json_value('{"é":"'.encode())
    assert str(refused.value) == "Unterminated string starting at byte 6"
    assert (refused.value.complaint, refused.value.offset) == ("Unterminated string starting", 6)


def test_the_last_of_members_with_the_same_name_counts() -> None:
    assert json_value(b'{"a":1,"a":2}') == {"a": 2}
    assert json_value(b'{"a":NaN,"a":2}') == {"a": 2}


def test_the_mark_of_utf_8_is_passed_over() -> None:
    assert json_value(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_a_number_as_written_is_a_float_that_survives_copies() -> None:
    number = json_value(b"1e400")
    assert isinstance(number, NumberAsWritten)
    assert math.isinf(number)
    assert str(number) == "1e400"
    for other in (copy.copy(number), copy.deepcopy([number])[0], pickle.loads(pickle.dumps(number))):  # noqa: S301 - our own
        assert json_bytes({"a": other}) == b'{"a":1e400}'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_plain_float_that_is_no_number_becomes_null_inside_of_objects_whatever_else_they_hold(number: float) -> None:
    assert json_bytes({"a": number, "b": [number]}) == b'{"a":null,"b":[null]}'
    assert json_bytes({"a": number, "b": 2**70}) == b'{"a":null,"b":1180591620717411303424}'
    assert json_bytes(number) == json.dumps(number).encode()


@given(st.dictionaries(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), st.none()))
def test_names_that_are_no_text_are_written_as_the_standard_library_does(members: dict[Any, None]) -> None:
    expected = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    assert json_bytes(members) == expected.encode()


class Word(str):
    """A kind of text, as other libraries have."""


def test_kinds_of_text_and_numbers_are_written_as_what_they_are() -> None:
    assert json_bytes({"a": Word("b"), "c": (1, 2)}) == b'{"a":"b","c":[1,2]}'
    assert json_bytes({"a": Word("\ud800"), "c": (1, 2**70)}) == b'{"a":"\\ud800","c":[1,1180591620717411303424]}'


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", [2**70, object()], {(1, 2): 3}, {"a": {b"b": 1}}])
def test_what_has_no_json_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)


def test_what_holds_itself_is_a_value_error_and_what_is_held_twice_is_not() -> None:
    loop: list[Any] = [{}]
    loop[0]["loop"] = loop
    with pytest.raises(ValueError, match="holds itself"):
        json_bytes(loop)
    twice = [2**70]
    assert json_bytes([twice, twice]) == b"[[1180591620717411303424],[1180591620717411303424]]"


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b"[" * 200_000,
        b'{"":' * 50_000 + b"1" + b"}" * 50_000,
        b"[" + b"1" * 1_000_000 + b"]",
        b"[" + b"12345678901234567890," * 50_000 + b"1]",
        b'["' + b"\\ud800" * 200_000 + b'"]',
        b'["' + b"1" * 2_000_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_time_is_linear(text: bytes) -> None:
    started = time.process_time()
    try:
        value = json_value(text)
    except NotJson:
        value = None
    json_bytes(value)
    assert time.process_time() - started < 10  # a twentieth of that, at most; quadratic would be minutes
