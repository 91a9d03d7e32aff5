"""All options, parsed once into frozen dataclasses, and the checks of their values.

A check returns the value as it is used, or raises with what is wrong with which value and what is accepted. No repr
shows a secret.
"""

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from awsflow.errors import ArgumentsError, UnknownRegion, UnknownType

_bucket_name = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]").fullmatch
_account = re.compile(r"[0-9]{12}").fullmatch
_queue_name = re.compile(r"(?=.{1,80}$)[A-Za-z0-9_-]+(?:\.fifo)?").fullmatch
_region = re.compile(r"[a-z]{2}(?:-gov)?-[a-z]+-[0-9]{1,2}").fullmatch
_role_arn = re.compile(r"arn:aws[a-z-]*:iam::(?:[0-9]{12})?:role/[!-~]+").fullmatch
_day = re.compile(r"([0-9]{4})-([a-z]{3}|[0-9]{2})-([0-9]{1,2})", re.IGNORECASE | re.ASCII).fullmatch
_url = re.compile(r"https?://[^\s/?#]+[^\s?#]*", re.IGNORECASE).fullmatch
_number = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?").fullmatch
_not_in_prefixes = re.compile(r"[\\{}^%`\[\]'\"<>~#|]|&(?:apos|quot|amp|lt|gt|#13|#10);").search

SERVICES = ("cloudwatchlogs", "inspector")
SUBSCRIBERS = ("buckets", "security_hub", "security_lake")
OVERSIZE = ("shrink", "dead-letter", "send")
PACE = ("auto", "off")
BUDGET = 64 << 20
"""Bytes of objects that are held at most, of all that is fetched ahead."""
MAX_OBJECT_SIZE = 64 << 30
"""Bytes: no log is as large."""
MAX_RATIO = 2000.0
"""Deflate gains a factor of 1032 at most."""
_NAME = 200
"""Characters of a source's name at most."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class AwsAccess:
    """How to reach AWS. What is None is left to botocore: environment, profile, instance role."""

    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    role_duration: int | None = None
    """Seconds."""
    sts_endpoint: str | None = None
    service_endpoint: str | None = None
    region: str | None = None
    connect_seconds: float = 10.0
    """For which a connection is waited for, each time."""
    read_seconds: float = 60.0
    """For which an answer, or more of one, is waited for, each time."""
    call_seconds: float = 300.0
    """For which a call is tried, again and again if need be; of an object, for which nothing new comes of it."""


@dataclass(frozen=True, slots=True)
class BucketOptions:
    """What to collect from one bucket."""

    bucket: str
    log_type: str = "cloudtrail"
    """Or `auto`: whatever is there."""
    format: str = ""
    """How objects of the type `custom` read; empty: it is told from each."""
    organization: str = ""
    accounts: tuple[str, ...] = ()
    """Empty: all that are there."""
    regions: tuple[str, ...] = ()
    """Empty: all that are there."""
    prefix: str = ""
    """Ends with a slash, unless empty; so does the suffix."""
    suffix: str = ""
    alias: str = ""
    only_after: date | None = None
    """Nothing dated before this day (UTC), ever."""
    lookback: timedelta = timedelta(days=1)
    """How late logs may come."""
    skip_on_error: bool = False
    reparse: bool = False
    remove: bool = False
    state: Path | None = None
    """None: nothing is remembered."""
    max_object_size: int = MAX_OBJECT_SIZE
    """Bytes, decompressed, beyond which an object is taken for a mistake or an attack, and given up."""
    max_ratio: float = MAX_RATIO
    """Decompressed bytes for each byte of the object, looked at from 128 MiB on, beyond which it is given up too."""
    workers: int = 1
    """Processes that read and send."""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/"


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What to collect from a service of AWS's, through its API."""

    service: str
    """`cloudwatchlogs` or `inspector`."""
    groups: tuple[str, ...] = ()
    """Of CloudWatch Logs: names, `prefix*`, or ARNs."""
    stream_prefix: str = ""
    regions: tuple[str, ...] = ()
    """Empty: the profile's, else all."""
    only_after: date | None = None
    reparse: bool = False
    remove: bool = False
    """Delete each log stream once it was delivered."""
    envelope: bool = False
    """Put group, stream, account, region and time around each message."""
    requests_per_second: float = 25.0
    """To CloudWatch Logs, in each account and region."""
    skip_on_error: bool = False
    state: Path | None = None
    """None: nothing is remembered."""

    def __str__(self) -> str:
        return f"the service {self.service}"


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """What to collect of the objects that a queue's messages name."""

    queue: str
    """A name, URL or ARN."""
    reader: str = "buckets"
    """A subscriber, a log type, or `auto`."""
    format: str = ""
    alias: str = ""
    skip_on_error: bool = False
    follow: bool = False
    wait: int = 20
    """Seconds for which an empty queue is waited for."""
    visibility: int | None = None
    """Seconds for which a message is hidden while it is worked on; None: the queue's own."""
    max_object_size: int = MAX_OBJECT_SIZE
    max_ratio: float = MAX_RATIO

    def __str__(self) -> str:
        return f"the queue {self.queue}"


