"""Dead letters: whatever could not be read or sent as it was lies in a file, whole."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import DecodeError, DecompressError, SinkError
from awsflow.flow import Batch, Flow, deliver
from awsflow.items import Barrier, Failure, Item, Origin, Record
from awsflow.sinks import NdjsonFile, WazuhSocket
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sinks.shared import HELD
from awsflow.sinks.wazuh import LIMIT
from tests.test_file import dirty_pages
from tests.wazuh import Wazuh

ORIGIN = Origin("trail", "AWSLogs/x.json.gz")
NOW = datetime(2026, 11, 24, 12, 30, 15, 999, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dead-letter.ndjson"


@pytest.fixture
def letters(path: Path) -> Iterator[DeadLetters]:
    with closing(DeadLetters(path, now=lambda: NOW, wait=0)) as letters:
        yield letters


def filed(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def bad_line(number: int, content: bytes = b"{bad") -> Failure:
    return Failure(ORIGIN, number, DecodeError("not JSON"), content)


def test_a_letter_says_when_why_and_where_and_holds_the_whole_content(letters: DeadLetters, path: Path) -> None:
    letters.add(bad_line(7, b'{"bad": "line'))
    letters.oversized(Record(b'{"large":"event"}', ORIGIN, 8))
    letters.flush()
    where = {"bucket": "trail", "key": "AWSLogs/x.json.gz"}
    time = "2026-11-24T12:30:15+00:00"
    bad = {"time": time, "reason": "not JSON", "kind": "line", **where, "record": 7, "content": '{"bad": "line'}
    reason = "larger than a datagram"
    large = {"time": time, "reason": reason, "kind": "event", **where, "record": 8, "content": '{"large":"event"}'}
    assert filed(path) == [bad, large]


@given(st.binary())
@settings(deadline=None)
def test_the_content_is_kept_to_the_byte(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("letters") / "dead-letter.ndjson"
    with closing(DeadLetters(path)) as letters:
        letters.add(bad_line(1, content))
        letters.oversized(Record(content, ORIGIN, 2))
        letters.flush()
    for letter in filed(path):
        text = letter.get("content")
        assert (b64decode(letter["content_base64"]) if text is None else text.encode()) == content


@pytest.mark.parametrize("event", [{"a": "\u00e9"}, '{"a":"\u00e9"}'])
def test_events_that_are_not_encoded_yet_are_filed_as_they_would_be_sent(
    letters: DeadLetters, path: Path, event: dict[str, str] | str
) -> None:
    letters.oversized(Record(event, ORIGIN, 1))
    letters.flush()
    assert filed(path)[0]["content"] == '{"a":"\u00e9"}'


def test_flushed_letters_are_on_the_disk(letters: DeadLetters, path: Path) -> None:
    letters.add(bad_line(1, b"x" * 100_000))
    letters.flush()
    assert dirty_pages(path) == 0


def test_every_failure_is_told_but_an_object_that_failed_as_a_whole_is_not_filed(path: Path) -> None:
    told: list[Failure] = []
    whole = Failure(ORIGIN, 3, DecompressError("no gzip"))
    with closing(DeadLetters(path, told.append)) as letters:
        letters.add(whole)
        letters.flush()
        assert not path.exists()
        letters.add(bad_line(4))
        letters.flush()
    assert [failure.number for failure in told] == [3, 4]
    assert [letter["record"] for letter in filed(path)] == [4]


def test_a_run_without_letters_makes_no_file(letters: DeadLetters, path: Path) -> None:
    letters.flush()
    letters.close()
    assert not path.exists()


def test_the_file_is_its_owners_alone(letters: DeadLetters, path: Path) -> None:
    letters.add(bad_line(1))
    letters.flush()
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_symbolic_link_is_followed(letters: DeadLetters, path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))
    letters.add(bad_line(1))
    with pytest.raises(SinkError, match="symbolic link"):
        letters.flush()
    assert not path.with_name("elsewhere").exists()


def test_the_file_is_rotated_by_size(path: Path) -> None:
    with closing(DeadLetters(path, rotate_at=500)) as letters:
        for number in range(1, 6):
            letters.add(bad_line(number, b"x" * 400))
            letters.flush()
    assert [filed(each)[0]["record"] for each in (path, path.with_name(f"{path.name}.1"))] == [5, 4]
    assert len(list(path.parent.iterdir())) == 5


def test_letters_are_filed_before_anything_behind_them_is_committed(path: Path, tmp_path: Path) -> None:
    class OneObject:
        def items(self) -> Iterator[Item]:
            yield Record("fine", ORIGIN, 1)
            yield bad_line(2)
            yield Record("x" * 70_000, ORIGIN, 3)
            yield Barrier("end")

        def commit(self, positions: Any) -> None:
            assert positions == ["end"]
            assert [letter["record"] for letter in filed(path)] == [2, 3]
            committed.extend(positions)

        def close(self) -> None:
            pass

    committed: list[str] = []
    with Wazuh(tmp_path / "home") as wazuh, closing(DeadLetters(path)) as letters:
        source: Any = OneObject()
        Flow(source, failures=letters, batch=Batch()).to(WazuhSocket(wazuh.path, oversized=letters.oversized)).run()
        assert [len(body) for body in wazuh.take()] == [4, 65_535 - len("1:Wazuh-AWS:")]
    assert committed == ["end"]


def test_whoever_has_letters_that_are_not_flushed_holds_up_nobody(path: Path) -> None:
    with closing(DeadLetters(path, wait=0)) as ours, closing(DeadLetters(path, wait=0)) as theirs:
        ours.add(bad_line(1))
        theirs.add(bad_line(2))
        theirs.flush()
        ours.flush()
        theirs.add(bad_line(3))
        theirs.flush()
    assert [letter["record"] for letter in filed(path)] == [2, 1, 3]


def test_letters_that_wait_for_a_flush_take_no_more_than_a_megabyte_or_so(path: Path) -> None:
    with closing(DeadLetters(path)) as letters:
        letters.add(bad_line(1, b"x" * HELD))
        assert [letter["record"] for letter in filed(path)] == [1]


FILING = """
import sys
from pathlib import Path
from awsflow.errors import DecodeError
from awsflow.items import Failure, Origin
from awsflow.sinks.dead_letters import DeadLetters
letters = DeadLetters(Path(sys.argv[1]), rotate_at=30_000)
for number in range(100):
    letters.add(Failure(Origin(key=sys.argv[2]), number, DecodeError("bad"), b"x" * 100))
    letters.flush()
