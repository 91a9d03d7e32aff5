"""GetObject by example: what is sent is what the client would have sent; what is not as usual, the client asks for."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import botocore.auth
import pytest
import smart_open.s3
from botocore import UNSIGNED
from botocore.retries.standard import ExponentialBackoff
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.aws import client
from awsflow.errors import AwsflowError, CredentialsError, EndpointUnreachable
from awsflow.items import Found, Origin
from awsflow.options import AwsAccess
from awsflow.sources import ahead
from awsflow.sources.ahead import fetched
from awsflow.sources.s3_body import Opening
from tests.answers import Answer, Answering, Request, assumed, refused
from tests.fault_server import KINDS, FaultServer, Rule, once
from tests.queues import until

ROLE = "arn:aws:iam::123456789012:role/logs"
BUCKET = "trail"
CONTENT = bytes(range(256)) * 1200
"""Of each object: some pieces, so that there is a middle to break off in."""
SMALL = CONTENT[:20_000]
"""Of an object that may be asked for before it is wanted."""
ETAG = "0123456789abcdef"


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine; botocore tries twice, and does not wait between; smart_open waits a fiftieth."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy", "AWS_RETRY_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *anything: 0)
    monkeypatch.setattr(smart_open.s3, "time", SimpleNamespace(sleep=lambda seconds: time.sleep(seconds / 50)))


def part_of(content: bytes, request: Request) -> Answer:
    """The part of an object that is asked for."""
    if request.headers.get("if-match", f'"{ETAG}"') != f'"{ETAG}"':
        return refused("PreconditionFailed", 412)
    begin = int(request.headers["range"].removeprefix("bytes=").rstrip("-"))
    if begin >= len(content):
        return refused("InvalidRange", 416)
    told = {"ETag": f'"{ETAG}"', "Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"}
    return Answer(206, content[begin:], told)


def any_object(request: Request) -> Answer:
    return part_of(CONTENT, request)


def small_object(request: Request) -> Answer:
    return part_of(SMALL, request)


def closing_behind(request: Request) -> Answer:
    answer = any_object(request)
    return replace(answer, headers={**answer.headers, "Connection": "close"})


def found(key: str = "key", *, bucket: str = BUCKET, size: int = len(CONTENT)) -> Found:
    return Found(Origin(bucket, key), size=size, etag=ETAG)


class Reader:
    """Reads objects with one client."""

    def __init__(self, url: str, size: int = len(CONTENT), **access: Any) -> None:
        """`size`: of all objects that are known by their keys alone."""
        self.size = size
        self.notes: list[str] = []
        access = {"read_seconds": 1.5, "call_seconds": 4, **access}
        self.client = client("s3", AwsAccess(service_endpoint=url, **access))
        self.opening = Opening(self.client, seconds=4, note=self.notes.append)

    def read(self, wanted: str | Found = "key") -> bytes:
        with self.opening(self.found(wanted) if isinstance(wanted, str) else wanted) as body:
            return b"".join(iter(lambda: body.read(1 << 18), b""))

    def found(self, key: str) -> Found:
        return found(key, size=self.size)

    def fetch(self, *keys: str, asks: bool = True, requests: int = 64) -> Generator[bytes, None, None]:
        """Read small objects one after the other, each asked for before it is wanted, if that can be done."""
        more: dict[str, Any] = {"ask": self.opening.ask} if asks else {}
        with closing(fetched(map(self.found, keys), self.opening, requests=requests, **more)) as objects:
            for each in objects:
                assert each is not None
                yield b"".join(each[1])

    @property
    def examples(self) -> dict[str, Any]:
        assert self.opening._by_example is not None
        return {**self.opening._by_example._examples}

    def close(self) -> None:
        self.client.close()


@contextmanager
def reading(url: str, *before: str, **more: Any) -> Iterator[Reader]:
    """A reader that has read some objects before: the first is the client's, the second one's answer proves it."""
    with closing(Reader(url, **more)) as reader:
        for key in before:
            assert reader.read(key)
        yield reader


PROVEN = ("first", "second")


def is_by_example(request: Request) -> bool:
    """Whether it was not the client that sent it: that one tells who it is behind what it wants."""
    return [*request.headers][2] == "user-agent"


def ways(requests: list[Request]) -> str:
    """Who has sent each: the client (c), or we by its example (e)."""
    return "".join("e" if is_by_example(request) else "c" for request in requests)


# What is sent


class At(datetime):
    """A moment that lasts."""

    moment = datetime(2026, 11, 20, 12)  # noqa: DTZ001 - botocore's own has no zone


STRANGE = [
    "plain",
    "AWSLogs/1/CloudTrail/eu-west-1/2026/11/20/a.json.gz",
    "with space + plus",
    "dt=2026-11-20/hour=01/~tilde_-.",
    "a//b///c/",
    "/leading",
    "//twice",
    ".",
    "..",
    "./a",
    "../a",
    "a/./b/../c",
    "100%",
    "%2F%20%zz",
    "a?b=c&d#e",
    "Ärger/日志/🪵",
    "e\u0301",
    "'\"<>&;:@,$!*()[]{}|\\^`",
    "tab\tand\nnewline\r",
    "\x00\x7f\x80",
    "k" * 1024,
]


def sent_for(reader: Reader, server: Answering, key: str) -> list[Request]:
    """What the client, and we by its example, send for an object."""
    before = len(server.requests)
    reader.client.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-", IfMatch=f'"{ETAG}"')["Body"].read()
    assert reader.read(key) == CONTENT
    return server.requests[before:]


def same(request: Request) -> tuple[str, dict[str, str]]:
    """What must be the same of a request, at the same time. Each has an id of its own."""
    return request.target, {**request.headers, "amz-sdk-invocation-id": ""}


@pytest.fixture
def at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that signatures can be compared."""
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *anything, **more: At.moment)


