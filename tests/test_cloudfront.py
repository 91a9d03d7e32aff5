"""CloudFront's logs: columns as their header names them, JSON and Parquet, in whatever folders people have chosen."""

import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.items import Barrier, Block, Record, Unreadable, one_by_one
from awsflow.logtypes import log_types_named
from awsflow.logtypes.cloudfront import CLOUDFRONT, FIELDS, decode, field, looks_like
from awsflow.logtypes.layout import Folders, Layout, Place
from awsflow.logtypes.recognise import sure
from awsflow.samples import SAMPLES
from awsflow.samples.cloudfront import HEADER
from awsflow.sources import S3Bucket
from tests.conftest import Aws

START = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)
VERSION = "#Version: 1.0"
ROW = (
    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t"
    "Mozilla/5.0%20(Windows%20NT%2010.0)\tq=%2522a%2520b%2522\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\t"
    "d111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t"
    "11040\t0.001\tHit\ttext/html\t78\t-\t-"
)


def events(content: str | bytes, size: int = 1 << 16) -> Block:
    data = content.encode() if isinstance(content, str) else content
    chunks = (data[at : at + size] for at in range(0, len(data), size))
    return [event for block in decode(chunks, "x.gz") for event in block]


def lines(*some: str) -> str:
    return "".join(f"{line}\n" for line in some)


def test_headers_are_no_events_and_columns_are_named_as_cloudfront_does() -> None:
    (event,) = events(lines(VERSION, HEADER, ROW))
    assert isinstance(event, dict)
    assert list(event) == [*map(field, FIELDS), "source"]
    assert event["source"] == "cloudfront"
    assert event["date"] == "2019-12-04"
    assert event["x_edge_location"] == "LAX1"
    assert event["c_ip"] == "192.0.2.100"
    assert event["cs_host"] == "d111111abcdef8.cloudfront.net"
    assert event["time_to_first_byte"] == "0.001"
    assert event["sc_range_end"] == "-"


def test_values_that_are_url_encoded_stay_as_they_are_written() -> None:
    (event,) = events(lines(HEADER, ROW))
    assert isinstance(event, dict)
    assert event["cs_user_agent"] == "Mozilla/5.0%20(Windows%20NT%2010.0)"
    assert event["cs_uri_query"] == "q=%2522a%2520b%2522"


def test_without_a_header_the_columns_are_the_33_of_the_documentation() -> None:
    assert len(FIELDS) == 33
    assert "#Fields: " + " ".join(FIELDS) == HEADER
    assert events(lines(ROW)) == events(lines(VERSION, HEADER, ROW))


def test_the_header_is_obeyed_whatever_fields_were_chosen() -> None:
    content = lines(
        "#Fields: date time asn timestamp(ms) cs(Cookie) cache-behavior-path-pattern",
        "2024-11-14\t22:30:25\t16509\t1731623425421\ta=b\t*",
    )
    assert events(content) == [
        {
            "date": "2024-11-14",
            "time": "22:30:25",
            "asn": "16509",
            "timestamp_ms": "1731623425421",
            "cs_cookie": "a=b",
            "cache_behavior_path_pattern": "*",
            "source": "cloudfront",
        }
    ]


def test_a_header_further_down_is_obeyed_too_as_in_files_that_were_joined() -> None:
    content = lines(VERSION, "#Fields: c-ip", "192.0.2.1", VERSION, "#Fields: c-ip asn", "192.0.2.2\t7")
    assert events(content) == [
        {"c_ip": "192.0.2.1", "source": "cloudfront"},
        {"c_ip": "192.0.2.2", "asn": "7", "source": "cloudfront"},
    ]


def test_a_plain_file_has_a_header_without_a_mark() -> None:
    assert events(lines("date\tc-ip\tcs(Host)", "2024-11-14\t192.0.2.1\tx")) == [
        {"date": "2024-11-14", "c_ip": "192.0.2.1", "cs_host": "x", "source": "cloudfront"}
    ]


