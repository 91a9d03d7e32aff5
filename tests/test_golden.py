"""What a known-good collector sent for the same contents of AWS is what awsflow sends, through the real command."""

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Aws
from tests.wazuh import Wazuh

GOLDEN = Path(os.environ.get("AWSFLOW_GOLDEN", Path(__file__).resolve().parents[2] / "shared" / "golden"))


def cases() -> list[Any]:
    """All cases."""
    if not GOLDEN.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no golden cases in {GOLDEN} (set AWSFLOW_GOLDEN)"))]
    return [pytest.param(case.parent, id=case.parent.name) for case in sorted(GOLDEN.glob("*/case.json"))]


def canonical(body: bytes) -> str:
    """A body so that equal JSON is equal text."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body.decode()


def by_file(bodies: list[bytes]) -> dict[str, list[str]]:
    """The bodies of each log file, in their order; those that name none are left out."""
    files: dict[str, list[str]] = defaultdict(list)
    for body in bodies:
        with contextlib.suppress(ValueError, KeyError):
            files[json.loads(body)["aws"]["log_info"]["log_file"]].append(canonical(body))
    return files


def put(case: dict[str, Any], step: dict[str, Any], folder: Path, aws: Aws) -> None:
    """Bring about what a step says of AWS's contents."""
    for key, file in step.get("put", {}).items():
        aws.client("s3").put_object(Bucket=case["bucket"], Key=key, Body=(folder / file).read_bytes())
    for body in step.get("send", ()):
        queue = aws.client("sqs").get_queue_url(QueueName=of_flag(case, "--queue"))["QueueUrl"]
        aws.client("sqs").send_message(QueueUrl=queue, MessageBody=body if isinstance(body, str) else json.dumps(body))
    for stream, events in step.get("put_log_events", {}).items():
        aws.client("logs").put_log_events(logGroupName=case["log_group"], logStreamName=stream, logEvents=events)


def made(case: dict[str, Any], aws: Aws) -> None:
    """Make what the case needs: a bucket, a queue, a log group with its streams."""
    if "bucket" in case:
        aws.client("s3").create_bucket(Bucket=case["bucket"])
    if "--queue" in case["flags"]:
        aws.client("sqs").create_queue(QueueName=of_flag(case, "--queue"))
    if "log_group" in case:
        aws.client("logs").create_log_group(logGroupName=case["log_group"])
        for stream in {stream for step in case["steps"] for stream in step.get("put_log_events", {})}:
            aws.client("logs").create_log_stream(logGroupName=case["log_group"], logStreamName=stream)


def of_flag(case: dict[str, Any], flag: str) -> str:
    value: str = case["flags"][case["flags"].index(flag) + 1]
    return value


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("folder", cases())
def test_the_same_events_are_sent(folder: Path, workers: int, aws: Aws, tmp_path: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    made(case, aws)
    places = ["--service_endpoint", aws.url, "--sts_endpoint", aws.url, "--wazuh-home", str(tmp_path), "--wait", "1"]
    if workers > 1:
        if "bucket" not in case or "--bucket" not in case["flags"]:
            pytest.skip("only the objects of a bucket are divided among workers")
        places += ["--workers", str(workers)]
    command = [sys.executable, "-m", "awsflow", "wodle", *case["flags"], *places]
    with Wazuh(tmp_path) as wazuh:
        for step in case["steps"]:
            put(case, step, folder, aws)
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
            expected = (folder / step["expected"]).read_bytes().splitlines()
            bodies = wazuh.take()
            assert Counter(map(canonical, bodies)) == Counter(map(canonical, expected))
            assert by_file(bodies) == by_file(expected)
