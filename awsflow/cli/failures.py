"""`awsflow failures`: the objects that could not be read: which they are, trying them again, forgetting them."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from awsflow.cli.channel import Channel, printable
from awsflow.cli.ending import ended
from awsflow.cli.lines import print_lines
from awsflow.errors import ArgumentsError, NoObjects, StateError
from awsflow.options import state_home
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.failure_lists import FailureLists
from awsflow.state.positions import MAX_ATTEMPTS, FailedObject

COMMANDS = ("show", "retry", "forget")
EXAMPLES = """examples:
  awsflow failures
  awsflow failures show --json | jq -r 'select(.given_up) | .key'
  awsflow failures retry --bucket my-trail
  awsflow failures retry 's3://my-trail/AWSLogs/123456789012/*/2026/11/*'
  awsflow failures forget AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/x.json.gz
  awsflow failures --state /var/ossec/wodles/aws/awsflow.db

With --skip_on_error an object that cannot be read does not end a run: it is put on this list, and later runs try it
again, three times in all. Then it is given up; `retry` starts that anew, however old the object is. What `forget`
takes off the list is not read any more, unless it is replaced. Runs may go on meanwhile: the next one heeds it.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow failures",
        description="The objects that could not be read: show them (default), have them tried again, forget them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="show|retry|forget")
    show = commands.add_parser("show", help="list them: how often and when each was tried, and why it failed")
    show.add_argument("--json", action="store_true", help="a line of JSON for each")
    retry = commands.add_parser("retry", help="have the next run try them again, given up or not (default: all)")
    forget = commands.add_parser("forget", help="take them off the list")
    forget.add_argument("--all", action="store_true", help="all that are on the list")
    for command in (show, retry, forget):
        command.add_argument(
            "keys", nargs="*", metavar="KEY", help="a key or s3://BUCKET/KEY; may be a pattern with * and ?"
        )
        command.add_argument("--bucket", default="", metavar="NAME", help="objects of this bucket only")
        command.add_argument(
            "--state", type=Path, metavar="FILE", help="the state (default: in ~/.local/state/awsflow/)"
        )
    return parser


def main(argv: Sequence[str]) -> int:
    """Show, or change, the failures lists; return the exit code."""
    if not argv or argv[0] not in (*COMMANDS, "-h", "--help"):
        argv = ["show", *argv]
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr)
    return ended(lambda: _act(arguments, channel), channel.error, channel.warning)


def _act(arguments: argparse.Namespace, channel: Channel) -> int:
    path = arguments.state or state_home(os.environ) / "awsflow.db"
    chosen = f"{' '.join(arguments.keys)} {arguments.bucket}".strip()
    if arguments.command == "forget" and not (chosen or arguments.all):
        raise ArgumentsError("forgetting failures: which? give keys, --bucket or --all")
    if not path.exists():
        raise StateError(f"opening the state {path}: there is none; name it with --state, as the runs have it")
    with Checkpoints(path, warn=channel.warning) as checkpoints:
        lists = checkpoints.failure_lists(arguments.bucket, arguments.keys)
        if arguments.command == "show":
            listed = lists.listed()
            count = print_lines(map(_as_json, listed) if arguments.json else _as_text(listed))
        else:
            count = _changed(checkpoints, lists, arguments.command)
    if not count and chosen:
        raise NoObjects(f"looking for {chosen} in the failures lists of {path}: there is no such object")
    if not count and not getattr(arguments, "json", False):
        print(f"no object is on the failures lists of {path}", file=sys.stderr)
    return 0


def _changed(checkpoints: Checkpoints, lists: FailureLists, command: str) -> int:
    """Do it, say so, and return how many objects it concerned."""
    running = [name for name in lists.works() if checkpoints.is_open(name)]
    count = lists.retry() if command == "retry" else lists.forget()
    objects = f"{count:,} object{'' if count == 1 else 's'}"
    if count and command == "retry":
        print(f"{objects} will be tried again by the next run")
    elif count:
        print(f"{objects} forgotten")
    for name in running:
        then = "the one behind it heeds this" if command == "retry" else "what it fails to read is on the list again"
        print(f"a run is going on, {name}: {then}", file=sys.stderr)
    return count


def _as_json(listed: tuple[str, FailedObject]) -> str:
    work, failed = listed
    return json.dumps(
        {
            "work": work,
            "bucket": _bucket(work),
            "key": failed.key,
            "error": failed.error,
            "first": failed.first,
            "last": failed.last,
            "attempts": failed.attempts,
            "given_up": failed.attempts >= MAX_ATTEMPTS,
            "records": failed.records,
            "size": failed.size,
            "etag": failed.etag,
            "day": failed.day and failed.day.isoformat(),
        }
    )


def _as_text(listed: Iterable[tuple[str, FailedObject]]) -> Iterator[str]:
    """A table for each work, whose rows have the error below them."""
    before = None
    for work, failed in listed:
        if work != before:
            heading = f"{work}\n  {'attempts':<11} {'first':<20} {'last':<20} key"
            yield heading if before is None else f"\n{heading}"
            before = work
        given_up = ", given up" if failed.attempts >= MAX_ATTEMPTS else f" of {MAX_ATTEMPTS}"
        yield f"  {f'{failed.attempts}{given_up}':<11} {failed.first} {failed.last} {printable(failed.key)}"
        yield f"  {'':<11} {printable(failed.error)}"


def _bucket(work: str) -> str:
    """The bucket that a work is about."""
    return work.partition("s3://")[2].partition("/")[0]