def test_columns_may_be_delimited_by_spaces() -> None:
    assert events(lines("#Fields: date c-ip", "2024-11-14 192.0.2.1")) == [
        {"date": "2024-11-14", "c_ip": "192.0.2.1", "source": "cloudfront"}
    ]


def test_a_line_between_spaces_that_holds_a_tab_is_what_it_is_alone() -> None:
    header = "#Fields: date c-ip cs-host"
    odd = "1 2\t3 4"
    told = "2 columns, where 3 are the least"
    assert events(lines(header, odd)) == [Unreadable(f"line 2: {told}", odd.encode(), header.encode())]
    together = events(lines(header, "1 2 3", odd, "4 5 6"))
    assert together[1] == Unreadable(f"line 3: {told}", odd.encode(), header.encode())
    assert list(map(type, together)) == [dict, Unreadable, dict]


def test_a_row_with_too_few_columns_or_a_broken_one_is_unreadable_and_the_others_are_read() -> None:
    content = lines("#Fields: date c-ip", "1\t2", "3", "", "4\t5", "6\t7\t8").encode() + b"9\t\xff\n10\t11"
    good = [event for event in events(content) if isinstance(event, dict)]
    bad = [event for event in events(content) if isinstance(event, Unreadable)]
    assert [list(event.values()) for event in good] == [
        ["1", "2", "cloudfront"],
        ["4", "5", "cloudfront"],
        ["6", "7", "8", "cloudfront"],
        ["10", "11", "cloudfront"],
    ]
    assert good[2]["extra_1"] == "8"
    assert [(event.reason[:7], event.content) for event in bad] == [("line 3:", b"3"), ("line 7:", b"9\t\xff")]


def test_json_lines_have_the_same_fields_and_keep_their_values() -> None:
    first = {"date": "2024-11-15", "cs(Cookie)": "a=b", "timestamp(ms)": "1731699951183", "x-host-header": None}
    content = json.dumps(first) + "\n" + '{"c-ip": 7}\nbroken\n'
    assert events(content, 5)[:2] == [
        {
            "date": "2024-11-15",
            "cs_cookie": "a=b",
            "timestamp_ms": "1731699951183",
            "x_host_header": None,
            "source": "cloudfront",
        },
        {"c_ip": 7, "source": "cloudfront"},
    ]
    assert isinstance(events(content)[2], Unreadable)
    assert CLOUDFRONT.shape({"a": None, "b": "c"}) == {"b": "c"}


def test_parquet_has_the_same_fields_and_text_for_numbers() -> None:
    out = io.BytesIO()
    pq.write_table(
        pa.table(
            {
                "date": ["2024-11-15"],
                "cs_User_Agent": ["x%20y"],
                "sc_status": [200],
                "asn": pa.array([None], pa.int64()),
            }
        ),
        out,
    )
    assert events(out.getvalue()) == [
        {"date": "2024-11-15", "cs_user_agent": "x%20y", "sc_status": "200", "asn": None, "source": "cloudfront"}
    ]


def test_a_block_comes_for_each_chunk() -> None:
    assert [len(block) for block in decode(iter([b"", b"#Fie", b"lds: c-ip\n1", b"", b"\n2\n"]), "x")] == [
        0,
        0,
        0,
        0,
        0,
        2,
    ]


@pytest.mark.parametrize(
    "head",
    [
        lines(VERSION, HEADER),
        lines(HEADER),
        lines(ROW),
        lines("#Fields: date time x-edge-location"),
        lines("date\ttime\tx-edge-location"),
        '{"date":"2024-11-15","time":"19:45:51","x-edge-location":"SOF50-P2"}\n',
        "PAR1",
    ],
)
def test_it_is_told_by_its_header_first_object_or_first_line(head: str) -> None:
    assert looks_like(head.encode())


@pytest.mark.parametrize(
    "head",
    [
        lines("#Software: Microsoft Internet Information Services 10.0", VERSION, "#Fields: date time s-ip cs-method"),
        lines("#Fields: date time c-ip cs-method cs-uri-stem sc-status time-taken"),
        '{"date": "x", "time": "y"}',
        lines("date\ttime"),
        "2026-11-20\tsome text",
        "",
        "\x00",
    ],
)
def test_it_is_not_taken_for_what_it_is_not(head: str) -> None:
    assert not looks_like(head.encode())


