"""No secret is in anything that is printed or kept, at any debug level, whatever works or fails: planted, searched."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from awsflow.cli.wodle_flags import parse
from tests.answers import Answer, Answering, Request, assumed, listing, refused_by_sts
from tests.test_security import files_in, run
from tests.wazuh import Wazuh

ACCESS_KEY = "AKIAPLANTEDINFLAGS00"
SECRET_KEY = "planted-secret-key-in-flags"
EXTERNAL_ID = "planted-external-id"
IN_ENVIRONMENT = ("AKIAPLANTEDINENVIRON", "planted-secret-key-in-environment", "planted-session-token")
IN_PROFILE = ("AKIAPLANTEDINPROFILE", "planted-secret-key-in-profile")
OF_ROLE = ("AKIAPLANTEDOFTHEROLE", "secret of AKIAPLANTEDOFTHEROLE", "token of AKIAPLANTEDOFTHEROLE")
PASSWORD = "planted-password-in-a-url"
RECEIPT = "planted-receipt-handle"
SIGNATURE = "X-Amz-Signature=planted-signature"
PLANTED = (
    *(ACCESS_KEY, SECRET_KEY, EXTERNAL_ID, *IN_ENVIRONMENT, *IN_PROFILE, *OF_ROLE, PASSWORD, RECEIPT),
    SIGNATURE.partition("=")[2],
)
ROLE = ("-i", "arn:aws:iam::123456789012:role/logs", "-x", EXTERNAL_ID)
KEYS = ("-a", ACCESS_KEY, "-k", SECRET_KEY)
OBJECT = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/20/123456789012_CloudTrail_us-east-1_20261120T0000Z_a.json"
CONTENT = b'{"Records": [{"a": 1}, 7]}'
MESSAGES = (
    json.dumps({"url": f"https://logs.s3.amazonaws.com/k?{SIGNATURE}&X-Amz-Security-Token={IN_ENVIRONMENT[2]}"}),
    json.dumps({"s3Bucket": "logs", "s3ObjectKey": [OBJECT]}),
)


@dataclass(frozen=True)
class Case:
    """What the endpoint answers, and how awsflow is called."""

    name: str
    flags: Sequence[str]
    answer: Callable[[Request], Answer]
    env: dict[str, str] = field(default_factory=dict)
    code: int | None = None


def echoing(code: str, status: int) -> Callable[[Request], Answer]:
    """A refusal that repeats all that was asked, as AWS's `SignatureDoesNotMatch` does, and more."""

    def answer(request: Request) -> Answer:
        asked = f"{request.path} {request.parameters} {request.headers} {' '.join(PLANTED)}"
        clean = asked.replace("&", "").replace("<", "").replace('"', "'")
        if "x-amz-target" in request.headers or request.path.startswith("/findings"):
            return Answer(status, json.dumps({"__type": code, "message": clean}).encode())
        return Answer(status, f"<Error><Code>{code}</Code><Message>{clean}</Message></Error>".encode())

    return answer


def well(request: Request) -> Answer:
    """Everything works: one object, one log stream, one finding, two messages of which one is not to be understood."""
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    told: object = {}
    match target:
        case "GetQueueUrl":
            told = {"QueueUrl": "http://127.0.0.1/123456789012/notices"}
        case "GetQueueAttributes":
            told = {"Attributes": {"VisibilityTimeout": "30"}}
        case "ReceiveMessage" if not received(request):
            told = {
                "Messages": [
                    {"MessageId": str(number), "ReceiptHandle": RECEIPT, "Body": body}
                    for number, body in enumerate(MESSAGES)
                ]
            }
        case "DescribeLogStreams":
            told = {"logStreams": [{"logStreamName": "stream"}]}
        case "GetLogEvents":
            told = {"events": [{"timestamp": 1_795_000_000_000, "message": "m"}], "nextForwardToken": "f/1"}
        case "" if request.parameters.get("Action") == "AssumeRole":
            return assumed(OF_ROLE[0], 3600)
        case "" if request.path.startswith("/findings"):
            told = {
                "findings": [{"findingArn": "arn:aws:inspector2:us-east-1:1:finding/1", "updatedAt": 1_795_000_000}]
            }
        case "" if request.parameters.get("list-type"):
            delimited = request.parameters.get("delimiter") and request.parameters["prefix"].count("/") < 4
            folder = OBJECT[: OBJECT.index("/", len(request.parameters["prefix"])) + 1]
            told_of = listing(OBJECT, folder=folder if delimited else "").body
            return Answer(body=told_of.replace(b"<Size>1<", b"<Size>%d<" % len(CONTENT)))
        case "":
            return Answer(body=CONTENT, headers={"ETag": '"0123"'})
    return Answer(body=json.dumps(told).encode())


_seen: dict[str, int] = {}


def received(request: Request) -> bool:
    """Whether messages were received from this port before: then the queue is empty."""
    host = request.headers["host"]
    _seen[host] = _seen.get(host, 0) + 1
    return _seen[host] > 1


