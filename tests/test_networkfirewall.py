"""Network Firewall's logs: alerts, flows and TLS, each in folders for region and firewall."""

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.layout import Place
from awsflow.logtypes.networkfirewall import NETWORKFIREWALL
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
SAMPLE = SAMPLES["networkfirewall"]
FLOW = {
    "firewall_name": "f",
    "availability_zone": "us-east-1b",
    "event_timestamp": "1601587565",
    "event": {"event_type": "netflow", "proto": "TCP", "netflow": {"pkts": 1, "bytes": 60}},
}
TLS = {
    "firewall_name": "f",
    "availability_zone": "us-east-1d",
    "event_timestamp": 1719943304,
    "event": {"sni": "-", "tls_error": {"error_message": "SNI: x.com Match Failed"}},
}


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), max_size=5), st.integers(1, 60))
def test_events_are_what_the_lines_say(events: list[dict[str, Any]], size: int) -> None:
    lines = "".join(json.dumps(event) + "\r\n" for event in events).encode()
    assert decoded(NETWORKFIREWALL, lines, size) == [{**event, "source": "networkfirewall"} for event in events]


@pytest.mark.parametrize("event", [FLOW, TLS])
def test_flows_and_tls_logs_are_read_and_told_by_their_looks(event: dict[str, Any]) -> None:
    line = json.dumps(event).encode()
    assert NETWORKFIREWALL.looks_like(line)
    (read,) = decoded(NETWORKFIREWALL, line)
    assert sent(NETWORKFIREWALL, read) == [{**event, "source": "networkfirewall"}]


def test_a_broken_line_is_unreadable_and_the_others_are_read() -> None:
    _, bad, _ = decoded(NETWORKFIREWALL, b'{"a":1}\n{"a":1}}\n{"a":2}')
    assert isinstance(bad, Unreadable)
    assert (bad.reason.partition(":")[0], bad.content) == ("line 2", b'{"a":1}}')


def test_alerts_flows_and_tls_logs_have_a_folder_each() -> None:
    assert [layout.shown for layout in NETWORKFIREWALL.layouts] == [
        f"AWSLogs/ACCOUNT/network-firewall/{kind}/REGION/FIREWALL/YYYY/MM/DD/" for kind in ("alert", "flow", "tls")
    ]
    base = "AWSLogs/111122223333/network-firewall/tls/eu-west-1/"
    place = Place(accounts=("111122223333",), regions=("eu-west-1",))
    streams = NETWORKFIREWALL.layouts[2].streams(place, lambda prefix: iter({base: ["one", "two"]}[prefix]))
    assert list(streams) == [f"{base}one/", f"{base}two/"]


def test_samples_lie_where_the_layout_says_and_read_as_they_were_made_up() -> None:
    key = SAMPLE.key("111122223333", "eu-west-1", START, 1)
    assert NETWORKFIREWALL.layouts[0].day(key, key[: key.index("2026/")]) == date(2026, 11, 2)
    events = list(SAMPLE.events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(NETWORKFIREWALL, gzip.decompress(SAMPLE.document(events)), 1000)
    assert read == [{**event, "source": "networkfirewall"} for event in events]
