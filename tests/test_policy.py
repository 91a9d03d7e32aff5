"""`awsflow policy`: the policies of a configuration, one for each identity, or of one source."""

import json
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli.policy import OWN, main

ROLE = "arn:aws-us-gov:iam::123456789012:role/logs"


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of AWS's but what a test makes."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, str]:
    """The policy that is printed, and what is said beside."""
    assert main(arguments) == 0
    told = capsys.readouterr()
    return json.loads(told.out), told.err


def test_one_source_has_one_policy(capsys: pytest.CaptureFixture[str]) -> None:
    policy, told = printed(capsys, "bucket", "trail", "--accounts", "123456789012", "--remove")
    assert policy["Version"] == "2012-10-17"
    assert [each["Action"] for each in policy["Statement"]] == [
        *("s3:ListBucket", "s3:ListBucket", "s3:GetObject", "s3:DeleteObject")
    ]
    assert policy["Statement"][2]["Resource"] == "arn:aws:s3:::trail/AWSLogs/123456789012/CloudTrail/*"
    assert "kms:Decrypt" in told


def test_each_identity_of_a_configuration_has_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile logs]\nregion = us-gov-west-1\n")
    file = tmp_path / "awsflow.toml"
    file.write_text(
        '[[bucket]]\nname = "trail"\n'
        f'[[service]]\nname = "cloudwatchlogs"\nlog-groups = ["/aws/x"]\nprofile = "logs"\nrole-arn = "{ROLE}"\n'
    )
    policies, _ = printed(capsys, "--config", str(file))
    assert policies.keys() == {OWN, "logs", ROLE}
    assert policies["logs"]["Statement"] == [
        {"Sid": "Role", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    ]
    (logs,) = policies[ROLE]["Statement"]
    assert logs["Resource"] == "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/aws/x:*"
    alone, _ = printed(capsys, "--config", str(file), "--of", ROLE)
    assert alone == policies[ROLE]
    assert main(["--config", str(file), "--of", "nobody"]) == 2
    assert f"there are: {OWN}, {ROLE}, logs" in capsys.readouterr().err


def test_the_partition_is_that_of_the_region_where_nothing_else_tells_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
    policy, _ = printed(capsys, "bucket", "trail")
    assert policy["Statement"][0]["Resource"] == "arn:aws-cn:s3:::trail"


def test_where_the_objects_of_a_queue_lie_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/notices"
    policy, told = printed(capsys, "subscriber", "buckets", "--queue", queue)
    assert policy["Statement"][0]["Resource"] == "arn:aws:sqs:eu-west-1:123456789012:notices"
    assert "WARNING: BUCKET stands for" in told
    given = ("subscriber", "buckets", "--queue", queue, "--objects-in", "trail/AWSLogs/", "--objects-in", "other")
    policy, told = printed(capsys, *given)
    assert policy["Statement"][1]["Resource"] == ["arn:aws:s3:::trail/AWSLogs/*", "arn:aws:s3:::other/*"]
    assert "WARNING" not in told