SOURCES: dict[str, Sequence[str]] = {
    "bucket": ("--bucket", "logs", "--only_logs_after", "2026-11-01"),
    "cloudwatchlogs": ("--service", "cloudwatchlogs", "-g", "group", "-r", "us-east-1", "-s", "2026-11-01"),
    "inspector": ("--service", "inspector", "-r", "us-east-1"),
    "buckets": ("--subscriber", "buckets", "--queue", "notices", "--wait", "0"),
}
CASES = [
    *(Case(f"{name} works", [*flags, *KEYS, *ROLE], well) for name, flags in SOURCES.items()),
    *(
        Case(f"{name} is refused", [*flags, *KEYS], echoing("SignatureDoesNotMatch", 403), code=None)
        for name, flags in SOURCES.items()
    ),
    Case("skipped", [*SOURCES["buckets"], "--skip_on_error"], well),
    Case("profile", [*SOURCES["bucket"], "-p", "planted", *ROLE], well),
    Case("no role", [*SOURCES["bucket"], "-p", "planted", *ROLE], lambda request: refused_by_sts(" ".join(PLANTED))),
    *(
        Case(code, SOURCES["bucket"], echoing(code, status))
        for code, status in (("InvalidAccessKeyId", 403), ("NoSuchBucket", 404), ("RequestTimeTooSkewed", 403))
    ),
    Case("server fails", SOURCES["buckets"], echoing("InternalError", 500)),
    Case("nonsense", SOURCES["cloudwatchlogs"], lambda request: Answer(body=" ".join(PLANTED).encode())),
    Case("no profile", [*SOURCES["bucket"], "-p", "missing"], well, code=23),
    Case("wrong flags", [*SOURCES["bucket"], *KEYS, *ROLE, f"--skip_on_error={SECRET_KEY}"], well, code=2),
    Case("unknown flag", [*SOURCES["bucket"], *KEYS, f"--secret-kee={SECRET_KEY}"], well, code=2),
    Case("half the keys", [*SOURCES["bucket"], "-k", SECRET_KEY], well, code=2),
    Case("half of the profile", [*SOURCES["bucket"], "-p", "half"], well),
    Case(
        "proxy",
        SOURCES["bucket"],
        well,
        env={"HTTP_PROXY": f"http://user:{PASSWORD}@127.0.0.1:9", "HTTPS_PROXY": f"http://user:{PASSWORD}@127.0.0.1:9"},
    ),
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home with profiles, and Wazuh beside it."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        f"[planted]\naws_access_key_id = {IN_PROFILE[0]}\naws_secret_access_key = {IN_PROFILE[1]}\n"
        f"[half]\naws_secret_access_key = {IN_PROFILE[1]}\n"
    )
    with Wazuh(tmp_path / "ossec"):
        yield tmp_path


def call(home: Path, url: str, case: Case, debug: int) -> "subprocess.CompletedProcess[bytes]":
    return run(
        *("wodle", *case.flags, "-d", str(debug), "-se", url, "-st", url, "--queue-timeout", "1"),
        *("--wazuh-home", home / "ossec", "--stats-json", home / "stats.json"),
        home=home,
        env={
            "AWS_ACCESS_KEY_ID": IN_ENVIRONMENT[0],
            "AWS_SECRET_ACCESS_KEY": IN_ENVIRONMENT[1],
            "AWS_SESSION_TOKEN": IN_ENVIRONMENT[2],
            **case.env,
        },
    )


def found(home: Path, ended: "subprocess.CompletedProcess[bytes]", kept: Sequence[str] = ()) -> dict[str, list[str]]:
    """The planted secrets, by where they were found. Files of `kept` names hold content as it came."""
    places = {"stdout": ended.stdout, "stderr": ended.stderr}
    for path in files_in(home):
        if ".aws" not in path.parts and path.name not in kept:
            places[str(path.relative_to(home))] = path.read_bytes()
    told = {place: [secret for secret in PLANTED if secret.encode() in content] for place, content in places.items()}
    return {place: secrets for place, secrets in told.items() if secrets}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_planted_secret_is_in_what_a_run_prints_or_keeps(case: Case, home: Path) -> None:
    with Answering(case.answer) as server:
        ended = call(home, server.url, case, debug=3)
    if case.name.endswith(" works"):
        assert ended.returncode in (0, 9, 21), ended
    elif case.code is None:
        assert ended.returncode or case.name in ("skipped", "profile"), ended
    else:
        assert ended.returncode == case.code, ended
    assert b"Traceback" not in ended.stdout + ended.stderr
    assert b"unknown error" not in ended.stdout
    assert found(home, ended, kept=["dead-letter.ndjson"]) == {}
    for path in home.rglob("dead-letter.ndjson"):
        letters = path.read_text()
        assert RECEIPT not in letters
        assert SECRET_KEY not in letters


@pytest.mark.parametrize("debug", range(3))
def test_nor_is_it_at_any_other_debug_level_or_in_the_log_file(debug: int, home: Path) -> None:
    case = Case("refused", [*SOURCES["bucket"], *KEYS, "--log-file", str(home / "log")], echoing("AccessDenied", 403))
    with Answering(case.answer) as server:
        ended = call(home, server.url, case, debug)
    assert ended.returncode == 7
    assert found(home, ended) == {}


def test_nor_is_a_password_in_the_url_of_an_endpoint_that_is_down(home: Path) -> None:
    case = Case("down", SOURCES["bucket"], well)
    ended = call(home, f"http://user:{PASSWORD}@127.0.0.1:9", case, 3)
    assert ended.returncode == 15
    assert found(home, ended) == {}


def test_nor_is_it_in_what_the_commands_for_people_say(home: Path) -> None:
    with Answering(echoing("SignatureDoesNotMatch", 403)) as server:
        url = server.url.replace("http://", f"http://user:{PASSWORD}@")
        options = ("--after", "2026-11-01", "--profile", "planted", "--external-id", EXTERNAL_ID, "--debug")
        ended = run("bucket", "logs", *options, "--endpoint-url", url, home=home)
    assert ended.returncode == 3
    assert found(home, ended) == {}


def test_options_do_not_show_their_secrets() -> None:
    options = parse([*SOURCES["bucket"], *KEYS, *ROLE], {})
    assert options.access.secret_key == SECRET_KEY
    assert [secret for secret in PLANTED if secret in repr(options)] == []
