"""Objects that could not be read: when they are tried again; and `awsflow failures`, to see and change that."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awsflow import Flow
from awsflow.errors import ServiceError
from awsflow.items import Failure, Found, Origin
from awsflow.options import AwsAccess
from awsflow.sources import S3Bucket
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import ObjectPosition
from tests.answers import Answer, Request, refused
from tests.commands import awsflow
from tests.conftest import Aws
from tests.fault_server import FaultServer
from tests.test_s3 import BAD, REGION, document, put
from tests.wazuh import Wazuh

NOW = datetime.now(UTC)
TODAY = f"{NOW:%Y/%m/%d}/"
FOLDER = REGION + TODAY
LONG_AGO = NOW - timedelta(days=5)


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    return client


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


class Told:
    """Failures as a run tells them."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def add(self, failure: Failure) -> None:
        self.keys.append(failure.origin.key.rpartition("/")[2])

    def flush(self) -> None:
        pass


def run(aws: Aws, state: Path, *, url: str = "", now: datetime = NOW, **options: Any) -> tuple[list[str], list[str]]:
    """The events that a run reads, and the objects that it fails with."""
    told = Told()
    access = AwsAccess(service_endpoint=url or aws.url)
    source = S3Bucket("trail", access=access, state=state, skip_on_error=True, now=lambda: now, **options)
    flow = Flow(source, failures=told)
    return [record.event["eventID"] for record in flow if isinstance(record.event, dict)], told.keys


def listed(state: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    """What the command shows, by the last part of the key."""
    ended = awsflow("failures", "show", "--json", "--state", state, *arguments, home=state.parent)
    assert (ended.returncode, ended.stderr) == (0, b"")
    shown = [json.loads(line) for line in ended.stdout.splitlines()]
    return {each["key"].rpartition("/")[2]: each for each in shown}


def attempts(state: Path) -> dict[str, int]:
    with Checkpoints(state) as checkpoints:
        return {each.key.rpartition("/")[2]: each.attempts for _, each in checkpoints.failure_lists().listed()}


def command(what: str, state: Path, *arguments: str) -> tuple[int, str, str]:
    ended = awsflow("failures", what, "--state", state, *arguments, home=state.parent)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def test_a_failed_object_is_shown_with_all_that_is_known_of_it(aws: Aws, s3: Any, state: Path) -> None:
    s3.put_object(Bucket="trail", Key=FOLDER + "bad", Body=BAD)
    later = NOW + timedelta(minutes=10)
    assert run(aws, state) == (["good"], ["bad"])
    assert run(aws, state, now=later) == ([], ["bad"])
    shown = listed(state)["bad"]
    error = shown.pop("error")
    assert f"reading s3://trail/{FOLDER}bad: " in error
    assert shown == {
        "work": "cloudtrail s3://trail/AWSLogs/",
        "bucket": "trail",
        "key": FOLDER + "bad",
        "first": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        "last": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        "attempts": 2,
        "given_up": False,
        "records": 1,
        "size": len(BAD),
        "etag": s3.head_object(Bucket="trail", Key=FOLDER + "bad")["ETag"].strip('"'),
        "day": f"{NOW:%Y-%m-%d}",
    }
    code, out, err = command("show", state)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "cloudtrail s3://trail/AWSLogs/",
        "  attempts    first                last                 key",
        f"  2 of 3      {shown['first']} {shown['last']} {FOLDER}bad",
        f"              {error}",
    ]
    run(aws, state)
    assert listed(state)["bad"]["given_up"]
    assert "  3, given up " in awsflow("failures", "--state", state, home=state.parent).stdout.decode()


