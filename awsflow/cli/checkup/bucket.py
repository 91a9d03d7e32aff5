"""A bucket: whether it is there, what we may do in it, and whether what lies there is what was asked for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.aws import doing
from awsflow.cli.checkup.asking import Asking
from awsflow.cli.checkup.contents import FETCHED, tell_content
from awsflow.cli.checkup.results import Result, code_of, failed, is_denial, untried
from awsflow.cli.checkup.surroundings import Surroundings
from awsflow.cli.summary import lasting
from awsflow.errors import AwsflowError, NoAccounts, NoObjects, ServiceError
from awsflow.logtypes import AUTO, log_types_named
from awsflow.logtypes.hive import HIVE_ACCOUNT
from awsflow.logtypes.layout import Layout, is_account
from awsflow.logtypes.types import LogType
from awsflow.options import BucketOptions
from awsflow.permissions import Statement, Where, needed
from awsflow.sources.finding import place_of
from awsflow.sources.listing import Listed, S3Client, folders, is_empty, pages

BACK = (0, 1, 7, 31, 366, 3650)
"""Days that the newest log is looked for in, one after the other."""
STREAMS = 40
"""Streams of each layout that are looked through for the newest log."""
PAGES = 3
"""Pages of a thousand keys that are looked through in each."""


class Looking:
    """A look for the newest object, through the places where a type's objects lie."""

    def __init__(self, s3: S3Client, options: BucketOptions, asking: Asking) -> None:
        self._s3 = s3
        self._options = options
        self._asking = asking
        self.any_stream = False
        self.any_account = False
        self.is_whole = True
        """Whether all streams were looked at."""
        self.is_cut = False
        """Whether there may be newer objects than those that were listed."""
        self.newest: Listed | None = None
        self.log_types: tuple[LogType, ...] = ()
        """What the newest object may be."""
        self.with_logs: dict[str, int] = {}
        """How many streams have logs, by their layout as people write it."""

    def look(self, layout: Layout, types: tuple[LogType, ...]) -> None:
        """Look for the streams of a layout, and the newest object in them."""
        for number, stream in enumerate(layout.streams(place_of(self._options), self._folders)):
            if number == STREAMS or self._asking.is_over:
                self.is_whole = False
                return
            self.any_stream = True
            found = (self._newest(layout, types, stream, days) for days in (BACK if layout.is_dated else BACK[-1:]))
            newest = next((each for each in found if each is not None), None)
            if newest is None:
                continue
            self.with_logs[layout.shown] = self.with_logs.get(layout.shown, 0) + 1
            if self.newest is None or newest["LastModified"] > self.newest["LastModified"]:
                self.newest, self.log_types = newest, types

    def _folders(self, prefix: str, delimiter: str = "/", after: str = "") -> Iterator[str]:
        for name in folders(self._s3, self._options.bucket, prefix, delimiter, after):
            self.any_account = self.any_account or is_account(name.removeprefix(HIVE_ACCOUNT)) is not None
            yield name

    def _newest(self, layout: Layout, types: Sequence[LogType], stream: str, days: int) -> Listed | None:
        """The newest object of these days in a stream, of those that are listed first."""
        today = datetime.fromtimestamp(self._asking.now, UTC).date()
        newest: Listed | None = None
        listed = 0
        for prefix, start_after in layout.listings(stream, today - timedelta(days=days), today, self._folders):
            for page in pages(self._s3, self._options.bucket, prefix, StartAfter=start_after):
                listed += 1
                for entry in page.get("Contents", ()):
                    if not _is_log(entry["Key"], layout, types, stream):
                        continue
                    if newest is None or entry["LastModified"] > newest["LastModified"]:
                        newest = entry
                if listed == PAGES:
                    self.is_cut = self.is_cut or bool(page.get("IsTruncated"))
                    return newest
        return newest


def _is_log(key: str, layout: Layout, types: Sequence[LogType], stream: str) -> bool:
    in_place = layout.day(key, stream) is not None if layout.is_dated else not key.endswith("/")
    return in_place and any(each.may_have(key) for each in types)


def of_bucket(options: BucketOptions, asking: Asking, where: Where) -> Iterator[Result]:
    """What works of a bucket."""
    statements = needed(options, where)
    types = _types(options)
    s3 = asking.client("s3")
    region = _region(s3, options.bucket)
    if isinstance(region, ServiceError):
        yield failed("bucket", region)
        return
    if region:
        yield Result("bucket", "ok", f"s3://{options.bucket} is in {region}")
    found = Looking(s3, options, asking)
    try:
        for layout, of_layout in _layouts(types):
            found.look(layout, of_layout)
        yield Result("s3:ListBucket", "ok", f"s3://{options.bucket}/{types[0].base(place_of(options))}")
    except ServiceError as error:
        yield failed("s3:ListBucket", error, statements)
        if not is_denial(error):
            return
    else:
        yield from _logs(s3, options, types, found, asking)
    yield from _reading(s3, options, found, statements)
    if options.remove:
        yield untried("s3:DeleteObject", "not tried, for that would delete; it needs the statement", statements)


