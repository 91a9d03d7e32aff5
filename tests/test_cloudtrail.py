"""CloudTrail's events: what Wazuh's rules expect of them, and where they lie."""

import json
from datetime import date
from typing import Any

import pytest

from awsflow.logtypes import log_type_named
from awsflow.logtypes.cloudtrail import CLOUDTRAIL, decode, shape
from awsflow.logtypes.layout import Place

(LAYOUT,) = CLOUDTRAIL.layouts
STREAM = "AWSLogs/123456789012/CloudTrail/eu-west-1/"


def decoded(*events: Any) -> list[Any]:
    document = json.dumps({"Records": events}).encode()
    return [event for block in decode(iter([document]), "x.json") for event in block]


def test_every_event_gets_its_source() -> None:
    assert decoded({"eventName": "A"}, {"source": "other"}) == [
        {"eventName": "A", "source": "cloudtrail"},
        {"source": "cloudtrail"},
    ]


def test_a_digest_has_no_events() -> None:
    assert [block for block in decode(iter([b'{"digestStartTime": "x", "logFiles": [{}]}']), "x.json") if block] == []


@pytest.mark.parametrize("field", ["additionalEventData", "responseElements", "requestParameters"])
@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", {"string": "text"}),
        (7, {"string": "7"}),
        (True, {"string": "True"}),
        (["one"], {"string": "one"}),
        ([["one"]], {"string": "['one']"}),
        (["a", {"b": None}], {"string": "['a', {'b': None}]"}),
        ([], {"string": "[]"}),
        ([{"a": 1}], {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ([None], {"string": "None"}),
    ],
)
def test_what_is_no_object_becomes_one_in_the_fields_that_cloudtrail_fills_as_it_likes(
    field: str, value: Any, sent: Any
) -> None:
    assert shape({field: value}) == {field: sent}


def test_what_nests_more_deeply_than_python_can_say_becomes_text_too() -> None:
    value: Any = [1, 2]
    for _ in range(100_000):
        value = [0, value]
    text = shape({"responseElements": value})["responseElements"]["string"]
    assert text == "[0," * 100_000 + "[1,2]" + "]" * 100_000


def test_a_null_in_these_fields_is_dropped() -> None:
    assert shape({"responseElements": None}) == {}


def test_disable_api_termination_becomes_an_object_when_it_is_a_boolean() -> None:
    def parameters(value: Any) -> Any:
        return shape({"requestParameters": {"disableApiTermination": value}})["requestParameters"]

    assert parameters(True) == {"disableApiTermination": {"value": True}}
    assert parameters({"value": False}) == {"disableApiTermination": {"value": False}}
    assert parameters("true") == {"disableApiTermination": "true"}


def test_the_day_is_read_from_the_key() -> None:
    day = LAYOUT.day
    assert day(STREAM + "2026/11/23/123456789012_CloudTrail_eu-west-1_x.json.gz", STREAM) == date(2026, 11, 23)


@pytest.mark.parametrize("rest", ["2026/11/23/", "2026/11/", "x.json.gz", "2026/13/01/x.json.gz", "2026/x/1/y"])
def test_a_folder_marker_or_a_key_without_a_day_is_no_log(rest: str) -> None:
    assert LAYOUT.day(STREAM + rest, STREAM) is None


def test_the_folders_are_those_of_the_accounts_and_regions_that_are_there() -> None:
    below = {
        "pre/AWSLogs/suf/o-1/": ["123456789012", "not-an-account", "210987654321"],
        "pre/AWSLogs/suf/o-1/123456789012/CloudTrail/": ["eu-west-1", "us-east-1"],
        "pre/AWSLogs/suf/o-1/210987654321/CloudTrail/": ["ap-south-1"],
    }
    place = Place(prefix="pre/", suffix="suf/", organization="o-1")
    assert list(LAYOUT.streams(place, lambda prefix: iter(below[prefix]))) == [
        "pre/AWSLogs/suf/o-1/123456789012/CloudTrail/eu-west-1/",
        "pre/AWSLogs/suf/o-1/123456789012/CloudTrail/us-east-1/",
        "pre/AWSLogs/suf/o-1/210987654321/CloudTrail/ap-south-1/",
    ]


def test_given_accounts_and_regions_need_no_listing() -> None:
    def no_listing(prefix: str) -> Any:
        raise AssertionError(prefix)

    place = Place(accounts=("123456789012",), regions=("eu-west-1",))
    assert list(LAYOUT.streams(place, no_listing)) == [STREAM]


def test_the_type_is_found_by_its_name_in_any_case() -> None:
    assert log_type_named("CloudTrail") is CLOUDTRAIL
