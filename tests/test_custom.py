"""The type custom: what Firehose writes of EventBridge's events, and whatever its contents begin like."""

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.custom import CUSTOM
from awsflow.logtypes.layout import Place
from awsflow.logtypes.macie import macie
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
SAMPLE = SAMPLES["custom"]
FIELDS = """
    version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status
"""
FLOW = "2 111122223333 eni-0a 10.0.0.1 10.0.0.2 443 50000 6 10 840 1620140761 1620140821 ACCEPT OK"


def wrapped(detail: Any, source: Any = "aws.kms", **more: Any) -> dict[str, Any]:
    return {"version": "0", "detail-type": "x", "source": source, **more, "detail": detail}


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n\r\n", "\t "])
def test_each_detail_is_an_event_with_the_source_less_its_aws_whatever_stands_between_the_objects(between: str) -> None:
    text = between.join(json.dumps(wrapped({"id": number})) for number in range(250))
    assert decoded(CUSTOM, text.encode(), 999) == [{"id": number, "source": "kms"} for number in range(250)]


def test_a_line_break_between_objects_is_no_error() -> None:
    text = f"{json.dumps(wrapped({'id': 1}))}\n{json.dumps(wrapped({'id': 2}), indent=1)}\n"
    assert decoded(CUSTOM, text.encode()) == [{"id": 1, "source": "kms"}, {"id": 2, "source": "kms"}]


def test_objects_without_detail_are_skipped() -> None:
    text = json.dumps({"version": "0", "source": "aws.kms"}) + json.dumps(wrapped({"id": 1})) + "{}"
    assert decoded(CUSTOM, text.encode()) == [{"id": 1, "source": "kms"}]


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("aws.guardduty", "guardduty"),
        ("my.app", "my.app"),
        ("x.aws.y", "x.aws.y"),
        ("", ""),
        (None, "custom"),
        (7, "custom"),
    ],
)
def test_the_source_is_the_envelopes(source: Any, becomes: str) -> None:
    assert decoded(CUSTOM, json.dumps(wrapped({"id": 1}, source)).encode()) == [{"id": 1, "source": becomes}]


def test_a_detail_that_is_no_object_is_unreadable() -> None:
    bad, good = decoded(CUSTOM, json.dumps([wrapped("text"), wrapped({"id": 1})]).encode())
    assert isinstance(bad, Unreadable)
    assert json.loads(bad.content) == wrapped("text")
    assert good == {"id": 1, "source": "kms"}


def test_arrays_and_records_are_unpacked() -> None:
    events = [wrapped({"id": 1}), {"skipped": True}, wrapped({"id": 2})]
    read = [{"id": 1, "source": "kms"}, {"id": 2, "source": "kms"}]
    assert decoded(CUSTOM, json.dumps(events).encode(), 7) == read
    assert decoded(CUSTOM, json.dumps({"Records": events}).encode(), 7) == read
    assert decoded(CUSTOM, json.dumps([{"Records": events}]).encode() * 2) == read * 2


def test_an_element_of_records_that_is_no_object_is_unreadable_and_the_others_are_read() -> None:
    bad, good = decoded(CUSTOM, json.dumps({"Records": [7, wrapped({"id": 1})]}).encode())
    assert bad == Unreadable("an element of Records that is no object", b"7")
    assert good == {"id": 1, "source": "kms"}


def test_more_records_than_a_block_takes_come_in_several() -> None:
    records = [wrapped({"id": number}) for number in range(1001)]
    assert len(decoded(CUSTOM, json.dumps({"Records": records}).encode())) == 1001


def test_one_bad_line_spoils_nothing_but_itself() -> None:
    lines = [json.dumps(wrapped({"id": number})) for number in range(5)]
    lines[2] = lines[2].replace('"id": 2', '"id": oops')
    read = decoded(CUSTOM, "\n".join(lines).encode())
    assert [event["id"] for event in read if isinstance(event, dict)] == [0, 1, 3, 4]
    assert isinstance(read[2], Unreadable)
    assert read[2].reason.startswith("line 3: ")


def test_numbers_as_macie_writes_them_are_read() -> None:
    text = b'{"source":"aws.macie","detail":{"lat":-00.12,"lon":012.3,"text":"-00.1"}}'
    assert decoded(CUSTOM, text) == [{"lat": -0.12, "lon": 12.3, "text": "-00.1", "source": "macie"}]


