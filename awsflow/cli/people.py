"""What the commands for people have in common: their arguments, what they say on a terminal, how they end."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from awsflow import options as checks
from awsflow.cli.channel import Channel
from awsflow.cli.ending import Stop, ended, stop_on_signals
from awsflow.cli.progress import noting, view_of
from awsflow.cli.recording import EVERY, OFTEN, Recording, recorded
from awsflow.cli.summary import as_line, write_json
from awsflow.envelope import plain_json, wazuh_json
from awsflow.errors import ArgumentsError
from awsflow.flow import Sink, Stats
from awsflow.items import Failure, Origin, Record
from awsflow.logtypes import AUTO
from awsflow.options import MAX_OBJECT_SIZE, MAX_RATIO, AwsAccess, source_name
from awsflow.stages import Stage

if TYPE_CHECKING:
    from awsflow.cli.collecting import Options

T = TypeVar("T")


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what the logs are."""
    add = parser.add_argument
    add(
        "--type",
        default="cloudtrail",
        help="log type (default: cloudtrail), see `awsflow types`; auto: find out and say",
    )
    add("--format", default="", help="of --type custom: json, jsonl, csv, tsv, text or parquet")
    add_limits(parser)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what an object may grow to."""
    add = parser.add_argument
    add(
        "--max-object-size",
        default=str(MAX_OBJECT_SIZE),
        metavar="BYTES",
        help="what an object may grow to when it is decompressed (default: %(default)s)",
    )
    add(
        "--max-ratio",
        default=f"{MAX_RATIO:g}",
        metavar="N",
        help="how many times its size an object may grow to (default: %(default)s)",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """The argument that says how many processes read and send."""
    parser.add_argument(
        "--workers", default="1", metavar="N", help="processes that read and send: a number, or auto (default: 1)"
    )


def limits_of(arguments: argparse.Namespace) -> tuple[int, float]:
    """The largest size of an object, and the largest ratio of decompression."""
    size, ratio = arguments.max_object_size, arguments.max_ratio
    return of_flag("--max-object-size", checks.size, size), of_flag("--max-ratio", checks.ratio, ratio)


def add_delivery(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is sent, and where."""
    parser.add_argument(
        "--to",
        default="stdout",
        metavar="SINK",
        help="stdout (default), wazuh, wazuh:SOCKET or file:PATH; stdout and files get a line of JSON for each event",
    )
    parser.add_argument("--plain", action="store_true", help="events as they are, without Wazuh's envelope and shape")
    parser.add_argument("--discard", metavar="FIELD=REGEX", help="drop events whose field matches: eventName=List")
    parser.add_argument(
        "--oversize",
        default="shrink",
        choices=("shrink", "dead-letter", "send"),
        help="what becomes of an event that is too large for Wazuh (default: shrink)",
    )
    parser.add_argument("--max-eps", metavar="N", help="events sent to Wazuh per second at most (default: no limit)")
    parser.add_argument(
        "--pace",
        default="auto",
        choices=("auto", "off"),
        help="auto (default): send slower while Wazuh's state files say that its queue fills",
    )
    parser.add_argument("--queue-timeout", default="30", metavar="S", help="wait for Wazuh's queue (default: 30)")
    parser.add_argument("--rotate-at", metavar="BYTES", help="of a file: begin a new one at this size, keep five")
    parser.add_argument("--alias", default="", help="the account's alias, for log_info.aws_account_alias")
    parser.add_argument("--stats-json", type=Path, metavar="FILE", help="write the summary to FILE, as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summary on a terminal")
    parser.add_argument(
        "--progress",
        action="store_true",
        help="progress in a pipe, too; where there is no terminal, a line every 10 s",
    )
    parser.add_argument("--debug", action="store_true", help="say what is listed and read")


def add_dead_letter(parser: argparse.ArgumentParser) -> None:
    """The argument that says where what could not be delivered as it was is kept."""
    parser.add_argument(
        "--dead-letter",
        type=Path,
        metavar="FILE",
        help="where lines and events are kept that could not be delivered as they were (default: beside the state)",
    )


