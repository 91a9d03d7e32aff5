"""EKS audit logs out of exports of CloudWatch Logs: lines behind their times, in folders without dates."""

import gzip
import json
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from awsflow import Flow
from awsflow.items import Unreadable
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.eks_audit import EKS_AUDIT
from awsflow.logtypes.layout import Place
from awsflow.logtypes.recognise import by_key
from awsflow.samples import SAMPLES
from awsflow.sources import S3Bucket
from tests.conftest import Aws
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
SAMPLE = SAMPLES["eks_audit"]
TASK = "0a1b2c3d-0000-4000-8000-0123456789ab"
OTHER_TASK = "ffffffff-0000-4000-8000-0123456789ab"
AUDIT = "kube-apiserver-audit-71976ca11bea5d3083393f7d32dab75b"
MOTOS_ACCOUNT = "123456789012"
(LAYOUT,) = EKS_AUDIT.layouts
TIME = "2026-11-23T12:00:00.000Z "


def test_the_time_before_each_event_is_left_off() -> None:
    assert decoded(EKS_AUDIT, f'{TIME}{{"a": 1}}\n{TIME}{{"a": 2}}\n'.encode()) == [
        {"a": 1, "source": "eks_audit"},
        {"a": 2, "source": "eks_audit"},
    ]


def test_a_line_without_time_is_read_too() -> None:
    assert decoded(EKS_AUDIT, f'{{"a": 1}}\n{TIME}{{"a": 2}}'.encode()) == [
        {"a": 1, "source": "eks_audit"},
        {"a": 2, "source": "eks_audit"},
    ]


def test_an_event_that_cloudwatch_logs_has_cut_off_is_unreadable_and_the_others_are_read() -> None:
    first, bad, last = decoded(EKS_AUDIT, f'{TIME}{{"a": 1}}\n\n{TIME}{{"a": [\n{TIME}{{"a": 2}}\n'.encode())
    assert [first, last] == [{"a": 1, "source": "eks_audit"}, {"a": 2, "source": "eks_audit"}]
    assert isinstance(bad, Unreadable)
    assert (bad.reason[:8], bad.content) == ("line 3: ", b'{"a": [')


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), max_size=5), st.integers(1, 60))
def test_events_are_what_the_lines_say(events: list[dict[str, Any]], size: int) -> None:
    lines = "".join(f"{TIME}{json.dumps(event, ensure_ascii=False)}\n" for event in events).encode()
    assert decoded(EKS_AUDIT, lines, size) == [{**event, "source": "eks_audit"} for event in events]


def test_it_is_told_by_its_first_line() -> None:
    audit = '{"kind": "Event", "apiVersion": "audit.k8s.io/v1"}'
    assert EKS_AUDIT.looks_like(f"{TIME}{audit}".encode())
    for other in (audit, f"{TIME}E1123 controller.go", f'{TIME}{{"kind": "Event", "apiVersion": "v1"}}', ""):
        assert not EKS_AUDIT.looks_like(other.encode())


def test_samples_read_as_they_were_made_up() -> None:
    events = list(SAMPLE.events(3, 60, START))
    read = decoded(EKS_AUDIT, gzip.decompress(SAMPLE.document(events)), 1000)
    assert read == [{**event, "source": "eks_audit"} for event in events]
    assert all("verb" in event for event in sent(EKS_AUDIT, *read))


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        (f"exportedlogs/{TASK}/{AUDIT}/000000.gz", True),
        (f"{TASK}/{AUDIT}/000123.gz", True),
        (f"exportedlogs/{TASK}/kube-apiserver-71976ca11bea5d3083393f7d32dab75b/000000.gz", False),
        (f"exportedlogs/{TASK}/authenticator-71976ca11bea5d3083393f7d32dab75b/000000.gz", False),
        (f"exportedlogs/{TASK}/kube-controller-manager-71976ca11bea5d3083393f7d32dab75b/000000.gz", False),
        (f"exportedlogs/{TASK}/cloud-controller-manager-71976ca11bea5d3083393f7d32dab75b/000000.gz", False),
        (f"exportedlogs/{TASK}/kube-scheduler-71976ca11bea5d3083393f7d32dab75b/000000.gz", False),
        ("exportedlogs/aws-logs-write-test", False),
    ],
)
def test_of_all_that_an_export_writes_only_audit_logs_are_its(key: str, is_one: bool) -> None:
    assert EKS_AUDIT.has(key) is is_one
    assert LAYOUT.holds(key) is is_one
    if is_one:
        assert by_key(key, LOG_TYPES.values()) == [EKS_AUDIT]


