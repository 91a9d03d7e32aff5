"""The places that the soak test collects from: what is put there, and the command that collects it."""

import gzip
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.log_service import LogService
from tests.messages import by_s3
from tests.test_inspector import InspectorService

LARGE = 5000
"""Events of the largest objects, which take several batches."""
BATCH = 1000
"""Events that are sent between two commits, at most."""
SMALL = 200
"""Events of an object that a queue names."""


@dataclass
class Place:
    """Somewhere to collect from, behind a fault server."""

    name: str
    server: FaultServer
    flags: tuple[str, ...]
    """Of `awsflow wodle`."""
    put: Callable[[list[str]], None]
    """Put one more object, or the like, with these events in it."""
    most: int
    """Events that are put at once."""
    more: int = 0
    """Events that a broken run may repeat beyond a batch."""
    ids: list[str] = field(default_factory=list)
    """The ledger: the marks of all events that were put."""
    runs: int = 0
    kills: int = 0
    broken: int = 0
    """Runs that were killed, or ended with an error."""

    def add(self, dice: random.Random) -> None:
        """Put something there."""
        size = dice.randint(1, self.most if dice.random() < 0.15 else min(self.most, 300))
        fresh = [f"soak-{self.name}-{len(self.ids) + number}" for number in range(size)]
        self.ids += fresh
        self.put(fresh)

    @property
    def bound(self) -> int:
        """Events that may have come twice."""
        replaced = self.server.happened["replaced"] * LARGE
        return self.broken * (BATCH + self.more) + replaced


def places(aws: Aws, log_service: LogService, inspector: InspectorService) -> list[Place]:
    """All of them; moto's server, and stand-ins for what moto lacks, behind a fault server each."""
    s3: Any = aws.client("s3")
    sqs: Any = aws.client("sqs")
    lock = threading.Lock()  # moto's server shares one client
    made: list[Place] = []
    flags: tuple[str, ...]
    for name, key, document, more in _KINDS_OF_OBJECTS:
        s3.create_bucket(Bucket=f"soak-{name}")
        flags = ("--bucket", f"soak-{name}", "--type", name, *more)
        put = _putting(s3, lock, name, key, document)
        # each worker may repeat a batch
        beyond = 2 * BATCH if "--workers" in flags else 0
        made.append(Place(name, FaultServer(aws.url), flags, put, most=LARGE, more=beyond))
    s3.create_bucket(Bucket="soak-queue")
    url = sqs.create_queue(QueueName="soak", Attributes={"VisibilityTimeout": "8"})["QueueUrl"]
    numbers = count()

    def send(ids: list[str]) -> None:
        key = f"logs/{next(numbers):06}.json.gz"
        with lock:
            s3.put_object(Bucket="soak-queue", Key=key, Body=_lines(ids))
            sqs.send_message(QueueUrl=url, MessageBody=by_s3("soak-queue", key))

    flags = ("--subscriber", "buckets", "--queue", "soak", "--wait", "1")
    # a message is deleted as a whole: what it names is sent again as a whole
    made.append(Place("queue", FaultServer(aws.url), flags, send, most=SMALL, more=SMALL))

    def log(ids: list[str]) -> None:
        now = int(time.time() * 1000)
        log_service.time = max(log_service.time, now)
        log_service.put("soak", f"stream{len(ids) % 3}", *((now, json.dumps({"id": each})) for each in ids))

    flags = ("--service", "cloudwatchlogs", "--aws_log_groups", "soak", "--regions", "us-east-1")
    made.append(Place("cloudwatchlogs", FaultServer(log_service.url), flags, log, most=SMALL))

    def find(ids: list[str]) -> None:
        arn = "arn:aws:inspector2:us-east-1:123456789012:finding/"
        found = [{"findingArn": arn + each, "updatedAt": time.time(), "title": "a finding"} for each in ids]
        inspector.findings = [*inspector.findings, *found]

    flags = ("--service", "inspector", "--regions", "us-east-1")
    made.append(Place("inspector", FaultServer(inspector.url), flags, find, most=SMALL))
    for server in (place.server for place in made):
        server.silence = 1.5
    return made


def _putting(
    s3: Any, lock: threading.Lock, name: str, key: str, document: Callable[[Sequence[str]], bytes]
) -> Callable[[list[str]], None]:
    """How to put an object into a bucket."""
    numbers = count()

    def put(ids: list[str]) -> None:
        number = f"{next(numbers):06}"
        with lock:
            s3.put_object(
                Bucket=f"soak-{name}", Key=datetime.now(UTC).strftime(key).replace("#", number), Body=document(ids)
            )

    return put


def _cloudtrail(ids: Sequence[str]) -> bytes:
    filling = random.Random(ids[0]).randbytes(100).hex()
    records = [{"eventID": each, "filling": filling[: len(each) * 20]} for each in ids]
    return gzip.compress(json.dumps({"Records": records}).encode(), 1)


def _lines(ids: Sequence[str]) -> bytes:
    return gzip.compress("".join(json.dumps({"id": each}) + "\n" for each in ids).encode(), 1)


def _flows(ids: Sequence[str]) -> bytes:
    head = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
        "log-status\n"
    )
    begin = int(time.time())
    lines = (
        f"2 123456789012 {each} 10.0.0.1 10.0.0.2 443 49152 6 10 840 {begin} {begin + 60} ACCEPT OK\n" for each in ids
    )
    return gzip.compress((head + "".join(lines)).encode(), 1)


_AWSLOGS = "AWSLogs/123456789012/{}/eu-west-1/%Y/%m/%d/123456789012_{}_eu-west-1_{}%Y%m%dT%H%MZ_#.{}.gz"
_KINDS_OF_OBJECTS: tuple[tuple[str, str, Callable[[Sequence[str]], bytes], tuple[str, ...]], ...] = (
    ("cloudtrail", _AWSLOGS.format("CloudTrail", "CloudTrail", "", "json"), _cloudtrail, ()),
    (
        "vpcflow",
        _AWSLOGS.format("vpcflowlogs", "vpcflowlogs", "fl-0123456789abcdef0_", "log"),
        _flows,
        ("--workers", "3"),
    ),
    ("custom", "%Y/%m/%d/%H-#.json.gz", _lines, ("--format", "jsonl")),
)
