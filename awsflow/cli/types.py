"""`awsflow types`: the log types, and where in a bucket their objects lie."""

import argparse
import json
import shutil
import textwrap
from collections.abc import Sequence

from awsflow.logtypes import LOG_TYPES

EXAMPLES = """examples:
  awsflow types
  awsflow types --json | jq -r '.[].name'

ACCOUNT, REGION and the like stand for folders; PREFIX for what you give with --prefix. `--type auto` finds out by
itself which of these types a bucket, folder or file holds.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow types",
        description="List the log types with the layout of their keys.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, with the page that each format comes from")
    form.add_argument("--markdown", action="store_true", help="as a table for documents, with these pages")
    return parser


def main(argv: Sequence[str]) -> int:
    """List them; return the exit code."""
    arguments = parser().parse_args(argv)
    if arguments.json:
        print(_as_json())
    elif arguments.markdown:
        print(as_markdown())
    else:
        print(_as_text(shutil.get_terminal_size().columns))
    return 0


def _as_text(width: int) -> str:
    """A paragraph for each type."""
    lines = []
    for name, log_type in sorted(LOG_TYPES.items()):
        lines += textwrap.wrap(f"{name:<20} {log_type.what}", max(width, 60), subsequent_indent=" " * 21)
        lines += [f"{'':<20} {layout.shown}" for layout in log_type.layouts]
    return "\n".join(lines)


def _as_json() -> str:
    """An array of objects."""
    return json.dumps(
        [
            {
                "name": name,
                "what": log_type.what,
                "layouts": [layout.shown for layout in log_type.layouts],
                "format": log_type.format,
                "auto": log_type.wanted,
            }
            for name, log_type in sorted(LOG_TYPES.items())
        ],
        indent=1,
    )


def as_markdown() -> str:
    """A table with a row for each type, as in docs/log-types.md."""
    rows = ["| type | what | where | format |", "|---|---|---|---|"]
    for name, log_type in sorted(LOG_TYPES.items()):
        where = "<br>".join(f"`{layout.shown}`" for layout in log_type.layouts)
        rows.append(f"| `{name}` | {log_type.what} | {where} | [{_host(log_type.format)}]({log_type.format}) |")
    return "\n".join(rows)


def _host(page: str) -> str:
    return page.split("/")[2]
