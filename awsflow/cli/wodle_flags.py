"""The flags of Wazuh's aws-s3 command, each with its check, and a few of our own."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from awsflow import options as checks
from awsflow.errors import ArgumentsError, RoleNeeded, SubscriberArgumentsMissing, UnknownType
from awsflow.logtypes import log_type_named
from awsflow.options import AwsAccess, BucketOptions

SERVICES = ("cloudwatchlogs", "inspector")
SUBSCRIBERS = ("buckets", "security_hub", "security_lake")


@dataclass(frozen=True, slots=True)
class WodleOptions:
    """What one call of the scheduler asks for."""

    bucket: BucketOptions
    access: AwsAccess
    wazuh_home: Path
    dead_letter: Path
    debug: int = 0
    log_file: Path | None = None
    stats_json: Path | None = None
    queue_timeout: float = 30.0
    """Seconds for which a queue that went away is tried again."""
    notes: tuple[str, ...] = ()
    """For the debug channel."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises, and whose messages never repeat a value: it may be a secret."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(message)


def usage() -> str:
    """The usage line."""
    return "usage: awsflow wodle (--bucket NAME | --service NAME | --subscriber NAME) [FLAG ...]; see awsflow wodle --help"


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> WodleOptions:
    """The options; ArgumentsError for what does not fit, other errors of the family as the spec of a flag says."""
    wazuh, ours = _flags()
    parser = _parser(wazuh, ours)
    flags, unknown = parser.parse_known_args(_expanded(argv, wazuh, ours))
    if unknown:
        names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
        raise ArgumentsError(f"unknown flags: {' '.join(names) or 'a value without a flag'}; see awsflow wodle --help")
    if sum(map(bool, (flags.bucket, flags.service, flags.subscriber))) != 1:
        raise ArgumentsError("give exactly one of --bucket, --service and --subscriber")
    access, notes = _access(flags)
    if flags.service:
        raise _service(flags)
    if flags.subscriber:
        raise _subscriber(flags)
    home = flags.wazuh_home or Path(environ.get("WAZUH_HOME") or "/var/ossec")
    state = flags.state or home / "wodles" / "aws" / "awsflow.db"
    return WodleOptions(
        bucket=_bucket(flags, state),
        access=access,
        wazuh_home=home,
        dead_letter=flags.dead_letter or state.with_name("dead-letter.ndjson"),
        debug=flags.debug,
        log_file=flags.log_file,
        stats_json=flags.stats_json,
        queue_timeout=flags.queue_timeout,
        notes=notes,
    )


def _bucket(flags: argparse.Namespace, state: Path) -> BucketOptions:
    if (flags.discard_field is None) != (flags.discard_regex is None):
        raise ArgumentsError("--discard-field and --discard-regex need one another")
    return BucketOptions(
        bucket=flags.bucket,
        log_type=log_type_named(flags.type).name,
        organization=flags.aws_organization_id,
        accounts=flags.aws_account_id,
        regions=flags.regions,
        prefix=flags.trail_prefix,
        suffix=flags.trail_suffix,
        alias=flags.aws_account_alias,
        only_after=flags.only_logs_after,
        lookback=flags.lookback,
        skip_on_error=flags.skip_on_error,
        reparse=flags.reparse,
        remove=flags.remove,
        discard_field=flags.discard_field,
        discard_regex=flags.discard_regex,
        state=state,
    )


def _access(flags: argparse.Namespace) -> tuple[AwsAccess, tuple[str, ...]]:
    """How to reach AWS, and notes about it."""
    notes = []
    if flags.iam_role_duration is not None and flags.iam_role_arn is None:
        raise RoleNeeded("--iam_role_duration: there is no role that it could be for; give --iam_role_arn too")
    if bool(flags.access_key) != bool(flags.secret_key):
        raise ArgumentsError("--access_key and --secret_key need one another")
    if flags.access_key:
        notes.append("--access_key and --secret_key are deprecated: use a profile, a role or the environment")
    access = AwsAccess(
        profile=flags.aws_profile,
        access_key=flags.access_key,
        secret_key=flags.secret_key,
        role_arn=flags.iam_role_arn,
        external_id=flags.external_id,
        role_duration=flags.iam_role_duration,
        sts_endpoint=flags.sts_endpoint,
        service_endpoint=flags.service_endpoint,
    )
    return access, tuple(notes)


def _service(flags: argparse.Namespace) -> UnknownType:
    name = flags.service.lower()
    if name in SERVICES:
        return UnknownType(f"service {name}: awsflow does not collect it yet")
    return UnknownType(f"service {flags.service!r}: there is no such service; the services are: {', '.join(SERVICES)}")


def _subscriber(flags: argparse.Namespace) -> UnknownType | SubscriberArgumentsMissing:
    name = flags.subscriber.lower()
    if name not in SUBSCRIBERS:
        return UnknownType(
            f"subscriber {flags.subscriber!r}: there is no such subscriber; they are: {', '.join(SUBSCRIBERS)}"
        )
    needed = {"--queue": flags.queue}
    if name == "security_lake":
        needed |= {"--iam_role_arn": flags.iam_role_arn, "--external_id": flags.external_id}
    if missing := [flag for flag, value in needed.items() if not value]:
        return SubscriberArgumentsMissing(f"subscriber {name}: it needs {' and '.join(missing)}")
    return UnknownType(f"subscriber {name}: awsflow does not collect from queues yet")


