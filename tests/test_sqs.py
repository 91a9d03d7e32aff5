"""The SQS source: what messages name is delivered, then they are deleted; what cannot be read harms nobody else."""

import gzip
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from more_itertools import chunked

from awsflow import Batch, Failure, Flow, Record
from awsflow.errors import (
    ArgumentsError,
    AwsflowError,
    DecodeError,
    DecompressError,
    NoQueue,
    QueueFailed,
    ServiceError,
    SinkError,
    Throttled,
    UnknownType,
)
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sources import Queue
from awsflow.sources.receiving import AHEAD, IN_FLIGHT, Receiver
from awsflow.sources.sqs_address import address_of
from awsflow.sources.sqs_calls import Received
from tests.answers import Answer, refused
from tests.conftest import Aws
from tests.meddling import Asked, Meddling, refused_by_sqs
from tests.messages import TEST_EVENT, by_cloudtrail, by_eventbridge, by_s3, s3_record, wrapped_by_sns
from tests.test_flow import FragileSink
from tests.test_golden import GOLDEN, canonical
from tests.wazuh import Wazuh

CASES: list[Any] = sorted(GOLDEN.glob("subscriber-*/case.json")) or [
    pytest.param(None, marks=pytest.mark.skip(reason=f"no golden cases in {GOLDEN}"))
]


def names(sink: FragileSink) -> list[Any]:
    """What has arrived."""
    return [json.loads(event)["aws"]["n"] for event in sink.arrived]


def ids_of(source: Queue) -> list[Any]:
    """What a run reads."""
    flow = Flow(source, batch=Batch(seconds=0.1))
    return [record.event["n"] for record in flow if isinstance(record.event, dict)]


class Logs:
    """A bucket, and a queue that is told of what is put there."""

    def __init__(self, aws: Aws, name: str = "logs", **attributes: Any) -> None:
        self.access = aws.access
        self.name = name
        self.s3 = aws.client("s3")
        self.sqs = aws.client("sqs")
        self.s3.create_bucket(Bucket="logs")
        self.url = self.sqs.create_queue(
            QueueName=name, Attributes={key: str(value) for key, value in attributes.items()}
        )["QueueUrl"]

    def put(self, *keys: str, content: bytes | None = None, told: bool = True) -> None:
        """Put objects, each with an event that is named after its key, and send a message for each."""
        for key in keys:
            self.s3.put_object(Bucket="logs", Key=key, Body=json.dumps({"n": key}) if content is None else content)
        if told:
            self.send(*(by_s3("logs", key) for key in keys))

    def send(self, *bodies: str) -> None:
        for some in chunked(bodies, 10):
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(some)]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def source(self, reader: str = "buckets", **more: Any) -> Queue:
        return Queue(self.name, reader, **{"access": self.access, "wait": 1, **more})

    def ids(self, **more: Any) -> list[Any]:
        """What a run reads."""
        return ids_of(self.source(**more))

    def left(self) -> int:
        """How many messages there are, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, told.values()))

    def received(self) -> int:
        """How many messages somebody else can receive now, up to ten."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        return len(answer.get("Messages", ()))


@pytest.fixture
def logs(aws: Aws) -> Logs:
    return Logs(aws)


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call is tried again, which takes its time."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


class Told:
    """Failures that were told."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def add(self, failure: Failure) -> None:
        self.failures.append(failure)

    def flush(self) -> None:
        """They are safe here."""


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


def test_a_queue_may_be_given_by_url_and_arn_and_may_be_a_fifo(aws: Aws) -> None:
    logs = Logs(aws, "logs.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    arn = "arn:aws:sqs:us-east-1:123456789012:logs.fifo"
    for number, queue in enumerate(("logs.fifo", logs.url, arn)):
        keys = [f"{number}.{key}" for key in range(12)]
        logs.put(*keys, told=False)
        for key in keys:
            logs.sqs.send_message(QueueUrl=logs.url, MessageBody=by_s3("logs", key), MessageGroupId=key[-1])
        assert sorted(ids_of(Queue(queue, access=logs.access, wait=1))) == sorted(keys)
        assert logs.left() == 0


def test_the_owner_and_the_region_are_those_of_the_arn(aws: Aws) -> None:
    with Meddling(aws.url) as meddling:
        source = Queue("arn:aws:sqs:eu-west-3:999999999999:theirs", access=AwsAccess(service_endpoint=meddling.url))
        with pytest.raises(NoQueue, match=r"theirs of account 999999999999: there is no such queue.*eu-west-3"):
            list(Flow(source))
        (asked,) = meddling.asked
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
        list(Flow(Queue(queue, access=aws.access, wait=1)))


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
        Flow(logs.source()).to(broken).run()
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


class SlowSink(FragileSink):
    """Takes its time for every batch."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def write(self, records: Sequence[Record]) -> None:
        time.sleep(self._seconds)
        super().write(records)


