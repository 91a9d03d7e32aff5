"""Under each fault that the fault server knows: nothing lost, nothing twice, no hang, an error that says what to do."""

import gzip
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import smart_open.s3
from botocore.retries.standard import ExponentialBackoff

from awsflow import Batch, Flow
from awsflow.errors import AwsflowError, DecompressError, EndpointUnreachable, ObjectGone, ObjectReplaced
from awsflow.flow import Source
from awsflow.options import AwsAccess
from awsflow.sinks import NdjsonFile
from awsflow.sources import CloudWatchLogs, Inspector, Queue, S3Bucket
from benchmarks.measure import s3_standin
from tests.answers import Answer, Request
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.fault_server import KINDS, FaultServer, Rule, once
from tests.log_service import LogService
from tests.queues import Logs, until
from tests.test_flow import FragileSink
from tests.test_inspector import InspectorService
from tests.wazuh import Wazuh

KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/"
SECOND = f"GET /trail/{KEY}b"
TODAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/logs"
EVENTS = 1200
"""Of each object: more than a batch."""


def document(name: str, events: int = EVENTS) -> bytes:
    """A CloudTrail object of some hundred kilobytes, so that there is a middle to break off in."""
    dice = random.Random(name)
    records = [{"eventID": f"{name}{number}", "filling": dice.randbytes(200).hex()} for number in range(events)]
    return gzip.compress(json.dumps({"Records": records}).encode(), 1)


DOCUMENTS = {name: document(name) for name in "abc"}
ALL = [f"{name}{number}" for name in "abc" for number in range(EVENTS)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore tries twice, and does not wait between; smart_open waits a fiftieth of its time."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *anything: 0)
    monkeypatch.setattr(smart_open.s3, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 50)))


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a quick S3 whose objects stay as they are."""
    root = tmp_path_factory.mktemp("s3")
    for name, content in DOCUMENTS.items():
        path = root / "trail" / KEY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with s3_standin(root) as url:
        yield url


@pytest.fixture
def s3(aws: Aws) -> Any:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    for name, content in DOCUMENTS.items():
        client.put_object(Bucket="trail", Key=KEY + name, Body=content)
    return client


def access_to(faulty: FaultServer, **more: Any) -> AwsAccess:
    return AwsAccess(service_endpoint=faulty.url, read_seconds=1.5, call_seconds=4, **more)


class Runs:
    """Runs one after the other, with the same state."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.notes: list[str] = []
        self.ids: list[str] = []
        """Of the events that have arrived."""

    def run(self, access: AwsAccess, **options: Any) -> None:
        sink = FragileSink()
        source = S3Bucket(
            "trail", state=self.state, access=access, now=lambda: TODAY, note=self.notes.append, **options
        )
        try:
            Flow(source, batch=Batch(seconds=60)).to(sink).run()
        finally:
            self.ids += [json.loads(event)["aws"]["eventID"] for event in sink.arrived]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "state.db")


def asks(action: str) -> Callable[[Request], bool]:
    return lambda request: request.action == action


def lists(request: Request) -> bool:
    return request.action == "GET /trail"


RECOVERING = [name for name, kind in KINDS.items() if kind.recovers]
SOME = ("throttling", "server-error", "bad-gateway", "reset-before-head", "truncated", "empty", "garbage", "denied")
"""Kinds of fault that go different ways where an answer comes in one piece."""


# Reading a bucket


@pytest.mark.parametrize("kind", RECOVERING)
def test_what_happens_once_while_an_object_is_read_makes_no_difference(trail: str, runs: Runs, kind: str) -> None:
    with FaultServer(trail, once(kind, asks(SECOND))) as faulty:
        runs.run(access_to(faulty))
        assert faulty.happened == {kind: 1}
    assert runs.ids == ALL


@pytest.mark.parametrize("kind", [*(kind for kind in SOME if KINDS[kind].recovers), "silence", "elsewhere"])
def test_what_happens_once_while_a_bucket_is_listed_makes_no_difference(trail: str, runs: Runs, kind: str) -> None:
    with FaultServer(trail, once(kind, lists, 3)) as faulty:
        runs.run(access_to(faulty))
        assert faulty.happened == {kind: 1}
    assert runs.ids == ALL


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.code])
def test_what_lasts_ends_the_run_where_it_is_and_the_next_one_goes_on_there(trail: str, runs: Runs, kind: str) -> None:
    with FaultServer(trail, Rule(kind, asks(SECOND))) as faulty:
        with pytest.raises(AwsflowError, match=f"^reading s3://trail/{KEY}b: .*; ") as raised:
            runs.run(access_to(faulty))
        assert raised.value.exit_code == (KINDS[kind].of_object or KINDS[kind].code)
        assert runs.ids == ALL[: len(runs.ids)]
        assert len(runs.ids) >= EVENTS
        faulty.rules.clear()
        runs.run(access_to(faulty))
    assert runs.ids == ALL


