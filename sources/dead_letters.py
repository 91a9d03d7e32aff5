"""Dead letters sent again: events as they are, lines decoded anew, messages by the objects that they name."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from awsflow.aws import client
from awsflow.decode.limits import Limits
from awsflow.errors import ArgumentsError, AwsflowError, DecodeError, UnknownType
from awsflow.items import Barrier, Event, Failure, Found, Item, Origin, Record, Unreadable
from awsflow.letters import Letter
from awsflow.logtypes.recognise import by_content, by_key, sure
from awsflow.logtypes.subscribers import types_of
from awsflow.logtypes.types import LogType
from awsflow.options import AwsAccess
from awsflow.sources.ahead import BUFFER, fetched
from awsflow.sources.letter_files import LetterFiles, Place
from awsflow.sources.listing import S3Client
from awsflow.sources.message_objects import is_no_log
from awsflow.sources.notifications import Named, Wrong, parts
from awsflow.sources.reading import Reader, origin_of
from awsflow.sources.s3_body import Opening


@dataclass(frozen=True, slots=True)
class _Delivered:
    """All that a letter holds lies before this."""

    place: Place
    origin: Origin | None = None
    """The letter's own, if it is an event or a line."""


class DeadLetterFiles:
    """Source of what lies in a dead-letter file, and in those that were rotated before it: the oldest first.

    What was delivered is taken out; what fails again, or does not fit again (see `stays`), stays. A run that is killed
    repeats one batch at most. Each letter says of what type it is, and its account's alias; `log_type`, `format` and
    `alias` overrule that. With `keep` the files are left as they are.

    `note` is told what may interest somebody who looks for a cause, `warn` what somebody should know.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        log_type: str = "",
        format: str = "",  # noqa: A002 - as the command line has it
        alias: str = "",
        keep: bool = False,
        access: AwsAccess | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        note: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        if log_type:
            types_of(log_type, format)  # raises, if there are none
        self._files = LetterFiles(Path(path), keep=keep)
        self._log_type = log_type
        self._format = format
        self._alias = alias
        self._access = access or AwsAccess()
        self._limits = limits
        self._note = note
        self._warn = warn
        self._client: S3Client | None = None
        self._opening: Opening | None = None
        self._under_way: dict[int, Origin] = {}
        """The origins of letters that are not committed, each its letter's own, by their identity."""
        self._staying: set[int] = set()

    def items(self) -> Generator[Item, None, None]:
        """What the letters hold. A letter that fails again is a Failure without content: it lies there already."""
        for place, line in self._files.lines():
            try:
                if line is None:
                    raise DecodeError(f"a line of more than {place.length} bytes")
                letter = self._overruled(Letter.of(line))
            except (ValueError, DecodeError) as error:
                origin = Origin(key=self._files.name(place))
                yield Failure(origin, 0, DecodeError(f"no dead letter: {error}; it stays there"))
                yield Barrier()
                continue
            if letter.kind == "message":
                yield from self._of_message(letter, place)
            else:
                yield from self._of_one(letter, place)

    def stays(self, record: Record) -> bool:
        """Leave the letter of this record where it is; False, if the record has none of its own."""
        if id(record.origin) not in self._under_way:
            return False
        self._staying.add(id(record.origin))
        return True

    def commit(self, positions: Sequence[_Delivered]) -> None:
        """Take out the letters that were delivered."""
        done = [position for position in positions if id(position.origin) not in self._staying]
        self._files.take_out(position.place for position in done)
        for position in positions:
            self._under_way.pop(id(position.origin), None)
            self._staying.discard(id(position.origin))

    def close(self) -> None:
        """Let go of the files and of connections."""
        self._files.close(self._warn)
        if self._client is not None:
            self._client.close()
            self._client = self._opening = None

    def _overruled(self, letter: Letter) -> Letter:
        if self._log_type:
            letter = replace(letter, log_type=self._log_type, format=self._format)
        elif self._format:
            letter = replace(letter, format=self._format)
        return replace(letter, alias=self._alias or letter.alias)

    def _of_one(self, letter: Letter, place: Place) -> Iterator[Item]:
        """The events of a letter that is one, or becomes some."""
        origin = letter.origin
        events: list[Event] = [letter.content]
        try:
            if letter.kind == "line":
                origin, events = _decoded(letter)
        except AwsflowError as error:
            yield Failure(letter.origin, letter.record, _located(error, f"decoding {self._files.name(place)}"))
            yield Barrier()
            return
        self._under_way[id(origin)] = origin
        for event in events:
            yield Record(event, origin, letter.record)
        yield Barrier(_Delivered(place, origin), read=len(events))

    def _of_message(self, letter: Letter, place: Place) -> Iterator[Item]:
        """The records of the object that could not be read, or of all that a message names."""
        failed = False
        try:
            types = _types_of(letter)
            for found in self._named(letter, types):
                for item in self._read(found, types):
                    if isinstance(item, Barrier):
                        yield item._replace(position=None)
                    else:
                        failed = failed or (isinstance(item, Failure) and item.content is None)
                        yield item
        except DecodeError as error:
            yield Failure(letter.origin, letter.record, _located(error, f"reading {self._files.name(place)}"))
            failed = True
        yield Barrier() if failed else Barrier(_Delivered(place))

    def _named(self, letter: Letter, types: Sequence[LogType]) -> Iterator[Found]:
        told = [Named(letter.bucket, letter.key)] if letter.bucket else parts(letter.content.decode("utf-8", "replace"))
        for part in told:
            if isinstance(part, Wrong):
                raise DecodeError(f"a message of no known shape: {part.why}")
            if isinstance(part, Named) and not is_no_log(part.key, types):
                log_type = sure(part.key, types)
                origin = origin_of(part.bucket, part.key, letter.alias, log_type)
                yield Found(origin, part.size or BUFFER, log_type=log_type.name if log_type else "")

    def _read(self, found: Found, types: Sequence[LogType]) -> Iterator[Item]:
        if self._client is None or self._opening is None:
            self._client = client("s3", self._access)
            self._opening = Opening(self._client, seconds=self._access.call_seconds, note=self._note)
        reader = Reader(types, skip_on_error=True, limits=self._limits, anew=self._opening.anew, note=self._note)
        with closing(fetched(iter([found]), self._opening, requests=1)) as objects:
            yield from reader.read_all(objects)


def _types_of(letter: Letter) -> tuple[LogType, ...]:
    if not letter.log_type:
        raise DecodeError("the letter does not say of what type it is; give it with --type")
    try:
        return types_of(letter.log_type, letter.format)
    except (UnknownType, ArgumentsError) as error:
        raise DecodeError(str(error)) from error


def _decoded(letter: Letter) -> tuple[Origin, list[Event]]:
    """The events of a line, and their origin, which is nobody else's. An error of ours if they cannot be read."""
    types = _types_of(letter)
    content = b"\n".join(filter(None, [letter.header, letter.content]))
    chunks = iter([content])
    log_type = sure(letter.key, types)
    if log_type is None:
        log_type, chunks = by_content(chunks, by_key(letter.key, types))
    events: list[Event] = []
    for block in log_type.decode(chunks, letter.key):
        for event in block:
            if isinstance(event, Unreadable):
                raise DecodeError(event.reason)
            events.append(event)
    if not events:
        raise DecodeError("no event comes of it; is it of another --type?")
    return origin_of(letter.bucket, letter.key, letter.alias, log_type), events


def _located(error: AwsflowError, doing: str) -> AwsflowError:
    error.args = (f"{doing}: {error}; it stays there", *error.args[1:])
    return error
