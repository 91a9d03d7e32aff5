"""The SQS source: what messages name is delivered; then, and no sooner, they are deleted."""

import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from awsflow import Batch, Flow
from awsflow.errors import (
    ArgumentsError,
    AwsflowError,
    NoQueue,
    QueueFailed,
    SinkError,
    Throttled,
    UnknownType,
)
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sources import Queue
from awsflow.sources.sqs_address import address_of
from tests.answers import Answer, Request, refused
from tests.conftest import Aws
from tests.fault_server import FaultServer, refused_by_sqs
from tests.messages import TEST_EVENT, by_cloudtrail, by_eventbridge, by_s3, s3_record, wrapped_by_sns
from tests.queues import Logs, ids_of
from tests.test_flow import FragileSink
from tests.test_golden import GOLDEN, canonical
from tests.wazuh import Wazuh

CASES: list[Any] = sorted(GOLDEN.glob("subscriber-*/case.json")) or [
    pytest.param(None, marks=pytest.mark.skip(reason=f"no golden cases in {GOLDEN}"))
]


@pytest.fixture
def logs(aws: Aws) -> Logs:
    return Logs(aws)


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is tried again, which takes its time."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name if case else None)
def test_a_known_good_collector_sent_the_same(case: Path, aws: Aws, tmp_path: Path) -> None:
    flags, bucket, steps = (json.loads(case.read_text())[name] for name in ("flags", "bucket", "steps"))
    aws.client("s3").create_bucket(Bucket=bucket)
    logs = Logs(aws, bucket)
    (step,) = steps
    for key, file in step["put"].items():
        logs.s3.put_object(Bucket=bucket, Key=key, Body=(case.parent / file).read_bytes())
    logs.send(*map(json.dumps, step["send"]))
    with Wazuh(tmp_path) as wazuh:
        Flow(logs.source(flags[flags.index("--subscriber") + 1])).to(WazuhSocket(wazuh.path)).run()
        arrived = wazuh.take()
    expected = (case.parent / step["expected"]).read_bytes().splitlines()
    assert Counter(map(canonical, arrived)) == Counter(map(canonical, expected))
    assert logs.left() == 0


def test_every_record_of_a_message_and_every_shape_of_message_is_read(logs: Logs) -> None:
    keys = ["a b+c", "d=e/ä%20", "f", "g", "h", "i"]
    logs.put(*keys, told=False)
    logs.send(by_s3("logs", *keys[:2]), wrapped_by_sns(by_s3("logs", "f")), by_eventbridge("logs", "g"))
    logs.send(wrapped_by_sns(by_cloudtrail("logs", ["h", "i"])))
    assert sorted(logs.ids()) == sorted(keys)
    assert logs.left() == 0


def test_what_brings_no_new_object_is_deleted_quietly(logs: Logs) -> None:
    noted: list[str] = []
    removed = json.dumps({"Records": [s3_record("logs", "gone", "ObjectRemoved:Delete")]})
    logs.send(TEST_EVENT, removed, by_eventbridge("logs", "gone", "Object Deleted"), by_s3("logs", "folder/"))
    flow = Flow(logs.source(note=noted.append))
    assert list(flow) == []
    assert (flow.stats.failed, logs.left()) == (0, 0)
    assert sum("s3:TestEvent" in note for note in noted) == 1
    assert sum("Delete" in note for note in noted) == 2


def test_an_empty_queue_is_left_after_the_wait(logs: Logs) -> None:
    began = time.monotonic()
    assert logs.ids(wait=1) == []
    assert 1 <= time.monotonic() - began < 4


@pytest.mark.parametrize("queue", ["logs", "{url}", "arn:aws:sqs:us-east-1:123456789012:logs"])
def test_a_queue_may_be_given_by_name_url_and_arn(logs: Logs, queue: str) -> None:
    logs.put("a", "b")
    assert ids_of(Queue(queue.format(url=logs.url), access=logs.access, wait=0)) == ["a", "b"]
    assert logs.left() == 0