def test_what_takes_longer_than_the_visibility_is_hidden_from_others_and_delivered_once(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=2)
    logs.put("a", "b", "c")
    sink = SlowSink(6)
    run = threading.Thread(target=Flow(logs.source(wait=0)).to(sink).run)
    run.start()
    time.sleep(1)
    others = 0
    while run.is_alive():
        others += logs.received()
        time.sleep(0.2)
    run.join()
    assert others == 0
    assert len(sink.arrived) == 3
    assert logs.left() == 0


def test_an_object_that_comes_slowly_is_hidden_from_others_too(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=2)

    def slow(asked: Asked) -> Answer | None:
        if asked.action == "GET /logs/a":
            time.sleep(5)
        return None

    with Meddling(aws.url, slow) as meddling:
        logs.put("a")
        access = AwsAccess(service_endpoint=meddling.url)
        assert logs.ids(access=access, wait=3) == ["a"]
        assert meddling.count("GET /logs/a") == 1
    assert logs.left() == 0


def test_a_message_that_comes_back_while_it_is_worked_on_is_not_read_again(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=1)
    warned: list[str] = []

    def denied(asked: Asked) -> Answer | None:
        return refused_by_sqs("AccessDenied", 403) if asked.action == "ChangeMessageVisibilityBatch" else None

    with Meddling(aws.url, denied) as meddling:
        logs.put("a")
        sink = SlowSink(3)
        Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url), wait=2, warn=warned.append)).to(sink).run()
        assert meddling.count("GET /logs/a") == 1
    assert len(sink.arrived) == 1
    assert logs.left() == 0
    (told,) = warned
    assert "AccessDenied" in told
    assert "may be delivered twice" in told


def test_without_the_right_to_ask_for_the_visibility_it_is_said_with_each_message(aws: Aws, logs: Logs) -> None:
    def denied(asked: Asked) -> Answer | None:
        return refused_by_sqs("AccessDenied", 403) if asked.action == "GetQueueAttributes" else None

    with Meddling(aws.url, denied) as meddling:
        logs.put("a")
        assert logs.ids(access=AwsAccess(service_endpoint=meddling.url)) == ["a"]
        said = [asked.body["VisibilityTimeout"] for asked in meddling.asked if asked.action == "ReceiveMessage"]
    assert set(said) == {120}


BAD_GZIP = gzip.compress(b'{"n": 1}' * 1000)[:-20]


def fill(logs: Logs) -> tuple[list[str], list[str]]:
    """Send good and bad messages in turn; return the keys of the good objects and the bad messages."""
    good = [f"good/{number:02}" for number in range(20)]
    bad = []
    logs.put(*good, told=False)
    for number in range(5):
        logs.put(f"denied/{number}", told=False)
        logs.put(f"undecodable/{number}", content=BAD_GZIP if number % 2 else b'{"n": oops}', told=False)
        bad += [by_s3("logs", f"gone/{number}"), by_s3("logs", f"denied/{number}")]
        bad += [by_s3("logs", f"undecodable/{number}"), f"of no shape {number}"]
    for key, message in zip(good, bad, strict=True):
        logs.send(message, by_s3("logs", key))
    return good, bad


def deny(asked: Asked) -> Answer | None:
    return refused("AccessDenied", 403) if asked.action.startswith("GET /logs/denied/") else None


