"""VPC flow logs: any format that their header names, Parquet too, and wherever AWS puts them."""

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.lines import BLOCK
from awsflow.envelope import wazuh_json
from awsflow.errors import DecodeError
from awsflow.items import Block, Origin, Record, Records, Unreadable, one_by_one
from awsflow.logtypes import log_types_named
from awsflow.logtypes.flow_log_fields import FIELDS, MORE_OF_VPCS, OF_TRANSIT_GATEWAYS, OF_VPCS
from awsflow.logtypes.hive import HiveLogs
from awsflow.logtypes.layout import AwsLogs, Place, account_in
from awsflow.logtypes.recognise import by_content
from awsflow.logtypes.vpcflow import VPCFLOW, decode, looks_like
from awsflow.rows import Rows
from awsflow.samples import SAMPLES
from awsflow.sources import S3Bucket
from tests.conftest import Aws
from tests.decoding import decoded

DEFAULT = " ".join(OF_VPCS)
LINE = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 26780 443 6 93 8354 1622505433 1622505730 REJECT OK"
EVENT = {
    "version": "2",
    "account_id": "123456789012",
    "interface_id": "eni-1",
    "srcaddr": "10.0.0.1",
    "dstaddr": "10.0.0.2",
    "srcport": "26780",
    "dstport": "443",
    "protocol": "6",
    "packets": "93",
    "bytes": "8354",
    "start": "2021-05-31T23:57:13Z",
    "end": "2021-06-01T00:02:10Z",
    "action": "REJECT",
    "log_status": "OK",
    "source": "vpc",
}


def events(content: bytes | str, size: int = 1 << 16) -> Block:
    data = content.encode() if isinstance(content, str) else content
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    return [event for block in decode(chunks, "x.log") for event in block]


def lines(*some: str) -> str:
    return "".join(f"{line}\n" for line in some)


def test_the_header_is_no_event_and_without_one_the_fields_are_those_of_the_default_format() -> None:
    assert events(lines(DEFAULT, LINE, LINE)) == [EVENT, EVENT]
    assert events(lines(LINE)) == [EVENT]
    assert [list(event) for event in events(lines(LINE)) if isinstance(event, dict)] == [list(EVENT)]


def test_the_header_is_obeyed_whatever_the_order_and_number_of_its_fields() -> None:
    content = lines("end flow-direction pkt-srcaddr ecs-task-id", "1622505730 egress 192.0.2.1 -")
    assert events(content) == [
        {
            "end": "2021-06-01T00:02:10Z",
            "flow_direction": "egress",
            "pkt_srcaddr": "192.0.2.1",
            "ecs_task_id": "-",
            "source": "vpc",
        }
    ]


@pytest.mark.parametrize("name", [*OF_VPCS, *MORE_OF_VPCS])
def test_a_format_of_one_field_is_obeyed(name: str) -> None:
    assert events(lines(name, "-", "x")) == [
        {name.replace("-", "_"): "-", "source": "vpc"},
        {name.replace("-", "_"): "x", "source": "vpc"},
    ]


def test_a_field_that_is_newer_than_this_program_is_obeyed() -> None:
    assert events(lines("srcaddr some-new-field", "10.0.0.1 7")) == [
        {"srcaddr": "10.0.0.1", "some_new_field": "7", "source": "vpc"}
    ]


def test_a_header_further_down_is_obeyed_too_as_in_files_that_were_joined() -> None:
    content = lines(DEFAULT, LINE, DEFAULT, LINE, "dstaddr new-field", "1 2", "dstaddr new-field", "3 4", "", "5 6")
    assert events(content) == [
        EVENT,
        EVENT,
        {"dstaddr": "1", "new_field": "2", "source": "vpc"},
        {"dstaddr": "3", "new_field": "4", "source": "vpc"},
        {"dstaddr": "5", "new_field": "6", "source": "vpc"},
    ]


def test_a_value_that_reads_like_a_name_makes_no_header() -> None:
    content = lines("instance-tag flow-direction", "version egress", "region ingress")
    assert [event["instance_tag"] for event in events(content) if isinstance(event, dict)] == ["version", "region"]


