"""Logs below S3 URLs, read as they are, for replay: no state, no dates, nothing but names decides."""

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial

from awsflow.aws import client
from awsflow.errors import ArgumentsError, NoObjects
from awsflow.items import Found, Item, Origin, Position
from awsflow.logtypes import log_type_named
from awsflow.logtypes.layout import account_in
from awsflow.options import AwsAccess
from awsflow.sources.ahead import fetched
from awsflow.sources.listing import S3Client, pages
from awsflow.sources.reading import read_all
from awsflow.sources.s3_body import opened


class S3Objects:
    """Source of the logs of one type below `s3://BUCKET/PREFIX` URLs; a URL may be a whole key."""

    def __init__(
        self,
        *urls: str,
        log_type: str = "cloudtrail",
        alias: str = "",
        skip_on_error: bool = False,
        access: AwsAccess | None = None,
        requests: int = 16,
    ) -> None:
        self.log_type = log_type_named(log_type)
        self._urls = urls
        self._alias = alias
        self._skip_on_error = skip_on_error
        self._access = access or AwsAccess()
        self._requests = requests
        self._client: S3Client | None = None

    def items(self) -> Generator[Item, None, None]:
        """The records of all objects, in the order of the URLs and keys. NoObjects if there is none."""
        self._client = client("s3", self._access, pool=self._requests + 1)
        with closing(
            fetched(self._found(), partial(opened, self._client), requests=self._requests)
        ) as objects:
            yield from read_all(objects, self.log_type, skip_on_error=self._skip_on_error)

    def commit(self, positions: Sequence[Position]) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _found(self) -> Iterator[Found | None]:
        looks_like_a_log = re.compile(self.log_type.names).search
        any_object = False
        for url in self._urls:
            bucket, _, prefix = url.removeprefix("s3://").partition("/")
            if not bucket:
                raise ArgumentsError(f"reading {url}: there is no bucket in it; write s3://BUCKET/PREFIX")
            for page in pages(self._client, bucket, prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"]
                    if not key.endswith("/") and (key == prefix or looks_like_a_log(key)):
                        origin = Origin(
                            bucket=bucket,
                            key=key,
                            alias=self._alias,
                            account=account_in(key) if self.log_type.account else "",
                            shape=self.log_type.shape,
                        )
                        any_object = True
                        yield Found(origin, size=entry["Size"], etag=entry["ETag"].strip('"'))
                yield None
        if not any_object:
            places = ", ".join(self._urls)
            raise NoObjects(f"looking for {self.log_type.name} logs in {places}: there are none; check URL and type")
