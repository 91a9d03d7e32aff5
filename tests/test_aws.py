"""Reaching AWS: whose credentials, how often, how long; and what its refusals become."""

import inspect
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.parsers
import pytest
from botocore.retries.standard import ExponentialBackoff, ThrottledRetryableChecker

from awsflow import aws, aws_errors
from awsflow.aws import check_profile, client, doing, known_regions
from awsflow.errors import (
    AwsflowError,
    ClockSkew,
    ConfigError,
    CredentialsError,
    EndpointUnreachable,
    ProfileNotFound,
    ServiceError,
    Throttled,
    UnknownRegion,
)
from awsflow.options import AwsAccess
from tests.answers import Answer, Answering, Request, assumed, listing, refused, refused_by_sts

ROLE = "arn:aws:iam::123456789012:role/logs"


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its profiles nor its variables nor its instance's role."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Botocore's waits between attempts are left out: all ten would take a minute."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *anything: 0)


def keys(endpoint: str, **more: Any) -> AwsAccess:
    return AwsAccess(access_key="AKIDOWN", secret_key="own secret", service_endpoint=endpoint, **more)


def listed(access: AwsAccess) -> Any:
    s3 = client("s3", access)
    try:
        with doing("listing s3://trail/"):
            return s3.list_objects_v2(Bucket="trail", Prefix="")
    finally:
        s3.close()


def signed_by(request: Request) -> str:
    return request.headers["authorization"].partition("Credential=")[2].partition("/")[0]


def after(refusals: int, answer: Answer, then: Answer) -> Callable[[Request], Answer]:
    """So many times the one answer, then the other."""
    left = iter([answer] * refusals)
    return lambda request: next(left, then)


# Credentials


def test_static_keys_sign_the_calls_and_nobody_else_is_asked() -> None:
    with Answering(lambda request: listing()) as s3:
        listed(keys(s3.url))
    assert [(signed_by(request), request.path) for request in s3.requests] == [("AKIDOWN", "/trail")]


def test_a_profile_gives_keys_and_region(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile logs]\nregion = eu-south-2\n")
    (tmp_path / "credentials").write_text("[logs]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = x\n")
    with Answering(lambda request: listing()) as s3:
        listed(AwsAccess(profile="logs", service_endpoint=s3.url))
    [request] = s3.requests
    assert signed_by(request) == "AKIDPROFILE"
    assert "/eu-south-2/s3/" in request.headers["authorization"]


