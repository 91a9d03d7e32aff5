"""Stages lift functions on events past barriers; `discard` is Wazuh's rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.errors import DecodeError
from awsflow.items import Barrier, Event, Failure, Item, Origin, Record
from awsflow.stages import discard, each

ORIGIN = Origin(bucket="b", key="k")


def records(*events: Event) -> list[Item]:
    return [Record(event, ORIGIN, number) for number, event in enumerate(events, 1)]


def kept(path: str, pattern: str, *events: Event) -> list[Event]:
    return [item.event for item in discard(path, pattern)(records(*events)) if isinstance(item, Record)]


def test_each_replaces_an_event_by_none_one_or_several() -> None:
    repeated = each(lambda event: [event] * event["n"])
    made = [item.event for item in repeated(records({"n": 0}, {"n": 1}, {"n": 3})) if isinstance(item, Record)]
    assert made == [{"n": 1}, {"n": 3}, {"n": 3}, {"n": 3}]


def test_each_keeps_origin_and_number() -> None:
    (record,) = each(lambda event: ["other"])([Record({}, ORIGIN, 7)])
    assert record == Record("other", ORIGIN, 7)


marks = st.lists(st.one_of(st.integers(0, 3), st.just("barrier"), st.just("failure")))


@given(marks)
def test_barriers_and_failures_stay_behind_the_same_records_whatever_a_stage_makes_of_them(stream: list[Any]) -> None:
    items: list[Item] = []
    expected: list[str] = []
    for at, mark in enumerate(stream):
        if mark == "barrier":
            items.append(Barrier(at))
        elif mark == "failure":
            items.append(Failure(ORIGIN, at, DecodeError("bad")))
        else:
            items.append(Record({"n": mark, "at": at}, ORIGIN, at))
        expected += [f"record {at}"] * mark if isinstance(mark, int) else [f"{mark} {at}"]
    seen = []
    for item in each(lambda event: [event] * event["n"])(iter(items)):
        match item:
            case Record(event={"at": place}):
                seen.append(f"record {place}")
            case Barrier(position=place):
                seen.append(f"barrier {place}")
            case Failure(number=place):
                seen.append(f"failure {place}")
    assert seen == expected


def test_an_event_is_dropped_when_the_pattern_matches_at_the_start() -> None:
    assert kept("eventName", "Describe|Put", {"eventName": "PutObject"}, {"eventName": "GetPut"}) == [
        {"eventName": "GetPut"}
    ]


def test_a_path_leads_through_objects_and_any_element_of_lists() -> None:
    event = {"resources": [{"name": "x"}, {"ARN": ["other", "arn:aws:s3"]}]}
    assert kept("resources.ARN", "arn:aws", event) == []
    assert kept("resources.ARN", "arn:gov", event) == [event]


@pytest.mark.parametrize("value", [7, True, None, {"name": "Describe"}, [7, {"name": "Describe"}]])
def test_a_value_of_another_type_keeps_the_event(value: Any) -> None:
    assert kept("eventName", "Describe|7|True|None", {"eventName": value}) == [{"eventName": value}]


@pytest.mark.parametrize(("innermost", "is_dropped"), [("x", True), ("y", False)])
def test_lists_in_lists_are_looked_through_however_deep(innermost: str, is_dropped: bool) -> None:
    value: Any = innermost
    for _ in range(100_000):
        value = [value]
    kept = list(discard("a.b", "x")([Record({"a": {"b": value}}, Origin(), 1)]))
    assert len(kept) == (not is_dropped)


def test_a_missing_field_keeps_the_event() -> None:
    assert kept("a.b", ".*", {"a": {}}, {"a": "b"}, {}) == [{"a": {}}, {"a": "b"}, {}]


def test_a_field_name_that_holds_dots_is_not_reachable() -> None:
    assert kept("a.b", "x", {"a.b": "x"}) == [{"a.b": "x"}]


def test_text_is_matched_as_a_whole_whatever_the_path() -> None:
    assert kept("no.such.field", "GET ", "GET /", "POST /") == ["POST /"]


def test_what_is_dropped_is_counted() -> None:
    dropped = []
    list(discard("n", "x", lambda: dropped.append(1))(records({"n": "x"}, {"n": "y"}, {"n": "xx"})))
    assert len(dropped) == 2
