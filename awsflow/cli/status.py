"""`awsflow status`: of each source its last run, lag, events, failures and backlog; for people, machines, browsers."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.cli.lines import print_lines
from awsflow.cli.replacing import replace_file
from awsflow.cli.status_report import Source, ago, sources_of
from awsflow.cli.summary import lasting
from awsflow.errors import StateError
from awsflow.options import state_home

EXAMPLES = """examples:
  awsflow status
  awsflow status --json | jq '.sources[] | select(.condition == "error") | .source'
  awsflow status --wazuh-home /var/ossec --html /var/www/html/awsflow.html

Without --state and --wazuh-home, all sources are told of that the states of this user and of Wazuh know, as far as they
are there: ~/.local/state/awsflow/awsflow.db, and wodles/aws/awsflow.db in $WAZUH_HOME, else in /var/ossec. 30 days are
kept. Exit code 0, however the sources are.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow status",
        description="Tell of each source how its last run ended, its lag, events, failures, and what waits.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--state", type=Path, metavar="FILE", help="the state to look into")
    which.add_argument("--wazuh-home", type=Path, metavar="DIR", help="look into the state of the Wazuh that lies here")
    parser.add_argument("--json", action="store_true", help="print it as JSON, with each hour of the last 30 days")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="write a page with plots to FILE, which needs nothing else to be shown",
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Tell how the sources are; return the exit code."""
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr)
    return ended(partial(_tell, arguments), channel.error, channel.warning)


def _tell(arguments: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    sources = [source for state in _states(arguments) for source in sources_of(state, now)]
    if arguments.html is not None:
        from awsflow.cli.status_page import page  # noqa: PLC0415 - the others need none

        replace_file(arguments.html, page(sources, now).encode(), "the page")
    if arguments.json:
        told = {"time": f"{now:%Y-%m-%dT%H:%M:%SZ}", "sources": [source.as_json() for source in sources]}
        print_lines([json.dumps(told, indent=1)])
    elif arguments.html is None:
        print_lines(as_lines(sources))
    return 0


def _states(arguments: argparse.Namespace) -> list[Path]:
    """The states to look into; StateError if there is none."""
    homes = arguments.wazuh_home or Path(os.environ.get("WAZUH_HOME") or "/var/ossec")
    wazuh = homes / "wodles" / "aws" / "awsflow.db"
    if arguments.state:
        wanted = [arguments.state]
    elif arguments.wazuh_home:
        wanted = [wazuh]
    else:
        wanted = [state_home(os.environ) / "awsflow.db", wazuh]
    found = [state for state in wanted if os.path.lexists(state)]
    if not found:
        raise StateError(
            f"looking for the state: there is none at {' or '.join(map(str, wanted))}; it is made by the first run, "
            "or may lie elsewhere: give --state or --wazuh-home"
        )
    return found


HEADINGS = ("SOURCE", "LAST RUN", "NEWEST EVENT", "NEWEST OBJECT", "LAG", "EVENTS/24 H", "FAILURES/24 H", "BACKLOG")
_TEXT = 4
"""Columns that are text; the others are numbers."""


def as_lines(sources: Sequence[Source]) -> list[str]:
    """The table for people, with the error of each source that has one below it; of several states each by itself."""
    if not sources:
        return ["no source has run yet"]
    rows = [_row(source) for source in sources]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    lines = [_line(HEADINGS, widths)]
    state = sources[0].state if sources[0].state == sources[-1].state else None
    for source, row in zip(sources, rows, strict=True):
        if source.state != state:
            state = source.state
            lines.append(f"in {state}:")
        lines.append(_line(row, widths))
        if source.condition == "error":
            lines.append(f"    {source.past.error}")
        elif source.condition == "lost":
            lines.append("    it has not told of itself since, nor of an end: it hangs, or was killed")
    return lines


def _row(source: Source) -> tuple[str, ...]:
    past, now = source.past, source.now
    return (
        past.name,
        f"{source.told}, {ago(past.told, now)}",
        ago(past.newest_event, now),
        ago(past.newest_object, now),
        "-" if past.lag is None else lasting(past.lag),
        f"{source.events:,}",
        f"{source.failures:,}",
        "-" if past.backlog is None else f"{past.backlog:,}",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.ljust(width) if number < _TEXT else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()