def test_an_object_that_becomes_readable_leaves_the_list_and_repeats_nothing(aws: Aws, s3: Any, state: Path) -> None:
    """It is the same object, with the same etag: only the way to it was broken."""
    put(s3, TODAY + "a")
    content = b"".join(b'{"eventID": "%d"}, ' % number for number in range(250))
    whole = gzip.compress(b'{"Records": [' + content[:-2] + b"]}", 0)
    s3.put_object(Bucket="trail", Key=FOLDER + "b", Body=whole)
    broken = [2000, 4000]

    def torn(asked: Request) -> Answer | None:
        """The beginning of the object, then nonsense; from the third time on, what is really there."""
        if asked.action != f"GET /trail/{FOLDER}b" or not broken:
            return None
        size = broken.pop(0)
        etag = s3.head_object(Bucket="trail", Key=FOLDER + "b")["ETag"]
        body = whole[:size] + b"\xff" * (len(whole) - size)
        return Answer(200, body, {"ETag": etag, "Content-Type": "binary/octet-stream"})

    with FaultServer(aws.url, choose=torn) as faulty:
        first, failed = run(aws, state, url=faulty.url)
        assert failed == ["b"]
        assert 0 < listed(state)["b"]["records"] == len(first) - 1
        second, failed = run(aws, state, url=faulty.url)
        assert (failed, attempts(state)) == (["b"], {"b": 2})
        assert listed(state)["b"]["records"] == len(first) - 1 + len(second)
        third, failed = run(aws, state, url=faulty.url)
    assert (failed, attempts(state)) == ([], {})
    assert first + second + third == [TODAY + "a", *map(str, range(250))]
    assert run(aws, state) == ([], [])


def test_an_object_that_was_read_in_part_and_then_refused_repeats_nothing_either(
    aws: Aws, s3: Any, state: Path
) -> None:
    """A refusal comes before the first record; and before it, time may pass in the stream."""
    s3.put_object(Bucket="trail", Key=FOLDER + "b", Body=BAD)
    assert run(aws, state) == (["good"], ["b"])
    refusing = True

    def slowly(asked: Request) -> Answer | None:
        if not refusing or asked.action != f"GET /trail/{FOLDER}b":
            return None
        threading.Event().wait(0.8)
        return refused("AccessDenied", 403)

    with FaultServer(aws.url, choose=slowly) as faulty:
        with pytest.raises(ServiceError, match="no object could be read, 1 refused"):
            run(aws, state, url=faulty.url)
        assert (listed(state)["b"]["records"], attempts(state)) == (1, {"b": 1})
        refusing = False
        assert run(aws, state, url=faulty.url) == ([], ["b"])
    assert attempts(state) == {"b": 2}


def test_retry_has_an_object_read_that_was_given_up_long_before_the_look_back(aws: Aws, s3: Any, state: Path) -> None:
    old = f"{REGION}{LONG_AGO:%Y/%m/%d}/"
    denied = True

    def deny(asked: Request) -> Answer | None:
        return refused("AccessDenied", 403) if denied and asked.action == f"GET /trail/{old}b" else None

    put(s3, f"{LONG_AGO:%Y/%m/%d}/a", f"{LONG_AGO:%Y/%m/%d}/b")
    with FaultServer(aws.url, choose=deny) as faulty:
        assert run(aws, state, url=faulty.url, now=LONG_AGO)[1] == ["b"]
        for day in range(1, 6):
            put(s3, f"{LONG_AGO + timedelta(days=day):%Y/%m/%d}/c")
            run(aws, state, url=faulty.url, now=LONG_AGO + timedelta(days=day))
        assert listed(state)["b"]["given_up"]
        denied = False
        assert run(aws, state, url=faulty.url) == ([], [])
        assert command("retry", state) == (0, "1 object will be tried again by the next run\n", "")
        assert attempts(state) == {"b": 0}
        assert run(aws, state, url=faulty.url) == ([f"{LONG_AGO:%Y/%m/%d}/b"], [])
    assert attempts(state) == {}