def test_a_row_with_another_number_of_columns_is_unreadable_and_the_others_are_read() -> None:
    content = lines(DEFAULT, LINE, "2 123456789012 eni-1", LINE, f"{LINE} more", "", LINE.replace(" 443 ", "  "), LINE)
    got = events(content)
    assert [event for event in got if isinstance(event, dict)] == [EVENT] * 3
    assert [event.reason for event in got if isinstance(event, Unreadable)] == [
        "line 3: 3 columns, where there should be 14",
        "line 5: 15 columns, where there should be 14",
        "line 7: 13 columns, where there should be 14",
    ]
    assert got[1] == Unreadable(
        "line 3: 3 columns, where there should be 14", b"2 123456789012 eni-1", DEFAULT.encode()
    )


def test_columns_that_lines_have_too_many_and_too_few_of_do_not_even_out() -> None:
    got = events(lines("srcaddr dstaddr", "1 2", "3", "4 5 6", "7 8"))
    assert [type(event) for event in got] == [dict, Unreadable, Unreadable, dict]


@pytest.mark.parametrize("row", [" 3", "3 ", "3  "])
def test_a_value_that_is_missing_is_not_taken_for_an_empty_one(row: str) -> None:
    got = events(lines("srcaddr dstaddr", *["1 2"] * 150, row, "4 5"))
    assert [event for event in got if isinstance(event, Unreadable)] == [
        Unreadable("line 152: 1 columns, where there should be 2", row.encode(), b"srcaddr dstaddr")
    ]


def test_a_line_that_is_not_utf_8_is_unreadable_and_the_others_are_read() -> None:
    got = events(f"{DEFAULT}\n{LINE}\n".encode() + b"2 \xff\n" + LINE.encode())
    assert got == [
        EVENT,
        Unreadable("line 3: not UTF-8 (invalid start byte at its byte 2)", b"2 \xff", DEFAULT.encode()),
        EVENT,
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        ("1622505433", "2021-05-31T23:57:13Z"),
        ("0", "1970-01-01T00:00:00Z"),
        ("253402300799", "9999-12-31T23:59:59Z"),
        ("253402300800", "253402300800"),
        ("9" * 5000, "9" * 5000),
        ("-", "-"),
        ("-1", "-1"),
        ("+5", "+5"),
        ("1_0", "1_0"),
        ("1.5", "1.5"),
        ("٣", "٣"),
        ("garbage", "garbage"),
    ],
)
def test_times_become_iso_8601_and_what_is_no_time_stays_as_it_is(seconds: str, text: str) -> None:
    assert events(lines("start end", f"{seconds} {seconds}")) == [{"start": text, "end": text, "source": "vpc"}]


def test_more_different_times_than_are_remembered_are_all_right() -> None:
    content = lines("end", *(str(at) for at in range(10_000)))
    for at, event in enumerate(events(content)):
        assert isinstance(event, dict)
        assert event["end"] == f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_blocks_are_of_as_many_lines_and_every_chunk_has_one() -> None:
    content = lines(DEFAULT, *[LINE] * (2 * BLOCK + 50)).encode()
    assert [len(block) for block in decode(iter([content, b"", b"2 "]), "x")] == [BLOCK - 1, BLOCK, 0, 0, 0, 52]
    assert [len(block) for block in decode(iter([b"", b"", content[:9]]), "x")][:2] == [0, 0]


def test_a_file_without_lines_has_no_events() -> None:
    assert events("") == []
    assert events(lines(DEFAULT)) == []
    assert events("\r\n\n") == []


def test_a_transit_gateways_file_in_the_folder_has_its_source() -> None:
    content = SAMPLES["transitgateway"].document(
        SAMPLES["transitgateway"].events(1, 5, datetime(2026, 11, 20, tzinfo=UTC))
    )
    got = events(gzip.decompress(content))
    assert {event["source"] for event in got if isinstance(event, dict)} == {"transitgateway"}
    assert len(got) == 5


# Parquet


def file_of(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="gzip")
    return out.getvalue()


