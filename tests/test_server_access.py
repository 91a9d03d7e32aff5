"""S3's server access logs."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Block, Unreadable
from awsflow.logtypes.layout import Folders, Place
from awsflow.logtypes.server_access import SERVER_ACCESS, TABLE, decode
from tests.test_lines import cut

NAMES = TABLE.names
SIMPLE, PARTITIONED = SERVER_ACCESS.layouts
OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
FIRST = (
    f"{OWNER} amzn-s3-demo-bucket1 [20/Nov/2026:00:00:38 +0000] 192.0.2.3 {OWNER} 3E57427F3EXAMPLE REST.GET.VERSIONING "
    '- "GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4"'
)
LINE = (
    FIRST + " - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
    "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2"
)


def decoded(*lines: str) -> Block:
    text = "\n".join(lines).encode()
    return [event for block in decode(iter([text]), "x") for event in block]


def test_every_column_has_its_name_and_is_sent_as_it_is() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert list(event) == [*NAMES, "source"]
    assert event["source"] == "s3_server_access"
    assert SERVER_ACCESS.shape(dict(event)) == event


def test_brackets_and_quotes_come_off() -> None:
    (event,) = decoded(LINE)
    assert isinstance(event, dict)
    assert event["time"] == "20/Nov/2026:00:00:38 +0000"
    assert event["request_uri"] == "GET /amzn-s3-demo-bucket1?versioning HTTP/1.1"


@pytest.mark.parametrize("agent", ["[S3Console/0.4, x]", "a [b] c", "[b]", 'say "hi" [', "", "] [", "a\tb", 'a "b" c'])
def test_the_client_may_call_itself_as_it_likes(agent: str) -> None:
    other, event = decoded(LINE, LINE.replace("S3Console/0.4", agent))
    assert isinstance(event, dict)
    assert isinstance(other, dict)
    assert event == {**other, "user_agent": agent}


def test_columns_beyond_the_known_ones_are_dropped() -> None:
    assert decoded(LINE + " arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes us-west-1") == decoded(LINE)


def test_columns_that_are_missing_are_left_out_down_to_those_of_2006() -> None:
    of_2006, short = decoded(FIRST, FIRST.rsplit(" ", 1)[0])
    assert isinstance(of_2006, dict)
    assert list(of_2006) == [*NAMES[:17], "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == "line 2: 16 columns, where 17 are the least"


def test_a_line_that_was_cut_off_is_a_bad_line() -> None:
    good, bad = decoded(LINE, LINE[:110])
    assert isinstance(good, dict)
    assert isinstance(bad, Unreadable)
    assert bad.reason == "line 2: the [ of column 3 is not closed"


QUOTED = st.text(st.characters(codec="utf-8", exclude_characters='\n\r"'), max_size=20)
BARE = st.text(st.sampled_from("ab1%:/.-é"), min_size=1, max_size=12)
KINDS = {"time": ("[", "]"), "request_uri": ('"', '"'), "referer": ('"', '"'), "user_agent": ('"', '"')}
TIME = st.text(st.sampled_from("0/: +"), max_size=9)
ROW = st.tuples(*(TIME if name == "time" else QUOTED if name in KINDS else BARE for name in NAMES))


@settings(deadline=None)
@given(rows=st.lists(ROW, max_size=3), ends=st.lists(st.integers(0, 900), max_size=6))
def test_what_is_written_as_s3_does_is_read_back(rows: list[tuple[str, ...]], ends: list[int]) -> None:
    events = [dict(zip(NAMES, row, strict=True)) for row in rows]
    lines = [
        " ".join(value.join(KINDS[name]) if name in KINDS else value for name, value in event.items())
        for event in events
    ]
    written = "".join(line + "\n" for line in lines).encode()
    assert [event for block in decode(cut(written, ends), "x") for event in block] == [
        {**event, "source": "s3_server_access"} for event in events
    ]


@pytest.mark.parametrize(
    ("key", "is_log"),
    [
        ("logs/2026-11-20-00-00-00-000003F600000000", True),
        ("2026-11-20-00-00-00-000003F600000000", True),
        ("logs2026-11-20-00-00-00-000003F600000000", True),
        ("logs/123456789012/eu-west-1/my-bucket/2026/11/20/2026-11-20-00-00-00-000003F600000000", True),
        ("dnslogs/2026-11-20/2026-11-20-00-00-03f8.csv.gz", False),
        ("logs/2026-11-20/x.json", False),
    ],
)
def test_the_names_of_files_begin_with_the_moment(key: str, is_log: bool) -> None:
    assert SERVER_ACCESS.has(key) == SERVER_ACCESS.may_have(key) == is_log


def test_the_day_is_read_from_the_key() -> None:
    (stream,) = SIMPLE.streams(Place(prefix="logs/"), folders({}))
    assert SIMPLE.day("logs/2026-11-20-00-00-00-000003F600000000", stream) == date(2026, 11, 20)
    assert SIMPLE.day("logs/other/2026-11-20-00-00-00-000003F600000000", stream) is None


def folders(below: dict[str, list[str]]) -> Folders:
    """Lists what is there, and nothing else."""
    return lambda prefix: iter(below[prefix])


def test_with_date_based_partitioning_each_bucket_has_its_stream() -> None:
    below = {
        "logs/123456789012/": ["eu-west-1", "us-east-1"],
        "logs/123456789012/eu-west-1/": ["one", "two"],
        "logs/123456789012/us-east-1/": ["three"],
    }
    streams = [
        "logs/123456789012/eu-west-1/one/",
        "logs/123456789012/eu-west-1/two/",
        "logs/123456789012/us-east-1/three/",
    ]
    given_ = Place(prefix="logs/", accounts=("123456789012",))
    assert list(PARTITIONED.streams(given_, folders(below))) == streams
    assert list(PARTITIONED.streams(Place(prefix="logs/123456789012/"), folders(below))) == streams
    of_region = Place(prefix="logs/", accounts=("123456789012",), regions=("us-east-1",))
    assert list(PARTITIONED.streams(of_region, folders(below))) == streams[2:]


def test_accounts_are_not_looked_for_among_what_may_be_a_million_logs() -> None:
    assert list(PARTITIONED.streams(Place(prefix="logs/"), folders({}))) == []


def test_a_partition_has_its_day_and_is_listed_from_a_day_on() -> None:
    stream = "logs/123456789012/eu-west-1/one/"
    key = stream + "2026/11/20/2026-11-20-00-00-00-000003F600000000"
    assert PARTITIONED.day(key, stream) == date(2026, 11, 20)
    assert PARTITIONED.holds(key)
    assert not PARTITIONED.holds("logs/2026-11-20-00-00-00-000003F600000000")
    listings = PARTITIONED.listings(stream, date(2026, 11, 20), date(2026, 11, 23), folders({}))
    assert list(listings) == [(stream, stream + "2026/11/20/")]
