"""The flags of Wazuh's aws-s3 command, each with its check, and a few of our own."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from awsflow import options as checks
from awsflow.errors import ArgumentsError, RoleNeeded, SubscriberArgumentsMissing, UnknownType
from awsflow.logtypes import log_types_named
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions

if TYPE_CHECKING:
    from awsflow.sinks.wazuh import Oversize, Pacing


def _debug_level(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentsError(f"debug level {text!r}: give 0, 1, 2 or 3") from None


class Flag(NamedTuple):
    """A flag, and the check of its value. Without a metavar it has none."""

    names: str
    metavar: str
    help: str
    check: Callable[[str], object] = str
    default: object = None


WAZUH = (
    Flag("-b, --bucket", "NAME", "collect from this S3 bucket", checks.bucket_name),
    Flag("-sr, --service", "NAME", "inspector or cloudwatchlogs, in any case"),
    Flag("-sb, --subscriber", "NAME", "buckets, security_hub or security_lake, in any case"),
    Flag("-q, --queue", "NAME", "SQS queue of the subscriber", checks.queue_name),
    Flag("-t, --type", "TYPE", "log type, in any case (default: cloudtrail); auto: whatever is there"),
    Flag("-O, --aws_organization_id", "ID", "organization id in the key path", default=""),
    Flag("-c, --aws_account_id", "A,B", "accounts to read (default: all that are there)", checks.account_ids, ()),
    Flag("-d, --debug", "N", "say what is done: 0 (default) to 3, from nothing to everything", _debug_level, 0),
    Flag("-a, --access_key", "KEY", "static access key; deprecated, needs --secret_key"),
    Flag("-k, --secret_key", "KEY", "static secret key; deprecated, needs --access_key"),
    Flag("-p, --aws_profile", "NAME", "profile of ~/.aws/config and ~/.aws/credentials"),
    Flag("-x, --external_id", "ID", "external id with which the role is assumed"),
    Flag("-i, --iam_role_arn", "ARN", "role to assume", checks.role_arn),
    Flag(
        "-rd, --iam_role_duration",
        "S",
        "seconds of the role's session, 900 to 3600; needs a role",
        checks.role_duration,
    ),
    Flag("-n, --aws_account_alias", "TEXT", "goes into aws.log_info.aws_account_alias", default=""),
    Flag("-l, --trail_prefix", "P", "prefix of all keys", checks.key_part, ""),
    Flag("-L, --trail_suffix", "S", "path between AWSLogs/ and the organization or account", checks.key_part, ""),
    Flag(
        "-s, --only_logs_after",
        "YYYY-MMM-DD",
        "nothing dated before this day (UTC); 2026-NOV-01 or 2026-11-01",
        checks.day,
    ),
    Flag("-r, --regions", "A,B", "regions to read (default: all that are there)", checks.region_names, ()),
    Flag("-e, --skip_on_error", "", "go on past what cannot be read: Wazuh is told, and later runs try it again"),
    Flag("-o, --reparse", "", "read again what was read before; changes no state"),
    Flag("-R, --remove", "", "delete each object once its events were delivered and committed"),
    Flag("-g, --aws_log_groups", "A,B", "CloudWatch Logs groups", checks.log_groups, ()),
    Flag("-P, --remove-log-streams", "", "delete each log stream once it was delivered"),
    Flag("-df, --discard-field", "PATH", "drop the events whose field, such as a.b.c, matches --discard-regex"),
    Flag("-dr, --discard-regex", "RE", "regular expression, anchored at the start", checks.regex),
    Flag("-st, --sts_endpoint", "URL", "STS's endpoint instead of AWS's", checks.endpoint_url),
    Flag("-se, --service_endpoint", "URL", "the service's endpoint instead of AWS's", checks.endpoint_url),
)
"""The flags of Wazuh's command, in its order."""