def test_a_region_given_for_the_client_goes_before_the_profile_s(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-south-2\n")
    with closing(client("s3", keys("http://127.0.0.1:1"), "ap-south-1")) as s3:
        assert s3.meta.region_name == "ap-south-1"


def test_the_environment_gives_keys_with_their_session_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the token")
    with Answering(lambda request: listing()) as s3:
        listed(AwsAccess(service_endpoint=s3.url))
    assert signed_by(s3.requests[0]) == "AKIDENV"
    assert s3.requests[0].headers["x-amz-security-token"] == "the token"


def test_a_profile_that_is_not_there_is_named() -> None:
    for attempt in (check_profile, listed):
        with pytest.raises(ProfileNotFound, match="there is no such profile"):
            attempt(AwsAccess(profile="nobody"))
    with pytest.raises(ProfileNotFound, match="'nobody'"):
        check_profile(AwsAccess(profile="nobody"))
    check_profile(AwsAccess())


def test_no_credentials_at_all_say_what_to_give() -> None:
    with pytest.raises(CredentialsError, match="no credentials; give a profile or a role"):
        listed(AwsAccess())
    with pytest.raises(CredentialsError, match=f"assuming {ROLE}: .*no credentials"):
        listed(AwsAccess(role_arn=ROLE))


def test_half_of_a_profile_s_keys_are_no_credentials(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIDHALF\n")
    with pytest.raises(CredentialsError, match="complete credentials"):
        listed(AwsAccess())


# Roles


def test_a_role_is_assumed_with_what_the_flags_say_and_signs_the_calls() -> None:
    with Answering(lambda request: assumed("AKIDROLE", 3600)) as sts, Answering(lambda request: listing()) as s3:
        access = keys(s3.url, sts_endpoint=sts.url, role_arn=ROLE, external_id="the external id", role_duration=1800)
        listed(access)
    [asked] = sts.requests
    assert asked.parameters == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "WazuhLogParsing",
        "ExternalId": "the external id",
        "DurationSeconds": "1800",
    }
    assert signed_by(asked) == "AKIDOWN"
    assert signed_by(s3.requests[0]) == "AKIDROLE"
    assert s3.requests[0].headers["x-amz-security-token"] == "token of AKIDROLE"


def test_without_external_id_and_duration_none_is_sent() -> None:
    with Answering(lambda request: assumed("AKIDROLE", 3600)) as sts, Answering(lambda request: listing()) as s3:
        listed(keys(s3.url, sts_endpoint=sts.url, role_arn=ROLE))
    assert not sts.requests[0].parameters.keys() & {"ExternalId", "DurationSeconds"}


def test_a_profile_s_keys_assume_the_role(tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[logs]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = x\n")
    with Answering(lambda request: assumed("AKIDROLE", 3600)) as sts, Answering(lambda request: listing()) as s3:
        listed(AwsAccess(profile="logs", role_arn=ROLE, sts_endpoint=sts.url, service_endpoint=s3.url))
    assert [signed_by(request) for request in (*sts.requests, *s3.requests)] == ["AKIDPROFILE", "AKIDROLE"]


def test_a_role_s_credentials_are_renewed_before_they_expire() -> None:
    names = iter(["AKIDFIRST", "AKIDSECOND"])
    lifetimes = iter([300, 3600])
    with (
        Answering(lambda request: assumed(next(names), next(lifetimes))) as sts,
        Answering(lambda request: listing()) as s3,
    ):
        s3_client = client("s3", keys(s3.url, sts_endpoint=sts.url, role_arn=ROLE))
        for _ in range(3):
            s3_client.list_objects_v2(Bucket="trail")
        s3_client.close()
    assert [signed_by(request) for request in s3.requests] == ["AKIDSECOND"] * 3
    assert len(sts.requests) == 2


def test_the_shortest_session_of_a_role_is_not_renewed_with_every_call() -> None:
    with Answering(lambda request: assumed("AKIDROLE", 900)) as sts, Answering(lambda request: listing()) as s3:
        s3_client = client("s3", keys(s3.url, sts_endpoint=sts.url, role_arn=ROLE, role_duration=900))
        for _ in range(3):
            s3_client.list_objects_v2(Bucket="trail")
        s3_client.close()
    assert (len(sts.requests), len(s3.requests)) == (1, 3)


def test_credentials_that_are_old_when_they_come_mean_that_the_clock_is_wrong() -> None:
    with (
        Answering(lambda request: assumed("AKIDROLE", -60)) as sts,
        pytest.raises(ClockSkew, match=r"listing s3://trail/: .*clock"),
    ):
        listed(keys("http://127.0.0.1:1", sts_endpoint=sts.url, role_arn=ROLE))


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidClientTokenId", "ValidationError", "SignatureDoesNotMatch"])
def test_whatever_sts_refuses_is_a_matter_of_credentials_and_names_the_role(code: str) -> None:
    with (
        Answering(lambda request: refused_by_sts(code)) as sts,
        pytest.raises(CredentialsError, match=f"assuming {ROLE}: .*{code}") as raised,
    ):
        listed(keys("http://127.0.0.1:1", sts_endpoint=sts.url, role_arn=ROLE, external_id="the external id"))
    assert "the external id" not in str(raised.value)


def test_an_sts_endpoint_that_speaks_otherwise_is_told_of() -> None:
    for body in (b"<html><body>Sign in</body></html>", b"no XML at all"):
        with (
            Answering(lambda request, body=body: Answer(body=body)) as sts,  # type: ignore[misc] # binds the loop's body
            pytest.raises(AwsflowError, match=f"assuming {ROLE}: .*check the (STS )?endpoint") as raised,
        ):
            listed(keys("http://127.0.0.1:1", sts_endpoint=sts.url, role_arn=ROLE))
        assert raised.value.exit_code in (3, 7)


# Retries and deadlines


@pytest.mark.usefixtures("no_pauses")
def test_a_call_is_tried_ten_times_and_the_tenth_may_succeed() -> None:
    with Answering(after(9, refused("SlowDown", 503), listing("a"))) as s3:
        assert listed(keys(s3.url))["KeyCount"] == 1
    assert len(s3.requests) == 10


@pytest.mark.usefixtures("no_pauses")
def test_ten_refusals_to_go_faster_mean_throttled() -> None:
    with Answering(lambda request: refused("SlowDown", 503)) as s3:
        with pytest.raises(Throttled, match=r"listing s3://trail/: .*\(SlowDown\)"):
            listed(keys(s3.url))
        assert len(s3.requests) == 10


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("config", "variables", "attempts"),
    [
        ("[profile logs]\nmax_attempts = 2\n", {}, 2),
        ("[profile logs]\nretry_mode = standard\n", {}, 3),
        ("[profile logs]\nretry_mode = standard\nmax_attempts = 4\n", {}, 4),
        ("[profile logs]\n", {"AWS_MAX_ATTEMPTS": "5"}, 5),
        ("[profile logs]\n[profile other]\nmax_attempts = 2\n", {}, 10),
    ],
)
def test_the_profile_may_say_how_often_to_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, variables: dict[str, str], attempts: int
) -> None:
    (tmp_path / "config").write_text(config)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Answering(lambda request: refused("SlowDown", 503)) as s3:
        with pytest.raises(Throttled):
            listed(keys(s3.url, profile="logs"))
        assert len(s3.requests) == attempts


