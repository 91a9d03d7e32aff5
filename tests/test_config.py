"""AWS Config's items: what Wazuh's index holds of them, and where they lie."""

import gzip
import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.config import CONFIG
from awsflow.logtypes.layout import Place
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
STREAM = "AWSLogs/123456789012/Config/eu-west-1/"
(LAYOUT,) = CONFIG.layouts


def configuration(**fields: Any) -> Any:
    (event,) = sent(CONFIG, {"configuration": fields})
    return event["configuration"]


def test_every_item_gets_its_source() -> None:
    document = json.dumps({"fileVersion": "1.0", "configurationItems": [{"resourceId": "r"}, {"source": "x"}]})
    assert decoded(CONFIG, document.encode()) == [{"resourceId": "r", "source": "config"}, {"source": "config"}]


def test_an_item_that_is_no_object_is_unreadable_and_the_others_are_read() -> None:
    events = decoded(CONFIG, b'{"configurationItems": [{"a": 1}, 7, {"a": 2}]}')
    assert events[::2] == [{"a": 1, "source": "config"}, {"a": 2, "source": "config"}]
    assert isinstance(events[1], Unreadable)
    assert events[1].content == b"7"


def test_a_notification_of_an_oversized_change_has_no_items() -> None:
    assert decoded(CONFIG, b'{"configurationItemDiff": {}, "configurationItem": {"resourceId": "r"}}') == []


def test_an_item_without_configuration_is_left() -> None:
    assert sent(CONFIG, {"a": 1}, {"configuration": None}, {"configuration": "text"}) == [
        {"a": 1},
        {},
        {"configuration": "text"},
    ]


def test_content_becomes_the_list_of_its_keys_in_any_member() -> None:
    assert configuration(Policy={"Content": {"b": 1, "a": {"c": 2}}}, other={"Content": {}}) == {
        "Policy": {"Content": ["b", "a"]},
        "other": {"Content": []},
    }
    assert configuration(Policy={"Content": "text"}, Content={"a": 1}, deep={"er": {"Content": {"a": 1}}}) == {
        "Policy": {"Content": "text"},
        "Content": {"a": 1},
        "deep": {"er": {"Content": {"a": 1}}},
    }


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("sg-1", {"groupId": ["sg-1"]}),
        (["sg-1"], {"groupId": ["sg-1"]}),
        (["sg-1", "sg-2"], {"groupId": ["sg-1", "sg-2"]}),
        (
            [{"groupId": "sg-1", "groupName": "a"}, {"groupId": "sg-2", "more": 1}],
            {"groupId": ["sg-1", "sg-2"], "groupName": ["a"]},
        ),
        ([{"groupName": "a"}, {"groupName": None}], {"groupName": ["a"]}),
        ([{"groupId": "sg-1", "groupName": "a"}], {"groupId": ["sg-1"], "groupName": ["a"]}),
        ({"groupId": "sg-1", "other": {"x": 1}}, {"groupId": ["sg-1"], "other": [{"x": 1}]}),
        ([], {}),
        ([1, 2], {}),
        ({}, {}),
        (7, 7),
        (True, True),
    ],
)
def test_security_groups_become_lists_of_ids_and_names(value: Any, becomes: Any) -> None:
    assert configuration(securityGroups=value) == {"securityGroups": becomes}


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("eu-west-1a", {"zoneName": ["eu-west-1a"]}),
        (["eu-west-1a", "eu-west-1b"], {"zoneName": ["eu-west-1a", "eu-west-1b"]}),
        (
            [{"zoneName": "eu-west-1a", "subnetId": "s"}, {"zoneName": "eu-west-1b"}],
            {"subnetId": ["s"], "zoneName": ["eu-west-1a", "eu-west-1b"]},
        ),
        ([{"zoneName": "eu-west-1a", "subnetId": "s"}], {"zoneName": ["eu-west-1a"], "subnetId": ["s"]}),
        ([], {}),
        (1.5, 1.5),
    ],
)
def test_availability_zones_become_lists_of_names_and_subnets(value: Any, becomes: Any) -> None:
    assert configuration(availabilityZones=value) == {"availabilityZones": becomes}