def test_a_parquet_file_sends_the_same_events_as_a_text_file() -> None:
    texts = dict(zip((name.replace("-", "_") for name in OF_VPCS), LINE.split(), strict=True))
    thirty_two = {"version", "srcport", "dstport", "protocol"}
    sixty_four = {"packets", "bytes", "start", "end"}
    columns = {
        name: pa.array([int(text)], pa.int32() if name in thirty_two else pa.int64())
        if name in thirty_two | sixty_four
        else pa.array([text])
        for name, text in texts.items()
    }
    assert events(file_of(columns)) == [EVENT]
    assert [list(event) for event in events(file_of(columns)) if isinstance(event, dict)] == [list(EVENT)]


def test_nulls_in_parquet_are_dropped() -> None:
    content = file_of({"srcaddr": ["10.0.0.1", None], "srcport": pa.array([None, 443], pa.int32())})
    assert events(content) == [{"srcaddr": "10.0.0.1", "source": "vpc"}, {"srcport": "443", "source": "vpc"}]


def test_a_parquet_file_of_another_log_is_refused_with_its_columns() -> None:
    with pytest.raises(DecodeError, match="of no flow log: its first columns are class_uid, time"):
        events(file_of({"class_uid": [1], "time": [2]}))


# Telling it from others


@pytest.mark.parametrize(
    "head",
    [
        lines(DEFAULT, LINE),
        lines(LINE),
        "\ufeff" + lines(LINE),
        lines("2 123456789012 eni-1 - - - - - - - 1622505433 1622505730 - NODATA"),
        lines("srcaddr", "10.0.0.1"),
        lines("start end packets bytes", "1 2 3 4"),
        lines("instance-id some-new-field", "i-1 7"),
        "PAR1",
    ],
)
def test_it_is_told_by_its_header_or_first_line(head: str) -> None:
    assert looks_like(head.encode())


@pytest.mark.parametrize(
    "head",
    [
        lines(" ".join(OF_TRANSIT_GATEWAYS)),
        lines("tgw-id srcaddr"),
        lines("start of the log"),
        lines("version"),
        lines("type time elb client_port"),
        lines('https 2026-11-20T00:00:00.0Z app/lb/1 192.0.2.1:1 10.0.0.1:2 0 0 0 200 200 1 2 "GET / HTTP/1.1"'),
        lines("2 123456789012 eni-1 10.0.0.1"),
        '{"version": "0", "srcaddr": "x"}',
        "",
        "\x00\xff",
    ],
)
def test_it_is_not_taken_for_what_it_is_not(head: str) -> None:
    assert not looks_like(head.encode("latin-1"))


def test_the_sample_is_of_this_type_and_no_other() -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    for name, other in SAMPLES.items():
        content = other.document(other.events(1, 20, start))
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert bool(looks_like(plain[:4096])) == (name == "vpcflow"), name
    assert by_content(iter([lines(DEFAULT, LINE).encode()]), log_types_named("auto"))[0] is VPCFLOW


def test_samples_are_mixed_and_all_of_them_are_read() -> None:
    sample = SAMPLES["vpcflow"]
    start = datetime(2026, 11, 20, 23, 55, tzinfo=UTC)
    made_up = list(sample.events(3, 2000, start, "111122223333", "eu-west-1"))
    assert made_up == list(sample.events(3, 2000, start, "111122223333", "eu-west-1"))
    assert made_up != list(sample.events(4, 2000, start, "111122223333", "eu-west-1"))
    got = [event for event in events(gzip.decompress(sample.document(made_up))) if isinstance(event, dict)]
    assert len(got) == 2000
    assert {event["log_status"] for event in got} == {"OK", "NODATA", "SKIPDATA"}
    assert {event["action"] for event in got} == {"ACCEPT", "REJECT", "-"}
    assert {event["account_id"] for event in got} == {"111122223333"}
    assert all("2026-11-20T23:55:00Z" <= event["start"] < event["end"] <= "2026-11-21T00:00:00Z" for event in got)
    assert sample.key("111122223333", "eu-west-1", start, 1) != sample.key("111122223333", "eu-west-1", start, 2)


# Where they lie

PLAIN, HIVE = VPCFLOW.layouts
FOLDER = "AWSLogs/123456789012/vpcflowlogs/eu-west-1/"
HIVE_FOLDER = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/"
NAME = "123456789012_vpcflowlogs_eu-west-1_fl-0a1b2c3d4e5f67890_20261123T0405Z_fe123456.log.gz"


