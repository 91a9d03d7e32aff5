import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from awsflow.samples import SAMPLES
from benchmarks.claims import CLAIMS, OURS
from benchmarks.large import KINDS
from benchmarks.measure import asked, s3_standin
from tests.conftest import Aws

BUCKET = "a-bucket"
KEYS = (
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a.json.gz",
    "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/21/a.json.gz",
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/a.json.gz",
    "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/a.json.gz",
    "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/b.json.gz",
    "AWSLogs/a space",
    "AWSLogs/a+plus",
    "AWSLogs/größe/日志 + %41&<>\"'",
    "AWSLogs/größe/ü",
    "AWSLogsX",
    "Z",
    "a",
    "empty",
    "zz~top",
)
LISTINGS: list[dict[str, Any]] = [
    {},
    {"Prefix": "AWSLogs/"},
    {"Prefix": "AWSLogs/", "Delimiter": "/"},
    {"Delimiter": "/"},
    {"Delimiter": "00"},
    {"Prefix": "AWSLogs/größe/", "Delimiter": " "},
    {"Prefix": "AWSLogs/111122223333/CloudTrail/eu-west-1/", "StartAfter": KEYS[0]},
    {"StartAfter": "AWSLogs/a+"},
    {"StartAfter": "AWSLogs/größe/日志 + %41&<>\"'"},
    {"Prefix": "nothing/"},
]


def content(key: str) -> bytes:
    return b"" if key == "empty" else (key * 10).encode()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("standin")
    for key in KEYS:
        path = root / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(key))
    (root / BUCKET / "large").mkdir()
    (root / BUCKET / "large" / "file").write_bytes(bytes(range(256)) * 8000)
    return root


@pytest.fixture(scope="module")
def endpoint(root: Path) -> Iterator[str]:
    with s3_standin(root) as address:
        yield address


def client(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def standin(endpoint: str) -> Any:
    return client(endpoint)


@pytest.fixture
def moto(aws: Aws) -> Any:
    s3 = client(aws.url)
    s3.create_bucket(Bucket=BUCKET)
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=content(key))
    s3.put_object(Bucket=BUCKET, Key="large/file", Body=bytes(range(256)) * 8000)
    return s3


def listed(s3: Any, arguments: dict[str, Any], most: int) -> list[tuple[list[tuple[str, int]], list[str], int]]:
    return [
        (
            [(found["Key"], found["Size"]) for found in page.get("Contents", ())],
            [group["Prefix"] for group in page.get("CommonPrefixes", ())],
            page["KeyCount"],
        )
        for page in s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, **arguments, PaginationConfig={"PageSize": most}
        )
    ]


def test_the_s3_standin_lists_as_moto_does_page_by_page(standin: Any, moto: Any) -> None:
    for arguments in LISTINGS:
        for most in (1, 2, 5, 1000):
            assert listed(standin, arguments, most) == listed(moto, arguments, most), (arguments, most)


@pytest.mark.parametrize(
    "part", [None, "bytes=0-0", "bytes=5-9", "bytes=5-", "bytes=-7", "bytes=3-99999999", "bytes=-9999999"]
)
@pytest.mark.parametrize("key", [KEYS[0], KEYS[7], "large/file"])
def test_the_s3_standin_gives_objects_and_ranges_as_moto_does(
    standin: Any, moto: Any, key: str, part: str | None
) -> None:
    arguments = {"Bucket": BUCKET, "Key": key} | ({"Range": part} if part else {})
    ours, theirs = standin.get_object(**arguments), moto.get_object(**arguments)
    assert ours["Body"].read() == theirs["Body"].read()
    for field in ("ContentLength", "ContentRange", "AcceptRanges"):
        assert ours.get(field) == theirs.get(field)


def test_the_s3_standin_gives_an_empty_object(standin: Any) -> None:
    assert standin.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b""


@pytest.mark.parametrize(
    ("key", "arguments", "status"),
    [
        ("absent", {}, 404),
        (KEYS[0], {"Range": "bytes=99999-"}, 416),
        (KEYS[0], {"IfMatch": '"another"'}, 412),
    ],
)
def test_the_s3_standin_refuses_what_moto_refuses(
    standin: Any, moto: Any, key: str, arguments: dict[str, str], status: int
) -> None:
    errors = []
    for s3 in (standin, moto):
        with pytest.raises(ClientError) as caught:
            s3.get_object(Bucket=BUCKET, Key=key, **arguments)
        errors.append(caught.value.response)
    assert errors[0]["Error"]["Code"] == errors[1]["Error"]["Code"]
    assert [error["ResponseMetadata"]["HTTPStatusCode"] for error in errors] == [status, status]


def test_the_s3_standin_gives_an_object_whose_etag_is_the_listed_one(standin: Any) -> None:
    etag = standin.list_objects_v2(Bucket=BUCKET, Prefix=KEYS[0])["Contents"][0]["ETag"]
    assert standin.head_object(Bucket=BUCKET, Key=KEYS[0])["ETag"] == etag
    assert standin.get_object(Bucket=BUCKET, Key=KEYS[0], IfMatch=etag)["Body"].read() == content(KEYS[0])


def test_the_s3_standin_knows_its_buckets_and_changes_nothing(standin: Any) -> None:
    standin.head_bucket(Bucket=BUCKET)
    with pytest.raises(ClientError, match="404"):
        standin.head_bucket(Bucket="another")
    with pytest.raises(ClientError, match="NotImplemented"):
        standin.put_object(Bucket=BUCKET, Key="new", Body=b"GET /a-bucket/a HTTP/1.1\r\n\r\n")
    with pytest.raises(ClientError, match="NotImplemented"):
        standin.delete_object(Bucket=BUCKET, Key=KEYS[0])