def test_bad_messages_stop_none_of_the_others_are_told_once_and_left_to_the_redrive_policy(aws: Aws) -> None:
    dead = Logs(aws, "dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    logs = Logs(aws, VisibilityTimeout=1, RedrivePolicy=json.dumps(policy))
    good, bad = fill(logs)
    with Meddling(aws.url, deny) as meddling:
        told = Told()
        sink = FragileSink()
        flow = Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url), wait=3), failures=told).to(sink)
        with pytest.raises(
            AwsflowError, match=r"stays in the queue logs, for its redrive policy; and 19 more messages"
        ):
            flow.run()
    assert sorted(name for name in names(sink) if isinstance(name, str)) == good
    assert flow.stats.failed == len(told.failures) == 20
    assert all(failure.content is None for failure in told.failures)
    kinds = Counter(type(failure.error) for failure in told.failures)
    assert sum(kinds[kind] for kind in kinds if issubclass(kind, ServiceError)) == 10
    assert (kinds[DecodeError], kinds[DecompressError]) == (8, 2)
    assert sorted(
        f"s3://logs/{kind}/{number}" for kind in ("denied", "gone", "undecodable") for number in range(5)
    ) == (sorted(str(failure.origin) for failure in told.failures if failure.origin.bucket))
    time.sleep(1)
    with suppress(AwsflowError):
        logs.ids()
    assert (logs.left(), dead.left()) == (0, 20)
    bodies: list[str] = []
    while dead.left() > len(bodies):
        answer = dead.sqs.receive_message(QueueUrl=dead.url, MaxNumberOfMessages=10)
        bodies += [message["Body"] for message in answer["Messages"]]
    assert sorted(bodies) == sorted(bad)


def test_told_to_skip_bad_messages_are_filed_whole_and_deleted(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws)
    good, bad = fill(logs)
    path = tmp_path / "dead-letter.ndjson"
    letters = DeadLetters(path)
    sink = FragileSink()
    with Meddling(aws.url, deny) as meddling:
        source = logs.source(access=AwsAccess(service_endpoint=meddling.url), skip_on_error=True)
        stats = Flow(source, failures=letters).to(sink).run()
    assert (stats.failed, logs.left()) == (20, 0)
    assert sorted(name for name in names(sink) if isinstance(name, str)) == good
    filed = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [letter for letter in filed if letter["content"] == '{"n": oops}']
    assert len(lines) == 3  # bad lines are filed by themselves: their objects were read to the end
    of_lines = {by_s3("logs", letter["key"]) for letter in lines}
    assert {letter["content"] for letter in filed} - {'{"n": oops}'} == set(bad) - of_lines
    assert all("filed, and deleted" in letter["reason"] for letter in filed if letter not in lines)


def test_a_message_is_not_deleted_before_its_dead_letter_is_safe(logs: Logs) -> None:
    class Unsafe(Told):
        def flush(self) -> None:
            if self.failures:
                raise SinkError("the disk is full")

    logs.send("of no shape")
    with pytest.raises(SinkError):
        Flow(logs.source(skip_on_error=True), failures=Unsafe()).to(FragileSink()).run()
    assert logs.left() == 1


@pytest.mark.parametrize("skip", [True, False])
def test_the_good_objects_of_a_bad_message_are_delivered(logs: Logs, skip: bool) -> None:
    logs.put("a", "b", told=False)
    records: list[Any] = [s3_record("logs", key) for key in ("a", "gone", "b")]
    logs.send(json.dumps({"Records": [{"eventName": "odd"}, *records]}))
    told = Told()
    sink = FragileSink()
    with suppress(AwsflowError):
        Flow(logs.source(skip_on_error=skip), failures=told).to(sink).run()
    assert names(sink) == ["a", "b"]
    assert [failure.origin.key[:7] for failure in told.failures] == ["message", "gone"]
    assert logs.left() == (0 if skip else 1)


def test_a_run_ends_though_bad_messages_come_back_all_the_time(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=1)
    logs.send("of no shape", by_s3("logs", "gone"))
    told = Told()
    began = time.monotonic()
    with pytest.raises(AwsflowError, match="and 1 more messages"):
        Flow(logs.source(wait=2), failures=told).to(FragileSink()).run()
    assert time.monotonic() - began < 8
    assert len(told.failures) == 2


