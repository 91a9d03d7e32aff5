"""`awsflow check`: what works of each source, what does not, and what to do; nothing is changed by looking."""

import gzip
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli.check import main
from awsflow.cli.checkup import Result, check_up
from awsflow.cli.checkup.here import of_file, of_state, of_wazuh
from awsflow.cli.checkup.queue import buckets_in
from awsflow.errors import AwsflowError
from awsflow.items import Record
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions
from awsflow.permissions import Where, as_policy, needed
from awsflow.sources import S3Bucket
from awsflow.state.checkpoints import Checkpoints
from tests.answers import Answer, Answering, Request
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.iam import Iam
from tests.queues import until
from tests.wazuh import Wazuh

HERE = Where("aws", "123456789012", ("us-east-1",))
BODY = gzip.compress(json.dumps({"Records": [{"eventVersion": "1.08", "eventID": "1", "eventName": "x"}]}).encode())
KEY = "AWSLogs/123456789012/CloudTrail/{0}/2026/11/{1}/123456789012_CloudTrail_{0}_202611{1}T0000Z_a.json.gz"


@cache
def client(aws: Aws, service: str) -> Any:
    """The clients are the same for all tests: to make one takes longer than many a test."""
    return aws.client(service)


def put(aws: Aws, bucket: str, *keys: str, body: bytes = BODY) -> None:
    s3 = client(aws, "s3")
    s3.create_bucket(Bucket=bucket)
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def results(options: Any, url: str, **more: Any) -> dict[str, Result]:
    """What is found, by what was looked at."""
    access = more.pop("access", None) or AwsAccess(service_endpoint=url)
    return {each.what: each for each in check_up(options, access, **more)}


def outcomes(found: dict[str, Result]) -> dict[str, str]:
    return {what: result.outcome for what, result in found.items()}


def test_all_that_works_of_a_bucket_is_told(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"), KEY.format("us-east-1", "23"))
    found = results(BucketOptions("trail"), aws.url)
    assert {*outcomes(found).values()} == {"ok"}
    assert [*found] == [
        *("credentials", "bucket", "s3:ListBucket", "layout", "newest log", "s3:GetObject", "content", "clock")
    ]
    assert found["credentials"].told.startswith("arn:aws:sts::123456789012:")
    assert "us-east-1" in found["bucket"].told
    assert found["layout"].told.endswith(": 2")
    assert "s ago" in found["newest log"].told


def test_whoever_adds_each_statement_that_is_printed_ends_with_what_a_policy_holds_and_no_more(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))
    options = BucketOptions("trail", remove=True)
    iam = Iam()
    with FaultServer(aws.url, choose=iam.refused) as proxy:
        for denied in ("s3:ListBucket", "s3:GetObject", ""):
            found = results(options, proxy.url)
            failures = [each for each in found.values() if each.outcome == "failed"]
            assert [each.what for each in failures] == ([denied] if denied else [])
            iam.statements += [each.allow for each in failures if each.allow]
            assert all(each.exit_code == 7 and "access is denied" in each.told for each in failures)
    needs = as_policy(needed(options, HERE))["Statement"]
    assert all(each in needs for each in iam.statements)
    assert len(iam.statements) == 2
    deletion = found["s3:DeleteObject"]
    assert deletion.outcome == "untried"
    assert deletion.allow in needs
    assert client(aws, "s3").list_objects_v2(Bucket="trail")["KeyCount"] == 1


def test_under_the_policy_of_a_source_all_of_its_check_works(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))
    client(aws, "sqs").create_queue(QueueName="notices", Attributes={"RedrivePolicy": "{}"})
    client(aws, "logs").create_log_group(logGroupName="/aws/x")
    client(aws, "logs").create_log_stream(logGroupName="/aws/x", logStreamName="s")
    for options in (
        BucketOptions("trail", accounts=("123456789012",)),
        QueueOptions("notices"),
        ServiceOptions("cloudwatchlogs", ("/aws/*",), regions=("us-east-1",), remove=True),
        ServiceOptions("inspector", regions=("us-east-1",)),
    ):
        iam = Iam(*as_policy(needed(options, HERE))["Statement"])
        with FaultServer(aws.url, choose=iam.refused) as proxy:
            found = results(options, proxy.url)
        assert "failed" not in outcomes(found).values(), found


