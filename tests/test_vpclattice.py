"""VPC Lattice's access logs: requests to services, and connections to resources."""

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.vpclattice import VPCLATTICE
from awsflow.samples import SAMPLES
from tests.decoding import decoded

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
SAMPLE = SAMPLES["vpclattice"]
RESOURCE = {
    "eventTimestamp": "2026-11-02T10:10:10.123Z",
    "serviceNetworkArn": "arn:aws:vpc-lattice:eu-west-1:111122223333:servicenetwork/sn-1",
    "resourceConfigurationArn": "arn:aws:vpc-lattice:eu-west-1:111122223333:resourceconfiguration/rcfg-1",
    "protocol": "tcp",
}


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), max_size=5), st.integers(1, 60))
def test_requests_are_what_the_lines_say(events: list[dict[str, Any]], size: int) -> None:
    lines = "\n".join(json.dumps(event) for event in events).encode()
    assert decoded(VPCLATTICE, lines, size) == [{**event, "source": "vpclattice"} for event in events]


def test_connections_to_resources_are_read_and_told_by_their_looks() -> None:
    line = json.dumps(RESOURCE).encode()
    assert VPCLATTICE.looks_like(line)
    assert decoded(VPCLATTICE, line) == [{**RESOURCE, "source": "vpclattice"}]


def test_a_broken_line_is_unreadable_and_the_others_are_read() -> None:
    _, bad, _ = decoded(VPCLATTICE, b'{"a":1}\noops\n{"a":2}')
    assert isinstance(bad, Unreadable)
    assert (bad.reason.partition(":")[0], bad.content) == ("line 2", b"oops")


def test_samples_lie_where_the_layout_says_and_read_as_they_were_made_up() -> None:
    key = SAMPLE.key("111122223333", "eu-west-1", START, 1)
    services, resources = VPCLATTICE.layouts
    assert services.day(key, "AWSLogs/111122223333/VpcLattice/AccessLogs/eu-west-1/") == date(2026, 11, 2)
    assert services.holds(key)
    assert not resources.holds(key)
    events = list(SAMPLE.events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(VPCLATTICE, gzip.decompress(SAMPLE.document(events)), 1000)
    assert read == [{**event, "source": "vpclattice"} for event in events]