def until(happened: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def following(aws: Aws) -> Iterator[Callable[..., tuple[FragileSink, Told]]]:
    """Starts a run that follows the queue; it is stopped at the end, which must take effect in time."""
    stop = threading.Event()
    threads = []

    def start(logs: Logs, **more: Any) -> tuple[FragileSink, Told]:
        sink, told = FragileSink(), Told()
        flow = Flow(
            logs.source(follow=True, stop=stop.is_set, **more),
            failures=told,
            batch=Batch(seconds=0.2),
        ).to(sink)
        threads.append(threading.Thread(target=flow.run))
        threads[-1].start()
        return sink, told

    yield start
    stop.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_told_to_follow_it_stays_and_delivers_what_comes(
    logs: Logs, following: Callable[..., tuple[FragileSink, Told]]
) -> None:
    sink, told = following(logs, wait=20)
    for number in range(3):
        time.sleep(0.7)
        logs.put(f"{number}")
        until(lambda count=number + 1: sink.flushed == count)  # type: ignore[misc] # mypy wants to know more of it
    until(lambda: logs.left() == 0)
    assert told.failures == []


def test_what_could_not_be_had_is_tried_again_by_a_run_that_follows_and_told_once(
    aws: Aws, following: Callable[..., tuple[FragileSink, Told]]
) -> None:
    logs = Logs(aws, VisibilityTimeout=1)
    logs.put("bad", content=BAD_GZIP, told=False)
    logs.put("good", told=False)
    with Meddling(aws.url) as meddling:
        sink, told = following(logs, access=AwsAccess(service_endpoint=meddling.url), wait=20)
        logs.send(by_s3("logs", "late", "good"), by_s3("logs", "bad"))
        until(lambda: meddling.count("GET /logs/late") >= 3)
        logs.put("late", told=False)
        until(lambda: logs.left() == 1)
        assert sorted(failure.origin.key for failure in told.failures) == ["bad", "late"]
        assert meddling.count("GET /logs/bad") == 1
        assert meddling.count("GET /logs/good") == 1
    arrived = Counter(names(sink))
    assert arrived["late"] == arrived["good"] == 1


def test_asked_to_stop_it_gives_back_what_it_has_not_delivered(logs: Logs) -> None:
    keys = [f"{number:03}" for number in range(60)]
    logs.put(*keys)
    sink = FragileSink()
    flow = Flow(logs.source(follow=True, stop=lambda: len(sink.arrived) >= 5), batch=Batch(records=1)).to(sink)
    began = time.monotonic()
    flow.run()
    assert time.monotonic() - began < 10
    assert 5 <= len(sink.arrived) < 60
    rest = logs.ids(wait=0)
    assert sorted(rest + names(sink)) == keys


@pytest.mark.parametrize("action", ["GetQueueUrl", "ReceiveMessage", "DeleteMessageBatch"])
@pytest.mark.parametrize(("code", "expected"), [("AccessDenied", QueueFailed), ("RequestThrottled", Throttled)])
@pytest.mark.usefixtures("one_attempt")
def test_what_sqs_refuses_ends_the_run_and_loses_nothing(
    aws: Aws, logs: Logs, action: str, code: str, expected: type[AwsflowError]
) -> None:
    logs.put("a")

    def no(asked: Asked) -> Answer | None:
        return refused_by_sqs(code, 403) if asked.action == action else None

    with Meddling(aws.url, no) as meddling, pytest.raises(expected, match=r"the queue logs: .*" + code):
        Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url))).to(FragileSink()).run()
    assert logs.left() == 1


def test_a_message_that_cannot_be_deleted_is_tried_three_times(aws: Aws, logs: Logs) -> None:
    logs.put("a")

    def failing(asked: Asked) -> Answer | None:
        if asked.action != "DeleteMessageBatch":
            return None
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in asked.body["Entries"]]
        return Answer(body=json.dumps({"Failed": failed, "Successful": []}).encode())

    with Meddling(aws.url, failing) as meddling:
        with pytest.raises(QueueFailed, match=r"InternalError, for 1 messages, three times"):
            Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url))).to(FragileSink()).run()
        assert meddling.count("DeleteMessageBatch") == 3