@pytest.mark.parametrize(
    ("options", "failing", "code"),
    [
        (QueueOptions("notices"), {"sqs:GetQueueUrl"}, 21),
        (
            QueueOptions("http://sqs.us-east-1.amazonaws.com/123456789012/notices"),
            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"},
            21,
        ),
        (ServiceOptions("cloudwatchlogs", ("/aws/x",), regions=("us-east-1",)), {"logs:DescribeLogStreams"}, 7),
        (ServiceOptions("cloudwatchlogs", ("/aws/*",), regions=("us-east-1",)), {"logs:DescribeLogGroups"}, 7),
        (ServiceOptions("inspector", regions=("us-east-1",)), {"inspector2:ListFindings"}, 7),
    ],
)
def test_whoever_may_do_nothing_is_told_what_is_missing(aws: Aws, options: Any, failing: set[str], code: int) -> None:
    client(aws, "sqs").create_queue(QueueName="notices")
    client(aws, "logs").create_log_group(logGroupName="/aws/x")
    with FaultServer(aws.url, choose=Iam().refused) as proxy:
        found = results(options, proxy.url)
    failures = {what: each for what, each in found.items() if each.outcome == "failed"}
    assert failures.keys() == failing
    for action, failure in failures.items():
        assert failure.exit_code == code
        assert failure.allow is not None
        assert failure.allow["Action"] == action


def test_no_message_of_a_queue_is_touched(aws: Aws) -> None:
    sqs = client(aws, "sqs")
    url = sqs.create_queue(QueueName="notices")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    found = results(QueueOptions("notices"), aws.url)
    assert "1 messages wait, 0 are being worked on" in found["limits"].told
    assert found["redrive policy"].outcome == "look"
    assert found["sqs:ReceiveMessage"].outcome == "untried"
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_the_buckets_that_may_send_to_a_queue_are_read_from_its_policy() -> None:
    source = {"ArnLike": {"aws:SourceArn": ["arn:aws:s3:::one", "arn:aws:s3:::two"]}}
    assert buckets_in(json.dumps({"Statement": [{"Condition": source}, {"Effect": "Allow"}]})) == ["one", "two"]
    for odd in ("", "no JSON", "[]", '{"Statement": 7}', '{"Statement": [{"Condition": {"A": 1}}]}'):
        assert buckets_in(odd) == []


@pytest.mark.parametrize(
    ("keys", "more", "ends", "told"),
    [
        ([], {}, ("failed", 14), "nothing is there"),
        (
            [f"eu/{KEY.format('eu-west-1', '20').replace('AWSLogs/', 'AWSLogs/o-abc1234567/')}"],
            {},
            ("failed", 18),
            "what is there: cloudtrail with prefix eu/, organization o-abc1234567",
        ),
        ([KEY.format("eu-west-1", "20")], {"log_type": "guardduty"}, ("look", 0), "what is there: cloudtrail"),
        (
            [KEY.format("eu-west-1", "20")],
            {"prefix": "us/"},
            ("failed", 14),
            "cloudtrail with no prefix",
        ),
        (["holiday/photo.jpg"], {}, ("failed", 18), "other objects, such as holiday/photo.jpg"),
    ],
)
def test_where_no_logs_are_found_those_that_are_there_are_told_and_how_to_read_them(
    aws: Aws, keys: list[str], more: dict[str, Any], ends: tuple[str, int], told: str
) -> None:
    put(aws, "trail", *keys)
    options = BucketOptions("trail", **more)
    layout = results(options, aws.url)["layout"]
    assert (layout.outcome, layout.exit_code) == ends
    assert told in layout.told
    assert exit_code_of_a_run(options, aws.url) == ends[1]


