"""A bucket whose queue is told of what is put there, and what tests of it share."""

import gzip
import json
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from more_itertools import chunked

from awsflow import Batch, Failure, Flow, Record
from awsflow.sources import Queue
from tests.conftest import Aws
from tests.messages import by_s3
from tests.test_flow import FragileSink


def names(sink: FragileSink) -> list[Any]:
    """What has arrived."""
    return [json.loads(event)["aws"]["n"] for event in sink.arrived]


def ids_of(source: Queue) -> list[Any]:
    """What a run reads."""
    flow = Flow(source, batch=Batch(seconds=0.1))
    return [record.event["n"] for record in flow if isinstance(record.event, dict)]


@cache
def _client(aws: Aws, service: str) -> Any:
    """The clients are the same for all tests: to make one takes longer than many a test."""
    return aws.client(service)


class Logs:
    """A bucket, and a queue that is told of what is put there."""

    def __init__(self, aws: Aws, name: str = "logs", **attributes: Any) -> None:
        self.access = aws.access
        self.name = name
        self.s3 = _client(aws, "s3")
        self.sqs = _client(aws, "sqs")
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
        return Queue(self.name, reader, **{"access": self.access, "wait": 0, **more})

    def ids(self, **more: Any) -> list[Any]:
        """What a run reads."""
        return ids_of(self.source(**more))

    def left(self) -> int:
        """How many messages there are, hidden ones too."""
        return sum(self._counts())

    def hidden(self) -> int:
        """How many messages somebody is working on."""
        return self._counts()[1]

    def _counts(self) -> tuple[int, int]:
        """How many messages can be received, and how many are hidden: of the same moment."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(told[names[0]]), int(told[names[1]])

    def received(self) -> int:
        """How many messages somebody else can receive now, up to ten."""
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=1)
        return len(answer.get("Messages", ()))


class Told:
    """Failures that were told."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def add(self, failure: Failure) -> None:
        self.failures.append(failure)

    def flush(self) -> None:
        """They are safe here."""


class SlowSink(FragileSink):
    """Takes its time for every batch."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def write(self, records: Sequence[Record]) -> None:
        time.sleep(self._seconds)
        super().write(records)


BAD_GZIP = gzip.compress(b'{"n": 1}' * 1000)[:-20]


def until(happened: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)
