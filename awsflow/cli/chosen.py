"""Which sources a command looks at: all of a configuration, or one that is given as to the command that collects it."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from awsflow import options as checks
from awsflow.cli import bucket, service, subscriber
from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.cli.people import access_of
from awsflow.cli.run import checked_config, found
from awsflow.cli.wodle import SECRETS
from awsflow.errors import ArgumentsError, ConfigError
from awsflow.options import AwsAccess, source_name

if TYPE_CHECKING:
    from awsflow.cli.collecting import Options

KINDS = {"bucket": bucket, "service": service, "subscriber": subscriber}
"""The commands that collect from one source, whose flags are known here, too."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A source."""

    name: str
    options: "Options"
    access: AwsAccess


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command looks at."""

    sources: tuple[Chosen, ...]
    to: str
    """The sink, as `--to` has it."""
    wazuh_home: Path
    state: Path | None


def printing(arguments: argparse.Namespace, act: Callable[[argparse.Namespace, Channel, Channel], int]) -> int:
    """The exit code of a command that is given what it tells of and what it prints by; neither lets a secret pass."""
    secrets = [os.environ.get(name) for name in SECRETS]
    channel, out = Channel(sys.stderr, secrets=secrets), Channel(sys.stdout, secrets=secrets)
    return ended(lambda: act(arguments, channel, out), channel.error, channel.warning)


def add_choice(parser: argparse.ArgumentParser, add_own: Callable[[argparse.ArgumentParser], None]) -> None:
    """The arguments that choose; `add_own` adds the command's own, wherever they may stand."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="an awsflow.toml or an ossec.conf (default: etc/awsflow.toml in Wazuh's home, else ossec.conf there)",
    )
    parser.add_argument("--wazuh-home", type=Path, metavar="DIR", help="where Wazuh lies (default: /var/ossec)")
    add_own(parser)
    kinds = parser.add_subparsers(dest="kind", metavar="bucket|service|subscriber NAME")
    for name, command in KINDS.items():
        one = kinds.add_parser(name, help=f"one source, with the flags of `awsflow {name}`")
        command.add_arguments(one)
        # what is given before the kind holds, unless it is given again behind it
        add_own(one)
    for one in kinds.choices.values():
        for action in one._actions:
            if any(action.dest == own.dest for own in parser._actions if own.dest != "help"):
                action.default = argparse.SUPPRESS


def choice(arguments: argparse.Namespace, channel: Channel) -> Choice:
    """What they choose."""
    if arguments.kind is None:
        return _of_config(arguments.config, arguments.wazuh_home, channel)
    if arguments.config is not None:
        raise ArgumentsError(f"--config and {arguments.kind}: give the one or the other")
    options = KINDS[arguments.kind].options_of(arguments)
    home = arguments.wazuh_home or Path(os.environ.get("WAZUH_HOME") or "/var/ossec")
    state = arguments.state or checks.state_home(os.environ) / "awsflow.db"
    if getattr(arguments, "no_state", False):
        state = None
    access = access_of(arguments)
    return Choice((Chosen(source_name(options, access), options, access),), arguments.to, home, state)


def _of_config(path: Path | None, home: Path | None, channel: Channel) -> Choice:
    file = path or found(home)
    config = checked_config(file, {} if home is None else {"wazuh-home": home}, channel)
    if not config.sources:
        raise ConfigError(f"{file}: every source in it is disabled; nothing is left to look at")
    sources = tuple(Chosen(str(each), each.collect, each.access) for each in config.sources)
    return Choice(sources, config.run.to, config.run.wazuh_home, config.run.state)
