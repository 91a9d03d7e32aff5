"""`awsflow service`: CloudWatch Logs and Inspector, for people and their scripts."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh


@pytest.fixture
def logs(aws: Aws) -> Any:
    client = aws.client("logs")
    client.create_log_group(logGroupName="/aws/lambda/x")
    client.create_log_stream(logGroupName="/aws/lambda/x", logStreamName="one")
    return client


def say(logs: Any, *messages: str) -> None:
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName="/aws/lambda/x", logStreamName="one", logEvents=events)


def command(aws: Aws, *more: str) -> list[str]:
    groups = ("service", "cloudwatchlogs", "--log-group", "/aws/lambda/*", "--region", "us-east-1")
    return [*groups, "--endpoint-url", aws.url, *more]


def test_each_new_event_is_sent_once_in_a_line_of_json(aws: Aws, logs: Any, tmp_path: Path) -> None:
    say(logs, '{"level": "info"}', 'plain "text"')
    ended = awsflow(*command(aws), home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [{"level": "info"}, 'plain "text"']
    say(logs, "more")
    assert awsflow(*command(aws), home=tmp_path).stdout == b'"more"\n'
    assert awsflow(*command(aws), home=tmp_path).stdout == b""
    assert len(awsflow(*command(aws, "--reparse"), home=tmp_path).stdout.splitlines()) == 3


def test_wazuh_gets_the_messages_themselves(aws: Aws, logs: Any, tmp_path: Path) -> None:
    say(logs, '{"level":  "info"}', "plain")
    with Wazuh(tmp_path / "wazuh") as wazuh:
        ended = awsflow(*command(aws, "--to", f"wazuh:{wazuh.path}"), home=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
        assert wazuh.take() == [b'{"level":  "info"}', b"plain"]


def test_events_are_discarded_by_a_field_or_by_their_text(aws: Aws, logs: Any, tmp_path: Path) -> None:
    say(logs, '{"level": "debug"}', '{"level": "info"}', "debug text", "other")
    ended = awsflow(*command(aws, "--discard", "level=debug"), home=tmp_path)
    assert ended.stdout.splitlines() == [b'{"level": "info"}', b'"other"']


def test_a_missing_group_is_told_and_the_others_are_read(aws: Aws, logs: Any, tmp_path: Path) -> None:
    say(logs, "here")
    ended = awsflow(*command(aws, "--log-group", "/not/there"), home=tmp_path)
    assert (ended.returncode, ended.stdout) == (16, b'"here"\n')
    assert b"/not/there" in ended.stderr


def test_what_does_not_fit_is_named(aws: Aws, tmp_path: Path) -> None:
    for arguments, code in {
        ("guardduty",): 12,
        ("cloudwatchlogs",): 2,
        ("inspector", "--log-group", "x"): 2,
        ("inspector", "--region", "eu-west"): 2,
        ("inspector", "--region", "eu-west-9"): 22,
        ("inspector", "--follow", "--no-state"): 2,
    }.items():
        ended = awsflow("service", *arguments, "--endpoint-url", aws.url, home=tmp_path)
        assert (ended.returncode, ended.stdout) == (code, b""), arguments
        assert ended.stderr.startswith(b"ERROR: ")


def test_one_that_follows_stays_sends_what_comes_and_ends_soon_when_asked_to(
    aws: Aws, logs: Any, tmp_path: Path
) -> None:
    say(logs, "first")
    with Wazuh(tmp_path / "wazuh") as wazuh:
        flags = command(aws, "--follow", "--interval", "1", "--to", f"wazuh:{wazuh.path}")
        env = {**CREDENTIALS, "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        with subprocess.Popen([sys.executable, "-m", "awsflow", *flags], env=env, stderr=subprocess.PIPE) as process:
            wazuh.wait_for(1)
            say(logs, "second")
            wazuh.wait_for(2)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=20)
        assert (process.returncode, told) == (143, b"")
        assert wazuh.take() == [b"first", b"second"]
