"""Commands of ours that people are shown: in the documents, in `--help`."""

import importlib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO

from awsflow.cli import COMMANDS, failures, module_of, wodle_flags

ENDS = ("|", "||", "&&", ";", ">", "2>", "<", "&", ")")
"""What ends a command in a shell."""


def commands_in(lines: Iterable[str]) -> Iterator[list[str]]:
    """The arguments of each call of awsflow in these lines; a backslash continues a line."""
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        words = split(line)
        while words:
            name = words.pop(0)
            if name == "awsflow" or name.endswith("bin/awsflow"):
                end = next((number for number, word in enumerate(words) if word in ENDS), len(words))
                if end and not words[0].startswith("-"):
                    yield words[:end]
                words = words[end:]


def split(line: str) -> list[str]:
    """The words of a line for a shell; none, if it is none."""
    lexer = shlex.shlex(line.replace("$(", "( "), posix=True, punctuation_chars="|&;<>()")
    lexer.wordchars += "$%*{}[]:,@\\^!"
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return []


def assert_parsed(words: Sequence[str]) -> None:
    """There is such a command, and it takes these arguments."""
    name, *arguments = words
    assert name in COMMANDS, f"awsflow {shlex.join(words)}: there is no such command"
    if "--help" in arguments:
        return
    told = StringIO()
    try:
        with redirect_stderr(told):
            if name == "wodle":
                wodle_flags.parse(arguments, {})
            else:
                if name == "failures" and arguments[:1] != [] and arguments[0] not in failures.COMMANDS:
                    arguments.insert(0, "show")
                importlib.import_module(module_of(name)).parser().parse_args(arguments)
    except SystemExit:
        raise AssertionError(f"awsflow {shlex.join(words)}: {told.getvalue()}") from None
