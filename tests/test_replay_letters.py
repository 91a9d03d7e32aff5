"""`awsflow replay --dead-letter`: what could not be read or sent is sent again; what was delivered leaves the file."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.appending import locked
from awsflow.errors import AlreadyRunning, DecodeError, NoObjects, ServiceError, SinkError
from awsflow.flow import Batch, Flow
from awsflow.items import Failure, Origin, Record
from awsflow.letters import Letter
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sources import DeadLetterFiles, LocalFiles
from awsflow.sources.letter_files import LetterFiles
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.messages import by_s3
from tests.queues import Logs
from tests.test_s3 import document
from tests.wazuh import Wazuh

KEY = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/x.json.gz"
ORIGIN = Origin("trail", KEY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dead-letter.ndjson"


def event(number: int, padding: int = 0) -> bytes:
    aws = {"log_info": {"s3bucket": "trail"}, "n": number, "x": "x" * padding}
    return json.dumps({"integration": "aws", "aws": aws}, separators=(",", ":")).encode()


def file_events(path: Path, *numbers: int, rotate_at: int = 1 << 20, padding: int = 0) -> None:
    with closing(DeadLetters(path, rotate_at=rotate_at)) as letters:
        for number in numbers:
            letters.oversized(Record(event(number, padding), ORIGIN, number))
            letters.flush()


def file_line(path: Path, content: bytes, **more: Any) -> None:
    with closing(DeadLetters(path)) as letters:
        letters.add(Failure(ORIGIN, 7, DecodeError("bad"), content, **more))
        letters.flush()


def left(path: Path) -> list[int]:
    """The numbers of the letters that lie in the file and those that were rotated, oldest first."""
    paths = [path.with_name(f"{path.name}.{number}") for number in range(9, 0, -1)] + [path]
    lines = [line for each in paths if each.exists() for line in each.read_bytes().splitlines()]
    return [json.loads(line)["record"] for line in lines]


class Kept:
    """A sink that keeps what was flushed, and breaks with a later flush."""

    def __init__(self, flushes: int = 1 << 30) -> None:
        self.flushed: list[Record] = []
        self._written: list[Record] = []
        self._flushes = flushes

    def write(self, records: Sequence[Record]) -> None:
        self._written += records

    def flush(self) -> None:
        if not self._flushes:
            raise SinkError("writing: the disk is full")
        self._flushes -= 1
        self.flushed += self._written
        self._written = []

    def close(self) -> None:
        pass


def numbers(output: bytes) -> list[int]:
    return [json.loads(line)["aws"]["n"] for line in output.splitlines()]


def replay(path: Path, *arguments: str | Path, home: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    return awsflow("replay", "--dead-letter", path, *arguments, home=home or path.parent)


def test_events_are_sent_whole_in_the_order_in_which_they_were_filed_and_leave_the_files(path: Path) -> None:
    file_events(path, *range(1, 6), rotate_at=400)
    assert path.with_name(f"{path.name}.2").exists()
    ended = replay(path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout == b"".join(event(number) + b"\n" for number in range(1, 6))
    assert [each.name for each in path.parent.iterdir()] == [f"{path.name}.lock"]
    again = replay(path)
    assert (again.returncode, again.stdout) == (14, b"")
    assert b"looking for dead letters" in again.stderr


def test_kept_letters_are_sent_and_stay(path: Path) -> None:
    file_events(path, 1, 2, 3, rotate_at=400)
    before = {each: each.read_bytes() for each in path.parent.iterdir()}
    path.chmod(0o400)
    for _ in range(2):
        assert numbers(replay(path, "--keep").stdout) == [1, 2, 3]
    assert {each: each.read_bytes() for each in path.parent.iterdir()} == before


def test_the_file_is_the_one_beside_the_state_if_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".local" / "state" / "awsflow" / "dead-letter.ndjson"
    file.parent.mkdir(parents=True)
    file_events(file, 1)
    ended = awsflow("replay", "--dead-letter", home=tmp_path)
    assert (ended.returncode, numbers(ended.stdout)) == (0, [1])
    assert not file.exists()


def test_what_is_still_too_large_for_wazuh_stays_whole_and_is_told(path: Path, tmp_path: Path) -> None:
    file_events(path, 1)
    file_events(path, 2, padding=70_000)
    file_events(path, 3)
    before = path.read_bytes().splitlines(keepends=True)
    with Wazuh(tmp_path / "home") as wazuh:
        ended = replay(path, "--to", f"wazuh:{wazuh.path}")
        assert wazuh.take() == [event(1), event(3)]
        assert (ended.returncode, ended.stdout) == (13, b"")
        assert f"ERROR: s3://trail/{KEY}, record 2: larger than a datagram; it stays in {path}" in ended.stderr.decode()
        assert path.read_bytes() == before[1]
        assert replay(path, "--to", f"wazuh:{wazuh.path}", "--oversize", "shrink").returncode == 13
        (shrunk,) = wazuh.take()
        assert json.loads(shrunk)["aws"]["log_info"]["truncated"] == ["x"]
        assert path.read_bytes() == before[1]
    assert replay(path, "--to", f"file:{tmp_path / 'whole.ndjson'}").returncode == 0
    assert (tmp_path / "whole.ndjson").read_bytes() == event(2, 70_000) + b"\n"
    assert not path.exists()


def test_lines_of_a_file_are_decoded_again_as_what_they_were(path: Path, tmp_path: Path) -> None:
    """A line that was not UTF-8, of a log whose header names other columns than usual, mended by somebody."""
    logs = tmp_path / "flows.log"
    logs.write_bytes(b"version dstport srcaddr\n2 22 10.0.0.1\n2 \xff 10.0.0.2\n2 443\n2 80 10.0.0.4\n")
    with closing(DeadLetters(path)) as letters:
        flow = Flow(LocalFiles(logs, log_type="vpcflow", alias="prod", skip_on_error=True), failures=letters)
        assert [record.number for record in flow] == [1, 4]
        letters.flush()
    before = path.read_bytes()
    ended = replay(path)
    assert (ended.returncode, ended.stdout) == (9, b"")
    assert f"decoding {path}, line 1: line 2: not UTF-8" in ended.stderr.decode()
    assert (
        f"decoding {path}, line 2: line 2: 2 columns, where there should be 3; it stays there" in ended.stderr.decode()
    )
    assert path.read_bytes() == before
    mended = [Letter.of(line) for line in before.splitlines()]
    assert [letter.content for letter in mended] == [b"2 \xff 10.0.0.2", b"2 443"]
    path.write_bytes(before.replace(b'"content":"2 443"', b'"content":"2 443 10.0.0.3"'))
    ended = replay(path)
    assert ended.returncode == 9
    (told,) = (json.loads(line)["aws"] for line in ended.stdout.splitlines())
    assert told.pop("log_info") == {"aws_account_alias": "prod", "log_file": str(logs), "s3bucket": ""}
    assert told == {"version": "2", "dstport": "443", "srcaddr": "10.0.0.3", "source": "vpc"}
    assert path.read_bytes() == before.splitlines(keepends=True)[0]


CASES: list[tuple[dict[str, str], bytes, str, dict[str, Any]]] = [
    ({"log_type": "custom", "format": "jsonl"}, b'{"a": 1}', "", {"a": 1, "source": "custom"}),
    ({"log_type": "custom", "format": "csv"}, b"1,2", "b,c", {"b": "1", "c": "2", "source": "custom"}),
    (
        {"log_type": "security_hub"},
        b'{"detail": {"actionName": "x"}}',
        "",
        {"source": "securityhub", "actionName": "x"},
    ),
    ({"log_type": "auto"}, b'{"eventVersion":"1.08"}', "", {}),
]


@pytest.mark.parametrize(("what", "content", "header", "event"), CASES)
def test_a_line_is_decoded_by_the_type_and_format_that_its_letter_names(
    path: Path, what: dict[str, str], content: bytes, header: str, event: dict[str, Any]
) -> None:
    letter = Letter("line", content, "trail", KEY, 7, header=header.encode(), **what)
    path.write_bytes(letter.line() + b"\n")
    ended = replay(path, "--plain")
    if event:
        assert [json.loads(line) for line in ended.stdout.splitlines()] == [event]
        assert not path.exists()
    else:
        assert (ended.returncode, ended.stdout) == (9, b"")
        assert left(path) == [7]


def test_a_type_that_is_given_overrules_what_the_letter_says(path: Path) -> None:
    file_line(path, b'{"a": 1}')
    ended = replay(path)
    assert ended.returncode == 9
    assert b"does not say of what type it is; give it with --type" in ended.stderr
    ended = replay(path, "--type", "nonsense")
    assert (ended.returncode, left(path)) == (12, [7])
    ended = replay(path, "--type", "custom", "--format", "jsonl", "--alias", "prod")
    (told,) = (json.loads(line)["aws"] for line in ended.stdout.splitlines())
    assert (told["a"], told["log_info"]["aws_account_alias"]) == (1, "prod")
    assert not path.exists()


def test_a_csv_header_stays_with_its_bad_line(path: Path, tmp_path: Path) -> None:
    logs = tmp_path / "table.csv"
    logs.write_bytes(b'name,size\na,1\n"b,2\n')
    with closing(DeadLetters(path, format="csv")) as letters:
        source = LocalFiles(logs, log_type="custom", format="csv", skip_on_error=True)
        assert [record.event for record in Flow(source, failures=letters)] == [
            {"name": "a", "size": "1", "source": "custom"}
        ]
        letters.flush()
    letter = Letter.of(path.read_bytes())
    assert (letter.kind, letter.log_type, letter.format) == ("line", "custom", "csv")
    assert (letter.header, letter.content) == (b"name,size", b'"b,2')


def test_messages_are_dealt_with_again_each_by_the_object_that_failed(aws: Aws, tmp_path: Path, path: Path) -> None:
    """Two messages: one of an object that is late, and one of no known shape; the good object is not read again."""
    logs = Logs(aws)
    logs.put("good", content=document("good"), told=False)
    logs.send(by_s3("logs", "good"), by_s3("logs", "late.json"), "of no shape")
    command = ("subscriber", "buckets", "--type", "cloudtrail", "--queue", "logs", "--wait", "0", "--skip-on-error")
    collected = awsflow(*command, "--dead-letter", path, "--endpoint-url", aws.url, home=tmp_path)
    assert collected.returncode == 0
    assert [json.loads(line)["aws"]["eventID"] for line in collected.stdout.splitlines() if b"eventID" in line] == [
        "good"
    ]
    filed = [Letter.of(line) for line in path.read_bytes().splitlines()]
    assert sorted((letter.kind, letter.key, letter.log_type) for letter in filed if letter.bucket) == [
        ("message", "late.json", "cloudtrail")
    ]
    ended = replay(path, "--endpoint-url", aws.url)
    assert (ended.returncode, ended.stdout) in ((7, b""), (9, b""))
    assert len(path.read_bytes().splitlines()) == 2
    logs.put("late.json", content=document("late"), told=False)
    ended = replay(path, "--endpoint-url", aws.url)
    assert ended.returncode == 9
    assert [json.loads(line)["aws"]["eventID"] for line in ended.stdout.splitlines()] == ["late"]
    (still,) = (Letter.of(line) for line in path.read_bytes().splitlines())
    assert still.content == b"of no shape"


def test_a_bad_line_in_the_object_of_a_message_becomes_a_letter_of_its_own(aws: Aws, path: Path) -> None:
    logs = Logs(aws)
    logs.put("a.jsonl", content=b'{"a": 1}\n{oops}\n{"a": 2}\n', told=False)
    message = Letter("message", by_s3("logs", "a.jsonl").encode(), log_type="custom", format="jsonl")
    path.write_bytes(message.line() + b"\n")
    ended = replay(path, "--endpoint-url", aws.url, "--plain")
    assert [json.loads(line)["a"] for line in ended.stdout.splitlines()] == [1, 2]
    (letter,) = (Letter.of(line) for line in path.read_bytes().splitlines())
    assert (letter.kind, letter.bucket, letter.key, letter.record) == ("line", "logs", "a.jsonl", 2)
    assert (letter.content, letter.log_type) == (b"{oops}", "custom")


def test_letters_of_before_there_were_kinds_are_understood(path: Path) -> None:
    old = {"time": "2026-11-24T12:30:15+00:00", "bucket": "trail", "key": KEY}
    lines = [
        {**old, "reason": "larger than a datagram", "record": 1, "content": event(1).decode()},
        {**old, "reason": "not JSON", "record": 2, "content_base64": "/wA="},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert numbers(replay(path).stdout) == [1]
    assert left(path) == [2]
    assert Letter.of(path.read_bytes()).content == b"\xff\0"


def test_what_is_no_letter_stays_and_is_told(path: Path) -> None:
    nonsense = [b"[1]", b"{", b'{"content": 5}', b'{"content_base64": "?"}', b'{"content":"x","kind":"other"}', b"\xff"]
    path.write_bytes(b"\n".join(nonsense) + b"\n\n")
    file_events(path, 1)
    ended = replay(path)
    assert (ended.returncode, numbers(ended.stdout)) == (9, [1])
    assert ended.stderr.count(b"no dead letter") == len(nonsense)
    assert path.read_bytes() == b"\n".join(nonsense) + b"\n"


@given(
    st.builds(
        Letter,
        st.sampled_from(["event", "line", "message"]),
        st.binary(),
        *[st.text(st.characters(exclude_categories=["Cs"]))] * 2,
        st.integers(0, 1 << 60),
        *[st.text(st.characters(exclude_categories=["Cs"]))] * 3,
        st.binary(),
        *[st.text(st.characters(exclude_categories=["Cs"]))] * 2,
    )
)
def test_a_letter_comes_back_as_it_was_written(letter: Letter) -> None:
    line = letter.line()
    assert Letter.of(line) == letter
    assert b"\n" not in line


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8))
@settings(deadline=None, max_examples=30)
def test_the_content_is_sent_to_the_byte(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("letters") / "dead-letter.ndjson"
    with closing(DeadLetters(path)) as letters:
        for number, content in enumerate(contents):
            letters.oversized(Record(content, ORIGIN, number))
        letters.flush()
    sink = Kept()
    Flow(DeadLetterFiles(path)).to(sink).run()
    assert [record.event for record in sink.flushed] == contents
    assert not path.exists()


def test_when_the_sink_breaks_what_was_flushed_leaves_the_file_and_the_rest_stays(path: Path) -> None:
    file_events(path, *range(1, 11), rotate_at=700)
    sink = Kept(flushes=3)
    with pytest.raises(SinkError, match="full"):
        Flow(DeadLetterFiles(path), batch=Batch(records=2)).to(sink).run()
    sent = [record.number for record in sink.flushed]
    assert sent == [1, 2, 3, 4, 5, 6]
    assert left(path) == [number for number in range(1, 11) if number not in sent]
    again = Kept()
    Flow(DeadLetterFiles(path)).to(again).run()
    assert [record.number for record in again.flushed] == [n for n in range(1, 11) if n not in sent]


def test_letters_that_are_filed_meanwhile_stay_for_the_next_time_wherever_their_file_is_rotated_to(path: Path) -> None:
    file_events(path, 1, 2, 3, rotate_at=400)
    flow = Flow(DeadLetterFiles(path), batch=Batch(records=1))
    seen = []
    for record in flow:
        seen.append(record.number)
        file_events(path, 10 * record.number, rotate_at=400)
    assert seen == [1, 2, 3]
    assert left(path) == [10, 20, 30]


def test_nobody_who_files_something_waits_while_letters_are_sent(path: Path) -> None:
    file_events(path, 1, 2)
    records = iter(Flow(DeadLetterFiles(path)))
    next(records)
    os.close(locked(path))
    assert [record.number for record in records] == [2]


def test_two_do_not_replay_the_same_letters_at_the_same_time(path: Path) -> None:
    file_events(path, 1)
    records = iter(Flow(DeadLetterFiles(path)))
    next(records)
    with pytest.raises(AlreadyRunning, match=r"dead-letter.ndjson: another process"):
        list(Flow(DeadLetterFiles(path)))
    ended = replay(path)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert ended.stderr.startswith(b"WARNING: replaying the dead letters")
    assert list(records) == []
    assert not path.exists()


def test_what_remains_keeps_its_owner_and_is_its_alone(path: Path) -> None:
    file_events(path, 1)
    file_line(path, b"bad")
    if os.geteuid() == 0:
        os.chown(path, 12_345, 12_346)
    before = path.stat()
    replay(path)
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode & 0o777) == (before.st_uid, before.st_gid, 0o600)
    assert after.st_ino != before.st_ino
    assert left(path) == [7]


def test_links_folders_and_files_that_are_not_there_are_named(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    with pytest.raises(ServiceError, match="no link"):
        list(Flow(DeadLetterFiles(path)))
    path.unlink()
    with pytest.raises(NoObjects):
        list(Flow(DeadLetterFiles(path)))
    path.mkdir()
    with pytest.raises(ServiceError):
        list(Flow(DeadLetterFiles(path)))
    assert replay(path, "x.json").returncode == 2
    assert awsflow("replay", home=path.parent).returncode == 2
    assert awsflow("replay", "x.json", "--keep", home=path.parent).returncode == 2


def test_a_line_that_a_crash_has_torn_is_left_to_whoever_files_the_next_letter(path: Path) -> None:
    file_events(path, 1)
    with path.open("ab") as file:
        file.write(b'{"time":"2026","rea')
    assert numbers(replay(path).stdout) == [1]
    file_events(path, 2)
    assert left(path) == [2]


def test_a_letter_that_is_only_marked_when_the_power_fails_is_not_sent_again(path: Path) -> None:
    """Its first byte is on the disk, and any part of the rest."""
    file_events(path, 1, 2, 3)
    first, second, third = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([b" " + first[1:], b" " + second[1:30] + b" " * len(second[30:]), third, b""]))
    ended = replay(path)
    assert (ended.returncode, ended.stderr, numbers(ended.stdout)) == (0, b"", [3])
    assert not path.exists()


def test_a_line_that_is_too_long_is_not_read(path: Path) -> None:
    file_events(path, 1)
    file_events(path, 2, padding=5000)
    file_events(path, 3)
    files = LetterFiles(path, longest=1000)
    found = [(place, line and Letter.of(line).record) for place, line in files.lines()]
    assert [record for _, record in found] == [1, None, 3]
    files.take_out([found[0][0], found[2][0]])
    warnings: list[str] = []
    files.close(warnings.append)
    assert warnings == []
    assert left(path) == [2]


def test_killed_again_and_again_while_others_file_no_letter_is_lost_and_a_kill_repeats_a_batch_at_most(
    path: Path, tmp_path: Path
) -> None:
    count, kills = 2000, 0
    file_events(path, *range(count // 2), rotate_at=1 << 18)
    others = subprocess.Popen([sys.executable, "-c", FILING, str(path), str(count // 2), str(count)])
    chosen = random.Random(5)
    out = tmp_path / "out.ndjson"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_"))}
    command = [sys.executable, "-m", "awsflow", "replay", "--dead-letter", str(path), "--to", f"file:{out}"]
    while left_or_coming(path, others):
        process = subprocess.Popen(
            command, env={**kept, **CREDENTIALS, "HOME": str(tmp_path)}, stderr=subprocess.DEVNULL
        )
        if kills < 4:
            time.sleep(chosen.uniform(0.3, 1.2))
            process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert others.wait() == 0
    seen = Counter(numbers(out.read_bytes()))
    assert set(seen) == set(range(count))
    assert sum(seen.values()) - count <= kills * 1000


def left_or_coming(path: Path, others: "subprocess.Popen[bytes]") -> bool:
    is_coming = others.poll() is None
    return is_coming or any(each.stat().st_size for each in LetterFiles(path)._paths() if each.exists())


FILING = """
import sys
from pathlib import Path
from tests.test_replay_letters import file_events
for number in range(int(sys.argv[2]), int(sys.argv[3]), 50):
    file_events(Path(sys.argv[1]), *range(number, number + 50), rotate_at=1 << 18)
"""
