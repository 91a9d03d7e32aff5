"""The envelope and the shape that Wazuh's rules expect."""

import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.envelope import common, drop_nulls, plain_json, tell_failures, wazuh_json
from awsflow.errors import DecodeError
from awsflow.items import Barrier, Event, Failure, Item, Origin, Record, Shape
from awsflow.stages import Stage

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=20,
)
events = st.dictionaries(st.text(max_size=5), json_values, max_size=5)


def sent(event: Event, shape: Shape | None = common, account: str = "") -> Any:
    origin = Origin(bucket="logs", key="a/b.json.gz", alias="prod", account=account, shape=shape)
    (record,) = wazuh_json([Record(event, origin, 1)])
    assert isinstance(record, Record)
    assert isinstance(record.event, bytes)
    return json.loads(record.event)


def plainly(value: Any, inside_list: bool = False) -> Any:
    """Steps 2 and 4 as the specification words them, one after the other, on a copy."""
    if isinstance(value, dict):
        without_nulls = {name: plainly(field) for name, field in value.items() if field is not None}
        return {
            name: field[0] if isinstance(field, list) and len(field) == 1 else field
            for name, field in without_nulls.items()
        }
    return value


@given(events)
def test_nulls_go_and_lists_of_one_are_unwrapped_outside_of_lists_only(event: dict[str, Any]) -> None:
    expected = plainly(event)
    assert common(json.loads(json.dumps(event))) == expected


@given(events)
def test_drop_nulls_drops_nothing_else(event: dict[str, Any]) -> None:
    def without(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: without(field) for name, field in value.items() if field is not None}

    assert drop_nulls(json.loads(json.dumps(event))) == without(event)


@given(events)
def test_the_envelope_holds_the_event_and_where_it_comes_from(event: dict[str, Any]) -> None:
    expected = {name: field for name, field in event.items() if name != "log_info"}
    log_info = {"aws_account_alias": "prod", "log_file": "a/b.json.gz", "s3bucket": "logs"}
    body = sent(event, shape=None)
    assert body == {"integration": "aws", "aws": {"log_info": log_info, **expected}}


@given(events)
def test_an_event_of_a_service_has_no_log_info_and_one_without_envelope_is_sent_alone(
    event: dict[str, Any],
) -> None:
    bodies = [
        record.event
        for envelope in ("service", "none")
        for record in wazuh_json([Record(dict(event), Origin(envelope=envelope), 1)])
        if isinstance(record, Record) and isinstance(record.event, bytes)
    ]
    assert [json.loads(body) for body in bodies] == [{"integration": "aws", "aws": event}, event]


def test_an_event_of_a_queues_object_has_no_alias() -> None:
    origin = Origin(bucket="b", key="k", alias="prod", envelope="object")
    (record,) = wazuh_json([Record({"a": 1}, origin, 1)])
    assert isinstance(record, Record)
    assert isinstance(record.event, bytes)
    assert json.loads(record.event)["aws"] == {"log_info": {"log_file": "k", "s3bucket": "b"}, "a": 1}


def test_a_field_named_log_info_does_not_replace_ours() -> None:
    assert sent({"log_info": {"log_file": "forged"}})["aws"]["log_info"]["log_file"] == "a/b.json.gz"


def test_the_account_of_the_path_wins_over_a_field_of_that_name() -> None:
    assert sent({"aws_account_id": "forged"}, account="123456789012")["aws"]["aws_account_id"] == "123456789012"


def test_an_empty_event_is_sent() -> None:
    assert set(sent({})["aws"]) == {"log_info"}


def test_an_address_is_copied_when_it_starts_like_ipv4() -> None:
    assert sent({"sourceIPAddress": "192.0.2.1"})["aws"]["source_ip_address"] == "192.0.2.1"
    assert "source_ip_address" not in sent({"sourceIPAddress": "ec2.amazonaws.com"})["aws"]
    assert "source_ip_address" not in sent({"sourceIPAddress": 7})["aws"]


def test_tags_that_are_no_object_become_one() -> None:
    assert sent({"tags": ["a", "b"]})["aws"]["tags"] == {"value": ["a", "b"]}
    assert sent({"tags": ["a"]})["aws"]["tags"] == {"value": "a"}
    assert sent({"tags": {"a": "b"}})["aws"]["tags"] == {"a": "b"}


def test_a_shape_may_make_several_events_of_one() -> None:
    origin = Origin(shape=lambda event: [{"n": n} for n in event["ns"]])
    bodies = [
        json.loads(item.event)
        for item in wazuh_json([Record({"ns": [1, 2]}, origin, 1)])
        if isinstance(item, Record) and isinstance(item.event, bytes)
    ]
    assert [body["aws"]["n"] for body in bodies] == [1, 2]


def test_text_and_bytes_are_sent_as_they_are() -> None:
    items = list(wazuh_json([Record("plain é", Origin(), 1), Record(b"done", Origin(), 2)]))
    assert [item.event for item in items if isinstance(item, Record)] == ["plain é".encode(), b"done"]


def test_digits_text_and_order_survive() -> None:
    origin = Origin(bucket="b", key="k")
    event = {"z": 12345678901234567890123, "a": "\u2028\ud83d\ude00", "m": 1.5}
    (record,) = wazuh_json([Record(event, origin, 1)])
    assert isinstance(record, Record)
    assert isinstance(record.event, bytes)
    assert b'"z":12345678901234567890123,"a":' in record.event
    assert list(json.loads(record.event)["aws"]) == ["log_info", "z", "a", "m"]


def test_wazuh_is_told_of_an_object_that_cannot_be_read_and_not_of_a_line() -> None:
    origin = Origin(bucket="logs", key="bad.json.gz", alias="prod")
    whole = Failure(origin, 3, DecodeError("reading s3://logs/bad.json.gz: not JSON at byte 7"))
    line = Failure(origin, 4, DecodeError("not JSON"), b"{")
    items: list[Item] = [whole, line, Barrier(1)]
    first, told, second, barrier = wazuh_json(tell_failures(items))
    assert (first, second, barrier) == (whole, line, Barrier(1))
    assert isinstance(told, Record)
    assert isinstance(told.event, bytes)
    assert json.loads(told.event) == {
        "integration": "aws",
        "aws": {"log_info": {"aws_account_alias": "prod", "log_file": "bad.json.gz", "s3bucket": "logs"}},
        "error_msg": "reading s3://logs/bad.json.gz: not JSON at byte 7",
    }


def test_plain_json_is_the_event_alone() -> None:
    (record,) = plain_json([Record({"a": [None]}, Origin(shape=common), 1)])
    assert isinstance(record, Record)
    assert record.event == b'{"a":[null]}'


@pytest.mark.parametrize("encode", [wazuh_json, plain_json])
@pytest.mark.parametrize("made", [OrderedDict(a=1), MappingProxyType({"a": 1})])
def test_any_mapping_that_a_stage_makes_is_an_event(encode: Stage, made: Any) -> None:
    (record,) = encode([Record(made, Origin(envelope="none"), 1)])
    assert isinstance(record, Record)
    assert record.event == b'{"a":1}'


@pytest.mark.parametrize("encode", [wazuh_json, plain_json])
@pytest.mark.parametrize("made", [None, 5, [{"a": 1}], ({"a": 1},)])
def test_what_is_no_event_is_refused_and_the_record_is_named(encode: Stage, made: Any) -> None:
    with pytest.raises(TypeError, match=rf"record 7 of s3://b/k: a stage has made {type(made).__name__} of it; "):
        list(encode([Record(made, Origin("b", "k"), 7)]))