def test_a_fifo_queue_is_read_to_its_end_though_it_hides_messages_behind_those_in_flight(aws: Aws) -> None:
    logs = Logs(aws, "logs.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    keys = [f"{number:02}" for number in range(12)]
    logs.put(*keys, told=False)
    for key in keys:
        logs.sqs.send_message(QueueUrl=logs.url, MessageBody=by_s3("logs", key), MessageGroupId=key[-1])
    assert logs.ids() == keys
    assert logs.left() == 0


def test_the_owner_and_the_region_are_those_of_the_arn(aws: Aws) -> None:
    with FaultServer(aws.url) as faulty:
        source = Queue("arn:aws:sqs:eu-west-3:999999999999:theirs", access=AwsAccess(service_endpoint=faulty.url))
        with pytest.raises(NoQueue, match=r"theirs of account 999999999999: there is no such queue.*eu-west-3"):
            list(Flow(source))
        (asked,) = faulty.requests
    assert asked.body == {"QueueName": "theirs", "QueueOwnerAWSAccountId": "999999999999"}
    assert "/eu-west-3/sqs/" in asked.headers["authorization"]


@pytest.mark.parametrize(
    ("queue", "region", "endpoint"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/logs", "eu-west-1", ""),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/logs.fifo", "cn-north-1", ""),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/123456789012/logs", "us-gov-west-1", ""),
        ("https://eu-west-1.queue.amazonaws.com/123456789012/logs", "eu-west-1", ""),
        ("https://queue.amazonaws.com/123456789012/logs", "us-east-1", ""),
        (
            "https://vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com/123456789012/logs",
            "eu-west-1",
            "https://vpce-0a-1b.sqs.eu-west-1.vpce.amazonaws.com",
        ),
        ("http://localhost:9324/000000000000/logs", "", "http://localhost:9324"),
        ("http://localhost:9324/queue/eu-west-1/000000000000/logs", "", "http://localhost:9324"),
        ("arn:aws-cn:sqs:cn-north-1:123456789012:logs", "cn-north-1", ""),
        ("logs", "", ""),
    ],
)
def test_region_and_server_are_told_from_urls_and_arns(queue: str, region: str, endpoint: str) -> None:
    address = address_of(queue)
    assert (address.name.removesuffix(".fifo"), address.region, address.endpoint) == ("logs", region, endpoint)


@pytest.mark.parametrize(
    "queue",
    [
        "",
        "a b",
        "x" * 81,
        "arn:aws:sns:eu-west-1:123456789012:x",
        "https://",
        "https://sqs.eu-west-1.amazonaws.com/",
        "https://user:secret@sqs.eu-west-1.amazonaws.com/1/x",
        "https://h/1/x?secret=1",
        "https://[/1/x",
    ],
)
def test_what_is_no_queue_is_refused_without_telling_secrets(queue: str) -> None:
    with pytest.raises(ArgumentsError) as refusal:
        address_of(queue)
    assert "secret" not in str(refusal.value)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ArgumentsError, match="21"):
        Queue("logs", wait=21)
    with pytest.raises(ArgumentsError, match="0 seconds"):
        Queue("logs", visibility=0)
    with pytest.raises(UnknownType, match="'nothing'"):
        Queue("logs", "nothing")


@pytest.mark.parametrize("by_url", [True, False])
def test_a_queue_that_is_not_there_is_named(aws: Aws, by_url: bool) -> None:
    queue = f"{aws.url}/123456789012/nowhere" if by_url else "nowhere"
    with pytest.raises(NoQueue, match=r"nowhere.*there is no such queue"):
        list(Flow(Queue(queue, access=aws.access, wait=0)))


def test_a_queue_is_reached_where_its_url_says(aws: Aws, logs: Logs) -> None:
    logs.put("a", told=False)
    logs.send(TEST_EVENT)
    flow = Flow(Queue(logs.url, access=AwsAccess(region="us-east-1"), wait=0))
    assert list(flow) == []
    assert logs.left() == 0


def test_native_logs_are_read_as_their_type_with_account_and_alias(logs: Logs, tmp_path: Path) -> None:
    key = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/x.json.gz"
    content = gzip.compress(json.dumps({"Records": [{"eventID": "1", "tags": ["x"]}]}).encode())
    logs.put(key, content=content)
    with Wazuh(tmp_path) as wazuh:
        Flow(logs.source("cloudtrail", alias="prod")).to(WazuhSocket(wazuh.path)).run()
        (event,) = wazuh.events()
    assert event["aws"] == {
        "log_info": {"aws_account_alias": "prod", "log_file": key, "s3bucket": "logs"},
        "eventID": "1",
        "tags": {"value": "x"},
        "source": "cloudtrail",
        "aws_account_id": "123456789012",
    }


@pytest.mark.parametrize("reader", ["auto", "cloudtrail"])
def test_digests_and_folders_among_native_logs_are_none(logs: Logs, reader: str) -> None:
    home = "AWSLogs/123456789012"
    trail = gzip.compress(b'{"Records": [{"eventVersion": "1.08", "eventTime": "x", "eventSource": "y"}]}')
    logs.put(f"{home}/CloudTrail/eu-west-1/2026/11/20/x.json.gz", content=trail)
    logs.put(f"{home}/CloudTrail-Digest/eu-west-1/2026/11/20/x.json.gz", content=b"{}")
    logs.put(f"{home}/", content=b"")
    source = logs.source(reader)
    flow = Flow(source)
    assert len(list(flow)) == 1
    assert (flow.stats.failed, logs.left(), dict(source.objects_by_type)) == (0, 0, {"cloudtrail": 1})


