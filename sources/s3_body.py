"""The bytes of one S3 object in one version; what breaks off is opened again at that byte.

An object is asked for by a shorter way than the client's, if the client has shown it; smart_open reads the rest of what
breaks off, and what can't be had like that.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

from awsflow.aws import doing
from awsflow.errors import EndpointUnreachable, ObjectReplaced, ServiceError
from awsflow.items import Found
from awsflow.sources.ahead import PIECE, fetched
from awsflow.sources.listing import S3Client, listed_as

if TYPE_CHECKING:
    from awsflow.sources.s3_by_example import ByExample, Underway

SLICE = 1 << 16
"""Bytes that a connection is asked for at a time: what came before it broke off need not come again."""


class Opening:
    """Opens the objects that one client can reach."""

    def __init__(self, client: S3Client, *, seconds: float, note: Callable[[str], None] = lambda text: None) -> None:
        """`seconds`: for how long an object that breaks off, or stands still, is tried again without news of it."""
        self._client = client
        self._by_example: ByExample | None = None
        self._first = threading.Lock()
        self._seconds = seconds
        self._note = note

    def __call__(self, found: Found) -> "S3Body":
        """Open an object, in the version that was found. ObjectReplaced if that is not there any more."""
        from awsflow.sources.s3_by_example import ByExample  # noqa: PLC0415 - not needed by a run that finds nothing new

        with self._first:
            self._by_example = self._by_example or ByExample(self._client)
        return S3Body(_Version(self._client, self._by_example, found, self._seconds, self._note))

    def ask(self, found: Found) -> "AskedFor | None":
        """Ask for an object of a piece at most, without waiting; None: that cannot be done, or not yet."""
        if self._by_example is None or not found.etag or not 0 < found.size <= PIECE:
            return None
        asked = self._by_example.ask(found.origin.bucket, found.origin.key, f'"{found.etag}"')
        if asked is None:
            return None
        return AskedFor(_Version(self._client, self._by_example, found, self._seconds, self._note), asked)

    def anew(self, found: Found) -> tuple[Found, Generator[bytes, None, None]]:
        """The object as it is now, and its chunks, as `fetched` has them."""
        now = found._replace(done=0)
        if found.etag:
            for entry in listed_as(self._client, found.origin.bucket, found.origin.key):
                now = now._replace(size=entry["Size"], etag=entry["ETag"].strip('"'))
        return now, self._chunks(now)

    def _chunks(self, found: Found) -> Generator[bytes, None, None]:
        with closing(fetched(iter([found]), self, requests=1)) as objects:
            for each in objects:
                if each is not None:
                    yield from each[1]


class AskedFor:
    """A small object that was asked for."""

    def __init__(self, version: "_Version", asked: "Underway") -> None:
        self._version = version
        self._asked = asked

    def is_here(self, seconds: float) -> bool:
        """Whether all of the object has come, after about so many seconds; what else may have come takes a thread."""
        answer = self._asked.answer
        return answer.is_here(seconds) and answer.status < 300 and answer.length == self._version.found.size

    def open(self) -> "S3Body":
        """Open it: waiting for it, and trying again as often as it takes, if it is not here."""
        return S3Body(self._version, self._asked)

    def close(self) -> None:
        """Let go of the connection: nobody wants it."""
        self._asked.answer.close()


class S3Body:
    """An open object. Its errors are ours."""

    def __init__(self, version: "_Version", asked: "Underway | None" = None) -> None:
        """`asked`: it was asked for before."""
        self._version = version
        self._at = 0
        self._file: Any = None
        with version.reading():
            self._connection = version.whole(asked)
            if self._connection is None:
                self._file = self._opened()

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        if self._connection is not None:
            piece = self._read_on(self._connection, size)
            if piece or self._connection is not None:
                return piece
        with self._version.reading():
            if self._file is None:
                self._file = self._opened()
            read: bytes = self._file.read(size)
            return read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for each in (self._connection, self._file):
            if each is not None:
                each.close()

    def _read_on(self, connection: "_Connection", size: int) -> bytes:
        """What comes, at most `size` bytes; there is no connection any more when it has broken off."""
        pieces = []
        try:
            while size and (piece := connection.read(size)):
                pieces.append(piece)
                self._at += len(piece)
                size -= len(piece)
        except Exception as error:
            if not _breaks_off(error):
                raise
            connection.close()
            self._connection = None
        return b"".join(pieces)

    def _opened(self) -> Any:
        """The rest of it, as smart_open reads it."""
        import smart_open.s3  # noqa: PLC0415 - not needed by most runs, and slow to import

        origin = self._version.found.origin
        file = smart_open.s3.open(
            origin.bucket, origin.key, "rb", buffer_size=PIECE, client=self._version, defer_seek=True
        )
        file.seek(self._at)
        return file


class _Version:
    """What smart_open takes for the client: each of its requests is for the same version of the object."""

    def __init__(
        self, client: S3Client, by_example: "ByExample", found: Found, seconds: float, note: Callable[[str], None]
    ) -> None:
        self.found = found
        self.place = str(client.meta.endpoint_url)
        self._what = f"reading {found.origin}"
        self._client = client
        self._by_example = by_example
        self._seconds = seconds
        self._note = note
        self._etag = f'"{found.etag}"' if found.etag else ""
        self._broken: Exception | None = None
        """Why the connection broke off, if nothing has come since."""
        self._broken_at = 0.0

    def whole(self, asked: "Underway | None") -> "_Connection | None":
        """All of it, by the shorter way; None if it has to be opened as ever."""
        origin = self.found.origin
        if asked is None and self._by_example.lacks(origin.bucket) and self.found.etag and self.found.size:
            connection: _Connection = self.get_object(Bucket=origin.bucket, Key=origin.key, Range="bytes=0-")["Body"]
            return connection
        answer = self._by_example.whole(origin.bucket, origin.key, self._etag, asked)
        return None if answer is None else self._checked(answer, 0)

    def get_object(self, **request: Any) -> dict[str, Any]:
        """GetObject, if it is still the same one."""
        if self._broken is not None:
            if time.monotonic() - self._broken_at > self._seconds:
                raise self.given_up(self._broken)
            name = type(self._broken).__name__
            self._note(f"{self._what}: the connection broke off ({name}); opened again, {request.get('Range')}")
        if self._etag:
            request["IfMatch"] = self._etag
        try:
            answer: dict[str, Any] = self._by_example.get_object(**request)
        except self._client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") == "InvalidRange" and self.found.etag and self.found.size:
                raise self._wrong("InvalidRange") from None  # smart_open takes it for an empty object
            raise
        begin = int(request["Range"].removeprefix("bytes=").partition("-")[0])
        answer = {**answer, "Body": self._checked(answer, begin)}
        if begin and "ContentRange" not in answer:  # there are stores that know no ranges, and we do the skipping
            size = answer["ContentLength"]
            answer["ContentRange"] = f"bytes {begin}-{size - 1}/{size}"
            answer["ResponseMetadata"] = {**answer["ResponseMetadata"], "HTTPStatusCode": 206}
        return answer

    def _checked(self, answer: dict[str, Any], begin: int) -> "_Connection":
        """The connection on which an answer comes, if it is one of the same version."""
        etag, size = answer.get("ETag"), _size(answer)
        if etag and self._etag and etag != self._etag:  # there are stores that know no If-Match
            answer["Body"].close()
            raise ObjectReplaced(f"{self._what}: it was replaced while it was read; the next run reads the new one")
        part = answer.get("ContentRange", f"bytes {begin}-")
        if not etag or size is None or (self.found.etag and size != self.found.size):
            answer["Body"].close()
            raise self._wrong(f"{size} bytes")
        if not part.startswith(f"bytes {begin}-"):
            answer["Body"].close()
            raise self._wrong(f"{part} from byte {begin} on")
        self._etag = etag
        return _Connection(answer["Body"], self, size - begin, skip=0 if "ContentRange" in answer else begin)

    def came(self) -> None:
        """Something new has come."""
        self._broken = None

    def broke(self, error: Exception) -> None:
        """The connection has broken off."""
        if self._broken is None:
            self._broken_at = time.monotonic()
        self._broken = error

    def given_up(self, error: Exception) -> ServiceError | EndpointUnreachable:
        """The error for an object of which nothing more comes."""
        name = type(error).__name__
        if "Timeout" in name:
            return EndpointUnreachable(f"{self._what}: nothing more comes of it ({name}); check the network, try later")
        return ServiceError(f"{self._what}: the connection breaks off, time and again ({name}); try later")

    def _wrong(self, told: str) -> ServiceError:
        size = f" of {self.found.size} bytes" if self.found.etag else ""
        return ServiceError(
            f"{self._what}: what answers there is not the object{size} ({told}); check the endpoint URL"
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Translate botocore's errors, which smart_open wraps into an OSError, into ours."""
        with doing(self._what):
            try:
                yield
            except OSError as error:
                if (refused := getattr(error, "backend_error", None)) is not None:
                    raise refused from error
                raise self.given_up(self._broken or error) from error