def test_the_sample_is_of_this_type_and_no_other() -> None:
    for name, other in SAMPLES.items():
        content = other.document(other.events(1, 20, START))
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert bool(looks_like(plain[:4096])) == (name == "cloudfront"), name


def test_samples_are_mixed_and_all_of_them_are_read() -> None:
    sample = SAMPLES["cloudfront"]
    made_up = list(sample.events(1, 1000, START))
    assert made_up == list(sample.events(1, 1000, START))
    got = [event for event in events(gzip.decompress(sample.document(made_up))) if isinstance(event, dict)]
    assert len(got) == 1000
    assert {event["x_edge_result_type"] for event in got} == {"Hit", "Miss", "RefreshHit", "Error"}
    assert all("23:50:00" <= event["time"] <= "23:55:00" for event in got)
    assert all(len(event) == 34 for event in got)


# Where they lie

FLAT, VENDED = CLOUDFRONT.layouts
ACCOUNT = "AWSLogs/123456789012/CloudFront/"
HIVE = "AWSLogs/aws-account-id=123456789012/CloudFront/"


def bucket(keys: list[str], answers: list[str] | None = None) -> Folders:
    """What a bucket with these keys answers, as S3 does; `answers` are all that were asked for."""

    def folders(prefix: str, delimiter: str = "/", after: str = "") -> Iterator[str]:
        last = None
        for key in sorted(keys):
            head, found, _ = key[len(prefix) :].partition(delimiter)
            if key.startswith(prefix) and key > after and found and head != last:
                last = head
                if answers is not None:
                    answers.append(f"{prefix}{head}")
                yield head

    return folders


def found(layout: Layout, keys: list[str], since: date, place: Place) -> dict[str, list[str]]:
    """The keys that a search comes upon, by stream and part, in their order."""
    folders = bucket(keys)
    come_upon: dict[str, list[str]] = {}
    for stream in layout.streams(place, folders):
        for prefix, after in layout.listings(stream, since, since, folders):
            for key in sorted(key for key in keys if key.startswith(prefix) and key > after):
                day = layout.day(key, stream)
                if day is not None and day >= since:
                    come_upon.setdefault(f"{stream} {layout.part(key)}", []).append(key)
    return come_upon


def test_files_right_at_the_prefix_are_a_stream_for_each_distribution() -> None:
    keys = [
        "logs/E2ABCDEFGHIJK.2026-11-19-23.aa.gz",
        "logs/E2ABCDEFGHIJK.2026-11-20-00.ab.gz",
        "logs/EMLARXS9EXAMPLE.2026-11-21-20.RT4KCN4SGK9.gz",
        "logs/EMLARXS9EXAMPLE.2026-11-21-20.RT4KCN4SGK9.parquet",
        "logs/Else.2026-11-21-20.x.gz",
        "logs/ELSE/E2ABCDEFGHIJK.2026-11-21-20.x.gz",
        "logs/E2ABCDEFGHIJK.2026-13-21-20.x.gz",
        "logs/E2ABCDEFGHIJK.2026-11-21-20.x/",
    ]
    assert found(FLAT, keys, date(2026, 11, 20), Place(prefix="logs/")) == {
        "logs/E2ABCDEFGHIJK. E2ABCDEFGHIJK": keys[1:2],
        "logs/EMLARXS9EXAMPLE. EMLARXS9EXAMPLE": keys[2:4],
    }


