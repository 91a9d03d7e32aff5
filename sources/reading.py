"""The one reader of objects: whoever found an object, and wherever its bytes come from, this makes items of it."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from time import monotonic
from typing import TypeAlias, cast

from awsflow.decode.compression import members
from awsflow.decode.limits import Limits
from awsflow.errors import AwsflowError, DecodeError, DecompressError, ObjectGone, ObjectReplaced, ServiceError
from awsflow.items import Barrier, Event, Failure, Found, Item, Origin, Records, RowsOrBlock, Unreadable
from awsflow.logtypes.layout import account_in
from awsflow.logtypes.recognise import by_content, by_key
from awsflow.logtypes.types import LogType
from awsflow.rows import Rows
from awsflow.state.positions import ObjectPosition

UNREADABLE = (DecompressError, DecodeError, ServiceError)
"""Errors that are one object's own; all others concern whatever comes behind it as well."""
VERSIONS = 3
"""How many versions of one object are begun in one run, if it is replaced while it is read."""
FEW = 250
"""Fewer rows have no barrier of their own, for one costs as much as five of them. Long ones have: there is one behind
each piece of content that fills no block of lines.
"""
PATIENCE = 0.5
"""Seconds after which they have one, however few they are."""

Anew: TypeAlias = Callable[[Found], tuple[Found, Generator[bytes, None, None]]]
"""An object as it is now, and its chunks."""


def origin_of(bucket: str, key: str, alias: str, log_type: LogType | None) -> Origin:
    """Where an object's records come from, and what its type says of how they are sent. None: not known yet."""
    if log_type is None:
        return Origin(bucket, key, alias)
    account = account_in(key) if log_type.account else ""
    return Origin(bucket, key, alias, account, log_type.shape, log_type.envelope)


