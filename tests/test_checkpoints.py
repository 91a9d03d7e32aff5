"""Checkpoints between processes: one run a work, many works a database, and kills that leave no trace."""

import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from awsflow.errors import AlreadyRunning, StateError
from awsflow.items import Found, Origin
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import ObjectPosition, StreamPosition

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PER_COMMIT = 5

COMMIT_FOR_EVER = """
import sys
from itertools import count
from pathlib import Path
from tests.test_checkpoints import batch, opened
work = opened(Path(sys.argv[1])).work("w")
for number in count():
    work.commit(batch(number))
    print(number, flush=True)
"""
COMMIT_MANY = """
import sys
from pathlib import Path
from tests.test_checkpoints import batch, opened
name = sys.argv[2]
with opened(Path(sys.argv[1])) as checkpoints, checkpoints.work(name) as work:
    print("open", flush=True)
    sys.stdin.readline()
    for number in range(40):
        work.commit(batch(number, f"{name}/"))
    print("committed", flush=True)
    sys.stdin.readline()
"""
HOLD = """
import sys
from pathlib import Path
from tests.test_checkpoints import opened
work = opened(Path(sys.argv[1])).work("trail")
print("held", flush=True)
sys.stdin.read()
"""


def opened(path: Path, timeout: float = 10) -> Checkpoints:
    return Checkpoints(path, warn=complain, now=lambda: NOON, timeout=timeout)


def complain(message: str) -> None:
    raise AssertionError(message)


def batch(number: int, stream: str = "logs/", size: int = PER_COMMIT) -> list[ObjectPosition | StreamPosition]:
    return [
        ObjectPosition(Found(Origin("b", key), 100, "etag", stream, date(2026, 11, 23)), 1, finished=True)
        for key in keys(number, stream, size)
    ]


def keys(number: int, stream: str = "logs/", size: int = PER_COMMIT) -> list[str]:
    return [f"{stream}{number:06}-{index}" for index in range(size)]


def child(code: str, *arguments: object) -> "subprocess.Popen[str]":
    root = Path(__file__).resolve().parent.parent
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
    )


def test_a_second_run_of_a_work_in_the_same_process_is_told_so_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with opened(path) as first, opened(path) as second:
        work = first.work("trail")
        for checkpoints in (first, second):
            with pytest.raises(AlreadyRunning, match=r"^starting trail: process \d+ does the same at this moment"):
                checkpoints.work("trail")
        work.close()
        second.work("trail").commit(batch(1))


def test_a_second_run_of_a_work_is_told_the_process_of_the_first_and_a_kill_lets_go_of_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    with child(HOLD, path) as holder, opened(path) as checkpoints:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=f"process {holder.pid} "):
            checkpoints.work("trail")
        holder.kill()
        holder.wait()
        checkpoints.work("trail").commit(batch(1))


def test_a_closed_work_can_be_opened_again_but_not_written_to(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as checkpoints:
        with checkpoints.work("trail") as work:
            work.commit(batch(1))
        with checkpoints.work("trail") as again:
            assert set(again.remembered("logs/", keys(1))) == set(keys(1))
            with pytest.raises(StateError, match="trail was closed before, so that others may have it"):
                work.commit(batch(2))


def test_works_know_nothing_of_each_other(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as checkpoints:
        one, other = checkpoints.work("one"), checkpoints.work("other")
        one.commit(batch(1))
        assert other.remembered("logs/", keys(1)) == {}


def test_processes_that_start_together_on_a_new_database_all_commit_their_works(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    names = ["one", "two", "three", "four"]
    processes = {name: child(COMMIT_MANY, path, name) for name in names}
    for word in ("open", "committed"):  # nobody goes on before everybody is there
        for process in processes.values():
            assert process.stdout is not None
            assert process.stdout.readline() == f"{word}\n"
        for process in processes.values():
            assert process.stdin is not None
            print("go on", file=process.stdin, flush=True)
    for process in processes.values():
        process.communicate()
        assert process.returncode == 0
    with opened(path) as checkpoints:
        for name in names:
            work = checkpoints.work(name)
            for number in range(40):
                assert len(work.remembered(f"{name}/", keys(number, f"{name}/"))) == PER_COMMIT


def test_threads_share_a_database(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db") as checkpoints:
        works = [checkpoints.work(str(number)) for number in range(4)]

        def commit_some(index: int) -> None:
            for number in range(20):
                works[index].commit(batch(number))
                works[index].remembered("logs/", keys(number))

        threads = [threading.Thread(target=commit_some, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for work in works:
            everything = [key for number in range(20) for key in keys(number)]
            assert set(work.remembered("logs/", everything)) == set(everything)


@pytest.mark.parametrize("commits", [1, 7, 40, 150])
def test_after_a_kill_the_database_is_sound_and_holds_the_commits_up_to_some_point(
    tmp_path: Path, commits: int
) -> None:
    path = tmp_path / "state.db"
    with child(COMMIT_FOR_EVER, path) as process:
        assert process.stdout is not None
        for _ in range(commits):
            process.stdout.readline()
        process.kill()
        told = commits + len(process.stdout.read().split("\n")) - 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with opened(path) as checkpoints:
        work = checkpoints.work("w")
        number = 0
        while known := work.remembered("logs/", keys(number)):
            assert len(known) == PER_COMMIT
            number += 1
        everything = [key for later in range(number + 100) for key in keys(later)]
        assert len(work.remembered("logs/", everything)) == number * PER_COMMIT
    assert told <= number <= told + 1


def test_a_commit_that_fails_half_way_is_undone_and_can_be_repeated(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with opened(path) as checkpoints, closing(sqlite3.connect(path, isolation_level=None)) as saboteur:
        work = checkpoints.work("w")
        work.commit(batch(1))
        saboteur.execute(
            "CREATE TRIGGER bad BEFORE INSERT ON objects WHEN NEW.key = '000002-3' "
            "BEGIN SELECT RAISE(ABORT, 'sabotage'); END"
        )
        for stream in ("logs/", "new/"):
            with pytest.raises(StateError, match=f"writing the state {path}: sabotage; "):
                work.commit([StreamPosition(stream, date(2026, 11, 23)), *batch(2, stream)])
            assert work.remembered(stream, keys(2, stream)) == {}
        saboteur.execute("DROP TRIGGER bad")
        for stream in ("logs/", "new/"):
            work.commit(batch(2, stream))
            assert len(work.remembered(stream, keys(2, stream))) == PER_COMMIT
        assert len(work.remembered("logs/", keys(1))) == PER_COMMIT


def test_a_full_disk_is_told_and_once_there_is_space_the_work_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with opened(path) as checkpoints:
        work = checkpoints.work("w")
        work.commit(batch(1))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        try:
            with pytest.raises(StateError, match=rf"writing the state {path}: disk I/O error; look at its disk"):
                work.commit(batch(2, size=5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert len(work.remembered("logs/", keys(1))) == PER_COMMIT
        assert work.remembered("logs/", keys(2)) == {}
        work.commit(batch(2, size=5000))
        assert len(work.remembered("logs/", keys(2, size=5000))) == 5000


def test_a_database_locked_for_too_long_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with (
        opened(path, timeout=0.1) as checkpoints,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        work = checkpoints.work("w")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match=rf"writing the state {path}: database is locked; .*keeps it locked"):
            work.commit(batch(1))
        other.execute("ROLLBACK")
        work.commit(batch(1))
        assert len(work.remembered("logs/", keys(1))) == PER_COMMIT
