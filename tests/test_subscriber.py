"""`awsflow subscriber`: the objects that a queue's messages name, for people and their scripts."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/123456789012_CloudTrail_eu-west-1_20261123T0000Z_{}.json"


@pytest.fixture
def queue(aws: Aws) -> str:
    aws.client("s3").create_bucket(Bucket="logs")
    url: str = aws.client("sqs").create_queue(QueueName="notices")["QueueUrl"]
    return url


def put(aws: Aws, queue: str, key: str, body: bytes) -> None:
    """Put an object into the bucket, and the notice of it into the queue."""
    aws.client("s3").put_object(Bucket="logs", Key=key, Body=body)
    notify(aws, queue, key)


def notify(aws: Aws, queue: str, key: str) -> None:
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": {"key": key}}}
    aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": [record]}))


def left(aws: Aws, queue: str) -> int:
    """How many messages are in the queue, hidden or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def command(aws: Aws, *more: str) -> list[str]:
    return ["subscriber", "buckets", "--queue", "notices", "--wait", "1", "--endpoint-url", aws.url, *more]


def test_objects_are_sent_and_their_messages_deleted(aws: Aws, queue: str, tmp_path: Path) -> None:
    put(aws, queue, "a/1.json", b'{"n": 1}{"n": 2}')
    put(aws, queue, "a/2.log", b"line 1\nline 2\n")
    ended = awsflow(*command(aws), home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    told: list[Any] = [json.loads(line)["aws"] for line in ended.stdout.splitlines()]
    assert [event.get("n") or event["full_log"] for event in told] == [1, 2, "line 1", "line 2"]
    assert told[0]["log_info"] == {"log_file": "a/1.json", "s3bucket": "logs"}
    assert left(aws, queue) == 0


def test_native_logs_are_read_as_their_type_found_by_key_and_content(aws: Aws, queue: str, tmp_path: Path) -> None:
    body = b'{"Records": [{"eventID": "1", "requestParameters": "x"}]}'
    put(aws, queue, KEY.format("a"), body)
    ended = awsflow(*command(aws, "--type", "auto"), home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"auto: objects read of each type: cloudtrail 1\n")
    event = json.loads(ended.stdout)["aws"]
    assert (event["aws_account_id"], event["requestParameters"]) == ("123456789012", {"string": "x"})
    put(aws, queue, KEY.format("b"), body)
    assert json.loads(awsflow(*command(aws, "--type", "cloudtrail"), home=tmp_path).stdout)["aws"] == {
        **event,
        "log_info": {**event["log_info"], "log_file": KEY.format("b")},
    }


def test_what_cannot_be_dealt_with_is_told_and_stays_or_is_filed_when_asked_for(
    aws: Aws, queue: str, tmp_path: Path
) -> None:
    notify(aws, queue, "gone.json")
    put(aws, queue, "good.json", b'{"n": 1}')
    ended = awsflow(*command(aws, "--visibility", "1"), home=tmp_path)
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    told, sent = sorted(events, key=lambda event: "error_msg" not in event)
    assert (ended.returncode, sent["aws"]["n"]) == (7, 1)
    assert "s3://logs/gone.json" in told["error_msg"]
    assert b"s3://logs/gone.json" in ended.stderr
    assert left(aws, queue) == 1
    letters = tmp_path / "letters.ndjson"
    flags = ("--visibility", "1", "--skip-on-error", "--dead-letter", str(letters))
    ended = awsflow(*command(aws, *flags), home=tmp_path)
    assert ended.returncode == 0
    assert left(aws, queue) == 0
    assert "gone.json" in json.loads(letters.read_text().splitlines()[0])["content"]


def test_what_does_not_fit_is_named(aws: Aws, tmp_path: Path) -> None:
    for arguments, code in {
        ("sqs", "--queue", "notices"): 12,
        ("buckets", "--queue", "not there"): 2,
        ("buckets", "--queue", "nothing"): 20,
        ("buckets", "--queue", "notices", "--type", "cloudtrial"): 12,
        ("security_hub", "--queue", "notices", "--type", "cloudtrail"): 2,
        ("buckets", "--queue", "notices", "--wait", "21"): 2,
    }.items():
        ended = awsflow("subscriber", *arguments, "--endpoint-url", aws.url, home=tmp_path)
        assert (ended.returncode, ended.stdout) == (code, b""), arguments
        assert ended.stderr.startswith(b"ERROR: "), arguments


def test_one_that_follows_stays_sends_what_comes_and_ends_soon_when_asked_to(
    aws: Aws, queue: str, tmp_path: Path
) -> None:
    put(aws, queue, "1.json", b'{"n": 1}')
    with Wazuh(tmp_path / "wazuh") as wazuh:
        flags = command(aws, "--follow", "--wait", "20", "--to", f"wazuh:{wazuh.path}")
        env = {**CREDENTIALS, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen([sys.executable, "-m", "awsflow", *flags], env=env, stderr=subprocess.PIPE) as process:
            wazuh.wait_for(1)
            put(aws, queue, "2.json", b'{"n": 2}')
            wazuh.wait_for(2)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=20)
        assert (process.returncode, told) == (143, b"")
        assert [event["aws"]["n"] for event in wazuh.events()] == [1, 2]
    assert left(aws, queue) == 0
