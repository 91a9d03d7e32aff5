"""The options of a configuration: the name of each in `awsflow.toml`, its check, and its element in `ossec.conf`.

The readers, the writer, the JSON Schema and docs/configuration.md all go by this table. An option is called as the flag
of the commands for people is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeAlias

from awsflow import options as checks
from awsflow.configuration import when
from awsflow.errors import ArgumentsError

Kind: TypeAlias = Literal["text", "flag", "integer", "number", "list", "date", "interval", "time"]
Table: TypeAlias = Literal["", "defaults", "bucket", "service", "subscriber"]
"""The tables of a configuration; the empty name is that of the options of the run."""

AT_ONCE = 4
SMALLEST_BUDGET = 1 << 20


@dataclass(frozen=True, slots=True)
class Option:
    """An option, and the check of its value."""

    name: str
    kind: Kind
    what: str
    check: Callable[[str], Any] = str
    """Of the value as text, as it would be given to a flag."""
    element: str = ""
    """In `ossec.conf`, where it has another name; `@type` and the like is an attribute."""
    choices: tuple[str, ...] = ()
    needed: bool = False
    is_secret: bool = False

    def value(self, given: Any) -> Any:
        """The checked value; ArgumentsError and the like for one that does not fit."""
        text = _as_text(self.kind, given)
        if text is None:
            raise ArgumentsError(f"the value does not fit: write {_WANTED[self.kind]}")
        return given if self.kind == "flag" else self.check(text)


_WANTED: dict[Kind, str] = {
    "text": "a text, in quotation marks",
    "flag": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "list": 'a list of texts, such as ["A", "B"], none of them empty or with a comma',
    "date": "a day, such as 2026-11-01",
    "interval": 'a number and its unit, such as "10m"',
    "time": 'a time of the day, such as "04:30"',
}


def _as_text(kind: Kind, given: Any) -> str | None:
    """A value as it would be given to a flag; None if it is of no type that this kind may have."""
    text = given if isinstance(given, str) else None
    match kind, given:
        case "flag", bool():
            text = str(given)
        case "flag" | "integer" | "number" | "list", str():
            text = None
        case _, bool():
            text = None
        case "integer" | "number" | "interval", int():
            text = str(given)
        case "number", float():
            text = f"{given:.9f}".rstrip("0").rstrip(".")
        case "list", list() if all(isinstance(each, str) and each.strip() and "," not in each for each in given):
            text = ",".join(given)
        case "date", date() if type(given) is date:
            text = given.isoformat()
        case "time", time() if not (given.second or given.microsecond):
            text = f"{given:%H:%M}"
    return text


def _sink(text: str) -> str:
    kind, colon, place = text.partition(":")
    if not (text in ("stdout", "wazuh") or (kind in ("wazuh", "file") and colon and place)):
        raise ArgumentsError(f"{text!r}: write wazuh, wazuh:SOCKET, file:PATH or stdout")
    return text


def _at_once(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise ArgumentsError(f"{text!r}: give a number of sources, 1 to 64")
    return int(text)


def _budget(text: str) -> int:
    if (given := checks.size(text)) < SMALLEST_BUDGET:
        raise ArgumentsError(f"{text!r}: give a number of bytes, {SMALLEST_BUDGET} or more")
    return given


def _queue(text: str) -> str:
    """A queue's name; or its URL or ARN, which the source itself takes apart."""
    return text if "/" in text or ":" in text else checks.queue_name(text)


