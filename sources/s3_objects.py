"""Logs below S3 URLs, read as they are, for replay: no state, no dates, nothing but names decides."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

from awsflow.aws import client, load
from awsflow.decode.limits import Limits
from awsflow.errors import ArgumentsError, NoObjects
from awsflow.items import Found, Item, Read
from awsflow.logtypes import LOG_TYPES, log_types_named
from awsflow.logtypes.recognise import looks_right, sure
from awsflow.options import AwsAccess
from awsflow.sources.ahead import fetched
from awsflow.sources.listing import S3Client, pages, written
from awsflow.sources.reading import Reader, origin_of
from awsflow.sources.s3_body import Opening
from awsflow.state.positions import ObjectPosition


class S3Objects:
    """Source of the logs of one type, or of any (`auto`), below `s3://BUCKET/PREFIX` URLs; a URL may be a whole key."""

    def __init__(
        self,
        *urls: str,
        log_type: str = "cloudtrail",
        alias: str = "",
        skip_on_error: bool = False,
        access: AwsAccess | None = None,
        requests: int = 64,
        format: str = "",  # noqa: A002 - as the command line has it
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
    ) -> None:
        self.log_types = log_types_named(log_type, format)
        self.objects_by_type: Counter[str] = Counter()
        """How many objects of which type were delivered."""
        self._skip_on_error = skip_on_error
        self._limits = limits
        self._urls = urls
        self._alias = alias
        self._access = access or AwsAccess()
        self._requests = requests
        self._client: S3Client | None = None

    def items(self, read: Read | None = None) -> Generator[Item, None, None]:
        """The records of all objects, in the order of the URLs and keys. NoObjects if there is none."""
        yield from (read or self.read)(self._found())

    def load(self) -> None:
        """Import what reading takes."""
        load()

    def read(self, found: Iterator[Found | None], share: int = 1) -> Generator[Item, None, None]:
        """The records of these objects; this is one of `share` readers."""
        opening = Opening(self._opened(), seconds=self._access.call_seconds)
        reader = Reader(self.log_types, skip_on_error=self._skip_on_error, limits=self._limits, anew=opening.anew)
        with closing(fetched(found, opening, ask=opening.ask, requests=max(2, self._requests // share))) as objects:
            yield from reader.read_all(objects)

    def commit(self, positions: Sequence[ObjectPosition]) -> None:
        """Count what was delivered; nothing is remembered."""
        self.objects_by_type.update(position.log_type for position in positions if position.finished)

    def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> S3Client:
        if self._client is None:
            self._client = client("s3", self._access, pool=self._requests + 1)
        return self._client

    def _found(self) -> Iterator[Found | None]:
        any_object = False
        for url in self._urls:
            bucket, _, prefix = url.removeprefix("s3://").partition("/")
            if not bucket:
                raise ArgumentsError(f"reading {url}: there is no bucket in it; write s3://BUCKET/PREFIX")
            for page in pages(self._opened(), bucket, prefix):
                for entry in page.get("Contents", ()):
                    key = entry["Key"]
                    wanted = key == prefix or looks_right(key, self.log_types, LOG_TYPES.values())
                    if wanted and not key.endswith("/"):
                        any_object = True
                        log_type = sure(key, self.log_types)
                        origin = origin_of(bucket, key, self._alias, log_type)
                        name = log_type.name if log_type else ""
                        etag = entry["ETag"].strip('"')
                        yield Found(origin, entry["Size"], etag, log_type=name, written=written(entry))
                yield None
        if not any_object:
            places = ", ".join(self._urls)
            raise NoObjects(f"looking for logs in {places}: there are none of this type; check URL and type")
