"""What an endpoint answers: S3's listings, CloudWatch Logs, both Inspectors, SQS; through botocore, over HTTP."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from typing import Any, Protocol

from awsflow.errors import AwsflowError
from awsflow.options import AwsAccess
from awsflow.sources import CloudWatchLogs, Inspector, Queue, S3Bucket
from tests.answers import Answer, Answering, Request
from tests.fuzz.target import Target

MOST = 500
"""Items that are looked at."""
_GONE = Answer(400, b'{"__type": "AccessDeniedException"}<Error><Code>AccessDenied</Code></Error>')


class _Source(Protocol):
    def items(self) -> Iterator[Any]: ...

    def close(self) -> None: ...


class Endpoint:
    """Answers one request after the other with the parts of what is being tried, then refuses."""

    def __init__(self) -> None:
        self._left: list[bytes] = []
        self._server = Answering(self._answer)
        self._server.__enter__()
        os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION="us-east-1")
        os.environ["AWS_MAX_ATTEMPTS"] = "1"
        self.access = AwsAccess(service_endpoint=self._server.url, region="us-east-1")

    def check(self, source: Callable[[AwsAccess], _Source], data: bytes) -> None:
        """Items, or an error of ours."""
        self._left = data.split(b"\0")[:8]
        with suppress(AwsflowError), closing(source(self.access)) as opened:
            for _ in islice(opened.items(), MOST):
                pass

    def _answer(self, request: Request) -> Answer:
        self._server.requests.clear()
        return Answer(body=self._left.pop(0)) if self._left else _GONE


def _check(source: Callable[[AwsAccess], _Source], endpoint: list[Endpoint], data: bytes) -> None:
    if not endpoint:
        endpoint.append(Endpoint())  # at the first call: a target that is not run needs none
    endpoint[0].check(source, data)


def _listings() -> Iterable[bytes]:
    key = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/20/123456789012_CloudTrail_us-east-1_20261120T0000Z_a.json"
    entry = (
        f"<Contents><Key>{key}</Key><LastModified>2026-11-20T00:00:00.000Z</LastModified>"
        '<ETag>"0123"</ETag><Size>9</Size></Contents>'
    )
    folder = "<CommonPrefixes><Prefix>AWSLogs/{}/</Prefix></CommonPrefixes>"
    end = "<IsTruncated>false</IsTruncated><KeyCount>1</KeyCount></ListBucketResult>"
    pages = [
        "<ListBucketResult>" + folder.format("123456789012") + end,
        "<ListBucketResult>" + folder.format("123456789012/CloudTrail/us-east-1") + end,
        "<ListBucketResult>" + entry + end,
    ]
    yield "\0".join([*pages, '{"Records": [{"a": 1}]}']).encode()
    yield "\0".join([pages[0], pages[1], pages[2].replace("false", "true")]).encode()
    yield "\0".join([pages[0], pages[1], pages[2].replace("<Size>9</Size>", "")]).encode()


def _json(*answers: Any) -> bytes:
    return b"\0".join(json.dumps(answer).encode() for answer in answers)


def _of_logs() -> Iterable[bytes]:
    groups = {"logGroups": [{"logGroupName": "group"}]}
    streams = {"logStreams": [{"logStreamName": "s", "lastIngestionTime": 2, "firstEventTimestamp": 1}]}
    events = {"events": [{"timestamp": 1763600000000, "message": "m", "ingestionTime": 2}], "nextForwardToken": "f/1"}
    yield _json(groups, streams, events, {"events": [], "nextForwardToken": "f/1"})
    yield _json(streams, events, {"events": [{"timestamp": -1}, {"message": "x"}], "nextForwardToken": "f/2"})
    yield _json({"logStreams": [{}], "nextToken": "t"}, {"logStreams": [{"logStreamName": 1}]})


def _of_inspector() -> Iterable[bytes]:
    finding = {"findingArn": "arn:aws:inspector2:us-east-1:1:finding/a", "updatedAt": 1763600000.5, "title": "t"}
    yield _json({"findings": [finding], "nextToken": "t"}, {"findings": [finding, {}]}, {"findingArns": ["a"]})
    yield _json({"findings": [{"updatedAt": -1e20}, {"updatedAt": "x"}]})


def _of_sqs() -> Iterable[bytes]:
    url = {"QueueUrl": "http://127.0.0.1/123456789012/notices"}
    message = {
        "MessageId": "1",
        "ReceiptHandle": "r",
        "Body": json.dumps({"s3Bucket": "logs", "s3ObjectKey": ["a.json"]}),
    }
    yield _json(url, {"Attributes": {"VisibilityTimeout": "30"}}, {"Messages": [message]}, {"a": 1})
    yield _json(url, {"Attributes": {"VisibilityTimeout": "x"}}, {"Messages": [{"MessageId": "1"}]})
    yield _json({}, {"Messages": [{}]})


_SOURCES: dict[str, tuple[Callable[[AwsAccess], _Source], Callable[[], Iterable[bytes]]]] = {
    "answers_s3": (lambda access: S3Bucket("logs", "cloudtrail", access=access), _listings),
    "answers_logs": (
        lambda access: CloudWatchLogs(["group", "g*"], regions=["us-east-1"], access=access, requests_per_second=1e6),
        _of_logs,
    ),
    "answers_inspector": (lambda access: Inspector(regions=["us-east-1"], access=access), _of_inspector),
    "answers_sqs": (lambda access: Queue("notices", "buckets", access=access, wait=0), _of_sqs),
}
ANSWERS: dict[str, Target] = {
    name: Target(partial(_check, source, []), "items, or an error of ours", seeds)
    for name, (source, seeds) in _SOURCES.items()
}
