"""Files: safe once flushed, cut back when writing fails, mended after a crash, rotated, and one process at a time."""

import ctypes
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import ArgumentsError, SinkError
from awsflow.items import Origin, Record
from awsflow.sinks import NdjsonFile


def records(*bodies: bytes) -> list[Record]:
    return [Record(body, Origin("trail", "key"), number) for number, body in enumerate(bodies, 1)]


def numbered(first: int, behind: int, filling: int = 0) -> list[bytes]:
    return [b'{"number":%d,"filling":"%s"}' % (number, b"x" * filling) for number in range(first, behind)]


def deliver(path: Path, *bodies: bytes, rotate_at: int | None = None, keep: int = 5) -> None:
    """Write one batch with a sink of its own."""
    with closing(NdjsonFile(path, rotate_at=rotate_at, keep=keep)) as sink:
        sink.write(records(*bodies))
        sink.flush()


def all_lines(path: Path) -> list[bytes]:
    """The lines of a file and of those that it was before, oldest first."""
    older = [each for each in path.parent.iterdir() if each.name.startswith(f"{path.name}.")]
    older.sort(key=lambda each: int(each.suffix[1:]), reverse=True)
    newest = [path] if path.exists() else []
    return b"".join(each.read_bytes() for each in [*older, *newest]).splitlines()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.ndjson"


# --- safe once flushed


def dirty_pages(path: Path) -> int:
    """Pages of the file that the kernel holds and the disk has not: cachestat(2), Linux 6.5."""
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("rb") as file:
        span = (ctypes.c_uint64 * 2)(0, 0)  # all of it
        counts = (ctypes.c_uint64 * 5)()  # cached, dirty, being written, evicted, recently evicted
        if libc.syscall(ctypes.c_long(451), file.fileno(), ctypes.byref(span), ctypes.byref(counts), 0) != 0:
            pytest.skip(f"cachestat: {os.strerror(ctypes.get_errno())}")
    return counts[1] + counts[2]


def test_flushed_means_that_the_disk_has_it(path: Path) -> None:
    with closing(NdjsonFile(path)) as sink:
        sink.write(records(*numbered(0, 100, filling=1000)))
        if dirty_pages(path) == 0:
            pytest.skip("this file system keeps nothing back")
        sink.flush()
        assert dirty_pages(path) == 0


