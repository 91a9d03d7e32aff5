"""`awsflow replay --dead-letter`: send again what could not be read or sent as it was."""

import argparse
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from awsflow.cli.ending import Stop
from awsflow.cli.people import Terminal, access_of, discard_of, encode_of, limits_of, of_flag, sink_of
from awsflow.decode.limits import Limits
from awsflow.errors import ArgumentsError, SinkError
from awsflow.flow import Flow
from awsflow.items import Failure, Record
from awsflow.options import state_home, workers
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sources.dead_letters import DeadLetterFiles


def replay_letters(arguments: argparse.Namespace, terminal: Terminal, stop: Stop) -> int:
    """Send them; return the exit code, which is that of the last one that stays."""
    if of_flag("--workers", workers, arguments.workers) > 1:
        raise ArgumentsError(f"--workers {arguments.workers}: dead letters are sent by one process")
    path = arguments.dead_letter
    if path == Path():
        path = state_home(os.environ) / "dead-letter.ndjson"
    arguments.oversize = arguments.oversize or "dead-letter"  # cut ones have been sent before
    source = DeadLetterFiles(
        path,
        log_type=arguments.type,
        format=arguments.format,
        alias=arguments.alias,
        keep=arguments.keep,
        access=access_of(arguments),
        limits=Limits(*limits_of(arguments)),
        note=terminal.channel.debug,
        warn=terminal.channel.warning,
    )
    codes = [0]

    def told(failure: Failure) -> None:
        codes.append(failure.error.exit_code)
        terminal.failed(failure)

    with closing(_Kept(told) if arguments.keep else DeadLetters(path, told, format=arguments.format)) as letters:
        flow = Flow(source, failures=letters, stop=stop)
        if (discard := discard_of(arguments)) is not None:
            flow.discard(*discard)
        if shown := terminal.progress(str(path), flow.stats):
            flow.watch(shown)

        def oversized(record: Record) -> None:
            flow.stats.shrunk += 1
            codes.append(SinkError.exit_code)
            terminal.channel.error(
                f"{record.origin}, record {record.number}: larger than a datagram; it stays in {path}; send it "
                "elsewhere, or with --oversize send"
            )
            if not source.stays(record):
                letters.oversized(record)

        sink = sink_of(arguments, stop, oversized, flow.stats.wait, terminal.channel.debug)
        terminal.summary(flow.to(sink, encode_of(arguments)).run())
    return codes[-1]


class _Kept:
    """What fails while nothing is filed."""

    def __init__(self, told: Callable[[Failure], None]) -> None:
        self.add = told

    def oversized(self, record: Record) -> None:
        """The message that it belongs to stays in the file."""

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""
