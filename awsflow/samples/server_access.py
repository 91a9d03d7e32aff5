"""Samples of S3's server access logs.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from awsflow.samples import web
from awsflow.samples.account import BUCKETS, PEOPLE, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

PREFIX = "access-logs/"
_OPERATIONS = (
    ("REST.GET.OBJECT", "GET", 200),
    ("REST.GET.OBJECT", "GET", 200),
    ("REST.GET.OBJECT", "GET", 403),
    ("REST.HEAD.OBJECT", "HEAD", 404),
    ("REST.PUT.OBJECT", "PUT", 200),
    ("REST.DELETE.OBJECT", "DELETE", 204),
    ("REST.GET.BUCKET", "GET", 200),
    ("REST.GET.VERSIONING", "GET", 200),
)
_ERRORS = {403: "AccessDenied", 404: "NoSuchKey"}
_AGENTS = (*web.BROWSERS, "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.696]", "Boto3/1.34.69 md/Botocore#1.34.69")


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the requests of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    owner = Account(0, account, "").hex(64)
    for at in web.moments(a, count, start):
        yield _line(a, at, owner)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as S3 does, below a prefix that the user chose."""
    at = when.astimezone(UTC)
    return f"{PREFIX}{at:%Y-%m-%d-%H-%M-%S}-{Account(number, account, f'{region}/{at}').hex(16).upper()}"


def _line(a: Account, at: datetime, owner: str) -> str:
    bucket, (operation, method, code) = a.one(BUCKETS), a.one(_OPERATIONS)
    name = f"data/part-{a.random.randrange(10**5):05}%2520{a.hex(8)}.json" if operation.endswith("OBJECT") else "-"
    path = f"/{bucket}/{name}" if name != "-" else f"/{bucket}?{operation[9:].lower()}"
    requester = a.one((f"arn:aws:iam::{a.number}:user/{a.one(PEOPLE)}", owner, "-"))
    signature = ("SigV4", "TLS_AES_128_GCM_SHA256", "AuthHeader") if requester != "-" else ("-", "-", "-")
    return " ".join(
        (
            *(owner, bucket, f"[{at:%d/%b/%Y:%H:%M:%S} +0000]", a.address(), requester, a.upper(16), operation, name),
            *(f'"{method} {path} HTTP/1.1"', str(code), _ERRORS.get(code, "-"), str(a.random.randrange(10**6)), "-"),
            *(str(a.random.randrange(500)), "-", '"-"', f'"{a.one(_AGENTS)}"', "-", a.token(56), *signature),
            *(f"{bucket}.s3.{a.region}.amazonaws.com", "TLSv1.3", "-", "-"),
        )
    )