def test_the_day_is_read_from_the_key_with_or_without_folders_for_hours() -> None:
    assert PLAIN.day(f"{FOLDER}2026/11/23/{NAME}", FOLDER) == date(2026, 11, 23)
    assert PLAIN.day(f"{FOLDER}2026/11/23/04/{NAME}", FOLDER) == date(2026, 11, 23)
    assert HIVE.day(f"{HIVE_FOLDER}year=2026/month=11/day=23/{NAME}", HIVE_FOLDER) == date(2026, 11, 23)
    assert HIVE.day(f"{HIVE_FOLDER}year=2026/month=11/day=23/hour=04/{NAME}", HIVE_FOLDER) == date(2026, 11, 23)
    for rest in ("year=2026/month=13/day=23/x", "year=2026/month=11/day=23/", "year=2026/month=11/x", "x"):
        assert HIVE.day(HIVE_FOLDER + rest, HIVE_FOLDER) is None


def test_flow_logs_side_by_side_are_told_apart_by_their_names() -> None:
    for layout in (PLAIN, HIVE):
        assert layout.is_shared
        assert layout.part(f"anything/{NAME}") == "fl-0a1b2c3d4e5f67890"
        assert layout.part("anything/fl-1/other.log.gz") == ""


def test_hive_compatible_folders_are_found_and_each_key_is_of_one_layout() -> None:
    below = {
        "AWSLogs/": ["123456789012", "aws-account-id=123456789012", "aws-account-id=x", "o-1"],
        "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/": [
            "aws-region=eu-west-1",
            "aws-region=us-east-1",
        ],
    }

    def folders(prefix: str) -> Iterator[str]:
        return iter(below[prefix])

    assert list(HIVE.streams(Place(), folders)) == [HIVE_FOLDER, HIVE_FOLDER.replace("eu-west-1", "us-east-1")]
    one = Place(prefix="p/", accounts=("123456789012",), regions=("eu-west-1",))
    assert list(HIVE.streams(one, folders)) == [f"p/{HIVE_FOLDER}"]
    assert list(HIVE.listings(HIVE_FOLDER, date(2026, 1, 2), date(2026, 2, 1), folders)) == [
        (HIVE_FOLDER, f"{HIVE_FOLDER}year=2026/month=01/day=02/")
    ]
    for layout, folder in ((PLAIN, FOLDER), (HIVE, HIVE_FOLDER)):
        assert [each.holds(f"p/{folder}{NAME}") for each in (PLAIN, HIVE)] == [layout is PLAIN, layout is HIVE]
        assert account_in(f"p/{folder}{NAME}") == "123456789012"
    assert isinstance(PLAIN, AwsLogs)
    assert isinstance(HIVE, HiveLogs)
    assert HIVE.shown.endswith("/aws-service=vpcflowlogs/aws-region=REGION/year=YYYY/month=MM/day=DD/")


def test_every_layout_of_aws_is_collected_with_each_flow_logs_own_position(aws: Aws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="flows")
    parquet = file_of({"srcaddr": ["192.0.2.9"], "end": pa.array([1622505730], pa.int64())})
    other = NAME.replace("fl-0a1b2c3d4e5f67890", "fl-99")
    objects = {
        f"{FOLDER}2026/11/23/{NAME}": gzip.compress(lines(DEFAULT, LINE).encode()),
        f"{FOLDER}2026/11/23/04/{other}": gzip.compress(lines("dstaddr", "192.0.2.2").encode()),
        f"{HIVE_FOLDER}year=2026/month=11/day=24/hour=05/{other}": gzip.compress(
            lines("dstaddr", "192.0.2.3").encode()
        ),
        f"{HIVE_FOLDER}year=2026/month=11/day=23/{NAME.replace('log.gz', 'log.parquet')}": parquet,
        FOLDER.replace("123456789012", "210987654321") + f"2026/11/23/{NAME}": lines("srcaddr", "1").encode(),
    }
    for key, content in objects.items():
        s3.put_object(Bucket="flows", Key=key, Body=content)

    def collected(log_type: str) -> dict[str, str]:
        source = S3Bucket(
            "flows", log_type=log_type, state=tmp_path / "state.db", only_after=date(2026, 11, 1), access=aws.access
        )
        found = {}
        for item in one_by_one(source.items()):
            if isinstance(item, Record):
                assert isinstance(item.event, dict)
                found[item.origin.key] = item.event["source"] + item.origin.account
        source.close()
        return found

    expected = {key: "vpc210987654321" if "/210987654321/" in key else "vpc123456789012" for key in objects}
    assert collected("vpcflow") == expected
    assert collected("transitgateway") == {}


