"""One sink for several sources: batches stay whole, in order and apart, whoever flushes when."""

import fcntl
import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from awsflow.errors import SinkError
from awsflow.items import Origin, Record
from awsflow.sinks import NdjsonFile, WazuhSocket
from awsflow.sinks.shared import HELD, Share, Shared
from tests.test_flow import FragileSink
from tests.wazuh import Wazuh


def records(name: str, numbers: Sequence[int], filling: int = 0) -> list[Record]:
    return [
        Record(b'{"from":"%s","n":%d,"x":"%s"}' % (name.encode(), n, b"x" * filling), Origin(key=name), n)
        for n in numbers
    ]


def test_batches_of_several_threads_arrive_whole_each_in_its_order(tmp_path: Path) -> None:
    shared = Shared(lambda *_: NdjsonFile(tmp_path / "all.ndjson"))

    def send(name: str) -> None:
        share = shared.share()
        for batch in range(50):
            share.write(records(name, range(batch * 20, batch * 20 + 10)))
            share.write(records(name, range(batch * 20 + 10, batch * 20 + 20)))
            share.flush()

    threads = [threading.Thread(target=send, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shared.close()
    lines = [json.loads(line) for line in (tmp_path / "all.ndjson").read_text().splitlines()]
    assert len(lines) == 4000
    batches = [lines[at : at + 20] for at in range(0, 4000, 20)]
    assert all(len({line["from"] for line in batch}) == 1 for batch in batches)
    for name in "abcd":
        assert [line["n"] for line in lines if line["from"] == name] == list(range(1000))


def test_what_one_could_not_write_is_neither_kept_nor_anybody_elses() -> None:
    sink = FragileSink(breaks_behind=1)
    shared = Shared(lambda *_: sink)
    one, other = shared.share(), shared.share()
    other.write(records("other", [1]))
    one.write(records("one", [1, 2]))
    with pytest.raises(SinkError):
        one.flush()
    sink.breaks_behind = None
    one.flush()
    other.flush()
    assert [json.loads(event)["from"] for event in sink.arrived] == ["one", "other"]


def test_no_more_than_a_limit_is_held_until_a_flush() -> None:
    sink = FragileSink()
    share = Shared(lambda *_: sink).share()
    share.write(records("a", [1], HELD // 2))
    assert sink.arrived == []
    share.write(records("a", [2], HELD // 2))
    assert len(sink.arrived) == 2


def test_closing_a_share_sends_nothing_and_leaves_the_sink_to_the_others(tmp_path: Path) -> None:
    shared = Shared(lambda *_: NdjsonFile(tmp_path / "all.ndjson"))
    one, other = shared.share(), shared.share()
    one.write(records("one", [1]))
    one.close()
    one.close()
    other.write(records("other", [1]))
    other.flush()
    shared.close()
    assert [json.loads(line)["from"] for line in (tmp_path / "all.ndjson").read_text().splitlines()] == ["other"]


def test_events_that_are_too_large_are_told_to_their_own_source(tmp_path: Path) -> None:
    large: dict[str, list[int]] = {"one": [], "other": []}
    with Wazuh(tmp_path) as wazuh:
        shared = Shared(lambda oversized, waited: WazuhSocket(wazuh.path, oversized=oversized))
        shares = {name: shared.share(lambda record, of=told: of.append(record.number)) for name, told in large.items()}  # type: ignore[misc]
        for name, share in shares.items():
            share.write([*records(name, [1]), *records(name, [2 if name == "one" else 3], 70_000)])
        for share in shares.values():
            share.flush()
        assert len(wazuh.take()) == 4
        shared.close()
    assert large == {"one": [2], "other": [3]}


def test_two_that_file_letters_of_what_is_too_large_never_wait_for_each_other(tmp_path: Path) -> None:
    """Each holds back letters while it waits for the sink, and files some more when the sink has had its events."""
    letters = Shared(lambda *_: NdjsonFile(tmp_path / "letters.ndjson", wait=30), is_kept=False)
    with Wazuh(tmp_path) as wazuh:
        shared = Shared(lambda oversized, waited: WazuhSocket(wazuh.path, oversized=oversized))

        def send(name: str) -> None:
            own = letters.share()
            share = shared.share(lambda record: own.write([Record(b'{"large":1}', record.origin, record.number)]))
            for number in range(30):
                own.write(records(name, [number]))
                share.write(records(name, [number], 70_000))
                share.flush()
                own.flush()

        threads = [threading.Thread(target=send, args=(name,), daemon=True) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(25)
            assert not thread.is_alive()
        shared.close()
    assert len((tmp_path / "letters.ndjson").read_text().splitlines()) == 120


def test_a_file_that_is_not_kept_is_there_for_other_processes_between_two_batches(tmp_path: Path) -> None:
    share = Shared(lambda *_: NdjsonFile(tmp_path / "letters.ndjson"), is_kept=False).share()
    for _ in range(2):
        share.write(records("a", [1]))
        share.flush()
        with open(tmp_path / "letters.ndjson", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_error_of_the_sink_is_told_to_the_one_who_flushes(tmp_path: Path) -> None:
    share: Share = Shared(lambda *_: NdjsonFile(tmp_path)).share()
    share.write(records("a", [1]))
    with pytest.raises(SinkError):
        share.flush()