@pytest.mark.parametrize("before", ["", "\n \n", "\ufeff"])
def test_anything_else_is_lines_of_flow_fields(before: str) -> None:
    assert (
        decoded(CUSTOM, f"{before}{FLOW}\n\n{FLOW}".encode(), 5)
        == [dict(zip(FIELDS.split(), FLOW.split(), strict=True)) | {"source": "vpc"}] * 2
    )


def test_times_of_flows_stay_as_they_are() -> None:
    (event,) = sent(CUSTOM, *decoded(CUSTOM, FLOW.encode()))
    assert (event["start"], event["end"]) == ("1620140761", "1620140821")


def test_a_flow_of_fewer_fields_has_the_first_ones_and_one_of_more_has_extra_ones() -> None:
    assert decoded(CUSTOM, b"2 111122223333\n") == [{"version": "2", "account_id": "111122223333", "source": "vpc"}]
    (event,) = decoded(CUSTOM, f"{FLOW} a b".encode())
    assert isinstance(event, dict)
    assert (event["log_status"], event["extra_1"], event["extra_2"]) == ("OK", "a", "b")


def test_a_header_of_flows_is_no_event_and_names_the_fields() -> None:
    assert decoded(CUSTOM, b"srcaddr dstaddr log-status\n10.0.0.1 10.0.0.2 OK\n") == [
        {"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "log_status": "OK", "source": "vpc"}
    ]


def test_a_line_that_is_not_utf8_is_unreadable_and_the_others_are_read() -> None:
    first, bad, last = decoded(CUSTOM, FLOW.encode() + b"\n2 \xff\n" + FLOW.encode())
    assert first == last
    assert isinstance(bad, Unreadable)
    assert (bad.reason[:8], bad.content) == ("line 2: ", b"2 \xff")


@pytest.mark.parametrize("content", [b"", b" ", b"\n\n", b" " * 100_000])
def test_where_there_is_nothing_there_are_no_events(content: bytes) -> None:
    assert decoded(CUSTOM, content, 1000) == []


def test_time_may_pass_before_the_content_tells_what_it_is() -> None:
    chunks = [b"", b" ", b"", b"{", b"", b'"detail": {}, "source": "aws.x"}']
    assert [event for block in CUSTOM.decode(iter(chunks), "key") for event in block] == [{"source": "x"}]


def test_parquet_is_told_by_its_magic_and_its_rows_are_events() -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    file = io.BytesIO()
    rows = [{"source": "mine", "n": 1, "detail": None}, {"source": None, "n": 2, "detail": {"a": 1}}]
    parquet.write_table(arrow.Table.from_pylist(rows), file)
    assert decoded(CUSTOM, file.getvalue(), 100) == [
        {"source": "mine", "n": 1, "detail": None},
        {"a": 1, "source": "custom"},
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=5),
    st.sampled_from(["", " ", "\n"]),
    st.integers(1, 60),
    st.booleans(),
)
def test_details_are_what_the_text_says(details: list[dict[str, Any]], between: str, size: int, escape: bool) -> None:
    text = between.join(json.dumps(wrapped(detail), ensure_ascii=escape) for detail in details)
    assert decoded(CUSTOM, text.encode(), size) == [{**detail, "source": "kms"} for detail in details]


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Z"]), min_size=1)


@settings(deadline=None)
@given(st.lists(st.lists(WORDS, min_size=14, max_size=14), max_size=5), st.integers(1, 60))
def test_flows_are_what_the_lines_say(flows: list[list[str]], size: int) -> None:
    flows = [["2", *flow[1:]] for flow in flows]
    text = "".join(" ".join(flow) + "\n" for flow in flows).encode()
    assert decoded(CUSTOM, text, size) == [
        {**dict(zip(FIELDS.split(), flow, strict=True)), "source": "vpc"} for flow in flows
    ]


