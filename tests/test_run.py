"""`awsflow run`: all that a configuration names, at once, once or for ever; as the wodle would deliver it."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest

from awsflow.samples import SAMPLES
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.messages import by_s3
from tests.queues import until
from tests.wazuh import Wazuh

OF_WAZUH = (
    "cloudtrail",
    "guardduty",
    "vpcflow",
    "config",
    "cisco_umbrella",
    "waf",
    "alb",
    "clb",
    "nlb",
    "server_access",
)
PREFIXES = {"server_access": "access-logs", "cisco_umbrella": "dnslogs"}
ROLE = "arn:aws:iam::123456789012:role/ASL-Role"


@cache
def client(aws: Aws, service: str) -> Any:
    """The clients are the same for all tests: to make one takes longer than many a test."""
    return aws.client(service)


def put_trail(aws: Aws, bucket: str, *names: str, events: int = 3) -> None:
    """Put objects of CloudTrail's, each with events that are named after it."""
    for name in names:
        records = [{"eventID": f"{bucket} {name} {number}", "x": "x" * 200} for number in range(events)]
        key = f"AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/{name}.json.gz"
        body = gzip.compress(json.dumps({"Records": records}).encode(), 1)
        client(aws, "s3").put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def trails(aws: Aws) -> Aws:
    """Two buckets with three events each."""
    for bucket in ("trail-a", "trail-b"):
        client(aws, "s3").create_bucket(Bucket=bucket)
        put_trail(aws, bucket, "1")
    return aws


def ids(wazuh: Wazuh) -> list[str]:
    return sorted(json.loads(body)["aws"]["eventID"] for body in wazuh.take())


def written(path: Path, aws: Aws, *tables: str, top: str = "", interval: str = "1h") -> Path:
    """A configuration with these tables."""
    defaults = f'[defaults]\nendpoint-url = "{aws.url}"\nafter = 2026-11-01\ninterval = "{interval}"\n'
    path.write_text("\n".join([top, defaults, *tables]))
    return path


def bucket(name: str, *more: str) -> str:
    return "\n".join([f'[[bucket]]\nname = "{name}"', *more])


@contextmanager
def running(file: Path, wazuh: Wazuh, *flags: str) -> Iterator["subprocess.Popen[bytes]"]:
    """The command, running for ever. Whatever becomes of the test, it ends."""
    env = {**CREDENTIALS, "HOME": str(wazuh.home), "PATH": "/usr/bin:/bin", "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awsflow", "run", "--config", str(file), "--wazuh-home", str(wazuh.home), *flags]
    told = open(wazuh.home / "told", "wb")  # noqa: SIM115 - closed below
    with told, subprocess.Popen(command, env=env, stdout=told, stderr=told) as process:
        try:
            yield process
        finally:
            process.kill()


def told(wazuh: Wazuh) -> str:
    return (wazuh.home / "told").read_text()