def test_any_type_is_told_from_keys_and_contents(logs: Logs) -> None:
    trail = gzip.compress(b'{"Records": [{"eventVersion": "1.08", "eventTime": "x", "eventSource": "y"}]}')
    logs.put("anywhere/CloudTrail.json.gz", content=trail)
    logs.put("other", content=b'{"detail-type": "x", "source": "aws.kms", "detail": {"a": 1}}')
    source = logs.source("auto")
    assert len(list(Flow(source))) == 2
    assert dict(source.objects_by_type) == {"cloudtrail": 1, "custom": 1}


def test_an_object_that_two_messages_name_is_read_twice(logs: Logs) -> None:
    logs.put("a")
    logs.send(by_s3("logs", "a"))
    assert logs.ids() == ["a", "a"]
    assert logs.left() == 0


def test_nothing_is_deleted_that_the_sink_has_not_flushed_and_all_of_it_comes_back_at_once(logs: Logs) -> None:
    keys = [f"{number:02}" for number in range(30)]
    logs.put(*keys)
    broken = FragileSink(breaks_behind=10)
    with pytest.raises(SinkError):
        Flow(logs.source(), batch=Batch(seconds=3600)).to(broken).run()  # all of it is one batch, however slow
    assert (logs.left(), len(broken.arrived)) == (30, 10)
    assert sorted(logs.ids(wait=0)) == keys
    assert logs.left() == 0


def test_only_messages_of_which_all_objects_were_flushed_are_deleted(logs: Logs) -> None:
    logs.put("a", "b", "c", told=False)
    logs.send(by_s3("logs", "a"), by_s3("logs", "b", "c"))
    broken = FragileSink(breaks_behind=2)
    with pytest.raises(SinkError):
        Flow(logs.source(), batch=Batch(records=1)).to(broken).run()
    assert logs.left() == 1
    assert sorted(logs.ids()) == ["b", "c"]


@pytest.mark.parametrize(
    ("action", "code", "expected"),
    [
        ("GetQueueUrl", "AccessDenied", QueueFailed),
        ("ReceiveMessage", "AccessDenied", QueueFailed),
        ("DeleteMessageBatch", "AccessDenied", QueueFailed),
        ("ReceiveMessage", "RequestThrottled", Throttled),
    ],
)
@pytest.mark.usefixtures("one_attempt")
def test_what_sqs_refuses_ends_the_run_and_loses_nothing(
    aws: Aws, logs: Logs, action: str, code: str, expected: type[AwsflowError]
) -> None:
    logs.put("a")

    def no(asked: Request) -> Answer | None:
        return refused_by_sqs(code, 403) if asked.action == action else None

    with FaultServer(aws.url, choose=no) as faulty, pytest.raises(expected, match=r"the queue logs: .*" + code):
        Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url))).to(FragileSink()).run()
    assert logs.left() == 1


def test_a_message_that_cannot_be_deleted_is_tried_three_times(aws: Aws, logs: Logs) -> None:
    logs.put("a")

    def failing(asked: Request) -> Answer | None:
        if asked.action != "DeleteMessageBatch":
            return None
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in asked.body["Entries"]]
        return Answer(body=json.dumps({"Failed": failed, "Successful": []}).encode())

    with FaultServer(aws.url, choose=failing) as faulty:
        with pytest.raises(QueueFailed, match=r"InternalError, for 1 messages, three times"):
            Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url))).to(FragileSink()).run()
        assert faulty.count("DeleteMessageBatch") == 3


def test_a_message_that_somebody_else_has_by_now_is_warned_of(aws: Aws, logs: Logs) -> None:
    logs.put("a", "b")
    warned: list[str] = []

    def expired(asked: Request) -> Answer | None:
        if asked.action != "DeleteMessageBatch":
            return None
        failed = [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]
        return Answer(body=json.dumps({"Failed": failed, "Successful": [{"Id": "1"}]}).encode())

    with FaultServer(aws.url, choose=expired) as faulty:
        Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url), warn=warned.append)).to(FragileSink()).run()
    (told,) = warned
    assert "deleting 1 messages from the queue logs: they were delivered" in told


@pytest.mark.usefixtures("one_attempt")
def test_a_store_that_throttles_ends_the_run_and_what_came_before_is_deleted(aws: Aws, logs: Logs) -> None:
    logs.put("a", "b", "c")

    def slow_down(asked: Request) -> Answer | None:
        return refused("SlowDown", 503) if asked.action == "GET /logs/b" else None

    sink = FragileSink()
    with FaultServer(aws.url, choose=slow_down) as faulty, pytest.raises(Throttled, match="s3://logs/b"):
        Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url), skip_on_error=True)).to(sink).run()
    assert len(sink.arrived) == 1
    assert logs.left() == 2
