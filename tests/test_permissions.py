"""What each source must be allowed: its policy is enough for a run, with conditions, and nothing in it is to spare."""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli.collecting import source_of
from awsflow.errors import NoObjects
from awsflow.flow import Flow
from awsflow.logtypes import LOG_TYPES
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions
from awsflow.permissions import Statement, Where, as_policy, keys_read, needed, to_assume
from awsflow.samples import SAMPLES
from awsflow.sinks import NdjsonFile
from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.iam import Iam
from tests.messages import by_s3

HERE = Where("aws", "123456789012", ("us-east-1",))
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
PREFIXES = {"server_access": "access-logs/", "cisco_umbrella": "dnslogs/"}
KEY = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/23/123456789012_CloudTrail_us-east-1_20261123T0000Z_{}.json.gz"
AFTER = date(2026, 11, 1)


@cache
def client(aws: Aws, service: str) -> Any:
    """The clients are the same for all tests: to make one takes longer than many a test."""
    return aws.client(service)


@contextmanager
def under(aws: Aws, *statements: Statement) -> Iterator[tuple[Iam, str]]:
    """AWS, of which nothing but this is allowed."""
    iam = Iam(*as_policy(statements)["Statement"])
    with FaultServer(aws.url, choose=iam.refused) as proxy:
        yield iam, proxy.url


def collected(options: Any, url: str, out: Path) -> int:
    """How many events a run delivers."""
    told: list[str] = []
    with closing(
        source_of(options, AwsAccess(service_endpoint=url), note=told.append, warn=told.append, stop=lambda: False)
    ) as source:
        return Flow(source).to(NdjsonFile(out)).run().sent


def put_trail(aws: Aws, *names: str) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="trail")
    for name in names:
        s3.put_object(Bucket="trail", Key=KEY.format(name), Body=gzip.compress(b'{"Records": [{"eventID": "1"}]}'))


@pytest.mark.parametrize("log_type", LOG_TYPES)
def test_the_policy_of_a_bucket_is_enough_to_read_its_logs_whatever_their_type(
    aws: Aws, tmp_path: Path, log_type: str
) -> None:
    sample = SAMPLES[log_type]
    key = sample.key("123456789012", "us-east-1", START, 1)
    prefix = PREFIXES.get(log_type, "")
    key = key if key.startswith(prefix) else prefix + key
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket="logs")
    body = sample.document(sample.events(1, 5, START, "123456789012", "us-east-1"))
    s3.put_object(Bucket="logs", Key=key, Body=body)
    options = BucketOptions("logs", log_type, prefix=prefix, only_after=AFTER, state=tmp_path / "state.db")
    with under(aws, *needed(options, HERE)) as (iam, url):
        assert collected(options, url, tmp_path / "out") > 0
    assert iam.used == {"s3:ListBucket", "s3:GetObject"}


@pytest.mark.parametrize("more", [{}, {"accounts": ("123456789012",)}, {"log_type": "auto"}, {"remove": True}])
def test_each_action_of_a_buckets_policy_is_used(aws: Aws, tmp_path: Path, more: dict[str, Any]) -> None:
    put_trail(aws, "a", "b")
    options = BucketOptions("trail", only_after=AFTER, state=tmp_path / "state.db", **more)
    statements = needed(options, HERE)
    with under(aws, *statements) as (iam, url):
        assert collected(options, url, tmp_path / "out") == 2
    assert iam.used == {action for statement in statements for action in statement.actions}


def test_what_lies_beside_the_logs_may_not_be_read() -> None:
    listed, read = keys_read(BucketOptions("trail", prefix="eu/", organization="o-abc", accounts=("123456789012",)))
    assert listed == read == ["eu/AWSLogs/o-abc/123456789012/CloudTrail/*"]
    assert keys_read(BucketOptions("trail"))[0] == ["AWSLogs/", "AWSLogs/*/CloudTrail/*"]
    assert keys_read(BucketOptions("logs", "cisco_umbrella", prefix="dnslogs/"))[1] == ["dnslogs/2*"]


