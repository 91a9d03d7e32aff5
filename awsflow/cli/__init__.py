"""The command `awsflow`. Each command is a module here with a `main`, imported when it is called for."""

import errno
import gc
import importlib
import logging
import sys
import warnings
from collections.abc import Sequence

COMMANDS = {
    "bucket": "collect the logs of one type from an S3 bucket",
    "service": "collect from CloudWatch Logs or Inspector",
    "subscriber": "collect the objects that an SQS queue's messages name, as soon as they are there",
    "replay": "send logs that lie in files, folders or below S3 URLs; nothing is remembered",
    "run": "collect all that an ossec.conf or an awsflow.toml names, once or at its times for ever",
    "config": "check a configuration, convert an ossec.conf to an awsflow.toml, print its schema",
    "check": "say of each source what works and what does not, before anything is collected, and what to do",
    "policy": "print the least IAM policy that a configuration, or one source, needs",
    "status": "tell of each source how its last run ended, its lag, events, failures and backlog; as a page, too",
    "state": "look at what is remembered, forget some of it, or take over what Wazuh's module remembers",
    "failures": "the objects that could not be read: show them, have them tried again, forget them",
    "types": "list the log types, and where in a bucket their objects lie",
    "wodle": "what Wazuh's scheduler calls: the same flags, exit codes and events as its aws-s3 command",
    "install-wodle": "let Wazuh's scheduler call awsflow in place of its own command, or no longer",
    "completion": "print what bash, zsh or fish needs to complete commands and options",
    "demo": "see it work: an S3 stand-in, sample logs, a socket as Wazuh has it, and two runs",
}

GARBAGE = 100_000
"""Objects more than before, from which on Python looks for garbage: those of a start, about as many, all stay."""
GARBAGE_LATER = 20_000
"""Likewise, once there were so many: what S3's answers leave behind would take 15 MB else."""

UNWRITABLE = frozenset({errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""What may become of writing to standard output, where nothing nearer has an answer to it."""

USAGE = """usage: awsflow COMMAND ...

Collects AWS security logs and delivers each event at least once.

commands:
{commands}

`awsflow COMMAND --help` tells more. Examples:
  awsflow replay AWSLogs/ --type cloudtrail | head -3
  awsflow bucket my-trail --type cloudtrail --after 2026-11-01 --to wazuh
"""


def module_of(command: str) -> str:
    """The module of a command. Its `main` runs it, its `parser` has the arguments."""
    return f"awsflow.cli.{command.replace('-', '_')}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code. A reader of ours who goes early is no error to speak of."""
    try:
        try:
            return _run(argv)
        finally:  # here, for where Python does it nothing can be said but by Python
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return 2
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        from awsflow.cli.channel import to_nowhere  # noqa: PLC0415 - only here
        from awsflow.errors import ReaderGone, SinkError  # noqa: PLC0415 - likewise

        to_nowhere(sys.stdout)
        if error.errno == errno.EPIPE:
            return ReaderGone.exit_code
        print(f"ERROR: writing to standard output: {error.strerror}; make room, or send it elsewhere", file=sys.stderr)
        return SinkError.exit_code


def _started(phase: str, info: dict[str, int]) -> None:
    """What Python calls as it looks for garbage: after the first time, what has stayed is looked at no more."""
    if phase == "stop":
        gc.callbacks.remove(_started)
        gc.freeze()
        gc.set_threshold(GARBAGE_LATER)


def _run(argv: Sequence[str] | None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(GARBAGE)
    gc.callbacks.append(_started)
    # Not a byte is printed that is not ours: the scheduler makes an event of every line.
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    if not arguments or arguments[0] in ("-h", "--help"):
        commands = "\n".join(f"  {name:<13} {promise}" for name, promise in COMMANDS.items())
        print(USAGE.format(commands=commands), end="")
        return 0 if arguments else 2
    name = arguments[0]
    if name == "--version":
        from importlib.metadata import version  # noqa: PLC0415 - only here

        print(f"awsflow {version('awsflow')}")
        return 0
    if name not in COMMANDS:
        from difflib import get_close_matches  # noqa: PLC0415 - only here

        near = [f"do you mean {match!r}? " for match in get_close_matches(name, COMMANDS, 1)]
        print(f"awsflow: there is no command {name!r}; {''.join(near)}`awsflow --help` lists them", file=sys.stderr)
        return 2
    code: int = importlib.import_module(module_of(name)).main(arguments[1:])
    gc.freeze()  # what is left is left to the operating system: going through it all once more takes 50 ms
    return code
