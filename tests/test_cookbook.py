"""Every recipe of the cookbook runs, as it stands there, and comes to something."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from awsflow.samples import SAMPLES
from tests.commands import CREDENTIALS
from tests.conftest import Aws
from tests.wazuh import Wazuh

COOKBOOK = (Path(__file__).resolve().parent.parent / "docs" / "cookbook.md").read_text()
RECIPES = dict(re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```", COOKBOOK, re.DOTALL | re.MULTILINE))
ACCOUNT, REGION, START = "123456789012", "eu-west-1", datetime(2026, 11, 23, tzinfo=UTC)
SHOWN = {
    "Count what happened": r" +\d+ \w+\n",
    "Find what was denied": r"2026-11-23T\S+ \S+ \w+ AWSLogs/",
    "Who talks most": r"-> \S+ +[\d,]+ bytes",
    "A table for a spreadsheet": "written to calls.csv",
    "Add what you know": r"[1-9]\d* of 80 events, [1-9]\d* discarded",
    "A stage of your own": r"'when': '2026",
    "A sink of your own": "80 rows",
    "Each new object of a bucket once": "2 objects, 80 events\n0 objects, 0 events\n",
    "With a role, in another account": "80 events",
    "What a queue tells of, into Wazuh": "40 events",
    "CloudWatch Logs": "a line of a function",
    "When something goes wrong": r"no-such-bucket.*\(exit code 7\)",
}
"""What a recipe prints."""


def documents(log_type: str, count: int) -> list[tuple[str, bytes]]:
    """Keys and contents of sample objects."""
    sample = SAMPLES[log_type]
    return [
        (
            sample.key(ACCOUNT, REGION, START, number),
            sample.document(sample.events(number, 40, START, ACCOUNT, REGION)),
        )
        for number in range(count)
    ]


@pytest.fixture
def logs(tmp_path: Path, aws: Aws) -> Path:
    """A folder with logs, and the same in S3, with a queue that tells of one object, and a log group."""
    trail = documents("cloudtrail", 2)
    for folder, files in ((tmp_path, trail), (tmp_path / "flow-logs", documents("vpcflow", 1))):
        for key, content in files:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(content)
    s3, sqs, cloudwatch = (aws.client(name) for name in ("s3", "sqs", "logs"))
    s3.create_bucket(Bucket="my-trail")
    for key, content in trail:
        s3.put_object(Bucket="my-trail", Key=key, Body=content)
    url = sqs.create_queue(QueueName="my-queue")["QueueUrl"]
    told = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": named(*trail[0])}]}
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(told))
    cloudwatch.create_log_group(logGroupName="/aws/lambda/x")
    cloudwatch.create_log_stream(logGroupName="/aws/lambda/x", logStreamName="s")
    event = {"timestamp": int(datetime.now(UTC).timestamp() * 1000), "message": "a line of a function"}
    cloudwatch.put_log_events(logGroupName="/aws/lambda/x", logStreamName="s", logEvents=[event])
    return tmp_path


def named(key: str, content: bytes) -> dict[str, object]:
    """An object as S3's notifications name it."""
    return {"bucket": {"name": "my-trail"}, "object": {"key": key, "size": len(content)}}


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_runs_as_it_stands_and_comes_to_something(title: str, logs: Path, aws: Aws) -> None:
    code = (
        RECIPES[title]
        .replace("/var/ossec", str(logs / "ossec"))
        .replace('regions=["eu-west-1"]', 'regions=["us-east-1"]')
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with Wazuh(logs / "ossec"):
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=logs,
            env={**kept, **CREDENTIALS, "AWS_ENDPOINT_URL": aws.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(SHOWN[title], ended.stdout), ended.stdout[:2000]


def test_every_recipe_is_known_here() -> None:
    assert SHOWN.keys() == RECIPES.keys()
    assert len(RECIPES) == COOKBOOK.count("```python")