@pytest.mark.parametrize("key", STRANGE)
@pytest.mark.parametrize("token", ["", "a/session+token=="])
def test_what_is_sent_is_what_the_client_sends_to_the_last_byte_of_the_signature(
    at_the_same_time: None, monkeypatch: pytest.MonkeyPatch, key: str, token: str
) -> None:
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    with Answering(any_object) as server, reading(server.url, *PROVEN) as reader:
        requests = sent_for(reader, server, key)
    assert ways(requests) == "ce"
    assert same(requests[0]) == same(requests[1])
    assert requests[1].headers.get("x-amz-security-token", "") == token
    assert requests[0].headers["amz-sdk-invocation-id"] != requests[1].headers["amz-sdk-invocation-id"]


def test_it_is_so_for_any_key(at_the_same_time: None) -> None:
    with Answering(any_object) as server, reading(server.url, *PROVEN) as reader:

        @settings(deadline=None)
        @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
        def is_so(key: str) -> None:
            requests = sent_for(reader, server, key)
            assert ways(requests) == "ce"
            assert same(requests[0]) == same(requests[1])

        is_so()


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_in_each_region_and_below_a_path_too(at_the_same_time: None, region: str) -> None:
    with Answering(any_object) as server:
        url = f"{server.url}/below/here/"
        with closing(Reader(url, region=region)) as reader:
            for key in PROVEN:
                reader.read(key)
            requests = sent_for(reader, server, "a key")
    assert same(requests[0]) == same(requests[1])
    assert ways(server.requests) == "cece"
    assert requests[1].target == "/below/here/trail/a%20key"
    assert f"/{region}/s3/" in requests[1].headers["authorization"]


def test_a_bucket_in_the_host_s_name_stays_there(
    at_the_same_time: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[default]\ns3 =\n    addressing_style = virtual\n")
    resolved = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolved("127.0.0.1", *more, **named))
    with Answering(any_object) as server:
        port = server.url.rpartition(":")[2]
        with reading(f"http://s3.example:{port}", *PROVEN) as reader:
            requests = sent_for(reader, server, "a key")
    assert ways(requests) == "ce"
    assert same(requests[0]) == same(requests[1])
    assert (requests[1].target, requests[1].headers["host"]) == ("/a%20key", f"trail.s3.example:{port}")


def test_an_object_of_which_no_etag_is_known_is_asked_for_without(at_the_same_time: None) -> None:
    with Answering(any_object) as server, reading(server.url, *PROVEN) as reader:
        reader.client.get_object(Bucket=BUCKET, Key="k", Range="bytes=0-")["Body"].read()
        assert reader.read(Found(Origin(BUCKET, "k"), size=0)) == CONTENT
        assert ways(server.requests[2:]) == "ce"
        assert same(server.requests[2]) == same(server.requests[3])
        assert "if-match" not in server.requests[3].headers


@pytest.mark.parametrize("bucket", ["Logs", "lo_gs", "a--x-s3", "arn:aws:s3:eu-west-1:123456789012:accesspoint:logs"])
def test_the_client_alone_asks_where_a_bucket_s_name_is_special(bucket: str) -> None:
    def answer(request: Request) -> Answer:
        session = "<CreateSessionResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
        session += "<SessionToken>T</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        if "session" in request.parameters:
            return Answer(body=f"{session}</CreateSessionResult>".encode())
        return any_object(request)

    resolved = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch, Answering(answer) as server:
        patch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolved("127.0.0.1", *more, **named))
        with closing(Reader(server.url.replace("127.0.0.1", "s3.example"))) as reader:
            for number in range(3):
                assert reader.read(found(str(number), bucket=bucket)) == CONTENT
        asked = [request for request in server.requests if "range" in request.headers]
    assert ways(asked) == "ccc"


# Credentials


def later(reader: Reader, seconds: float) -> None:
    """Lets so much time pass for the credentials."""
    now = datetime.now(UTC)
    reader.client._request_signer._credentials._time_fetcher = lambda: now + timedelta(seconds=seconds)