@pytest.mark.parametrize("kind", [*SOME, "stall", "skewed", "expired-token", "elsewhere"])
def test_a_listing_that_fails_for_good_is_no_empty_bucket(trail: str, runs: Runs, kind: str) -> None:
    with FaultServer(trail, Rule(kind, lists, first=3)) as faulty:
        with pytest.raises(AwsflowError, match=r"^listing s3://trail/.*: .*; ") as raised:
            runs.run(access_to(faulty))
        assert raised.value.exit_code == KINDS[kind].code
        faulty.rules.clear()
        runs.run(access_to(faulty))
    assert runs.ids == ALL


@pytest.mark.parametrize("kind", ["denied", "gone", "truncated", "server-error"])
def test_where_errors_are_skipped_what_is_one_object_s_own_keeps_no_other_one(
    trail: str, runs: Runs, kind: str
) -> None:
    with FaultServer(trail, Rule(kind, asks(SECOND))) as faulty:
        runs.run(access_to(faulty), skip_on_error=True)
        assert {"a", "c"} <= {id_[0] for id_ in runs.ids}
        faulty.rules.clear()
        runs.run(access_to(faulty), skip_on_error=True)
    assert sorted(set(runs.ids)) == sorted(ALL)


def test_a_connection_that_breaks_off_everywhere_gives_every_byte_once_and_asks_for_one_version_only(
    trail: str, runs: Runs
) -> None:
    dice = random.Random(5)

    def breaking(request: Request) -> str | None:
        return dice.choice(["reset-in-body", "truncated"]) if request.action == SECOND and dice.random() < 0.8 else None

    with FaultServer(trail, choose=breaking) as faulty:
        runs.run(
            access_to(
                faulty,
            )
        )
        asked = [request.headers for request in faulty.requests if request.action == SECOND]
    assert runs.ids == ALL
    assert len(asked) > 2
    assert len({headers["if-match"] for headers in asked}) == 1
    begins = [int(headers["range"].removeprefix("bytes=").rstrip("-")) for headers in asked]
    assert begins == sorted(begins)
    assert [note for note in runs.notes if re.search(r"broke off \(\w+\); opened again, bytes=\d+-", note)]


def test_bodies_that_s3_drops_while_they_wait_behind_a_long_object_are_opened_again_where_they_were(
    aws: Aws, runs: Runs
) -> None:
    client = aws.client("s3")
    client.create_bucket(Bucket="trail")
    large = document("b", 24_000)
    assert len(large) > 5 << 20
    for name, content in (("a", DOCUMENTS["a"]), ("b", large)):
        client.put_object(Bucket="trail", Key=KEY + name, Body=content)

    def drops(request: Request) -> Answer | None:
        """Behind more than is fetched ahead."""
        if request.action != SECOND or request.headers["range"] != "bytes=0-":
            return None
        told = {"ETag": client.head_object(Bucket="trail", Key=KEY + "b")["ETag"]}
        part = {"Content-Range": f"bytes 0-{len(large) - 1}/{len(large)}"}
        return Answer(206, large, told | part, ending="reset", cut=(4 << 20) + (1 << 19))

    with FaultServer(aws.url, choose=drops) as faulty:
        runs.run(access_to(faulty))
        again = [request.headers["range"] for request in faulty.requests if request.action == SECOND][1:]
    assert runs.ids == [*ALL[:EVENTS], *(f"b{number}" for number in range(24_000))]
    assert [int(each.removeprefix("bytes=").rstrip("-")) > 0 for each in again] == [True] * len(again) != []