def test_what_is_forgotten_is_not_read_any_more_unless_it_is_replaced(aws: Aws, s3: Any, state: Path) -> None:
    s3.put_object(Bucket="trail", Key=FOLDER + "bad", Body=BAD)
    run(aws, state)
    assert command("forget", state, FOLDER + "bad") == (0, "1 object forgotten\n", "")
    assert run(aws, state) == ([], [])
    s3.put_object(Bucket="trail", Key=FOLDER + "bad", Body=document("mended"))
    assert run(aws, state) == (["mended"], [])


def refuse_all(asked: Request) -> Answer | None:
    return refused("AccessDenied", 403) if asked.action.startswith("GET /trail/AWSLogs") else None


@pytest.mark.parametrize("workers", ["1", "2"])
def test_while_access_is_denied_to_all_objects_runs_end_with_an_error_and_no_attempt_is_counted(
    aws: Aws, s3: Any, state: Path, workers: str
) -> None:
    put(s3, TODAY + "a", TODAY + "b")
    told = []
    with FaultServer(aws.url, choose=refuse_all) as faulty:
        for number in range(4):
            if number == 2:
                put(s3, TODAY + "c")
            ended = awsflow(
                *("bucket", "trail", "--skip-on-error", "--endpoint-url", faulty.url, "--state", state),
                *("--workers", workers),
                home=state.parent,
            )
            assert ended.returncode == ServiceError.exit_code
            events = [json.loads(line) for line in ended.stdout.splitlines()]
            told.append(sorted(event["aws"]["log_info"]["log_file"][-1] for event in events if "error_msg" in event))
            *failed, error = ended.stderr.decode().splitlines()
            assert len(failed) == len(told[-1])
            assert error.startswith(f"ERROR: reading s3://trail/{FOLDER}")
            assert "access is denied (AccessDenied)" in error
            assert f"no object could be read, {3 if number > 1 else 2} refused" in error
    assert told == [["a", "b"], [], ["c"], []]
    assert attempts(state) == {"a": 0, "b": 0, "c": 0}
    assert run(aws, state) == ([TODAY + "a", TODAY + "b", TODAY + "c"], [])
    assert attempts(state) == {}


def test_an_object_that_is_refused_while_others_are_read_is_given_up_after_three_attempts(
    aws: Aws, s3: Any, state: Path
) -> None:
    def refuse_one(asked: Request) -> Answer | None:
        return refused("AccessDenied", 403) if asked.action == f"GET /trail/{FOLDER}b" else None

    put(s3, TODAY + "a", TODAY + "b")
    counted = []
    with FaultServer(aws.url, choose=refuse_one) as faulty:
        for number in range(4):
            assert run(aws, state, url=faulty.url)[1] == (["b"] if number < 3 else [])
            counted.append(attempts(state)["b"])
            put(s3, f"{TODAY}c{number}")
        assert counted == [1, 2, 3, 3]
        command("retry", state)
        run(aws, state, url=faulty.url)
        with pytest.raises(ServiceError, match="AccessDenied"):  # it is all there is: nobody knows whose fault it is
            run(aws, state, url=faulty.url)


def test_an_object_that_is_gone_is_its_own_fault(aws: Aws, s3: Any, state: Path) -> None:
    put(s3, TODAY + "a")

    def gone(asked: Request) -> Answer | None:
        return refused("NoSuchKey", 404) if asked.action.startswith("GET /trail/AWSLogs") else None

    with FaultServer(aws.url, choose=gone) as faulty:
        for number in range(1, 4):
            assert run(aws, state, url=faulty.url) == ([], ["a"])
            assert attempts(state) == {"a": number}
        assert run(aws, state, url=faulty.url) == ([], [])


@pytest.fixture
def three(state: Path) -> Iterator[Checkpoints]:
    """A state with three works, each of which has given up two objects."""
    with Checkpoints(state) as checkpoints:
        for name, bucket in (("cloudtrail", "trail"), ("waf", "trail"), ("waf", "trail-2")):
            with checkpoints.work(f"{name} s3://{bucket}/AWSLogs/") as work:
                for key in (f"AWSLogs/1/{name}/a[1].gz", f"AWSLogs/2/{name}/b.gz"):
                    found = Found(Origin(bucket, key), 10, "etag", f"AWSLogs/{key[8]}/{name}/", NOW.date())
                    for _ in range(3):
                        work.commit([ObjectPosition(found, 5, error="cut off")])
        yield checkpoints


