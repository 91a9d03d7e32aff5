"""Shrinking: whatever the event, what is left fits, is valid JSON, and says what was cut."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.exactjson import json_bytes, json_value
from awsflow.shrink import KEEP, shrunk

LOG_INFO = {"aws_account_alias": "prod", "log_file": "AWSLogs/x.json.gz", "s3bucket": "trail"}
LIMIT = 65_523


def nested(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = [value] if level % 3 else {f"level {level}": value}
    return value


names = st.text(st.characters(exclude_characters="."), max_size=8) | st.text("abc", min_size=20, max_size=400)
texts = (
    st.text(max_size=20)
    | st.builds(lambda part, times: part * times, st.text(min_size=1, max_size=5), st.integers(1, 400))
    | st.sampled_from(["\ud800" * 100, "\n" * 500, '"' * 300, "\U0001f600" * 200, "x" * 3000])
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars
    | st.builds(lambda value, times: [value] * times, scalars, st.integers(0, 40))
    | st.builds(lambda count: list(range(count)), st.integers(0, 1500)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(names, inner, max_size=4)
        | st.builds(nested, inner, st.integers(1, 150))
    ),
    max_leaves=8,
)
events = st.dictionaries(names.filter(lambda name: name != "log_info"), values, max_size=8)


def in_envelope(fields: dict[str, Any], **others: Any) -> bytes:
    return json_bytes({"integration": "aws", "aws": {"log_info": LOG_INFO, **fields}, **others})


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Everything that is no list or object, and empty ones, with its dotted path."""
    todo: list[tuple[list[str], Any]] = [([], value)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict | list) and value:
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            todo += [([*path, str(name)], inside) for name, inside in inner]
        else:
            yield ".".join(path), value


@given(events, st.integers(400, 5000))
@settings(deadline=None, max_examples=100)
def test_what_is_left_fits_is_json_keeps_its_envelope_and_lists_exactly_what_was_cut(
    fields: dict[str, Any], limit: int
) -> None:
    body = in_envelope(fields)
    left = shrunk(body, limit)
    assert len(left) <= limit
    if len(body) <= limit:
        assert left == body
        return
    event = json.loads(left)
    assert list(event) == ["integration", "aws"]
    assert event["integration"] == "aws"
    log_info = event["aws"].pop("log_info")
    truncated = log_info.pop("truncated")
    assert log_info == LOG_INFO
    before, after = sorted(leaves(json_value(json_bytes(fields)))), sorted(leaves(event["aws"]))
    if [path for path, _ in before] == [path for path, _ in after]:
        changed = []
        for (path, old), (_, new) in zip(before, after, strict=True):
            if json_bytes(old) != json_bytes(new):
                assert old.startswith(new)
                assert len(json_bytes(new)) <= max(KEEP, limit)
                changed.append(path)
        assert sorted(truncated) == changed
    else:
        left_out = fields.keys() - event["aws"].keys()
        assert all(json_bytes(fields[name]) == json_bytes(value) for name, value in event["aws"].items())
        assert set(truncated) <= left_out
        room = limit // 4 - sum(len(json_bytes(name)) + len(",") for name in truncated)
        assert room >= 0
        assert all(len(json_bytes(name)) + len(",") > room for name in left_out - set(truncated))


@given(st.binary(min_size=300, max_size=600) | st.text(min_size=300, max_size=600).map(str.encode), st.integers(0, 300))
def test_text_ends_at_the_last_character_that_fits(body: bytes, limit: int) -> None:
    left = shrunk(body, limit)
    assert body.startswith(left)
    assert limit - 3 <= len(left) <= limit
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    left.decode()


envelope_names = st.sampled_from(["aws", "log_info", "integration", "truncated", "x"])
anything = st.dictionaries(envelope_names, values | st.dictionaries(envelope_names, values, max_size=4), max_size=4)


@given(anything, st.integers(300, 2000))
@settings(deadline=None)
def test_json_objects_of_any_other_shape_stay_valid_json_and_fit(event: dict[str, Any], limit: int) -> None:
    left = shrunk(json_bytes(event), limit)
    assert len(left) <= limit
    assert isinstance(json.loads(left), dict)


def test_the_longest_text_is_cut_first_and_only_as_far_as_needed() -> None:
    fields = {"a": "a" * 30_000, "b": {"c": "c" * 40_000}, "d": "d" * 20_000}
    aws = json.loads(shrunk(in_envelope(fields), LIMIT))["aws"]
    assert aws["log_info"]["truncated"] == ["b.c"]
    assert (aws["a"], aws["d"]) == (fields["a"], fields["d"])
    assert 15_000 < len(aws["b"]["c"]) < 16_000


def test_of_equally_long_texts_the_deepest_is_cut_first() -> None:
    fields = {"a": "x" * 40_000, "b": {"c": [{"d": "x" * 40_000}]}, "e": {"f": "x" * 40_000}}
    aws = json.loads(shrunk(in_envelope(fields), LIMIT))["aws"]
    assert aws["log_info"]["truncated"] == ["b.c.0.d", "e.f"]
    assert aws["a"] == fields["a"]
    assert len(aws["b"]["c"][0]["d"]) == KEEP - 2


