"""`awsflow config`: check a configuration, convert an `ossec.conf`, print the schema of `awsflow.toml`."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.cli.lines import print_lines

EXAMPLES = """examples:
  awsflow config check /var/ossec/etc/ossec.conf
  awsflow config convert /var/ossec/etc/ossec.conf > awsflow.toml
  awsflow config schema > awsflow.schema.json

Nothing is asked of AWS here: `check` says whether the file is right, and what it means. Access keys are printed by
`convert` only if --secrets is given.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow config",
        description="Check a configuration, or convert an ossec.conf to an awsflow.toml.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="check|convert|schema|options", required=True)
    check = verbs.add_parser("check", help="say what a file asks for, and every mistake in it, with its place")
    check.add_argument("file", type=Path, metavar="FILE", help="an awsflow.toml or an ossec.conf")
    convert = verbs.add_parser("convert", help="print the same configuration as awsflow.toml")
    convert.add_argument("file", type=Path, metavar="FILE", help="an ossec.conf")
    convert.add_argument("--secrets", action="store_true", help="print access keys, too")
    verbs.add_parser("schema", help="print the JSON Schema of awsflow.toml, for editors")
    verbs.add_parser("options", help="print all options, as a table for documents")
    return parser


def main(argv: Sequence[str]) -> int:
    """Do what is asked; return the exit code."""
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr)
    return ended(lambda: _act(arguments, channel), channel.error, channel.warning)


def _act(arguments: argparse.Namespace, channel: Channel) -> int:
    match arguments.verb:
        case "check":
            return _check(arguments.file, channel)
        case "convert":
            return _convert(arguments.file, channel, secrets=arguments.secrets)
        case "schema":
            from awsflow.configuration.schema import as_schema  # noqa: PLC0415 - it imports all log types

            print_lines([json.dumps(as_schema(), indent=1)])
        case _:
            from awsflow.configuration.schema import as_markdown  # noqa: PLC0415 - likewise

            print_lines([as_markdown()])
    return 0


def _check(file: Path, channel: Channel) -> int:
    """Tell every mistake; or what the file asks for."""
    from awsflow.configuration import config_of, problems_in, read  # noqa: PLC0415 - the schema needs none

    document = read(file)
    for note in document.notes:
        channel.warning(note)
    if problems := problems_in(document, os.environ):
        for problem in problems:
            channel.error(str(problem))
        return problems[0].exit_code
    config = config_of(document, os.environ)
    print_lines(f"{source}: {source.when}" for source in config.sources)
    print_lines(
        [
            f"{file}: {len(config.sources)} to collect, {config.disabled} disabled; to {config.run.to}, "
            f"the state in {config.run.state}"
        ]
    )
    return 0


def _convert(file: Path, channel: Channel, *, secrets: bool) -> int:
    """Print the file as TOML, if it is right."""
    from awsflow.configuration import config_of, read  # noqa: PLC0415 - the schema needs none
    from awsflow.configuration.toml_file import as_toml, secrets_in  # noqa: PLC0415 - likewise

    document = read(file)
    for note in document.notes:
        channel.warning(note)
    config_of(document, os.environ)  # raises for what is wrong
    if not secrets:
        for section, option in secrets_in(document):
            channel.warning(
                f"{section.place_of(option.name)}: it is left out; put the keys into a profile of ~/.aws/credentials, "
                "or convert with --secrets"
            )
    print_lines([as_toml(document, secrets=secrets).rstrip("\n")])
    return 0