def test_a_role_s_credentials_are_renewed_before_they_expire() -> None:
    names = iter(["AKIDFIRST", "AKIDSECOND", "AKIDTHIRD"])
    with (
        Answering(lambda request: assumed(next(names), 3600)) as sts,
        Answering(any_object) as server,
        reading(server.url, *PROVEN, sts_endpoint=sts.url, role_arn=ROLE) as reader,
    ):
        reader.read()
        later(reader, 3500)
        reader.read()
        later(reader, 0)
        reader.read()
    assert ways(server.requests) == "ceeee"
    signed = [request.headers["authorization"].partition("Credential=")[2][:10] for request in server.requests]
    assert signed == ["AKIDFIRST/"] * 3 + ["AKIDSECOND"] * 2
    tokens = [request.headers["x-amz-security-token"] for request in server.requests]
    assert tokens == ["token of AKIDFIRST"] * 3 + ["token of AKIDSECOND"] * 2


@pytest.mark.parametrize("proven", [PROVEN, PROVEN[:1]])
def test_a_token_that_aws_calls_expired_is_renewed_once_for_each_object(proven: tuple[str, ...]) -> None:
    names = iter(["AKIDFIRST", "AKIDSECOND"])
    expired = "token of AKIDFIRST"

    def answer(request: Request) -> Answer:
        if "third" in request.path and request.headers["x-amz-security-token"] == expired:
            return refused("ExpiredToken", 400)
        return any_object(request)

    with Answering(lambda request: assumed(next(names), 3600)) as sts, Answering(answer) as server:
        with reading(server.url, *proven, sts_endpoint=sts.url, role_arn=ROLE) as reader:
            assert reader.read("third") == CONTENT
            assert reader.read("fourth") == CONTENT
        asked = [request for request in server.requests if "third" in request.path]
    assert len(sts.requests) == 2
    assert ways(asked) == ("ec" if proven == PROVEN else "ecc")
    assert asked[-1].headers["x-amz-security-token"] == "token of AKIDSECOND"


def test_a_token_that_has_expired_for_many_objects_at_a_time_is_renewed_once() -> None:
    threads = 16
    names = (f"AKID{number}" for number in count())
    refused_to_all = threading.Barrier(threads)

    def answer(request: Request) -> Answer:
        if "many" in request.path and request.headers["x-amz-security-token"] == "token of AKID0":
            with suppress(threading.BrokenBarrierError):
                refused_to_all.wait(3)
            return refused("ExpiredToken", 400)
        return any_object(request)

    with (
        Answering(lambda request: assumed(next(names), 3600)) as sts,
        Answering(answer) as server,
        reading(server.url, *PROVEN, sts_endpoint=sts.url, role_arn=ROLE, call_seconds=20) as reader,
        ThreadPoolExecutor(threads) as pool,
    ):
        assert set(pool.map(reader.read, [f"many {number}" for number in range(threads)])) == {CONTENT}
    assert len(sts.requests) == 2


def test_a_part_that_begins_elsewhere_than_where_the_rest_does_is_an_error() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        if "odd" not in request.path:
            return any_object(request)
        asked.append(request.path)
        if len(asked) == 1:
            return replace(any_object(request), ending="close", cut=100_000)
        told = {"ETag": f'"{ETAG}"', "Content-Range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"}
        return Answer(206, CONTENT, told)

    with (
        Answering(answer) as server,
        reading(server.url, *PROVEN) as reader,
        pytest.raises(AwsflowError, match=r"bytes 0-.* from byte \d+ on"),
    ):
        reader.read("odd")


def test_credentials_that_cannot_be_renewed_are_an_error_that_says_so() -> None:
    answers = iter([assumed("AKIDFIRST", 700)])
    with (
        Answering(lambda request: next(answers, refused("AccessDenied", 403))) as sts,
        Answering(any_object) as server,
        reading(server.url, *PROVEN, sts_endpoint=sts.url, role_arn=ROLE, role_duration=900) as reader,
    ):
        later(reader, 690)
        with pytest.raises(CredentialsError, match=f"assuming {ROLE}: "):
            reader.read()


# Faults, both ways


def outcome(reader: Reader, wanted: Found) -> bytes | str:
    """What comes of an object; errors without the port of the server."""
    return told_of(lambda: reader.read(wanted))


def told_of(read: Callable[[], bytes]) -> bytes | str:
    try:
        return read()
    except AwsflowError as error:
        return re.sub(r"127\.0\.0\.1:\d+", "HOST", f"{type(error).__name__} {error}")


def alike(notes: list[str]) -> list[str]:
    """Notes without the names of what is raised where a connection breaks off, and where exactly it did."""
    return [re.sub(r"\(\w+\)|\d+-$", "", note) for note in notes]


def third(request: Request) -> bool:
    return request.path.endswith("/third")


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with Answering(any_object) as server:
        yield server.url