def exit_code_of_a_run(options: BucketOptions, url: str) -> int:
    source = S3Bucket.of(options, access=AwsAccess(service_endpoint=url))
    try:
        assert not any(isinstance(item, Record) for item in source.items())
    except AwsflowError as error:
        return error.exit_code
    finally:
        source.close()
    return 0


def test_of_many_objects_the_newest_that_was_looked_at_is_told_as_that(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))

    def truncated(request: Request) -> Answer | None:
        if request.method != "GET" or "CloudTrail/eu-west-1" not in request.parameters.get("prefix", ""):
            return None
        number = request.parameters.get("continuation-token", "")
        key = KEY.format("eu-west-1", "20")
        body = (
            f"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{number}x</NextContinuationToken>"
            f"<KeyCount>1</KeyCount><Contents><Key>{key}</Key><LastModified>2026-11-20T00:00:00.000Z</LastModified>"
            f"<ETag>x</ETag><Size>{len(BODY)}</Size></Contents></ListBucketResult>"
        )
        return Answer(200, body.encode(), {"Content-Type": "application/xml"})

    with FaultServer(aws.url, choose=truncated) as proxy:
        newest = results(BucketOptions("trail"), proxy.url)["newest log"]
    assert newest.told.startswith("at most ")


def test_logs_of_another_type_in_the_place_are_told(aws: Aws) -> None:
    put(aws, "trail", "2026/11/20/00/x.gz", body=BODY)
    content = results(BucketOptions("trail", "waf"), aws.url)["content"]
    assert content.outcome == "look"
    assert "looks like cloudtrail, not like waf" in content.told


@pytest.mark.parametrize(
    ("options", "what", "code"),
    [
        (BucketOptions("there-is-none"), "bucket", 7),
        (QueueOptions("there-is-none"), "queue", 20),
        (ServiceOptions("cloudwatchlogs", ("there-is-none",), regions=("us-east-1",)), "log group", 16),
    ],
)
def test_what_is_not_there_ends_with_the_code_that_a_run_ends_with(
    aws: Aws, options: Any, what: str, code: int
) -> None:
    failure = results(options, aws.url)[what]
    assert (failure.outcome, failure.exit_code) == ("failed", code)


def test_a_log_group_is_not_taken_for_another_whose_name_begins_so(aws: Aws) -> None:
    client(aws, "logs").create_log_group(logGroupName="app-2")
    options = ServiceOptions("cloudwatchlogs", ("app", "app-2", "a*", "b*"), regions=("us-east-1", "eu-west-1"))
    found = [each for each in check_up(options, AwsAccess(service_endpoint=aws.url)) if each.outcome == "failed"]
    assert [(each.what, each.told.split(":")[0]) for each in found] == [
        ("log group", "looking for the log group app"),
        ("log group", "looking for the log group b*"),
    ]


def test_a_type_that_is_not_there_ends_with_its_own_code(aws: Aws) -> None:
    put(aws, "trail")
    assert results(BucketOptions("trail", "cloud-trail"), aws.url)["type"].exit_code == 12


def test_a_role_that_is_not_ours_to_assume_is_told_with_the_statement(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))
    role = "arn:aws:iam::123456789012:role/logs"
    iam = Iam()
    with FaultServer(aws.url, choose=iam.refused) as proxy:
        access = AwsAccess(role_arn=role, sts_endpoint=proxy.url, service_endpoint=proxy.url)
        found = results(BucketOptions("trail"), proxy.url, access=access)
        assert [*outcomes(found).values()] == ["ok", "failed", "ok"]
        assert found["role"].exit_code == 3
        assert found["role"].allow is not None
        iam.statements += [found["role"].allow, *as_policy(needed(BucketOptions("trail"), HERE))["Statement"]]
        found = results(BucketOptions("trail"), proxy.url, access=access)
    assert {*outcomes(found).values()} == {"ok"}
    assert ":assumed-role/logs/" in found["role"].told


