"""`awsflow wodle`: what Wazuh's scheduler calls in place of its aws-s3 command. Prints nothing when all went well."""

import os
import sys
from collections.abc import Sequence

from awsflow.cli.channel import Channel
from awsflow.cli.ending import Stop, ended, stop_on_signals
from awsflow.cli.wodle_flags import WodleOptions, parse, usage
from awsflow.errors import ArgumentsError


def main(argv: Sequence[str]) -> int:
    """Run one collection; return the exit code that the scheduler knows."""
    channel = Channel(sys.stdout)

    def run() -> int:
        nonlocal channel
        try:
            options = parse(argv, os.environ)
        except ArgumentsError:
            print(usage(), file=sys.stderr)
            raise
        channel = Channel(sys.stdout, options.debug, options.log_file)
        for note in options.notes:
            channel.debug(note)
        with stop_on_signals() as stop:
            _collect(options, channel, stop)
        return stop.exit_code

    try:
        return ended(run, lambda text: channel.error(text), lambda text: channel.warning(text))
    finally:
        channel.close()


def _collect(options: WodleOptions, channel: Channel, stop: Stop) -> None:
    """Collect what the flags say into Wazuh's queue."""
    from awsflow.cli.collecting import collect_bucket  # noqa: PLC0415 - a usage line needs no AWS
    from awsflow.cli.summary import as_line, write_json  # noqa: PLC0415 - likewise
    from awsflow.sinks.wazuh import WazuhSocket  # noqa: PLC0415 - likewise

    stats = collect_bucket(
        options.bucket,
        options.access,
        lambda oversized: WazuhSocket(
            options.wazuh_home / "queue" / "sockets" / "queue",
            timeout=options.queue_timeout,
            stop=stop,
            oversized=oversized,
        ),
        dead_letters=options.dead_letter,
        stop=stop,
        told=lambda failure: channel.debug(f"{failure.origin}, record {failure.number}: {failure.error}"),
        note=channel.debug,
        warn=channel.warning,
    )
    channel.debug(as_line(stats))
    if options.stats_json is not None:
        write_json(stats, options.stats_json)