def test_what_holds_too_much_that_is_no_text_loses_its_largest_fields_whole() -> None:
    fields = {"numbers": list(range(20_000)), "text": "x" * 1000, "small": [1, 2, 3]}
    aws = json.loads(shrunk(in_envelope(fields), LIMIT))["aws"]
    assert aws == {
        "log_info": {**LOG_INFO, "truncated": ["numbers"]},
        "text": "x" * 1000,
        "small": [1, 2, 3],
    }


def test_a_text_whose_path_is_longer_than_what_cutting_it_saves_is_not_cut() -> None:
    fields = {"n" * 400: "x" * 350, "short": "y" * 300}
    aws = json.loads(shrunk(in_envelope(fields), 1000))["aws"]
    assert aws["log_info"]["truncated"] == ["short"]
    assert aws["n" * 400] == "x" * 350
    assert len(aws["short"]) > 50


def test_what_lies_beside_the_events_own_fields_is_cut_too() -> None:
    event = json.loads(shrunk(in_envelope({}, error_msg="e" * 70_000), LIMIT))
    assert event["aws"] == {"log_info": {**LOG_INFO, "truncated": ["error_msg"]}}
    assert len(event["error_msg"]) > 65_000


def test_json_that_is_not_in_the_envelope_stays_json_and_says_what_was_cut() -> None:
    event = json.loads(shrunk(json_bytes({"message": "m" * 70_000, "n": {"level": 5}}), LIMIT))
    assert event["aws"] == {"log_info": {"truncated": ["message"]}}
    assert event["n"] == {"level": 5}


def test_numbers_are_left_as_they_are_written() -> None:
    body = in_envelope({"text": "x" * 70_000}).replace(b'"text"', b'"n":123456789012345678901234567890.5,"text"')
    assert b'"n":123456789012345678901234567890.5' in shrunk(body, LIMIT)


def test_json_that_only_has_much_white_space_is_not_cut() -> None:
    event = {"a": ["x" * 10] * 4000}
    left = shrunk(json.dumps(event, indent=20).encode(), LIMIT)
    assert json.loads(left) == event


def test_a_log_info_that_is_too_large_itself_is_left_out_as_far_as_needed() -> None:
    body = json_bytes(
        {"integration": "aws", "aws": {"log_info": {"log_file": "k" * 3000, "s3bucket": "trail"}, "a": 1}}
    )
    aws = json.loads(shrunk(body, 1000))["aws"]
    assert aws["log_info"] == {"s3bucket": "trail", "truncated": ["a", "log_info.log_file"]}


LARGE: dict[str, Callable[[], bytes]] = {
    "100,000 short texts": lambda: in_envelope({"a": ["y" * 48] * 100_000}),
    "100,000 texts": lambda: in_envelope({"a": ["y" * 98] * 50_000, "b": {f"b{n}": "z" * 98 for n in range(50_000)}}),
    "100,000 texts, all cut": lambda: in_envelope({"a": ["y" * 98] * 100_000}),
    "100,000 fields": lambda: in_envelope({f"field{n}": "y" * 40 for n in range(100_000)}),
    "one text": lambda: in_envelope({"a": "z" * 5_000_000}),
    "one text of escapes": lambda: in_envelope({"a": "\n" * 2_500_000}),
    "one text of surrogates": lambda: in_envelope({"a": "\ud800" * 800_000}),
    "numbers": lambda: in_envelope({"a": list(range(700_000))}),
    "long names": lambda: in_envelope({f"{n}" * 1000: "y" * 500 for n in range(1000)}),
    "deep": lambda: in_envelope({}).replace(
        b"}}}", b'},"a":%s1%s}}' % (b'{"t":"%s","n":' % (b"x" * 80) * 9000, b"}" * 9000)
    ),
    "text": lambda: b"x" * 5_000_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_a_large_event_of_any_shape_takes_no_time_to_speak_of(name: str) -> None:
    body = LARGE[name]()
    limit = len(body) * 2 // 3 if name.endswith("all cut") else LIMIT
    started = time.process_time()
    left = shrunk(body, limit)
    assert time.process_time() - started < 2
    assert len(left) <= limit
    if name != "text":
        json.loads(left)


def test_time_grows_no_faster_than_the_event() -> None:
    def seconds(count: int) -> float:
        body = in_envelope({"a": [{"name": "y" * 98} for _ in range(count)]})
        started = time.process_time()
        shrunk(body, len(body) * 2 // 3)
        return time.process_time() - started

    # 10 times the size; a machine that is busy, and its caches, may take 40 times as long, and the square is 100 times
    assert min(seconds(100_000) for _ in range(2)) < 60 * min(seconds(10_000) for _ in range(3))
