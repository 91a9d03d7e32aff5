"""Messages that cannot be dealt with: none stops the others, each is told, none is lost."""

import json
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from awsflow import Flow
from awsflow.errors import (
    AwsflowError,
    DecodeError,
    DecompressError,
    ServiceError,
    SinkError,
)
from awsflow.options import AwsAccess
from awsflow.sinks.dead_letters import DeadLetters
from tests.answers import Answer, Request, refused
from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.messages import by_s3, s3_record
from tests.queues import BAD_GZIP, Logs, Told, names
from tests.test_flow import FragileSink


@pytest.fixture
def logs(aws: Aws) -> Logs:
    return Logs(aws)


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


def deny(asked: Request) -> Answer | None:
    return refused("AccessDenied", 403) if asked.action.startswith("GET /logs/denied/") else None


def test_bad_messages_stop_none_of_the_others_are_told_once_and_left_to_the_redrive_policy(aws: Aws) -> None:
    dead = Logs(aws, "dead")
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    logs = Logs(aws, VisibilityTimeout=1, RedrivePolicy=json.dumps(policy))
    good, bad = fill(logs)
    with FaultServer(aws.url, choose=deny) as faulty:
        told = Told()
        sink = FragileSink()
        flow = Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url), wait=2), failures=told).to(sink)
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
        logs.ids(wait=1)
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
    with FaultServer(aws.url, choose=deny) as faulty:
        source = logs.source(access=AwsAccess(service_endpoint=faulty.url), skip_on_error=True)
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