def add_state(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what is remembered."""
    parser.add_argument("--state", type=Path, metavar="FILE", help="the state (default: in ~/.local/state/awsflow/)")
    parser.add_argument("--no-state", action="store_true", help="remember nothing, read everything from --after on")
    parser.add_argument("--reparse", action="store_true", help="read again what was read before; changes no state")
    parser.add_argument("--after", metavar="YYYY-MM-DD", help="nothing dated before this day (default: today, UTC)")


def state_of(arguments: argparse.Namespace) -> Path | None:
    """The state's file; None if nothing is to be remembered."""
    if arguments.no_state:
        return None
    state: Path | None = arguments.state
    return state or checks.state_home(os.environ) / "awsflow.db"


def after_of(arguments: argparse.Namespace) -> date | None:
    """The first day."""
    return None if arguments.after is None else checks.day(arguments.after)


def add_metrics(parser: argparse.ArgumentParser, *, port: bool = False) -> None:
    """The arguments that say where metrics go: to a file and, of a command that can stay, to whoever asks for them."""
    parser.add_argument(
        "--metrics",
        type=Path,
        metavar="FILE",
        help="write the metrics of all runs to FILE, e.g. for node_exporter's textfile collector; readable for all",
    )
    if port:
        parser.add_argument("--metrics-port", metavar="[HOST:]PORT", help="with --follow: serve them to Prometheus")


def history_of(arguments: argparse.Namespace) -> Path | None:
    """Where the history is kept; None if nothing is to be remembered of this run."""
    if getattr(arguments, "no_state", False) or getattr(arguments, "reparse", False):
        if arguments.metrics is not None:
            raise ArgumentsError("--metrics: its counters go on from run to run; leave --no-state and --reparse away")
        return None
    return arguments.state or checks.state_home(os.environ) / "awsflow.db"


@contextmanager
def metrics_served(arguments: argparse.Namespace) -> Iterator[None]:
    """Metrics are there to be asked for meanwhile, if `--metrics-port` says so."""
    address = _checked(partial(of_flag, "--metrics-port", checks.host_and_port), arguments.metrics_port)
    if address is None:
        yield
        return
    state = history_of(arguments)
    if state is None or not arguments.follow:
        raise ArgumentsError(
            "--metrics-port: it needs --follow and a state; a run that ends writes its metrics with --metrics FILE"
        )
    from awsflow.cli.metrics import serving  # noqa: PLC0415 - it is only now that it is asked for

    with serving(state, address):
        yield


def add_access(parser: argparse.ArgumentParser) -> None:
    """The arguments that say how to reach AWS."""
    parser.add_argument("--profile", help="profile of ~/.aws/config and ~/.aws/credentials")
    parser.add_argument("--role-arn", metavar="ARN", help="role to assume")
    parser.add_argument("--external-id", metavar="ID", help="external id when assuming the role")
    parser.add_argument("--role-duration", metavar="S", help="seconds of a role's session, 900 to 3600")
    parser.add_argument("--endpoint-url", metavar="URL", help="endpoint instead of AWS's")
    parser.add_argument("--sts-endpoint-url", metavar="URL", help="STS endpoint instead of AWS's")


def access_of(arguments: argparse.Namespace) -> AwsAccess:
    """How to reach AWS."""
    return AwsAccess(
        profile=arguments.profile,
        role_arn=_checked(checks.role_arn, arguments.role_arn),
        external_id=arguments.external_id,
        role_duration=_checked(checks.role_duration, arguments.role_duration),
        service_endpoint=_checked(checks.endpoint_url, arguments.endpoint_url),
        sts_endpoint=_checked(checks.endpoint_url, arguments.sts_endpoint_url),
    )


def discard_of(arguments: argparse.Namespace) -> tuple[str, str] | None:
    """The field and the pattern of `--discard`."""
    if arguments.discard is None:
        return None
    field, equals, pattern = arguments.discard.partition("=")
    if not (field and equals and pattern):
        raise ArgumentsError(f"--discard {arguments.discard}: write FIELD=REGEX, e.g. eventName=Describe|List")
    return field, checks.regex(pattern)


def encode_of(arguments: argparse.Namespace) -> Stage:
    """The stage that encodes."""
    return plain_json if arguments.plain else wazuh_json


def sink_of(
    arguments: argparse.Namespace,
    stop: Stop,
    oversized: Callable[[Record], None],
    waited: Callable[[float], None],
    note: Callable[[str], None],
) -> Sink:
    """The sink of `--to`."""
    from awsflow.sinks import sink_named  # noqa: PLC0415 - `--help` needs none

    home = Path(os.environ.get("WAZUH_HOME") or "/var/ossec")
    return sink_named(
        arguments.to,
        home / "queue" / "sockets" / "queue",
        stop=stop,
        oversized=oversized,
        oversize=arguments.oversize,
        max_eps=_checked(partial(of_flag, "--max-eps", checks.events_per_second), arguments.max_eps),
        pace=arguments.pace,
        waited=waited,
        note=note,
        timeout=of_flag("--queue-timeout", checks.seconds, arguments.queue_timeout),
        rotate_at=_checked(partial(of_flag, "--rotate-at", checks.size), arguments.rotate_at),
    )


def deliver(options: "Options", arguments: argparse.Namespace, terminal: "Terminal", stop: Stop) -> int:
    """Collect what the options say, and tell what it came to; return the exit code."""
    from awsflow.cli.collecting import collect, source_of  # noqa: PLC0415 - `--help` needs no AWS

    state = arguments.state or checks.state_home(os.environ) / "awsflow.db"
    channel = terminal.channel
    access = access_of(arguments)
    name = source_name(options, access)
    recording = Recording(
        name,
        history_of(arguments),
        metrics=arguments.metrics,
        warn=channel.warning,
        every=EVERY if getattr(arguments, "metrics_port", None) is None else OFTEN,
    )
    with recorded(recording, stop):
        source = source_of(options, access, note=channel.debug, warn=channel.warning, stop=stop)
        stats = collect(
            options,
            source,
            lambda oversized, waited: sink_of(arguments, stop, oversized, waited, channel.debug),
            discard=discard_of(arguments),
            dead_letters=arguments.dead_letter or state.with_name("dead-letter.ndjson"),
            stop=stop,
            told=terminal.failed,
            encode=encode_of(arguments),
            recording=recording,
            shown=partial(terminal.progress, name),
        )
    if getattr(arguments, "type", "") == AUTO:
        terminal.found(getattr(source, "objects_by_type", {}))
    terminal.summary(stats)
    return 0


def of_flag(flag: str, check: Callable[[str], T], text: str) -> T:
    """The value of a flag, which is named if the value is wrong."""
    try:
        return check(text)
    except ArgumentsError as error:
        raise ArgumentsError(f"{flag}: {error}") from None


def _checked(check: Callable[[str], T], text: str | None) -> T | None:
    """The value of an argument, if it was given."""
    return None if text is None else check(text)


TOLD = 3
"""Failures in one file that are told one by one."""


class Terminal:
    """What somebody in front of a terminal sees: progress, the summary. Elsewhere nothing but errors and warnings."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._quiet: bool = arguments.quiet
        self._shows = sys.stderr.isatty() and not self._quiet
        self._follows: bool = getattr(arguments, "follow", False)
        self._failing: Origin | None = None
        self._failed = 0
        self._stats_json: Path | None = arguments.stats_json
        self._rows: dict[str, Stats] = {}
        self._showing = ExitStack()
        self.channel = Channel(sys.stderr, debug=int(arguments.debug))
        self._view = view_of(
            lambda: self._rows, arguments.to, self.channel, quiet=self._quiet, wanted=arguments.progress
        )

    def progress(self, name: str, stats: Stats) -> Stage | None:
        """Show how far this source is from now on; a stage that helps with it; None where nobody looks."""
        if self._view is None:
            return None
        if not self._rows:
            self._showing.enter_context(self._view)
        self._rows[name] = stats
        return noting(stats)

    def close(self) -> None:
        """Show no more. May be called again."""
        self._showing.close()

    def failed(self, failure: Failure) -> None:
        """Tell of something that could not be read; of many lines in one file, of the first few and their number."""
        if failure.origin != self._failing:
            self.told_all()
            self._failing = failure.origin
        self._failed += 1
        if self._failed <= TOLD or failure.content is None:
            self.channel.error(f"{failure.origin}, record {failure.number}: {failure.error}")

    def told_all(self) -> None:
        """Tell how many more failures there were in the file that failed last."""
        if self._failed > TOLD:
            more = self._failed - TOLD
            self.channel.error(f"{self._failing}: {more:,} more lines could not be read; is it of another --type?")
        self._failing, self._failed = None, 0

    def found(self, types: Mapping[str, int]) -> None:
        """Tell which types the objects were of: somebody who asked for `auto` wants to know, terminal or not."""
        if not self._quiet:
            told = ", ".join(f"{name} {number:,}" for name, number in sorted(types.items()))
            self.channel.say(f"auto: objects read of each type: {told or 'none'}")

    def summary(self, stats: Stats) -> None:
        """Tell what the run came to."""
        if self._shows and not (self._follows and stats == Stats(seconds=stats.seconds)):
            self.channel.say(as_line(stats))
        if self._stats_json is not None:
            write_json(stats, self._stats_json)


def run(
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
    act: Callable[[argparse.Namespace, Terminal, Stop], int],
) -> int:
    """Parse the arguments, act, and return the exit code; errors are told on standard error."""
    arguments = parser.parse_args(argv)
    terminal = Terminal(arguments)

    def acted() -> int:
        with stop_on_signals() as stop:
            try:
                code = act(arguments, terminal, stop)
            finally:
                terminal.told_all()
                terminal.close()
        return stop.exit_code or code

    return ended(acted, terminal.channel.error, terminal.channel.warning)