@pytest.mark.parametrize("field", ["state", "iamInstanceProfile"])
def test_a_text_becomes_a_name_where_other_resources_have_an_object(field: str) -> None:
    assert configuration(**{field: "text"}) == {field: {"name": "text"}}
    assert configuration(**{field: {"code": 16, "name": "running"}}) == {field: {"code": 16, "name": "running"}}
    assert configuration(**{field: 16}) == {field: 16}


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (1600000000, 1600000000.0),
        (1600000000.5, 1600000000.5),
        ("2020-01-02T03:04:05.678Z", 1577934245.0),
        ("2020-01-02T03:04:05Z", 1577934245.0),
        ("1969-12-31T23:59:59.000Z", -1.0),
        ("2020-01-02T03:04:05.678+02:00", "2020-01-02T03:04:05.678+02:00"),
        ("2020-13-02T03:04:05.678Z", "2020-13-02T03:04:05.678Z"),
        ("2020-01-02", "2020-01-02"),
        (10**400, 10**400),
        (True, True),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_a_created_time_becomes_a_float(value: Any, becomes: Any) -> None:
    (created,) = configuration(createdTime=value).values()
    assert (created, created.__class__) == (becomes, becomes.__class__)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_a_created_time_is_in_utc_wherever_the_machine_is(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert configuration(createdTime="2020-07-02T03:04:05.678Z") == {"createdTime": 1593659045.0}
    finally:
        monkeypatch.undo()
        time.tzset()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["securityGroups", "availabilityZones", "state", "iamInstanceProfile", "createdTime", "Policy", "Content"]
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text() | st.just("configuration"), JSON), max_size=4), st.integers(1, 99))
def test_items_are_what_the_document_says(items: list[dict[str, Any]], size: int) -> None:
    document = json.dumps({"fileVersion": "1.0", "configurationItems": items}).encode()
    assert decoded(CONFIG, document, size) == [{**item, "source": "config"} for item in items]


@settings(deadline=None)
@given(st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON)))
def test_no_configuration_is_too_odd(fields: dict[str, Any]) -> None:
    assert len(sent(CONFIG, {"configuration": fields})) == 1


def test_months_and_days_without_zeros_are_read_in_the_order_of_the_days() -> None:
    below = {
        STREAM: ["2025", "2026", "x"],
        f"{STREAM}2026/": ["10", "11", "9"],
        f"{STREAM}2026/10/": ["9"],
        f"{STREAM}2026/11/": ["1", "10", "2", "09"],
    }
    listings = LAYOUT.listings(STREAM, date(2026, 10, 9), date(2026, 11, 24), lambda prefix: iter(below[prefix]))
    assert [prefix.removeprefix(STREAM) for prefix, _ in listings] == [
        "2026/10/9/",
        "2026/11/1/",
        "2026/11/2/",
        "2026/11/09/",
        "2026/11/10/",
    ]
    assert LAYOUT.day(f"{STREAM}2026/11/2/ConfigHistory/x.json.gz", STREAM) == date(2026, 11, 2)


def test_samples_lie_where_the_layout_says_and_read_as_they_were_made_up() -> None:
    sample = SAMPLES["config"]
    events = list(sample.events(3, 60, START, "111122223333", "eu-west-1"))
    key = sample.key("111122223333", "eu-west-1", START, 1)
    assert LAYOUT.day(key, "AWSLogs/111122223333/Config/eu-west-1/") == date(2026, 11, 2)
    assert LAYOUT.base(Place()) == "AWSLogs/"
    read = decoded(CONFIG, gzip.decompress(sample.document(events)), 1000)
    assert read == [{**event, "source": "config"} for event in events]
    assert all(shaped["awsAccountId"] == "111122223333" for shaped in sent(CONFIG, *read))