def source_name(options: BucketOptions | ServiceOptions | QueueOptions, access: AwsAccess) -> str:
    """What a source goes by in the history and in metrics: the same from run to run.

    >>> source_name(BucketOptions("trail", prefix="eu/", accounts=("111122223333",)), AwsAccess())
    'cloudtrail s3://trail/eu/ 111122223333'
    >>> source_name(QueueOptions("https://sqs.eu-west-1.amazonaws.com/1/lake", "security_lake"), AwsAccess())
    'security_lake sqs://lake'
    >>> source_name(ServiceOptions("cloudwatchlogs", groups=("/aws/b", "/aws/a")), AwsAccess(profile="logs"))
    'cloudwatchlogs /aws/a,/aws/b as logs'
    """
    match options:
        case BucketOptions():
            below = "".join((options.suffix, options.organization))
            place = f"{options.prefix}AWSLogs/{below}" if below else options.prefix
            parts = [options.log_type.lower(), f"s3://{options.bucket}/{place}", *_lists(options.accounts)]
            parts += _lists(options.regions)
        case QueueOptions():
            parts = [options.reader.lower(), f"sqs://{options.queue.rpartition('/')[2].rpartition(':')[2]}"]
        case ServiceOptions():
            parts = [options.service, *_lists(tuple(sorted(options.groups))), *_lists(options.regions)]
            if whose := access.role_arn or access.profile:
                parts += ["as", whose]
    return " ".join(parts)[:_NAME]


def _lists(names: tuple[str, ...]) -> list[str]:
    return [",".join(names)] if names else []


def bucket_name(text: str) -> str:
    """An S3 bucket's name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""
    reserved = text.startswith("xn--") or text.endswith(("-s3alias", "--ol-s3"))
    if not _bucket_name(text) or reserved:
        raise ArgumentsError(
            f"bucket {text!r}: a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-', begins and ends with a letter or "
            "digit, does not begin with xn-- and does not end with -s3alias or --ol-s3"
        )
    return text


def account_ids(text: str) -> tuple[str, ...]:
    """Account ids, separated by commas."""
    accounts = _separated(text, "accounts")
    for account in accounts:
        if not _account(account):
            raise ArgumentsError(f"account {account!r}: an account id has 12 digits")
    return accounts


def region_names(text: str) -> tuple[str, ...]:
    """Regions, separated by commas; UnknownRegion for one that looks right but is not there in any partition."""
    regions = _separated(text, "regions")
    if regions:
        from awsflow.aws import known_regions  # noqa: PLC0415 - reads botocore's data, only needed here

        known = known_regions()
        for region in regions:
            if region in known:
                continue
            if not _region(region):
                raise ArgumentsError(f"region {region!r}: a region looks like eu-west-1 or us-gov-west-1")
            raise UnknownRegion(f"region {region!r}: AWS has no such region, as far as this botocore knows")
    return regions


def role_arn(text: str) -> str:
    """A role's ARN. The account is empty in the roles of some S3-compatible stores."""
    if not _role_arn(text):
        raise ArgumentsError(f"role {text!r}: a role's ARN looks like arn:aws:iam::123456789012:role/NAME")
    return text


def role_duration(text: str) -> int:
    """A role session's length in seconds, as STS takes it from a chained role."""
    seconds = int(text) if text.isascii() and text.isdigit() else 0
    if not 900 <= seconds <= 3600:
        raise ArgumentsError(f"role duration {text!r}: give 900 to 3600 seconds")
    return seconds


def key_part(text: str) -> str:
    """A prefix or suffix of keys; it gets a trailing slash."""
    if found := _not_in_prefixes(text):
        raise ArgumentsError(f"prefix or suffix {text!r}: {found[0]} is not accepted in it")
    return text if not text or text.endswith("/") else f"{text}/"


def queue_name(text: str) -> str:
    """An SQS queue's name, of a FIFO queue too."""
    if not _queue_name(text):
        raise ArgumentsError(
            f"queue {text!r}: a queue's name has 1 to 80 of A-Z, a-z, 0-9, '-' and '_', then maybe .fifo"
        )
    return text


def service_name(text: str) -> str:
    """A service that is collected through its API, in any case; UnknownType for another."""
    if text.lower() not in SERVICES:
        raise UnknownType(f"service {text!r}: there is no such service; the services are: {', '.join(SERVICES)}")
    return text.lower()


