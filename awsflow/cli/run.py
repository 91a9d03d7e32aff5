"""`awsflow run`: collect all that a configuration names, once or at its times for ever."""

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended, stop_on_signals
from awsflow.cli.wodle import SECRETS
from awsflow.configuration.table import RUN
from awsflow.errors import AwsflowError, ConfigError

if TYPE_CHECKING:
    from awsflow.cli.running import Runner
    from awsflow.configuration import Config

EXAMPLES = """examples:
  awsflow run                                             # for ever, as /var/ossec/etc/ossec.conf has it
  awsflow run --config awsflow.toml --once
  awsflow run --config awsflow.toml --once --to stdout | head
  awsflow run --config /var/ossec/etc/ossec.conf --max-eps 500 --at-once 2

Without --config it is etc/awsflow.toml in Wazuh's home, or else etc/ossec.conf there. Flags go before the file.
For ever: buckets and services at their interval, subscribers stay. What fails is told, and tried again at its next
time; the others go on. SIGHUP reads the file again: sources that are in it unchanged are not disturbed, and if it is
wrong, all goes on as it was. SIGTERM or Ctrl-C: ends soon, and what was flushed is committed. With --once the exit
code is that of the first source that failed, in the order of the file. Wazuh's own aws-s3 module should be off, or it
does the same work.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow run",
        description="Collect all buckets, services and subscribers of an awsflow.toml or an ossec.conf.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="an awsflow.toml or an ossec.conf")
    parser.add_argument("--once", action="store_true", help="collect each source once, now, and end")
    for option in RUN:
        what = option.what.replace("`", "").replace("%", "%%")
        if option.kind == "flag":
            parser.add_argument(f"--{option.name}", action="store_true", default=None, help=what)
        else:
            parser.add_argument(f"--{option.name}", metavar=_metavar(option.name, option.kind), help=what)
    parser.add_argument("--stats-json", type=Path, metavar="FILE", help="at the end, write what each source came to")
    parser.add_argument("--quiet", action="store_true", help="no progress and no summaries on a terminal")
    parser.add_argument(
        "--progress", action="store_true", help="progress in a pipe, too; where there is no terminal, a line every 10 s"
    )
    parser.add_argument("--debug", action="store_true", help="say what is listed and read")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run; return the exit code."""
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr, debug=int(arguments.debug), secrets=map(os.environ.get, SECRETS))
    return ended(lambda: _run(arguments, channel), channel.error, channel.warning)


def _run(arguments: argparse.Namespace, channel: Channel) -> int:
    given = {}
    for option in RUN:
        text = getattr(arguments, option.name.replace("-", "_"))
        if text is not None:
            given[option.name] = text if option.kind == "flag" else option.check(text)
    file = arguments.config or found(given.get("wazuh-home"))
    config = checked_config(file, given, channel)
    if not config.sources:
        raise ConfigError(f"{file}: every source in it is disabled; nothing is left to collect")

    from awsflow.cli.progress import view_of  # noqa: PLC0415 - likewise
    from awsflow.cli.running import Runner  # noqa: PLC0415 - `--help` needs no AWS

    hung_up = threading.Event()

    def reloaded() -> "Config | None":
        """The new configuration, once somebody has asked for it, if it is right."""
        if not hung_up.is_set():
            return None
        hung_up.clear()
        try:
            return checked_config(file, given, channel)
        except AwsflowError as error:
            channel.error(f"{' '.join(str(error).split())}; going on with the configuration as it was")
            return None

    with stop_on_signals(hung_up.set) as stop:
        shows = sys.stderr.isatty() and not arguments.quiet
        runner = Runner(config, channel, stop, once=arguments.once, show=shows)
        view = view_of(runner.rows, config.run.to, channel, quiet=arguments.quiet, wanted=arguments.progress)
        with _metrics_served(config, once=arguments.once), view or nullcontext():
            code = runner.run(reloaded)
        if arguments.stats_json is not None:
            _write_stats(runner, arguments.stats_json)
    return stop.exit_code or code


def _metrics_served(config: "Config", *, once: bool) -> AbstractContextManager[object]:
    """Metrics are there to be asked for, if the run stays and they are wanted."""
    if once or config.run.metrics_port is None:
        return nullcontext()
    from awsflow.cli.metrics import serving  # noqa: PLC0415 - it is only now that it is asked for

    return serving(config.run.state, config.run.metrics_port)


def checked_config(file: Path, given: dict[str, Any], channel: Channel) -> "Config":
    """What a file asks for; `given` options of the run go before its own. Its secrets are hidden in the channel."""
    from awsflow.configuration import config_of, read  # noqa: PLC0415 - `--help` needs none

    document = read(file)
    config = config_of(document, os.environ, given)
    channel.hide(
        secret
        for source in config.sources
        for secret in (source.access.access_key, source.access.secret_key, source.access.external_id)
    )
    for note in config.notes:
        channel.warning(note)
    return config


def found(home: Path | None) -> Path:
    """The configuration of this machine. Not one of the folder where somebody happens to be, who may be root."""
    etc = (home or Path(os.environ.get("WAZUH_HOME") or "/var/ossec")) / "etc"
    for name in ("awsflow.toml", "ossec.conf"):
        if (etc / name).exists():
            return etc / name
    raise ConfigError(
        f"looking for a configuration: there is no awsflow.toml and no ossec.conf in {etc}; give --config"
    )


def _metavar(name: str, kind: str) -> str:
    known = {"to": "SINK", "oversize": "HOW", "pace": "HOW", "wazuh-home": "DIR", "metrics-port": "[HOST:]PORT"}
    known |= {"queue-timeout": "S", "rotate-at": "BYTES", "budget": "BYTES"}
    return known.get(name, "N" if kind in ("integer", "number") else "FILE")


def _write_stats(runner: "Runner", path: Path) -> None:
    from awsflow.cli.summary import as_json  # noqa: PLC0415 - only here

    told = [
        {"source": str(task.source), "runs": task.runs, "exit_code": task.exit_code, **json.loads(as_json(task.stats))}
        for task in runner.tasks
    ]
    try:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise AwsflowError(
            f"writing the summary {path}: {error.strerror}; the run itself is done; name a file in an existing folder"
        ) from None
