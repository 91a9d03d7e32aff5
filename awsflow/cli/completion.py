"""`awsflow completion`: what bash, zsh or fish needs to complete awsflow's commands, options, log types and files."""

import argparse
import importlib
from collections.abc import Iterator, Sequence

from awsflow.cli import COMMANDS, module_of

SHELLS = ("bash", "zsh", "fish")
EXAMPLES = """examples:
  eval "$(awsflow completion bash)"                                      # in ~/.bashrc, or once and for all:
  awsflow completion bash > ~/.local/share/bash-completion/completions/awsflow
  awsflow completion zsh > "${fpath[1]}/_awsflow"
  awsflow completion fish > ~/.config/fish/completions/awsflow.fish

Print it again when awsflow was upgraded: it knows the options of its own version.
"""
FILES = frozenset({"FILE", "PATH", "PLACE", "PATH|s3://BUCKET/PREFIX"})
"""What the values of options and arguments are called that are files."""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow completion",
        description="Print what a shell needs to complete commands, options, log types and files.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=" or ".join(SHELLS))
    return parser


def main(argv: Sequence[str]) -> int:
    """Print it; return the exit code."""
    arguments = parser().parse_args(argv)
    import shtab  # noqa: PLC0415 - nothing else needs it

    print(shtab.complete(_completed(), arguments.shell))
    return 0


def all_commands() -> argparse.ArgumentParser:
    """One parser of all commands, as it is nowhere needed to run one of them."""
    whole = argparse.ArgumentParser(prog="awsflow")
    whole.add_argument("--version", action="version", version="", help="print the version")
    commands = whole.add_subparsers()
    for name, promise in COMMANDS.items():
        one = importlib.import_module(module_of(name)).parser()
        commands.add_parser(name, parents=[one], add_help=False, help=promise)
    return whole


def _completed() -> argparse.ArgumentParser:
    """All commands, with what is known of the values."""
    import shtab  # noqa: PLC0415 - as above

    from awsflow.logtypes import AUTO, LOG_TYPES  # noqa: PLC0415 - likewise

    whole = all_commands()
    for action in _actions(whole):
        if action.dest == "type":
            action.choices = sorted((*LOG_TYPES, AUTO))
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined] # where shtab looks for it
        elif action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined] # likewise
    return whole


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Every option and argument of a parser and of the commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