OURS = (
    Flag("--wazuh-home", "DIR", "where Wazuh lies (default: $WAZUH_HOME, else /var/ossec)", Path),
    Flag("--state", "FILE", "the state (default: wodles/aws/awsflow.db in Wazuh's home)", Path),
    Flag("--dead-letter", "FILE", "dead letters (default: dead-letter.ndjson beside the state)", Path),
    Flag("--format", "FORMAT", "of --type custom: json, jsonl, csv, tsv, text or parquet", default=""),
    Flag("--lookback", "DAYS", "how late logs may come (default: 1)", checks.lookback, timedelta(days=1)),
    Flag("--queue-timeout", "S", "seconds to wait for a queue that went away (default: 30)", checks.seconds, 30.0),
    Flag(
        "--oversize",
        "HOW",
        "events too large for a datagram: shrink (default), dead-letter or send",
        checks.oversize,
        "shrink",
    ),
    Flag("--max-eps", "N", "events sent per second at most (default: no limit)", checks.events_per_second),
    Flag(
        "--pace",
        "HOW",
        "auto (default): send slower while Wazuh's state files say that its queue fills; or off",
        checks.pace,
        "auto",
    ),
    Flag("--workers", "N", "of a bucket: processes that read and send, or auto (default: 1)", checks.workers, 1),
    Flag(
        "--max-object-size",
        "BYTES",
        "give up objects that decompress to more (default: 64 GiB)",
        checks.size,
        checks.MAX_OBJECT_SIZE,
    ),
    Flag(
        "--max-ratio",
        "N",
        "give up objects of more than 128 MiB that grow to N times their size (default: 2000)",
        checks.ratio,
        checks.MAX_RATIO,
    ),
    Flag("--follow", "", "subscribers: stay, and wait for more messages"),
    Flag("--wait", "S", "subscribers: seconds to wait for messages, 0 to 20 (default: 20)", checks.whole_seconds, 20),
    Flag("--visibility", "S", "subscribers: hide messages in work (default: the queue's own)", checks.whole_seconds),
    Flag("--log-stream-prefix", "P", "cloudwatchlogs: only the log streams that begin so", default=""),
    Flag("--envelope", "", "cloudwatchlogs: put group, stream, account, region and time around each message"),
    Flag(
        "--requests-per-second",
        "N",
        "cloudwatchlogs: requests to each account and region at most (default: 25)",
        checks.requests_per_second,
        25.0,
    ),
    Flag("--log-file", "FILE", "write the debug lines to FILE, for its owner alone", Path),
    Flag("--stats-json", "FILE", "write the summary to FILE, as JSON", Path),
    Flag("--metrics", "FILE", "write metrics of all runs to FILE, e.g. for node_exporter, readable for all", Path),
    Flag("--metrics-port", "[HOST:]PORT", "with --follow: serve the metrics to Prometheus", checks.host_and_port),
)
"""Our own flags."""


@dataclass(frozen=True, slots=True)
class WodleOptions:
    """What one call of the scheduler asks for."""

    collect: BucketOptions | ServiceOptions | QueueOptions
    access: AwsAccess
    wazuh_home: Path
    state: Path
    """Where the history is kept, and the positions, unless they are a queue's."""
    dead_letter: Path
    debug: int = 0
    log_file: Path | None = None
    stats_json: Path | None = None
    metrics: Path | None = None
    """Where metrics are written in Prometheus' format."""
    metrics_port: tuple[str, int] | None = None
    """Host and port at which they are served."""
    queue_timeout: float = 30.0
    """Seconds for which a queue that went away is tried again."""
    oversize: "Oversize" = "shrink"
    """What becomes of an event that does not fit into a datagram."""
    max_eps: float | None = None
    """Events sent per second at most; None: as many as the queue takes."""
    pace: "Pacing" = "auto"
    """Whether Wazuh's state files slow a run down."""
    discard: tuple[str, str] | None = None
    """Field and pattern of the events that are dropped."""
    notes: tuple[str, ...] = ()
    """For the debug channel."""


EXAMPLES = """examples:
  awsflow wodle --bucket my-trail --type cloudtrail --only_logs_after 2026-NOV-01 --aws_profile logs
  awsflow wodle --service cloudwatchlogs --aws_log_groups '/aws/eks/*' --regions eu-west-1 --skip_on_error
  awsflow wodle --subscriber buckets --queue my-queue --iam_role_arn arn:aws:iam::123456789012:role/logs
  awsflow wodle --bucket my-trail --debug 2        # what is listed and read

Prints nothing when all went well. Exit codes: docs/exit-codes.md. `awsflow install-wodle` lets Wazuh call it.
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises, and whose messages never repeat a value: it may be a secret."""

    def error(self, message: str) -> NoReturn:
        flag, repeated, _ = message.partition("ignored explicit argument")
        raise ArgumentsError(f"{flag}it takes no value" if repeated else message)


def usage() -> str:
    """The usage line."""
    return (
        "usage: awsflow wodle (--bucket NAME | --service NAME | --subscriber NAME) [FLAG ...]; see awsflow wodle --help"
    )


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> WodleOptions:
    """The options; ArgumentsError for what does not fit, other errors of the family as the spec of a flag says."""
    flags, unknown = parser().parse_known_args(_expanded(argv))
    if unknown:
        names = [_name(word) for word in unknown if word.startswith("-")]
        raise ArgumentsError(f"unknown flags: {' '.join(names) or 'a value without a flag'}; see awsflow wodle --help")
    if sum(map(bool, (flags.bucket, flags.service, flags.subscriber))) != 1:
        raise ArgumentsError("give exactly one of --bucket, --service and --subscriber")
    if flags.metrics is not None and flags.reparse:
        raise ArgumentsError(
            "--metrics: its counters go on from run to run, but --reparse leaves no trace; leave it away"
        )
    if flags.metrics_port is not None and not flags.follow:
        raise ArgumentsError(
            "--metrics-port: it needs --follow; a run that ends writes its metrics with --metrics FILE"
        )
    access, notes = _access(flags)
    home = flags.wazuh_home or Path(environ.get("WAZUH_HOME") or "/var/ossec")
    state = flags.state or home / "wodles" / "aws" / "awsflow.db"
    collect: BucketOptions | ServiceOptions | QueueOptions
    if flags.service:
        collect = _service(flags, state)
    elif flags.subscriber:
        collect = _queue(flags)
    else:
        collect = _bucket(flags, state)
    return WodleOptions(
        collect=collect,
        access=access,
        wazuh_home=home,
        state=state,
        dead_letter=flags.dead_letter or state.with_name("dead-letter.ndjson"),
        debug=flags.debug,
        log_file=flags.log_file,
        stats_json=flags.stats_json,
        metrics=flags.metrics,
        metrics_port=flags.metrics_port,
        queue_timeout=flags.queue_timeout,
        oversize=flags.oversize,
        max_eps=flags.max_eps,
        pace=flags.pace,
        discard=_discard(flags),
        notes=notes,
    )