def test_an_object_that_is_cut_off_in_the_store_is_no_matter_of_connections(aws: Aws, s3: Any, runs: Runs) -> None:
    s3.put_object(Bucket="trail", Key=KEY + "b", Body=DOCUMENTS["b"][:-50_000])
    with FaultServer(aws.url) as faulty:
        with pytest.raises(DecompressError, match=f"^reading s3://trail/{KEY}b: "):
            runs.run(access_to(faulty))
        assert faulty.count(SECOND) == 1
    assert set(ALL[:EVENTS]) < set(runs.ids)


# Objects that change


def replacing(s3: Any, at: int, name: str = "B") -> Callable[[Request], None]:
    """Replaces the second object just before it is asked for the n-th time."""
    seen = 0

    def replace(request: Request) -> None:
        nonlocal seen
        seen += request.action == SECOND
        if request.action == SECOND and seen == at:
            s3.put_object(Bucket="trail", Key=KEY + "b", Body=document(name))

    return replace


def test_an_object_that_is_replaced_after_it_was_listed_is_read_as_it_is_now(aws: Aws, s3: Any, runs: Runs) -> None:
    with FaultServer(aws.url, choose=replacing(s3, 1)) as faulty:
        runs.run(access_to(faulty))
        expected = [*ALL[:EVENTS], *(f"B{number}" for number in range(EVENTS)), *ALL[2 * EVENTS :]]
        assert runs.ids == expected
        runs.run(access_to(faulty))
    assert runs.ids == expected
    assert [note for note in runs.notes if "replaced" in note and "read from its beginning, as it is now" in note]


def test_an_object_that_is_replaced_between_two_ranged_reads_is_never_a_mixture(aws: Aws, s3: Any, runs: Runs) -> None:
    with FaultServer(aws.url, once("reset-in-body", asks(SECOND)), choose=replacing(s3, 1)) as faulty:
        runs.run(access_to(faulty))
        count = faulty.count(SECOND)
    old = [id_ for id_ in runs.ids if id_[0] == "b"]
    assert count == 3
    assert old == ALL[EVENTS : EVENTS + len(old)]
    assert len(old) < EVENTS
    assert [id_ for id_ in runs.ids if id_[0] != "b"] == [
        *ALL[:EVENTS],
        *(f"B{number}" for number in range(EVENTS)),
        *ALL[2 * EVENTS :],
    ]


def test_with_workers_an_object_that_is_replaced_while_it_is_read_is_committed_as_it_is_now(
    aws: Aws, s3: Any, runs: Runs, tmp_path: Path
) -> None:
    with FaultServer(aws.url, once("reset-in-body", asks(SECOND)), choose=replacing(s3, 1)) as faulty:
        source = S3Bucket("trail", state=runs.state, access=access_to(faulty), now=lambda: TODAY)
        Flow(source, batch=Batch(100, seconds=60)).to(NdjsonFile(tmp_path / "events", wait=30)).run(2)
        runs.run(access_to(faulty))
    ids = [json.loads(line)["aws"]["eventID"] for line in (tmp_path / "events").read_bytes().splitlines()]
    for name in "aBc":
        assert [id_ for id_ in ids if id_[0] == name] == [f"{name}{number}" for number in range(EVENTS)]
    assert runs.ids == []


def test_a_store_that_knows_no_if_match_cannot_mix_versions_either(aws: Aws, s3: Any, runs: Runs) -> None:
    new = document("B")

    def ignoring(request: Request) -> Answer | None:
        if request.action != SECOND or request.headers["range"] == "bytes=0-":
            return None
        s3.put_object(Bucket="trail", Key=KEY + "b", Body=new)
        begin = int(request.headers["range"].removeprefix("bytes=").rstrip("-"))
        headers = {"ETag": '"another"', "Content-Range": f"bytes {begin}-{len(new) - 1}/{len(new)}"}
        return Answer(206, new[begin:], headers)

    with FaultServer(aws.url, once("reset-in-body", asks(SECOND)), choose=ignoring) as faulty:
        runs.run(access_to(faulty))
    assert [id_ for id_ in runs.ids if id_[0] == "B"] == [f"B{number}" for number in range(EVENTS)]
    assert runs.ids[-EVENTS:] == ALL[-EVENTS:]


def test_an_object_that_is_replaced_all_the_time_does_not_keep_a_run_for_ever(aws: Aws, s3: Any, runs: Runs) -> None:
    with FaultServer(aws.url, Rule("replaced", asks(SECOND))) as faulty:
        with pytest.raises(ObjectReplaced, match="the next run"):
            runs.run(access_to(faulty))
        assert faulty.count(SECOND) == 3


