"""Finding what is worth reading: folders that several writers share, types side by side, days out of order."""

import gzip
import json
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awsflow import Flow
from awsflow.sources import S3Bucket
from benchmarks.measure import asked, s3_standin
from tests.conftest import Aws

TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
ACCOUNT = "AWSLogs/123456789012"
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="logs")
    return client


def collected(aws: Aws, log_type: str, **options: Any) -> list[str]:
    """The keys of the objects whose events a run reads, without their folders."""
    options.setdefault("now", lambda: TODAY)
    flow = Flow(S3Bucket("logs", log_type, access=aws.access, **options))
    return list(dict.fromkeys(record.origin.key.rpartition("/")[2] for record in flow))


def put_flow_log(s3: Any, day: str, writer: str, name: str = "x") -> str:
    """Put a file of a flow log; return its name."""
    file = f"123456789012_vpcflowlogs_eu-west-1_{writer}_{day.replace('/', '')}T0000Z_{name}.log.gz"
    row = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1622505433 1622505730 ACCEPT OK\n"
    s3.put_object(Bucket="logs", Key=f"{ACCOUNT}/vpcflowlogs/eu-west-1/{day}/{file}", Body=gzip.compress(row.encode()))
    return file


def test_each_of_several_flow_logs_in_a_folder_has_its_own_position(aws: Aws, s3: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "only_after": OCTOBER}
    first = [put_flow_log(s3, "2026/11/10", "fl-0a"), put_flow_log(s3, "2026/11/20", "fl-0b")]
    assert collected(aws, "vpcflow", **options) == first
    late = put_flow_log(s3, "2026/11/11", "fl-0a")  # late for the folder, not for its flow log
    put_flow_log(s3, "2026/11/11", "fl-0b")  # too late for this one
    assert collected(aws, "vpcflow", **options) == [late]
    assert collected(aws, "vpcflow", **options) == []


def test_a_flow_log_that_is_new_in_a_folder_is_read_from_the_first_day_on(aws: Aws, s3: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "only_after": OCTOBER}
    put_flow_log(s3, "2026/11/20", "fl-0b")
    collected(aws, "vpcflow", **options)
    older, newer = put_flow_log(s3, "2026/11/05", "fl-0c"), put_flow_log(s3, "2026/11/21", "fl-0c")
    assert collected(aws, "vpcflow", **options) == [older, newer]
    assert collected(aws, "vpcflow", **options) == []


def test_a_flow_log_that_has_ended_long_ago_costs_no_listing_of_the_days_since(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "only_after": date(2026, 6, 1)}
    put_flow_log(s3, "2026/06/02", "fl-0a")
    put_flow_log(s3, "2026/11/20", "fl-0b")
    collected(aws, "vpcflow", **options)
    noted: list[str] = []
    collected(aws, "vpcflow", note=noted.append, **options)
    assert [note for note in noted if note.startswith("listing")] == [
        f"listing s3://logs/{ACCOUNT}/vpcflowlogs/eu-west-1/ from 2026-11-19"
    ]


def test_days_without_leading_zeros_are_read_in_the_order_of_the_days(aws: Aws, s3: Any, tmp_path: Path) -> None:
    for day in ("2026/10/2", "2026/10/10", "2026/9/30", "2026/11/1"):
        s3.put_object(
            Bucket="logs",
            Key=f"{ACCOUNT}/Config/eu-west-1/{day}/ConfigHistory/{day.replace('/', '-')}.json",
            Body=b'{"configurationItems": [{"resourceId": "x"}]}',
        )
    options: dict[str, Any] = {"state": tmp_path / "state.db", "only_after": date(2026, 9, 30)}
    expected = ["2026-9-30.json", "2026-10-2.json", "2026-10-10.json", "2026-11-1.json"]
    assert collected(aws, "config", **options) == expected
    assert collected(aws, "config", **options) == []