def _bucket(flags: argparse.Namespace, state: Path) -> BucketOptions:
    log_type = "cloudtrail" if flags.type is None else flags.type
    log_types_named(log_type, flags.format)  # raises for what is not there
    return BucketOptions(
        bucket=flags.bucket,
        log_type=log_type.lower(),
        format=flags.format.lower(),
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
        state=state,
        workers=flags.workers,
        max_object_size=flags.max_object_size,
        max_ratio=flags.max_ratio,
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


def _discard(flags: argparse.Namespace) -> tuple[str, str] | None:
    """Field and pattern. Where events may be text, which is matched as a whole, there need be no field."""
    may_be_text = flags.service or flags.subscriber
    if flags.discard_regex is None and flags.discard_field is None:
        return None
    if flags.discard_regex is None or (flags.discard_field is None and not may_be_text):
        raise ArgumentsError("--discard-field and --discard-regex need one another")
    return flags.discard_field or "", flags.discard_regex


def _service(flags: argparse.Namespace, state: Path) -> ServiceOptions:
    name = checks.service_name(flags.service)
    if name == "cloudwatchlogs" and not flags.aws_log_groups:
        raise ArgumentsError("service cloudwatchlogs: it needs --aws_log_groups")
    return ServiceOptions(
        service=name,
        groups=flags.aws_log_groups,
        stream_prefix=flags.log_stream_prefix,
        regions=flags.regions,
        only_after=flags.only_logs_after,
        reparse=flags.reparse,
        remove=flags.remove_log_streams,
        envelope=flags.envelope,
        requests_per_second=flags.requests_per_second,
        skip_on_error=flags.skip_on_error,
        state=state,
    )


def _queue(flags: argparse.Namespace) -> QueueOptions:
    name = flags.subscriber.lower()
    if name not in checks.SUBSCRIBERS:
        raise UnknownType(
            f"subscriber {flags.subscriber!r}: there is no such subscriber; they are: {', '.join(checks.SUBSCRIBERS)}"
        )
    needed = {"--queue": flags.queue}
    if name == "security_lake":
        needed |= {"--iam_role_arn": flags.iam_role_arn, "--external_id": flags.external_id}
    if missing := [flag for flag, value in needed.items() if not value]:
        raise SubscriberArgumentsMissing(f"subscriber {name}: it needs {' and '.join(missing)}")
    if flags.type is not None:
        if name != "buckets":
            raise ArgumentsError(f"--type: it is for the subscriber buckets, not {name}")
        log_types_named(flags.type, flags.format)  # raises for what is not there
    return QueueOptions(
        queue=flags.queue,
        reader=name if flags.type is None else flags.type.lower(),
        format=flags.format.lower(),
        alias=flags.aws_account_alias,
        skip_on_error=flags.skip_on_error,
        follow=flags.follow,
        wait=flags.wait,
        visibility=flags.visibility,
        max_object_size=flags.max_object_size,
        max_ratio=flags.max_ratio,
    )


def parser() -> argparse.ArgumentParser:
    """The command's arguments. It knows no abbreviations: `parse` writes them out first."""
    parser = _Parser(
        prog="awsflow wodle",
        description="A drop-in for Wazuh's aws-s3 command: same flags, same exit codes, same events.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for flag in (*WAZUH, *OURS):
        names = flag.names.split(", ")
        if flag.metavar:
            parser.add_argument(*names, metavar=flag.metavar, help=flag.help, type=flag.check, default=flag.default)
        else:
            parser.add_argument(*names, help=flag.help, action="store_true")
    return parser


def _expanded(argv: Sequence[str]) -> list[str]:
    """The arguments with abbreviated long flags written out. Ours never make one of Wazuh's ambiguous."""
    wazuh, ours = ([flag.names.rpartition(", ")[2] for flag in flags] for flags in (WAZUH, OURS))
    wazuh.append("--help")
    expanded = []
    for word in argv:
        name, equals, value = word.partition("=")
        if name.startswith("--") and len(name) > len("--") and name not in (*wazuh, *ours):
            for known in (wazuh, ours):
                meant = [flag for flag in known if flag.startswith(name)]
                if len(meant) > 1:
                    raise ArgumentsError(f"{name} is ambiguous: it may be {' or '.join(meant)}")
                if meant:
                    name = meant[0]
                    break
        expanded.append(name + equals + value)
    return expanded


def _name(word: str) -> str:
    """The flag of a word that is none of ours, without what may be its value."""
    return word.partition("=")[0] if word.startswith("--") else word[:2]