def test_an_object_that_is_deleted_after_it_was_listed_ends_one_run_and_not_the_next(
    aws: Aws, s3: Any, runs: Runs
) -> None:
    def deleting(request: Request) -> None:
        if request.action == SECOND:
            s3.delete_object(Bucket="trail", Key=KEY + "b")

    with FaultServer(aws.url, choose=deleting) as faulty:
        with pytest.raises(ObjectGone, match=f"reading s3://trail/{KEY}b: the object is gone"):
            runs.run(access_to(faulty))
        runs.run(access_to(faulty))
    assert runs.ids == [*ALL[:EVENTS], *ALL[2 * EVENTS :]]


def test_an_object_of_a_queue_is_read_in_one_version_though_no_message_tells_which(aws: Aws) -> None:
    logs = Logs(aws)
    contents = {
        name: gzip.compress(
            "".join(
                json.dumps({"n": f"{name}{number}", "filling": random.Random(number).randbytes(200).hex()}) + "\n"
                for number in range(EVENTS)
            ).encode(),
            1,
        )
        for name in ("old", "new")
    }
    logs.put("a.gz", content=contents["old"])

    def replaced(request: Request) -> None:
        if request.action == "GET /logs/a.gz":
            logs.put("a.gz", content=contents["new"], told=False)

    sink = FragileSink()
    with FaultServer(aws.url, once("reset-in-body", asks("GET /logs/a.gz")), choose=replaced) as faulty:
        Flow(logs.source(access=access_to(faulty))).to(sink).run()
    names = [json.loads(event)["aws"]["n"] for event in sink.arrived]
    assert names[-EVENTS:] == [f"new{number}" for number in range(EVENTS)]
    assert names[:-EVENTS] == [f"old{number}" for number in range(len(names) - EVENTS)]
    assert logs.left() == 0


# Other services


Ready = tuple[str, Callable[[AwsAccess], Source], str]
OTHERS = ("sqs", "logs", "inspector")


@pytest.fixture(params=OTHERS)
def service(request: pytest.FixtureRequest, aws: Aws, tmp_path: Path) -> Iterator[Ready]:
    """A service with five events: its address, a source of it, and what asks it for them."""
    state = tmp_path / "state.db"
    if request.param == "sqs":
        logs = Logs(aws, VisibilityTimeout=1)  # what was received, though the answer got lost, comes again after that
        logs.put(*"12345")
        yield aws.url, lambda access: Queue("logs", access=access, wait=0), "ReceiveMessage"
    elif request.param == "logs":
        with LogService() as log_service:
            log_service.put("g", "s", *((int(TODAY.timestamp() * 1000), json.dumps({"n": n})) for n in "12345"))
            day = date(2026, 11, 1)
            yield (
                log_service.url,
                lambda access: CloudWatchLogs("g", access=access, state=state, only_after=day, now=lambda: TODAY),
                "GetLogEvents",
            )
    else:
        with InspectorService() as inspector:
            inspector.put(*((n, -60.0) for n in "12345"))
            yield (
                inspector.url,
                lambda access: Inspector(access=access, state=state, now=lambda: TODAY),
                "POST /findings/list",
            )


def arrived(source: Callable[[AwsAccess], Source], access: AwsAccess) -> list[str]:
    """What has come when everything should have: a queue shows it again after a while."""
    sink = FragileSink()

    def all_there() -> bool:
        Flow(source(access)).to(sink).run()
        return len(sink.arrived) >= 5

    until(all_there)
    told = [json.loads(event) for event in sink.arrived]
    return sorted(event.get("aws", event).get("n") or event["aws"]["title"] for event in told)


@pytest.mark.parametrize("kind", [kind for kind in SOME if KINDS[kind].recovers])
def test_what_happens_once_makes_no_difference_to_a_service(service: Ready, kind: str) -> None:
    url, source, asked = service
    with FaultServer(url, once(kind, asks(asked))) as faulty:
        assert arrived(source, access_to(faulty)) == list("12345")
        assert faulty.happened == {kind: 1}