@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_ends_as_it_does_when_the_client_asks(store: str, kind: str, lasts: bool) -> None:
    told = []
    for before in (PROVEN, ()):
        rule = Rule(kind, third) if lasts else once(kind, third)
        with FaultServer(store, rule) as faulty, reading(faulty.url, *before) as reader:
            came = outcome(reader, found("third"))
            told.append((came, alike(reader.notes), len(faulty.requests) - len(before)))
            assert ways([next(filter(third, faulty.requests))]) == ("e" if before else "c")
            faulty.rules.clear()
            assert reader.read("fourth") == CONTENT
    if lasts and (KINDS[kind].of_object or kind in ("stall", "silence")):  # how often depends on what comes when
        told = [(came, notes[:1], 0) for came, notes, _ in told]
    assert told[0] == told[1]
    if KINDS[kind].recovers and not lasts and kind != "replaced":
        assert told[0][0] == CONTENT
    else:
        assert isinstance(told[0][0], str) == (kind != "wrong-date")


@pytest.mark.parametrize("kind", ["denied", "gone", "expired-token", "elsewhere", "skewed"])
def test_what_is_refused_before_anything_was_answered_the_client_asks_for_itself(store: str, kind: str) -> None:
    with FaultServer(store, once(kind, third)) as faulty, reading(faulty.url, "first") as reader:
        assert reader.read("third") == CONTENT
        assert ways(faulty.requests) == "cec"


def test_an_example_after_which_everything_is_refused_is_none() -> None:
    def answer(request: Request) -> Answer:
        return refused("SignatureDoesNotMatch", 403) if is_by_example(request) else any_object(request)

    with Answering(answer) as server, closing(Reader(server.url)) as reader:
        for number in range(6):
            assert reader.read(str(number)) == CONTENT
        assert ways(server.requests) == "c" + "ec" * 3 + "cc"


def test_a_bucket_that_lies_elsewhere_is_left_to_the_client(store: str) -> None:
    with FaultServer(store, once("elsewhere", third)) as faulty, reading(faulty.url, *PROVEN) as reader:
        assert [reader.read(key) for key in ("third", "fourth", "fifth")] == [CONTENT] * 3
        assert ways(faulty.requests) == "ceeccc"
        assert "/eu-west-1/s3/" in faulty.requests[3].headers["authorization"]


def test_an_endpoint_that_is_silent_is_given_up_when_the_call_s_time_is_over(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "100")
    seconds = {"read_seconds": 0.2, "call_seconds": 0.5}
    with FaultServer(store, Rule("silence", third)) as faulty, reading(faulty.url, *PROVEN, **seconds) as reader:
        with pytest.raises(EndpointUnreachable, match=r"reading s3://trail/third: "):
            reader.read("third")
        assert 2 <= len(faulty.requests) - len(PROVEN) <= 4


def test_an_endpoint_that_is_gone_is_tried_as_often_as_configured() -> None:
    with ExitStack() as running:
        server = running.enter_context(Answering(closing_behind))
        with reading(server.url, *PROVEN) as reader:
            running.close()
            told = outcome(reader, found("third"))
    assert told == (
        "EndpointUnreachable reading s3://trail/third: the endpoint does not answer (EndpointConnectionError HOST); "
        "check network and endpoint URL"
    )


@pytest.mark.parametrize("before", [PROVEN, ()])
def test_a_store_that_knows_no_ranges_gives_each_byte_once(before: tuple[str, ...]) -> None:
    def answer(request: Request) -> Answer:
        if request.headers["range"] == "bytes=0-":
            return replace(any_object(request), ending="close", cut=200_000) if third(request) else any_object(request)
        return Answer(200, CONTENT, {"ETag": f'"{ETAG}"'})

    with Answering(answer) as server, reading(server.url, *before) as reader:
        assert reader.read("third") == CONTENT


def test_an_object_that_is_empty_is_empty() -> None:
    def answer(request: Request) -> Answer:
        return part_of(b"" if third(request) else CONTENT, request)

    with Answering(answer) as server, reading(server.url, *PROVEN) as reader:
        assert reader.read(found("third", size=0)) == b""
        assert ways(server.requests) == "cee"


# Connections