def test_an_endpoint_that_takes_connections_and_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with Answering(lambda request: None) as s3:
        started = time.monotonic()
        with pytest.raises(EndpointUnreachable, match=f"listing s3://trail/: .*ReadTimeoutError {s3.url[7:]}"):
            listed(keys(s3.url, read_seconds=0.2))
        assert time.monotonic() - started < 5
        assert len(s3.requests) == 2


def test_an_endpoint_that_does_not_even_take_the_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with ExitStack() as sockets:
        listening = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listening.getsockname()
        for _ in range(4):  # fill its backlog: nobody accepts, and the kernel leaves further ones waiting
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        with pytest.raises(EndpointUnreachable, match="ConnectTimeoutError"):
            listed(keys(f"http://127.0.0.1:{address[1]}", connect_seconds=0.3, read_seconds=60))


def test_a_call_has_deadlines_where_nobody_says_otherwise() -> None:
    with closing(client("s3", keys("http://127.0.0.1:1"), pool=3)) as s3:
        config = s3.meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (10, 60, 3)


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://no-such-host.invalid"])
def test_an_endpoint_that_is_not_there_is_named(endpoint: str) -> None:
    host = endpoint.partition("//")[2]
    with pytest.raises(EndpointUnreachable, match=f"listing s3://trail/: .* {host}.*; check network"):
        listed(keys(endpoint))


def test_a_password_in_an_endpoint_s_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(EndpointUnreachable) as raised:
        listed(keys("http://user:the-password@127.0.0.1:1"))
    assert "the-password" not in str(raised.value)


def test_a_proxy_that_is_not_there_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("HTTP_PROXY", "http://user:the-password@127.0.0.1:1")
    with pytest.raises(EndpointUnreachable, match=r"127\.0\.0\.1:1") as raised:
        listed(keys("http://s3.example.invalid"))
    assert "the-password" not in str(raised.value)


