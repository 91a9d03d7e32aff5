"""CloudWatch Logs: every event once, whatever comes late, expires, is missing, or is killed."""

import json
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow import Flow
from awsflow.aws import client
from awsflow.errors import ArgumentsError, AwsflowError, CredentialsError, LogGroupFailed, ServiceError, Throttled
from awsflow.items import Barrier, Item, Record
from awsflow.options import AwsAccess
from awsflow.sources import CloudWatchLogs
from awsflow.sources.log_api import LogsApi
from awsflow.sources.log_groups import LogFinding, LogOptions
from awsflow.sources.log_records import items_of
from awsflow.sources.log_streams import LogStream, Page, pages
from awsflow.sources.places import work_name
from awsflow.sources.rate import Rate
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.log_work import LogWork
from awsflow.state.positions import LogPosition
from tests.answers import Answering, assumed
from tests.conftest import Aws
from tests.log_service import LogService, Refused
from tests.test_golden import GOLDEN
from tests.wazuh import Wazuh

GROUP = "/aws/lambda/x"
DAY = date(2026, 11, 1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
T = int(NOON.timestamp() * 1000)
"""Milliseconds since 1970."""
FAST: dict[str, Any] = {"requests_per_second": 10_000.0}
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def service() -> Iterator[LogService]:
    with LogService() as service:
        yield service


def source(access: AwsAccess, *groups: str, **options: Any) -> CloudWatchLogs:
    wanted = {"only_after": DAY, "now": lambda: NOON, **FAST, **options}
    return CloudWatchLogs(groups or [GROUP], access=access, **wanted)


def collected(access: AwsAccess, *groups: str, **options: Any) -> list[Any]:
    return [record.event for record in Flow(source(access, *groups, **options))]


def until_error(logs: CloudWatchLogs) -> tuple[list[Any], AwsflowError]:
    """What came, and the error that ended it."""
    seen: list[Any] = []
    try:
        for record in Flow(logs):
            seen.append(record.event)  # noqa: PERF401 - a list made at once would be lost with the error
    except AwsflowError as error:
        return seen, error
    raise AssertionError(f"no error, but {seen}")


def some(*numbers: int) -> list[tuple[int, str]]:
    """Events, a second apart."""
    return [(T + number * 1000, str(number)) for number in numbers]


class Moto:
    """Moto's log groups, made by their first event."""

    def __init__(self, aws: Aws, region: str = "us-east-1") -> None:
        self.client = aws.client("logs") if region == "us-east-1" else _elsewhere(aws, region)

    def put(self, group: str, stream: str, *events: tuple[int, str]) -> None:
        for make, names in (
            (self.client.create_log_group, {"logGroupName": group}),
            (self.client.create_log_stream, {"logGroupName": group, "logStreamName": stream}),
        ):
            with suppress(self.client.exceptions.ResourceAlreadyExistsException):
                make(**names)
        if events:
            entries = [{"timestamp": time, "message": message} for time, message in events]
            self.client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=entries)

    def streams(self, group: str = GROUP) -> list[str]:
        found = self.client.describe_log_streams(logGroupName=group)["logStreams"]
        return [stream["logStreamName"] for stream in found]


def _elsewhere(aws: Aws, region: str) -> Any:
    import boto3  # noqa: PLC0415 - for one test

    session: Any = boto3.Session()  # its stubs know a fixed list of services
    return session.client("logs", endpoint_url=aws.url, region_name=region)


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, part, earliest, latest FROM log_streams ORDER BY 1, 2").fetchall()


@pytest.mark.skipif(not GOLDEN.is_dir(), reason=f"no golden cases in {GOLDEN}")
def test_the_golden_case_is_sent_to_wazuh_message_by_message(aws: Aws, tmp_path: Path) -> None:
    folder = GOLDEN / "cloudwatch-logs"
    case = json.loads((folder / "case.json").read_text())
    logs = Moto(aws)
    for number, step in enumerate(case["steps"]):
        for stream, events in step["put_log_events"].items():
            logs.put(case["log_group"], stream, *((event["timestamp"], event["message"]) for event in events))
        out = tmp_path / str(number)
        with Wazuh(out) as wazuh:
            from awsflow.sinks import WazuhSocket  # noqa: PLC0415 - for this test

            options: dict[str, Any] = {"only_after": date(2026, 10, 1), "state": tmp_path / "s.db"}
            Flow(source(aws.access, case["log_group"], **options)).to(WazuhSocket(wazuh.path)).run()
            assert Counter(wazuh.take()) == Counter((folder / step["expected"]).read_bytes().splitlines())


