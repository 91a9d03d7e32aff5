"""GuardDuty's findings: as it exports them, and as EventBridge hands them on."""

import copy
import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.guardduty import GUARDDUTY
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
NATIVE, FIREHOSE = GUARDDUTY.layouts


def probe(*ports: Any, **more: Any) -> dict[str, Any]:
    action = {"actionType": "PORT_PROBE", "portProbeAction": {"blocked": False, "portProbeDetails": list(ports)}}
    return {"service": {"serviceName": "guardduty", "action": action, "count": 1}, **more}


def test_the_source_is_the_service_that_the_finding_names() -> None:
    lines = b'{"id": "1", "service": {"serviceName": "guardduty"}}\n{"id": "2", "service": {"serviceName": "other"}}\n'
    assert [event["source"] for event in decoded(GUARDDUTY, lines) if isinstance(event, dict)] == ["guardduty", "other"]


@pytest.mark.parametrize("finding", [{}, {"service": {}}, {"service": "x"}, {"service": {"serviceName": 7}}])
def test_a_finding_that_names_no_service_is_guarddutys(finding: dict[str, Any]) -> None:
    assert decoded(GUARDDUTY, json.dumps(finding).encode()) == [{**finding, "source": "guardduty"}]


def test_findings_that_come_through_eventbridge_are_taken_out_of_their_envelopes() -> None:
    content = (
        b'{"version": "0", "source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"id": "1"}}'
        b'{"source": "aws.macie", "detail": {"id": "2", "source": "x"}}\n'
        b'{"detail": {"id": "3", "source": "mine"}}{"detail": {"id": "4"}}'
    )
    assert decoded(GUARDDUTY, content) == [
        {"id": "1", "source": "guardduty"},
        {"id": "2", "source": "macie"},
        {"id": "3", "source": "mine"},
        {"id": "4", "source": "guardduty"},
    ]


def test_a_detail_that_is_no_object_is_unreadable() -> None:
    (bad, good) = decoded(GUARDDUTY, b'{"source": "aws.guardduty", "detail": "text"}\n{"id": "1"}')
    assert bad == Unreadable("its detail is no object", b'{"source":"aws.guardduty","detail":"text"}')
    assert good == {"id": "1", "source": "guardduty"}


def test_a_line_that_is_no_json_is_unreadable_and_the_others_are_read() -> None:
    first, bad, last = decoded(GUARDDUTY, b'{"id": "1"}\n{"id": oops}\n{"id": "2"}\n')
    assert (first, last) == ({"id": "1", "source": "guardduty"}, {"id": "2", "source": "guardduty"})
    assert isinstance(bad, Unreadable)
    assert bad.reason.startswith("line 2: ")


def test_several_probed_ports_become_one_event_each() -> None:
    ports = [{"localPortDetails": {"port": port}} for port in (22, 80, 443)]
    events = sent(GUARDDUTY, probe(*ports, id="f"))
    assert [event["service"]["action"]["portProbeAction"]["portProbeDetails"] for event in events] == ports
    assert [list(event) for event in events] == [["service", "id"]] * 3
    assert events[0]["service"]["action"]["portProbeAction"] == {"blocked": False, "portProbeDetails": ports[0]}
    assert [event["service"]["count"] for event in events] == [1, 1, 1]


def test_several_probed_ports_get_no_common_shape_but_lose_their_nulls() -> None:
    finding = probe(1, 2, tags=["a"], sourceIPAddress="192.0.2.1", evidence=None, inner={"x": None, "y": ["z"]})
    for event in sent(GUARDDUTY, finding):
        del event["service"]
        assert event == {"tags": ["a"], "sourceIPAddress": "192.0.2.1", "inner": {"y": ["z"]}}


def test_one_probed_port_and_any_other_finding_get_the_common_shape() -> None:
    (one,) = sent(GUARDDUTY, probe({"port": 22}, tags=["a"]))
    assert one["tags"] == {"value": "a"}
    assert one["service"]["action"]["portProbeAction"]["portProbeDetails"] == {"port": 22}
    assert sent(GUARDDUTY, probe(tags=["a", "b"]))[0]["tags"] == {"value": ["a", "b"]}
    assert sent(GUARDDUTY, {"service": {"action": {"x": ["y"], "z": None}}}) == [{"service": {"action": {"x": "y"}}}]


@pytest.mark.parametrize(
    "finding",
    [
        {"service": ["x", "y"]},
        {"service": {"action": "x"}},
        {"service": {"action": {"portProbeAction": 7}}},
        {"service": {"action": {"portProbeAction": {"portProbeDetails": "text"}}}},
        {"service": {"action": {"portProbeAction": {"portProbeDetails": {"a": 1, "b": 2}}}}},
    ],
)
def test_a_finding_of_another_structure_is_sent_as_it_is(finding: dict[str, Any]) -> None:
    assert sent(GUARDDUTY, copy.deepcopy(finding)) == [finding]


TEXTS = st.text()
FINDINGS = st.dictionaries(
    TEXTS.filter(lambda name: name not in ("detail", "source")),
    st.recursive(
        TEXTS | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=3,
)


@settings(deadline=None)
@given(st.lists(FINDINGS, max_size=5), st.integers(1, 60), st.booleans())
def test_findings_are_what_the_lines_say(findings: list[dict[str, Any]], size: int, escape: bool) -> None:
    lines = "".join(json.dumps(finding, ensure_ascii=escape) + "\n" for finding in findings).encode()
    read = decoded(GUARDDUTY, lines, size)
    assert read == [{**finding, "source": "guardduty"} for finding in findings]


def test_a_file_lies_in_guarddutys_folder_or_by_date() -> None:
    key = SAMPLES["guardduty"].key("111122223333", "eu-west-1", START, 1)
    assert NATIVE.day(key, "AWSLogs/111122223333/GuardDuty/eu-west-1/") == date(2026, 11, 2)
    assert FIREHOSE.day("gd/2026/11/02/23/x", "gd/") == date(2026, 11, 2)
    assert GUARDDUTY.account is False


def test_samples_read_as_they_were_made_up() -> None:
    events = list(SAMPLES["guardduty"].events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(GUARDDUTY, gzip.decompress(SAMPLES["guardduty"].document(events)), 1000)
    assert read == [{**event, "source": "guardduty"} for event in events]
    assert len(sent(GUARDDUTY, *read)) > 60, "there are findings of several ports among them"
