"""`awsflow bucket`: collect what is new in an S3 bucket, for people and their scripts."""

import argparse
from collections.abc import Sequence

from awsflow.cli.ending import Stop
from awsflow.cli.people import (
    Terminal,
    add_access,
    add_dead_letter,
    add_delivery,
    add_metrics,
    add_reading,
    add_state,
    add_workers,
    after_of,
    deliver,
    limits_of,
    of_flag,
    run,
    state_of,
)
from awsflow.options import BucketOptions, account_ids, bucket_name, key_part, lookback, region_names, workers

EXAMPLES = """examples:
  awsflow bucket my-trail --type cloudtrail | jq .
  awsflow bucket my-trail --after 2026-11-01 --to file:events.ndjson
  awsflow bucket my-logs --type auto --no-state --plain | jq -r .source | sort | uniq -c
  awsflow bucket my-trail --organization o-abc123def4 --role-arn arn:aws:iam::123456789012:role/logs --to wazuh
  awsflow bucket my-trail --to wazuh --metrics /var/lib/node_exporter/textfile/awsflow.prom

What was delivered is remembered, whatever the sink: a second run goes on behind it. See --state and --no-state.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow bucket",
        description="Collect the logs of one type, or of all types, from an S3 bucket: each new object once.",
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
    parser.add_argument("name", metavar="NAME", help="the bucket")
    parser.add_argument("--prefix", default="", help="key prefix before AWSLogs/")
    parser.add_argument("--suffix", default="", help="path between AWSLogs/ and the organization or account")
    parser.add_argument("--organization", default="", metavar="ID", help="organization id in the key path")
    parser.add_argument("--accounts", default="", metavar="A,B", help="accounts (default: all that are there)")
    parser.add_argument("--regions", default="", metavar="A,B", help="regions (default: all that are there)")
    parser.add_argument("--lookback", default="1", metavar="DAYS", help="how late logs may come (default: 1)")
    parser.add_argument(
        "--skip-on-error", action="store_true", help="go on past what cannot be read; it is tried again"
    )
    parser.add_argument("--remove", action="store_true", help="delete each object once its events are delivered")
    add_state(parser)
    add_dead_letter(parser)
    add_reading(parser)
    add_delivery(parser)
    add_workers(parser)
    add_metrics(parser)
    add_access(parser)


def options_of(arguments: argparse.Namespace) -> BucketOptions:
    """What they ask for."""
    max_size, max_ratio = limits_of(arguments)
    return BucketOptions(
        bucket=bucket_name(arguments.name),
        log_type=arguments.type.lower(),
        format=arguments.format,
        organization=arguments.organization,
        accounts=account_ids(arguments.accounts),
        regions=region_names(arguments.regions),
        prefix=key_part(arguments.prefix),
        suffix=key_part(arguments.suffix),
        alias=arguments.alias,
        only_after=after_of(arguments),
        lookback=lookback(arguments.lookback),
        skip_on_error=arguments.skip_on_error,
        reparse=arguments.reparse,
        remove=arguments.remove,
        max_object_size=max_size,
        max_ratio=max_ratio,
        state=state_of(arguments),
        workers=of_flag("--workers", workers, arguments.workers),
    )


def _collect(arguments: argparse.Namespace, terminal: Terminal, stop: Stop) -> int:
    return deliver(options_of(arguments), arguments, terminal, stop)