def test_a_message_that_somebody_else_has_by_now_is_warned_of(aws: Aws, logs: Logs) -> None:
    logs.put("a", "b")
    warned: list[str] = []

    def expired(asked: Asked) -> Answer | None:
        if asked.action != "DeleteMessageBatch":
            return None
        failed = [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]
        return Answer(body=json.dumps({"Failed": failed, "Successful": [{"Id": "1"}]}).encode())

    with Meddling(aws.url, expired) as meddling:
        Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url), warn=warned.append)).to(FragileSink()).run()
    (told,) = warned
    assert "deleting 1 messages from the queue logs: they were delivered" in told


@pytest.mark.usefixtures("one_attempt")
def test_a_store_that_throttles_ends_the_run_and_what_came_before_is_deleted(aws: Aws, logs: Logs) -> None:
    logs.put("a", "b", "c")

    def slow_down(asked: Asked) -> Answer | None:
        return refused("SlowDown", 503) if asked.action == "GET /logs/b" else None

    sink = FragileSink()
    with Meddling(aws.url, slow_down) as meddling, pytest.raises(Throttled, match="s3://logs/b"):
        Flow(logs.source(access=AwsAccess(service_endpoint=meddling.url), skip_on_error=True)).to(sink).run()
    assert len(sink.arrived) == 1
    assert logs.left() == 2


def test_no_more_is_received_than_somebody_has_time_for() -> None:
    numbers = iter(range(1 << 20))
    held: list[str] = []
    received = Receiver(
        lambda: [Received(str(number), f"r{number}", "x") for number, _ in zip(numbers, range(10), strict=False)],
        wait=0,
        follow=False,
        hold=held.append,
        give_back=lambda receipts: None,
        failed_before=lambda id_: False,
    )
    until(lambda: len(held) > AHEAD)
    time.sleep(0.2)
    assert len(held) <= AHEAD + 10
    taken = []
    while (message := received.next(0.5)) is not None:
        taken.append(message)
    assert IN_FLIGHT <= len(taken) < IN_FLIGHT + 10
    for message in taken[:100]:
        received.release(len(message.body))
    assert sum(received.next(0.5) is not None for _ in range(100)) >= 90
    received.stop()


def test_an_error_of_receiving_is_raised_behind_what_was_received() -> None:
    answers: list[list[Received]] = [[Received("1", "r", "x")]]

    def receive() -> list[Received]:
        if not answers:
            raise QueueFailed("refused")
        return answers.pop()

    receiver = Receiver(
        receive, wait=0, follow=True, hold=lambda receipt: None, give_back=lambda receipts: None, failed_before=bool
    )
    until(lambda: not answers)
    assert receiver.next(5) == Received("1", "r", "x")
    with pytest.raises(QueueFailed):
        receiver.next(5)
    assert receiver.ended


SUBSCRIBER = """
import sys
from awsflow import Batch, Flow
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sources import Queue

source = Queue("logs", access=AwsAccess(service_endpoint=sys.argv[1]), wait=6)
Flow(source, batch=Batch(records=50)).to(WazuhSocket(sys.argv[2])).run()
"""


def test_of_two_subscribers_one_is_killed_and_every_object_is_delivered(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws, VisibilityTimeout=3)
    keys = [f"{number:03}" for number in range(500)]
    logs.put(*keys)
    with Wazuh(tmp_path) as wazuh:
        command = [sys.executable, "-c", SUBSCRIBER, aws.url, str(wazuh.path)]
        killed, other = (subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2))
        wazuh.wait_for(150)
        killed.kill()
        arrived = len(wazuh.bodies)
        killed.communicate()
        _, complaint = other.communicate(timeout=60)
        assert (killed.returncode, other.returncode, complaint) == (-9, 0, b"")
        delivered = {event["aws"]["n"] for event in wazuh.events()}
    assert arrived < 500
    assert sorted(delivered) == keys
    assert logs.left() == 0