def test_unusual_that_is_no_object_becomes_one_from_any_source() -> None:
    for value in ("x", 7, ["a", "b"], {"a": 1}):
        (event,) = sent(CUSTOM, {"source": "any", "service": {"additionalInfo": {"unusual": value}}})
        becomes = value if isinstance(value, dict) else {"value": value}
        assert event["service"]["additionalInfo"]["unusual"] == becomes
    assert sent(CUSTOM, {"service": {"additionalInfo": {"unusual": ["x"]}}}) == [
        {"service": {"additionalInfo": {"unusual": {"value": "x"}}}}
    ]
    for odd in ({"service": "x"}, {"service": {"additionalInfo": "x"}}, {"service": {"additionalInfo": {"a": 1}}}):
        assert sent(CUSTOM, odd) == [odd]


def summary(**fields: Any) -> Any:
    (event,) = sent(CUSTOM, {"source": "macie", "summary": {name.replace("_", " "): fields[name] for name in fields}})
    return event["summary"]


def test_macies_trigger_is_dropped_and_no_others() -> None:
    assert sent(CUSTOM, {"source": "macie", "trigger": {"rule": "x"}}) == [{"source": "macie"}]
    assert sent(CUSTOM, {"source": "other", "trigger": {"rule": "x"}}) == [
        {"source": "other", "trigger": {"rule": "x"}}
    ]


@pytest.mark.parametrize(
    "name",
    ["Bucket", "DLP risk", "IP", "Location", "Object", "Owner", "Themes", "Timestamps", "recipientAccountId"],
)
def test_what_macie_counts_becomes_the_list_of_what_it_counts_by(name: str) -> None:
    counts = {"a": 1, "b": {"c": 2, "d": {"e": [1, 2], "f": {}}}, "g.h": "i"}
    assert summary(**{name: counts}) == {name: ["a", "b.c", "b.d.e", "b.d.f", "g.h"]}
    assert summary(**{name: "text"}) == {name: "text"}
    assert summary(**{name: [{"a": 1}, {"b": 1}]}) == {name: [{"a": 1}, {"b": 1}]}
    (untouched,) = sent(CUSTOM, {"source": "other", "summary": {name: counts}})
    assert untouched["summary"] == {name: counts}


def test_other_fields_of_macies_summary_stay() -> None:
    assert summary(Description={"a": 1}) == {"Description": {"a": 1}}


def test_macies_events_are_counted_by_name_and_field() -> None:
    events = {
        "GetObject": {"count": 5, "ISP": {"Amazon": 5, "x": {"y": 1}}, "Error Code": {"Denied": 1}},
        "ListBucket": {"count": {"a": 1}, "text": "t"},
        "odd": 7,
    }
    assert summary(Events=events) == {
        "Events": {
            "GetObject": {"count": [""], "ISP": ["Amazon", "x.y"], "Error Code": ["Denied"]},
            "ListBucket": {"count": ["a"], "text": "t"},
            "odd": 7,
        }
    }
    assert summary(Events="text") == {"Events": "text"}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["summary", "trigger", "service"]), JSON))
def test_no_alert_is_too_odd(event: dict[str, Any]) -> None:
    assert len(sent(CUSTOM, {**event, "source": "macie"})) == 1
    macie({"summary": {"Events": event, "IP": event}})


def test_only_keys_with_the_date_right_behind_the_prefix_are_read() -> None:
    slashes, dashes = CUSTOM.layouts
    assert slashes.day("fh/2026/11/20/09/x", "fh/") == date(2026, 11, 20)
    assert slashes.day("fh/other/2026/11/20/09/x", "fh/") is None
    (stream,) = dashes.streams(Place("fh/"), lambda prefix: iter(()))
    assert dashes.day("fh/2026-11-20/x", stream) == date(2026, 11, 20)
    assert dashes.day("fh/x-2026-11-20/x", stream) is None


def test_samples_lie_where_the_layout_says_and_read_as_they_were_made_up() -> None:
    assert CUSTOM.layouts[0].day(SAMPLE.key("111122223333", "eu-west-1", START, 1), "") == date(2026, 11, 2)
    events = list(SAMPLE.events(3, 60, START, "111122223333", "eu-west-1"))
    document = SAMPLE.document(events)
    read = decoded(CUSTOM, document, 1000)
    assert read == [{**event["detail"], "source": event["source"].removeprefix("aws.")} for event in events]
    assert {event["source"] for event in sent(CUSTOM, *read)} == {"macie", "guardduty", "kms", "trustedadvisor"}
