"""Standard output, as a process in a pipeline has it."""

import errno
import io
import os
import re
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from awsflow.errors import SinkError
from awsflow.items import Origin, Record
from awsflow.sinks import StandardOutput

WRITING = """
import sys
from awsflow.errors import AwsflowError
from awsflow.items import Origin, Record
from awsflow.sinks import StandardOutput
sink = StandardOutput()
try:
    for batch in range(int(sys.argv[1])):
        numbers = range(batch * 100, batch * 100 + 100)
        sink.write([Record(b'{"number":%d,"filling":"%s"}' % (n, b"x" * 1000), Origin(), n) for n in numbers])
        sink.flush()
except AwsflowError as error:
    sys.stderr.write(f"{type(error).__name__}: {error}")
    sys.exit(error.exit_code)
"""


def line(number: int) -> bytes:
    return b'{"number":%d,"filling":"%s"}\n' % (number, b"x" * 1000)


def writing(batches: int) -> list[str]:
    return [sys.executable, "-c", WRITING, str(batches)]


def shell(script: str) -> list[str]:
    """A command that runs what follows it through a script of the shell."""
    return ["/bin/sh", "-c", script, "sh"]


def test_whoever_reads_gets_every_line() -> None:
    ended = subprocess.run(writing(30), capture_output=True, check=True)
    assert ended.stdout == b"".join(map(line, range(3000)))
    assert ended.stderr == b""


def test_a_reader_that_goes_is_an_error_of_its_own_and_nothing_is_said_at_exit() -> None:
    with subprocess.Popen(writing(1_000_000), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == line(0)
        process.stdout.close()
        assert process.stderr.read() == b"ReaderGone: writing to standard output: the reader is gone"
    assert process.returncode == 141


def test_the_command_ends_as_quietly_as_any_unix_filter_when_its_reader_goes(tmp_path: Path) -> None:
    records = b",".join(b'{"eventName":"Describe","filling":"%s"}' % (b"x" * 1000) for _ in range(2000))
    (tmp_path / "trail.json").write_bytes(b'{"Records":[%s]}' % records)
    command = [sys.executable, "-m", "awsflow", "replay", str(tmp_path / "trail.json"), "--type", "cloudtrail"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"integration":"aws",')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("batches", [1, 30])
def test_a_full_disk_is_an_error_and_nothing_more_is_said_at_exit(batches: int) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(writing(batches), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 13
    reason = re.escape(os.strerror(errno.ENOSPC))
    assert re.fullmatch(f"SinkError: writing to standard output: {reason}; what is missing .*", ended.stderr)


def test_a_file_that_may_grow_no_further_ends_with_a_whole_line(tmp_path: Path) -> None:
    """Appended to by a shell, as `>>` does, with a limit to the size of files, as `ulimit -f` sets it."""
    path = tmp_path / "out"
    path.write_bytes(b"earlier\n")
    ended = subprocess.run(
        [*shell(f'ulimit -f 300; exec "$@" >> {path}'), *writing(30)], stderr=subprocess.PIPE, check=False
    )
    assert ended.returncode == 13
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines == [b"earlier\n", *map(line, range(len(lines) - 1))]
    assert (len(lines) - 1) % 100 == 0
    assert len(lines) > 100


def test_what_is_written_once_a_file_may_grow_again_stands_behind_the_last_whole_batch(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "out").open("wb") as ours:
        sink = StandardOutput(ours)
        sink.write([Record(b"{}", Origin(), 1)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            with pytest.raises(SinkError, match=os.strerror(errno.EFBIG)):
                sink.write([Record(b'{"too":"long"}', Origin(), 2)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sink.write([Record(b'{"too":"long"}', Origin(), 2)])
    assert (tmp_path / "out").read_bytes() == b'{}\n{"too":"long"}\n'


def test_what_somebody_else_wrote_behind_ours_is_not_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("wb") as ours:
        sink = StandardOutput(ours)
        sink.write([Record(b"{}", Origin(), 1)])
        with path.open("ab") as theirs:
            theirs.write(b"theirs\n" * 10)
        size = path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
        try:
            with pytest.raises(SinkError, match=os.strerror(errno.EFBIG)):
                sink.write([Record(b'{"too":"long"}', Origin(), 1)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.stat().st_size == size
    assert path.read_bytes().endswith(b"theirs\n" * 8)


def test_a_pipe_that_somebody_set_to_not_block_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    content = []

    def read() -> None:
        with os.fdopen(reader, "rb") as stream:
            content.append(stream.read())

    records = [Record(line(number)[:-1], Origin(), number) for number in range(1000)]
    with os.fdopen(writer, "wb") as stream:
        sending = threading.Thread(target=StandardOutput(stream).write, args=(records,))
        sending.start()
        sending.join(0.1)
        assert sending.is_alive()
        reading = threading.Thread(target=read)
        reading.start()
        sending.join(10)
    reading.join(10)
    assert content == [b"".join(map(line, range(1000)))]


def test_standard_output_that_is_closed_is_an_error_and_no_other_file_is_written_to(tmp_path: Path) -> None:
    """A file that is opened next gets the number of standard output."""
    opening = f"import os; other = os.open({str(tmp_path / 'other')!r}, os.O_RDWR | os.O_CREAT); assert other == 1"
    code = f"{opening}\n{WRITING}"
    ended = subprocess.run(
        [*shell('exec "$@" >&-'), sys.executable, "-c", code, "1"], stderr=subprocess.PIPE, check=False
    )
    assert ended.returncode == 13
    assert ended.stderr.startswith(b"SinkError: writing to standard output: it is closed; ")
    assert (tmp_path / "other").read_bytes() == b""


def test_what_was_printed_before_comes_before() -> None:
    code = f"print('a headline')\n{WRITING}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ended = subprocess.run([sys.executable, "-c", code, "1"], capture_output=True, check=True, env=environment)
    assert ended.stdout == b"a headline\n" + b"".join(map(line, range(100)))


def test_a_stream_that_is_none_of_the_operating_systems_is_an_error() -> None:
    with pytest.raises(SinkError, match="writing to standard output: fileno"):
        StandardOutput(io.BytesIO()).write([Record(b"{}", Origin(), 1)])