def _flags() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Wazuh's flags, and ours; each checked as it is parsed."""
    wazuh = _Parser(add_help=False)
    add = wazuh.add_argument
    add("-b", "--bucket", metavar="NAME", type=checks.bucket_name, help="collect from an S3 bucket")
    add("-sr", "--service", metavar="NAME", help="inspector or cloudwatchlogs")
    add("-sb", "--subscriber", metavar="NAME", help="buckets, security_lake or security_hub")
    add("-q", "--queue", metavar="NAME", type=checks.queue_name, help="SQS queue of the subscriber")
    add("-t", "--type", metavar="TYPE", default="cloudtrail", help="bucket type (default: cloudtrail)")
    add("-O", "--aws_organization_id", metavar="ID", default="", help="organization id in the key path")
    add("-c", "--aws_account_id", metavar="A,B", default=(), type=checks.account_ids, help="accounts to read")
    add("-d", "--debug", metavar="N", default=0, type=_debug_level, help="0 to 3")
    add("-a", "--access_key", metavar="KEY", help="deprecated")
    add("-k", "--secret_key", metavar="KEY", help="deprecated")
    add("-p", "--aws_profile", metavar="NAME", help="profile of ~/.aws/config and ~/.aws/credentials")
    add("-x", "--external_id", metavar="ID", help="external id when assuming the role")
    add("-i", "--iam_role_arn", metavar="ARN", type=checks.role_arn, help="role to assume")
    add("-rd", "--iam_role_duration", metavar="S", type=checks.role_duration, help="900 to 3600")
    add("-n", "--aws_account_alias", metavar="TEXT", default="", help="goes into log_info.aws_account_alias")
    add("-l", "--trail_prefix", metavar="P", default="", type=checks.key_part, help="key prefix")
    add("-L", "--trail_suffix", metavar="S", default="", type=checks.key_part, help="path behind AWSLogs/")
    add("-s", "--only_logs_after", metavar="YYYY-MMM-DD", type=checks.day, help="nothing dated before this")
    add("-r", "--regions", metavar="A,B", default=(), type=checks.region_names, help="regions to read")
    add("-e", "--skip_on_error", action="store_true", help="go on past what cannot be read")
    add("-o", "--reparse", action="store_true", help="read again what was read before; changes no state")
    add("-R", "--remove", action="store_true", help="delete each object once its events were delivered")
    add("-g", "--aws_log_groups", metavar="A,B", default=(), type=checks.log_groups, help="log groups")
    add("-P", "--remove-log-streams", action="store_true", help="delete each log stream once delivered")
    add("-df", "--discard-field", metavar="PATH", help="drop events by this field")
    add("-dr", "--discard-regex", metavar="RE", type=checks.regex, help="that matches this")
    add("-st", "--sts_endpoint", metavar="URL", help="STS endpoint instead of AWS's")
    add("-se", "--service_endpoint", metavar="URL", help="the service's endpoint instead of AWS's")
    ours = _Parser(add_help=False)
    add = ours.add_argument
    add("--wazuh-home", metavar="DIR", type=Path, help="default: $WAZUH_HOME, else /var/ossec")
    add("--state", metavar="FILE", type=Path, help="default: WAZUH_HOME/wodles/aws/awsflow.db")
    add("--dead-letter", metavar="FILE", type=Path, help="default: dead-letter.ndjson beside the state")
    add("--lookback", metavar="DAYS", default=timedelta(days=1), type=checks.lookback, help="default: 1")
    add("--queue-timeout", metavar="S", default=30.0, type=float, help="seconds to wait for a queue that went away")
    add("--log-file", metavar="FILE", type=Path, help="write the debug lines to FILE")
    add("--stats-json", metavar="FILE", type=Path, help="write the summary to FILE, as JSON")
    return wazuh, ours


def _parser(wazuh: argparse.ArgumentParser, ours: argparse.ArgumentParser) -> argparse.ArgumentParser:
    return _Parser(
        prog="awsflow wodle",
        description="A drop-in for Wazuh's aws-s3 command: same flags, same exit codes, same events.",
        epilog="Prints nothing when all went well. Exit codes: docs/exit-codes.md.",
        parents=[wazuh, ours],
        allow_abbrev=False,
    )


def _expanded(
    argv: Sequence[str], wazuh: argparse.ArgumentParser, ours: argparse.ArgumentParser
) -> list[str]:
    """The arguments with abbreviated long flags written out. Ours never make one of Wazuh's ambiguous."""
    names = [[flag for flag in parser._option_string_actions if flag.startswith("--")] for parser in (wazuh, ours)]  # noqa: SLF001 - argparse offers no other way to ask for them
    exact = {*names[0], *names[1], "--help"}
    expanded = []
    for word in argv:
        name, equals, value = word.partition("=")
        if name.startswith("--") and len(name) > len("--") and name not in exact:
            for known in names:
                meant = [flag for flag in known if flag.startswith(name)]
                if len(meant) > 1:
                    raise ArgumentsError(f"{name} is ambiguous: it may be {' or '.join(meant)}")
                if meant:
                    name = meant[0]
                    break
        expanded.append(name + equals + value)
    return expanded


def _debug_level(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentsError(f"debug level {text!r}: give 0, 1, 2 or 3") from None