@pytest.mark.parametrize("kind", SOME)
def test_what_lasts_is_an_error_of_the_service_and_the_next_run_has_everything(
    service: Ready, kind: str, request: pytest.FixtureRequest
) -> None:
    url, source, asked = service
    own = {"sqs": 21, "logs": 16}.get(request.node.callspec.params["service"], 7)
    with FaultServer(url, Rule(kind, asks(asked))) as faulty:
        with pytest.raises(AwsflowError, match=r": .*; ") as raised:
            arrived(source, access_to(faulty))
        assert raised.value.exit_code == {7: own}.get(KINDS[kind].code, KINDS[kind].code)
        faulty.rules.clear()
        assert arrived(source, access_to(faulty)) == list("12345")


@pytest.mark.parametrize("kind", [*SOME, "elsewhere", "skewed"])
def test_sts_is_no_exception(aws: Aws, trail: str, runs: Runs, kind: str) -> None:
    with FaultServer(aws.url, Rule(kind)) as faulty:
        access = AwsAccess(service_endpoint=trail, sts_endpoint=faulty.url, role_arn=ROLE, read_seconds=1.5)
        with pytest.raises(AwsflowError, match=f"^assuming {ROLE}: .*; ") as raised:
            runs.run(access)
        refused = kind in ("denied", "elsewhere")
        assert raised.value.exit_code == (3 if refused else KINDS[kind].code)
        faulty.rules.clear()
        runs.run(access)
    assert runs.ids == ALL


# Roles and deadlines


def test_a_role_whose_token_expires_before_its_time_is_assumed_anew(aws: Aws, s3: Any, runs: Runs) -> None:
    def assumes(request: Request) -> bool:
        return request.parameters.get("Action") == "AssumeRole"

    with FaultServer(aws.url, once("expired-token", asks(SECOND)), once("expired-token", lists, 2)) as faulty:
        runs.run(access_to(faulty, role_arn=ROLE, sts_endpoint=faulty.url))
        tokens = [request.headers["x-amz-security-token"] for request in faulty.requests if not assumes(request)]
        assert sum(map(assumes, faulty.requests)) == 3
    assert runs.ids == ALL
    assert len(set(tokens)) == 3
    assert tokens[1] != tokens[2]


def test_an_endpoint_that_is_silent_is_given_up_when_the_call_s_time_is_over_however_many_attempts_are_left(
    aws: Aws, s3: Any, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "100")
    with FaultServer(aws.url, Rule("silence")) as faulty:
        access = AwsAccess(service_endpoint=faulty.url, read_seconds=0.2, call_seconds=0.5)
        with pytest.raises(EndpointUnreachable, match=r"listing s3://trail/.*: the endpoint does not answer"):
            runs.run(access)
        assert 2 <= len(faulty.requests) <= 4


# As the scheduler sees it


def command(faulty: FaultServer, wazuh: Wazuh, *flags: str) -> tuple[int, str]:
    ended = awsflow(
        *("wodle", "--bucket", "trail", "--only_logs_after", "2026-NOV-01", "--wazuh-home", wazuh.home),
        *("--service_endpoint", faulty.url, *flags),
        home=wazuh.home,
        env={"AWS_MAX_ATTEMPTS": "2"},
    )
    assert ended.stderr == b""
    return ended.returncode, ended.stdout.decode()


def test_a_fault_that_is_overcome_prints_nothing(aws: Aws, s3: Any, tmp_path: Path) -> None:
    rules = [once("reset-in-body", asks(SECOND)), once("slow-down", lists), once("truncated", asks(f"{SECOND[:-1]}c"))]
    with Wazuh(tmp_path) as wazuh, FaultServer(aws.url, *rules) as faulty:
        assert command(faulty, wazuh) == (0, "")
        assert faulty.happened == {"reset-in-body": 1, "slow-down": 1, "truncated": 1}
        assert [event["aws"]["eventID"] for event in wazuh.events()] == ALL


@pytest.mark.parametrize("kind", ["denied", "slow-down", "skewed"])
def test_a_fault_that_lasts_is_one_line_with_its_code_and_what_came_before_it_is_committed(
    aws: Aws, s3: Any, tmp_path: Path, kind: str
) -> None:
    with Wazuh(tmp_path) as wazuh, FaultServer(aws.url, Rule(kind, asks(SECOND))) as faulty:
        code, told = command(faulty, wazuh)
        assert code == KINDS[kind].code
        assert re.fullmatch(rf"ERROR: reading s3://trail/{KEY}b: .+; .+\n", told)
        faulty.rules.clear()
        assert command(faulty, wazuh) == (0, "")
        assert [event["aws"]["eventID"] for event in wazuh.events()] == ALL
