"""The bytes of one S3 object, as smart_open reads them: what breaks off is opened again at the same byte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from typing import Self

from awsflow.aws import doing
from awsflow.errors import ServiceError
from awsflow.items import Found
from awsflow.sources.ahead import PIECE
from awsflow.sources.listing import S3Client


def opened(client: S3Client, found: Found) -> "S3Body":
    """Open an object, in the version that was found."""
    import smart_open.s3  # noqa: PLC0415 - not needed by a run that finds nothing new

    client_kwargs = {"S3.Client.get_object": {"IfMatch": f'"{found.etag}"'}} if found.etag else {}
    return S3Body(
        str(found.origin),
        lambda: smart_open.s3.open(
            found.origin.bucket,
            found.origin.key,
            "rb",
            buffer_size=PIECE,
            client=client,
            client_kwargs=client_kwargs,
        ),
    )


class S3Body:
    """An open object. Its errors are ours."""

    def __init__(self, where: str, open_file: Callable[[], BufferedIOBase]) -> None:
        self._where = where
        with _reading(where):
            self._file = open_file()

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        with _reading(self._where):
            return self._file.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()


@contextmanager
def _reading(where: str) -> Iterator[None]:
    """Translate botocore's errors, which smart_open wraps into an OSError, into ours."""
    with doing(f"reading {where}"):
        try:
            yield
        except OSError as error:
            if (refused := getattr(error, "backend_error", None)) is not None:
                raise refused from error
            raise ServiceError(
                f"reading {where}: the connection broke off, again after five retries ({error}); try later"
            ) from error
