"""`awsflow bucket`: what is new in a bucket, for people and their scripts."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.commands import awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

FOLDER = f"AWSLogs/123456789012/CloudTrail/eu-west-1/{datetime.now(UTC):%Y/%m/%d}/"


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    return client


def put(s3: Any, name: str, *ids: str) -> None:
    body = gzip.compress(json.dumps({"Records": [{"eventID": id_} for id_ in ids]}).encode())
    s3.put_object(Bucket="trail", Key=f"{FOLDER}{name}.json.gz", Body=body)


def ids(output: bytes) -> list[str]:
    return [json.loads(line)["aws"]["eventID"] for line in output.splitlines()]


def test_each_new_object_is_sent_once_and_the_state_is_the_users(aws: Aws, s3: Any, tmp_path: Path) -> None:
    command = ("bucket", "trail", "--endpoint-url", aws.url)
    put(s3, "a", "1", "2")
    ended = awsflow(*command, home=tmp_path)
    assert (ended.returncode, ended.stderr, ids(ended.stdout)) == (0, b"", ["1", "2"])
    put(s3, "b", "3")
    assert ids(awsflow(*command, home=tmp_path).stdout) == ["3"]
    state = tmp_path / ".local" / "state" / "awsflow" / "awsflow.db"
    assert state.stat().st_mode & 0o777 == 0o600
    elsewhere = {"XDG_STATE_HOME": str(tmp_path / "xdg")}
    assert ids(awsflow(*command, home=tmp_path, env=elsewhere).stdout) == ["1", "2", "3"]
    assert (tmp_path / "xdg" / "awsflow" / "awsflow.db").exists()


def test_without_state_everything_is_sent_again(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "a", "1")
    for _ in range(2):
        assert ids(awsflow("bucket", "trail", "--endpoint-url", aws.url, "--no-state", home=tmp_path).stdout) == ["1"]
    assert not (tmp_path / ".local").exists()


def test_what_cannot_be_read_is_told_once_for_the_run_and_tried_again(aws: Aws, s3: Any, tmp_path: Path) -> None:
    command = ("bucket", "trail", "--endpoint-url", aws.url)
    s3.put_object(Bucket="trail", Key=f"{FOLDER}bad.json.gz", Body=b'{"Records": [{"eventID": "1"}, oh')
    put(s3, "c", "2")
    ended = awsflow(*command, home=tmp_path)
    assert (ended.returncode, ids(ended.stdout)) == (9, ["1"])
    assert f"s3://trail/{FOLDER}bad.json.gz" in ended.stderr.decode()
    ended = awsflow(*command, "--skip-on-error", home=tmp_path)
    told, sent = (json.loads(line) for line in ended.stdout.splitlines())
    assert ended.returncode == 0
    assert f"s3://trail/{FOLDER}bad.json.gz" in told["error_msg"]
    assert sent["aws"]["eventID"] == "2"


def test_wrong_arguments_are_named(aws: Aws, tmp_path: Path) -> None:
    for arguments, told in {
        ("No_Bucket",): "'No_Bucket'",
        ("trail", "--accounts", "12"): "'12'",
        ("trail", "--after", "yesterday"): "'yesterday'",
        ("trail", "--to", "nowhere"): "nowhere",
        ("trail", "--max-ratio", "0"): "--max-ratio: '0'",
        ("trail", "--max-eps", "x"): "--max-eps: 'x'",
        ("trail", "--workers", "x"): "--workers: 'x'",
        ("trail", "--format", "csv"): "--format csv",
    }.items():
        ended = awsflow("bucket", *arguments, "--endpoint-url", aws.url, home=tmp_path)
        assert ended.returncode == 2, arguments
        assert told in ended.stderr.decode()
        assert ended.stdout == b""


def test_events_go_to_wazuh(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "a", "1", "2")
    with Wazuh(tmp_path / "ossec") as wazuh:
        home = {"WAZUH_HOME": str(wazuh.home)}
        ended = awsflow("bucket", "trail", "--endpoint-url", aws.url, "--to", "wazuh", home=tmp_path, env=home)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        assert [event["aws"]["eventID"] for event in wazuh.events()] == ["1", "2"]