# Whatever the values are

VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\r"), min_size=1, max_size=12)
TIME = st.integers(0, 2**32).map(str) | st.just("-")


@st.composite
def logs(draw: st.DrawFn) -> tuple[tuple[str, ...], list[list[str]]]:
    names = tuple(draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=8, unique=True)))
    values = [TIME if name in ("start", "end") else VALUE for name in names]
    row = st.tuples(*values).map(list).filter(lambda row: not set(row) <= FIELDS)
    return names, draw(st.lists(row, max_size=150))


@settings(deadline=None, max_examples=60)
@given(log=logs(), chunk=st.integers(1, 200))
def test_what_was_written_is_read(log: tuple[tuple[str, ...], list[list[str]]], chunk: int) -> None:
    names, rows = log
    whose = "transitgateway" if set(names) - set(OF_VPCS) - set(MORE_OF_VPCS) else "vpc"

    def sent(name: str, value: str) -> str:
        if name not in ("start", "end") or value == "-":
            return value
        return f"{datetime.fromtimestamp(int(value), UTC):%Y-%m-%dT%H:%M:%SZ}"

    content = lines(" ".join(names), *map(" ".join, rows))
    assert events(content, chunk) == [
        {name.replace("-", "_"): sent(name, value) for name, value in zip(names, row, strict=True)} | {"source": whose}
        for row in rows
    ]


@settings(deadline=None)
@given(
    content=st.lists(
        st.sampled_from(
            [
                b"1 2",
                b"3",
                b"4 5 6",
                b"",
                b" 7 8",
                b"9  0",
                b" 9",
                b"9 ",
                b"\xff",
                b"a b ",
                b"srcaddr dstaddr",
                b"\t",
                b"version 1",
                b"8\xc2\xa0 9",
                b"8\x1c 9",
                b"\0 8",
                b'"7" \\8',
                b"\xc3",
                b"\xa9 1",
                b"\xc3\xa9 1",
            ]
        )
    ),
    chunk=st.integers(1, 50),
)
def test_lines_are_read_alike_whatever_lies_around_them(content: list[bytes], chunk: int) -> None:
    together = events(b"\n".join([b"srcaddr dstaddr", *content]), chunk)
    alone = [event for line in content for event in events(b"srcaddr dstaddr\n" + line)]
    assert [event.content if isinstance(event, Unreadable) else event for event in together] == [
        event.content if isinstance(event, Unreadable) else event for event in alone
    ]


def test_a_line_half_of_known_words_is_the_same_however_the_log_is_cut_into_chunks() -> None:
    log = b"version srcaddr start\nword dstaddr end\n2 10.0.0.1 1\n"
    whole = decoded(VPCFLOW, log)
    assert [decoded(VPCFLOW, log, size) for size in (1, 7, 22, 30)] == [whole] * 4
    assert [event["version"] for event in whole if isinstance(event, dict)] == ["word", "2"]


def test_a_header_of_a_new_name_that_comes_again_is_no_flow() -> None:
    log = b"brand-new srcaddr\n1 2\nbrand-new srcaddr\n3 4\n"
    assert [event["brand_new"] for event in decoded(VPCFLOW, log) if isinstance(event, dict)] == ["1", "3"]


@pytest.mark.parametrize("tag", ["a", 'say-"hi"', "a\\b", "Büro"])
def test_flows_are_encoded_together_as_each_is_alone(tag: str) -> None:
    log = f"srcaddr instance-tag end\n10.0.0.1 {tag} 1\n10.0.0.2 b 2\n".encode()
    *_, rows = decode(iter([log]), "x")
    assert isinstance(rows, Rows)
    together = [Records(rows, Origin(), range(2))]
    alone = [Record(event, Origin(), number) for number, event in enumerate(rows)]
    assert list(one_by_one(wazuh_json(together))) == list(wazuh_json(alone))
