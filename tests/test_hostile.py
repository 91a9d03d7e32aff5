"""Hostile input: an error or the right answer, in bounded memory and time, and its neighbours are delivered."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.compression import members
from awsflow.decode.json_documents import array_in_document
from awsflow.decode.json_lines import json_lines
from awsflow.decode.json_objects import json_objects
from awsflow.decode.limits import Limits
from awsflow.errors import AwsflowError, DecodeError
from awsflow.exactjson import json_bytes, json_value
from awsflow.items import Unreadable
from awsflow.sources.notifications import parts
from tests.conftest import Aws
from tests.hostile import BAD, GOOD, overlapping_zip
from tests.messages import by_s3, wrapped_by_sns
from tests.test_memory import MEASURED
from tests.test_security import run

MOST = 300 << 20
"""Bytes of memory: what a run needs, twice as much as for any log."""
GROWS_TO = 32 << 20
"""Bytes that objects may grow to here."""
BEFORE, AFTER = "a", "z"
KEY = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/20/123456789012_CloudTrail_us-east-1_20261120T0000Z_{}.json"


@pytest.fixture(scope="module")
def hostile() -> dict[str, bytes]:
    """Made once: some take a second."""
    return {name: make() for name, make in {**BAD, **GOOD}.items()}


def good(name: str) -> bytes:
    return json.dumps({"Records": [{"n": name, "eventID": str(number)} for number in range(3)]}).encode()


def measured(*arguments: str, home: Path, events: Path) -> tuple[int, int]:
    """The exit code and the largest memory of a command whose events go to a file."""
    command = [sys.executable, "-c", MEASURED, str(events), sys.executable, "-m", "awsflow", *arguments]
    ended = run(home=home, command=command)
    code, size = map(int, ended.stdout.split())
    return code, size


def test_a_bucket_full_of_hostile_objects_neither_stops_a_run_nor_costs_their_neighbours(
    hostile: dict[str, bytes], aws: Aws, tmp_path: Path
) -> None:
    client = aws.client("s3")
    client.create_bucket(Bucket="logs")
    neighbours = []
    for number, (name, content) in enumerate(hostile.items()):
        ending = ".snappy" if name.startswith("snappy_raw") else ""
        client.put_object(Bucket="logs", Key=KEY.format(f"{number:03}b_{name}{ending}"), Body=content)
        neighbours.append(f"{number:03}a")
    neighbours.append("zzz")
    for name in neighbours:
        client.put_object(Bucket="logs", Key=KEY.format(name), Body=good(name))
    events, stats = tmp_path / "events", tmp_path / "stats.json"
    code, memory = measured(
        *("bucket", "logs", "--after", "2026-11-01", "--skip-on-error", "--endpoint-url", aws.url),
        *("--max-object-size", str(GROWS_TO), "--stats-json", str(stats), "--plain"),
        home=tmp_path,
        events=events,
    )
    assert code == 0
    told: list[Any] = [json_value(line) for line in events.read_bytes().splitlines()]
    assert sorted((event["n"], event["eventID"]) for event in told if event.get("n") in neighbours) == [
        (name, str(number)) for name in neighbours for number in range(3)
    ]
    assert events.read_bytes().count(b"[" * 100_000 + b"]" * 100_000) == 1
    odd = next(event for event in told if event.get("n") == "odd")
    assert odd["nul"] == "\0"
    assert len(odd["long"]) == 1_000_000
    assert b'"digits":' + b"9" * 10_000 + b"," in events.read_bytes()
    assert json.loads(stats.read_text())["failed"] == len(BAD)
    assert memory < MOST


def test_hostile_messages_of_a_queue_cost_their_neighbours_nothing(aws: Aws, tmp_path: Path) -> None:
    client = aws.client("s3")
    client.create_bucket(Bucket="logs")
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="notices")["QueueUrl"]
    largest = 250_000
    wrapped = by_s3("logs", "k")
    for _ in range(6):
        wrapped = wrapped_by_sns(wrapped)
    bodies = [
        "[" * largest,
        '{"Records":[' * (largest // 12),
        '{"Records":[' + ",".join(["1"] * (largest // 3)) + "]}",
        json.dumps({"s3Bucket": "x", "s3ObjectKey": [None] * (largest // 10)}),
        '{"Records":' + "9" * largest + "}",
        "\\u0041" * 40_000,
        wrapped,
        "NaN",
        '"',
    ]
    for number, body in enumerate((None, *bodies, None)):
        if body is None:
            client.put_object(Bucket="logs", Key=f"good/{number}.json", Body=b'{"n": %d}' % number)
            body = by_s3("logs", f"good/{number}.json")  # noqa: PLW2901 - what is sent instead
        sqs.send_message(QueueUrl=url, MessageBody=body)
    events = tmp_path / "events"
    code, memory = measured(
        *("subscriber", "buckets", "--queue", "notices", "--wait", "1", "--skip-on-error", "--plain"),
        *("--endpoint-url", aws.url),
        home=tmp_path,
        events=events,
    )
    assert code == 0
    assert sorted(json.loads(line)["n"] for line in events.read_bytes().splitlines()) == [0, len(bodies) + 1]
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert counted["ApproximateNumberOfMessages"] == "0"
    letters = (tmp_path / ".local" / "state" / "awsflow" / "dead-letter.ndjson").read_bytes().splitlines()
    contents = {json.loads(letter)["content"] for letter in letters}
    assert contents == set(bodies)
    assert memory < MOST


@pytest.mark.parametrize("name", BAD)
def test_what_is_made_to_do_harm_ends_with_an_error_of_ours(name: str, hostile: dict[str, bytes]) -> None:
    content = hostile[name]
    pieces = iter([content[at : at + 65_536] for at in range(0, len(content), 65_536)])
    file_name = "a.snappy" if name.startswith("snappy_raw") else ""
    size = 0

    def decompressed() -> Iterator[bytes]:
        nonlocal size
        for file in members(pieces, file_name, Limits(size=GROWS_TO)):
            for piece in file:
                size += len(piece)
                yield piece

    with pytest.raises(AwsflowError):  # noqa: PT012 - whatever comes before it does no harm
        for block in array_in_document(decompressed(), "Records"):
            assert all(not isinstance(event, Unreadable) for event in block)
    assert size <= GROWS_TO


def test_names_in_a_zip_lead_nowhere(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.zip").write_bytes(overlapping_zip(3))
    run("replay", "a.zip", "--type", "custom", "--format", "text", home=inside)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "inside"]


@pytest.mark.parametrize("decode", [json_lines, json_objects, lambda chunks: array_in_document(chunks, "Records")])
@given(
    opening=st.sampled_from([b"[", b'{"":', b'[{"a":', b'{"Records":[', b'{"Records":[{"a":[']),
    levels=st.integers(1, 100_000),
    middle=st.sampled_from([b"", b"1", b'"', b"\\", b"\0", b"\xff", b"1e999999", b"9" * 10_000, b'"\\ud800"', b"]"]),
    closing=st.sampled_from([b"", b"]", b"}", b"]}", b"}]"]),
)
@settings(max_examples=30, deadline=None)
def test_brackets_of_any_depth_are_read_or_told(
    decode: Callable[[Iterator[bytes]], Iterator[Any]], opening: bytes, levels: int, middle: bytes, closing: bytes
) -> None:
    text = opening * levels + middle + closing * levels
    size = 0
    try:
        for block in decode(iter([text[at : at + 65_536] for at in range(0, len(text), 65_536)])):
            size += sum(
                len(event.content) if isinstance(event, Unreadable) else len(json_bytes(event)) for event in block
            )
    except DecodeError as error:
        assert len(str(error)) < 500  # noqa: PT017 - it need not come
    assert size <= 2 * len(text) + 100


@given(st.text(st.sampled_from('[]{}",:\\0Records3 \ud800'), max_size=2000))
def test_any_text_of_a_message_is_read_or_told_in_few_words(body: str) -> None:
    try:
        assert len(parts(body)) <= len(body)
    except DecodeError as error:
        assert len(str(error)) < 500  # noqa: PT017 - it need not come
