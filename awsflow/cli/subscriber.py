"""`awsflow subscriber`: collect the objects that a queue's messages name, as soon as they are there."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from awsflow.cli.ending import Stop
from awsflow.cli.people import (
    Terminal,
    add_access,
    add_dead_letter,
    add_delivery,
    add_limits,
    add_metrics,
    deliver,
    limits_of,
    metrics_served,
    of_flag,
    run,
)
from awsflow.errors import ArgumentsError
from awsflow.logtypes.subscribers import SUBSCRIBERS
from awsflow.options import QueueOptions, whole_seconds

EXAMPLES = """examples:
  awsflow subscriber buckets --queue my-queue --to wazuh
  awsflow subscriber buckets --queue my-trail-queue --type cloudtrail --follow --to wazuh --metrics-port 9107
  awsflow subscriber security_lake --queue https://sqs.eu-west-1.amazonaws.com/123456789012/lake | jq .

A message is deleted once all that it names was delivered. One that cannot be dealt with is told, and left to the
queue's redrive policy; with --skip-on-error it is kept in the dead letters, and deleted. Without --follow the command
ends when the queue is empty.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow subscriber",
        description="Collect the objects that the messages of an SQS queue name.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def main(argv: Sequence[str]) -> int:
    """Collect; return the exit code."""
    return run(parser(), argv, _collect)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is collected, and where it goes."""
    parser.add_argument("name", metavar="NAME", help=f"what reads the objects: {', '.join(SUBSCRIBERS)}")
    parser.add_argument("--queue", required=True, metavar="QUEUE", help="name, URL or ARN of the queue")
    parser.add_argument(
        "--type", default="", help="of buckets: a log type of `awsflow types`, or auto: find out, and say"
    )
    parser.add_argument("--format", default="", help="of buckets: json, jsonl, csv, tsv, text or parquet")
    parser.add_argument("--follow", action="store_true", help="stay, and wait for more")
    parser.add_argument("--wait", default="20", metavar="S", help="wait for messages, 0 to 20 seconds (default: 20)")
    parser.add_argument("--visibility", metavar="S", help="hide messages that are worked on (default: the queue's own)")
    parser.add_argument("--skip-on-error", action="store_true", help="file what cannot be read, and delete its message")
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="the history for `awsflow status` (default: in ~/.local/state/awsflow/)",
    )
    add_dead_letter(parser)
    add_limits(parser)
    add_delivery(parser)
    add_metrics(parser, port=True)
    add_access(parser)


def options_of(arguments: argparse.Namespace) -> QueueOptions:
    """What they ask for."""
    max_size, max_ratio = limits_of(arguments)
    if arguments.type and arguments.name.lower() != "buckets":
        raise ArgumentsError(f"--type {arguments.type}: it is for the subscriber buckets, not {arguments.name}")
    return QueueOptions(
        queue=arguments.queue,
        reader=arguments.type or arguments.name,
        format=arguments.format,
        alias=arguments.alias,
        skip_on_error=arguments.skip_on_error,
        follow=arguments.follow,
        wait=of_flag("--wait", whole_seconds, arguments.wait),
        visibility=None
        if arguments.visibility is None
        else of_flag("--visibility", whole_seconds, arguments.visibility),
        max_object_size=max_size,
        max_ratio=max_ratio,
    )


def _collect(arguments: argparse.Namespace, terminal: Terminal, stop: Stop) -> int:
    options = options_of(arguments)
    with metrics_served(arguments):
        return deliver(options, arguments, terminal, stop)