def _types(options: BucketOptions) -> tuple[LogType, ...]:
    """The types that are looked for; UnknownType where there can be none of a type that is named."""
    place = place_of(options)
    types = log_types_named(options.log_type, options.format)
    if options.log_type.lower() != AUTO:
        types[0].check(place)
    return types


def _region(s3: S3Client, bucket: str) -> str | ServiceError:
    """The region that S3 tells for a bucket, even to those who may do nothing; or that there is none.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    try:
        with doing(f"looking for s3://{bucket}"):
            told = s3.head_bucket(Bucket=bucket)
    except ServiceError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return ServiceError(
                f"looking for s3://{bucket}: there is no such bucket; check its name, and the endpoint if one is given"
            )
        told = getattr(error.__context__, "response", {})
    headers = told.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(told.get("BucketRegion") or headers.get("x-amz-bucket-region") or "")


def _layouts(types: Sequence[LogType]) -> list[tuple[Layout, tuple[LogType, ...]]]:
    """The layouts that are searched, with the types of each."""
    layouts: dict[Layout, list[LogType]] = {}
    for log_type in types:
        for layout in log_type.layouts:
            layouts.setdefault(layout, []).append(log_type)
    return [(layout, tuple(of_layout)) for layout, of_layout in layouts.items()]


def _logs(
    s3: S3Client, options: BucketOptions, types: Sequence[LogType], found: Looking, asking: Asking
) -> Iterator[Result]:
    """Whether logs are there, and how old the newest one is; if not, what else there is."""
    bucket, prefix = options.bucket, options.prefix
    if found.newest is not None:
        told = ", ".join(f"{shown}: {number}" for shown, number in found.with_logs.items())
        limit = "" if found.is_whole else "; more were not looked at"
        yield Result("layout", "ok", f"places with logs: {told}{limit}")
        age = max(asking.now - found.newest["LastModified"].timestamp(), 0)
        at_most = "at most " if found.is_cut else ""
        yield Result("newest log", "ok", f"{at_most}{lasting(age)} ago: {found.newest['Key']}")
        return
    base = types[0].base(place_of(options))
    around = Surroundings(s3, options, asking)
    others = around.tell()
    advice = f"; what is there: {others}" if others else ""
    if around.refused and not others:
        advice = f"; what else is there may not be listed ({code_of(around.refused) or 'refused'})"
    elif not others and around.example:
        advice = f"; there are other objects, such as {around.example}"
    try:
        nothing = is_empty(s3, bucket, prefix)
    except AwsflowError:
        nothing = False
    if nothing:
        where = f"s3://{bucket}/{prefix}"
        yield failed("layout", NoObjects(f"listing {where}: nothing is there; check bucket and prefix{advice}"))
    elif not found.any_stream and not options.accounts and not found.any_account:
        where = f"s3://{bucket}/{base}"
        yield failed(
            "layout",
            NoAccounts(f"listing {where}: there is no account's folder; check prefix, suffix and organization{advice}"),
        )
    else:
        shown = " or ".join(layout.shown for layout in types[0].layouts)
        yield Result(
            "layout",
            "look",
            f"there are no {options.log_type} logs below s3://{bucket}/{base} (their keys are like {shown}); check "
            f"type, accounts and regions, or wait for the first{advice}",
        )


def _reading(s3: S3Client, options: BucketOptions, found: Looking, statements: Sequence[Statement]) -> Iterator[Result]:
    """Whether the newest object may be read, and what its first bytes tell."""
    if found.newest is None:
        yield untried("s3:GetObject", "not tried: no object is known to try it on; it needs the statement", statements)
        return
    key, size = found.newest["Key"], found.newest["Size"]
    try:
        stored, answer = _fetched(s3, options.bucket, key, size)
    except ServiceError as error:
        result = failed("s3:GetObject", error, statements)
        if result.allow:
            told = f"{result.told}; if the bucket is encrypted with a key of KMS's, kms:Decrypt on that key, too"
            result = Result("s3:GetObject", "failed", told, result.allow, result.exit_code)
        yield result
        return
    yield Result("s3:GetObject", "ok", "the newest log")
    if str(answer.get("ServerSideEncryption") or "").startswith("aws:kms"):
        yield Result("kms:Decrypt", "ok", f"with {answer.get('SSEKMSKeyId') or 'a key of KMS'}")
    yield from tell_content(stored, key, found.log_types)


def _fetched(s3: S3Client, bucket: str, key: str, size: int) -> tuple[bytes, Mapping[str, Any]]:
    """The first bytes of an object as it is stored."""
    part = {"Range": f"bytes=0-{FETCHED - 1}"} if size else {}
    with doing(f"reading s3://{bucket}/{key}"):
        answer = s3.get_object(Bucket=bucket, Key=key, **part)
        try:
            return answer["Body"].read(FETCHED), answer
        finally:
            answer["Body"].close()