class Line:
    """A server of one's own words: what it writes, and on which connection it was asked for what."""

    def __init__(self, words: Callable[[str], tuple[bytes, ...]]) -> None:
        """`words`: what is written for a path, one after the other; at an empty one the connection is closed."""
        self.asked: list[tuple[int, str]] = []
        """The number of the connection, and the path."""
        self._words = words
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.ended: set[int] = set()
        """Connections that the other side has closed."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            for number in count(1):
                connection = self._socket.accept()[0]
                threading.Thread(target=self._serve, args=(number, connection), daemon=True).start()

    def _serve(self, number: int, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            while path := self._heard(connection):
                self.asked.append((number, path.rpartition("/")[2]))
                for words in self._words(path):
                    if not words:
                        return
                    connection.sendall(words)
                    time.sleep(0.01)
        self.ended.add(number)

    def _heard(self, connection: socket.socket) -> str:
        """The path that is asked for; empty if nobody asks any more."""
        heard = b""
        while not heard.endswith(b"\r\n\r\n"):
            more = connection.recv(1 << 16)
            if not more:
                return ""
            heard += more
        return heard.split(b" ")[1].decode()


def head(*more: str, first: str = "HTTP/1.1 206 Partial Content", length: int | None = len(CONTENT)) -> bytes:
    lines = [first, f'ETag: "{ETAG}"', f"Content-Range: bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


WHOLE = head() + CONTENT


def test_one_connection_is_enough_for_one_object_after_the_other() -> None:
    with Line(lambda path: (WHOLE,)) as line, reading(line.url, *PROVEN) as reader:
        for _ in range(5):
            assert reader.read() == CONTENT
    assert [number for number, _ in line.asked] == [1] * 7


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, 1 << 30])
def test_the_bytes_are_the_object_s_however_they_come(size: int) -> None:
    pieces = [WHOLE[at : at + 70_001] for at in range(0, len(WHOLE), 70_001)]
    words = (WHOLE[:7], WHOLE[7:60], WHOLE[60:130], *(pieces[0][130:], *pieces[1:]))
    with Line(lambda path: words) as line, reading(line.url, *PROVEN) as reader, reader.opening(found()) as body:
        assert b"".join(iter(lambda: body.read(size), b"")) == CONTENT
        assert [number for number, _ in line.asked] == [1] * 3


@pytest.mark.parametrize(
    "more", [(WHOLE + b"x",), (WHOLE, b"x"), (head(), CONTENT + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
)
def test_a_connection_on_which_more_comes_than_was_announced_is_not_used_again(more: tuple[bytes, ...]) -> None:
    with Line(once_for_third(*more)) as line, reading(line.url, *PROVEN) as reader:
        assert reader.read("third") == CONTENT
        time.sleep(0.05)  # until all is there
        assert reader.read("fourth") == CONTENT
        assert line.asked == [(1, "first"), (1, "second"), (1, "third"), (2, "fourth")]
        until(lambda: line.ended == {1})


def test_a_connection_that_the_server_wants_closed_is_closed() -> None:
    with Line(lambda path: (head("Connection: close") + CONTENT,)) as line, reading(line.url, *PROVEN) as reader:
        assert reader.read("third") == CONTENT
        assert [number for number, _ in line.asked] == [1, 2, 3]
        until(lambda: line.ended >= {2, 3})


@pytest.mark.parametrize("read", [0, 1, 1000, len(CONTENT) - 1])
def test_an_object_that_is_closed_early_takes_its_connection_with_it(read: int) -> None:
    with Line(lambda path: (WHOLE,)) as line, reading(line.url, *PROVEN) as reader:
        with reader.opening(found("third")) as body:
            assert body.read(read) == CONTENT[:read]
        until(lambda: line.ended == {1})
        assert reader.read("fourth") == CONTENT
        assert line.asked[-1] == (2, "fourth")


def test_a_client_that_is_closed_while_an_object_is_read_gets_nothing_back() -> None:
    with Line(lambda path: (WHOLE,)) as line, reading(line.url, *PROVEN) as reader:
        with reader.opening(found("third")) as body:
            assert body.read(1000) == CONTENT[:1000]
            reader.close()
            assert body.read(1 << 20) == CONTENT[1000:]
        until(lambda: line.ended == {1})
        assert reader.read("fourth") == CONTENT
        assert line.asked[-1] == (2, "fourth")


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
UNUSUAL = {
    "chunked": (head("Transfer-Encoding: chunked", length=None) + CHUNKED,),
    "chunked, and a length": (head("Transfer-Encoding: chunked") + CHUNKED,),
    "no length": (head(length=None) + CONTENT, b""),
    "HTTP/1.0": (head(first="HTTP/1.0 206 OK") + CONTENT, b""),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,),
    "bare line feeds": (head().replace(b"\r\n", b"\n") + CONTENT,),
    "a folded header": (head("X-Amz-Id-2: a\r\n b") + CONTENT,),
    "a length twice": (head(f"Content-Length: {len(CONTENT)}") + CONTENT,),
    "a space in a name": (head("X Y: z") + CONTENT,),
    "203": (head(first="HTTP/1.1 203 Other") + CONTENT,),
    "a long head": (head(*["X-Filling: " + "x" * 1000] * 140) + CONTENT,),
}


def once_for_third(*words: bytes) -> Callable[[str], tuple[bytes, ...]]:
    """These words for the first one who asks for the third object; all that is wanted for everybody else."""
    left = iter([words])
    return lambda path: next(left, (WHOLE,)) if path.endswith("/third") else (WHOLE,)


@pytest.mark.parametrize("kind", UNUSUAL)
def test_an_answer_that_is_not_as_usual_is_the_client_s_to_have_and_so_is_all_behind_it(kind: str) -> None:
    with Line(once_for_third(*UNUSUAL[kind])) as line, reading(line.url, *PROVEN) as reader:
        assert [reader.read(key) for key in ("third", "fourth")] == [CONTENT] * 2
        assert reader.examples == {BUCKET: None}
    assert line.asked == [(1, "first"), (1, "second"), (1, "third"), (2, "third"), (2, "fourth")]


@pytest.mark.parametrize("status", [403, 503])
def test_a_refusal_that_is_cut_short_counts_as_none(status: int) -> None:
    told = f"HTTP/1.1 {status} No\r\nContent-Length: 100\r\n\r\n<Error>".encode()
    with Line(once_for_third(told, b"")) as line, reading(line.url, *PROVEN) as reader:
        assert reader.read("third") == CONTENT
    assert [path for _, path in line.asked] == ["first", "second", "third", "third"]


def test_threads_that_begin_at_the_same_time_all_read_what_is_theirs() -> None:
    def answer(request: Request) -> Answer:
        return part_of(request.path.encode() * 1000, request)

    with Answering(answer) as server, closing(Reader(server.url)) as reader, ThreadPoolExecutor(16) as pool:
        wanted = [found(str(number), size=len(f"/trail/{number}") * 1000) for number in range(200)]
        for each, content in zip(wanted, pool.map(reader.read, wanted), strict=True):
            assert content == f"/trail/{each.origin.key}".encode() * 1000
        assert ways(server.requests).count("c") <= 16
        assert len({request.headers["amz-sdk-invocation-id"] for request in server.requests}) == 200


# Asked for before they are wanted


@pytest.fixture(scope="module")
def small_store() -> Iterator[str]:
    with Answering(small_object) as server:
        yield server.url


@pytest.fixture
def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a thread to fetch something fails. A busy machine has time enough."""
    monkeypatch.setattr(ahead, "threading", SimpleNamespace())
    monkeypatch.setattr(ahead, "SOON", 5.0)


