"""The S3 source: what is found, what is read, what is remembered, what is deleted."""

import gzip
import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awsflow import Flow
from awsflow.errors import DecodeError, NoAccounts, NoObjects, ServiceError
from awsflow.sources import S3Bucket
from tests.conftest import Aws

TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGION = "AWSLogs/123456789012/CloudTrail/eu-west-1/"


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    return client


def document(*ids: str) -> bytes:
    return gzip.compress(json.dumps({"Records": [{"eventID": id_} for id_ in ids]}).encode(), 1)


def put(s3: Any, *keys: str, prefix: str = REGION) -> None:
    """Put an object for each key, holding one event that is named after it."""
    for key in keys:
        s3.put_object(Bucket="trail", Key=prefix + key, Body=document(key))


def collected(aws: Aws, **options: Any) -> list[str]:
    """The ids of the events that a run reads."""
    options.setdefault("now", lambda: TODAY)
    source = S3Bucket("trail", "cloudtrail", access=aws.access, **options)
    return [record.event["eventID"] for record in Flow(source) if isinstance(record.event, dict)]


def keys_of(s3: Any) -> Iterable[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="trail").get("Contents", ())]


def test_accounts_and_regions_are_found_each_with_its_own(aws: Aws, s3: Any) -> None:
    put(s3, "111111111111/CloudTrail/eu-west-1/2026/11/23/a.json.gz", prefix="AWSLogs/")
    put(s3, "111111111111/CloudTrail/us-east-1/2026/11/23/b.json.gz", prefix="AWSLogs/")
    put(s3, "222222222222/CloudTrail/ap-south-1/2026/11/23/c.json.gz", prefix="AWSLogs/")
    put(s3, "222222222222/Config/sa-east-1/2026/11/23/d.json.gz", prefix="AWSLogs/")
    assert [id_[-9:] for id_ in collected(aws)] == ["a.json.gz", "b.json.gz", "c.json.gz"]


def test_more_than_a_page_of_accounts_is_found(aws: Aws, s3: Any) -> None:
    for number in range(1003):
        put(s3, f"{number:012}/CloudTrail/eu-west-1/2026/11/23/{number}.json.gz", prefix="AWSLogs/")
    assert len(collected(aws)) == 1003


def test_given_accounts_and_regions_are_the_only_ones_read(aws: Aws, s3: Any) -> None:
    for account in ("111111111111", "222222222222"):
        for region in ("eu-west-1", "us-east-1"):
            put(s3, f"{account}/CloudTrail/{region}/2026/11/23/x", prefix="AWSLogs/")
    assert collected(aws, accounts=("222222222222",), regions=("us-east-1",)) == [
        "222222222222/CloudTrail/us-east-1/2026/11/23/x"
    ]


def test_nothing_dated_before_the_given_day_is_read(aws: Aws, s3: Any) -> None:
    put(s3, "2026/11/01/old", "2026/11/20/first", "2026/11/22/second")
    assert collected(aws, only_after=date(2026, 11, 20)) == ["2026/11/20/first", "2026/11/22/second"]


def test_without_a_date_and_without_state_only_today_is_read(aws: Aws, s3: Any) -> None:
    put(s3, "2026/11/22/yesterday", "2026/11/23/today")
    assert collected(aws) == ["2026/11/23/today"]