# Refusals


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SignatureDoesNotMatch", 403, CredentialsError),
        ("InvalidAccessKeyId", 403, CredentialsError),
        ("ExpiredToken", 400, CredentialsError),
        ("AccessDenied", 403, ServiceError),
        ("NoSuchBucket", 404, ServiceError),
        ("RequestTimeTooSkewed", 403, ClockSkew),
        ("SomethingNew", 400, ServiceError),
        ("SomethingNew", 429, Throttled),
    ],
)
def test_a_refusal_of_s3_becomes_ours_with_its_code_and_what_to_try(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, kind: type[AwsflowError]
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with Answering(lambda request: refused(code, status)) as s3, pytest.raises(AwsflowError) as raised:
        listed(keys(s3.url))
    assert type(raised.value) is kind
    doing_what, told, advice = str(raised.value).partition(f" ({code}); ")
    assert doing_what.startswith("listing s3://trail/: ")
    assert told
    assert advice
    assert "The message of" not in str(raised.value)


@pytest.mark.parametrize("body", [b"<html>Sign in to this network<br></html>", b"Sign in to this network"])
def test_an_answer_that_is_no_s3_s_is_told_of(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with (
        Answering(lambda request: Answer(body=body)) as portal,
        pytest.raises(ServiceError, match="check the endpoint URL"),
    ):
        listed(keys(portal.url))


def test_a_refusal_without_a_body_is_told_by_its_status() -> None:
    with Answering(lambda request: Answer(403)) as s3, pytest.raises(ServiceError, match=r"access is denied \(403\)"):
        listed(keys(s3.url))


def test_whatever_botocore_tries_again_as_throttled_is_throttled_for_us() -> None:
    throttled = {code for code, (kind, _) in aws_errors.CODES.items() if kind is Throttled}
    checker: Any = ThrottledRetryableChecker
    assert set(checker._THROTTLED_ERROR_CODES) == throttled


def test_every_exception_of_botocore_becomes_ours() -> None:
    kinds = [kind for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)]
    of_botocore = [
        kind
        for kind in kinds
        if kind.__module__ == "botocore.exceptions" and issubclass(kind, Exception) and not issubclass(kind, Warning)
    ]
    assert len(of_botocore) > 80
    of_the_models = ("UndefinedModelAttributeError", "MissingServiceIdError")  # a broken installation
    for kind in of_botocore:
        if kind.__name__ in of_the_models or issubclass(kind, botocore.exceptions.ClientError):
            continue
        error = kind.__new__(kind)
        with pytest.raises(AwsflowError, match=r"doing this: .*; "), doing("doing this"):
            raise error


def test_the_table_names_no_exception_that_botocore_does_not_have() -> None:
    there = {**vars(botocore.exceptions), **vars(botocore.parsers)}
    assert aws_errors.EXCEPTIONS.keys() - there.keys() == set()


def test_errors_that_are_none_of_botocore_s_pass() -> None:
    with pytest.raises(ZeroDivisionError), doing("dividing"):
        raise ZeroDivisionError


# Configuration


@pytest.mark.parametrize(
    ("config", "variables", "kind"),
    [
        ("[default\nregion = eu-west-1\n", {}, ConfigError),
        ("[default]\nmax_attempts = many\n", {}, ConfigError),
        ("[default]\nretry_mode = often\n", {}, ConfigError),
        ("[default]\n", {"AWS_ENDPOINT_URL": "no-url"}, ConfigError),
        ("[default]\nregion = eu west\n", {}, UnknownRegion),
    ],
)
def test_a_configuration_of_a_wrong_shape_is_told_of_without_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, variables: dict[str, str], kind: type[AwsflowError]
) -> None:
    (tmp_path / "config").write_text(config)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(kind, match=r"opening a session with AWS for s3: .*; ") as raised:
        listed(AwsAccess(access_key="AKIDOWN", secret_key="own secret"))
    assert type(raised.value) is kind
    assert "own secret" not in str(raised.value)


def test_the_profile_s_own_s3_settings_are_honoured(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\ns3 =\n  addressing_style = virtual\n")
    with closing(client("s3", AwsAccess(access_key="AKIDOWN", secret_key="x"), "eu-west-1")) as s3:
        assert s3.meta.config.s3["addressing_style"] == "virtual"


def test_known_regions_are_those_of_all_partitions() -> None:
    regions = known_regions()
    assert regions >= {"us-east-1", "ap-southeast-5", "us-gov-west-1", "cn-north-1", "us-iso-east-1"}
    assert not [region for region in regions if "global" in region]


def test_times_in_answers_are_read_whatever_their_spelling() -> None:
    spellings = ("2026-11-20T00:00:00.000Z", "Fri, 20 Nov 2026 00:00:00 GMT", "2026-11-20T00:00:00+00:00")
    assert len({aws._timestamp(spelling) for spelling in spellings}) == 1


# Many threads


def test_threads_that_call_at_the_same_time_renew_a_role_s_credentials_once() -> None:
    lock = threading.Lock()
    names: Iterator[str] = iter(["AKIDFIRST", "AKIDSECOND", "AKIDTHIRD"])
    lifetimes = iter([60, 3600, 3600])

    def answer(request: Request) -> Answer:
        with lock:
            return assumed(next(names), next(lifetimes))

    with Answering(answer) as sts, Answering(lambda request: listing()) as s3:
        s3_client = client("s3", keys(s3.url, sts_endpoint=sts.url, role_arn=ROLE))
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: s3_client.list_objects_v2(Bucket="trail"), range(24)))
        s3_client.close()
    assert {signed_by(request) for request in s3.requests} == {"AKIDSECOND"}
    assert len(sts.requests) == 2