@pytest.mark.usefixtures("no_thread")
def test_small_objects_that_come_in_time_need_no_thread() -> None:
    with Answering(small_object) as server, reading(server.url, *PROVEN, size=len(SMALL)) as reader:
        assert list(reader.fetch(*"abcdefgh", requests=1)) == [SMALL] * 8
        assert ways(server.requests) == "c" + "e" * 9
        assert {request.headers["if-match"] for request in server.requests} == {f'"{ETAG}"'}


def test_as_many_are_asked_for_at_the_same_time_as_there_are_connections() -> None:
    asked = threading.Semaphore(0)
    all_asked = threading.Event()

    def answer(request: Request) -> Answer:
        if "many" in request.path:
            asked.release()
            all_asked.wait(5)
        return small_object(request)

    with Answering(answer) as server, reading(server.url, *PROVEN, size=len(SMALL)) as reader:
        with ThreadPoolExecutor(4) as pool:  # so that there are connections
            for key in ("many1", "many2", "many3", "many4"):
                pool.submit(reader.read, key)
            for _ in range(4):
                assert asked.acquire(timeout=5)
            all_asked.set()
        all_asked.clear()
        reading_on = reader.fetch(*(f"many{number}" for number in range(20)), requests=4)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(next, reading_on)
            for _ in range(4):
                assert asked.acquire(timeout=5)
            all_asked.set()
            assert first.result() == SMALL
        assert list(reading_on) == [SMALL] * 19


@pytest.mark.parametrize(
    ("size", "etag", "asks"),
    [(1, ETAG, True), (1 << 16, ETAG, True), (0, ETAG, False), (1 << 17, ETAG, False), (9, "", False)],
)
def test_what_is_not_small_or_not_known_is_opened(small_store: str, size: int, etag: str, asks: bool) -> None:
    wanted = Found(Origin(BUCKET, "key"), size=size, etag=etag)
    with reading(small_store, "first", size=len(SMALL)) as reader:
        assert reader.opening.ask(wanted) is None  # it is not proven that we can
        reader.read("second")
        asked = reader.opening.ask(wanted)
        assert (asked is not None) == asks
        if asked is not None:
            assert reader.opening.ask(wanted) is None  # it takes another connection
            asked.close()


