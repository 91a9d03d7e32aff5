"""Listing a bucket: accounts, regions, and the objects of a stream by date. All pages, nothing kept."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, TypeAlias

from awsflow.answers import next_token
from awsflow.aws import doing
from awsflow.errors import ServiceError

S3Client: TypeAlias = Any  # botocore makes its clients at run time; types-boto3 is not there when awsflow runs
Listed: TypeAlias = Mapping[str, Any]
"""An object as ListObjectsV2 has it: Key, Size, ETag, ..."""


def pages(client: S3Client, bucket: str, prefix: str, **more: Any) -> Iterator[Mapping[str, Any]]:
    """Each page of a listing, up to 1,000 objects or folders a page.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    request = {"Bucket": bucket, "Prefix": prefix, **more}
    what = f"listing s3://{bucket}/{prefix}"
    while True:
        with doing(what):
            page = client.list_objects_v2(**request)
        yield page
        if not page.get("IsTruncated"):
            return
        token = next_token(page, "NextContinuationToken", request.get("ContinuationToken", ""), what)
        if not token:
            raise ServiceError(f"{what}: there is more, but no token that leads there; check the endpoint URL")
        request["ContinuationToken"] = token


def folders(client: S3Client, bucket: str, prefix: str, delimiter: str = "/", after: str = "") -> Iterator[str]:
    """The names of the folders right below a prefix; `after`: from the first key behind this one on."""
    for page in pages(client, bucket, prefix, Delimiter=delimiter, StartAfter=after):
        for folder in page.get("CommonPrefixes", ()):
            yield folder["Prefix"][len(prefix) : -len(delimiter)]


def listed_as(client: S3Client, bucket: str, key: str) -> list[Listed]:
    """How an object is listed; none, if it is not there."""
    found = next(pages(client, bucket, key, MaxKeys=1)).get("Contents", ())
    return [entry for entry in found if entry["Key"] == key]


def written(entry: Listed) -> str:
    """When an object was written, as ISO 8601 in UTC."""
    return f"{entry['LastModified'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def is_empty(client: S3Client, bucket: str, prefix: str) -> bool:
    """Whether nothing lies below a prefix."""
    return not next(pages(client, bucket, prefix, MaxKeys=1)).get("KeyCount")