def test_a_second_run_reads_what_is_new_and_what_came_late_within_the_look_back(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    state = {"state": tmp_path / "state.db", "only_after": date(2026, 11, 1)}
    put(s3, "2026/11/20/a", "2026/11/22/b")
    assert collected(aws, **state) == ["2026/11/20/a", "2026/11/22/b"]
    put(s3, "2026/11/20/too late", "2026/11/21/late", "2026/11/22/a late one", "2026/11/23/new")
    assert collected(aws, **state) == ["2026/11/21/late", "2026/11/22/a late one", "2026/11/23/new"]
    assert collected(aws, **state) == []


def test_a_longer_look_back_reads_what_came_later_still(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = {"state": tmp_path / "s.db", "only_after": date(2026, 11, 1), "lookback": timedelta(days=3)}
    put(s3, "2026/11/22/b")
    assert collected(aws, **state) == ["2026/11/22/b"]
    put(s3, "2026/11/19/late", "2026/11/18/too late")
    assert collected(aws, **state) == ["2026/11/19/late"]


def test_what_arrives_just_before_midnight_of_a_first_run_without_objects_is_read(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    put(s3, "2026/11/20/old")
    state = tmp_path / "state.db"
    assert collected(aws, state=state, now=lambda: TODAY) == []
    put(s3, "2026/11/23/late in the evening")
    assert collected(aws, state=state, now=lambda: TODAY + timedelta(days=1)) == ["2026/11/23/late in the evening"]


def test_a_region_that_comes_up_later_is_read_from_the_last_run_on(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    put(s3, "2026/11/23/a")
    assert collected(aws, state=state) == ["2026/11/23/a"]
    new = "123456789012/CloudTrail/us-east-1/2026/11/23/b"
    put(s3, new, prefix="AWSLogs/")
    assert collected(aws, state=state, now=lambda: TODAY + timedelta(days=1)) == [new]


def test_of_more_objects_of_a_day_than_a_page_holds_each_is_read_once(aws: Aws, s3: Any, tmp_path: Path) -> None:
    for number in range(1100):
        put(s3, f"2026/11/23/{number:05}")
    state = tmp_path / "state.db"
    assert len(collected(aws, state=state)) == 1100
    put(s3, "2026/11/23/00000 late", "2026/11/23/99999")
    assert collected(aws, state=state) == ["2026/11/23/00000 late", "2026/11/23/99999"]


def test_a_key_dated_in_the_future_does_not_hide_what_comes_before_it(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    put(s3, "2026/11/23/a", "2099/01/01/odd")
    assert collected(aws, state=state) == ["2026/11/23/a", "2099/01/01/odd"]
    put(s3, "2026/11/23/b")
    assert collected(aws, state=state) == ["2026/11/23/b"]


def test_folder_markers_and_keys_without_a_date_are_not_read(aws: Aws, s3: Any) -> None:
    put(s3, "2026/11/23/a", "2026/11/23/", "2026/11/xx", "README")
    assert collected(aws) == ["2026/11/23/a"]


def test_reparse_reads_again_and_changes_no_state(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    put(s3, "2026/11/23/a")
    assert collected(aws, state=state) == ["2026/11/23/a"]
    put(s3, "2026/11/23/b")
    assert collected(aws, state=state, reparse=True) == ["2026/11/23/a", "2026/11/23/b"]
    assert collected(aws, state=state) == ["2026/11/23/b"]


def test_a_new_version_of_an_object_is_read_from_its_beginning(aws: Aws, s3: Any, tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    put(s3, "2026/11/23/a")
    assert collected(aws, state=state) == ["2026/11/23/a"]
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=document("new", "newer"))
    assert collected(aws, state=state) == ["new", "newer"]


def test_an_object_is_gone_on_with_where_it_was_left(aws: Aws, s3: Any, tmp_path: Path) -> None:
    ids = [str(number) for number in range(1000)]
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=document(*ids))
    state = tmp_path / "state.db"
    seen = []
    with closing(iter(Flow(S3Bucket("trail", state=state, access=aws.access, now=lambda: TODAY)))) as records:  # type: ignore[type-var] # it is a generator
        for record in records:
            seen.append(record.number)
            if record.number == 450:
                break
    rest = collected(aws, state=state)
    assert rest == ids[400:]


def test_delivered_objects_are_deleted_when_asked_for(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "2026/11/20/before", *(f"2026/11/23/{number:04}" for number in range(1100)))
    assert len(collected(aws, state=tmp_path / "state.db", remove=True)) == 1100
    assert keys_of(s3) == [REGION + "2026/11/20/before"]


def test_delivered_objects_are_deleted_whatever_characters_their_keys_have(aws: Aws, s3: Any) -> None:
    keys = [f"2026/11/23/{name}" for name in ("a", "b +%41&<>\"'", "c\x01", "d\r\x1f", "e\uffff", "\u2603\U0001f600")]
    put(s3, *keys)
    assert sorted(collected(aws, remove=True)) == sorted(keys)
    assert keys_of(s3) == []


def test_what_was_delivered_before_is_deleted_too_when_it_is_still_there(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "2026/11/23/a")
    assert collected(aws, state=tmp_path / "state.db") == ["2026/11/23/a"]
    assert collected(aws, state=tmp_path / "state.db", remove=True) == []
    assert keys_of(s3) == []


def test_a_bad_object_ends_the_run_and_says_where_and_what_came_before_it_is_committed(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state.db"
    put(s3, "2026/11/23/a")
    bad = gzip.compress(b'{"Records": [{"eventID": "good"}, {"eventID": bad}]}')
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/b", Body=bad)
    put(s3, "2026/11/23/c")
    with pytest.raises(DecodeError, match=rf"reading s3://trail/{REGION}2026/11/23/b: .*byte"):
        collected(aws, state=state)
    with pytest.raises(DecodeError):
        assert collected(aws, state=state) == []
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/b", Body=document("good", "mended"))
    assert collected(aws, state=state) == ["good", "mended", "2026/11/23/c"]


def test_told_to_skip_a_bad_object_is_tried_again_three_times_in_all_and_the_rest_goes_on(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "skip_on_error": True}
    bad = gzip.compress(b'{"Records": [{"eventID": "good"}, {"eventID": bad}]}')
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/b", Body=bad)
    put(s3, "2026/11/23/c")
    failed = []
    for _ in range(4):
        flow = Flow(S3Bucket("trail", access=aws.access, now=lambda: TODAY, **options))
        seen = [record.event["eventID"] for record in flow if isinstance(record.event, dict)]
        failed.append((seen, flow.stats.failed))
    assert failed == [(["good", "2026/11/23/c"], 1), ([], 1), ([], 1), ([], 0)]


BAD = gzip.compress(b'{"Records": [{"eventID": "good"}, {"eventID": bad}]}', mtime=0)


def test_an_object_that_could_not_be_read_is_not_deleted_by_any_run(aws: Aws, s3: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "skip_on_error": True, "remove": True}
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=BAD)
    put(s3, "2026/11/23/b")
    assert [collected(aws, **options) for _ in range(5)] == [["good", "2026/11/23/b"], [], [], [], []]
    assert keys_of(s3) == [REGION + "2026/11/23/a"]
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=document("mended"))
    assert collected(aws, **options) == ["mended"]
    assert keys_of(s3) == []


@pytest.mark.parametrize("later", [0, 10])
def test_an_object_that_was_mended_after_it_failed_is_read_from_its_beginning_and_once(
    aws: Aws, s3: Any, tmp_path: Path, later: int
) -> None:
    """In the window it is listed again; outside of it, it is on the failures list alone."""
    options: dict[str, Any] = {"state": tmp_path / "state.db", "skip_on_error": True}
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=BAD)
    assert collected(aws, **options) == ["good"]
    day = TODAY + timedelta(days=later)
    put(s3, f"{day:%Y/%m/%d}/b")
    assert collected(aws, **options, now=lambda: day) == [f"{day:%Y/%m/%d}/b"]
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=document("mended", "whole"))
    assert [collected(aws, **options, now=lambda: day) for _ in range(4)] == [["mended", "whole"], [], [], []]


def test_an_object_that_failed_is_tried_again_only_where_it_is_wanted(aws: Aws, s3: Any, tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "state.db", "skip_on_error": True}
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/23/a", Body=BAD)
    put(s3, "123456789012/CloudTrail/us-east-1/2026/11/23/b", prefix="AWSLogs/")

    def failed(**more: Any) -> int:
        flow = Flow(S3Bucket("trail", access=aws.access, now=lambda: TODAY, **options, **more))
        for _ in flow:
            pass
        return flow.stats.failed

    assert failed() == 1
    assert failed(regions=("us-east-1",)) == 0
    assert failed(only_after=date(2026, 11, 24)) == 0
    assert failed(only_after=date(2026, 11, 23), regions=("eu-west-1",)) == 1


def test_an_empty_prefix_and_a_prefix_without_accounts_are_told_apart(aws: Aws, s3: Any) -> None:
    with pytest.raises(NoObjects, match="s3://trail/"):
        collected(aws)
    put(s3, "other", prefix="")
    with pytest.raises(NoAccounts, match="s3://trail/AWSLogs/"):
        collected(aws)
    with pytest.raises(NoObjects, match="s3://trail/nothing/"):
        collected(aws, prefix="nothing/", accounts=("123456789012",), regions=("eu-west-1",))


def test_an_account_without_new_logs_is_no_error(aws: Aws, s3: Any) -> None:
    put(s3, "2026/11/01/old")
    assert collected(aws) == []
    assert collected(aws, accounts=("999999999999",)) == []


def test_a_bucket_that_is_not_there_is_named(aws: Aws) -> None:
    with pytest.raises(ServiceError, match="no-such-bucket"):
        list(Flow(S3Bucket("no-such-bucket", access=aws.access)))
