"""The permissions that each source needs in AWS, as statements of an IAM policy: this is where they are known.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from awsflow.errors import UnknownType
from awsflow.logtypes import log_types_named
from awsflow.logtypes.hive import HIVE_ACCOUNT, HiveLogs
from awsflow.logtypes.layout import AwsLogs, Dated, Layout, Place
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions
from awsflow.sources.log_api import is_arn
from awsflow.sources.sqs_address import address_of

SEVERAL = 10
"""Accounts that are named one by one; of more, all are meant: a policy has 6,144 characters at most."""
BUCKET_OF_QUEUE = "BUCKET"
"""What stands for the bucket that a queue's messages name, as long as nobody says which it is."""
OF_LAKE = "aws-security-data-lake-*"
"""What Security Lake's buckets are called."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whose things are meant. What is not known stands for all."""

    partition: str = "aws"
    account: str = "*"
    regions: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Statement:
    """Actions that are allowed on some resources."""

    sid: str
    """What it is for: letters and digits."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_json(self, *actions: str) -> dict[str, Any]:
        """As IAM reads it; with only these of its actions, if any are given."""
        told: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": _one_or_more(actions or self.actions),
            "Resource": _one_or_more(self.resources),
        }
        return told | ({"Condition": self.condition} if self.condition else {})


def needed(
    options: BucketOptions | ServiceOptions | QueueOptions, where: Where, buckets: Iterable[str] = ()
) -> list[Statement]:
    """What a source needs, and no more; but for `kms:Decrypt`, which depends on how the bucket is encrypted.

    `buckets` are those that a queue's messages name, each as `BUCKET` or `BUCKET/PREFIX`.
    """
    match options:
        case BucketOptions():
            return list(_of_bucket(options, where))
        case QueueOptions():
            return list(_of_queue(options, where, tuple(buckets)))
        case ServiceOptions(service="inspector"):
            # neither service knows resources to limit this to
            return [
                Statement(
                    "Inspector",
                    ("inspector2:ListFindings", "inspector:ListFindings", "inspector:DescribeFindings"),
                    ("*",),
                )
            ]
        case ServiceOptions():
            return list(_of_log_groups(options, where))


def to_assume(access: AwsAccess) -> list[Statement]:
    """What whoever assumes the access's role needs; nothing, if there is none."""
    return [Statement("Role", ("sts:AssumeRole",), (access.role_arn,))] if access.role_arn else []


def as_policy(statements: Iterable[Statement]) -> dict[str, Any]:
    """A policy of these statements, what is the same only once, each with a Sid of its own."""
    merged: dict[tuple[Any, ...], Statement] = {}
    for each in statements:
        key = (each.actions, each.resources, repr(each.condition))
        merged.setdefault(key, each)
    named: dict[str, int] = {}
    told = []
    for each in merged.values():
        named[each.sid] = named.get(each.sid, 0) + 1
        number = named[each.sid]
        told.append(each.as_json() | {"Sid": each.sid if number == 1 else f"{each.sid}{number}"})
    return {"Version": "2012-10-17", "Statement": told}


def keys_read(options: BucketOptions) -> tuple[list[str], list[str]]:
    """The prefixes that are listed, and the keys that are read, as patterns: those that others cover are left out."""
    place = Place(options.prefix, options.suffix, options.organization, options.accounts, options.regions)
    listed: list[str] = []
    read: list[str] = []
    types = log_types_named(options.log_type, options.format)
    for log_type in types:
        try:
            log_type.check(place)
        except UnknownType:
            if len(types) == 1:
                raise
            continue  # `auto` leaves it out, too
        for layout in log_type.layouts:
            folders, keys = _patterns(layout, place)
            listed += folders + keys
            read += keys
    return _widest(listed), _widest(read)