def test_each_task_is_a_stream() -> None:
    below = {"exportedlogs/": ["AWSLogs", TASK, "2026", OTHER_TASK]}
    streams = list(LAYOUT.streams(Place("exportedlogs/"), lambda prefix: iter(below[prefix])))
    assert streams == [f"exportedlogs/{TASK}/", f"exportedlogs/{OTHER_TASK}/"]
    listings = LAYOUT.listings(streams[0], date(2026, 1, 1), date(2026, 11, 23), lambda prefix: iter(()))
    assert list(listings) == [(f"exportedlogs/{TASK}/kube-apiserver-audit-", "")]


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="exports")
    return client


def put(s3: Any, key: str, *days_ago: int, name: str = "") -> None:
    """Put an object that was written so many days ago, with one event of its name."""
    line = f"{TIME}{json.dumps({'auditID': name or key[-9:]})}\n"
    s3.put_object(Bucket="exports", Key=key, Body=gzip.compress(line.encode()))
    for days in days_ago:
        written = s3_backends[MOTOS_ACCOUNT]["aws"].buckets["exports"].keys[key]
        written.last_modified = (TODAY - timedelta(days=days)).replace(tzinfo=None)


def collected(aws: Aws, now: datetime = TODAY, **options: Any) -> list[str]:
    """The ids of the events that a run reads."""
    source = S3Bucket("exports", "eks_audit", access=aws.access, now=lambda: now, **options)
    return [record.event["auditID"] for record in Flow(source) if isinstance(record.event, dict)]


def test_what_an_export_has_written_is_read_once_and_nothing_else_of_it(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "logs/aws-logs-write-test", 0)
    put(s3, f"logs/{TASK}/{AUDIT}/000000.gz", 0)
    put(s3, f"logs/{TASK}/{AUDIT}/000001.gz", 0)
    put(s3, f"logs/{TASK}/authenticator-0/000002.gz", 0)
    put(s3, f"logs/{TASK}/kube-apiserver-0/000003.gz", 0)
    put(s3, f"logs/not-a-task/{AUDIT}/000004.gz", 0)
    options: Any = {"prefix": "logs/", "state": tmp_path / "state.db"}
    assert collected(aws, **options) == ["000000.gz", "000001.gz"]
    assert collected(aws, **options) == []
    put(s3, f"logs/{OTHER_TASK}/{AUDIT}/000005.gz", -1)
    assert collected(aws, TODAY + timedelta(days=1), **options) == ["000005.gz"]
    assert collected(aws, TODAY + timedelta(days=1), **options) == []


def test_an_objects_day_is_the_one_on_which_it_was_written(aws: Aws, s3: Any) -> None:
    for number, days in enumerate((3, 1, 2, 0)):
        put(s3, f"{TASK}/{AUDIT}/{number:06}.gz", days)
    assert collected(aws) == ["000003.gz"]
    assert collected(aws, only_after=TODAY.date() - timedelta(days=2)) == ["000002.gz", "000001.gz", "000003.gz"]


def test_nothing_is_lost_when_a_run_breaks_off_between_objects_of_several_days(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    for number, days in enumerate((0, 1, 2)):
        put(s3, f"{TASK}/{AUDIT}/{number:06}.gz", days)
    options: Any = {
        "state": tmp_path / "state.db",
        "only_after": TODAY.date() - timedelta(days=9),
        "lookback": timedelta(0),
    }
    source = S3Bucket("exports", "eks_audit", access=aws.access, now=lambda: TODAY, **options)
    with closing(iter(Flow(source))) as records:  # type: ignore[type-var] # it is a generator
        first: list[Any] = [next(records).event, next(records).event]
    assert [event["auditID"] for event in first] == ["000002.gz", "000001.gz"]
    assert collected(aws, **options) == ["000001.gz", "000000.gz"]
    assert collected(aws, **options) == []