@pytest.mark.parametrize(
    "folders",
    [
        "",
        "mine/",
        "{id}/",
        "{id}/mine/",
        "{y}/",
        "{y}/{m}/",
        "{y}/{m}/{d}/",
        "{y}/{m}/{d}/{h}/",
        "{id}/{y}/{m}/{d}/{h}/logs/",
        "mine/{y}/{m}/more/",
        "mine/{y}/more/{m}/{d}/",
        "{d}/{m}/{y}/",
        "1/2/3/{y}/{m}/",
    ],
)
@pytest.mark.parametrize("hive", [False, True])
def test_vended_logs_are_found_in_all_partitions_each_distributions_in_the_order_of_days(
    folders: str, hive: bool
) -> None:
    def key(distribution: str, at: datetime) -> str:
        parts = {"id": distribution, "y": f"{at:%Y}", "m": f"{at:%m}", "d": f"{at:%d}", "h": f"{at:%H}"}
        if hive:
            names = {"id": "DistributionId", "y": "year", "m": "month", "d": "day", "h": "hour"}
            parts = {name: f"{names[name]}={value}" for name, value in parts.items()}
        return f"{HIVE if hive else ACCOUNT}{folders.format(**parts)}{distribution}.{at:%Y-%m-%d-%H}.0a1b.gz"

    times = [START + timedelta(hours=7 * step) for step in range(-200, 200)]
    keys = [key(distribution, at) for distribution in ("E1AAAAAAAAAAA", "E2BBBBBBBBBBB") for at in times]
    since = date(2026, 11, 20)
    others = [f"{ACCOUNT}readme.txt", "AWSLogs/x/CloudFront/E1.2026-11-21-00.x.gz"]
    got = found(VENDED, [*keys, *others], since, Place())
    expected = [key for key in keys if key.rsplit(".", 3)[1] >= "2026-11-20"]
    assert sorted(key for some in got.values() for key in some) == sorted(expected)
    for some in got.values():
        days = [key.rsplit(".", 3)[1][:10] for key in some]
        assert days == sorted(days)


def test_a_folder_whose_name_begins_like_a_year_is_another_stream() -> None:
    names = "E1AAAAAAAAAAA.2026-11-20-00.x.gz", "E1AAAAAAAAAAA.2026-11-20-01.x.gz"
    keys = [f"{ACCOUNT}2026/11/20/{names[0]}", f"{ACCOUNT}2nd-site/{names[1]}"]
    assert found(VENDED, keys, date(2026, 11, 1), Place()) == {
        f"{ACCOUNT}2 E1AAAAAAAAAAA": keys[:1],
        f"{ACCOUNT}2nd-site/E1AAAAAAAAAAA. E1AAAAAAAAAAA": keys[1:],
    }


def test_of_the_accounts_only_those_that_are_asked_for_are_searched() -> None:
    name = "E1AAAAAAAAAAA.2026-11-20-00.x.gz"
    keys = [f"p/{folder}{name}" for folder in (ACCOUNT, HIVE, ACCOUNT.replace("1234", "9999"))]
    place = Place(prefix="p/", accounts=("123456789012",))
    assert found(VENDED, keys, date(2026, 11, 20), place) == {
        f"p/{ACCOUNT}E1AAAAAAAAAAA. E1AAAAAAAAAAA": keys[:1],
        f"p/{HIVE}E1AAAAAAAAAAA. E1AAAAAAAAAAA": keys[1:2],
    }


@pytest.mark.parametrize("years", ["", "year="])
def test_a_prefix_of_ones_own_may_have_folders_for_dates_and_distributions(years: str) -> None:
    day = "2026/11/20" if not years else "year=2026/month=11/day=20"
    keys = [f"p/{day}/04/E1AAAAAAAAAAA.2026-11-20-04.x.gz", f"p/E1AAAAAAAAAAA/{day}/E1AAAAAAAAAAA.2026-11-20-04.x.gz"]
    come_upon = found(FLAT, keys, date(2026, 11, 20), Place(prefix="p/"))
    assert sorted(key for some in come_upon.values() for key in some) == sorted(keys)


