"""The messages of a queue that are being worked on: when each is done with, and which of them have failed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from awsflow.errors import AwsflowError
from awsflow.sources.sqs_calls import Received
from awsflow.state.positions import ObjectPosition

_Kept = TypeVar("_Kept")

REMEMBERED = 10_000
"""Messages that are remembered when they are done with: that many that were delivered, and that many that failed."""


@dataclass(frozen=True, slots=True)
class MessagePosition:
    """Everything was done that a message without objects asks for."""

    id: str


@dataclass(slots=True)
class Message:
    """A message, from the moment when it is taken up."""

    id: str
    receipt: str
    """The latest one, if it was received several times."""
    body: str
    left: int = 0
    """Objects that are neither delivered nor failed."""
    delivered: set[tuple[str, str]] = field(default_factory=set)
    """Buckets and keys."""
    error: AwsflowError | None = None
    """Why it stays in the queue: what failed first."""
    hopeless: bool = False
    """Whether something failed that fails again, however often it is tried: content does, access may not."""
    told: bool = False
    """Whether its failures were told, when it was received before."""
    is_done: bool = False
    """Whether all of it was delivered, when it was received before: it came again before it was deleted."""


class InFlight:
    """Who counts what is left of each message. `let_go` is called with each that is done with, however it ended."""

    def __init__(self, let_go: Callable[[Message], None]) -> None:
        self._let_go = let_go
        self._working: dict[str, Message] = {}
        self._failed: dict[str, Message] = {}
        self._done: dict[str, None] = {}

    def begin(self, received: Received) -> Message | None:
        """Take a message up; None if it is in flight already, or has failed for good in this run.

        One whose objects could not be had is tried again when it comes back, without those that were delivered.
        """
        if (working := self._working.get(received.id)) is not None:
            self._let_go(Message(received.id, working.receipt, received.body))
            working.receipt = received.receipt
            return None
        before = self._failed.get(received.id)
        message = Message(received.id, received.receipt, received.body, is_done=received.id in self._done)
        if before is not None:
            if before.hopeless:
                self._let_go(message)
                return None
            del self._failed[received.id]
            message.delivered, message.told = before.delivered, True
        self._working[received.id] = message
        return message

    def of(self, id: str) -> Message:  # noqa: A002 - it is what SQS calls it
        """The message of this id, which is in flight."""
        return self._working[id]

    def has_failed(self, id: str) -> bool:  # noqa: A002 - likewise
        """Whether this run has failed with this message, and is not trying again."""
        return id in self._failed

    def fail(self, message: Message, error: AwsflowError, *, hopeless: bool) -> None:
        """Note what keeps a message in the queue."""
        message.error = message.error or error
        message.hopeless = message.hopeless or hopeless

    def reached(self, positions: Iterable[ObjectPosition | MessagePosition]) -> list[Message]:
        """Count what was delivered; return the messages of which all was, and let go of them."""
        done = []
        for position in positions:
            if isinstance(position, ObjectPosition):
                if not position.finished and not position.error:
                    continue
                message = self._working[position.found.stream]
                message.delivered.add((position.found.origin.bucket, position.found.origin.key))
                message.left -= 1
            else:
                message = self._working[position.id]
            if self.settle(message) and message.error is None:
                done.append(message)
        return done

    def settle(self, message: Message) -> bool:
        """Let go of a message if nothing of it is left; tell whether that is so."""
        if message.left:
            return False
        del self._working[message.id]
        self._let_go(message)
        if message.error is not None:
            message.body = ""
            _remember(self._failed, message.id, message)
        else:
            _remember(self._done, message.id, None)
        return True

    def errors(self) -> list[AwsflowError]:
        """What keeps messages in the queue: the first error of each."""
        every = (*self._failed.values(), *self._working.values())
        return [message.error for message in every if message.error is not None]

    def unfinished(self) -> list[str]:
        """The receipts of the messages that were taken up, have not failed, and are not done with."""
        return [message.receipt for message in self._working.values() if message.error is None]


def _remember(some: dict[str, _Kept], id_: str, what: _Kept) -> None:
    """Put it there, at the cost of the oldest one if there are too many."""
    some[id_] = what
    if len(some) > REMEMBERED:
        del some[next(iter(some))]