@pytest.mark.parametrize("lasts", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_ends_as_it_does_where_nothing_is_asked_for_before(small_store: str, kind: str, lasts: bool) -> None:
    told = []
    for asks in (True, False):
        rule = Rule(kind, third) if lasts else once(kind, third)
        with FaultServer(small_store, rule) as faulty, reading(faulty.url, *PROVEN, size=len(SMALL)) as reader:
            came = told_of(lambda: next(reader.fetch("third", asks=asks)))  # noqa: B023 - it is called here
            told.append((came, alike(reader.notes), len(faulty.requests) - len(PROVEN)))
            assert ways([next(filter(third, faulty.requests))]) == "e"
            faulty.rules.clear()
            assert list(reader.fetch("fourth", "fifth", asks=asks)) == [SMALL] * 2
    if lasts and (KINDS[kind].of_object or kind in ("stall", "silence")):  # how often depends on what comes when
        told = [(came, notes[:1], 0) for came, notes, _ in told]
    assert told[0] == told[1]


HEAD = head().replace(str(len(CONTENT) - 1).encode(), b"19999").replace(str(len(CONTENT)).encode(), b"20000")


@pytest.mark.parametrize(
    "words",
    [
        (HEAD[:20], HEAD[20:] + SMALL),
        (HEAD, SMALL),
        (HEAD + SMALL[:10], SMALL[10:]),
        (*(HEAD[at : at + 30] for at in range(0, len(HEAD), 30)), SMALL),
        (HEAD, *(SMALL[at : at + 500] for at in range(0, len(SMALL), 500))),
    ],
    ids=["in the head", "behind the head", "in the body", "slow head", "slow body"],
)
def test_what_comes_too_late_is_waited_for_in_a_thread_and_not_asked_for_again(words: tuple[bytes, ...]) -> None:
    with Line(small_answers(*words)) as line, reading(line.url, *PROVEN, size=len(SMALL)) as reader:
        asked = reader.opening.ask(reader.found("third"))
        assert asked is not None
        assert not asked.is_here(0.005)  # though something may have come again and again
        with asked.open() as body:
            assert body.read(1 << 16) == SMALL
        assert list(reader.fetch("third", "fourth")) == [SMALL] * 2
        assert sorted(path for _, path in line.asked) == ["first", "fourth", "second", "third", "third"]


def small_answers(*words: bytes) -> Callable[[str], tuple[bytes, ...]]:
    return lambda path: words if path.endswith("/third") else (HEAD + SMALL,)


@pytest.mark.parametrize("more", [0, 1, 1 << 16, 1 << 24])
def test_no_more_is_taken_at_once_than_a_small_object_has(more: int) -> None:
    def answer(request: Request) -> Answer:
        return part_of(SMALL + bytes(more) if third(request) else SMALL, request)

    with Answering(answer) as server, reading(server.url, *PROVEN, size=len(SMALL)) as reader:
        asked = reader.opening.ask(reader.found("third"))
        assert asked is not None
        until(lambda: asked.is_here(0.1) or more)
        assert asked.is_here(0.1) == (not more)
        asked.close()
        came = told_of(lambda: next(reader.fetch("third")))
        assert came == told_of(lambda: reader.read("third"))
        assert (came == SMALL) == (more == 0)


def test_a_part_of_what_was_asked_for_is_not_all_of_it() -> None:
    def answer(request: Request) -> Answer:
        whole = small_object(request)
        if third(request) and request.headers["range"] == "bytes=0-":
            told = {"ETag": f'"{ETAG}"', "Content-Range": f"bytes 0-9999/{len(SMALL)}"}
            return Answer(206, SMALL[:10_000], told)
        return whole

    with Answering(answer) as server, reading(server.url, *PROVEN, size=len(SMALL)) as reader:
        asked = reader.opening.ask(reader.found("third"))
        assert asked is not None
        until(lambda: asked._asked.answer.is_here(0.1))
        assert not asked.is_here(0.1)
        with asked.open() as body:
            assert b"".join(iter(lambda: body.read(1 << 16), b"")) == SMALL


def test_nothing_of_an_object_is_kept_with_its_answer() -> None:
    with (
        Answering(any_object) as server,
        reading(server.url, *PROVEN) as reader,
        reader.opening(found("third")) as body,
    ):
        body.read(1 << 16)
        assert body._connection is not None
        assert not body._connection._body._came


def test_what_nobody_wants_any_more_takes_its_connection_with_it() -> None:
    with Line(lambda path: (HEAD + SMALL,)) as line, reading(line.url, *PROVEN, size=len(SMALL)) as reader:
        with reader.opening(reader.found("a")) as one, reader.opening(reader.found("b")) as other:
            assert one.read(1 << 16) == other.read(1 << 16) == SMALL  # over two connections
        reading_on = reader.fetch("third", "fourth", "fifth", requests=2)
        assert next(reading_on) == SMALL
        until(lambda: "fourth" in [path for _, path in line.asked])
        before = {*line.ended}
        reading_on.close()
        until(lambda: len(line.ended - before) == 1)
        assert list(reader.fetch("sixth")) == [SMALL]
        assert "fifth" not in [path for _, path in line.asked]


def test_who_reads_does_not_wait_for_credentials() -> None:
    names = iter(["AKIDFIRST", "AKIDSECOND"])
    with (
        Answering(lambda request: assumed(next(names), 3600)) as sts,
        Answering(small_object) as server,
        reading(server.url, *PROVEN, sts_endpoint=sts.url, role_arn=ROLE, size=len(SMALL)) as reader,
    ):
        later(reader, 3500)
        assert reader.opening.ask(reader.found("third")) is None
        assert len(sts.requests) == 1
        assert list(reader.fetch("third")) == [SMALL]
        assert len(sts.requests) == 2
        later(reader, 0)
        asked = reader.opening.ask(reader.found("fourth"))
        assert asked is not None
        asked.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key, that nobody knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "s3.example")])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(secret + signed.public_bytes(Encoding.PEM))
    return path


@contextmanager
def over_tls(certificate: Path, answer: Callable[[Request], Answer]) -> Iterator[Answering]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Answering(answer)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    with server:
        yield server


