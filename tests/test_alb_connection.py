"""Application load balancers' connection logs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Block, Unreadable
from awsflow.logtypes.alb_connection import ALB_CONNECTION, TABLE, decode
from tests.test_lines import cut

NAMES = TABLE.names
FIRST = (
    "2026-11-20T00:00:00.123456Z 203.0.113.1 35280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 0.045 "
    '"CN=amazondomains.com,O=endEntity, Inc.,L=Seattle,ST=Washington,C=US" '
    "NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Success"
)


def decoded(*lines: str) -> Block:
    text = "\n".join(lines).encode()
    return [event for block in decode(iter([text]), "x.log") for event in block]


def test_every_column_has_its_name_and_is_sent_as_it_is() -> None:
    (event,) = decoded(FIRST + " TID_3180a73013c8ca4bac2f731159d4b0fe X25519MLKEM768")
    assert isinstance(event, dict)
    assert list(event) == [*NAMES, "source"]
    assert event["source"] == "alb_connection"
    assert event["leaf_client_cert_subject"] == "CN=amazondomains.com,O=endEntity, Inc.,L=Seattle,ST=Washington,C=US"
    assert event[ALB_CONNECTION.time_field] == "2026-11-20T00:00:00.123456Z"
    assert ALB_CONNECTION.shape(dict(event)) == event


def test_columns_that_aws_added_later_may_be_missing_and_those_of_the_future_are_extra() -> None:
    first, short, more = decoded(FIRST, FIRST.rsplit(" ", 1)[0], FIRST + " TID_1 X25519 more")
    assert isinstance(first, dict)
    assert list(first) == [*NAMES[:11], "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == "line 2: 10 columns, where 11 are the least"
    assert isinstance(more, dict)
    assert more["extra_1"] == "more"


SUBJECT = st.text(st.characters(codec="utf-8", exclude_characters='\n\r"'), max_size=30)
VALUE = st.text(st.sampled_from("ab1:/.-=;"), min_size=1, max_size=12)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.lists(VALUE, min_size=7, max_size=7), SUBJECT, st.lists(VALUE, min_size=3, max_size=5))),
    ends=st.lists(st.integers(0, 600), max_size=6),
)
def test_what_is_written_as_aws_does_is_read_back(
    rows: list[tuple[list[str], str, list[str]]], ends: list[int]
) -> None:
    data = "".join(" ".join([*before, f'"{subject}"', *behind]) + "\n" for before, subject, behind in rows).encode()
    assert [event for block in decode(cut(data, ends), "x") for event in block] == [
        {**dict(zip(NAMES, [*before, subject, *behind], strict=False)), "source": "alb_connection"}
        for before, subject, behind in rows
    ]
