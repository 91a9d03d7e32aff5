"""`awsflow wodle` as the scheduler runs it: what it prints, how it ends, what arrives in the queue."""

import gzip
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli import wodle
from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.errors import ArgumentsError
from tests.answers import Answer, Answering, Request, assumed, listing, refused, refused_by_sts
from tests.conftest import Aws
from tests.wazuh import Wazuh

REGION = "AWSLogs/123456789012/CloudTrail/eu-west-1/"
ROLE = "arn:aws:iam::123456789012:role/logs"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


@pytest.fixture
def wazuh(tmp_path: Path) -> Iterator[Wazuh]:
    with Wazuh(tmp_path / "wazuh") as listening:
        yield listening


@pytest.fixture
def run(wazuh: Wazuh, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command, in this process."""

    def run(endpoint: str, *flags: str, bucket: str = "trail") -> Ended:
        capfd.readouterr()
        places = ("--service_endpoint", endpoint, "--wazuh-home", str(wazuh.home))
        code = wodle.main(["--bucket", bucket, "--only_logs_after", "2026-NOV-01", *places, *flags])
        return Ended(code, *capfd.readouterr())

    return run


def command(endpoint: str, home: Path, *flags: str) -> list[str]:
    """The command, for a process of its own."""
    python = (sys.executable, "-m", "awsflow", "wodle", "--bucket", "trail", "--only_logs_after", "2026-NOV-01")
    return [*python, "--service_endpoint", endpoint, "--wazuh-home", str(home), *flags]


def document(*events: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps({"Records": events}).encode())


def put(aws: Aws, key: str, body: bytes | None = None) -> None:
    """Put an object, by default with one event that is named after it."""
    s3 = aws.client("s3")
    if not s3.list_buckets()["Buckets"]:
        s3.create_bucket(Bucket="trail")
    name = key.rpartition("/")[2]
    s3.put_object(Bucket="trail", Key=key, Body=document({"eventID": name}) if body is None else body)


def ids(wazuh: Wazuh) -> list[str]:
    """The ids of the events that came since the last call."""
    return [json.loads(body)["aws"]["eventID"] for body in wazuh.take()]


# What is printed


WARNS = '''
import atexit, logging, sys, warnings

class Warns:
    """Warns whenever one of these is imported, as libraries do."""

    def find_spec(self, name, path=None, target=None):
        if name in ("botocore.session", "urllib3", "smart_open.s3"):
            warnings.warn(f"{name} will be gone", DeprecationWarning, stacklevel=2)
            warnings.warn(f"{name} is old", UserWarning, stacklevel=2)
            logging.getLogger(name).warning("%s logs a warning", name)

sys.meta_path.insert(0, Warns())
'''


@pytest.mark.parametrize("developer", [False, True])
def test_a_run_that_went_well_prints_not_one_byte_whatever_is_about_to_warn(
    aws: Aws, wazuh: Wazuh, tmp_path: Path, developer: bool
) -> None:
    put(aws, REGION + "2026/11/20/a")
    (tmp_path / "sitecustomize.py").write_text(WARNS)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.getcwd()}"}
    if developer:
        environment |= {"PYTHONWARNINGS": "always", "PYTHONDEVMODE": "1"}
    for expected in (["a"], []):
        done = subprocess.run(
            command(aws.url, wazuh.home), capture_output=True, text=True, check=False, timeout=60, env=environment
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert ids(wazuh) == expected
    if developer:
        warned = subprocess.run(
            command(aws.url, wazuh.home, "--debug", "2"), capture_output=True, text=True, check=False, env=environment
        )
        assert "DEBUG: DeprecationWarning: botocore.session will be gone" in warned.stdout
        assert warned.stderr == ""


def test_an_error_is_one_line_on_standard_output_that_names_the_object(aws: Aws, run: Run) -> None:
    key = REGION + "2026/11/20/a"
    put(aws, key, b'{"Records": [{"eventID": bad}]}')
    done = run(aws.url)
    assert done.code == 9
    assert re.fullmatch(rf"ERROR: reading s3://trail/{key}: .+\n", done.out)
    assert done.err == ""


def test_an_error_that_is_not_about_an_object_names_the_bucket_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    done = run("http://127.0.0.1:1")
    assert (done.code, done.err) == (3, "")
    assert re.fullmatch(r"ERROR: s3://trail/: opening a session .+\n", done.out)


def test_a_key_with_control_characters_is_still_one_line(aws: Aws, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a\x1b[31m\tb\u2028c", b"no JSON")
    done = run(aws.url)
    assert done.code == 9
    assert len(done.out.splitlines()) == 1
    assert done.out.rstrip("\n").isprintable()


def test_debug_lines_go_to_standard_output_and_the_levels_say_how_many(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    said = []
    for level in ("0", "1", "2", "3"):
        done = run(aws.url, "--debug", level, "--reparse", "-a", "AKIDOWN", "-k", "own")
        assert (done.code, done.err) == (0, "")
        assert [line for line in done.out.splitlines() if not line.startswith("DEBUG: ")] == []
        said.append(done.out)
    assert said[0] == ""
    for told in ("reading s3://trail/", "1 event", "deprecated"):
        assert told in said[1]
    assert len(said[1].splitlines()) < len(said[2].splitlines()) <= len(said[3].splitlines())


def test_a_log_file_takes_the_debug_lines_and_is_its_owner_s_alone(aws: Aws, tmp_path: Path, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    log = tmp_path / "log"
    log.write_text("before\n")
    log.chmod(0o644)
    done = run(aws.url, "--debug", "1", "--log-file", str(log))
    assert (done.code, done.out, done.err) == (0, "", "")
    lines = log.read_text().splitlines()
    assert lines[0] == "before"
    assert [line for line in lines[1:] if not re.match(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00 DEBUG: ", line)] == []
    assert len(lines) > 3
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_new_log_file_is_its_owner_s_alone_and_empty_without_debug(aws: Aws, tmp_path: Path, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    assert run(aws.url, "--log-file", str(tmp_path / "log")).code == 0
    assert (tmp_path / "log").read_bytes() == b""
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["link", "no/log", "."])
def test_a_log_file_that_cannot_be_opened_is_a_wrong_argument(tmp_path: Path, run: Run, place: str) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    done = run("http://127.0.0.1:1", "--debug", "1", "--log-file", str(tmp_path / place))
    assert done.code == 2
    assert re.fullmatch(r"ERROR: opening the log file .+\n", done.out)
    assert done.err.startswith("usage: ")
    assert (tmp_path / "victim").read_text() == "untouched"


def test_a_log_file_that_is_full_does_not_keep_logs_from_being_collected(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    done = run(aws.url, "--debug", "1", "--log-file", "/dev/full")
    assert done.code == 0
    assert re.fullmatch(r"WARNING: writing the log file .+\n", done.out)
    assert ids(wazuh) == ["a"]


def test_no_secret_is_ever_told_or_kept(
    aws: Aws, wazuh: Wazuh, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = {
        "AWS_ACCESS_KEY_ID": "AKIDPLANTEDENVIRONMENT",
        "AWS_SECRET_ACCESS_KEY": "planted+secret/of/environment",
        "AWS_SESSION_TOKEN": "planted-token-of-environment",
    }
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    flags = ("-a", "AKIDPLANTEDFLAG", "-k", "planted+secret/of/flags", "-x", "planted-external-id", "-i", ROLE)
    secrets = [*planted.values(), *(flags[number] for number in (1, 3, 5)), "secret of AKIDROLE", "token of AKIDROLE"]
    put(aws, REGION + "2026/11/20/a")
    put(aws, REGION + "2026/11/20/b", b"no JSON")
    log, stats = tmp_path / "log", tmp_path / "stats"
    said = []
    with Answering(lambda request: assumed("AKIDROLE", 3600)) as sts:
        for more in (flags, ()):
            for to in (("--log-file", str(log)), ()):
                done = run(
                    *(aws.url, "--debug", "3", "--stats-json", str(stats), "--skip_on_error", "-st", sts.url),
                    *(*to, *more),
                )
                assert (done.code, done.err) == (0, "")
                said += [done.out, stats.read_text(), log.read_text()]
        assert len(sts.requests) == 2
    with Answering(lambda request: refused_by_sts("AccessDenied")) as sts, Answering(lambda _: refused("Odd")) as s3:
        said += [run(aws.url, "-st", sts.url, "--debug", "3", *flags).out, run(s3.url, "--debug", "3").out]
    kept = [path.read_bytes() for path in wazuh.home.rglob("*") if path.is_file()]
    assert len(kept) >= 2
    for secret in secrets:
        assert [text for text in said if secret in text] == []
        assert [text for text in (*kept, *wazuh.bodies) if secret.encode() in text] == []


# The channel itself


def test_a_secret_in_a_stranger_s_message_is_blotted_out() -> None:
    out = StringIO()
    channel = Channel(out, debug=3, secrets=("planted-secret", "planted-secret-longer", "", None, "short"))
    channel.error("it was planted-secret-longer, not planted-secret or short")
    assert out.getvalue() == "ERROR: it was [secret], not [secret] or short\n"


def test_a_line_that_the_terminal_cannot_encode_is_said_with_escapes(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+", encoding="ascii") as out:
        Channel(out).error("s3://trail/\u00e4\udcff\u4e2d")
        out.seek(0)
        assert out.read() == "ERROR: s3://trail/\\xe4\\udcff\\u4e2d\n"


def test_somebody_who_does_not_listen_any_more_is_no_trouble(wazuh: Wazuh) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w", 1) as out:
        channel = Channel(out)
        channel.error("one")
        channel.error("two")
    with subprocess.Popen(
        [*command("http://127.0.0.1:1", wazuh.home), "--debug", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 15


def test_whatever_goes_wrong_is_told_in_a_line_with_its_place_and_ends_with_1() -> None:
    said: list[str] = []

    def run() -> int:
        raise ZeroDivisionError("one\nand another line")

    assert ended(run, said.append, said.append) == 1
    [line] = said
    assert re.fullmatch(r"unknown error: ZeroDivisionError at test_wodle\.py:\d+: one and another line; .+", line)


# Exit codes


def test_no_objects_no_accounts_and_nothing_new_are_told_apart(aws: Aws, run: Run) -> None:
    aws.client("s3").create_bucket(Bucket="trail")
    empty = run(aws.url)
    assert (empty.code, empty.err) == (14, "")
    assert "s3://trail/" in empty.out
    put(aws, "README")
    none = run(aws.url)
    assert none.code == 18
    assert "s3://trail/AWSLogs/" in none.out
    put(aws, REGION + "2026/10/20/old")
    assert run(aws.url) == Ended(0, "", "")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused("SignatureDoesNotMatch", 403), 3),
        (refused("InvalidAccessKeyId", 403), 3),
        (refused("NoSuchBucket", 404), 7),
        (refused("AccessDenied", 403), 7),
        (refused("InternalError", 500), 7),
        (refused("SlowDown", 503), 16),
        (Answer(503), 16),
        (refused("RequestTimeTooSkewed", 403), 19),
    ],
)
def test_what_s3_refuses_ends_with_its_code_and_names_the_bucket(run: Run, answer: Answer, code: int) -> None:
    with Answering(lambda request: answer) as s3:
        done = run(s3.url)
    assert (done.code, done.err) == (code, "")
    assert re.fullmatch(r"ERROR: listing s3://trail/.*: .+ \(\w+\); .+\n", done.out)


@pytest.mark.parametrize(("answer", "code"), [(refused("AccessDenied", 403), 7), (Answer(503), 16)])
def test_what_s3_refuses_when_an_object_is_read_names_the_object(run: Run, answer: Answer, code: int) -> None:
    def answers(request: Request) -> Answer:
        if "list-type" not in request.parameters:
            return answer
        folders = {"AWSLogs/": "AWSLogs/123456789012/", "AWSLogs/123456789012/CloudTrail/": REGION}
        return listing(REGION + "2026/11/20/a", folder=folders.get(request.parameters["prefix"], ""))

    with Answering(answers) as s3:
        done = run(s3.url)
    assert (done.code, done.err) == (code, "")
    assert re.fullmatch(rf"ERROR: reading s3://trail/{REGION}2026/11/20/a: .+\n", done.out)


def test_an_endpoint_that_is_not_there_ends_with_15(run: Run) -> None:
    done = run("http://127.0.0.1:1")
    assert done.code == 15
    assert re.fullmatch(r"ERROR: listing s3://trail/.*: .+ 127\.0\.0\.1:1\); .+\n", done.out)


def test_a_profile_that_is_not_there_ends_with_23_before_anything_else_is_begun(run: Run, wazuh: Wazuh) -> None:
    done = run("http://127.0.0.1:1", "--aws_profile", "nobody")
    assert done.code == 23
    assert "'nobody'" in done.out
    assert not (wazuh.home / "wodles").exists()


def test_a_role_that_sts_refuses_ends_with_3_and_is_named(run: Run) -> None:
    with Answering(lambda request: refused_by_sts("AccessDenied")) as sts:
        done = run("http://127.0.0.1:1", "-i", ROLE, "-st", sts.url)
    assert done.code == 3
    assert re.fullmatch(rf"ERROR: s3://trail/: assuming {ROLE}: .+\n", done.out)


def test_an_object_that_cannot_be_decompressed_ends_with_8(aws: Aws, run: Run) -> None:
    whole = document({"eventID": "a"})
    put(aws, REGION + "2026/11/20/a.json.gz", whole[: len(whole) // 2])
    done = run(aws.url)
    assert done.code == 8
    assert re.fullmatch(rf"ERROR: reading s3://trail/{REGION}2026/11/20/a\.json\.gz: .+\n", done.out)


def test_told_to_skip_wazuh_is_told_of_a_bad_object_which_is_tried_again_and_the_rest_is_delivered(
    aws: Aws, wazuh: Wazuh, run: Run
) -> None:
    bad = REGION + "2026/11/20/a"
    put(aws, bad, b'{"Records": [{"eventID": "good"}, {"eventID": bad}]}')
    put(aws, REGION + "2026/11/20/b")
    came = []
    for _ in range(4):
        assert run(aws.url, "--skip_on_error", "--aws_account_alias", "us") == Ended(0, "", "")
        came.append([json.loads(body) for body in wazuh.take()])
    first, *later = came
    assert [event["aws"].get("eventID") for event in first] == ["good", None, "b"]
    told = first[1]
    assert told["integration"] == "aws"
    assert told["aws"] == {"log_info": {"aws_account_alias": "us", "log_file": bad, "s3bucket": "trail"}}
    assert f"s3://trail/{bad}" in told["error_msg"]
    assert [[event.get("error_msg") for event in events] for events in later] == [[told["error_msg"]]] * 2 + [[]]


def test_a_queue_that_is_down_ends_with_11_in_the_time_that_is_given(
    aws: Aws, tmp_path: Path, run: Run, wazuh: Wazuh
) -> None:
    put(aws, REGION + "2026/11/20/a")
    nobody = tmp_path / "nobody"
    started = datetime.now(UTC)
    done = run(aws.url, "--queue-timeout", "0.3", "--wazuh-home", str(nobody))
    assert done.code == 11
    assert re.fullmatch(rf"ERROR: .*{nobody}/queue/sockets/queue: .+\n", done.out)
    assert timedelta(seconds=0.3) < datetime.now(UTC) - started < timedelta(seconds=5)
    state = ("--state", str(nobody / "wodles" / "aws" / "awsflow.db"))
    assert run(aws.url, *state) == Ended(0, "", "")
    assert ids(wazuh) == ["a"]


def test_a_run_that_has_nothing_to_send_needs_no_queue(aws: Aws, tmp_path: Path, run: Run) -> None:
    put(aws, REGION + "2026/10/20/old")
    assert run(aws.url, "--wazuh-home", str(tmp_path / "nobody")) == Ended(0, "", "")


def test_something_else_in_the_place_of_the_queue_ends_with_13(aws: Aws, tmp_path: Path, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    path = tmp_path / "other" / "queue" / "sockets" / "queue"
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as stream:
        stream.bind(str(path))
        stream.listen()
        done = run(aws.url, "--wazuh-home", str(tmp_path / "other"))
    assert done.code == 13
    assert str(path) in done.out


def test_a_state_that_cannot_be_used_ends_with_5_and_one_that_cannot_be_created_with_6(
    tmp_path: Path, run: Run
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    unusable = run("http://127.0.0.1:1", "--state", str(tmp_path / "link"))
    assert unusable.code == 5
    assert str(tmp_path / "link") in unusable.out
    impossible = run("http://127.0.0.1:1", "--state", str(tmp_path / "file" / "state.db"))
    assert impossible.code == 6
    assert str(tmp_path / "file") in impossible.out


# Two at a time


def test_a_second_run_at_the_same_time_says_so_in_one_line_that_is_no_error_and_leaves(
    aws: Aws, wazuh: Wazuh, tmp_path: Path, run: Run
) -> None:
    put(aws, REGION + "2026/11/20/a")
    silent = Answering(lambda request: None)
    stats = tmp_path / "stats"
    with silent as s3, subprocess.Popen(command(s3.url, wazuh.home), stdout=subprocess.PIPE) as first:
        try:
            while not s3.requests:
                assert first.poll() is None
                time.sleep(0.01)
            second = run(aws.url, "--stats-json", str(stats))
        finally:
            first.kill()
    assert (second.code, second.err) == (0, "")
    assert re.fullmatch(rf"WARNING: .*s3://trail/.* process {first.pid} .+\n", second.out)
    assert "ERROR" not in second.out
    assert not stats.exists()
    assert ids(wazuh) == []
    assert run(aws.url) == Ended(0, "", "")
    assert ids(wazuh) == ["a"]


# Which dates


def test_nothing_dated_before_the_given_day_is_read_with_and_without_state(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    put(aws, REGION + "2026/10/31/before")
    put(aws, REGION + "2026/11/01/on")
    put(aws, REGION + "2026/11/03/after")
    assert run(aws.url).code == 0
    assert ids(wazuh) == ["on", "after"]
    put(aws, REGION + "2026/11/02/late")
    put(aws, REGION + "2026/11/04/new")
    assert run(aws.url, "--only_logs_after", "2026-11-03").code == 0
    assert ids(wazuh) == ["new"]
    assert run(aws.url).code == 0
    assert ids(wazuh) == []


def test_without_a_day_and_without_state_it_is_today_and_with_state_from_the_last_run_less_the_look_back(
    aws: Aws, wazuh: Wazuh, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    put(aws, f"{REGION}{yesterday:%Y/%m/%d}/yesterday")
    put(aws, f"{REGION}{today:%Y/%m/%d}/today")
    words = ["-b", "trail", "-se", aws.url, "--wazuh-home", str(wazuh.home)]
    assert wodle.main(words) == 0
    assert ids(wazuh) == ["today"]
    put(aws, f"{REGION}{today:%Y/%m/%d}/later")
    assert wodle.main(words) == 0
    assert ids(wazuh) == ["later"]
    assert wodle.main([*words, "--reparse"]) == 0
    assert ids(wazuh) == ["later", "today"]
    assert capfd.readouterr() == ("", "")


# Flags that reach where they should


def test_a_role_is_assumed_through_the_sts_endpoint_and_a_run_without_one_never_asks_sts(
    aws: Aws, wazuh: Wazuh, run: Run
) -> None:
    put(aws, REGION + "2026/11/20/a")
    with Answering(lambda request: assumed("AKIDROLE", 3600)) as sts:
        assert run(aws.url, "-st", sts.url) == Ended(0, "", "")
        assert sts.requests == []
        flags = ("-i", ROLE, "-x", "the external id", "-rd", "900", "-a", "AKIDOWN", "-k", "own")
        assert run(aws.url, "-st", sts.url, "--reparse", *flags) == Ended(0, "", "")
    [asked] = sts.requests
    expected = {"RoleArn": ROLE, "RoleSessionName": "WazuhLogParsing", "ExternalId": "the external id"}
    assert asked.parameters.items() >= {**expected, "DurationSeconds": "900"}.items()
    assert "Credential=AKIDOWN/" in asked.headers["authorization"]
    assert ids(wazuh) == ["a", "a"]


def test_moto_s_own_sts_lets_the_role_be_assumed(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    assert run(aws.url, "-st", aws.url, "-i", ROLE, "-x", "the external id", "-rd", "3600") == Ended(0, "", "")
    assert ids(wazuh) == ["a"]


def test_prefix_suffix_organization_accounts_and_regions_say_where_to_look(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    place = "logs/AWSLogs/team/o-abc/"
    for account in ("111111111111", "222222222222"):
        for region in ("eu-west-1", "us-gov-west-1"):
            put(aws, f"{place}{account}/CloudTrail/{region}/2026/11/20/{account[0]}-{region}")
    where = ("-l", "logs", "-L", "team", "-O", "o-abc")
    assert run(aws.url, *where, "-c", "222222222222", "-r", "us-gov-west-1").code == 0
    assert ids(wazuh) == ["2-us-gov-west-1"]
    assert run(aws.url, *where, "--reparse").code == 0
    assert len(ids(wazuh)) == 4


def test_events_are_discarded_and_the_rest_carries_the_alias(aws: Aws, wazuh: Wazuh, run: Run, tmp_path: Path) -> None:
    events = [{"eventID": "1", "eventName": "ListKeys"}, {"eventID": "2", "eventName": "RunInstances"}]
    put(aws, REGION + "2026/11/20/a", document(*events))
    stats = tmp_path / "stats.json"
    flags = ("-df", "eventName", "-dr", "List|Describe", "-n", "prod", "--stats-json", str(stats))
    assert run(aws.url, *flags) == Ended(0, "", "")
    [event] = wazuh.events()
    assert event["aws"]["eventID"] == "2"
    assert event["aws"]["log_info"]["aws_account_alias"] == "prod"
    told = json.loads(stats.read_text())
    assert (told["read"], told["discarded"], told["sent"]) == (2, 1, 1)


def test_delivered_objects_are_removed_when_asked_for(aws: Aws, wazuh: Wazuh, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    assert run(aws.url, "-R").code == 0
    assert ids(wazuh) == ["a"]
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket="trail")


def test_an_event_that_is_too_large_is_shrunk_unless_told_otherwise_and_filed_whole(
    aws: Aws, wazuh: Wazuh, run: Run
) -> None:
    put(aws, REGION + "2026/11/20/a", document({"eventID": "large", "filling": "x" * 100_000}, {"eventID": "small"}))
    assert run(aws.url) == Ended(0, "", "")
    large, small = (json.loads(body)["aws"] for body in wazuh.take())
    assert large["log_info"]["truncated"]
    assert small["eventID"] == "small"
    assert run(aws.url, "--reparse", "--oversize", "dead-letter") == Ended(0, "", "")
    assert ids(wazuh) == ["small"]
    assert run(aws.url, "--reparse", "--oversize", "send") == Ended(0, "", "")
    assert [len(body) > 100_000 for body in wazuh.take()] == [True, False]
    letters = (wazuh.home / "wodles" / "aws" / "dead-letter.ndjson").read_text().splitlines()
    assert [json.loads(json.loads(letter)["content"])["aws"]["eventID"] for letter in letters] == ["large"] * 2


def test_the_events_per_second_can_be_capped(aws: Aws, wazuh: Wazuh, run: Run, tmp_path: Path) -> None:
    put(aws, REGION + "2026/11/20/a", document(*({"eventID": str(number)} for number in range(60))))
    stats = tmp_path / "stats.json"
    assert run(aws.url, "--max-eps", "40", "--stats-json", str(stats)) == Ended(0, "", "")
    assert len(ids(wazuh)) == 60
    assert json.loads(stats.read_text())["seconds"] > 0.4


def test_an_object_that_grows_beyond_the_limits_is_given_up(aws: Aws, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a.json.gz", gzip.compress(b'{"Records": [' + b" " * (129 << 20), 1))
    for flags in (("--max-ratio", "100"), ("--max-object-size", "1000000")):
        done = run(aws.url, *flags)
        assert done.code == 8
        assert re.fullmatch(rf"ERROR: reading s3://trail/{REGION}2026/11/20/a\.json\.gz: .+\n", done.out)
        assert flags[0] in done.out


# The summary


def test_a_run_that_failed_tells_what_it_came_to_as_well(aws: Aws, tmp_path: Path, run: Run) -> None:
    put(aws, REGION + "2026/11/20/a")
    put(aws, REGION + "2026/11/20/b", b"no JSON")
    stats = tmp_path / "stats.json"
    assert run(aws.url, "--stats-json", str(stats)).code == 9
    assert json.loads(stats.read_text())["sent"] == 1


def test_a_summary_that_cannot_be_written_is_a_warning(aws: Aws, tmp_path: Path, run: Run, wazuh: Wazuh) -> None:
    put(aws, REGION + "2026/11/20/a")
    done = run(aws.url, "--stats-json", str(tmp_path / "no" / "stats.json"))
    assert done.code == 0
    assert re.fullmatch(rf"WARNING: writing the summary {tmp_path}/no/stats\.json: .+\n", done.out)
    assert ids(wazuh) == ["a"]


def test_arguments_that_turn_out_wrong_late_have_no_usage_line() -> None:
    said: list[str] = []

    def run() -> int:
        raise ArgumentsError("reading x: it is not there")

    assert ended(run, said.append, said.append) == 2
    assert said == ["reading x: it is not there"]