def test_a_store_that_has_no_sts_is_no_failure_and_aws_is_shown_none_of_its_keys(aws: Aws) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))

    def without_sts(asked: Request) -> Answer | None:
        return Answer(403, b"<Error><Code>InvalidAccessKeyId</Code></Error>") if asked.action == "POST /" else None

    with FaultServer(aws.url, choose=without_sts) as proxy:
        found = results(BucketOptions("trail"), proxy.url)
    assert found["credentials"].outcome == "untried"
    assert "does not tell who we are" in found["credentials"].told
    assert found["s3:GetObject"].outcome == "ok"


def test_a_clock_that_is_wrong_is_told_by_any_answer(aws: Aws) -> None:
    put(aws, "trail")
    wrong = results(BucketOptions("there-is-none"), aws.url, clock=lambda: time.time() - 3600)["clock"]
    assert (wrong.outcome, wrong.exit_code) == ("failed", 19)
    assert "behind" in wrong.told
    near = results(BucketOptions("trail"), aws.url, clock=lambda: time.time() + 100)["clock"]
    assert (near.outcome, near.exit_code) == ("look", 0)
    assert "ahead of" in near.told


def test_an_endpoint_that_does_not_answer_is_told_once_and_soon() -> None:
    found = results(
        BucketOptions("trail"),
        "http://127.0.0.1:9",
        access=AwsAccess(access_key="a" * 16, secret_key="b" * 16, service_endpoint="http://127.0.0.1:9"),
    )
    assert [(each.what, each.exit_code) for each in found.values() if each.outcome == "failed"] == [("endpoint", 15)]


def test_whoever_loses_patience_with_an_endpoint_that_never_answers_need_not_wait_for_it(tmp_path: Path) -> None:
    with Answering(lambda request: None) as silent:
        command = [sys.executable, "-m", "awsflow", "check", "bucket", "trail", "--endpoint-url", silent.url]
        env = {**CREDENTIALS, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            until(lambda: silent.requests)
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == (b"", b"")
            assert process.returncode == 2
            assert time.monotonic() - asked < 6  # an answer is waited for 8 seconds, and then again


def test_wazuhs_queue_is_found_without_an_event_and_its_limits_told(tmp_path: Path) -> None:
    with Wazuh(tmp_path) as wazuh:
        assert [each.outcome for each in of_wazuh(wazuh.path)] in (["ok", "ok"], ["ok", "look"])
        assert wazuh.take() == []
    (gone,) = of_wazuh(wazuh.path)
    assert (gone.outcome, gone.exit_code) == ("failed", 11)
    (tmp_path / "file").touch()
    (no_socket,) = of_wazuh(tmp_path / "file")
    assert (no_socket.outcome, no_socket.exit_code) == ("failed", 13)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(tmp_path / "stream"))
        (stream,) = of_wazuh(tmp_path / "stream")
    assert (stream.outcome, stream.exit_code) == ("failed", 13)


