"""Answers that are not as AWS's are: an error of ours that says so, soon, and never a crash or a hang."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from awsflow.errors import AwsflowError, QueueFailed
from awsflow.options import AwsAccess
from awsflow.sources import CloudWatchLogs, Inspector, Queue, S3Bucket
from tests.answers import Answer, Answering, Request


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


SOURCES: dict[str, Callable[[AwsAccess], Any]] = {
    "s3": lambda access: S3Bucket("logs", "cloudtrail", access=access),
    "logs": lambda access: CloudWatchLogs(["group"], regions=["us-east-1"], access=access, requests_per_second=1e6),
    "inspector": lambda access: Inspector(regions=["us-east-1"], access=access),
    "sqs": lambda access: Queue("notices", "buckets", access=access, wait=0),
}
END = {"s3": "<ListBucketResult></ListBucketResult>"}


def read(name: str, *bodies: str | bytes | dict[str, Any], again: bool = False) -> int:
    """How many items come of these answers, one after the other; `again`: the last one for ever."""
    left = [
        body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        for body in bodies
    ]

    def answer(request: Request) -> Answer:
        body = left[0] if again and len(left) == 1 else left.pop(0) if left else END.get(name, "{}").encode()
        return Answer(body=body)

    with Answering(answer) as server:
        source = SOURCES[name](AwsAccess(service_endpoint=server.url, region="us-east-1"))
        try:
            return sum(1 for _ in source.items())
        finally:
            source.close()


@pytest.mark.parametrize(
    ("name", "bodies"),
    [
        ("s3", ["<ListBucketResult><CommonPrefixes></CommonPrefixes></ListBucketResult>"]),
        ("s3", ["<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"]),
        ("s3", [b"<ListBucketResult>\xff\xfe"]),
        ("logs", [{"logStreams": [{}]}]),
        ("logs", [{"logStreams": [{"logStreamName": 1}]}]),
        ("logs", [{"logStreams": [1]}]),
        ("logs", [{"logStreams": [{"logStreamName": "s"}]}, {"events": [{"timestamp": -1, "message": "m"}]}]),
        ("logs", [{"logStreams": [{"logStreamName": "s"}]}, {"events": [{"timestamp": 10**17, "message": "m"}]}]),
        ("logs", [{"logStreams": [{"logStreamName": "s"}]}, {"events": [{"timestamp": 1}]}]),
        ("logs", [b"\xff\xff{}"]),
        ("logs", [b"[" * 100_000]),
        ("inspector", [{"findings": [{"updatedAt": -1e20}]}]),
        ("inspector", [{"findings": [{"updatedAt": "x"}]}]),
        ("inspector", [b"[1]"]),
        ("sqs", [{}]),
        ("sqs", [{"QueueUrl": 7}]),
    ],
)
def test_an_answer_that_is_not_as_those_of_aws_is_told_as_such(name: str, bodies: list[Any]) -> None:
    with pytest.raises(AwsflowError, match="check the endpoint URL"):
        read(name, *bodies, again=name == "inspector")  # both Inspectors ask, at the same time


def test_a_message_without_a_receipt_ends_a_queue_with_an_error() -> None:
    url = {"QueueUrl": "http://127.0.0.1/123456789012/notices"}
    with pytest.raises(QueueFailed, match="there is no ReceiptHandle in one of its Messages"):
        read("sqs", url, {"Attributes": {"VisibilityTimeout": "x"}}, {"Messages": [{"MessageId": "1"}]})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "s3",
            "<ListBucketResult><IsTruncated>true</IsTruncated>"
            "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
        ),
        ("logs", {"logStreams": [], "nextToken": "t"}),
        ("inspector", {"findings": [], "nextToken": "t"}),
    ],
)
def test_an_endpoint_that_gives_the_same_page_for_ever_is_not_asked_for_ever(name: str, body: Any) -> None:
    with pytest.raises(AwsflowError, match="the same page is given again and again"):
        read(name, body, again=True)
