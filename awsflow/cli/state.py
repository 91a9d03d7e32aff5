"""`awsflow state`: what is remembered: to look at, to forget, and to take over from Wazuh's module."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.cli.lines import print_lines
from awsflow.errors import AlreadyRunning, ArgumentsError, StateError
from awsflow.options import state_home
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.history import History

EXAMPLES = """examples:
  awsflow state show
  awsflow state show --state /var/ossec/wodles/aws/awsflow.db --json | jq -c 'select(.stream) | [.stream, .newest]'
  awsflow state forget 'cloudtrail s3://my-trail/*' --dry-run
  awsflow state forget 'cloudtrail s3://my-trail/AWSLogs/' --key '*/eu-west-1/2026/11/23/*'
  awsflow state forget 'vpcflow s3://old-bucket/*'         # not in `awsflow status` any more, either
  awsflow state forget cloudwatchlogs --stream '/aws/lambda/*'
  awsflow state import
  awsflow state import copy-of/s3_cloudtrail.db --wazuh-home /srv/ossec

WORK is what a state goes by, as `show` has it: a log type and a place, or a service; it may be a pattern with * and ?.
`forget` without --stream and --key takes the sources of `awsflow status` that go by the same name off that, too.
"""
SHOWN = 10
"""Log streams of a group that are shown as text."""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow state",
        description="What is remembered between runs: show it, forget some of it, or take over from Wazuh's module.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="show|forget|import", required=True)
    show = commands.add_parser("show", help="how far each work, stream, log group and scan is")
    show.add_argument("work", nargs="?", default="*", metavar="WORK", help="of these only")
    show.add_argument("--json", action="store_true", help="a line of JSON for each thing")
    forget = commands.add_parser("forget", help="forget a work, or a part of it: it is as if it had never been read")
    forget.add_argument("work", metavar="WORK", help="which; '*' for all")
    forget.add_argument("--stream", default="", metavar="GLOB", help="the streams, log groups, or regions like this")
    forget.add_argument("--key", default="", metavar="GLOB", help="the objects whose keys are like this")
    forget.add_argument("--dry-run", action="store_true", help="only say what would be forgotten")
    take = commands.add_parser("import", help="take over the positions of Wazuh's own module")
    take.add_argument(
        "places", nargs="*", type=Path, metavar="PLACE", help="databases, or their folder (default: in Wazuh's home)"
    )
    take.add_argument("--wazuh-home", type=Path, metavar="DIR", help="default: $WAZUH_HOME, else /var/ossec")
    for command in (show, forget):
        command.add_argument("--state", type=Path, metavar="FILE", help="default: in ~/.local/state/awsflow/")
    take.add_argument(
        "--state", type=Path, metavar="FILE", help="default: wodles/aws/awsflow.db in Wazuh's home, as the wodle has it"
    )
    return parser


def main(argv: Sequence[str]) -> int:
    """Show, forget or import; return the exit code."""
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr)
    return ended(lambda: _act(arguments, channel), channel.error, channel.warning)


def _act(arguments: argparse.Namespace, channel: Channel) -> int:
    if arguments.command == "import":
        from awsflow.cli.state_import import take_over  # noqa: PLC0415 - it knows all log types

        home = arguments.wazuh_home or Path(os.environ.get("WAZUH_HOME") or "/var/ossec")
        return take_over(arguments.places, home / "wodles" / "aws", arguments.state, channel)
    path: Path = arguments.state or state_home(os.environ) / "awsflow.db"
    if not path.exists() and not path.is_symlink():
        raise StateError(f"opening the state {path}: there is none; name it with --state, as the runs have it")
    with Checkpoints(path, warn=channel.error) as checkpoints:
        if arguments.command == "show":
            return _show(checkpoints, arguments, path)
        with History(path, channel.error) as history:
            return _forget(checkpoints, history, arguments)


def _show(checkpoints: Checkpoints, arguments: argparse.Namespace, path: Path) -> int:
    contents = checkpoints.contents()
    works = contents.works(arguments.work)
    if not works and arguments.work != "*":
        raise ArgumentsError(
            f"showing the state: nothing goes by {arguments.work}; `awsflow state show` tells all names"
        )
    if not works:
        print(f"nothing is remembered in {path}", file=sys.stderr)
    for work in works:
        with closing(contents.of(work)) as things:  # it holds the database, which else could not be closed
            print_lines(map(json.dumps, things) if arguments.json else _as_text(things))
    return 0


def _as_text(things: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Lines for people, one for each thing; of the log streams of a group the first few."""
    shown = 0
    for thing in things:
        match thing:
            case {"first_run": first, "last_run": last, "to_delete": to_delete}:
                more = f", {to_delete:,} objects to delete" if to_delete else ""
                yield f"{thing['work']}: first run {first}, all listed {last}{more}"
            case {"key": key, "records_done": done}:
                yield f"    half read: {key}: {done:,} records done"
            case {"stream": stream, "objects": objects}:
                told = f"newest {thing['newest'] or '-'}, {objects:,} objects of {thing['remembered_from']} and later"
                if thing["half_read"]:
                    told += f", {thing['half_read']:,} half read"
                if thing["failures"]:
                    told += f", {thing['failures']:,} on the failures list"
                yield f"  {stream}: {told}"
            case {"log_group": group, "log_streams": count}:
                shown = 0
                yield f"  {thing['region']} {group}: {count:,} log streams, latest event {thing['latest'] or '-'}"
            case {"log_stream": stream}:
                shown += 1
                if shown <= SHOWN:
                    until = f", and what lies before {thing['until']} up to there" if thing["until"] else ""
                    yield f"    {stream}: read from {thing['earliest']} to {thing['latest']}{until}"
                elif shown == SHOWN + 1:
                    yield "    ... more with --json"
            case {"service": service, "done": done}:
                yield f"  {thing['region']} {service}: all before {done}"


def _forget(checkpoints: Checkpoints, history: History, arguments: argparse.Namespace) -> int:
    works = checkpoints.contents().works(arguments.work)
    is_whole = not (arguments.stream or arguments.key)
    sources = history.forget(arguments.work, only_look=arguments.dry_run) if is_whole else []
    if not works and not sources:
        raise ArgumentsError(
            f"forgetting {arguments.work}: nothing goes by that; `awsflow state show` and `status` tell all names"
        )
    told = "would be forgotten" if arguments.dry_run else "forgotten"
    held: list[str] = []
    for name in works:
        try:
            with checkpoints.forgetting(name) as work:
                counts = work.forget(arguments.stream, arguments.key, only_count=arguments.dry_run)
        except AlreadyRunning as error:
            held.append(str(error))
            continue
        parts = ", ".join(f"{count:,} {part if count != 1 else part.rstrip('s')}" for part, count in counts.items())
        whole = "all of it" if is_whole else ""
        print(
            f"{name}: {' '.join(filter(None, [whole, f'({parts})' if whole and parts else parts])) or 'nothing'} {told}"
        )
    for name in sources:
        print(f"{name}: its history {told}")
    if held:
        raise StateError(" | ".join(held))
    return 0
