"""`awsflow wodle`: what Wazuh's scheduler calls in place of its aws-s3 command. Prints nothing when all went well."""

import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial

from awsflow.cli.channel import Channel
from awsflow.cli.ending import Stop, ended, stop_on_signals
from awsflow.cli.recording import EVERY, OFTEN, Recording, recorded
from awsflow.cli.wodle_flags import WodleOptions, parse, parser, usage
from awsflow.errors import AlreadyRunning, ArgumentsError, AwsflowError
from awsflow.flow import Stats
from awsflow.options import source_name

__all__ = ["main", "parser"]

SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Environment variables."""


def main(argv: Sequence[str]) -> int:
    """Run one collection; return the exit code that the scheduler knows."""
    channel = Channel(sys.stdout)
    return ended(partial(_run, argv), channel.error, channel.warning)


def _run(argv: Sequence[str]) -> int:
    """Parse the flags, collect; errors in the flags are left to the caller, who knows no better channel."""
    try:
        options = parse(argv, os.environ)
        access = options.access
        secrets = [access.access_key, access.secret_key, access.external_id, *map(os.environ.get, SECRETS)]
        opened = Channel(sys.stdout, options.debug, options.log_file, secrets)
    except ArgumentsError:
        print(usage(), file=sys.stderr)
        raise
    about = str(options.collect)
    with closing(opened) as channel:
        # not restored: Python may still warn of something when it ends
        warnings.showwarning = lambda message, category, *where: channel.debug(f"{category.__name__}: {message}", 2)

        def told(text: str) -> None:
            """Name the bucket, queue or service: the scheduler's log tells of all of them."""
            channel.error(text if about in text else f"{about}: {text}")

        return ended(partial(_collected, options, channel), told, channel.warning)


def _collected(options: WodleOptions, channel: Channel) -> int:
    """Collect, and tell what it came to, whatever it came to."""
    for note in options.notes:
        channel.debug(note)
    channel.debug(repr(options.collect), 2)
    name = source_name(options.collect, options.access)
    state = None if getattr(options.collect, "reparse", False) else options.state
    every = EVERY if options.metrics_port is None else OFTEN
    recording = Recording(name, state, metrics=options.metrics, warn=channel.warning, every=every)
    with stop_on_signals() as stop, _metrics_served(options):
        try:
            with recorded(recording, stop):
                _collect(options, channel, stop, recording)
        except AlreadyRunning:  # the other run will tell what it came to
            raise
        except BaseException:
            _sum_up(options, channel, recording.stats)
            raise
        _sum_up(options, channel, recording.stats)
    return stop.exit_code


def _metrics_served(options: WodleOptions) -> AbstractContextManager[object]:
    """Metrics are there to be asked for, if they are wanted."""
    if options.metrics_port is None:
        return nullcontext()
    from awsflow.cli.metrics import serving  # noqa: PLC0415 - it is only now that it is asked for

    return serving(options.state, options.metrics_port)


def _collect(options: WodleOptions, channel: Channel, stop: Stop, recording: Recording) -> None:
    """Collect what the flags say into Wazuh's queue."""
    from awsflow.aws import check_profile  # noqa: PLC0415 - a usage line needs no AWS
    from awsflow.cli.collecting import collect, source_of  # noqa: PLC0415 - likewise
    from awsflow.sinks.wazuh import WazuhSocket  # noqa: PLC0415 - likewise

    check_profile(options.access)
    source = source_of(options.collect, options.access, note=channel.debug, warn=channel.warning, stop=stop)
    collect(
        options.collect,
        source,
        lambda oversized, waited: WazuhSocket(
            options.wazuh_home / "queue" / "sockets" / "queue",
            timeout=options.queue_timeout,
            stop=stop,
            oversized=oversized,
            oversize=options.oversize,
            max_eps=options.max_eps,
            pace=options.pace,
            waited=waited,
            note=channel.debug,
        ),
        discard=options.discard,
        dead_letters=options.dead_letter,
        stop=stop,
        told=lambda failure: channel.debug(f"{failure.origin}, record {failure.number}: {failure.error}"),
        recording=recording,
    )


def _sum_up(options: WodleOptions, channel: Channel, stats: Stats) -> None:
    from awsflow.cli.summary import as_line, write_json  # noqa: PLC0415 - a usage line needs none

    channel.debug(as_line(stats))
    if options.stats_json is not None:
        try:
            write_json(stats, options.stats_json)
        except AwsflowError as error:
            channel.warning(str(error))
