"""`awsflow replay`: send logs that lie in files, folders or below S3 URLs. Nothing is remembered."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awsflow.cli.ending import Stop
from awsflow.cli.people import (
    Terminal,
    access_of,
    add_access,
    add_delivery,
    add_reading,
    add_workers,
    discard_of,
    encode_of,
    limits_of,
    of_flag,
    run,
    sink_of,
)
from awsflow.decode.limits import Limits
from awsflow.errors import ArgumentsError
from awsflow.flow import Flow
from awsflow.items import Failure, Record
from awsflow.logtypes import AUTO
from awsflow.options import workers

if TYPE_CHECKING:
    from awsflow.sources.files import LocalFiles
    from awsflow.sources.s3_objects import S3Objects

EXAMPLES = """examples:
  awsflow replay AWSLogs/ --type cloudtrail | head -3
  awsflow replay evidence/ --type auto --plain > events.ndjson
  awsflow replay *.json.gz --type cloudtrail --plain | jq -r .eventName | sort | uniq -c
  awsflow replay s3://my-trail/AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/ --type cloudtrail --to wazuh
  awsflow replay --dead-letter /var/ossec/wodles/aws/dead-letter.ndjson --keep | jq .
  awsflow replay --dead-letter --to wazuh

A file that cannot be read is told of, the others are sent; the exit code is then 8 (decompress) or 9 (parse).
Of dead letters what was delivered whole is taken out of the file, and of those rotated before it; what fails again, or
is still larger than a datagram of Wazuh's, stays, and is told.
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow replay",
        description="Send logs that lie in files, folders or below S3 URLs, or dead letters. Nothing is remembered.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH|s3://BUCKET/PREFIX", help="what to send, in this order")
    parser.add_argument(
        "--dead-letter",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="FILE",
        help="in place of paths: send what lies in this file (default: the one beside the state)",
    )
    parser.add_argument("--keep", action="store_true", help="of dead letters: leave all in the file")
    add_reading(parser)
    add_delivery(parser)
    add_workers(parser)
    add_access(parser)
    parser.set_defaults(type="", oversize="")  # dead letters have defaults of their own
    return parser


def main(argv: Sequence[str]) -> int:
    """Send the logs; return the exit code."""
    return run(parser(), argv, _replay)


def _replay(arguments: argparse.Namespace, terminal: Terminal, stop: Stop) -> int:
    if bool(arguments.paths) == (arguments.dead_letter is not None):
        raise ArgumentsError("replaying: give either paths (or s3:// URLs), or --dead-letter")
    if arguments.dead_letter is not None:
        from awsflow.cli.replay_letters import replay_letters  # noqa: PLC0415 - few ask for it

        return replay_letters(arguments, terminal, stop)
    if arguments.keep:
        raise ArgumentsError("--keep: it is for --dead-letter; other files always stay as they are")
    arguments.type = arguments.type or "cloudtrail"
    arguments.oversize = arguments.oversize or "shrink"
    skipped: Counter[str] = Counter()
    failures = _Told(terminal)
    source = _source(arguments, skipped)
    flow = Flow(source, failures=failures, stop=stop)
    if (discard := discard_of(arguments)) is not None:
        flow.discard(*discard)
    if shown := terminal.progress(", ".join(arguments.paths), flow.stats):
        flow.watch(shown)

    def oversized(record: Record) -> None:
        flow.stats.shrunk += 1
        terminal.channel.warning(
            f"{record.origin}, record {record.number}: larger than a datagram; the file has it whole"
        )

    sink = sink_of(arguments, stop, oversized, flow.stats.wait, terminal.channel.debug)
    stats = flow.to(sink, encode_of(arguments)).run(of_flag("--workers", workers, arguments.workers))
    if skipped:
        terminal.channel.debug(f"not read, for their names are not those of logs: {', '.join(sorted(skipped))}")
    if arguments.type.lower() == AUTO:
        terminal.found(source.objects_by_type)
    terminal.summary(stats)
    return failures.exit_code


def _source(arguments: argparse.Namespace, skipped: "Counter[str]") -> "LocalFiles | S3Objects":
    from awsflow.sources.files import LocalFiles  # noqa: PLC0415 - `--help` needs none
    from awsflow.sources.s3_objects import S3Objects  # noqa: PLC0415 - likewise

    options: dict[str, Any] = {
        "log_type": arguments.type,
        "format": arguments.format,
        "alias": arguments.alias,
        "skip_on_error": True,
        "limits": Limits(*limits_of(arguments)),
    }
    remote = [path for path in arguments.paths if path.startswith("s3://")]
    if remote and len(remote) < len(arguments.paths):
        raise ArgumentsError("replaying: give either local paths or s3:// URLs, not both at once")
    if remote:
        return S3Objects(
            *remote,
            **options,
            access=access_of(arguments),
        )
    return LocalFiles(
        *map(Path, arguments.paths),
        **options,
        skipped=lambda path: skipped.update([str(path)]),
    )


class _Told:
    """Failures told on the terminal. The files stay where they are, so nothing else need be kept."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.exit_code = 0

    def add(self, failure: Failure) -> None:
        self._terminal.failed(failure)
        self.exit_code = failure.error.exit_code

    def flush(self) -> None:
        """Nothing is held back."""
