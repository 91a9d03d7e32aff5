"""From a queue's messages to the objects worth reading; and what becomes of messages that cannot be dealt with."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from awsflow.errors import DecodeError
from awsflow.items import Barrier, Failure, Found, Item, Origin
from awsflow.logtypes import AUTO, LOG_TYPES
from awsflow.logtypes.recognise import sure
from awsflow.logtypes.subscribers import SUBSCRIBERS
from awsflow.logtypes.types import LogType
from awsflow.sources.ahead import BUFFER
from awsflow.sources.in_flight import InFlight, Message, MessagePosition
from awsflow.sources.notifications import Named, Other, Wrong, parts
from awsflow.sources.reading import origin_of


class MessageObjects:
    """The objects that messages name. Items that belong to no object are told `aside`."""

    def __init__(
        self,
        in_flight: InFlight,
        types: Sequence[LogType],
        *,
        queue: str,
        alias: str,
        skip_on_error: bool,
        note: Callable[[str], None],
    ) -> None:
        """`queue` is what messages for people call the queue."""
        self._in_flight = in_flight
        self._types = types
        self._reader = types[0].name if len(types) == 1 else AUTO
        self._queue = queue
        self._alias = alias
        self._skip_on_error = skip_on_error
        self._note = note
        self._aside: deque[Item] = deque()

    def aside(self) -> Iterator[Item]:
        """The items that wait to be told."""
        while self._aside:
            yield self._aside.popleft()

    def of(self, message: Message) -> list[Found]:
        """The objects that a message names, but for those that were delivered. Without any it is done with at once."""
        origin = Origin(key=f"message {message.id} of the queue {self._queue}")
        named: list[Named] = []
        try:
            told = [] if message.is_done else parts(message.body)
        except DecodeError as unknown:
            told = [Wrong(str(unknown))]
        for part in told:
            if isinstance(part, Wrong):
                failure = Failure(origin, 0, DecodeError(f"a message of no known shape: {part.why}"))
                self._aside.extend(self.failed(message, failure, hopeless=True))
            elif isinstance(part, Other):
                self._note(f"{origin}: {part.what}, which brings no new object")
            elif is_no_log(part.key, self._types):
                self._note(f"{origin}: s3://{part.bucket}/{part.key} is no log")
            elif (part.bucket, part.key) not in message.delivered:
                named.append(part)
        message.left = len(named)
        if not named and message.error is None:
            self._aside.append(Barrier(MessagePosition(message.id)))
        elif not named:
            self._in_flight.settle(message)
        return [self._found(message, part) for part in named]

    def failed(self, message: Message, failure: Failure, *, hopeless: bool) -> Iterator[Failure]:
        """What is told of a failure: once in a run, and with what becomes of its message."""
        error = failure.error
        if self._skip_on_error:
            error.args = (f"{error}; message {message.id} is filed, and deleted from the queue", *error.args[1:])
            content = message.body.encode("utf-8", "surrogatepass")
            yield failure._replace(content=content, log_type=self._reader, is_message=True)
            return
        fate = f"message {message.id} stays in the queue {self._queue}, for its redrive policy"
        error.args = (f"{error}; {fate}", *error.args[1:])
        self._in_flight.fail(message, error, hopeless=hopeless)
        if not message.told:
            yield failure

    def _found(self, message: Message, named: Named) -> Found:
        log_type = sure(named.key, self._types)
        origin = origin_of(named.bucket, named.key, self._alias, log_type)
        name = log_type.name if log_type is not None else ""
        # in the version that is there now: the notice of one that was replaced since needs no failure
        return Found(origin, named.size or BUFFER, stream=message.id, log_type=name, written=named.written)


def is_no_log(key: str, types: Sequence[LogType]) -> bool:
    """Whether a key is no log, though it lies where logs do: a folder, a digest, a file that proves write access."""
    if key.endswith("/"):
        return True
    if types[0].name in SUBSCRIBERS:
        return False
    home = [log_type for log_type in LOG_TYPES.values() if any(layout.holds(key) for layout in log_type.layouts)]
    if ours := [log_type for log_type in types if log_type in home]:
        return not any(log_type.may_have(key) for log_type in ours)
    if home and not any(log_type.wanted for log_type in home):
        return True
    return len(types) == 1 and not types[0].may_have(key)