def test_messages_are_sent_byte_for_byte_in_the_order_of_each_stream(aws: Aws) -> None:
    messages = ["", " leading", '{"b": 1.0, "a":1e2}', "ünï\u2028code 𝄞", 'null\0byte "', "[1, 2]", "x" * 200_000]
    Moto(aws).put(GROUP, "s", *((T + at, message) for at, message in enumerate(messages) if message))
    assert collected(aws.access) == messages[1:]


def test_all_pages_of_groups_streams_and_events_are_read(service: LogService, aws: Aws) -> None:
    for number in range(102):
        service.put(f"/many/{number:03}", "s", (T, f"group {number}"))
        service.put(GROUP, f"stream {number:03}", (T, f"stream {number}"))
    assert sorted(collected(service.access, "/many/*")) == sorted(f"group {number}" for number in range(102))
    assert sorted(collected(service.access)) == sorted(f"stream {number}" for number in range(102))
    logs = Moto(aws)
    for begin in range(0, 15_000, 5000):
        logs.put("/large", "s", *((T + at, str(at)) for at in range(begin, begin + 5000)))
    assert collected(aws.access, "/large") == [str(number) for number in range(15_000)]


def test_several_groups_are_read_and_each_only_once_though_it_is_meant_twice(service: LogService) -> None:
    for name in ("/a/1", "/a/2", "/b"):
        service.put(name, "s", (T, name))
    assert sorted(collected(service.access, "/b", "/a/*", "/a/1")) == ["/a/1", "/a/2", "/b"]
    assert collected(service.access, "*", stream_prefix="t", skip_on_error=True) == []


def test_without_a_group_or_with_an_empty_one_nothing_is_begun() -> None:
    for groups in ([], ["a", ""], ""):
        with pytest.raises(ArgumentsError, match="name one or several"):
            CloudWatchLogs(groups)


def test_an_empty_page_is_not_the_end(tmp_path: Path) -> None:
    with LogService(page=3, empty_every=2) as service:
        service.put(GROUP, "s", *some(*range(50)))
        assert collected(service.access, state=tmp_path / "s.db") == [str(number) for number in range(50)]
        assert collected(service.access, state=tmp_path / "s.db") == []


def test_a_quiet_stream_costs_one_request(service: LogService, tmp_path: Path) -> None:
    service.put(GROUP, "s", *some(1, 2, 3))
    collected(service.access, state=tmp_path / "s.db")
    before = len(service.asked("GetLogEvents"))
    assert collected(service.access, state=tmp_path / "s.db") == []
    assert len(service.asked("GetLogEvents")) == before + 1


def test_late_events_of_the_same_millisecond_and_earlier_ones_are_neither_lost_nor_repeated(
    service: LogService, aws: Aws, tmp_path: Path
) -> None:
    places: list[tuple[LogService | Moto, AwsAccess]] = [(service, service.access), (Moto(aws), aws.access)]
    for number, (logs, access) in enumerate(places):
        state = {"state": tmp_path / f"{number}.db"}
        logs.put(GROUP, "s", (T, "a"), (T + 5, "b"), (T + 5, "b"))
        assert collected(access, **state) == ["a", "b", "b"]
        time.sleep(0.002)  # else it would come to moto in the very same millisecond, like one of the others
        logs.put(GROUP, "s", (T + 2, "late"), (T + 5, "b"), (T + 5, "c"), (T + 6, "d"))
        assert sorted(collected(access, **state)) == ["b", "c", "d", "late"]
        assert collected(access, **state) == []


def test_what_comes_late_is_read_though_the_list_of_streams_lags_behind(service: LogService, tmp_path: Path) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(GROUP, "s", *some(1, 5))
    assert collected(service.access, **state) == ["1", "5"]
    service.lag = 60_000
    service.time += 60_000
    service.put(GROUP, "s", *some(3))
    assert collected(service.access, **state) == []  # what comes late is not looked for while nothing tells of it
    service.put(GROUP, "s", *some(6))
    assert collected(service.access, **state) == ["3", "6"]
    service.put(GROUP, "s", *some(4))
    service.time += 60_000
    assert collected(service.access, **state) == ["4"]


def test_after_a_refused_token_it_goes_on_from_the_latest_time_without_repeats(
    service: LogService, tmp_path: Path
) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(GROUP, "s", *some(1, 2), (T + 2000, "2 as well"))
    assert collected(service.access, **state) == ["1", "2", "2 as well"]
    with closing(sqlite3.connect(state["state"])) as connection:
        service.refused_tokens = {row[0] for row in connection.execute("SELECT token FROM log_streams")}
    assert service.refused_tokens
    told: list[str] = []
    assert collected(service.access, **state, note=told.append) == []
    assert any("the token is refused" in text for text in told)
    service.put(GROUP, "s", (T + 2000, "late"), *some(3))
    assert collected(service.access, **state) == ["late", "3"]


