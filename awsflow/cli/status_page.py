"""The page of `awsflow status --html`: one file that needs no other, light or dark, for eyes and screen readers."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from awsflow.cli.plots import Axis, axis_of, bars, duration, line
from awsflow.cli.status_report import Source, ago
from awsflow.cli.summary import lasting
from awsflow.state.history import HOUR

_SIGNS = {"ok": "✓", "error": "✕", "runs": "▸", "stopped": "■", "lost": "?"}
_ORDER = ("error", "lost", "runs", "stopped", "ok")
"""Of the summary: what somebody must look at comes first."""
_IN_WORDS = {
    "ok": "ok",
    "error": "ended by an error",
    "runs": "running",
    "stopped": "stopped",
    "lost": "without an end",
}


def page(sources: Sequence[Source], now: datetime) -> str:
    """The page, as it is at this time."""
    axis = _axis(sources, now)
    told = f"{now.day} {now:%B %Y, %H:%M} UTC"
    states = ", ".join(dict.fromkeys(str(source.state) for source in sources))
    body = [_summary(sources), _table(sources)] if sources else ['<p class="soft">No source has run yet.</p>']
    body += [_section(source, number, axis) for number, source in enumerate(sources)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>awsflow status</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_style()}</style></head><body><header><h1>awsflow status</h1>"
        f'<p class="soft">As of <time datetime="{now:%Y-%m-%dT%H:%M:%SZ}">{told}</time></p></header>'
        f"<main>{''.join(body)}<footer><p>All times are UTC. Lag is how old the newest event was when it was "
        "delivered; where events tell no time, the newest object. 30 days are kept."
        f"{f' State: {escape(states)}.' if states else ''}</p></footer></main></body></html>\n"
    )


def _style() -> str:
    return files("awsflow.cli").joinpath("status_page.css").read_text("utf-8")


def _axis(sources: Sequence[Source], now: datetime) -> Axis:
    """One axis for all, so that they can be compared."""
    last = int(now.timestamp()) // HOUR
    return axis_of(min((source.hours[0].hour for source in sources if source.hours), default=last), last)


def _badge(condition: str, words: str) -> str:
    return f'<span class="badge {condition}"><span aria-hidden="true">{_SIGNS[condition]}</span>{escape(words)}</span>'


def _summary(sources: Sequence[Source]) -> str:
    conditions = [source.condition for source in sources]
    items = (
        f"<li>{_badge(condition, f'{conditions.count(condition)} {_IN_WORDS[condition]}')}</li>"
        for condition in _ORDER
        if condition in conditions
    )
    return f'<ul class="summary" aria-label="Sources by how they are">{"".join(items)}</ul>'


def _table(sources: Sequence[Source]) -> str:
    headings = ("Newest event", "Newest object", "Lag", "Events, 24 h", "Failures, 24 h", "Backlog")
    head = '<th scope="col">Source</th><th scope="col" colspan="2" class="left">Last run</th>'
    head += "".join(f'<th scope="col">{text}</th>' for text in headings)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="All sources"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(_row(source, number) for number, source in enumerate(sources))}</tbody></table></div>"
    )


def _row(source: Source, number: int) -> str:
    past, now = source.past, source.now
    return (
        f'<tr><th scope="row"><a href="#source-{number}">{escape(past.name)}</a></th>'
        f'<td class="left">{_badge(source.condition, source.told)}</td><td>{ago(past.told, now)}</td>'
        f"<td>{ago(past.newest_event, now)}</td><td>{ago(past.newest_object, now)}</td>"
        f"<td>{'-' if past.lag is None else lasting(past.lag)}</td><td>{source.events:,}</td>"
        f"<td{' class=bad' if source.failures else ''}>{source.failures:,}</td>"
        f"<td>{'-' if past.backlog is None else f'{past.backlog:,}'}</td></tr>"
    )


def _section(source: Source, number: int, axis: Axis) -> str:
    past = source.past
    why = past.error if source.condition == "error" else ""
    if source.condition == "lost":
        why = "It has not told of itself since, nor of an end: it hangs, or was killed."
    facts = {
        "Last run": f"{_when(past.began)}, {duration(max(past.told - past.began, 0))}",
        "Events, last run": f"{past.last_sent:,}{f', {past.last_failed:,} failures' if past.last_failed else ''}",
        "Last success": _when(past.well),
        "Newest event": _when(past.newest_event),
        "Newest object": _when(past.newest_object),
        "Runs": f"{past.runs:,}, {past.broken:,} broken",
        "Events in all": f"{past.sent:,}",
        "Failures in all": f"{past.failed:,}",
    }
    shown = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    return (
        f'<section id="source-{number}" aria-labelledby="name-{number}"><div class="head">'
        f'<h2 id="name-{number}">{escape(past.name)}</h2>{_badge(source.condition, source.told)}</div>'
        f"{f'<p class=why>{escape(why)}</p>' if why else ''}<dl>{shown}</dl>"
        f'<div class="plots">{_plots(source, axis)}</div>{_days(source)}</section>'
    )


def _plots(source: Source, axis: Axis) -> str:
    sent, failed, broken = ([0] * axis.count for _ in range(3))
    lags: list[float | None] = [None] * axis.count
    for hour in source.hours:
        piece = axis.piece(hour.hour)
        if 0 <= piece < axis.count:
            sent[piece] += hour.sent
            failed[piece] += hour.failed
            broken[piece] += hour.broken
            if hour.lag is not None:
                lags[piece] = max(lags[piece] or 0.0, hour.lag)
    per = {1: "hour", 24: "day"}.get(axis.hours, f"{axis.hours} hours")
    plots = {
        f"Events per {per}": bars(f"Events per {per}", sent, axis, kind="events"),
        "Lag": line("Lag", lags, axis, kind="lag"),
        f"Failures per {per}{', ▾ broken runs' if any(broken) else ''}": bars(
            f"Failures per {per}", failed, axis, kind="failures", marks=broken, what="broken runs"
        ),
    }
    return "".join(f"<figure><h3>{title}</h3>{plot}</figure>" for title, plot in plots.items())


def _days(source: Source) -> str:
    """The figures of each day, as a table."""
    days: dict[str, list[float]] = {}
    for hour in source.hours:
        figures = days.setdefault(f"{datetime.fromtimestamp(hour.hour * HOUR, UTC):%Y-%m-%d}", [0.0] * 5)
        for at, value in enumerate((hour.runs, hour.broken, hour.sent, hour.failed)):
            figures[at] += value
        figures[4] = max(figures[4], -1.0 if hour.lag is None else hour.lag)
    rows = (_cells(day, figures) for day, figures in reversed(days.items()))
    head = "".join(
        f'<th scope="col">{text}</th>' for text in ("Day", "Runs", "Broken", "Events", "Failures", "Largest lag")
    )
    return (
        '<details><summary>Day by day</summary><div class="scroll" tabindex="0" role="region" aria-label="Day by day">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _cells(day: str, figures: Sequence[float]) -> str:
    *counts, lag = figures
    numbers = (*(f"{count:,.0f}" for count in counts), duration(lag) if lag > 0 else "-")
    return f'<tr><th scope="row">{day}</th>{"".join(f"<td>{told}</td>" for told in numbers)}</tr>'


def _when(when: float | None) -> str:
    if when is None:
        return "-"
    told = datetime.fromtimestamp(when, UTC)
    return f"{told.day} {told:%b %H:%M}"
