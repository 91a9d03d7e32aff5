"""Removal: delivered objects are deleted, if they are still what was delivered; what fails is tried again."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from awsflow import Flow
from awsflow.errors import ServiceError, Throttled
from awsflow.items import Found, Origin, Record
from awsflow.sources import S3Bucket
from awsflow.sources.removal import Removal
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import ObjectPosition
from awsflow.state.work import Work
from tests.answers import Answer, Answering, Request, refused
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.wazuh import Wazuh

TODAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGION = "AWSLogs/123456789012/CloudTrail/eu-west-1/"
DAYS = ("2026/11/02/a", "2026/11/03/b", "2026/11/10/c", "2026/11/20/d")


FIRST = datetime(2026, 11, 1, tzinfo=UTC).date()


@pytest.fixture
def s3(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    return client


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    with Checkpoints(tmp_path / "state.db", now=lambda: TODAY) as checkpoints:
        yield checkpoints.work("trail")


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        body = gzip.compress(json.dumps({"Records": [{"eventID": key}]}).encode())
        s3.put_object(Bucket="trail", Key=REGION + key, Body=body)


def keys_of(s3: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="trail").get("Contents", ())]


def removing(url: str, aws: Aws, state: Path, **options: Any) -> tuple[list[str], list[str]]:
    """The events of a run that removes, and its warnings."""
    told: list[str] = []
    access = Aws(url).access
    source = S3Bucket(
        "trail", "cloudtrail", access=access, state=state, remove=True, now=lambda: TODAY, warn=told.append, **options
    )
    return [record.event["eventID"] for record in Flow(source) if isinstance(record.event, dict)], told


def finished(key: str, etag: str = "e") -> ObjectPosition:
    return ObjectPosition(Found(Origin("trail", key), 1, etag, REGION, TODAY.date()), 1, finished=True)


def deletes(asked: Request) -> bool:
    return asked.action == "POST /trail"


def test_what_a_killed_run_had_committed_but_not_deleted_is_deleted_by_the_next_and_not_sent_again(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    put(s3, *DAYS)
    command = [sys.executable, "-m", "awsflow", "wodle", "--bucket", "trail", "--only_logs_after", "2026-11-01"]
    with Wazuh(tmp_path / "wazuh") as wazuh:
        running: list[subprocess.Popen[bytes]] = []

        def kills(asked: Request) -> Answer | None:
            if deletes(asked):
                running[0].send_signal(signal.SIGKILL)
                running[0].wait()
                return refused("InternalError", 500)
            return None

        with FaultServer(aws.url, choose=kills) as faulty:
            flags = ["--wazuh-home", str(wazuh.home), "--remove", "--service_endpoint"]
            running.append(subprocess.Popen([*command, *flags, faulty.url], env=_environment(tmp_path)))
            assert running[0].wait(60) == -signal.SIGKILL
        assert len(keys_of(s3)) == len(DAYS)
        again = awsflow(*command[3:], *flags, aws.url, home=tmp_path)
        assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
        assert keys_of(s3) == []
        assert [event["aws"]["eventID"] for event in wazuh.events()] == list(DAYS)
        emptied = awsflow(*command[3:], *flags, aws.url, home=tmp_path)
        assert (emptied.returncode, emptied.stdout, emptied.stderr) == (0, b"", b"")
        nowhere = awsflow(*command[3:], *flags, aws.url, "--trail_prefix", "nowhere", home=tmp_path)
        assert nowhere.returncode == 14
        assert awsflow(*command[3:], *flags, aws.url, "--trail_prefix", "nowhere", home=tmp_path).returncode == 14


def _environment(home: Path) -> dict[str, str]:
    return {**CREDENTIALS, "HOME": str(home), "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize("answer", [refused("AccessDenied", 403), refused("SlowDown", 400), None])
def test_a_deletion_that_fails_is_told_when_all_is_delivered_and_tried_again_by_the_next_run(
    aws: Aws, s3: Any, tmp_path: Path, answer: Answer | None
) -> None:
    put(s3, *DAYS)
    body = f"<DeleteResult><Error><Key>{REGION + DAYS[1]}</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    refusal = answer or Answer(body=body.encode())
    state = tmp_path / "state.db"
    with FaultServer(aws.url, choose=lambda asked: refusal if deletes(asked) else None) as faulty:
        source = S3Bucket(
            "trail", access=Aws(faulty.url).access, state=state, remove=True, now=lambda: TODAY, only_after=FIRST
        )
        records = Flow(source)
        read: list[Record] = []
        with pytest.raises((ServiceError, Throttled), match=r"deleting .*s3://trail"):
            read.extend(records)
    assert len(read) == len(keys_of(s3)) == len(DAYS)
    put(s3, "2026/11/22/new")
    assert removing(aws.url, aws, state) == (["2026/11/22/new"], [])
    left = set(keys_of(s3))
    assert left == (set() if answer else {REGION + key for key in DAYS if key not in (DAYS[1], DAYS[3])})


def test_an_object_that_was_replaced_after_it_was_delivered_is_not_deleted_unread(
    aws: Aws, s3: Any, tmp_path: Path
) -> None:
    put(s3, *DAYS)
    state = tmp_path / "state.db"
    with (
        FaultServer(aws.url, choose=lambda asked: refused("AccessDenied", 403) if deletes(asked) else None) as faulty,
        pytest.raises(ServiceError, match="deleting 4 delivered objects"),
    ):
        removing(faulty.url, aws, state, only_after=FIRST)
    s3.put_object(Bucket="trail", Key=REGION + DAYS[0], Body=b"another")
    s3.delete_object(Bucket="trail", Key=REGION + DAYS[1])
    read, told = removing(aws.url, aws, state, only_after=FIRST)
    assert read == []
    assert keys_of(s3) == [REGION + DAYS[0]]
    assert len(told) == 1
    assert f"deleting s3://trail/{REGION}{DAYS[0]}: it was replaced after it was delivered, and stays" in told[0]
    assert removing(aws.url, aws, state, only_after=FIRST) == ([], [])  # told once


def test_nothing_is_deleted_that_is_not_finished(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, "2026/11/22/a", "2026/11/23/c")
    s3.put_object(Bucket="trail", Key=REGION + "2026/11/22/b", Body=b"\x1f\x8bno")
    events, _ = removing(aws.url, aws, tmp_path / "state.db", only_after=FIRST, skip_on_error=True)
    assert events == ["2026/11/22/a", "2026/11/23/c"]
    assert keys_of(s3) == [REGION + "2026/11/22/b"]


def test_without_state_and_for_a_reparse_objects_are_deleted_too(aws: Aws, s3: Any, tmp_path: Path) -> None:
    put(s3, *DAYS)
    source = S3Bucket("trail", access=aws.access, remove=True, now=lambda: TODAY, only_after=FIRST)
    assert len(list(Flow(source))) == len(DAYS)
    assert keys_of(s3) == []


@contextmanager
def aws_itself(proxy: str) -> Iterator[Any]:
    """A client of AWS's own endpoint, which it reaches through this proxy."""
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
    config = Config(proxies={"http": proxy}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    made: Any = boto3.client  # its stubs know a fixed list of arguments
    with closing(made("s3", endpoint_url="http://s3.eu-west-1.amazonaws.com", config=config, **keys)) as client:
        yield client


def test_aws_itself_is_asked_to_delete_only_what_has_the_etag_that_was_read(work: Work) -> None:
    work.commit([finished(key, f"etag of {key}") for key in ("a", "b", "d")], remove=True)
    refusals = {"a": "PreconditionFailed", "d": "AccessDenied"}
    errors = "".join(f"<Error><Key>{key}</Key><Code>{code}</Code></Error>" for key, code in refusals.items())
    told: list[str] = []
    with (
        Answering(lambda request: Answer(body=f"<DeleteResult>{errors}</DeleteResult>".encode())) as s3,
        aws_itself(s3.url) as client,
    ):
        removal = Removal(client, "trail", work, note=lambda text: None, warn=told.append)
        list(removal.earlier())
        with pytest.raises(ServiceError, match=r"deleting s3://trail/d: AccessDenied; .* allow s3:DeleteObject"):
            removal.finish()
    (request,) = s3.requests  # nothing is looked at first
    for key in ("a", "b", "d"):
        asked = "".join("=".join(parameter) for parameter in request.parameters.items())
        assert f'<Key>{key}</Key><ETag>"etag of {key}"</ETag>' in asked
    assert len(told) == 1
    assert "deleting s3://trail/a: it was replaced after it was delivered, and stays" in told[0]
    assert [each.key for each in work.undeleted(0, 10)] == ["d"]


def test_so_it_is_for_keys_that_need_a_request_of_their_own(work: Work) -> None:
    work.commit([finished(f"{name}\x01", name) for name in ("same", "other")], remove=True)
    told: list[str] = []

    def answer(asked: Request) -> Answer:
        return Answer(204) if asked.headers["if-match"] == '"same"' else refused("PreconditionFailed", 412)

    with Answering(answer) as s3, aws_itself(s3.url) as client:
        removal = Removal(client, "trail", work, note=lambda text: None, warn=told.append)
        list(removal.earlier())
        removal.finish()
    assert [asked.action for asked in s3.requests] == ["DELETE /trail/same%01", "DELETE /trail/other%01"]
    assert len(told) == 1
    assert work.undeleted(0, 10) == []


def test_what_is_to_be_deleted_is_remembered_until_it_is_and_bounded(work: Work) -> None:
    work.commit([finished(f"{number}") for number in range(5)], remove=True)
    work.commit([finished("kept")])
    work.commit([finished("2", "newer")], remove=True)
    assert [(each.key, each.etag) for each in work.undeleted(0, 10)][-1] == ("2", "newer")
    assert [each.key for each in work.undeleted(0, 2)] == ["0", "1"]
    work.deleted(["0", "3", "never"])
    assert [each.key for each in work.undeleted(0, 10)] == ["1", "4", "2"]
    assert work.let_stay(2) == 1
    assert work.let_stay(2) == 0
    assert [each.key for each in work.undeleted(0, 10)] == ["4", "2"]