def test_a_file_that_is_there_is_gone_on_with(path: Path) -> None:
    path.write_bytes(b'{"earlier":1}\n')
    path.chmod(0o640)
    deliver(path, b'{"later":1}')
    assert path.read_bytes() == b'{"earlier":1}\n{"later":1}\n'
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_file_is_its_owners_alone_and_so_is_the_next_one(path: Path) -> None:
    before = os.umask(0)
    try:
        deliver(path, b"{}", rotate_at=1)
        deliver(path, b"{}", rotate_at=1)
    finally:
        os.umask(before)
    assert {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {
        "events.ndjson": 0o600,
        "events.ndjson.1": 0o600,
    }


# --- places that are no file


def test_a_symbolic_link_is_refused_and_what_it_points_to_stays_as_it_is(path: Path) -> None:
    for target in (path.with_name("target"), path.with_name("missing")):
        if target.name == "target":
            target.write_bytes(b"precious")
        path.symlink_to(target)
        with pytest.raises(SinkError, match=f"opening {path}: it is a symbolic link; give the path of a regular file"):
            deliver(path, b"{}")
        path.unlink()
    assert path.with_name("target").read_bytes() == b"precious"
    assert not path.with_name("missing").exists()


def test_what_is_no_regular_file_is_refused(path: Path) -> None:
    fifo = path.with_name("fifo")
    os.mkfifo(fifo)
    for place, complaint in (
        (fifo, "it is no regular file"),
        (Path("/dev/null"), "it is no regular file"),
        (path.parent, os.strerror(errno.EISDIR)),
        (path / "below", os.strerror(errno.ENOENT)),
    ):
        with pytest.raises(SinkError, match=f"opening {place}: {complaint}; give the path of a regular file"):
            deliver(place, b"{}")


def test_a_rotation_that_never_or_always_happens_is_an_error(path: Path) -> None:
    for rotate_at, keep in ((0, 1), (1, 0), (-1, 5)):
        with pytest.raises(ArgumentsError, match="give numbers above 0"):
            NdjsonFile(path, rotate_at=rotate_at, keep=keep)


# --- writing that fails


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses what would make a file larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_where_writing_fails_the_file_is_cut_back_to_the_last_flush(path: Path) -> None:
    with closing(NdjsonFile(path)) as sink:
        sink.write(records(*numbered(0, 10)))
        sink.flush()
        flushed = path.read_bytes()
        with no_file_larger_than(len(flushed) + 1000):
            sink.write(records(*numbered(10, 20)))  # fits, but is not flushed
            with pytest.raises(SinkError, match=f"writing to {path}: {os.strerror(errno.EFBIG)}; mend that, and"):
                sink.write(records(*numbered(20, 100)))
        assert path.read_bytes() == flushed
        sink.write(records(*numbered(10, 100)))
        sink.flush()
    assert path.read_bytes().splitlines() == numbered(0, 100)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 64 KiB, of which a file named `ballast` takes about half."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "awsflow-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        (folder / "ballast").write_bytes(b"x" * 30_000)
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - where it lies differs between systems


def test_a_full_disk_tears_no_line_and_once_there_is_room_the_batch_is_written_whole(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, closing(NdjsonFile(disk / "events.ndjson")) as sink:
        sink.write(records(*numbered(0, 10, filling=1000)))
        sink.flush()
        batch = records(*numbered(10, 40, filling=1000))
        with pytest.raises(SinkError, match=os.strerror(errno.ENOSPC)):
            sink.write(batch)
        assert (disk / "events.ndjson").read_bytes().splitlines() == numbered(0, 10, filling=1000)
        (disk / "ballast").unlink()
        sink.write(batch)
        sink.flush()
        assert (disk / "events.ndjson").read_bytes().splitlines() == numbered(0, 40, filling=1000)


def test_a_file_that_somebody_emptied_meanwhile_gets_neither_zeros_nor_a_torn_line_on_a_full_disk(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk") as disk, closing(NdjsonFile(disk / "events.ndjson")) as sink:
        sink.write(records(*numbered(0, 30, filling=1000)))
        sink.flush()
        os.truncate(disk / "events.ndjson", 0)
        (disk / "more ballast").write_bytes(b"x" * 25_000)
        with pytest.raises(SinkError):
            sink.write(records(*numbered(30, 60, filling=1000)))
        assert (disk / "events.ndjson").read_bytes() == b""


# --- crashes

UNTIL_KILLED = """
import sys
from awsflow.items import Origin, Record
from awsflow.sinks import NdjsonFile
sink = NdjsonFile(sys.argv[1])
for batch in range(1_000_000):
    numbers = range(batch * 20, batch * 20 + 20)
    sink.write([Record(b'{"number":%d,"filling":"%s"}' % (n, b"x" * 50_000), Origin(), n) for n in numbers])
    sink.flush()
    print(batch, flush=True)
"""


def test_killed_within_a_batch_the_file_has_all_that_was_flushed_and_the_next_one_mends_its_last_line(
    path: Path,
) -> None:
    for moment in (0.0, 0.002, 0.005, 0.007):
        path.unlink(missing_ok=True)
        process = subprocess.Popen([sys.executable, "-c", UNTIL_KILLED, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        process.kill()
        flushed = int((b"0\n" + process.stdout.read()).splitlines()[-1]) + 1
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        deliver(path, b'"the next run"')
        *lines, last = path.read_bytes().splitlines()
        assert last == b'"the next run"'
        assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))
        assert flushed * 20 <= len(lines) <= (flushed + 2) * 20


bodies = st.one_of(
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=3).map(
        lambda value: json.dumps(value).encode()
    ),
    st.binary(max_size=12),
    st.integers().map(lambda value: b"%d" % value),
)


@given(st.lists(bodies, max_size=6), st.integers(0))
@settings(deadline=None)
def test_wherever_a_crash_cut_the_file_the_next_one_leaves_its_whole_lines_and_goes_on(
    events: list[bytes], cut: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        deliver(path, *events)
        whole = path.read_bytes() if events else b""
        part = whole[: cut % (len(whole) + 1)]
        path.write_bytes(part)
        deliver(path, b'{"next":"run"}')
        *lines, last = path.read_bytes().splitlines()
    assert last == b'{"next":"run"}'
    kept = whole.splitlines()[: len(lines)]
    assert lines == kept
    assert len(lines) == part.count(b"\n") + (not part.endswith(b"\n") and part.rpartition(b"\n")[2] in kept[-1:])


@pytest.mark.parametrize(
    ("end", "mended"),
    [
        (b'{"whole":"but without a line break"}', b'{"whole":"but without a line break"}\n'),
        (b"a note of somebody else's", b"a note of somebody else's\n"),
        (b"12", b"12\n"),
        (b'{"torn":', b""),
        (b'"torn', b""),
        (b'{"half a block":"\0\0\0\0\0\0', b""),
        (b"\0" * 5000, b""),
        (b'{"torn":"' + b"x" * 200_000, b""),
        (b'{"whole":"' + b"x" * 200_000 + b'"}', b'{"whole":"' + b"x" * 200_000 + b'"}\n'),
    ],
)
@pytest.mark.parametrize("before", [b"", b'{"earlier":1}\n'])
def test_a_last_line_that_does_not_end_is_cut_off_only_if_it_is_torn(
    path: Path, before: bytes, end: bytes, mended: bytes
) -> None:
    path.write_bytes(before + end)
    deliver(path, b'{"next":"run"}')
    assert path.read_bytes() == before + mended + b'{"next":"run"}\n'


def test_a_huge_file_without_line_breaks_is_left_as_it_is_and_costs_no_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(1 << 40)
        file.seek((1 << 40) - 1)
        file.write(b"x")
    started = time.process_time()
    deliver(path, b'{"next":"run"}')
    assert time.process_time() - started < 5
    assert path.stat().st_size == (1 << 40) + len(b'\n{"next":"run"}\n')


# --- rotation


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 200), st.integers(1, 4), st.booleans())
@settings(deadline=None)
def test_rotation_loses_and_repeats_nothing_but_what_is_older_than_the_files_that_are_kept(
    batches: list[int], rotate_at: int, keep: int, reopened: bool
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        sink = NdjsonFile(path, rotate_at=rotate_at, keep=keep)
        written: list[list[bytes]] = [[]]
        size = count = 0
        for batch in batches:
            if batch and size >= rotate_at:
                written.append([])
                size = 0
            bodies = numbered(count, count + batch)
            count += batch
            sink.write(records(*bodies))
            sink.flush()
            if reopened:
                sink.close()
            written[-1] += bodies
            size += sum(len(body) + 1 for body in bodies)
        sink.close()
        assert all_lines(path) == [body for bodies in written[-keep - 1 :] for body in bodies]
        names = [path.name, *(f"{path.name}.{number}" for number in range(1, keep + 1))][: len(written)]
        assert sorted(each.name for each in Path(folder).iterdir()) == (names if count else [])


def test_what_a_rotation_that_was_broken_off_left_costs_no_file(path: Path) -> None:
    for number, content in ((1, b'"one"\n'), (3, b'"three"\n'), (5, b'"five"\n')):
        path.with_name(f"{path.name}.{number}").write_bytes(content)
    deliver(path, b'"now"')
    deliver(path, b'"then"', rotate_at=1)
    assert all_lines(path) == [b'"five"', b'"three"', b'"one"', b'"now"', b'"then"']


def test_a_rotation_that_fails_leaves_the_last_batch_safe_and_the_next_one_unwritten(path: Path) -> None:
    obstacle = path.with_name(f"{path.name}.1")
    (obstacle / "full").mkdir(parents=True)
    with closing(NdjsonFile(path, rotate_at=1, keep=1)) as sink:
        sink.write(records(b'"one"'))
        sink.flush()
        with pytest.raises(SinkError, match=f"rotating {path}: "):
            sink.write(records(b'"two"'))
        assert path.read_bytes() == b'"one"\n'
        (obstacle / "full").rmdir()
        obstacle.rmdir()
        sink.write(records(b'"two"'))
        sink.flush()
    assert all_lines(path) == [b'"one"', b'"two"']


# --- one process at a time


def test_two_writers_exclude_each_other(path: Path) -> None:
    first, second = NdjsonFile(path), NdjsonFile(path)
    with closing(first), closing(second):
        first.write(records(b'"first"'))
        with pytest.raises(SinkError, match=f"opening {path}: another process is writing to it; wait for its end"):
            second.write(records(b'"second"'))
        first.flush()
        first.close()
        second.write(records(b'"second"'))
        second.flush()
    assert all_lines(path) == [b'"first"', b'"second"']


def test_the_lock_of_a_killed_writer_is_no_obstacle(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", UNTIL_KILLED, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(SinkError, match="another process"):
            deliver(path, b"{}")
        process.kill()
        process.stdout.read()
    deliver(path, b"{}")


def test_another_writer_may_be_waited_for(path: Path) -> None:
    first, second = NdjsonFile(path), NdjsonFile(path, wait=10)
    first.write(records(b'"first"'))
    waiting = threading.Thread(target=second.write, args=(records(b'"second"'),))
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    first.flush()
    first.close()
    waiting.join(5)
    assert not waiting.is_alive()
    second.close()
    assert all_lines(path) == [b'"first"', b'"second"']


def test_after_a_rotation_the_writer_still_has_the_file_for_itself(path: Path) -> None:
    with closing(NdjsonFile(path, rotate_at=1)) as sink:
        for number in range(3):
            sink.write(records(*numbered(number, number + 1)))
            sink.flush()
            with pytest.raises(SinkError, match="another process"):
                deliver(path, b"{}")
    assert all_lines(path) == numbered(0, 3)


TAKING_TURNS = """
import sys
from awsflow.items import Origin, Record
from awsflow.sinks import NdjsonFile
sink = NdjsonFile(sys.argv[1], rotate_at=150, keep=10_000, wait=60)
for number in range(60):
    sink.write([Record(b'{"who":"%s","number":%d}' % (sys.argv[2].encode(), number), Origin(), number)])
    sink.close()
"""


def test_writers_that_take_turns_lose_and_repeat_nothing_though_each_of_them_rotates(path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", TAKING_TURNS, str(path), who], stderr=subprocess.PIPE)
        for who in ("a", "b", "c")
    ]
    for writer in writers:
        assert writer.communicate(timeout=60)[1] == b""
        assert writer.returncode == 0
    found = [json.loads(line) for line in all_lines(path)]
    assert len(found) == 180
    for who in ("a", "b", "c"):
        assert [event["number"] for event in found if event["who"] == who] == list(range(60))


def test_who_has_the_lock_has_the_file_of_that_name_not_one_that_was_rotated_away_meanwhile(path: Path) -> None:
    elsewhere = []

    def write_often(who: bytes) -> None:
        written = 0
        while written < 100:
            with closing(NdjsonFile(path, rotate_at=1, keep=2)) as sink, suppress(SinkError):
                sink.write(records(who))
                written += 1
                if path.read_bytes() != who + b"\n":
                    elsewhere.append(who)

    writers = [threading.Thread(target=write_often, args=(who,)) for who in (b'"a"', b'"b"', b'"c"')]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert elsewhere == []
