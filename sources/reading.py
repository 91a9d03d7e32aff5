"""The one reader of objects: whoever found an object, and wherever its bytes come from, this makes items of it."""

from collections.abc import Callable, Generator, Iterable, Iterator

from awsflow.decode.compression import members
from awsflow.errors import AwsflowError, DecodeError, DecompressError, ServiceError
from awsflow.items import Barrier, Failure, Found, Item, Record, Unreadable
from awsflow.logtypes.types import LogType
from awsflow.state.positions import ObjectPosition

UNREADABLE = (DecompressError, DecodeError, ServiceError)
"""Errors that are one object's own; all others concern whatever comes behind it as well."""


def read_all(
    objects: Iterable[tuple[Found, Iterator[bytes]] | None],
    log_type: LogType,
    *,
    skip_on_error: bool,
    note: Callable[[str], None] = lambda text: None,
) -> Generator[Item, None, None]:
    """The records of objects as `fetched` hands them over; see `read`. None, when time passes, becomes a barrier."""
    for fetched in objects:
        if fetched is None:
            yield Barrier()
        else:
            found, chunks = fetched
            note(f"reading {found.origin}: {found.size} bytes, {found.done} records done before")
            yield from read(found, chunks, log_type, skip_on_error=skip_on_error)


def read(
    found: Found,
    chunks: Iterator[bytes],
    log_type: LogType,
    *,
    skip_on_error: bool,
) -> Generator[Item, None, None]:
    """The records of an object behind those that are done already, with a barrier behind each block of them.

    `chunks` are the object's bytes as they lie in the store. What cannot be read becomes a failure where
    `skip_on_error` is set, and is raised, with the object's place in its message, where it is not; in both cases the
    records before it are yielded first, with their barrier.
    """
    fetched = _Counted(chunks)
    number = 0
    try:
        for member in members(fetched, found.origin.key):
            for block in log_type.decode(member, found.origin.key):
                fresh = block[max(found.done - number, 0) :]
                number += len(block) - len(fresh)
                newest = ""
                for event in fresh:
                    number += 1
                    if event.__class__ is Unreadable:
                        yield Failure(found.origin, number, DecodeError(event.reason), event.content)
                        continue
                    if log_type.time_field and event.__class__ is dict:
                        when = event.get(log_type.time_field)
                        if when.__class__ is str and when > newest:
                            newest = when
                    yield Record(event, found.origin, number)
                yield Barrier(
                    ObjectPosition(found, number),
                    read=len(fresh),
                    bytes_in=fetched.take(),
                    newest=newest,
                )
    except UNREADABLE as error:
        located(error, f"reading {found.origin}")
        if not skip_on_error:
            raise
        yield Failure(found.origin, number + 1, error)
        yield Barrier(ObjectPosition(found, number, error=str(error)), bytes_in=fetched.take())
    else:
        yield Barrier(
            ObjectPosition(found, number, finished=True), objects=1, bytes_in=fetched.take()
        )


def located(error: AwsflowError, doing: str) -> None:
    """Put what was being done in front of an error's message, unless it says so already."""
    if doing not in str(error):
        error.args = (f"{doing}: {error}", *error.args[1:])


class _Counted:
    """The chunks, counting their bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self._bytes += len(chunk)
        return chunk

    def take(self) -> int:
        """The bytes since the last call."""
        taken, self._bytes = self._bytes, 0
        return taken