def test_many_accounts_do_not_make_a_policy_longer_than_iam_takes() -> None:
    accounts = tuple(f"{number:012}" for number in range(500))
    assert len(json.dumps(as_policy(needed(BucketOptions("trail", accounts=accounts), HERE)))) < 1000


def test_an_empty_bucket_is_told_under_its_policy_too(aws: Aws, tmp_path: Path) -> None:
    put_trail(aws)
    options = BucketOptions("trail", only_after=AFTER)
    with under(aws, *needed(options, HERE)) as (_, url), pytest.raises(NoObjects):
        collected(options, url, tmp_path / "out")


@pytest.mark.parametrize("by_url", [False, True])
def test_the_policy_of_a_queue_is_enough_and_each_action_is_used(aws: Aws, tmp_path: Path, *, by_url: bool) -> None:
    put_trail(aws, "a")
    sqs = client(aws, "sqs")
    url = sqs.create_queue(QueueName="notices", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=by_s3("trail", KEY.format("a")))
    options = QueueOptions(url if by_url else "notices", "cloudtrail", wait=1)
    statements = needed(options, HERE, ["trail/AWSLogs/"])
    with under(aws, *statements) as (iam, proxy):
        assert collected(options, proxy, tmp_path / "out") == 1
    actions = {action for statement in statements for action in statement.actions}
    assert actions - iam.used <= {"sqs:ChangeMessageVisibility"}  # for what takes longer
    assert iam.used <= actions


@pytest.mark.parametrize("group", ["/aws/x", "/aws/*"])
def test_the_policy_of_log_groups_is_enough_and_each_action_is_used(aws: Aws, tmp_path: Path, group: str) -> None:
    logs = client(aws, "logs")
    logs.create_log_group(logGroupName="/aws/x")
    logs.create_log_stream(logGroupName="/aws/x", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "hello"}
    logs.put_log_events(logGroupName="/aws/x", logStreamName="s", logEvents=[event])
    options = ServiceOptions("cloudwatchlogs", (group,), regions=("us-east-1",), only_after=AFTER, remove=True)
    statements = needed(options, HERE)
    with under(aws, *statements) as (iam, url):
        assert collected(options, url, tmp_path / "out") == 1
    actions = {action for statement in statements for action in statement.actions}
    assert iam.used <= actions
    assert {"logs:DescribeLogStreams", "logs:GetLogEvents"} <= iam.used
    assert ("logs:DescribeLogGroups" in iam.used) == group.endswith("*") == ("logs:DescribeLogGroups" in actions)


def test_the_same_is_said_once_and_each_statement_has_a_name_of_its_own() -> None:
    one, other = BucketOptions("one"), BucketOptions("other")
    statements = [*needed(one, HERE), *needed(one, HERE), *needed(other, HERE)]
    policy = as_policy(statements)["Statement"]
    names = [each["Sid"] for each in policy]
    assert len(names) == len(set(names)) == 6
    assert all(name.isalnum() for name in names)


def test_other_partitions_have_arns_of_their_own() -> None:
    china = Where("aws-cn", "123456789012", ("cn-north-1",))
    every = [
        *needed(BucketOptions("trail", remove=True), china),
        *needed(QueueOptions("notices"), china, ["trail"]),
        *needed(ServiceOptions("cloudwatchlogs", ("/aws/*",)), china),
    ]
    assert all(arn.startswith("arn:aws-cn:") for statement in every for arn in statement.resources)


def test_whoever_assumes_a_role_needs_nothing_but_that() -> None:
    arn = "arn:aws:iam::123456789012:role/logs"
    assert [each.as_json() for each in to_assume(AwsAccess(role_arn=arn))] == [
        {"Sid": "Role", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn}
    ]
    assert to_assume(AwsAccess()) == []
