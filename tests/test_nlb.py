"""Network load balancers' access logs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Block, Origin, Record, Unreadable
from awsflow.logtypes.nlb import TABLE, decode, finish
from awsflow.stages import discard
from tests.test_lines import cut

NAMES = TABLE.names
FIRST = (
    "tls 2.0 2026-11-20T00:00:00 net/my-nlb/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.1:51341 10.0.0.1:443 5 2 98 246 "
    "- arn:aws:acm:us-east-2:671290407336:certificate/2a108f19 - ECDHE-RSA-AES128-SHA tlsv12 - my-nlb.example.com"
)
LINE = FIRST + ' h2 h2 "h2","http/1.1" 2026-11-19T23:59:59'


def decoded(*lines: str) -> Block:
    text = "\n".join(lines).encode()
    return [event for block in decode(iter([text]), "x.log") for event in block]


def test_every_column_has_its_name() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert list(event) == [*NAMES, "client_ip", "destination_ip", "source"]
    assert event["source"] == "nlb"
    assert event["tls_connection_creation_time"] == "2026-11-19T23:59:59"


def test_a_list_of_protocols_stays_as_it_is() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert event["alpn_client_preference_list"] == '"h2","http/1.1"'
    assert event["alpn_be_protocol"] == "h2"


def test_quotes_around_a_column_come_off() -> None:
    (event,) = decoded(FIRST.replace("my-nlb.example.com", '"my-nlb.example.com"') + ' "-" "a b"')
    assert isinstance(event, dict)
    assert event["domain_name"] == "my-nlb.example.com"
    assert event["alpn_client_preference_list"] == "a b"


def test_of_twenty_columns_the_last_is_what_the_client_prefers() -> None:
    (event,) = decoded(FIRST + " - h2")
    assert isinstance(event, dict)
    assert list(event)[:20] == [*NAMES[:19], "alpn_client_preference_list"]
    assert "alpn_be_protocol" not in event
    assert event["alpn_client_preference_list"] == "h2"


def test_columns_that_aws_added_later_may_be_missing() -> None:
    of_2019, short = decoded(FIRST, FIRST.rsplit(" ", 1)[0])
    assert isinstance(of_2019, dict)
    assert list(of_2019) == [*NAMES[:18], "client_ip", "destination_ip", "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == "line 2: 17 columns, where 18 are the least"


def test_columns_beyond_the_known_ones_are_extra_and_not_under_the_key_null() -> None:
    (event,) = decoded(LINE + " more")
    assert isinstance(event, dict)
    assert (event["extra_1"], event["source"]) == ("more", "nlb")


@pytest.mark.parametrize("whose", ["client", "destination"])
@pytest.mark.parametrize(
    ("address", "ip", "port"),
    [
        ("192.0.2.1:443", "192.0.2.1", "443"),
        ("[::1]:443", "::1", "443"),
        ("-", "-", "-"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_ports_stay_and_ips_get_fields_of_their_own(whose: str, address: str, ip: str, port: str) -> None:
    columns = FIRST.split()
    columns[NAMES.index(f"{whose}_port")] = address
    (event,) = decoded(" ".join(columns))
    assert isinstance(event, dict)
    assert (event[f"{whose}_port"], event[f"{whose}_ip"]) == (port, ip)


@pytest.mark.parametrize(("field", "pattern", "left"), [("client_ip", "192[.]", 0), ("client_port", "192[.]", 1)])
def test_events_can_be_discarded_by_the_fields_that_are_sent(field: str, pattern: str, left: int) -> None:
    records = [Record(event, Origin(), 1) for event in decoded(LINE) if isinstance(event, dict)]
    assert len(list(discard(field, pattern)(records))) == left


VALUE = st.text(st.sampled_from("ab1:/.-é,"), min_size=1, max_size=12)


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(VALUE, min_size=21, max_size=24), max_size=4),
    ends=st.lists(st.integers(0, 600), max_size=6),
)
def test_what_is_written_as_aws_does_is_read_back(rows: list[list[str]], ends: list[int]) -> None:
    data = "".join(" ".join(row) + "\n" for row in rows).encode()
    names = (*NAMES, "extra_1", "extra_2")
    assert [event for block in decode(cut(data, ends), "x") for event in block] == [
        {**finish(dict(zip(names, row, strict=False))), "source": "nlb"} for row in rows
    ]
