"""Resolver's query logs: a DNS query each line, in a folder for each VPC."""

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Unreadable
from awsflow.logtypes.layout import Place
from awsflow.logtypes.route53resolver import ROUTE53RESOLVER
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
SAMPLE = SAMPLES["route53resolver"]
(LAYOUT,) = ROUTE53RESOLVER.layouts


@settings(deadline=None)
@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.lists(st.text()) | st.none()), max_size=5), st.integers(1, 60)
)
def test_queries_are_what_the_lines_say(queries: list[dict[str, Any]], size: int) -> None:
    lines = "".join(json.dumps(query) + "\n" for query in queries).encode()
    assert decoded(ROUTE53RESOLVER, lines, size) == [{**query, "source": "route53resolver"} for query in queries]


def test_a_broken_line_is_unreadable_and_the_others_are_read() -> None:
    first, broken, number, last = decoded(ROUTE53RESOLVER, b'{"a":1}\n{"a":\n7\n\n{"a":2}')
    assert [first, last] == [{"a": 1, "source": "route53resolver"}, {"a": 2, "source": "route53resolver"}]
    assert isinstance(broken, Unreadable)
    assert broken.reason.startswith("line 2: ")
    assert isinstance(number, Unreadable)
    assert number.content == b"7"


def test_there_is_a_folder_for_each_vpc_even_where_regions_are_given() -> None:
    base = "AWSLogs/111122223333/vpcdnsquerylogs/"
    below = {base: ["vpc-1", "vpc-2"]}
    place = Place(accounts=("111122223333",), regions=("eu-west-1",))
    assert list(LAYOUT.streams(place, lambda prefix: iter(below[prefix]))) == [f"{base}vpc-1/", f"{base}vpc-2/"]
    assert LAYOUT.shown == "AWSLogs/ACCOUNT/vpcdnsquerylogs/VPC/YYYY/MM/DD/"
    key = SAMPLE.key("111122223333", "eu-west-1", START, 1)
    assert LAYOUT.day(key, key[: key.index("2026/")]) == date(2026, 11, 2)


def test_samples_read_as_they_were_made_up() -> None:
    events = list(SAMPLE.events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(ROUTE53RESOLVER, gzip.decompress(SAMPLE.document(events)), 1000)
    assert read == [{**event, "source": "route53resolver"} for event in events]
    assert {type(event["answers"]) for event in sent(ROUTE53RESOLVER, *read)} == {dict, list}
    assert all(event[ROUTE53RESOLVER.time_field].endswith("Z") for event in events)
