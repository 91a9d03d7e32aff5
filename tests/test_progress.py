"""How far runs are: a live view on a real terminal, lines elsewhere if they are wanted, and else nothing."""

import fcntl
import io
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyte
import pytest

from awsflow.cli.progress import Lines, LiveView, Pace, as_progress, noting
from awsflow.flow import Stats
from awsflow.items import Barrier, Item, Origin, Record
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.queues import Logs

COLUMNS = 120


class Terminal:
    """A terminal that a command runs on, as far as its standard error goes; `screen` is what somebody sees."""

    def __init__(self, *arguments: str | Path, home: Path, stdout: Any, columns: int = COLUMNS, term: str = "xterm"):
        self.screen = pyte.Screen(columns, 30)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self._ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "awsflow", *map(str, arguments)],
            env={**kept, **CREDENTIALS, "HOME": str(home), "TERM": term},
            stdout=its if stdout is None else stdout,
            stderr=its,
        )
        os.close(its)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def wait_for(self, *texts: str) -> list[str]:
        """The lines of the screen, once they show all of these."""
        until = time.monotonic() + 60
        while True:
            lines = self.lines()
            if all(any(text in line for line in lines) for text in texts):
                return lines
            assert time.monotonic() < until, lines
            time.sleep(0.05)

    def ended(self) -> int:
        """Wait for the end of the command, and of what it has written."""
        code = self.process.wait(60)
        self._thread.join()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.ended()
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                piece = os.read(self._ours, 1 << 16)
            except OSError:  # nobody has the other side any more
                return
            if not piece:
                return
            self.written += piece
            self._stream.feed(piece)


@contextmanager
def on_a_terminal(
    *arguments: str | Path, home: Path, stdout: Any = subprocess.DEVNULL, **more: Any
) -> Iterator[Terminal]:
    terminal = Terminal(*arguments, home=home, stdout=stdout, **more)
    try:
        yield terminal
    finally:
        terminal.kill()


def following(aws: Aws, *more: str) -> list[str]:
    return ["subscriber", "buckets", "--queue", "logs", "--follow", "--wait", "1", "--endpoint-url", aws.url, *more]


def test_a_terminal_shows_each_source_while_it_is_collected_and_in_the_end_nothing_but_what_it_came_to(
    aws: Aws, tmp_path: Path
) -> None:
    logs = Logs(aws)
    logs.put("a/first.json")
    with on_a_terminal(*following(aws), home=tmp_path) as terminal:
        heading, row = terminal.wait_for("buckets sqs://logs", "first.json")
        assert heading.split()[2:] == ["OBJECTS", "FETCHED", "EVENTS", "EVENTS/S", "LAG", "READING"]
        logs.put("a/second.json")
        _, row = terminal.wait_for("second.json", " 2 ")
        assert row.split()[:3] == ["buckets", "sqs://logs", "2"]
        assert not terminal.screen.cursor.hidden
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 143
        (line,) = terminal.lines()
        assert line.startswith("2 events of 2 objects sent in ")
        assert not terminal.screen.cursor.hidden


def test_what_is_said_meanwhile_stands_above_the_view_however_long_it_is(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws)
    logs.put("a/fine.json")
    key = "a/" + "long/" * 40 + "bad.json"
    logs.put(key, content=b'{"n": 1}{oh')
    with on_a_terminal(*following(aws), home=tmp_path) as terminal:
        terminal.wait_for("ERROR: ", "EVENTS/S", "FAILED")
        together = "".join(terminal.screen.display).replace(" ", "")
        assert f"s3://logs/{key}" in together
        assert "EVENTS/S" in terminal.lines()[-2]


def test_a_view_of_several_sources_has_a_row_for_each(aws: Aws, tmp_path: Path) -> None:
    Logs(aws).put("a/1.json")
    aws.client("sqs").create_queue(QueueName="other")
    subscribers = "\n".join(
        f'[[subscriber]]\nname = "buckets"\nqueue = "{name}"\nwait = 1' for name in ("logs", "other")
    )
    file = tmp_path / "awsflow.toml"
    file.write_text(f'to = "file:{tmp_path}/events"\n[defaults]\nendpoint-url = "{aws.url}"\n{subscribers}\n')
    with on_a_terminal("run", "--config", file, home=tmp_path) as terminal:
        lines = terminal.wait_for("EVENTS/S", "1.json", "other")
        assert len(lines) == 3
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ended() == 143
        assert not any("EVENTS/S" in line for line in terminal.lines())