def test_a_token_that_is_refused_in_the_midst_of_a_stream_costs_nothing_but_requests() -> None:
    with LogService(page=7) as service:
        service.put(GROUP, "s", *((T + number // 5, str(number)) for number in range(100)))
        answers = iter(range(1000))

        def refuse(operation: str, request: dict[str, Any]) -> None:
            if "nextToken" in request and next(answers) % 4 == 3:
                raise Refused("InvalidParameterException")

        service.before = refuse
        assert collected(service.access) == [str(number) for number in range(100)]


def test_where_every_token_is_refused_it_is_read_by_time(tmp_path: Path) -> None:
    with LogService(page=3) as service:
        service.put(GROUP, "s", *some(*range(20)))
        service.refuses_all_tokens = True
        state = {"state": tmp_path / "s.db"}
        assert collected(service.access, **state) == [str(number) for number in range(20)]
        service.put(GROUP, "s", *some(20))
        assert collected(service.access, **state) == ["20"]
        assert collected(service.access, remove=True, **state) == []
        assert list(service.groups[GROUP]) == ["s"]  # it is not known where it ends


def test_without_a_date_and_without_state_today_is_read_and_what_comes_up_later_from_the_first_day_on(
    service: LogService, tmp_path: Path
) -> None:
    midnight = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000)
    service.put(GROUP, "s", (midnight - 1, "yesterday"), (midnight, "today"))
    options: dict[str, Any] = {"only_after": None, "state": tmp_path / "s.db"}
    assert collected(service.access, **options) == ["today"]
    tomorrow = NOON + timedelta(days=1)
    service.put(GROUP, "new", (midnight - 1, "too old"), (midnight + 1, "between the runs"))
    service.put("/new", "s", (midnight + 2, "before this group was named"))
    assert collected(service.access, GROUP, "/new", now=lambda: tomorrow, **options) == ["between the runs"]


def test_a_first_run_without_events_is_remembered_too(service: LogService, tmp_path: Path) -> None:
    options: dict[str, Any] = {"only_after": None, "state": tmp_path / "s.db"}
    service.groups[GROUP] = {}
    assert collected(service.access, **options) == []
    service.put(GROUP, "s", (T, "late in the evening"))
    assert collected(service.access, now=lambda: NOON + timedelta(days=1), **options) == ["late in the evening"]


def test_the_part_before_the_earliest_time_read_is_read_first_and_once(service: LogService, tmp_path: Path) -> None:
    hour = 3_600_000
    service.put(GROUP, "s", *((T - number * 24 * hour, f"{number} days before") for number in range(4, -1, -1)))
    state = {"state": tmp_path / "s.db"}
    assert collected(service.access, only_after=date(2026, 11, 19), **state) == ["1 days before", "0 days before"]
    service.put(GROUP, "s", (T + 1, "new"))
    earlier = ["3 days before", "2 days before", "new"]
    assert collected(service.access, only_after=date(2026, 11, 17), **state) == earlier
    for day in (17, 18, 20):
        assert collected(service.access, only_after=date(2026, 11, day), **state) == []
    assert collected(service.access, only_after=date(2026, 11, 1), **state) == ["4 days before"]
    assert len(rows(state["state"])) == 1


def test_what_lies_on_the_border_of_the_part_before_is_sent_once(service: LogService, aws: Aws, tmp_path: Path) -> None:
    """Whether the end of a stretch of time belongs to it, AWS and moto see differently."""
    midnight = int(datetime(2026, 11, 19, tzinfo=UTC).timestamp() * 1000)
    places: list[tuple[LogService | Moto, AwsAccess]] = [(service, service.access), (Moto(aws), aws.access)]
    for number, (logs, access) in enumerate(places):
        state = {"state": tmp_path / f"{number}.db"}
        logs.put(GROUP, "s", (midnight - 1, "before"), (midnight, "border"), (midnight + 1, "behind"))
        assert collected(access, only_after=date(2026, 11, 19), **state) == ["border", "behind"]
        assert collected(access, only_after=date(2026, 11, 18), **state) == ["before"]


def test_a_run_that_was_broken_off_in_the_midst_of_a_page_goes_on_there(service: LogService, tmp_path: Path) -> None:
    service.put(GROUP, "s", *((T + at // 7, str(at)) for at in range(5000)))
    seen: list[Any] = []
    with closing(source(service.access, state=tmp_path / "s.db")) as logs, closing(logs.items()) as items:
        for item in items:
            if isinstance(item, Record):
                seen.append(item.event)
            elif item.position is not None:  # type: ignore[union-attr] # there are no failures here
                logs.commit([item.position])  # type: ignore[union-attr] # likewise
                if len(seen) == 3300:
                    break
    assert seen + collected(service.access, state=tmp_path / "s.db") == [str(at) for at in range(5000)]


def test_a_part_before_that_was_broken_off_goes_on_where_it_was_left(service: LogService, tmp_path: Path) -> None:
    day = 24 * 3_600_000
    old = [(T - 3 * day + number, str(number)) for number in range(1000)]
    service.put(GROUP, "s", *old, (T, "new"))
    state = {"state": tmp_path / "s.db"}
    assert collected(service.access, only_after=date(2026, 11, 20), **state) == ["new"]
    seen = []
    flow = Flow(source(service.access, only_after=date(2026, 11, 17), **state))
    with closing(iter(flow)) as records:  # type: ignore[type-var] # it is a generator
        for record in records:
            seen.append(record.event)
            if record.number == 450:
                break
    assert [row[1] for row in rows(state["state"])] == [0, 1]
    service.put(GROUP, "s", (T + 1, "newer"), (T - 4 * day, "older still"))
    rest = collected(service.access, **state)
    assert rest == [*map(str, range(400, 1000)), "older still", "newer"]
    assert seen == [str(number) for number in range(450)]
    assert [row[1] for row in rows(state["state"])] == [0]
    assert collected(service.access, **state) == []


def test_nothing_dated_before_the_given_day_is_ever_sent(service: LogService, tmp_path: Path) -> None:
    state = {"state": tmp_path / "s.db"}
    day = 24 * 3_600_000
    service.put(GROUP, "s", (T - 9 * day, "old"))
    assert collected(service.access, **state) == ["old"]
    service.put(GROUP, "s", (T - 8 * day, "between"), (T, "new"))
    assert collected(service.access, only_after=date(2026, 11, 20), **state) == ["new"]
    midnight = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
    service.put(GROUP, "s", (midnight + 1, "next day"))
    options: dict[str, Any] = {"only_after": date(2026, 11, 21), "now": lambda: NOON + timedelta(days=1), **state}
    assert collected(service.access, **{**options, "only_after": date(2026, 11, 20)}) == ["next day"]
    service.put(GROUP, "s", (midnight - 1, "late, and of before"), (midnight, "late"))
    assert collected(service.access, **options) == ["late"]


def test_reparse_reads_everything_again_and_changes_no_state(service: LogService, tmp_path: Path) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(GROUP, "s", *some(1, 2))
    assert collected(service.access, **state) == ["1", "2"]
    before = rows(state["state"])
    service.put(GROUP, "s", *some(3))
    service.put(GROUP, "t", *some(4))
    assert sorted(collected(service.access, reparse=True, **state)) == ["1", "2", "3", "4"]
    assert rows(state["state"]) == before
    assert sorted(collected(service.access, **state)) == ["3", "4"]


def test_streams_that_are_gone_are_dropped_from_the_state(service: LogService, tmp_path: Path) -> None:
    state = tmp_path / "s.db"
    for number in range(60):
        service.put(GROUP, f"{number:03}", *some(number))
    service.put("/other", "000", *some(1))
    collected(service.access, GROUP, "/other", state=state)
    assert len(rows(state)) == 61
    for number in range(0, 60, 2):
        del service.groups[GROUP][f"{number:03}"]
    service.put(GROUP, "new", *some(1))
    collected(service.access, stream_prefix="00", state=state)  # of those alone it is known that they are gone
    assert len(rows(state)) == 56
    collected(service.access, state=state)
    assert [row[0] for row in rows(state)] == sorted(["000", "new", *(f"{number:03}" for number in range(1, 60, 2))])
    del service.groups[GROUP]
    with pytest.raises(LogGroupFailed):
        collected(service.access, state=state)
    assert [row[0] for row in rows(state)] == ["000"]


def test_a_missing_group_is_told_at_the_end_and_the_others_are_read(aws: Aws, tmp_path: Path) -> None:
    logs = Moto(aws)
    logs.put("/a", "s", *some(1))
    logs.put("/z", "s", *some(2))
    options: dict[str, Any] = {"state": tmp_path / "s.db", **FAST}
    seen, error = until_error(source(aws.access, "/a", "/missing", "/z", **options))
    assert sorted(seen) == ["1", "2"]
    assert isinstance(error, LogGroupFailed)
    assert error.exit_code == 16
    assert "log group /missing: it is not there (us-east-1); check name" in str(error)
    assert collected(aws.access, "/a", "/z", **options) == []  # and what was read is committed
    with pytest.raises(LogGroupFailed, match=r"2 log groups failed: .* /missing.* /none\*"):
        collected(aws.access, "/a", "/missing", "/none*", **options)
    warned: list[str] = []
    assert collected(aws.access, "/missing", skip_on_error=True, warn=warned.append, **FAST) == []
    assert len(warned) == 1


def test_a_group_that_is_refused_or_a_stream_that_cannot_be_read_is_told_and_the_others_are_read(
    service: LogService,
) -> None:
    for name in ("/a", "/denied", "/z"):
        for stream in ("1", "2", "3"):
            service.put(name, stream, (T, f"{name} {stream}"))

    def deny(operation: str, request: dict[str, Any]) -> None:
        if request.get("logGroupName") == "/denied":
            raise Refused("AccessDeniedException")
        if operation == "GetLogEvents" and request["logGroupName"] == "/a" and request["logStreamName"] == "2":
            raise Refused("InvalidOperationException")

    service.before = deny
    seen, error = until_error(source(service.access, "/denied", "/a", "/z"))
    assert isinstance(error, LogGroupFailed)
    assert re.search(r"2 log groups failed: listing the log group /denied .*AccessDenied.*/a in", str(error))
    assert sorted(seen) == ["/a 1", "/a 3", "/z 1", "/z 2", "/z 3"]


def test_a_stream_that_is_deleted_after_it_was_listed_is_no_error(service: LogService) -> None:
    service.put(GROUP, "a", *some(1))
    service.put(GROUP, "b", *some(2))

    def vanish(operation: str, request: dict[str, Any]) -> None:
        if operation == "GetLogEvents":
            service.groups[GROUP].pop("b", None)

    service.before = vanish
    assert collected(service.access) == ["1"]


def test_a_group_of_another_account_goes_by_its_arn_in_the_region_of_that(service: LogService) -> None:
    arn = "arn:aws:logs:eu-west-1:999999999999:log-group:/theirs"
    service.put(arn, "s", *some(1))
    assert collected(service.access, f"{arn}:*", regions=["us-east-1"]) == ["1"]
    for operation in ("DescribeLogStreams", "GetLogEvents"):
        for request in service.asked(operation):
            assert request["logGroupIdentifier"] == arn
            assert "logGroupName" not in request
    with pytest.raises(LogGroupFailed, match=r"arn:.*:/missing: it is not there \(eu-west-1\)"):
        collected(service.access, "arn:aws:logs:eu-west-1:999999999999:log-group:/missing")
    with pytest.raises(LogGroupFailed, match="log group arn:nonsense"):
        collected(service.access, "arn:nonsense")


def test_a_group_need_be_in_one_of_the_regions_only(aws: Aws, tmp_path: Path) -> None:
    Moto(aws, "eu-west-1").put(GROUP, "s", *some(1))
    Moto(aws, "us-east-1").put("/here", "s", *some(2))
    regions = {"regions": ["us-east-1", "eu-west-1"], "state": tmp_path / "s.db"}
    assert sorted(collected(aws.access, GROUP, "/here", **regions)) == ["1", "2"]
    assert collected(aws.access, GROUP, "/here", **regions) == []
    with pytest.raises(LogGroupFailed, match=r"/aws/lambda/x: it is not there \(us-east-1\)"):
        collected(aws.access)  # the access's region alone


def test_where_nobody_chose_a_region_all_are_asked_and_those_that_are_not_enabled_left_out(
    service: LogService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    service.put(GROUP, "s", *some(1))
    role = "arn:aws-us-gov:iam::123456789012:role/logs"  # a partition of two regions, one asked behind the other

    def only_the_second(operation: str, request: dict[str, Any]) -> None:
        if operation == "DescribeLogStreams" and len(service.asked(operation)) == 1:
            raise Refused("UnrecognizedClientException")

    with Answering(lambda request: assumed("AKIAROLE", 3600)) as sts:
        access = AwsAccess(role_arn=role, service_endpoint=service.url, sts_endpoint=sts.url)
        service.before = only_the_second
        assert collected(access) == ["1"]
        service.before = deny
        with pytest.raises(LogGroupFailed, match=f"listing the log group {GROUP} in us-gov-east-1: access is denied"):
            collected(access)
        service.before = refuse_credentials
        with pytest.raises(CredentialsError):
            collected(access)


def deny(operation: str, request: dict[str, Any]) -> None:
    raise Refused("AccessDeniedException")


def refuse_credentials(operation: str, request: dict[str, Any]) -> None:
    raise Refused("UnrecognizedClientException")


def test_credentials_that_are_refused_end_the_run(service: LogService) -> None:
    service.before = refuse_credentials
    with pytest.raises(CredentialsError, match=f"log group {GROUP}"):
        collected(service.access)


def test_throttled_beyond_the_retries_ends_the_run_with_16(
    service: LogService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    service.put(GROUP, "s", *some(1))

    def throttle(operation: str, request: dict[str, Any]) -> None:
        if operation == "GetLogEvents":
            raise Refused("ThrottlingException")

    service.before = throttle
    with pytest.raises(Throttled, match="log stream s of the log group") as told:
        collected(service.access)
    assert told.value.exit_code == 16
    assert len(service.asked("GetLogEvents")) == 2


def test_no_more_requests_are_sent_than_the_rate_allows(service: LogService) -> None:
    for number in range(40):
        service.put(GROUP, f"{number:03}", *some(number))
    since = time.monotonic()
    assert len(collected(service.access, requests_per_second=100.0)) == 40
    assert len(service.requests) >= 81
    assert time.monotonic() - since >= (81 - 100 / 5) / 100


def test_no_more_pages_are_held_than_the_threads_and_two_however_many_streams_there_are() -> None:
    with LogService(page=50) as service:
        for number in range(30):
            service.put(GROUP, f"{number:03}", *((T + at, f"{number} {at}") for at in range(500)))
        held: list[int] = []
        with closing(source(service.access)) as logs, closing(logs.items()) as items:
            for taken, _ in enumerate(item for item in items if isinstance(item, Record)):
                if taken % 50 == 25:  # in the midst of a page
                    time.sleep(0.5 if not held else 0.002)  # a sink that is slower than AWS
                    held.append(service.pages - taken // 50)
        assert len(held) == 300
        assert 4 <= max(held) <= 4 + 2 + 1


def test_while_aws_does_not_answer_time_passes_in_the_stream(service: LogService) -> None:
    service.put(GROUP, "s", *some(1))
    answer = threading.Event()

    def wait(operation: str, request: dict[str, Any]) -> None:
        answer.wait(10)

    service.before = wait
    since = time.monotonic()
    with closing(source(service.access)) as logs, closing(logs.items()) as items:
        for _ in range(2):
            assert next(items) == Barrier()
        assert 0.5 < time.monotonic() - since < 5
        answer.set()
        assert [item.event for item in items if isinstance(item, Record)] == ["1"]


def test_a_writer_that_is_faster_than_we_are_does_not_keep_the_run_from_its_end(tmp_path: Path) -> None:
    with LogService(page=10) as service:
        service.put(GROUP, "s", *some(0))
        numbers = iter(range(1, 100_000))

        def write(operation: str, request: dict[str, Any]) -> None:
            if operation == "GetLogEvents":
                service.time += 20_000
                service.put(GROUP, "s", *some(*(next(numbers) for _ in range(10))))

        service.before = write
        state = tmp_path / "s.db"
        first = collected(service.access, state=state)
        service.before = lambda operation, request: None
        rest = collected(service.access, state=state)
        assert first + rest == [str(number) for number in range(next(numbers))]
        assert len(first) < 500


def barriers(items: Iterator[Item]) -> Iterator[int]:
    """How many records lie between two positions."""
    count = 0
    for item in items:
        if isinstance(item, Record):
            count += 1
        elif isinstance(item, Barrier) and item.position is not None:
            yield count
            count = 0
    assert count == 0


def test_at_most_a_hundred_records_lie_between_two_positions(service: LogService) -> None:
    for number in range(5):
        service.put(GROUP, str(number), *((T + at, str(at)) for at in range(1234)))
    with closing(source(service.access)) as logs, closing(logs.items()) as items:
        counts = list(barriers(items))
    assert sum(counts) == 5 * 1234
    assert max(counts) == 100


def test_the_stats_tell_of_events_bytes_and_the_newest_time(service: LogService) -> None:
    service.put(GROUP, "s", (T, "ä"), (T + 61_000, "b"))
    flow = Flow(source(service.access))
    list(flow)
    assert (flow.stats.read, flow.stats.bytes_in, flow.stats.newest) == (2, 3, "2026-11-20T12:01:01Z")


def test_streams_are_deleted_once_everything_was_delivered_and_committed(aws: Aws, tmp_path: Path) -> None:
    logs = Moto(aws)
    logs.put(GROUP, "a", *some(1))
    logs.put(GROUP, "b", *some(2))
    logs.put(GROUP, "empty")
    options: dict[str, Any] = {"remove": True, "state": tmp_path / "s.db"}
    with closing(source(aws.access, **options)) as collecting:
        positions = [item.position for item in collecting.items() if isinstance(item, Barrier) and item.position]
        assert logs.streams() == ["a", "b", "empty"]
        collecting.commit([position for position in positions if getattr(position, "stream", "") == "a"])
        assert logs.streams() == ["b", "empty"]
    assert collected(aws.access, **options) == ["2"]
    assert logs.streams() == ["empty"]
    assert rows(tmp_path / "s.db") == []
    logs.put(GROUP, "a", *some(1))  # a new one of the same name
    assert collected(aws.access, **options) == ["1"]


def test_a_stream_to_which_something_has_come_since_stays_and_so_does_one_that_holds_what_was_not_read(
    service: LogService, tmp_path: Path
) -> None:
    service.put(GROUP, "a", *some(1))
    service.put(GROUP, "b", (T - 30 * 24 * 3_600_000, "before the given day"), *some(2))
    options: dict[str, Any] = {"remove": True, "state": tmp_path / "s.db"}
    with closing(source(service.access, **options)) as logs:
        items = list(logs.items())
        service.put(GROUP, "a", *some(3))
        logs.commit([item.position for item in items if isinstance(item, Barrier) and item.position])
    assert sorted(service.groups[GROUP]) == ["a", "b"]
    assert collected(service.access, **options) == ["3"]
    assert list(service.groups[GROUP]) == ["b"]
    assert collected(service.access, only_after=date(2026, 10, 1), remove=True, state=tmp_path / "s.db") == [
        "before the given day"
    ]
    assert list(service.groups[GROUP]) == []


def test_what_was_delivered_before_is_deleted_too_when_it_is_still_there(service: LogService, tmp_path: Path) -> None:
    service.put(GROUP, "s", *some(1))
    assert collected(service.access, state=tmp_path / "s.db") == ["1"]
    assert collected(service.access, state=tmp_path / "s.db", remove=True) == []
    assert service.groups[GROUP] == {}


def test_a_stream_that_cannot_be_deleted_is_told_when_everything_else_is_done(
    service: LogService, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        service.put(GROUP, name, (T, name))

    def deny(operation: str, request: dict[str, Any]) -> None:
        if operation == "DeleteLogStream" and request["logStreamName"] == "b":
            raise Refused("AccessDeniedException")

    service.before = deny
    seen, error = until_error(source(service.access, remove=True, state=tmp_path / "s.db"))
    assert isinstance(error, ServiceError)
    assert "deleting the log stream b of the log group" in str(error)
    assert sorted(seen) == ["a", "b", "c"]
    assert list(service.groups[GROUP]) == ["b"]
    service.before = lambda operation, request: None
    assert collected(service.access, remove=True, state=tmp_path / "s.db") == []
    assert service.groups[GROUP] == {}


def test_a_discard_rule_sees_fields_of_json_and_the_whole_of_other_text(aws: Aws) -> None:
    kept = ['{"eventName":   "RunInstances"}', "GET /Describe", '{"eventName": 1, "x": 12345678901234567890123}', "{no"]
    dropped = [
        '{"eventName": "DescribeInstances"}',
        ' {"eventName": ["a", "Describe"]}',
        "Describe it",
        '[{"eventName":"Describe"}]',
    ]
    Moto(aws).put(GROUP, "s", *((T + at, message) for at, message in enumerate(kept + dropped)))
    flow = Flow(source(aws.access)).discard("eventName", "Describe")
    assert [record.event for record in flow] == kept
    assert flow.stats.discarded == len(dropped)


def test_in_envelopes_are_the_fields_of_json_or_the_message_and_where_it_comes_from(aws: Aws, tmp_path: Path) -> None:
    from awsflow.sinks import WazuhSocket  # noqa: PLC0415 - for this test

    Moto(aws).put(GROUP, "s/[$LATEST]1", (T + 7, '{"a": 1.10, "log_info": "its own"}'), (T + 8, "text"))
    with Wazuh(tmp_path) as wazuh:
        Flow(source(aws.access, envelope=True)).to(WazuhSocket(wazuh.path)).run()
        bodies = [json.loads(body) for body in wazuh.take()]
    place = {
        "log_group": GROUP,
        "log_stream": "s/[$LATEST]1",
        "aws_account_id": "123456789012",
        "aws_region": "us-east-1",
    }
    assert bodies == [
        {"integration": "aws", "aws": {"log_info": {**place, "timestamp": "2026-11-20T12:00:00.007Z"}, "a": 1.1}},
        {
            "integration": "aws",
            "aws": {"log_info": {**place, "timestamp": "2026-11-20T12:00:00.008Z"}, "message": "text"},
        },
    ]


def test_what_another_collector_left_is_gone_on_with_behind_its_token_or_else_behind_its_time(
    service: LogService, tmp_path: Path
) -> None:
    service.put(GROUP, "s", *some(1, 2), (T + 2000, "2 as well"))
    first = service.GetLogEvents({"logGroupName": GROUP, "logStreamName": "s"})
    service.put(GROUP, "s", (T + 2000, "late"), *some(3))
    for token, expected in ((first["nextForwardToken"], ["late", "3"]), ("f/expired", ["3"])):
        state = tmp_path / f"{len(expected)}.db"
        service.refused_tokens = {"f/expired"}
        with Checkpoints(state) as checkpoints:
            left = LogPosition.taken_over("us-east-1", GROUP, "s", token=token, earliest=T + 1000, latest=T + 2000)
            checkpoints.log_work(work_name("cloudwatchlogs", service.access)).commit([left])
        assert collected(service.access, state=state, only_after=None) == expected
        assert collected(service.access, state=state, only_after=None) == []


def test_two_accounts_share_a_state_without_mixing_up_their_groups(service: LogService, tmp_path: Path) -> None:
    service.put(GROUP, "s", *some(1))
    for key in ("AKIAONE", "AKIATWO"):
        access = AwsAccess(access_key=key, secret_key="secret", service_endpoint=service.url)
        assert collected(access, state=tmp_path / "s.db") == ["1"]
        assert collected(access, state=tmp_path / "s.db") == []


events = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-20, 12)), max_size=8)
"""The stream, and the time within some 30 ms."""


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(events, st.sampled_from([None, None, 0, 1, 3]), st.booleans()), min_size=1, max_size=4),
    st.integers(1, 4),
    st.sampled_from([0, 2]),
)
def test_whatever_comes_late_expires_or_breaks_off_every_event_is_delivered_once(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[list[tuple[str, int]], int | None, bool]],
    page: int,
    lag: int,
) -> None:
    """Events come to three streams, some of them late; runs are broken off behind a position, and tokens expire.

    The list of streams may lag behind; at the end it does not.
    """
    seen: Counter[str] = Counter()
    put: Counter[str] = Counter()
    state = tmp_path_factory.mktemp("state") / "s.db"
    with LogService(page=page, empty_every=3) as service, Checkpoints(state) as checkpoints:
        made = client("logs", service.access, "us-east-1")  # once: it takes longer than all that follows
        with closing(LogsApi("us-east-1", made, Rate(10_000))) as api, checkpoints.log_work("w") as work:
            service.groups[GROUP] = {}
            service.lag = lag
            for number, (come, stop, is_expired) in enumerate([*steps, ([], None, False)]):
                for at, (stream, offset) in enumerate(come):
                    put[f"{number}.{at}"] += 1
                    service.put(GROUP, stream, (T + 30 * number + offset, f"{number}.{at}"))
                service.time += lag * (number == len(steps))
                if is_expired:
                    service.refused_tokens = tokens(state)
                options = LogOptions((GROUP,), only_after=DAY)
                finding = LogFinding(
                    options, ["us-east-1"], lambda region: api, work, anywhere=False, today=DAY, note=lambda text: None
                )
                deliver(finding, work, seen, stop)
                assert stop is not None or finding.failures() == []
    assert seen == put


def tokens(state: Path) -> set[str]:
    with closing(sqlite3.connect(state)) as connection:
        return {row[0] for row in connection.execute("SELECT token FROM log_streams")}


def deliver(finding: LogFinding, work: LogWork, seen: Counter[str], stop: int | None) -> None:
    """Take what comes up to each position and commit that; end behind so many positions."""
    pending: list[str] = []
    positions = 0
    for task in finding.found():
        if not isinstance(task, LogStream):
            work.commit([task])
            continue
        for page in pages(task, lambda text: None):
            assert isinstance(page, Page)
            for item in items_of(page, remove=False):
                if isinstance(item, Record):
                    pending.append(str(item.event))
                elif isinstance(item, Barrier) and item.position is not None:
                    if positions == stop:
                        return
                    seen.update(pending)
                    pending = []
                    work.commit([item.position])
                    positions += 1


COLLECT = """
import sys
from datetime import date
from awsflow import Flow
from awsflow.aws import client
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sources import CloudWatchLogs
endpoint, state, socket = sys.argv[1:]
source = CloudWatchLogs("/many", state=state, access=AwsAccess(service_endpoint=endpoint), only_after=date(2026, 11, 1),
                        requests_per_second=1000)
Flow(source).to(WazuhSocket(socket)).run()
"""
BATCH = 1000


@contextmanager
def collecting(aws: Aws, state: Path, wazuh: Wazuh) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", COLLECT, aws.url, str(state), str(wazuh.path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_of_a_hundred_thousand_events_in_fifty_streams_none_is_lost_by_five_kills_and_few_come_twice(
    aws: Aws, tmp_path: Path
) -> None:
    logs = Moto(aws)
    for stream in range(50):
        logs.put("/many", f"{stream:02}", *((T + at // 3, f"{stream:02}.{at}") for at in range(2000)))
    dice = random.Random(5)
    kills = 0
    with Wazuh(tmp_path) as wazuh:
        while True:
            with collecting(aws, tmp_path / "s.db", wazuh) as process:
                if kills < 5:
                    target = len(wazuh.bodies) + dice.randrange(500, 16_000)
                    while len(wazuh.bodies) < target and process.poll() is None:
                        time.sleep(0.001)
                    process.kill()
                    process.wait()
                    kills += 1
                    continue
                output, _ = process.communicate(timeout=100)
                assert (process.returncode, output) == (0, b"")
                break
        seen = Counter(wazuh.take())
    expected = {f"{stream:02}.{at}".encode() for stream in range(50) for at in range(2000)}
    assert set(seen) == expected
    assert seen.total() - len(expected) <= kills * BATCH
    assert kills == 5
