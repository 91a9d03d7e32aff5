"""`python -m tests.command_tables > docs/commands.md`: every command with all of its options, out of the parsers."""

import argparse
from collections.abc import Iterator

from awsflow.cli import COMMANDS
from awsflow.cli.completion import all_commands

HEAD = """# Commands

Every command with its options, as `awsflow COMMAND --help` has them, where there are examples, too.
[exit-codes.md](exit-codes.md) says how they end, [configuration.md](configuration.md) what stands in files.

<!-- written by: python -m tests.command_tables > docs/commands.md -->
"""


def tables() -> str:
    """The whole document."""
    (commands,) = (action for action in all_commands()._actions if isinstance(action, argparse._SubParsersAction))
    return HEAD + "".join(part for name, parser in commands.choices.items() for part in _of(name, parser))


def _of(name: str, parser: argparse.ArgumentParser, level: int = 2) -> Iterator[str]:
    """A command, or what is below one, with a row for each argument and option."""
    rows, below = [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            promises = {choice.dest: choice.help or "" for choice in action._choices_actions}
            below = [(verb, promises[verb], one) for verb, one in action.choices.items()]
        elif not isinstance(action, argparse._HelpAction):
            rows.append(f"| `{_names(action, parser)}` | {_meaning(action, parser)} |\n")
    yield f"\n{'#' * level} awsflow {name}\n"
    if level == 2:
        yield f"\n{_sentence(COMMANDS[name])}\n"
    if rows:
        yield "\n| option | meaning |\n|---|---|\n"
        yield from rows
    for verb, promise, one in below:
        head, *rest = _of(f"{name} {verb}", one, level + 1)
        yield f"{head}\n{_sentence(promise)}\n"
        if "the flags of `awsflow" not in promise:  # they stand there
            yield from rest


def _sentence(promise: str) -> str:
    return f"{promise[0].upper()}{promise[1:]}."


def _names(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """How it is written, with its value."""
    if not action.option_strings:
        return parser._get_formatter()._format_args(action, str(action.metavar or action.dest.upper()))
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper()
    return f"{', '.join(action.option_strings)} {action.metavar or choices}"


def _meaning(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    """What it is for."""
    return parser._get_formatter()._expand_help(action).replace("|", "\\|")


if __name__ == "__main__":
    print(tables(), end="")  # noqa: T201 - it is a command