def test_searching_looks_at_few_keys_however_much_lies_in_the_bucket() -> None:
    hours = [START + timedelta(hours=step) for step in range(500)]
    keys = [f"AWSLogs/123456789012/CloudTrail/eu-west-1/{at:%Y/%m/%d/%H}/x.json.gz" for at in hours]
    keys += [f"{ACCOUNT}E1AAAAAAAAAAA/{at:%Y/%m/%d/%H}/E1AAAAAAAAAAA.{at:%Y-%m-%d-%H}.x.gz" for at in hours]
    keys += [f"{ACCOUNT}E1AAAAAAAAAAA.{at:%Y-%m-%d-%H}.x.gz" for at in hours]
    keys += [f"{at:%Y-%m-%d-%H}-00-00-0123456789ABCDEF" for at in hours]
    answers: list[str] = []
    streams = [*FLAT.streams(Place(), bucket(keys, answers)), *VENDED.streams(Place(), bucket(keys, answers))]
    assert streams == [f"{ACCOUNT}E1AAAAAAAAAAA.", f"{ACCOUNT}E1AAAAAAAAAAA/2"]
    assert len(answers) <= 8


def test_a_log_is_known_by_its_name_wherever_it_lies() -> None:
    for key in ("E2ABCDEFGHIJK.2026-11-20-00.x.gz", f"a/{ACCOUNT}b/E2ABCDEFGHIJK.2026-11-20-00.x.parquet"):
        assert FLAT.holds(key)
        assert sure(key, log_types_named("auto")) is CLOUDFRONT
    for key in (
        "E2ABCDEFGHIJK.2026-11-20.x.gz",
        "e2.2026-11-20-00.x.gz",
        "xE2A.2026-11-20-00.x.gz",
        "E2A.2026-11-20-00.x/",
    ):
        assert not FLAT.holds(key)
    assert FLAT.shown == "PREFIX/[.../]DISTRIBUTION.YYYY-MM-DD-HH.ID"
    assert (FLAT.by_account, VENDED.by_account) == (False, True)


def test_logs_in_all_places_are_collected_and_not_read_again(aws: Aws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="web")
    sample = SAMPLES["cloudfront"]
    content = sample.document(sample.events(1, 2, START))
    name = sample.key("123456789012", "us-east-1", START, 1)
    id_ = name.partition(".")[0]
    keys = {
        name: "",
        f"{id_}/2026/11/20/23/{name}": "",
        f"{ACCOUNT}{name}": "123456789012",
        f"{ACCOUNT}mine/2026/11/{name}": "123456789012",
        f"{HIVE}DistributionId={id_}/year=2026/month=11/day=20/hour=23/{name}": "123456789012",
    }
    for key in [*keys, "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/20/x.json.gz", "other.2026.txt", "E/x.y"]:
        s3.put_object(Bucket="web", Key=key, Body=content)

    def collected() -> list[tuple[str, str]]:
        source = S3Bucket(
            "web", log_type="cloudfront", state=tmp_path / "s.db", only_after=date(2026, 11, 1), access=aws.access
        )
        got = []
        for item in one_by_one(source.items()):
            if isinstance(item, Record):
                got.append((item.origin.key, item.origin.account))
            elif isinstance(item, Barrier) and item.position is not None:
                source.commit([item.position])
        source.close()
        return got

    assert sorted(collected()) == sorted([*keys.items()] * 2)
    assert collected() == []


# Whatever the values are

VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r"), min_size=1, max_size=12)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    names = draw(st.lists(st.sampled_from(FIELDS), min_size=2, max_size=8, unique=True))
    row = st.lists(VALUE, min_size=len(names), max_size=len(names))
    usual = row.filter(lambda row: not row[0].startswith("#") and row[0] not in FIELDS and "\t".join(row).strip() != "")
    return names, draw(st.lists(usual, max_size=150))


@settings(deadline=None, max_examples=60)
@given(log=logs(), chunk=st.integers(1, 200))
def test_what_was_written_is_read(log: tuple[list[str], list[list[str]]], chunk: int) -> None:
    names, rows = log
    content = lines(VERSION, "#Fields: " + " ".join(names), *map("\t".join, rows))
    assert events(content, chunk) == [
        dict(zip(map(field, names), row, strict=True)) | {"source": "cloudfront"} for row in rows
    ]


def test_a_header_without_directives_is_no_event_wherever_it_stands() -> None:
    header = "\t".join(FIELDS)
    for log in ([header, ROW], [ROW, header, ROW], [ROW, ROW, header]):
        assert len(events(lines(*log))) == len(log) - 1
