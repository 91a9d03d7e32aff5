"""WAF's logs: requests with a list of headers, through Firehose or written by WAF itself."""

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Origin, Record, Unreadable
from awsflow.logtypes.layout import AwsLogs, Place
from awsflow.logtypes.waf import STANDARD_HEADERS, WAF
from awsflow.samples import SAMPLES
from awsflow.stages import discard
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
OWN, SLASHES, DASHES = WAF.layouts


def request(*headers: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return {"httpRequest": {"headers": [{"name": name, "value": value} for name, value in headers], **more}}


def headers(*given: tuple[str, Any]) -> Any:
    """What is sent of them."""
    (event,) = sent(WAF, *decoded(WAF, json.dumps(request(*given)).encode()))
    return event["httpRequest"]["headers"]


def read_as(event: dict[str, Any]) -> dict[str, Any]:
    """A request as it is read."""
    given = event["httpRequest"]["headers"]
    by_name = {header["name"]: header["value"] for header in given}
    return {**event, "httpRequest": {**event["httpRequest"], "headers": by_name}, "source": "waf"}


def test_objects_may_stand_on_one_line_or_on_several() -> None:
    one = json.dumps(request(("Host", "a")))
    read = decoded(WAF, f"{one}{one}\n{one} {one}\n\n{one}".encode())
    assert read == [{"httpRequest": {"headers": {"Host": "a"}}, "source": "waf"}] * 5


@pytest.mark.parametrize(("path", "left"), [("httpRequest.headers.Host", 0), ("httpRequest.headers.value", 1)])
def test_requests_can_be_discarded_by_their_headers_as_they_are_sent(path: str, left: int) -> None:
    read = decoded(WAF, json.dumps(request(("Host", "health.example"), ("X-Mine", "b"))).encode())
    records = [Record(event, Origin(), 1) for event in read if isinstance(event, dict)]
    assert len(list(discard(path, "health")(records))) == left


def test_headers_that_are_not_sent_are_still_there_for_whoever_wants_them() -> None:
    assert decoded(WAF, json.dumps(request(("Host", "a"), ("X-Mine", "b"))).encode()) == [
        {"httpRequest": {"headers": {"Host": "a", "X-Mine": "b"}}, "source": "waf"}
    ]


def test_headers_become_an_object_with_the_standard_names_as_they_are_written() -> None:
    given = [("Host", "a"), ("COOKIE", "b"), ("sec-ch-ua", "c"), ("x-forwarded-For", "d"), ("X-Mine", "e")]
    assert headers(*given) == {"Host": "a", "COOKIE": "b", "x-forwarded-For": "d"}


def test_one_header_and_none_become_an_object_too() -> None:
    assert headers(("Host", "a")) == {"Host": "a"}
    assert headers() == {}
    assert headers(("x-mine", "a")) == {}


def test_of_several_headers_of_one_name_the_last_one_counts() -> None:
    assert headers(("Host", "a"), ("accept", "b"), ("Host", "c"), ("host", "d")) == {
        "Host": "c",
        "accept": "b",
        "host": "d",
    }


def test_all_standard_headers_are_kept() -> None:
    assert len(STANDARD_HEADERS) == 43
    assert headers(*((name.title(), name) for name in STANDARD_HEADERS)) == {
        name.title(): name for name in STANDARD_HEADERS
    }


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"httpRequest": None},
        {"httpRequest": "GET"},
        {"httpRequest": {}},
        {"httpRequest": {"headers": None}},
        {"httpRequest": {"headers": {"Host": "a"}}},
        {"httpRequest": {"headers": ["Host"]}},
        {"httpRequest": {"headers": [{"name": "Host", "value": "a"}, {"value": "b"}]}},
        {"httpRequest": {"headers": [{"name": "Host"}]}},
        {"httpRequest": {"headers": [{"name": 7, "value": "a"}]}},
    ],
)
def test_an_event_without_a_list_of_headers_is_unreadable_and_the_next_is_read(event: dict[str, Any]) -> None:
    good = request(("Host", "a"))
    bad, after = decoded(WAF, json.dumps(event).encode() + json.dumps(good).encode())
    assert isinstance(bad, Unreadable)
    assert "headers" in bad.reason
    assert json.loads(bad.content) == event
    assert after == read_as(good)
    assert len(sent(WAF, event)) == 1, "a stage of somebody's own may have made it such"