def test_only_dates_right_behind_the_prefix_are_of_a_dated_type_in_either_way_of_writing(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    event = json.dumps({"source": "aws.kms", "detail": {"id": 1}}).encode()
    for key in ("fh/2026/11/20/05/a", "fh/2026-11-21-b", "fh/other/2026/11/20/05/c", "fh/2026/11/01/d", "2026/11/20/e"):
        s3.put_object(Bucket="logs", Key=key, Body=event)
    options: dict[str, Any] = {"state": tmp_path / "s.db", "only_after": date(2026, 11, 20), "prefix": "fh/"}
    assert sorted(collected(aws, "custom", **options)) == ["2026-11-21-b", "a"]
    s3.put_object(Bucket="logs", Key="fh/2026/11/20/07/f", Body=event)  # the other way of writing is further on
    assert collected(aws, "custom", **options) == ["f"]


def test_auto_reads_whatever_is_there_each_as_its_own_type(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put_flow_log(s3, "2026/11/23", "fl-0a")
    bodies = {
        f"{ACCOUNT}/CloudTrail/eu-west-1/2026/11/23/t.json": b'{"Records": [{"eventID": "1"}]}',
        f"{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/11/23/t.json": b'{"awsAccountId": "1", "logFiles": []}',
        f"{ACCOUNT}/Config/eu-west-1/2026/11/23/c.json": b'{"configurationItems": [{"resourceId": "x"}]}',
        "2026/11/23/05/firehose": b'{"detail-type": "x", "source": "aws.kms", "detail": {"id": 1}}',
    }
    for key, body in bodies.items():
        s3.put_object(Bucket="logs", Key=key, Body=body)
    source = S3Bucket("logs", "auto", access=aws.access, state=tmp_path / "state.db", now=lambda: TODAY)
    sources = Counter(record.event["source"] for record in Flow(source) if isinstance(record.event, dict))
    assert sources == {"vpc": 1, "cloudtrail": 1, "config": 1, "kms": 1}
    assert source.objects_by_type == {"vpcflow": 1, "cloudtrail": 1, "config": 1, "custom": 1}
    assert collected(aws, "auto", state=tmp_path / "state.db") == []


def test_reparse_reads_again_from_the_first_run_on(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    first = put_flow_log(s3, "2026/11/23", "fl-0a")
    collected(aws, "vpcflow", state=state)
    later = TODAY + timedelta(days=5)
    second = put_flow_log(s3, "2026/11/28", "fl-0a")
    assert collected(aws, "vpcflow", state=state, now=lambda: later) == [second]
    assert collected(aws, "vpcflow", state=state, now=lambda: later, reparse=True) == [first, second]
    assert collected(aws, "vpcflow", state=state, now=lambda: later) == []


@pytest.mark.parametrize("place", [{}, {"accounts": ("123456789012",), "regions": ("eu-west-1",)}])
def test_what_firehose_writes_is_guarddutys_where_it_exports_nothing_itself(
    aws: Aws, s3: Any, place: dict[str, Any]
) -> None:
    finding = json.dumps({"detail-type": "x", "source": "aws.guardduty", "detail": {"id": "1"}}).encode()
    s3.put_object(Bucket="logs", Key="2026/11/23/05/firehose", Body=finding)
    assert collected(aws, "guardduty", **place) == ["firehose"]
    s3.put_object(Bucket="logs", Key=f"{ACCOUNT}/GuardDuty/eu-west-1/2026/11/23/own.jsonl", Body=b'{"id": "2"}')
    assert collected(aws, "guardduty", **place) == ["own.jsonl"]
    assert collected(aws, "custom") == ["firehose"]
    assert sorted(collected(aws, "auto", **place)) == ["firehose", "own.jsonl"]


def test_what_lies_by_date_is_wafs_where_it_writes_nothing_itself(aws: Aws, s3: Any) -> None:
    request = b'{"httpRequest": {"headers": []}}'
    for key in ("2026/11/23/05/slashes", "2026-11-23-dashes"):
        s3.put_object(Bucket="logs", Key=key, Body=request)
    s3.put_object(Bucket="logs", Key=f"{ACCOUNT}/CloudTrail/eu-west-1/2026/11/23/another", Body=b"{}")
    assert collected(aws, "waf") == ["slashes", "2026-11-23-dashes"]
    s3.put_object(Bucket="logs", Key=f"{ACCOUNT}/WAFLogs/eu-west-1/acl/2026/11/23/05/00/own.log", Body=request)
    s3.put_object(Bucket="logs", Key="2026/11/23/05/macie", Body=b'{"source": "aws.macie", "detail": {}}')
    assert collected(aws, "waf") == ["own.log"]


def test_ten_thousand_objects_of_a_day_are_each_read_once_and_forgotten_when_their_window_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    month = tmp_path / "s3" / "logs" / ACCOUNT / "CloudTrail" / "eu-west-1" / "2026" / "11"

    def put(*names: str) -> None:
        for name in names:
            (month / name).parent.mkdir(parents=True, exist_ok=True)
            (month / name).write_bytes(b'{"Records": [{}]}')

    def read() -> list[str]:
        with s3_standin(tmp_path / "s3") as url:  # it lists what lies there when it starts
            found = collected(Aws(url), "cloudtrail", state=tmp_path / "state.db", only_after=OCTOBER)
            assert asked(url).get("GetObject", 0) == len(found)
            return found

    names = [f"{number:05}.json" for number in range(10_000)]
    put(*(f"20/{name}" for name in names))
    assert read() == names
    put("20/00000 late.json")
    assert read() == ["00000 late.json"]
    put("22/next.json")
    assert read() == ["next.json"]
    assert read() == []
    with closing(sqlite3.connect(tmp_path / "state.db")) as state:
        assert state.execute("SELECT count(*) FROM objects").fetchone() == (1,)