def test_a_state_is_looked_at_and_left_as_it_is(tmp_path: Path) -> None:
    state = tmp_path / "new" / "folder" / "awsflow.db"
    assert "will be made" in next(of_state(state)).told
    assert [*tmp_path.iterdir()] == []
    Checkpoints(state).close()
    before = {path.name: path.read_bytes() for path in state.parent.iterdir()}
    assert next(of_state(state)) == Result("state", "ok", str(state))
    assert {path.name: path.read_bytes() for path in state.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("content", "outcome", "told"),
    [
        (b"", "ok", "empty"),
        (b"no database, but a text that is long enough", "look", "sets it aside"),
        (b"SQLite format 3\0" + bytes(84), "failed", "another program's"),
        (b"SQLite format 3\0" + bytes(44) + b"\0\0\3\0" + bytes(4) + b"awsf" + bytes(28), "failed", "newer awsflow"),
    ],
)
def test_a_state_that_is_none_of_ours_is_told(tmp_path: Path, content: bytes, outcome: str, told: str) -> None:
    state = tmp_path / "awsflow.db"
    state.write_bytes(content)
    result = next(of_state(state))
    assert result.outcome == outcome
    assert told in result.told


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for state, code in ((tmp_path / "file" / "awsflow.db", 6), (tmp_path, 5), (tmp_path / "link", 5)):
        result = next(of_state(state))
        assert (result.outcome, result.exit_code) == ("failed", code), state
    assert next(of_file(tmp_path)).exit_code == 13
    assert next(of_file(tmp_path / "no" / "folder.ndjson")).exit_code == 13
    assert next(of_file(tmp_path / "out.ndjson")).outcome == "ok"
    assert not (tmp_path / "out.ndjson").exists()


def test_the_command_tells_each_source_of_a_configuration_and_ends_with_the_first_failure(
    aws: Aws, tmp_path: Path
) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))
    file = tmp_path / "awsflow.toml"
    file.write_text(
        f'wazuh-home = "{tmp_path}"\n[defaults]\nendpoint-url = "{aws.url}"\n'
        '[[bucket]]\nname = "trail"\n[[subscriber]]\nname = "buckets"\nqueue = "there-is-none"\n'
    )
    ended = awsflow("check", "--config", file, home=tmp_path)
    lines = ended.stdout.decode().splitlines()
    assert (ended.returncode, ended.stderr) == (20, b"")
    assert [line for line in lines if not line.startswith(" ")] == [
        *("cloudtrail s3://trail/", "buckets sqs://there-is-none", "this machine", "2 failures")
    ]
    assert any(line.startswith("  FAILED  Wazuh's queue") for line in lines)
    told = json.loads(awsflow("check", "--json", "--config", file, home=tmp_path).stdout)
    assert [each["source"] for each in told["sources"]] == ["cloudtrail s3://trail/", "buckets sqs://there-is-none"]
    assert told["exit_code"] == 20
    assert {"what", "outcome", "told", "allow", "exit_code"} == told["machine"][0].keys()
    assert not (tmp_path / "wodles").exists()


def test_one_source_in_flags_is_looked_at(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(aws, "trail", KEY.format("eu-west-1", "20"))
    state = str(tmp_path / "state.db")
    for own in (["--json"], []):
        assert main([*own, "bucket", "trail", "--state", state, "--endpoint-url", aws.url]) == 0
    assert main(["bucket", "trail", "--json", "--no-state", "--endpoint-url", aws.url]) == 0
    told, table, again = capsys.readouterr().out.partition("cloudtrail s3://trail/\n  ok")
    assert json.loads(told)["sources"][0]["source"] == "cloudtrail s3://trail/"
    assert table
    assert json.loads(again[again.index("\n{") :])["machine"] == []
    assert not os.path.lexists(state)


def test_no_secret_is_told(aws: Aws, tmp_path: Path) -> None:
    secrets = ("AKIAPLANTED000000000", "planted-secret-key", "planted-external-id")
    file = tmp_path / "awsflow.toml"
    file.write_text(
        f'to = "stdout"\n[[bucket]]\nname = "trail"\naccess-key = "{secrets[0]}"\nsecret-key = "{secrets[1]}"\n'
        f'role-arn = "arn:aws:iam::123456789012:role/logs"\nexternal-id = "{secrets[2]}"\n'
        f'endpoint-url = "{aws.url}"\nsts-endpoint-url = "{aws.url}"\n'
    )
    file.chmod(stat.S_IRUSR)
    for more in ([], ["--json"]):
        ended = awsflow("check", "--config", file, *more, home=tmp_path)
        assert ended.returncode == 7
        assert not any(secret.encode() in ended.stdout + ended.stderr for secret in secrets)