RUN = (
    Option("to", "text", "where events go: `wazuh` (default), `wazuh:SOCKET`, `file:PATH` or `stdout`", _sink),
    Option("plain", "flag", "events as they are, without Wazuh's envelope and shape"),
    Option("wazuh-home", "text", "where Wazuh lies (default: $WAZUH_HOME, else /var/ossec)", Path),
    Option(
        "state",
        "text",
        "the state (default: `wodles/aws/awsflow.db` in Wazuh's home; in ~/.local/state/awsflow/ for other sinks)",
        Path,
    ),
    Option("dead-letter", "text", "dead letters (default: `dead-letter.ndjson` beside the state)", Path),
    Option("max-eps", "number", "events sent per second at most, by all together", checks.events_per_second),
    Option(
        "oversize",
        "text",
        "what becomes of events that are too large for Wazuh (default: shrink)",
        checks.oversize,
        choices=checks.OVERSIZE,
    ),
    Option(
        "pace",
        "text",
        "whether to send slower while Wazuh's state files say that its queue fills (default: auto)",
        checks.pace,
        choices=checks.PACE,
    ),
    Option("queue-timeout", "number", "seconds to wait for a queue that went away (default: 30)", checks.seconds),
    Option("rotate-at", "integer", "of a file: begin a new one at so many bytes, keep five", checks.size),
    Option("at-once", "integer", f"how many sources are collected at the same time (default: {AT_ONCE})", _at_once),
    Option(
        "budget",
        "integer",
        f"bytes that all sources together fetch ahead at most (default: {checks.BUDGET >> 20} MiB)",
        _budget,
    ),
    Option("metrics", "text", "a file for the metrics of all runs, e.g. for node_exporter, readable for all", Path),
    Option("metrics-port", "text", "`[HOST:]PORT` at which Prometheus gets the metrics", checks.host_and_port),
)
"""The options of the run, at the top of the file."""

_SKIP = Option(
    "skip-on-error", "flag", "go on past what cannot be read; it is told, and tried again", element="skip_on_error"
)
_REGIONS = Option("regions", "list", "regions (default: all that are there)", checks.region_names, "regions")
_AFTER = Option("after", "date", "nothing dated before this day (default: today, UTC)", checks.day, "only_logs_after")
_ALIAS = Option("alias", "text", "the account's alias, for log_info.aws_account_alias", element="aws_account_alias")
_FORMAT = Option("format", "text", "of the type custom: json, jsonl, csv, tsv, text or parquet", str.lower)
_LIMITS = (
    Option(
        "max-object-size", "integer", "give up objects that decompress to more bytes (default: 64 GiB)", checks.size
    ),
    Option(
        "max-ratio", "number", "give up objects of more than 128 MiB that grow N times (default: 2000)", checks.ratio
    ),
)

EVERY = (
    Option("disabled", "flag", "leave this source out", element="disabled"),
    Option("interval", "interval", "from one begin to the next (default: 10m)", when.interval, "interval"),
    Option("run-on-start", "flag", "collect at once, too, when the run starts (default: true)", element="run_on_start"),
    Option("day", "integer", "day of the month, 1 to 31; then `interval` is in months", when.day_of_month, "day"),
    Option("wday", "text", "day of the week, such as monday; then `interval` is in weeks", when.weekday, "wday"),
    Option("time", "time", "time of the day, hh:mm; then `interval` is in days", when.clock, "time"),
    Option("discard-field", "text", "drop events whose field, such as a.b.c, matches", element="discard_regex@field"),
    Option("discard-regex", "text", "this regular expression, anchored at the start", checks.regex, "discard_regex"),
    Option("profile", "text", "profile of ~/.aws/config and ~/.aws/credentials", element="aws_profile"),
    Option("role-arn", "text", "role to assume", checks.role_arn, "iam_role_arn"),
    Option("external-id", "text", "external id when assuming the role", element="external_id"),
    Option(
        "role-duration",
        "integer",
        "seconds of a role's session, 900 to 3600",
        checks.role_duration,
        "iam_role_duration",
    ),
    Option("endpoint-url", "text", "endpoint instead of AWS's", checks.endpoint_url, "service_endpoint"),
    Option("sts-endpoint-url", "text", "STS endpoint instead of AWS's", checks.endpoint_url, "sts_endpoint"),
    Option("access-key", "text", "static access key; better use a profile", element="access_key", is_secret=True),
    Option("secret-key", "text", "static secret key; better use a profile", element="secret_key", is_secret=True),
)
"""What every source may say."""

