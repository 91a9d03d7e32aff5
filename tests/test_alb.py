"""Application load balancers' access logs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Block, Origin, Record, Unreadable
from awsflow.logtypes.alb import ALB, TABLE, decode, finish
from awsflow.stages import discard
from tests.test_lines import cut

NAMES = TABLE.names
LINE = (
    "https 2026-11-20T00:00:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.10:57950 10.0.0.1:80 0.000 0.001 0.000 200 "
    '200 34 366 "GET https://www.example.com:443/a?b=c HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 "Root=1-58337262-36d228ad" '
    '"www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/1234" 0 2026-11-20T00:00:00.364000Z '
    '"forward,redirect" "-" "-" "10.0.0.1:80 10.0.0.2:81" "200 -" "-" "-" TID_1234 "-" "-" "-"'
)
IN_QUOTES = {"request", "user_agent", "trace_id", "domain_name", "redirect_url", "target_port_list", "error_reason"}


def decoded(*lines: str) -> Block:
    text = "\n".join(lines).encode()
    return [event for block in decode(iter([text]), "x.log") for event in block]


def finished(field: str, value: str) -> dict[str, Any]:
    """The event of a line that has nothing but this."""
    event = {**dict.fromkeys(("client_port", "target_port"), "-"), field: value}
    return {name: value for name, value in finish(event).items() if value != "-" or name == field}


def test_every_column_has_its_name_and_stays_as_it_is_but_for_addresses() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert list(event) == [*NAMES, "client_ip", "target_ip", "target_ip_list", "source"]
    assert event["source"] == "alb"
    assert event["request"] == "GET https://www.example.com:443/a?b=c HTTP/1.1"
    assert event["received_bytes"] == "34"
    assert event["conn_trace_id"] == "TID_1234"
    assert all(isinstance(value, str) for value in event.values())


def test_ports_stay_and_ips_get_fields_of_their_own() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert (event["client_ip"], event["client_port"]) == ("192.0.2.10", "57950")
    assert (event["target_ip"], event["target_port"]) == ("10.0.0.1", "80")
    assert (event["target_ip_list"], event["target_port_list"]) == ("10.0.0.1 10.0.0.2", "80 81")


@pytest.mark.parametrize(("field", "pattern", "left"), [("client_ip", "192[.]", 0), ("client_port", "192[.]", 1)])
def test_events_can_be_discarded_by_the_fields_that_are_sent(field: str, pattern: str, left: int) -> None:
    records = [Record(event, Origin(), 1) for event in decoded(LINE) if isinstance(event, dict)]
    assert len(list(discard(field, pattern)(records))) == left


@pytest.mark.parametrize("field", ["client_port", "target_port", "target_port_list"])
def test_a_dash_stays_as_it_is_without_an_ip_field(field: str) -> None:
    assert finished(field, "-") == {field: "-"}


def test_ipv6_is_split_at_the_last_colon_and_loses_its_brackets() -> None:
    """Unlike in Wazuh's own module, which splits it wrongly."""
    assert finished("client_port", "[::1]:443") == {"client_port": "443", "client_ip": "::1"}
    assert finished("target_port_list", "[2001:db8::1]:80 10.0.0.1:81") == {
        "target_port_list": "80 81",
        "target_ip_list": "2001:db8::1 10.0.0.1",
    }


def test_lists_keep_their_order_where_one_is_no_address() -> None:
    assert finished("target_port_list", "10.0.0.1:80 - 10.0.0.2:81") == {
        "target_port_list": "80 - 81",
        "target_ip_list": "10.0.0.1 - 10.0.0.2",
    }


def test_columns_that_aws_added_later_may_be_missing() -> None:
    columns = LINE.split(" ")
    first = " ".join(columns[: columns.index('"Root=1-58337262-36d228ad"') + 1])
    of_2016, with_space, short = decoded(first, first + " ", first.rsplit(" ", 1)[0])
    assert of_2016 == with_space
    assert isinstance(of_2016, dict)
    assert list(of_2016) == [*NAMES[:18], "client_ip", "target_ip", "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == "line 3: 17 columns, where 18 are the least"


def test_columns_that_aws_adds_in_future_are_extra_and_not_under_the_key_null() -> None:
    (event,) = decoded(LINE + ' 10.0.0.7 "a b"')
    assert isinstance(event, dict)
    assert list(event)[len(NAMES) : len(NAMES) + 2] == ["extra_1", "extra_2"]
    assert (event["extra_1"], event["extra_2"]) == ("10.0.0.7", "a b")


def test_the_columns_behind_the_classification_are_named() -> None:
    assert NAMES[-5:] == (
        *("classification_reason", "conn_trace_id", "transformed_host", "transformed_uri", "request_transform_status"),
    )


def test_a_bad_line_spoils_nothing_but_itself() -> None:
    good, bad, again = decoded(LINE, LINE.replace('7.46.0"', "7.46.0"), LINE)
    assert good == again
    assert isinstance(bad, Unreadable)
    assert bad.reason.startswith("line 2: ")


VALUES = st.text(st.characters(codec="utf-8", exclude_characters='\n\r"'), max_size=20)
BARE = st.text(st.sampled_from("ab1:/.-é[]"), min_size=1, max_size=12)
ROW = st.tuples(*(VALUES if name in IN_QUOTES else BARE for name in NAMES))


@settings(deadline=None)
@given(
    rows=st.lists(ROW, max_size=3),
    ends=st.lists(st.integers(0, 1500), max_size=6),
    crlf=st.booleans(),
)
def test_what_is_written_as_aws_does_is_read_back(rows: list[tuple[str, ...]], ends: list[int], crlf: bool) -> None:
    events = [dict(zip(NAMES, row, strict=True)) for row in rows]
    lines = [
        " ".join(f'"{value}"' if name in IN_QUOTES else value for name, value in event.items()) for event in events
    ]
    data = "".join(line + ("\r\n" if crlf else "\n") for line in lines).encode()
    assert [event for block in decode(cut(data, ends), "x") for event in block] == [
        {**finish(event), "source": "alb"} for event in events
    ]


def test_the_time_is_told() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert event[ALB.time_field] == "2026-11-20T00:00:00.186641Z"
