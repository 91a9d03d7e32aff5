"""`awsflow service`: collect from CloudWatch Logs or Inspector, through their API."""

import argparse
import time
from collections.abc import Sequence

from awsflow.cli.ending import Stop
from awsflow.cli.people import (
    Terminal,
    add_access,
    add_dead_letter,
    add_delivery,
    add_metrics,
    add_state,
    after_of,
    deliver,
    metrics_served,
    of_flag,
    run,
    state_of,
)
from awsflow.errors import ArgumentsError
from awsflow.options import SERVICES, ServiceOptions, region_names, requests_per_second, service_name, whole_seconds

EXAMPLES = """examples:
  awsflow service cloudwatchlogs --log-group /aws/lambda/x --region eu-west-1 | head
  awsflow service cloudwatchlogs --log-group '/aws/eks/*' --region eu-west-1,us-east-1 --follow --to wazuh
  awsflow service inspector --region eu-west-1 --after 2026-11-01 --to file:findings.ndjson

What was delivered is remembered, whatever the sink: a second run goes on behind it. See --state and --no-state.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow service",
        description="Collect from CloudWatch Logs or Inspector: each new event or finding once.",
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
    parser.add_argument("name", metavar="NAME", help=" or ".join(SERVICES))
    parser.add_argument(
        "--log-group", action="append", default=[], metavar="GROUP", help="name, prefix* or ARN; may be given again"
    )
    parser.add_argument("--log-stream-prefix", default="", metavar="P", help="only the log streams that begin so")
    parser.add_argument("--region", default="", metavar="A,B", help="regions (default: the profile's, else all)")
    parser.add_argument("--envelope", action="store_true", help="say group, stream, account, region and time of each")
    parser.add_argument("--remove-log-streams", action="store_true", help="delete each log stream once delivered")
    parser.add_argument(
        "--requests-per-second", default="25", metavar="N", help="to CloudWatch Logs, in each region (default: 25)"
    )
    parser.add_argument("--skip-on-error", action="store_true", help="go on past log groups that cannot be read")
    parser.add_argument("--follow", action="store_true", help="stay, and look for more every --interval seconds")
    parser.add_argument("--interval", default="10", metavar="S", help="seconds between two looks (default: 10)")
    add_state(parser)
    add_dead_letter(parser)
    add_delivery(parser)
    add_metrics(parser, port=True)
    add_access(parser)


def options_of(arguments: argparse.Namespace) -> ServiceOptions:
    """What they ask for."""
    name = service_name(arguments.name)
    if (name == "cloudwatchlogs") != bool(arguments.log_group):
        raise ArgumentsError("give --log-group for cloudwatchlogs, and for nothing else")
    return ServiceOptions(
        service=name,
        groups=tuple(arguments.log_group),
        stream_prefix=arguments.log_stream_prefix,
        regions=region_names(arguments.region),
        only_after=after_of(arguments),
        reparse=arguments.reparse,
        remove=arguments.remove_log_streams,
        envelope=arguments.envelope,
        requests_per_second=of_flag("--requests-per-second", requests_per_second, arguments.requests_per_second),
        skip_on_error=arguments.skip_on_error,
        state=state_of(arguments),
    )


def _collect(arguments: argparse.Namespace, terminal: Terminal, stop: Stop) -> int:
    options = options_of(arguments)
    if arguments.follow and options.state is None:
        raise ArgumentsError("--follow: it needs a state, to know what was read; leave --no-state away")
    interval = of_flag("--interval", whole_seconds, arguments.interval)
    with metrics_served(arguments):
        while True:
            code = deliver(options, arguments, terminal, stop)
            due = time.monotonic() + interval
            while arguments.follow and not stop() and time.monotonic() < due:
                time.sleep(min(0.2, interval))  # so that a signal is noticed soon
            if stop() or not arguments.follow:
                return code