@pytest.mark.usefixtures("no_thread")
def test_over_tls_too_small_objects_that_come_in_time_need_no_thread(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with over_tls(certificate, small_object) as server:
        with reading(server.url.replace("http:", "https:"), *PROVEN, size=len(SMALL)) as reader:
            assert list(reader.fetch(*"abcdefgh", requests=1)) == [SMALL] * 8
        assert ways(server.requests) == "c" + "e" * 9


def test_over_tls_the_client_s_certificates_count(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with over_tls(certificate, any_object) as server:
        url = server.url.replace("http:", "https:")
        with reading(url, *PROVEN) as reader, ThreadPoolExecutor(8) as pool:
            assert list(pool.map(reader.read, "abcdefgh")) == [CONTENT] * 8  # over more connections than there are
        assert ways(server.requests) == "c" + "e" * 9
        monkeypatch.delenv("AWS_CA_BUNDLE")
        with closing(Reader(url)) as reader:
            assert "(SSLError)" in str(outcome(reader, found()))
        assert len(server.requests) == 10


# Whoever is not as expected


def hides(real: Any, *names: str) -> Any:
    """Something of which only these attributes are left."""
    return SimpleNamespace(**{name: getattr(real, name) for name in names})


def lacks_sessions(client: Any) -> None:
    client._endpoint = hides(client._endpoint, "make_request", "close")


def lacks_pools(client: Any) -> None:
    client._endpoint.http_session = hides(client._endpoint.http_session, "send", "close")


def has_other_pools(client: Any) -> None:
    pools = SimpleNamespace(connection_from_url=lambda url: SimpleNamespace(num_requests=1, proxy=None))
    client._endpoint.http_session = SimpleNamespace(
        **vars(hides(client._endpoint.http_session, "send", "close")), _manager=pools
    )


def has_another_header(client: Any) -> None:
    client.meta.events.register("request-created", lambda request, **_: request.headers.add_header("X-New", "1"))


def signs_another_header(client: Any) -> None:
    def add(request: Any, **_: Any) -> None:
        request.headers["X-New"] = "1"

    client.meta.events.register("before-sign", add)


def adds_what_we_do_not(client: Any) -> None:
    client.meta.events.register(
        "before-call.s3.GetObject", lambda params, **_: params["headers"].update({"X-Amz-Security-Token": "another"})
    )


def holds_requests_back(client: Any) -> None:
    client.meta.config.retries["mode"] = "adaptive"


def tells_no_retries(client: Any) -> None:
    client.meta.config.retries = None


def signs_otherwise(client: Any) -> None:
    client.meta.events.register_first("choose-signer.s3.GetObject", lambda **_: "s3")


def does_not_sign(client: Any) -> None:
    client.meta.events.register_first("choose-signer.s3.GetObject", lambda **_: UNSIGNED)


@pytest.mark.parametrize(
    "change",
    [
        *(lacks_sessions, lacks_pools, has_other_pools, has_another_header, signs_another_header, adds_what_we_do_not),
        *(holds_requests_back, tells_no_retries, signs_otherwise, does_not_sign),
    ],
)
def test_where_botocore_is_not_as_expected_the_client_asks_for_everything(change: Callable[[Any], None]) -> None:
    with Answering(any_object) as server, closing(Reader(server.url)) as reader:
        change(reader.client)
        for number in range(4):
            assert reader.read(str(number)) == CONTENT
        assert len(server.requests) == 4
        assert reader.examples == {BUCKET: None}


def test_what_goes_through_a_proxy_the_client_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with Answering(any_object) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        with closing(Reader("http://s3.example")) as reader:
            for number in range(3):
                assert reader.read(str(number)) == CONTENT
        assert [request.target for request in proxy.requests] == [f"http://s3.example/trail/{n}" for n in range(3)]
    assert reader.examples == {BUCKET: None}


def test_a_line_that_is_smuggled_into_a_header_is_not_sent() -> None:
    with Answering(any_object) as server, reading(server.url, *PROVEN) as reader:
        smuggled = found("third")._replace(etag='x"\r\nX-Smuggled: "')
        with pytest.raises(EndpointUnreachable, match=r"^reading s3://trail/third: "):
            reader.read(smuggled)
        assert len(server.requests) == 2


def test_no_secret_is_in_what_is_told_of_an_object_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "own-token")

    def answer(request: Request) -> Answer:
        asked = " ".join(f"{name}: {value}" for name, value in request.headers.items()).replace('"', "")
        return Answer(403, f"<Error><Code>{asked}</Code></Error>".encode()) if third(request) else any_object(request)

    with Answering(answer) as server, reading(server.url, *PROVEN) as reader:
        told = outcome(reader, found("third"))
        assert ways(server.requests) == "cee"
    assert "a code that is none" in str(told)
    for secret in ("AKIDOWN", "own secret", "own-token", "Signature"):
        assert secret not in f"{told!r}{reader.notes}"