def _size(answer: dict[str, Any]) -> int | None:
    """The bytes of the whole object, as an answer tells them."""
    if "ContentRange" in answer:
        size = answer["ContentRange"].rpartition("/")[2]
        return int(size) if size.isdecimal() else None
    size = answer.get("ContentLength")
    return size if answer["ResponseMetadata"]["HTTPStatusCode"] == 200 else None


def _breaks_off(error: Exception) -> bool:
    """Whether an error is a connection's."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - half of a start's time
    from urllib3.exceptions import HTTPError  # noqa: PLC0415 - likewise

    return isinstance(error, OSError | BotoCoreError | HTTPError)


class _Connection:
    """One connection's part of an object: from somewhere to its end."""

    def __init__(self, body: Any, version: _Version, size: int, skip: int) -> None:
        """`size` bytes are wanted of it, those behind the first `skip`."""
        self._body = body
        self._version = version
        self._left = size
        self._skip = skip

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        try:
            while self._skip and (skipped := self._body.read(min(self._skip, SLICE))):
                self._skip -= len(skipped)
            piece: bytes = self._body.read(min(size, SLICE))
            if not piece and self._left > 0:  # as was announced, maybe: smart_open would ask again and again
                from botocore.exceptions import ConnectionClosedError  # noqa: PLC0415 - half of a start's time

                raise ConnectionClosedError(endpoint_url=self._version.place)
        except Exception as error:
            self._version.broke(error)
            raise
        if piece:
            self._left -= len(piece)
            self._version.came()
        return piece

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()