def test_the_rest_gets_the_common_shape() -> None:
    read = read_as({"ruleGroupList": [{"x": None}], "labels": None, **request(uri="/")})
    assert sent(WAF, {name: read[name] for name in read if name != "source"}) == [
        {"ruleGroupList": {"x": None}, "httpRequest": {"headers": {}, "uri": "/"}}
    ]


HEADERS = st.lists(st.fixed_dictionaries({"name": st.text() | st.sampled_from(["Host", "Cookie"]), "value": st.text()}))
REST = st.dictionaries(st.text(), st.text() | st.integers(), max_size=3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(HEADERS, REST), max_size=4),
    st.sampled_from(["", "\n", " ", "\r\n"]),
    st.integers(1, 60),
    st.booleans(),
)
def test_requests_are_what_the_text_says(
    given: list[tuple[list[dict[str, str]], dict[str, Any]]], between: str, size: int, escape: bool
) -> None:
    events = [{**rest, "httpRequest": {"headers": headers, "args": '{"Records":[{'}} for headers, rest in given]
    text = between.join(json.dumps(event, ensure_ascii=escape) for event in events).encode()
    assert decoded(WAF, text, size) == [read_as(event) for event in events]


def test_through_firehose_only_keys_with_the_date_right_behind_the_prefix_are_read() -> None:
    assert SLASHES.day("waf/2026/11/20/00/x", "waf/") == date(2026, 11, 20)
    assert SLASHES.day("waf/other/2026/11/20/00/x", "waf/") is None
    (dashed,) = DASHES.streams(Place("waf/"), lambda prefix: iter(()))
    assert DASHES.day("waf/2026-11-20-00-x", dashed) == date(2026, 11, 20)


def test_what_waf_writes_itself_lies_by_web_acl_and_minute() -> None:
    assert isinstance(OWN, AwsLogs)
    assert OWN.shown == "AWSLogs/ACCOUNT/WAFLogs/REGION/WEBACL/YYYY/MM/DD/"
    key = SAMPLES["waf"].key("111122223333", "eu-west-1", START, 1)
    assert key.startswith("AWSLogs/111122223333/WAFLogs/eu-west-1/edge-acl/2026/11/02/23/55/")
    assert OWN.day(key, "AWSLogs/111122223333/WAFLogs/eu-west-1/edge-acl/") == date(2026, 11, 2)


def test_cloudfronts_web_acls_are_found_where_regions_are_not_given() -> None:
    base = "AWSLogs/111122223333/WAFLogs/"
    below = {base: ["cloudfront", "eu-west-1"], f"{base}cloudfront/": ["a", "b"], f"{base}eu-west-1/": ["c"]}

    def streams(**place: Any) -> list[str]:
        return list(OWN.streams(Place(accounts=("111122223333",), **place), lambda prefix: iter(below[prefix])))

    assert streams() == [f"{base}cloudfront/a/", f"{base}cloudfront/b/", f"{base}eu-west-1/c/"]
    assert streams(regions=("eu-west-1",)) == [f"{base}eu-west-1/c/"]
    assert streams(regions=("cloudfront",)) == [f"{base}cloudfront/a/", f"{base}cloudfront/b/"]


def test_samples_read_as_they_were_made_up() -> None:
    events = list(SAMPLES["waf"].events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(WAF, gzip.decompress(SAMPLES["waf"].document(events)), 1000)
    assert read == [read_as(event) for event in events]
    assert {"Host", "Cookie"} <= {name for event in sent(WAF, *read) for name in event["httpRequest"]["headers"]}
