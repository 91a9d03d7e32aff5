"""Classic load balancers' access logs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Block, Unreadable
from awsflow.logtypes.clb import CLB, TABLE, decode
from tests.test_lines import cut

NAMES = TABLE.names
LINE = (
    "2026-11-20T00:00:00.945958Z my-lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "
    '"GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" DHE-RSA-AES128-SHA TLSv1.2'
)


def decoded(*lines: str) -> Block:
    text = "\n".join(lines).encode()
    return [event for block in decode(iter([text]), "x.log") for event in block]


def test_every_column_has_its_name_and_is_sent_as_it_is() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert list(event) == [*NAMES, "source"]
    assert event["source"] == "clb"
    assert CLB.shape(dict(event)) == event
    assert (event["client_port"], event["backend_port"]) == ("192.0.2.1:2817", "10.0.0.1:80")


def test_a_tcp_connection_has_a_request_of_dashes() -> None:
    (event,) = decoded(LINE.replace("GET http://www.example.com:80/ HTTP/1.1", "- - - "))
    assert isinstance(event, dict)
    assert event["request"] == "- - - "


def test_the_columns_of_2015_may_be_missing() -> None:
    first, short = decoded(LINE.rsplit(" ", 3)[0], LINE.split(' "', maxsplit=1)[0])
    assert isinstance(first, dict)
    assert list(first) == [*NAMES[:12], "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == "line 2: 11 columns, where 12 are the least"


def test_columns_beyond_the_known_ones_are_extra_and_not_under_the_key_null() -> None:
    (event,) = decoded(LINE + " more")
    assert isinstance(event, dict)
    assert list(event.items())[-2:] == [("extra_1", "more"), ("source", "clb")]


def test_quotes_within_what_the_client_says_do_not_end_it() -> None:
    (event,) = decoded(LINE.replace("curl/7.38.0", 'a "b" c'))
    assert isinstance(event, dict)
    assert event["user_agent"] == 'a "b" c'
    assert event["ssl_protocol"] == "TLSv1.2"


QUOTED = st.text(st.characters(codec="utf-8", exclude_characters='\n\r"'), max_size=20)
BARE = st.text(st.sampled_from("ab1:/.-é"), min_size=1, max_size=12)
ROW = st.tuples(*(QUOTED if name in {"request", "user_agent"} else BARE for name in NAMES))


@settings(deadline=None)
@given(rows=st.lists(ROW, max_size=4), ends=st.lists(st.integers(0, 600), max_size=6))
def test_what_is_written_as_aws_does_is_read_back(rows: list[tuple[str, ...]], ends: list[int]) -> None:
    events = [dict(zip(NAMES, row, strict=True)) for row in rows]
    lines = [
        " ".join(f'"{value}"' if name in {"request", "user_agent"} else value for name, value in event.items())
        for event in events
    ]
    assert [event for block in decode(cut("\n".join(lines).encode(), ends), "x") for event in block] == [
        {**event, "source": "clb"} for event in events
    ]