def test_a_narrow_terminal_shows_less_and_no_line_is_broken(aws: Aws, tmp_path: Path) -> None:
    Logs(aws).put("a/1.json")
    with on_a_terminal(*following(aws), home=tmp_path, columns=60) as terminal:
        heading, _ = terminal.wait_for("EVENTS/S", "buckets", " 1 ")
        assert "READING" not in heading
        assert "FETCHED" not in heading


@pytest.mark.parametrize(("flags", "term"), [((), "xterm"), (("--quiet", "--to", "file:x"), "xterm"), ((), "dumb")])
def test_where_events_may_be_seen_too_or_nobody_wants_to_look_there_is_no_view(
    aws: Aws, tmp_path: Path, flags: tuple[str, ...], term: str
) -> None:
    """The reader of a pipe may write to the terminal, and the terminal itself shows the events."""
    Logs(aws).put("a/1.json")
    command = [*following(aws), *(flag.replace("file:x", f"file:{tmp_path}/x") for flag in flags)]
    stdout = subprocess.DEVNULL if term == "dumb" else None
    with on_a_terminal(*command, home=tmp_path, stdout=stdout, term=term) as terminal:
        if term == "dumb":
            time.sleep(3)
        else:
            until = time.monotonic() + 60
            while not (terminal.lines() or (tmp_path / "x").exists()):
                assert time.monotonic() < until
                time.sleep(0.05)
        time.sleep(0.5)
        assert b"EVENTS/S" not in terminal.written
        assert b"\x1b" not in terminal.written


def test_in_a_pipe_there_is_not_a_byte_unless_progress_is_wanted(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws)
    for flags in ((), ("--progress",)):
        logs.put("a/1.json")
        command = ["subscriber", "buckets", "--queue", "logs", "--wait", "0", "--endpoint-url", aws.url, *flags]
        ended = awsflow(*command, home=tmp_path)
        assert (ended.returncode, ended.stderr) == (0, b"")  # it is over before the first line is due


def test_lines_tell_now_and_then_how_far_each_source_is_and_end_at_once() -> None:
    said: list[str] = []
    rows = {"a": Stats(sent=3, objects=1), "b": Stats()}
    two = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        if len(said) >= 4:
            two.set()

    with Lines(lambda: rows, say, every=0.01):
        assert two.wait(30)
    number = len(said)
    time.sleep(0.05)
    assert len(said) == number
    assert said[0] == "a: 1 object, 0 bytes, 3 events, 0 per second"
    assert said[1].startswith("b: 0 objects")


def test_a_line_tells_of_failures_and_lag_where_there_are_any() -> None:
    line = as_progress("a", Stats(sent=1, failed=2, newest="2020-01-01T00:00:00Z"), 1234.5)
    assert line.startswith("a: 0 objects, 0 bytes, 1 event, 1,234 per second, 2 failed, lag ")
    assert line.endswith(" d")


def test_the_pace_is_that_of_the_last_seconds_and_begins_anew_with_another_run() -> None:
    times = iter([0.0, 1.0, 2.0, 100.0, 101.0, 102.0, 103.0])
    pace = Pace(lambda: next(times))
    assert [pace.of("a", Stats(sent=sent)) for sent in (0, 10, 30)] == [0.0, 10.0, 15.0]
    assert pace.of("a", Stats(sent=128)) == pytest.approx(1.0)
    assert pace.of("a", Stats(sent=5)) == 0.0
    assert pace.of("a", Stats(sent=7)) == 2.0
    assert pace.of("b", Stats(sent=7)) == 0.0


def test_what_is_being_read_is_noted_and_no_item_changed() -> None:
    stats = Stats()
    items: list[Item] = [Record(b"", Origin("b", "k/1"), 1), Barrier(), Record(b"", Origin("b", "k/2"), 1), Barrier()]
    seen = []
    for item in noting(stats)(items):
        seen.append(item)
        if isinstance(item, Barrier):
            seen.append(stats.reading)  # type: ignore[arg-type] # what was noted by then
    assert seen == [items[0], items[1], "s3://b/k/1", items[2], items[3], "s3://b/k/2"]


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    view = LiveView(lambda: {"[red]a[/red] :smile:": Stats(reading="x/[bold]y")}, io.StringIO())
    view.console.width = COLUMNS
    view.console.print(view.table())
    written = view.console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO above
    assert "[red]a[/red] :smile:" in written
    assert "[bold]y" in written