BUCKET = (
    Option("name", "text", "the bucket", checks.bucket_name, "name", needed=True),
    Option(
        "type",
        "text",
        "log type (default: cloudtrail), see `awsflow types`; auto: whatever is there",
        str.lower,
        "@type",
    ),
    _FORMAT,
    Option("organization", "text", "organization id in the key path", element="aws_organization_id"),
    Option("accounts", "list", "accounts (default: all that are there)", checks.account_ids, "aws_account_id"),
    _REGIONS,
    Option("prefix", "text", "key prefix before AWSLogs/", checks.key_part, "path"),
    Option("suffix", "text", "path between AWSLogs/ and the organization or account", checks.key_part, "path_suffix"),
    _ALIAS,
    _AFTER,
    Option("lookback", "integer", "how many days late logs may come (default: 1)", checks.lookback),
    _SKIP,
    Option("remove", "flag", "delete each object once its events are delivered", element="remove_from_bucket"),
    *_LIMITS,
    *EVERY,
)

SERVICE = (
    Option("name", "text", "the service", checks.service_name, "@type", checks.SERVICES, needed=True),
    Option("log-groups", "list", "of cloudwatchlogs: names, `prefix*` or ARNs", checks.log_groups, "aws_log_groups"),
    Option("log-stream-prefix", "text", "of cloudwatchlogs: only the log streams that begin so"),
    Option("regions", "list", "regions (default: the profile's, else all)", checks.region_names, "regions"),
    _AFTER,
    Option("envelope", "flag", "of cloudwatchlogs: say group, stream, account, region and time of each"),
    Option(
        "remove-log-streams",
        "flag",
        "of cloudwatchlogs: delete each log stream once delivered",
        element="remove_log_streams",
    ),
    Option(
        "requests-per-second",
        "number",
        "to CloudWatch Logs, in each region (default: 25)",
        checks.requests_per_second,
    ),
    _SKIP,
    *EVERY,
)

SUBSCRIBER = (
    Option("name", "text", "what reads the objects", str.lower, "@type", checks.SUBSCRIBERS, needed=True),
    Option("queue", "text", "name, URL or ARN of the queue", _queue, "sqs_name", needed=True),
    Option("type", "text", "of buckets: a log type of `awsflow types`, or auto", str.lower),
    Option("format", "text", "of buckets: json, jsonl, csv, tsv, text or parquet", str.lower),
    _ALIAS,
    Option("wait", "integer", "wait for messages, 0 to 20 seconds (default: 20)", checks.whole_seconds),
    Option(
        "visibility", "integer", "hide messages that are worked on (default: the queue's own)", checks.whole_seconds
    ),
    _SKIP,
    *_LIMITS,
    *EVERY,
)

_OWN = {"name", "queue", "log-groups", "type", "format"}
"""What no other source can have in common."""

DEFAULTS = tuple(
    {option.name: option for option in (*BUCKET, *SERVICE, *SUBSCRIBER) if option.name not in _OWN}.values()
)
"""What may be said once, for all sources that know it."""

TABLES: dict[Table, tuple[Option, ...]] = {
    "": RUN,
    "defaults": DEFAULTS,
    "bucket": BUCKET,
    "service": SERVICE,
    "subscriber": SUBSCRIBER,
}


def meant(name: str, table: Table) -> str:
    """The option that somebody may have meant who wrote another name; empty if none is near."""
    known = [option.name for option in TABLES[table]]
    elements = {option.element.strip("@"): option.name for option in TABLES[table]}
    if name in elements:
        return elements[name]
    near = get_close_matches(name.lower().replace("_", "-"), known, 1)
    return near[0] if near else ""
