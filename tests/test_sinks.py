"""The contract that every sink keeps: one suite, run on all of them.

A new sink gets a place here: a far side that is real, that can be read and broken; and PLACES names it.
"""

import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

import awsflow.sinks
from awsflow.errors import ArgumentsError, QueueDown, ReaderGone, SinkError
from awsflow.flow import Sink
from awsflow.items import Origin, Record
from awsflow.sinks import NdjsonFile, StandardOutput, WazuhSocket, sink_named
from tests.wazuh import Wazuh

NOWHERE = Path("/nonexistent/queue")


class Place(ABC):
    """Where a sink writes to: a far side, to be entered before use."""

    covers: ClassVar[type[object]]
    """The sink that writes here."""
    lines = True
    """Whether events arrive as lines of JSON; else as they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.opened = ExitStack()

    @property
    @abstractmethod
    def to(self) -> str:
        """What `--to` calls it."""

    def sink(self) -> Sink:
        """A new sink that writes here."""
        return sink_named(self.to, NOWHERE, timeout=0.2)

    def stdout(self) -> int:
        """Where a process that writes here has its standard output."""
        return subprocess.DEVNULL

    @abstractmethod
    def arrived(self) -> list[bytes]:
        """What has arrived since the last call, as far as it is safe there."""

    @abstractmethod
    def broken(self) -> AbstractContextManager[None]:
        """Nothing is taken here while this lasts."""

    @abstractmethod
    def breaking(self, size: int) -> AbstractContextManager[None]:
        """While this lasts about `size` bytes are taken here, but not many more."""

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, *error: object) -> None:
        self.opened.close()


class Queue(Place):
    """Wazuh's engine."""

    covers: ClassVar[type[object]] = WazuhSocket
    lines = False

    def __enter__(self) -> "Queue":
        self._wazuh: Wazuh | None = Wazuh(self.folder).__enter__()
        self._early: list[bytes] = []
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    @property
    def to(self) -> str:
        return f"wazuh:{self.folder / 'queue' / 'sockets' / 'queue'}"

    def arrived(self) -> list[bytes]:
        assert self._wazuh is not None
        early, self._early = self._early, []
        return early + self._wazuh.take()

    @contextmanager
    def broken(self) -> Iterator[None]:
        self._end()
        yield
        self._wazuh = Wazuh(self.folder).__enter__()

    @contextmanager
    def breaking(self, size: int) -> Iterator[None]:
        assert self._wazuh is not None
        self._early += self._wazuh.take()
        path = self._wazuh.path
        with self.broken(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dying:
            dying.bind(str(path))

            def die() -> None:
                taken = 0
                while taken < size:
                    datagram = dying.recv(1 << 17)
                    self._early.append(datagram.removeprefix(b"1:Wazuh-AWS:"))
                    taken += len(datagram)
                dying.close()  # with it dies what it has not read

            engine = threading.Thread(target=die)
            engine.start()
            yield
            engine.join(10)
            assert not engine.is_alive()

    def _end(self) -> None:
        wazuh, self._wazuh = self._wazuh, None
        if wazuh is not None:
            wazuh.__exit__(None, None, None)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses what would make a file larger, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class OnDisk(Place):
    """A file, on a disk that may be full."""

    covers: ClassVar[type[object]] = NdjsonFile
    _seen = 0

    @property
    def path(self) -> Path:
        return self.folder / "events.ndjson"

    @property
    def to(self) -> str:
        return f"file:{self.path}"

    def content(self) -> bytes:
        return self.path.read_bytes() if self.path.exists() else b""

    def arrived(self) -> list[bytes]:
        content = self.content()[self._seen :]
        self._seen += len(content)
        assert content[-1:] in {b"", b"\n"}
        return content.splitlines()

    @contextmanager
    def broken(self) -> Iterator[None]:
        with self.breaking(0):
            yield

    @contextmanager
    def breaking(self, size: int) -> Iterator[None]:
        with no_file_larger_than(size + (self.path.stat().st_size if self.path.exists() else 0)):
            yield


class Rotated(OnDisk):
    """A file that becomes another one every few hundred bytes."""

    def sink(self) -> Sink:
        return NdjsonFile(self.path, rotate_at=300, keep=1000)

    def content(self) -> bytes:
        older = [path for path in self.folder.iterdir() if path.suffix[1:].isdigit()]
        older.sort(key=lambda path: int(path.suffix[1:]), reverse=True)
        return b"".join(path.read_bytes() for path in older) + super().content()


class Redirected(OnDisk):
    """Standard output that a shell has appended to a file."""

    covers: ClassVar[type[object]] = StandardOutput
    to = "stdout"

    def __enter__(self) -> "Redirected":
        self.path.touch()
        return self

    def sink(self) -> Sink:
        return StandardOutput(self.opened.enter_context(self.path.open("ab")))

    def stdout(self) -> int:
        return self.opened.enter_context(self.path.open("ab")).fileno()


class Pipe(Place):
    """Standard output that somebody reads."""

    covers: ClassVar[type[object]] = StandardOutput
    to = "stdout"

    def __enter__(self) -> "Pipe":
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            os.close(self._reader)
        self._writer.close()

    def sink(self) -> Sink:
        return StandardOutput(self._writer)

    def stdout(self) -> int:
        return self._writer.fileno()

    def arrived(self) -> list[bytes]:
        content = b""
        with suppress(BlockingIOError):
            while part := os.read(self._reader, 1 << 20):
                content += part
        assert content[-1:] in {b"", b"\n"}
        return content.splitlines()

    @contextmanager
    def broken(self) -> Iterator[None]:
        os.close(self._reader)
        yield
        self._writer.close()
        self._open()

    @contextmanager
    def breaking(self, size: int) -> Iterator[None]:
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, 4096)  # so that the batch is larger
        os.set_blocking(self._reader, True)

        def die() -> None:
            os.read(self._reader, size)
            os.close(self._reader)

        reader = threading.Thread(target=die)
        reader.start()
        yield
        reader.join()
        self._writer.close()
        self._open()

    def _open(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
        self._writer = os.fdopen(writer, "wb")


PLACES: list[type[Place]] = [Queue, OnDisk, Rotated, Redirected, Pipe]


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as place:
        yield place


def records(*bodies: bytes) -> list[Record]:
    return [Record(body, Origin("trail", "key"), number) for number, body in enumerate(bodies, 1)]


def events(first: int, behind: int, filling: int = 100) -> list[bytes]:
    return [b'{"number":%d,"filling":"%s"}' % (number, b"x" * filling) for number in range(first, behind)]


def open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def everything_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_every_sink_is_on_this_list() -> None:
    sinks = {getattr(awsflow.sinks, name) for name in awsflow.sinks.__all__}
    assert {sink for sink in sinks if isinstance(sink, type)} == {place.covers for place in PLACES}


def test_every_sink_has_a_name_for_the_command_line(tmp_path: Path) -> None:
    assert {type(sink_named(place(tmp_path).to, NOWHERE)) for place in PLACES} == {place.covers for place in PLACES}
    assert isinstance(sink_named("wazuh", NOWHERE), WazuhSocket)


@pytest.mark.parametrize("text", ["", "file", "file:", "stdout:x", "syslog", "/var/log/x"])
def test_a_sink_that_nobody_knows_is_an_error_that_says_which_there_are(text: str) -> None:
    with pytest.raises(ArgumentsError, match="stdout, wazuh, wazuh:SOCKET or file:PATH"):
        sink_named(text, NOWHERE)


def test_events_arrive_as_written_in_their_order_each_once(place: Place) -> None:
    sink = place.sink()
    arrived = []
    for first, behind in ((0, 1), (1, 2), (2, 2), (2, 500), (500, 1500)):
        sink.write(records(*events(first, behind)))
        sink.flush()
        arrived += place.arrived()
    sink.close()
    assert arrived == events(0, 1500)


def test_a_batch_may_be_written_in_pieces(place: Place) -> None:
    sink = place.sink()
    for number in range(20):
        sink.write(records(*events(number, number + 1)))
    sink.flush()
    assert place.arrived() == events(0, 20)
    sink.close()


def test_another_sink_goes_on_behind_what_the_first_one_wrote(place: Place) -> None:
    for number in range(3):
        sink = place.sink()
        sink.write(records(*events(number, number + 1)))
        sink.flush()
        sink.close()
    assert place.arrived() == events(0, 3)


def test_a_sink_that_was_closed_opens_again(place: Place) -> None:
    sink = place.sink()
    for number in range(3):
        sink.write(records(*events(number, number + 1)))
        sink.flush()
        sink.close()
    assert place.arrived() == events(0, 3)


KILLED = """
import os, signal, sys
from pathlib import Path
from awsflow.items import Origin, Record
from awsflow.sinks import sink_named
sink = sink_named(sys.argv[1], Path(sys.argv[1]), rotate_at=300)
for numbers in (range(3), range(3, 100)):
    sink.write([Record(b'{"number":%d}' % number, Origin(), number) for number in numbers])
    sink.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_flushed_is_there_although_the_process_is_killed_right_behind_it(place: Place) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, place.to], stdout=place.stdout(), stderr=subprocess.PIPE, check=False, timeout=30
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")
    assert place.arrived() == [b'{"number":%d}' % number for number in range(100)]


def test_writing_nothing_is_fine_and_makes_nothing(place: Place) -> None:
    before = everything_below(place.folder)
    sink = place.sink()
    files = open_files()
    sink.write([])
    sink.flush()
    assert open_files() == files
    sink.close()
    assert everything_below(place.folder) == before
    assert place.arrived() == []


def test_a_sink_that_is_closed_without_a_write_has_opened_and_made_nothing(place: Place) -> None:
    with place.broken():  # not even a queue is needed
        before = everything_below(place.folder)
        sink = place.sink()
        files = open_files()
        sink.flush()
        sink.close()
        assert open_files() == files
        assert everything_below(place.folder) == before


def test_closing_twice_is_fine_and_leaves_nothing_open_that_the_sink_has_opened(place: Place) -> None:
    sink = place.sink()
    files = open_files()
    sink.write(records(*events(0, 3)))
    sink.flush()
    sink.close()
    sink.close()
    assert open_files() == files
    assert place.arrived() == events(0, 3)


AWKWARD: list[tuple[bytes, Any]] = [
    (b"plain text", "plain text"),
    (b"two\nlines, \r\nor three\n", "two\nlines, \r\nor three\n"),
    (b'{"pretty":\n  "printed",\r\n "n": 1.50}\n', {"pretty": "printed", "n": 1.5}),
    (b"{curly, but no JSON}", "{curly, but no JSON}"),
    (b'{"cut": "off', '{"cut": "off'),
    (b'{"two":1}{"objects":2}', '{"two":1}{"objects":2}'),
    (b"{not JSON\n}", "{not JSON\n}"),
    (b'["a", "list"]', ["a", "list"]),
    (b'"a JSON string"', "a JSON string"),
    (b"12345", "12345"),
    (b"null", "null"),
    (b"", ""),
    (b" ", " "),
    ("h\u00e4tte \u2028 \u65e5\u672c".encode(), "h\u00e4tte \u2028 \u65e5\u672c"),
    (b"no UTF-8: \xff\xfe", "no UTF-8: \\xff\\xfe"),
    (b'{"no UTF-8":"\xff"}', '{"no UTF-8":"\\xff"}'),
    (b'{"a lone surrogate":"\\ud800"}', {"a lone surrogate": "\ud800"}),
    (b"\xef\xbb\xbf" + b'{"a mark":1}', {"a mark": 1}),
    (b'{"deep":' + b"[" * 1200 + b"]" * 1200 + b"}", None),
    (b'{"integration":"aws","aws":{"log_info":{"x":1},\n"y":2}}', None),
    (b"zero \x00 and control \x1b characters", "zero \x00 and control \x1b characters"),
    (b'{"large number":123456789012345678901234567890}', {"large number": 123456789012345678901234567890}),
]


def test_every_event_stays_one_line_or_one_datagram_however_awkward_it_is(place: Place) -> None:
    sink = place.sink()
    sink.write(records(*(body for body, _ in AWKWARD)))
    sink.flush()
    sink.close()
    arrived = place.arrived()
    assert len(arrived) == len(AWKWARD)
    for line, (body, value) in zip(arrived, AWKWARD, strict=True):
        if not place.lines:
            assert line == body
        elif value is not None:
            assert json.loads(line) == value


def test_a_broken_sink_says_so_and_when_the_trouble_has_passed_a_new_one_delivers_the_batch(place: Place) -> None:
    batch = records(*events(0, 50))
    with place.broken():
        sink = place.sink()
        with pytest.raises((QueueDown, SinkError, ReaderGone), match=r"writing|sending"):
            sink.write(batch)
        sink.close()
    assert place.arrived() == []
    sink = place.sink()
    sink.write(batch)
    sink.flush()
    sink.close()
    assert place.arrived() == events(0, 50)


def test_a_sink_that_breaks_within_a_batch_leaves_no_hole_behind_what_was_flushed_before(place: Place) -> None:
    sink = place.sink()
    sink.write(records(*events(0, 30)))
    sink.flush()
    batch = records(*events(30, 200, filling=300))
    before = place.arrived()
    with place.breaking(20_000):
        with pytest.raises((QueueDown, SinkError, ReaderGone), match=r"writing|sending"):
            sink.write(batch)
        sink.close()
    part = place.arrived()
    assert part == events(30, 30 + len(part), filling=300)  # no more than a beginning, and no line of it torn
    assert len(part) < len(batch)
    sink = place.sink()
    sink.write(batch)
    sink.flush()
    sink.close()
    assert before == events(0, 30)
    assert place.arrived() == events(30, 200, filling=300)


@pytest.mark.parametrize("place", [place for place in PLACES if place is not Pipe], indirect=True)
def test_the_same_sink_goes_on_once_the_trouble_has_passed_unless_it_is_a_pipe(place: Place) -> None:
    sink = place.sink()
    with place.broken(), pytest.raises((QueueDown, SinkError)):
        sink.write(records(*events(0, 50)))
    sink.write(records(*events(0, 50)))
    sink.flush()
    sink.close()
    assert place.arrived() == events(0, 50)