def test_a_long_list_is_shown_whole_and_in_order(state: Path) -> None:
    with Checkpoints(state) as checkpoints:
        for name in ("one", "two"):
            with checkpoints.work(f"{name} s3://trail/") as work:
                for stream in ("a/", "b/"):
                    keys = [f"{stream}{number:05}" for number in range(3000)]
                    every = [Found(Origin("trail", key), 1, "etag", stream, NOW.date()) for key in keys]
                    work.commit([ObjectPosition(found, 0, error="cut off") for found in every])
        shown = [(work, failed.key) for work, failed in checkpoints.failure_lists().listed()]
    assert shown == sorted(shown)
    assert len(shown) == 12_000


CHOICES = [
    ([], 6),
    (["--bucket", "trail"], 4),
    (["--bucket", "trai"], 0),
    (["AWSLogs/1/waf/a[1].gz"], 2),
    (["s3://trail-2/AWSLogs/1/waf/a[1].gz"], 1),
    (["s3://trail/*"], 4),
    (["AWSLogs/1/*", "AWSLogs/2/waf/?.gz"], 5),
    (["AWSLogs/1/*", "*.gz"], 6),
    (["--bucket", "trail", "*/waf/*"], 2),
    (["awslogs/*"], 0),
    (["1/waf/a[1].gz"], 0),
]


@pytest.mark.parametrize(("choice", "count"), CHOICES)
def test_objects_are_chosen_by_bucket_by_key_and_by_pattern(
    three: Checkpoints, choice: list[str], count: int, state: Path
) -> None:
    bucket, patterns = (choice[1], choice[2:]) if choice[:1] == ["--bucket"] else ("", choice)
    chosen = [(work, failed.key) for work, failed in three.failure_lists(bucket, patterns).listed()]
    assert len(chosen) == count
    assert three.failure_lists(bucket, patterns).retry() == count
    every = list(three.failure_lists().listed())
    assert [(work, failed.key) for work, failed in every if not failed.attempts] == chosen
    assert three.failure_lists(bucket, patterns).forget() == count
    assert [each for each in every if each[1].attempts] == list(three.failure_lists().listed())


def test_the_commands_take_the_same_choices(three: Checkpoints, state: Path) -> None:
    assert len(listed(state, "--bucket", "trail-2")) == 2
    assert command("retry", state, "--bucket", "trail", "*/waf/*") == (
        0,
        "2 objects will be tried again by the next run\n",
        "",
    )
    assert [line.split()[:2] for line in command("show", state)[1].splitlines() if " of 3 " in line] == [
        ["0", "of"]
    ] * 2
    assert command("forget", state, "s3://trail/*")[:2] == (0, "4 objects forgotten\n")
    assert command("forget", state, "--all")[:2] == (0, "2 objects forgotten\n")
    assert command("show", state) == (0, "", f"no object is on the failures lists of {state}\n")
    assert command("retry", state) == (0, "", f"no object is on the failures lists of {state}\n")


def test_the_list_is_never_forgotten_by_mistake(three: Checkpoints, state: Path) -> None:
    code, out, err = command("forget", state)
    assert (code, out) == (2, "")
    assert "give keys, --bucket or --all" in err
    assert len(list(three.failure_lists().listed())) == 6


def test_what_is_not_on_the_list_and_a_state_that_is_not_there_are_named(three: Checkpoints, state: Path) -> None:
    for what in ("show", "retry", "forget"):
        code, out, err = command(what, state, "no/such/key")
        assert (code, out) == (14, "")
        assert err == (f"ERROR: looking for no/such/key in the failures lists of {state}: there is no such object\n")
    code, out, err = command("show", state.with_name("other.db"))
    assert (code, out) == (5, "")
    assert "there is none" in err
    assert not state.with_name("other.db").exists()