def ended(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> int:
    """Ask it to end; the exit code, if that came in time."""
    asked = time.monotonic()
    process.send_signal(number)
    code = process.wait(30)
    assert time.monotonic() - asked < 10
    return code


def once(file: Path, wazuh: Wazuh, *flags: str | Path) -> "subprocess.CompletedProcess[bytes]":
    return awsflow("run", "--config", file, "--once", "--wazuh-home", wazuh.home, *flags, home=wazuh.home)


@pytest.fixture
def wazuh(tmp_path: Path) -> Iterator[Wazuh]:
    with Wazuh(tmp_path / "wazuh") as listening:
        yield listening


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


class Everything:
    """What the sources of Wazuh's documentation lead to: buckets, log groups, findings and queues, none empty."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        s3 = client(aws, "s3")
        start = datetime(2026, 11, 23, 12, tzinfo=UTC)
        for log_type in (*OF_WAZUH, "custom"):
            sample = SAMPLES[log_type]
            name = f"{log_type.replace('_', '-')}-bucket"
            s3.create_bucket(Bucket=name)
            events = sample.events(1, 20, start, "123456789012", "us-east-1")
            key = sample.key("123456789012", "us-east-1", start, 1)
            s3.put_object(Bucket=name, Key=key, Body=sample.document(events))
        logs = client(aws, "logs")
        for group in ("log_group1", "log_group2"):
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName="one")
            events_ = [
                {"timestamp": int(time.time() * 1000), "message": f"{group} {at}"} for at in ("Log Hostname1: x", "y")
            ]
            logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events_)
        finding = {
            "findingArn": "arn:aws:inspector2:us-east-1:123456789012:finding/0123",
            "updatedAt": "2026-11-20T01:02:03Z",
        }
        answer = json.dumps({"results": [[finding]] * 2, "account_id": "123456789012", "region": "us-east-1"}).encode()
        url = f"{aws.url}/moto-api/static/inspector2/findings-results"
        with urlopen(Request(url, answer, {"Content-Type": "application/json"}), timeout=10):  # noqa: S310 - our own server
            pass
        s3.create_bucket(Bucket="objects")
        s3.put_object(Bucket="objects", Key="a.json", Body=b'{"n": 1}')
        s3.put_object(Bucket="objects", Key="a.parquet", Body=parquet([{"n": 1}]))
        hub = {"detail-type": "Security Hub Findings - Imported", "detail": {"findings": [{"Id": "1"}]}}
        s3.put_object(Bucket="objects", Key="hub.json", Body=json.dumps(hub))
        self._queues = {
            name: client(aws, "sqs").create_queue(QueueName=name)["QueueUrl"]
            for name in ("sqs-buckets", "sqs-lake", "sqs-hub")
        }

    def notify(self) -> None:
        """Tell the queues of their objects, once more."""
        for (name, url), key in zip(self._queues.items(), ("a.json", "a.parquet", "hub.json"), strict=True):
            assert name.startswith("sqs-")
            client(self._aws, "sqs").send_message(QueueUrl=url, MessageBody=by_s3("objects", key))

    def conf(self) -> str:
        """The blocks of Wazuh's documentation; only the endpoints are ours."""
        ends = f"<service_endpoint>{self._aws.url}</service_endpoint><sts_endpoint>{self._aws.url}</sts_endpoint>"
        after = "<only_logs_after>2018-JUN-01</only_logs_after>"
        sources = []
        for name in (*OF_WAZUH, "custom"):
            path = f"<path>{PREFIXES[name]}</path>" if name in PREFIXES else ""
            sources.append(
                f'<bucket type="{name}"><name>{name.replace("_", "-")}-bucket</name>{path}{after}'
                f"<aws_account_alias>prod & more</aws_account_alias>{ends}</bucket>"
            )
        sources[0] = sources[0].replace(after, f'{after}<discard_regex field="eventName">Describe|Get</discard_regex>')
        sources += [
            '<service type="cloudwatchlogs"><aws_log_groups>log_group1,log_group2</aws_log_groups>'
            f"<regions>us-east-1</regions><discard_regex>.*Log Hostname1:.*</discard_regex>{after}{ends}</service>",
            f'<service type="inspector"><regions>us-east-1</regions>{after}{ends}</service>',
            f'<subscriber type="buckets"><sqs_name>sqs-buckets</sqs_name>{ends}</subscriber>',
            '<subscriber type="security_lake"><sqs_name>sqs-lake</sqs_name><external_id>wazuh-external-id-value'
            f"</external_id><iam_role_arn>{ROLE}</iam_role_arn>{ends}</subscriber>",
            f'<subscriber type="security_hub"><sqs_name>sqs-hub</sqs_name>{ends}</subscriber>',
        ]
        inside = "\n".join(sources)
        return f'<ossec_config>\n<wodle name="aws-s3">\n<disabled>no</disabled>\n{inside}\n</wodle>\n</ossec_config>\n'

    def flags(self) -> Iterator[list[str]]:
        """What the scheduler would call, one after the other."""
        common = ["--service_endpoint", self._aws.url, "--sts_endpoint", self._aws.url, "--skip_on_error"]
        after = ["--only_logs_after", "2018-JUN-01"]
        for name in (*OF_WAZUH, "custom"):
            own = ["--bucket", f"{name.replace('_', '-')}-bucket", "--type", name, "--aws_account_alias", "prod & more"]
            own += ["--trail_prefix", PREFIXES[name]] if name in PREFIXES else []
            if name == OF_WAZUH[0]:
                own += ["--discard-field", "eventName", "--discard-regex", "Describe|Get"]
            yield [*common, *after, *own]
        groups = ["--aws_log_groups", "log_group1,log_group2", "--discard-regex", ".*Log Hostname1:.*"]
        yield [*common, *after, "--service", "cloudwatchlogs", "--regions", "us-east-1", *groups]
        yield [*common, *after, "--service", "inspector", "--regions", "us-east-1"]
        yield [*common, "--subscriber", "buckets", "--queue", "sqs-buckets", "--wait", "0"]
        role = ["--iam_role_arn", ROLE, "--external_id", "wazuh-external-id-value"]
        yield [*common, "--subscriber", "security_lake", "--queue", "sqs-lake", "--wait", "0", *role]
        yield [*common, "--subscriber", "security_hub", "--queue", "sqs-hub", "--wait", "0"]


def test_the_sources_of_wazuhs_documentation_deliver_what_the_wodle_delivers_and_then_neither_repeats(
    aws: Aws, tmp_path: Path, wazuh: Wazuh
) -> None:
    everything = Everything(aws)
    everything.notify()
    conf, toml = tmp_path / "ossec.conf", tmp_path / "awsflow.toml"
    conf.write_text(everything.conf())
    converted = awsflow("config", "convert", conf, home=tmp_path)
    assert (converted.returncode, converted.stderr) == (0, b"")
    toml.write_bytes(converted.stdout.replace(b"[[subscriber]]\n", b"[[subscriber]]\nwait = 0\n"))
    first = once(toml, wazuh)
    assert (first.returncode, first.stdout, first.stderr) == (0, b"", b"")
    by_run = sorted(wazuh.take())
    assert len(by_run) > 20 * len(OF_WAZUH)
    everything.notify()
    code = (
        "import sys, json; from awsflow.cli import wodle; print([wodle.main(flags) for flags in json.load(sys.stdin)])"
    )
    with Wazuh(tmp_path / "other") as other:
        flags = [[*each, "--wazuh-home", str(other.home)] for each in everything.flags()]
        env = {**os.environ, **CREDENTIALS}
        answer = subprocess.run(
            [sys.executable, "-c", code], input=json.dumps(flags).encode(), env=env, capture_output=True, check=True
        )
        assert answer.stdout.decode().strip() == str([0] * len(flags))
        assert sorted(other.take()) == by_run
        assert once(toml, other).returncode == 0
        assert other.take() == []
    assert once(toml, wazuh).returncode == 0
    assert wazuh.take() == []


def test_one_broken_source_stops_no_other_is_told_and_gives_the_exit_code(
    trails: Aws, tmp_path: Path, wazuh: Wazuh
) -> None:
    tables = (bucket("trail-a"), bucket("missing"), bucket("trail-b", 'profile = "nobody"'), bucket("trail-b"))
    file = written(tmp_path / "a.toml", trails, *tables)
    answer = once(file, wazuh, "--stats-json", tmp_path / "stats.json")
    assert answer.returncode == 7
    lines = sorted(answer.stderr.decode().splitlines())
    assert [line[: line.index(": ", 8)] for line in lines] == [
        "ERROR: cloudtrail s3://missing/",
        "ERROR: cloudtrail s3://trail-b/",
    ]
    assert len(ids(wazuh)) == 6
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert [(each["source"], each["exit_code"], each["sent"]) for each in stats] == [
        ("cloudtrail s3://trail-a/", 0, 3),
        ("cloudtrail s3://missing/", 7, 0),
        ("cloudtrail s3://trail-b/", 23, 0),
        ("cloudtrail s3://trail-b/", 0, 3),
    ]


def test_sources_that_share_their_state_take_turns(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    put_trail(trails, "trail-a", "2", "3", events=3000)
    tables = [bucket("trail-a", f'alias = "{alias}"') for alias in "abc"]
    answer = once(written(tmp_path / "a.toml", trails, *tables), wazuh)
    assert (answer.returncode, answer.stderr) == (0, b"")
    assert len(ids(wazuh)) == 6003


def test_events_of_a_source_stay_in_order_and_all_share_one_pace(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    for name in ("trail-a", "trail-b"):
        put_trail(trails, name, "2", events=600)
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"), bucket("trail-b"), top="max-eps = 600")
    begun = time.monotonic()
    assert once(file, wazuh).returncode == 0
    assert time.monotonic() - begun > 1.0, "1206 events, 600 of them at once"
    arrived = [json.loads(body)["aws"] for body in wazuh.take()]
    for name in ("trail-a", "trail-b"):
        numbers = [event["eventID"] for event in arrived if event["eventID"].startswith(f"{name} 2 ")]
        assert numbers == [f"{name} 2 {number}" for number in range(600)]


def test_for_ever_means_at_the_interval_with_what_is_broken_tried_again(
    trails: Aws, tmp_path: Path, wazuh: Wazuh
) -> None:
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"), bucket("late"), interval="1s")
    with running(file, wazuh) as process:
        wazuh.wait_for(3)
        until(lambda: "ERROR: cloudtrail s3://late/" in told(wazuh))
        put_trail(trails, "trail-a", "2")
        wazuh.wait_for(6)
        client(trails, "s3").create_bucket(Bucket="late")
        put_trail(trails, "late", "1")
        wazuh.wait_for(9)
        assert ended(process) == 143
    assert len(set(ids(wazuh))) == 9


def test_subscribers_stay_and_leave_room_for_the_others(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    url = client(trails, "sqs").create_queue(QueueName="notices")["QueueUrl"]
    subscriber = '[[subscriber]]\nname = "buckets"\nqueue = "notices"\nwait = 1\ninterval = "1h"'
    tables = (subscriber, bucket("trail-a"), bucket("trail-b"))
    file = written(tmp_path / "a.toml", trails, *tables, top="at-once = 1", interval="1s")
    with running(file, wazuh) as process:
        wazuh.wait_for(6)
        for number in (1, 2):
            time.sleep(2)  # longer than one would wait for a message that does not stay
            client(trails, "s3").put_object(Bucket="trail-a", Key=f"{number}.json", Body=b'{"eventID": "x"}')
            client(trails, "sqs").send_message(QueueUrl=url, MessageBody=by_s3("trail-a", f"{number}.json"))
            wazuh.wait_for(6 + number)
        put_trail(trails, "trail-b", "2")
        wazuh.wait_for(11)
        assert ended(process, signal.SIGINT) == 2
    assert told(wazuh) == ""


def test_hung_up_it_reads_the_file_again_and_leaves_the_others_alone(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"))
    with running(file, wazuh) as process:
        wazuh.wait_for(3)
        put_trail(trails, "trail-a", "2")
        written(file, trails, bucket("trail-a"), bucket("trail-b"))
        process.send_signal(signal.SIGHUP)
        wazuh.wait_for(6)
        until(lambda: "INFO: the configuration was read again; sources: 2, new: 1, gone: 0" in told(wazuh))
        assert ids(wazuh) == [f"{name} 1 {number}" for name in ("trail-a", "trail-b") for number in range(3)]
        written(file, trails, bucket("trail-a", 'alias = "new"'))
        process.send_signal(signal.SIGHUP)
        until(lambda: "sources: 1, new: 1, gone: 2" in told(wazuh))
        wazuh.wait_for(3)
        assert {json.loads(body)["aws"]["log_info"]["aws_account_alias"] for body in wazuh.take()} == {"new"}
        assert ended(process) == 143


def test_a_file_that_is_wrong_meanwhile_is_told_and_all_goes_on_as_it_was(
    trails: Aws, tmp_path: Path, wazuh: Wazuh
) -> None:
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"), interval="1s")
    with running(file, wazuh) as process:
        wazuh.wait_for(3)
        file.write_text("[[bucket]]\nname = 'T'")
        process.send_signal(signal.SIGHUP)
        until(lambda: "going on with the configuration as it was" in told(wazuh))
        put_trail(trails, "trail-a", "2")
        wazuh.wait_for(6)
        assert ended(process) == 143
    assert "ERROR: " in told(wazuh)
    assert "a.toml, [[bucket]] 1, name: bucket 'T'" in told(wazuh)


def test_a_new_sink_needs_a_new_start_and_that_is_told(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"))
    with running(file, wazuh) as process:
        wazuh.wait_for(3)
        written(file, trails, bucket("trail-b"), top="max-eps = 1000")
        process.send_signal(signal.SIGHUP)
        wazuh.wait_for(6)
        until(lambda: "WARNING: options of the run" in told(wazuh))
        assert ended(process) == 143


def test_one_that_does_not_run_at_the_start_waits_for_its_time(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    file = written(
        tmp_path / "a.toml", trails, bucket("trail-a", "run-on-start = false", 'interval = "3s"'), bucket("trail-b")
    )
    with running(file, wazuh) as process:
        wazuh.wait_for(3)
        assert {event.split()[0] for event in ids(wazuh)} == {"trail-b"}
        wazuh.wait_for(3)
        assert {event.split()[0] for event in ids(wazuh)} == {"trail-a"}
        assert ended(process) == 143


def test_killed_at_any_moment_it_loses_nothing(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    for name in ("trail-a", "trail-b"):
        put_trail(trails, name, "2", events=5000)
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"), bucket("trail-b"))
    with running(file, wazuh) as process:
        wazuh.wait_for(2500)
        process.kill()
    assert once(file, wazuh).returncode == 0
    arrived = ids(wazuh)
    assert len(set(arrived)) == 10_006
    assert len(arrived) <= 10_006 + 2 * 1000


def test_stopped_while_the_queue_is_down_it_ends_soon_and_quietly(trails: Aws, tmp_path: Path) -> None:
    with Wazuh(tmp_path / "wazuh") as wazuh:
        file = written(tmp_path / "a.toml", trails, bucket("trail-a"), bucket("trail-b"))
        wazuh.path.rename(wazuh.path.with_name("elsewhere"))
        with running(file, wazuh) as process:
            until(lambda: any((wazuh.home / "wodles" / "aws").glob("awsflow.db")))
            time.sleep(2)
            assert ended(process) == 143
        assert told(wazuh) == ""
        wazuh.path.with_name("elsewhere").rename(wazuh.path)
        assert once(file, wazuh).returncode == 0
        assert len(ids(wazuh)) == 6


def test_bad_lines_of_several_sources_are_all_in_the_dead_letters(aws: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    names = ("logs-a", "logs-b", "logs-c")
    for name in names:
        client(aws, "s3").create_bucket(Bucket=name)
        body = b'{"n": 1}\n{bad\n' * 500
        client(aws, "s3").put_object(Bucket=name, Key="2026/11/20/00/x.json", Body=body)
    tables = [bucket(name, 'type = "custom"', 'format = "jsonl"', "skip-on-error = true") for name in names]
    answer = once(written(tmp_path / "a.toml", aws, *tables), wazuh)
    assert answer.returncode == 0
    assert answer.stderr.count(b"500 lines, rows or objects could not be read; --debug names them") == 3
    letters = (wazuh.home / "wodles" / "aws" / "dead-letter.ndjson").read_text().splitlines()
    assert sorted(json.loads(letter)["bucket"] for letter in letters) == [name for name in names for _ in range(500)]


def test_flags_go_before_the_file_and_a_closed_pipe_ends_it_quietly(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    put_trail(trails, "trail-a", "2", events=20_000)
    file = written(tmp_path / "a.toml", trails, bucket("trail-a"), bucket("trail-b"))
    command = f"{sys.executable} -m awsflow run --config {file} --to stdout --plain --state {tmp_path / 'x.db'}"
    answer = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],  # noqa: S607 - the user's
        env={**os.environ, **CREDENTIALS},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (answer.returncode, answer.stderr) == (141, b"")
    assert json.loads(answer.stdout)["eventID"].startswith("trail-")
    assert wazuh.take() == []


def test_without_config_it_is_the_one_in_wazuhs_home(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    etc = wazuh.home / "etc"
    etc.mkdir()
    nothing = awsflow("run", "--once", home=tmp_path, env={"WAZUH_HOME": str(wazuh.home)})
    assert (nothing.returncode, nothing.stdout) == (17, b"")
    assert b"give --config" in nothing.stderr
    source = f"<bucket type='cloudtrail'><name>trail-a</name><service_endpoint>{trails.url}</service_endpoint>"
    after = "<only_logs_after>2026-NOV-01</only_logs_after></bucket>"
    (etc / "ossec.conf").write_text(f"<ossec_config><wodle name='aws-s3'>{source}{after}</wodle></ossec_config>")
    assert awsflow("run", "--once", home=tmp_path, env={"WAZUH_HOME": str(wazuh.home)}).returncode == 0
    written(etc / "awsflow.toml", trails, bucket("trail-b"))
    assert awsflow("run", "--once", home=tmp_path, env={"WAZUH_HOME": str(wazuh.home)}).returncode == 0
    assert [event.split()[0] for event in ids(wazuh)] == ["trail-a"] * 3 + ["trail-b"] * 3


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--max-eps", "0"], 2, b"give a number of events"),
        (["--to", "mail"], 2, b"write wazuh"),
        (["--config", "nothing.toml"], 17, b"No such file"),
    ],
)
def test_what_does_not_fit_is_told(flags: list[str], code: int, message: bytes, tmp_path: Path) -> None:
    answer = awsflow("run", "--once", *flags, home=tmp_path)
    assert (answer.returncode, answer.stdout) == (code, b"")
    assert answer.stderr.startswith(b"ERROR: ")
    assert message in answer.stderr


def test_a_configuration_in_which_all_is_disabled_is_an_error(aws: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    answer = once(written(tmp_path / "a.toml", aws, bucket("trail", "disabled = true")), wazuh)
    assert (answer.returncode, answer.stderr.count(b"every source in it is disabled")) == (17, 1)


def test_no_secret_of_the_file_is_ever_said(trails: Aws, tmp_path: Path, wazuh: Wazuh) -> None:
    keys = ('access-key = "AKIAIOSFODNN7EXAMPLE"', 'secret-key = "wJalrXUtnFEMIK7MDENG"')
    file = written(tmp_path / "a.toml", trails, bucket("trail-a", *keys), bucket("wJalrXUtnFEMIK7MDENG".lower(), *keys))
    answer = once(file, wazuh, "--debug")
    assert b"wJalrXUtnFEMIK7MDENG" not in answer.stdout + answer.stderr
    assert len(ids(wazuh)) == 3


def test_of_every_source_the_end_of_its_run_is_in_the_history_and_in_the_metrics(
    trails: Aws, tmp_path: Path, wazuh: Wazuh
) -> None:
    top = f'metrics = "{tmp_path}/awsflow.prom"'
    file = written(tmp_path / "awsflow.toml", trails, bucket("trail-a"), bucket("gone"), top=top)
    assert awsflow("run", "--config", file, "--once", "--wazuh-home", wazuh.home, home=tmp_path).returncode == 7
    status = awsflow("status", "--wazuh-home", wazuh.home, "--json", home=tmp_path)
    known = {source["source"]: source for source in json.loads(status.stdout)["sources"]}
    assert known["cloudtrail s3://trail-a/"]["last_24_hours"]["events"] == 3
    assert known["cloudtrail s3://trail-a/"]["condition"] == "ok"
    assert known["cloudtrail s3://gone/"]["last_run"]["exit_code"] == 7
    text = (tmp_path / "awsflow.prom").read_text()
    assert 'awsflow_events_sent_total{source="cloudtrail s3://trail-a/"} 3.0' in text
