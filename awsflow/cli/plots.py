"""Plots as SVG, by hand: bars and lines over time that follow the page's colours, and tell what they show in words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

WIDTH, HEIGHT = 380, 132
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 10, 20
"""Around the plot itself."""
_STEPS = (1, 1.5, 2, 3, 4, 6, 8, 10)
_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 12 * 3600, 86400)
"""Round durations."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Time, in pieces of some hours. Seconds since 1970."""

    begin: int
    hours: int
    """Of one piece."""
    count: int

    @property
    def end(self) -> int:
        """Behind the last piece."""
        return self.begin + self.count * self.hours * 3600

    def x(self, when: float) -> float:
        """Where a time is drawn."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (when - self.begin) / (self.end - self.begin)

    def piece(self, hour: int) -> int:
        """The number of the piece that an hour, counted from 1970, lies in."""
        return (hour * 3600 - self.begin) // (self.hours * 3600)

    def when(self, piece: int) -> str:
        """The time of a piece, for people."""
        began = datetime.fromtimestamp(self.begin + piece * self.hours * 3600, UTC)
        return f"{began.day} {began:%b %H:%M}"


def axis_of(first_hour: int, last_hour: int) -> Axis:
    """The axis for these hours, counted from 1970: a day at least, in 60 pieces at most."""
    hours = next(hours for hours in (1, 3, 6, 24) if last_hour - first_hour < 56 * hours or hours == 24)
    end = -(-(last_hour + 1) // hours) * hours
    begin = min(first_hour // hours * hours, end - 24)
    return Axis(begin * 3600, hours, (end - begin) // hours)


def bars(title: str, values: Sequence[int], axis: Axis, *, kind: str, marks: Sequence[int] = (), what: str = "") -> str:
    """A bar for each piece of the axis that has a value; `marks` are numbers that get a sign of their own, `what`."""
    top = _round_up(max(values, default=0))
    drawn = []
    width = axis.x(axis.begin + axis.hours * 3600) - LEFT
    for piece, value in enumerate(values):
        told = f"{axis.when(piece)}: {value:,}"
        left = LEFT + piece * width
        if value:
            height = max((HEIGHT - TOP - BOTTOM) * value / top, 1.5)
            drawn.append(
                f'<rect class="{kind}" x="{left + width * 0.08:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" '
                f'width="{width * 0.84:.1f}" height="{height:.1f}"><title>{told}</title></rect>'
            )
        if marks and marks[piece]:
            middle = left + width / 2
            drawn.append(
                f'<path class="mark" d="M{middle - 3.5:.1f} {TOP - 7}h7l-3.5 6z">'
                f"<title>{axis.when(piece)}: {marks[piece]:,} {what}</title></path>"
            )
    total, most = sum(values), max(values, default=0)
    words = f"{total:,} in all, at most {most:,} at a time" if total else "none"
    if any(marks):
        words += f"; {sum(marks):,} {what}"
    return _svg(title, words, drawn, axis, top=top, shown=number, empty="none" if not total and not any(marks) else "")


def line(title: str, values: Sequence[float | None], axis: Axis, *, kind: str) -> str:
    """A line through the pieces of the axis that have a value, in seconds, broken where there is none."""
    known = [value for value in values if value is not None]
    top = _round_duration(max(known, default=0))
    drawn: list[str] = []
    path, is_down = [], False
    width = axis.x(axis.begin + axis.hours * 3600) - LEFT
    for piece, value in enumerate(values):
        if value is None:
            is_down = False
            continue
        x, y = LEFT + (piece + 0.5) * width, TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
        path.append(f"{'L' if is_down else 'M'}{x:.1f} {y:.1f}")
        is_down = True
        drawn.append(
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2"><title>{axis.when(piece)}: '
            f"{duration(value)}</title></circle>"
        )
    if path:
        drawn.insert(0, f'<path class="{kind}" d="{"".join(path)}"/>')
    words = f"from {duration(min(known))} to {duration(max(known))}" if known else "not known"
    return _svg(title, words, drawn, axis, top=top, shown=duration, empty="" if known else "not known")


def number(value: float) -> str:
    """A number in little space.

    >>> [number(value) for value in (0, 2.5, 999, 1200, 25_000, 3_400_000)]
    ['0', '2.5', '999', '1.2 k', '25 k', '3.4 M']
    """
    for unit in ("", " k", " M", " G"):
        if value < 1000:
            return f"{value:.3g}{unit}"
        value /= 1000
    return f"{value:,.3g} T"


def duration(seconds: float) -> str:
    """A duration in little space.

    >>> [duration(seconds) for seconds in (0, 2.5, 90, 5400, 200_000)]
    ['0 s', '2.5 s', '1.5 min', '1.5 h', '2.3 d']
    """
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= (2 if unit == "d" else 1) * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"


def _svg(
    title: str, words: str, drawn: Sequence[str], axis: Axis, *, top: float, shown: Callable[[float], str], empty: str
) -> str:
    """The plot with its frame: lines at the half and the full height, some times below."""
    bottom = HEIGHT - BOTTOM
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}: {escape(words)}">',
        f'<path class="base" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>',
    ]
    if not empty:
        for height, value in ((TOP, top), ((TOP + bottom) / 2, top / 2), (bottom, 0)):
            if value:
                parts.append(f'<path class="grid" d="M{LEFT} {height:g}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 6}" y="{height + 3.5:g}" class="y">{shown(value)}</text>')
    parts += [f'<text x="{x:.1f}" y="{HEIGHT - 5}" class="x">{told}</text>' for x, told in _times(axis)]
    parts += drawn
    if empty:
        parts.append(
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{(TOP + bottom) / 2 + 4:g}" class="none">{empty}</text>'
        )
    return "".join((*parts, "</svg>"))


def _times(axis: Axis) -> list[tuple[float, str]]:
    """Where times are told below a plot: hours of up to two days, else days at midnight, five or so."""
    span = (axis.end - axis.begin) // 3600
    every = next(hours for hours in (6, 12, 24, 48, 96, 168) if span / hours <= 6)
    first = -(-axis.begin // (every * 3600)) * every * 3600
    times = []
    for when in range(first, axis.end, every * 3600):
        told = datetime.fromtimestamp(when, UTC)
        x = axis.x(when)
        if LEFT + 8 <= x <= WIDTH - RIGHT - 12:
            times.append((x, f"{told.day} {told:%b}" if every >= 24 or not told.hour else f"{told:%H:%M}"))
    return times


def _round_up(value: float) -> float:
    """A round number that is not smaller, 2 at least; even, so that there is a half of it, if it is small."""
    if value <= 10:
        return max(2, 2 * math.ceil(value / 2))
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value)


def _round_duration(seconds: float) -> float:
    """A round duration that is not shorter."""
    days = _round_up(seconds / 86400) * 86400
    return next((round_ for round_ in _SECONDS if round_ >= seconds), days)