def _of_bucket(options: BucketOptions, where: Where) -> Iterator[Statement]:
    bucket = f"arn:{where.partition}:s3:::{options.bucket}"
    listed, read = keys_read(options)
    yield Statement("List", ("s3:ListBucket",), (bucket,), {"StringLike": {"s3:prefix": _one_or_more(listed)}})
    if not any(fnmatchcase(options.prefix, pattern) for pattern in listed):
        yield Statement(  # to say what is wrong where no logs are found: whether nothing at all is there
            "IsEmpty",
            ("s3:ListBucket",),
            (bucket,),
            {"StringEquals": {"s3:prefix": options.prefix}, "NumericEquals": {"s3:max-keys": "1"}},
        )
    objects = tuple(f"{bucket}/{pattern}" for pattern in read)
    yield Statement("Read", ("s3:GetObject",), objects)
    if options.remove:
        yield Statement("Remove", ("s3:DeleteObject",), objects)


def _of_queue(options: QueueOptions, where: Where, buckets: tuple[str, ...]) -> Iterator[Statement]:
    address = address_of(options.queue)
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
    if not address.url:
        actions.insert(0, "sqs:GetQueueUrl")
    account = address.account or (address.url.split("/")[-2] if address.url else where.account)
    yield Statement(
        "Queue",
        tuple(actions),
        tuple(
            f"arn:{where.partition}:sqs:{region}:{account}:{address.name}"
            for region in ((address.region,) if address.region else where.regions)
        ),
    )
    named = buckets or (OF_LAKE if options.reader.lower() == "security_lake" else BUCKET_OF_QUEUE,)
    yield Statement(
        "Read",
        ("s3:GetObject",),
        tuple(f"arn:{where.partition}:s3:::{name if '/' in name else name + '/'}*" for name in named),
    )


def _of_log_groups(options: ServiceOptions, where: Where) -> Iterator[Statement]:
    def arn(region: str, group: str) -> str:
        return f"arn:{where.partition}:logs:{region}:{where.account}:log-group:{group}"

    groups: list[str] = []
    for group in options.groups:
        if is_arn(group):
            groups.append(f"{group.removesuffix(':*')}:*")
        else:
            groups += (f"{arn(region, group)}:*" for region in where.regions)
    own = [group for group in options.groups if not is_arn(group)]
    if any(group.endswith("*") for group in own):
        # groups are listed together: AWS does not know which of them are asked for
        yield Statement("ListGroups", ("logs:DescribeLogGroups",), tuple(arn(each, "*") for each in where.regions))
    yield Statement("Logs", ("logs:DescribeLogStreams", "logs:GetLogEvents"), tuple(groups))
    if options.remove and own:
        removed = tuple(f"{arn(region, group)}:*" for group in own for region in where.regions)
        yield Statement("Remove", ("logs:DeleteLogStream",), removed)


def _patterns(layout: Layout, place: Place) -> tuple[list[str], list[str]]:
    """The folders that are listed as such, and what the keys are like."""
    base = layout.base(place)
    if type(layout) in (AwsLogs, HiveLogs):
        assert isinstance(layout, AwsLogs)  # noqa: S101 - for the type checker
        is_hive = isinstance(layout, HiveLogs)
        accounts = place.accounts if 0 < len(place.accounts) <= SEVERAL else ("*",)
        ours, service = (HIVE_ACCOUNT, "aws-service=") if is_hive else ("", "")
        keys = [f"{base}{ours}{account}/{service}{layout.service}/*" for account in accounts]
        return ([] if place.accounts else [base]), keys
    if isinstance(layout, Dated):
        return [], [f"{base}2*"]  # a year
    return [], [f"{base}*"]


def _widest(patterns: Iterable[str]) -> list[str]:
    """The patterns that none of the others covers, in their order."""
    distinct = list(dict.fromkeys(patterns))
    return [each for each in distinct if not any(other != each and fnmatchcase(each, other) for other in distinct)]


def _one_or_more(values: Iterable[str]) -> str | list[str]:
    """A single value as it is, several as a list: as people write policies."""
    several = list(values)
    return several[0] if len(several) == 1 else several