letters.close()
"""


def test_two_runs_that_file_at_the_same_time_wait_for_each_other(path: Path) -> None:
    runs = [subprocess.Popen([sys.executable, "-c", FILING, str(path), who]) for who in ("a", "b")]
    assert [run.wait(60) for run in runs] == [0, 0]
    found = [letter for each in (path.with_name(f"{path.name}.1"), path) for letter in filed(each)]
    for who in ("a", "b"):
        assert [letter["record"] for letter in found if letter["key"] == who] == list(range(100))


def test_a_line_that_a_crash_has_torn_is_no_letter(letters: DeadLetters, path: Path) -> None:
    path.write_bytes(b'{"time":"2026","reason":"whole"}\n{"time":"2026","rea')
    letters.add(bad_line(2))
    letters.flush()
    assert [letter["reason"] for letter in filed(path)] == ["whole", "not JSON"]


def test_what_no_barrier_covers_is_filed_as_well(path: Path, tmp_path: Path) -> None:
    with Wazuh(tmp_path / "home") as wazuh, closing(DeadLetters(path)) as letters:
        large = Record(b'{"x": "' + b"x" * LIMIT + b'"}', ORIGIN, 1)
        with closing(WazuhSocket(wazuh.path, oversized=letters.oversized)) as sink:
            deliver([large], sink, lambda positions: None, failures=letters)
    assert [letter["record"] for letter in filed(path)] == [1]


def test_letters_that_cannot_be_filed_are_an_error_for_they_would_be_lost(path: Path) -> None:
    (path.parent / "file").touch()
    with closing(DeadLetters(path.parent / "file" / "x.ndjson")) as letters:
        letters.add(bad_line(1))
        with pytest.raises(SinkError):
            letters.flush()
    with closing(NdjsonFile(path)) as other:
        other.write([Record(b"{}", ORIGIN, 1)])
        with closing(DeadLetters(path, wait=0)) as letters:
            letters.oversized(Record(b"x", ORIGIN, 1))
            with pytest.raises(SinkError, match="another process"):
                letters.flush()