def test_the_s3_standin_takes_no_body_for_a_request(endpoint: str) -> None:
    host, port = endpoint.removeprefix("http://").split(":")
    body = b"GET /a-bucket/a HTTP/1.1\r\n\r\n"
    with (
        socket.create_connection((host, int(port)), timeout=10) as connection,
        connection.makefile("rb") as answers,
    ):
        connection.sendall(b"PUT /a-bucket/new HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        assert answers.read().count(b"HTTP/1.1 ") == 1


def test_the_s3_standin_counts_what_it_was_asked_for(root: Path) -> None:
    with s3_standin(root) as address:
        s3 = client(address)
        for _ in range(3):
            s3.get_object(Bucket=BUCKET, Key=KEYS[0])["Body"].read()
        s3.list_objects_v2(Bucket=BUCKET)
        assert asked(address) == {"GetObject": 3, "ListObjectsV2": 1}


def test_the_s3_standin_takes_its_time_when_told_to(root: Path) -> None:
    with s3_standin(root, latency=300) as address:
        connection = HTTPConnection(address.removeprefix("http://"))
        started = time.monotonic()
        connection.request("GET", f"/{BUCKET}/a")
        assert connection.getresponse().read() == content("a")
        assert time.monotonic() - started >= 0.3
        connection.close()


def test_the_s3_standin_lists_copies_of_each_object_beside_it_and_gives_them(root: Path) -> None:
    with s3_standin(root, copies=3) as address:
        s3 = client(address)
        for arguments, most in (({}, 1000), ({"Prefix": KEYS[0].removesuffix(".json.gz")}, 2)):
            keys = [key for page in listed(s3, arguments, most) for key, _ in page[0]]
            assert keys == sorted({*keys}, key=str.encode)
            assert len(keys) == 3 * (1 if arguments else len(KEYS) + 1)
        assert set(keys) == {KEYS[0], *(KEYS[0].replace(".", f"-{number}.", 1) for number in (1, 2))}
        for key in keys:
            answer = s3.get_object(Bucket=BUCKET, Key=key)
            assert answer["Body"].read() == content(KEYS[0])


def test_the_receiver_counts_all_that_was_sent_before_it_was_stopped(tmp_path: Path) -> None:
    path = tmp_path / "queue"
    command = [sys.executable, "-m", "benchmarks.receiver", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as queue:
            queue.connect(str(path))
            for number in range(2000):
                queue.send(b"x" * number)
        process.terminate()
        assert json.loads(process.stdout.read()) == {"datagrams": 2000, "bytes": sum(range(2000))}


def benchmarks(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    places = ["--data", str(folder / "data"), "--results", str(folder / "results")]
    command = [sys.executable, "-m", "benchmarks", "--quick", *places, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_benchmarks_run_and_become_a_document(tmp_path: Path) -> None:
    table = benchmarks(tmp_path)
    assert (table.returncode, table.stderr) == (0, "")
    (path,) = (tmp_path / "results").iterdir()
    results = json.loads(path.read_text())["results"]
    assert {result["claim"] for result in results} == set(CLAIMS)
    assert [result["what"] for result in results if result["claim"] == "types"] == list(SAMPLES)
    assert {result["what"].partition(": ")[0] for result in results if result["claim"] == "stages"} == set(SAMPLES)
    of_memory = [result["what"] for result in results if result["claim"] == "memory"]
    assert of_memory == [
        *(f"{kind}, of 0 MB of text" for kind in KINDS),
        "64 at a time, each of 50 events",
        "100 small objects",
        "200 small objects",
    ]
    assert all(result["cpu"] > 0 and result["rss"] > 5e6 for result in results)
    document = subprocess.run(
        [sys.executable, "-m", "benchmarks.report", str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert [result["what"] for result in results if f"| {result['what']} |" not in document] == []


@pytest.mark.skipif(not (OURS / ".git").exists(), reason="git knows no other revision of this copy")
def test_benchmarks_measure_another_collector_and_another_revision_in_turn(tmp_path: Path) -> None:
    arguments = ["types", "--types", "cloudtrail,vpcflow", "--base", "HEAD", "--beside-types", "cloudtrail"]
    another = f"{sys.executable} -m awsflow wodle --bucket {{bucket}} --type {{type}} --only_logs_after 2026-11-01"
    table = benchmarks(
        tmp_path, *arguments, "--beside", f"{another} --service_endpoint {{endpoint}} --wazuh-home {{home}}"
    )
    assert (table.returncode, table.stderr) == (0, "")
    compared = [line.split()[:2] for line in table.stdout.splitlines()[1:-1]]
    assert compared == [
        *(["cloudtrail", who] for who in ("awsflow", "base", "beside")),
        *(["vpcflow", who] for who in ("awsflow", "base")),
    ]
    assert float(table.stdout.splitlines()[1].split()[-1]) > 0


def test_benchmarks_refuse_to_measure_a_collector_that_loses_events(tmp_path: Path) -> None:
    table = benchmarks(tmp_path, "types", "--types", "cloudtrail", "--beside", "true")
    assert table.returncode == 1
    assert "sent by beside, but" in table.stderr


def test_a_log_type_is_profiled(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.profile", "vpcflow", "--quick", "--data", str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert "function calls" in told.stdout
    assert "Ordered by: internal time" in told.stdout