class Reader:
    """Makes items of objects that may be of several types."""

    def __init__(
        self,
        types: Sequence[LogType],
        *,
        skip_on_error: bool,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        anew: Anew | None = None,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`anew` opens an object that was replaced; None: that is an error. `note` is told what may be of interest."""
        self._types = types
        self._named = {log_type.name: log_type for log_type in types}
        self._skip_on_error = skip_on_error
        self._limits = limits
        self._anew = anew
        self._note = note
        self._can_read = False
        """Whether an object, or some of it, has come."""

    def read_all(self, objects: Iterable[tuple[Found, Iterator[bytes]] | None]) -> Generator[Item, None, None]:
        """The records of objects as `fetched` hands them over; see `read`. None: time passed, which is a barrier."""
        for fetched in objects:
            if fetched is None:
                yield Barrier()
            else:
                found, chunks = fetched
                self._note(f"reading {found.origin}: {found.size} bytes, {found.done} records done before")
                yield from self.read(found, chunks)

    def read(self, found: Found, chunks: Iterator[bytes]) -> Generator[Item, None, None]:
        """The records of an object behind those that are done already, with a barrier behind every few of them.

        `chunks` are the object's bytes as they lie in the store. What cannot be read becomes a failure where errors
        are skipped, and is raised, with the object's place in its message, where they are not; in both cases the
        records before it are yielded first, with their barrier. What S3 refuses counts as an attempt only if others are
        read: that is for the source to say. Until one was, it is not told again if it was before.

        An object that was replaced since it was found is a new one, and read from its beginning: versions are never
        mixed. It is an error if it is replaced time and again.
        """
        with ExitStack() as opened:
            for left in range(VERSIONS - 1 if self._anew else 0, -1, -1):
                try:
                    yield from self._read(found, chunks, is_last=not left)
                    return
                except ObjectReplaced as error:
                    if self._anew is None or not left:
                        raise
                    self._note(f"{error}; it is read from its beginning, as it is now")
                found, chunks = self._anew(found)
                opened.enter_context(closing(chunks))

    def _read(self, found: Found, chunks: Iterator[bytes], *, is_last: bool) -> Generator[Item, None, None]:
        """The records of one version; ObjectReplaced if it ends before its end, unless it is the last one to try."""
        fetched = _Counted(chunks)
        due = monotonic() + PATIENCE
        number = read = 0
        kind = newest = ""
        try:
            for origin, log_type, block in self._blocks(found, fetched):
                kind = kind or log_type.name
                fresh = block
                if number < found.done:
                    fresh = block[found.done - number :]
                    number += len(block) - len(fresh)
                for events in _readable(fresh):
                    if isinstance(events, Unreadable):
                        yield self._failure(events, origin, number + 1, log_type)
                        number += 1
                        read += 1
                    elif count := len(events):
                        newest = max(newest, _newest(events, log_type.time_field))
                        yield Records(events, origin, range(number + 1, number + 1 + count))
                        number += count
                        read += count
                if block.__class__ is Rows and len(fresh) and read < FEW and monotonic() < due:
                    continue
                position = ObjectPosition(found, max(number, found.done), counts=fetched.any_came)
                yield Barrier(position, read, bytes_in=fetched.take(), newest=newest)
                read, newest = 0, ""
                due = monotonic() + PATIENCE
        except Exception as error:
            if read:
                yield Barrier(ObjectPosition(found, number), read, bytes_in=fetched.take(), newest=newest)
            if not isinstance(error, UNREADABLE):
                raise
            located(error, f"reading {found.origin}")
            if not self._skip_on_error or (isinstance(error, ObjectReplaced) and not is_last):
                raise
            self._can_read = self._can_read or fetched.any_came
            is_refused = not fetched.any_came and _refuses(error)
            if self._can_read or not (is_refused and found.failed_before):
                yield Failure(found.origin, number + 1, error)
            position = ObjectPosition(found, max(number, found.done), error=str(error), counts=not is_refused)
            yield Barrier(position, bytes_in=fetched.take())
        else:
            self._can_read = True
            yield Barrier(
                ObjectPosition(found, number, finished=True, log_type=kind),
                read,
                objects=1,
                bytes_in=fetched.take(),
                newest=newest,
                written=found.written,
            )

    def _failure(self, one: Unreadable, origin: Origin, number: int, log_type: LogType) -> Failure:
        """What is told of a record that cannot be read. DecodeError where errors are not skipped."""
        if not self._skip_on_error:
            raise DecodeError(f"reading {origin}: record {number}, {one.reason}")
        return Failure(origin, number, DecodeError(one.reason), one.content, log_type.name, one.header)

    def _blocks(self, found: Found, chunks: Iterator[bytes]) -> Iterator[tuple[Origin, LogType, RowsOrBlock]]:
        """The blocks of all files in an object, with what is known of it once it is open."""
        origin, key = found.origin, found.origin.key
        log_type = self._named.get(found.log_type)
        for member in members(chunks, key, self._limits):
            content = member
            if log_type is None:
                log_type, content = by_content(member, by_key(key, self._types))
                origin = origin_of(origin.bucket, key, origin.alias, log_type)
            for block in log_type.decode(content, key):
                yield origin, log_type, block


def _refuses(error: AwsflowError) -> bool:
    """Whether that may be S3's answer for any object: no access, or a fault of its own."""
    return isinstance(error, ServiceError) and not isinstance(error, ObjectGone | ObjectReplaced)


def _readable(block: RowsOrBlock) -> Iterator[Sequence[Event] | Unreadable]:
    """The events of a block, together as far as nothing unreadable lies between them; there may be none."""
    if isinstance(block, Rows) or Unreadable not in set(map(type, block)):
        yield cast("Sequence[Event]", block)
        return
    together: list[Event] = []
    for event in block:
        if isinstance(event, Unreadable):
            yield together
            yield event
            together = []
        else:
            together.append(event)
    yield together


def _newest(events: Sequence[Event], time_field: str) -> str:
    """The newest time that one of the events tells in this field; empty if none does."""
    newest = ""
    if not time_field:
        return newest
    if isinstance(events, Rows):
        return max(filter(None, set(events.column(time_field))), default=newest)  # many have the same
    for event in events:
        if event.__class__ is dict:
            when = event.get(time_field)
            if when.__class__ is str and when > newest:
                newest = when
    return newest


def located(error: AwsflowError, doing: str) -> None:
    """Put what was being done in front of an error's message, unless it says so already."""
    if doing not in str(error):
        error.args = (f"{doing}: {error}", *error.args[1:])


class _Counted:
    """The chunks, counting their bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._bytes = 0
        self.any_came = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        if chunk:
            self._bytes += len(chunk)
            self.any_came = True
        return chunk

    def take(self) -> int:
        """The bytes since the last call."""
        taken, self._bytes = self._bytes, 0
        return taken
