"""How far runs are, while they go on: a live view on a terminal, a line now and then elsewhere, if that is wanted."""

import os
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TextIO, TypeAlias, cast

from awsflow.cli.channel import Channel
from awsflow.cli.summary import count, lag, lasting, size
from awsflow.flow import Stats
from awsflow.items import Barrier, Item, Origin, Record, Records
from awsflow.stages import Stage, Together

if TYPE_CHECKING:
    from rich.table import Table

Rows: TypeAlias = Callable[[], Mapping[str, Stats]]
"""The sources that are being collected, by name, each with what its run has come to so far."""

PAINTS = 5
"""A second."""
LOOKS_BACK = 5.0
"""Seconds over which events per second are counted."""
EVERY = 10.0
"""Seconds between two lines."""
FIGURES = {"OBJECTS": 8, "FETCHED": 9, "EVENTS": 10, "EVENTS/S": 8, "LAG": 6}
"""Columns, wide enough for most figures: else all jump about as these grow."""
NARROW = 100
"""Columns of a terminal below which some things are left out."""
NAME = 32
"""Characters of the name of what is being read; its end tells more than its beginning."""


def noting(stats: Stats) -> Stage:
    """A stage that notes in the stats what is being read."""

    @Together
    def stage(items: Iterable[Item]) -> Generator[Item, None, None]:
        origin = noted = Origin()
        for item in items:
            if isinstance(item, Record | Records):
                origin = item.origin
            elif item.__class__ is Barrier and origin is not noted:
                noted = origin
                stats.reading = str(origin)
            yield item

    return stage


class Pace:
    """Events per second of each source, over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def of(self, name: str, stats: Stats) -> float:
        """How fast this one is now. To be asked again and again."""
        now = self._clock()
        seen = self._seen.setdefault(name, deque())
        if seen and stats.sent < seen[-1][1]:  # another run has begun
            seen.clear()
        seen.append((now, stats.sent))
        while len(seen) > 2 and now - seen[1][0] >= LOOKS_BACK:  # it may be asked more seldom
            seen.popleft()
        passed = now - seen[0][0]
        return (stats.sent - seen[0][1]) / passed if passed else 0.0


class LiveView:
    """A table on a terminal, with a row for each source, that is painted anew all the time and goes at the end.

    What is said meanwhile is to be written to `above`: it scrolls by over the table.
    """

    def __init__(self, rows: Rows, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console  # noqa: PLC0415 - on a terminal only
        from rich.live import Live  # noqa: PLC0415 - likewise

        self._rows = rows
        self._clock = clock
        self._pace = Pace(clock)
        self._began = clock()
        self.console = Console(file=out, markup=False, emoji=False, highlight=False)
        self._live = Live(
            get_renderable=self.table,
            console=self.console,
            refresh_per_second=PAINTS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="ellipsis",
        )
        self.above = cast("TextIO", _Above(self))

    def __enter__(self) -> Self:
        self._live.start()
        self.console.show_cursor(True)  # a second Ctrl-C ends us at once: it must not stay hidden
        return self

    def __exit__(self, *raised: object) -> None:
        self._live.stop()

    def table(self) -> "Table":
        """The table, as it is now."""
        from rich.table import Table  # noqa: PLC0415 - on a terminal only

        is_wide = self.console.width >= NARROW
        table = Table(box=None, pad_edge=False, expand=True, header_style="dim")
        table.add_column(f"SOURCE  {_minutes(self._clock() - self._began)}", no_wrap=True, overflow="ellipsis", ratio=5)
        for heading, width in FIGURES.items():
            if is_wide or heading != "FETCHED":
                table.add_column(heading, justify="right", no_wrap=True, min_width=width if is_wide else None)
        rows = dict(self._rows())
        any_failed = any(stats.failed for stats in rows.values())
        if any_failed:
            table.add_column("FAILED", justify="right", no_wrap=True, style="red")
        if is_wide:
            table.add_column("READING", no_wrap=True, overflow="ellipsis", ratio=4, style="dim")
        for name, stats in rows.items():
            table.add_row(
                name,
                f"{stats.objects:,}",
                *([size(stats.bytes_in)] if is_wide else []),
                f"{stats.sent:,}",
                f"{self._pace.of(name, stats):,.0f}",
                _lag(stats),
                *([f"{stats.failed:,}" if stats.failed else ""] if any_failed else []),
                *([_end(stats.reading.rpartition("/")[2])] if is_wide else []),
            )
        return table


class _Above:
    """What a text stream is to a channel: its lines appear above the view, as long as they are."""

    def __init__(self, view: LiveView) -> None:
        self._view = view
        self.encoding = view.console.encoding

    def write(self, text: str) -> int:
        from rich.text import Text  # noqa: PLC0415 - on a terminal only

        if lines := text.removesuffix("\n"):
            self._view.console.print(Text(lines), soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """It is there already."""

    def fileno(self) -> int:
        return self._view.console.file.fileno()


class Lines:
    """A line for each source every few seconds: for logs, and whatever else is no terminal."""

    def __init__(self, rows: Rows, say: Callable[[str], None], every: float = EVERY) -> None:
        self._rows = rows
        self._say = say
        self._every = every
        self._pace = Pace()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="awsflow-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        """The thread's life."""
        while not self._over.wait(self._every):
            for name, stats in dict(self._rows()).items():
                self._say(as_progress(name, stats, self._pace.of(name, stats)))


def as_progress(name: str, stats: Stats, pace: float) -> str:
    """How far a source is, in a line.

    >>> as_progress("cloudtrail s3://trail/", Stats(objects=2, bytes_in=2048, sent=1500, failed=1), 120.4)
    'cloudtrail s3://trail/: 2 objects, 2.0 KiB, 1,500 events, 120 per second, 1 failed'
    """
    parts = [
        count(stats.objects, "object"),
        size(stats.bytes_in),
        count(stats.sent, "event"),
        f"{pace:,.0f} per second",
    ]
    parts += [f"{stats.failed:,} failed"] if stats.failed else []
    parts += [f"lag {behind}"] if (behind := _lag(stats)) != "-" else []
    return f"{name}: {', '.join(parts)}"


def view_of(rows: Rows, to: str, channel: Channel, *, quiet: bool, wanted: bool) -> LiveView | Lines | None:
    """What shows the rows on standard error: a live view on a terminal that is ours alone, unless it is to be `quiet`.

    Where it is no terminal, or one that can do nothing, it is lines, if that is `wanted`. A terminal is not ours alone
    if events go there as well, or into a pipe: who reads it may write there.
    """
    is_terminal = sys.stderr.isatty() and os.environ.get("TERM") not in {None, "", "dumb", "unknown"}
    if is_terminal and not quiet and (wanted or to != "stdout" or not _may_be_seen(sys.stdout)):
        view = LiveView(rows, sys.stderr)
        channel.through(view.above)
        return view
    return Lines(rows, channel.say) if wanted else None


def _may_be_seen(out: TextIO) -> bool:
    """Whether what is written may get to a terminal."""
    try:
        return out.isatty() or stat.S_ISFIFO(os.fstat(out.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _lag(stats: Stats) -> str:
    behind = lag(stats, datetime.now(UTC))
    return "-" if behind is None else lasting(max(behind, 0))


def _end(name: str) -> str:
    return name if len(name) <= NAME else f"…{name[1 - NAME :]}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