def test_what_others_have_put_into_a_key_is_shown_as_one_printable_line(state: Path) -> None:
    with Checkpoints(state) as checkpoints, checkpoints.work("waf s3://trail/AWSLogs/") as work:
        found = Found(Origin("trail", "a\n\x1b[2Jb\u00e9"), 10, "etag", "AWSLogs/", None)
        work.commit([ObjectPosition(found, 5, error="bad\nvery")])
    ended = awsflow("failures", "--state", state, home=state.parent, env={"PYTHONIOENCODING": "ascii"})
    rows = ended.stdout.decode().splitlines()
    assert len(rows) == 4
    assert rows[2].endswith("a \\x1b[2Jb\\xe9")
    assert rows[3].endswith("bad very")


def test_while_a_run_is_going_on_it_is_said_and_safe(state: Path, three: Checkpoints) -> None:
    with three.work("waf s3://trail/AWSLogs/") as work:
        code, out, err = command("retry", state, "--bucket", "trail")
        assert (code, out) == (0, "4 objects will be tried again by the next run\n")
        assert err == "a run is going on, waf s3://trail/AWSLogs/: the one behind it heeds this\n"
        found = Found(Origin("trail", "AWSLogs/1/waf/a[1].gz"), 10, "etag", "AWSLogs/1/waf/", NOW.date())
        work.commit([ObjectPosition(found, 5, error="cut off")])
        assert [failed.attempts for failed in work.failures()] == [1, 0]
    assert command("retry", state, "--bucket", "trail")[2] == ""


def test_a_reader_that_stops_ends_it_quietly(three: Checkpoints, state: Path) -> None:
    shown = subprocess.Popen(
        [sys.executable, "-m", "awsflow", "failures", "--state", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert shown.stdout is not None
    assert shown.stderr is not None
    shown.stdout.close()
    assert shown.stderr.read() == b""
    assert shown.wait(60) == 141
    shown.stderr.close()


def test_two_who_retry_and_a_run_that_commits_do_not_hinder_each_other(three: Checkpoints, state: Path) -> None:
    counts: list[int] = []

    def retry() -> None:
        with Checkpoints(state) as mine:
            counts.extend(mine.failure_lists().retry() for _ in range(20))

    threads = [threading.Thread(target=retry) for _ in range(2)]
    for thread in threads:
        thread.start()
    with three.work("waf s3://trail/AWSLogs/") as work:
        for _ in range(20):
            found = Found(Origin("trail", "AWSLogs/1/waf/a[1].gz"), 10, "etag", "AWSLogs/1/waf/", NOW.date())
            work.commit([ObjectPosition(found, 5, error="cut off")])
    for thread in threads:
        thread.join()
    assert counts == [6] * 40


def test_wazuh_is_told_of_an_object_in_one_valid_event_each_time_it_is_tried(aws: Aws, s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="trail", Key=FOLDER + "bad", Body=BAD)
    with Wazuh(tmp_path / "home") as wazuh:
        for _ in range(4):
            ended = awsflow(
                *("wodle", "-b", "trail", "--skip_on_error", "--service_endpoint", aws.url),
                *("--wazuh-home", wazuh.home),
                home=tmp_path,
            )
            assert (ended.returncode, ended.stdout) == (0, b"")
        told = [event for event in wazuh.events() if "error_msg" in event]
    error = told[0].pop("error_msg")
    assert error.startswith(f"reading s3://trail/{FOLDER}bad: ")
    info = {"aws_account_alias": "", "log_file": FOLDER + "bad", "s3bucket": "trail"}
    assert told[0] == {"integration": "aws", "aws": {"log_info": info}}
    assert [event.get("error_msg", error) for event in told] == [error] * 3
    assert listed(wazuh.home / "wodles" / "aws" / "awsflow.db")["bad"]["given_up"]