def log_groups(text: str) -> tuple[str, ...]:
    """Names of CloudWatch Logs groups, separated by commas."""
    groups = _separated(text, "log groups")
    for group in groups:
        if found := _not_in_prefixes(group):
            raise ArgumentsError(f"log group {group!r}: {found[0]} is not accepted in it")
    return groups


def day(text: str) -> date:
    """A day, as 2026-NOV-01 in any case or as 2026-11-01.

    >>> day("2026-Nov-01") == day("2026-11-01") == date(2026, 11, 1)
    True
    """
    try:
        year, month, of_month = _day(text).groups()  # type: ignore[union-attr] # None has no groups: caught below
        number = int(month) if month.isdigit() else MONTHS.index(month.lower()) + 1
        return date(int(year), number, int(of_month))
    except (AttributeError, ValueError):
        raise ArgumentsError(f"date {text!r}: write YYYY-MMM-DD, e.g. 2026-NOV-01, or YYYY-MM-DD") from None


def lookback(text: str) -> timedelta:
    """A number of days."""
    if not (text.isascii() and text.isdigit() and int(text) <= 3650):
        raise ArgumentsError(f"look-back {text!r}: give a number of days, 0 to 3650")
    return timedelta(days=int(text))


def regex(text: str) -> str:
    """A regular expression that compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is the user's business how its brackets are nested
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ArgumentsError(f"regular expression {text!r}: {error}") from None
    return text


def endpoint_url(text: str) -> str:
    """An endpoint's URL. What is wrong with it is said without repeating it: there may be a password in it."""
    try:
        valid = _url(text) and urlsplit(text).hostname and urlsplit(text).port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ArgumentsError("endpoint: an endpoint's URL looks like https://HOST or https://HOST:PORT/PATH")
    return text


def oversize(text: str) -> str:
    """What becomes of events that are too large."""
    return _one_of(text, "oversize", OVERSIZE)


def pace(text: str) -> str:
    """Whether Wazuh's state files slow a run down."""
    return _one_of(text, "pace", PACE)


def seconds(text: str) -> float:
    """How long to wait."""
    return _amount(text, "a number of seconds", 0)


def events_per_second(text: str) -> float:
    """How many events to send in a second at most."""
    return _amount(text, "a number of events per second, over 0", 1e-9)


def workers(text: str) -> int:
    """How many processes read and send: a number up to 64, or `auto`, one for each processor that we may use."""
    if text.lower() == "auto":
        return len(os.sched_getaffinity(0))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 64):
        raise ArgumentsError(f"{text!r}: give a number of processes, 1 to 64, or auto")
    return int(text)


def requests_per_second(text: str) -> float:
    """How many requests to send in a second at most."""
    return _amount(text, "a number of requests per second, over 0", 1e-9)


def whole_seconds(text: str) -> int:
    """How long to wait, in whole seconds."""
    if not (text.isascii() and text.isdigit() and int(text) <= 43_200):
        raise ArgumentsError(f"{text!r}: give a whole number of seconds, up to 43200")
    return int(text)


def host_and_port(text: str) -> tuple[str, int]:
    """Where to listen: a port of this machine alone (127.0.0.1), unless a host is given, of which `*` is any.

    >>> host_and_port("9107"), host_and_port("[::1]:9107"), host_and_port("*:9107")
    (('127.0.0.1', 9107), ('::1', 9107), ('0.0.0.0', 9107))
    """
    host, colon, port = text.rpartition(":")
    host = host.strip("[]") if colon else "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) <= 65535 and host):
        raise ArgumentsError(f"{text!r}: give a port up to 65535, or HOST:PORT")
    return "0.0.0.0" if host == "*" else host, int(port)  # noqa: S104 - who writes `*` asks for it


def ratio(text: str) -> float:
    """How many times as large an object may become by decompression."""
    return _amount(text, "a number, 1 or more", 1)


def size(text: str) -> int:
    """A number of bytes."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 63):
        raise ArgumentsError(f"size {text!r}: give a number of bytes, 1 or more")
    return int(text)


def state_home(environ: Mapping[str, str]) -> Path:
    """Where the commands for people keep their state: the XDG base directories' place for it."""
    home = environ.get("XDG_STATE_HOME") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".local", "state"
    )
    return Path(home) / "awsflow"


def _separated(text: str, what: str) -> tuple[str, ...]:
    """The parts of a list. An empty part is a mistake: taken for nothing, it might well widen what is read."""
    if not text.strip():
        return ()
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise ArgumentsError(f"{what} {text!r}: write A,B without empty parts")
    return parts


def _one_of(text: str, what: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise ArgumentsError(f"{what} {text!r}: give {', '.join(choices[:-1])} or {choices[-1]}")
    return text


def _amount(text: str, what: str, least: float) -> float:
    """A plain decimal number: no sign, no exponent, not infinite."""
    if not _number(text) or float(text) < least:
        raise ArgumentsError(f"{text!r}: give {what}")
    return float(text)
