"""Objects that the messages of an SQS queue name: read as soon as they are there; then the message is deleted."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

from awsflow.aws import client
from awsflow.decode.limits import Limits
from awsflow.errors import ArgumentsError, AwsflowError, ServiceError
from awsflow.items import Barrier, Failure, Found, Item, Records
from awsflow.logtypes.subscribers import types_of
from awsflow.options import BUDGET, AwsAccess
from awsflow.sources.ahead import fetched
from awsflow.sources.in_flight import InFlight, Message, MessagePosition
from awsflow.sources.listing import S3Client
from awsflow.sources.message_objects import MessageObjects
from awsflow.sources.reading import UNREADABLE, Reader
from awsflow.sources.receiving import Receiver
from awsflow.sources.s3_body import Opening
from awsflow.sources.sqs_address import address_of
from awsflow.sources.sqs_calls import LONGEST_WAIT, SqsCalls
from awsflow.sources.visibility import Keeper
from awsflow.state.positions import ObjectPosition

PATIENCE = 0.5
"""Seconds without news after which a barrier lets time pass."""


class Queue:
    """Source of the objects that an SQS queue's messages name; the queue is given by name, URL or ARN.

    `reader` says what the objects are: `buckets`, `security_lake`, `security_hub`, a log type, or `auto`. A message
    is deleted once all of its objects were delivered; until then its visibility is extended. So what it names is
    read at least once: again, if a run is killed, and once for each message that names it.

    A message that cannot be dealt with (an object is gone, refused or unreadable, or the message is of no known
    shape) does not stop the others. It is told as a Failure, once in a run, and left to the queue's redrive policy:
    its visibility runs out by itself, for if it came back at once, the receives that the policy counts would be used
    up in a moment, and an object that is only late would have no chance. When everything else is delivered, the run
    ends with the first such error. With `skip_on_error` the Failure holds the whole message, for the dead letters,
    and the message is deleted once these are safe.

    The run ends when the queue has been empty for `wait` seconds; never, with `follow`. When `stop` says so it ends
    within moments, and what was received and not delivered is given back.

    `visibility` is in seconds; None: the queue's own, if we may know it. `requests` is how many objects are fetched
    at the same time at most, `budget` how many bytes of them are held. `note` is told what may interest somebody who
    looks for a cause, `warn` what somebody should know. IAM: sqs:GetQueueUrl (not for a URL), ReceiveMessage,
    DeleteMessage, ChangeMessageVisibility; GetQueueAttributes if possible; s3:GetObject.
    """

    def __init__(
        self,
        queue: str,
        reader: str = "buckets",
        *,
        format: str = "",  # noqa: A002 - as the command line has it
        alias: str = "",
        access: AwsAccess | None = None,
        region: str | None = None,
        skip_on_error: bool = False,
        follow: bool = False,
        wait: int = LONGEST_WAIT,
        requests: int = 64,
        budget: int = BUDGET,
        visibility: int | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        note: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """`format` is for `buckets` and the type `custom`; `wait` is in seconds, 20 at most."""
        if not 0 <= wait <= LONGEST_WAIT or (visibility is not None and not 1 <= visibility <= 43_200):
            raise ArgumentsError(
                f"reading the queue {queue}: wait for 0 to {LONGEST_WAIT} seconds, not {wait}; hide messages for 1 to "
                f"43200 seconds, not {visibility}"
            )
        self.address = address_of(queue)
        self.log_types = types_of(reader, format)
        self.objects_by_type: Counter[str] = Counter()
        """How many objects of which type were delivered."""
        self._access = access or AwsAccess()
        if region is not None:
            self._access = replace(self._access, region=region)
        self._skip_on_error = skip_on_error
        self._follow = follow
        self._is_fifo = self.address.name.endswith(".fifo")
        self._wait = max(wait, 1) if follow or self._is_fifo else wait  # these ask again and again
        self._requests = requests
        self._budget = budget
        self._visibility = visibility
        self._limits = limits
        self._note = note
        self._warn = warn
        self._stop = stop
        self._s3: S3Client | None = None
        self._sqs: SqsCalls | None = None
        self._in_flight = InFlight(self._let_go)
        self._objects = MessageObjects(
            self._in_flight,
            self.log_types,
            queue=str(self.address),
            alias=alias,
            skip_on_error=skip_on_error,
            note=note,
        )
        self._ahead = 0
        """Objects that were found and whose turn has not come."""
        self._broken = False
        """Whether AWS has failed, so that it makes no sense to give messages back."""
        self._depth: int | None = None

    def items(self) -> Generator[Item, None, None]:
        """The records of the objects, in the order of the messages."""
        try:
            yield from self._items()
        except AwsflowError:
            self._broken = True
            raise
        errors = [] if self._stop() else self._in_flight.errors()
        if len(errors) > 1:
            raise type(errors[0])(f"{errors[0]}; and {len(errors) - 1} more messages")
        if errors:
            raise errors[0]

    def commit(self, positions: Sequence[ObjectPosition | MessagePosition]) -> None:
        """Delete the messages of which everything is delivered now."""
        self.objects_by_type.update(
            position.log_type for position in positions if isinstance(position, ObjectPosition) and position.finished
        )
        done = self._in_flight.reached(positions)
        if not done or self._sqs is None:
            return
        try:
            refused = self._sqs.delete([message.receipt for message in done])
        except AwsflowError:
            self._broken = True
            raise
        if refused:
            self._warn(
                f"deleting {len(refused)} messages from the queue {self.address}: they were delivered, but too late "
                f"({', '.join(set(refused.values()))}), and may be delivered again; give them a longer visibility"
            )

    def backlog(self) -> int | None:
        """About how many messages wait in the queue: asked for now or, if it is closed, last; None: nobody tells."""
        if self._sqs is not None and not self._broken and not self._stop():
            self._depth = self._sqs.depth()
        return self._depth

    def close(self) -> None:
        """Give back what was received and is not delivered; let go of connections."""
        if self._sqs is not None:
            sqs, self._sqs = self._sqs, None
            unwanted = self._receiver.stop() + self._in_flight.unfinished()
            self._keeper.close()
            if not self._broken:
                self._give_back(sqs, unwanted)
            self._receiver.at_last(sqs.close)
        if self._s3 is not None:
            self._s3.close()
            self._s3 = None

    def _open(self) -> None:
        self._s3 = client("s3", self._access, pool=self._requests + 1)
        sqs = SqsCalls(self.address, self._access, wait=self._wait, visibility=self._visibility, note=self._note)
        self._keeper = Keeper(sqs.extend, sqs.visibility, self._warn)
        self._receiver = Receiver(
            sqs.receive,
            wait=self._wait,
            follow=self._follow,
            in_groups=self._is_fifo,
            hold=self._keeper.hold,
            give_back=partial(self._give_back, sqs),
            failed_before=self._in_flight.has_failed,
        )
        self._sqs = sqs

    def _items(self) -> Generator[Item, None, None]:
        self._open()
        opening = Opening(self._s3, seconds=self._access.call_seconds, note=self._note)
        reader = Reader(
            self.log_types,
            skip_on_error=self._skip_on_error,
            limits=self._limits,
            anew=opening.anew,
            note=self._note,
        )
        with closing(
            fetched(self._found(), opening, ask=opening.ask, requests=self._requests, budget=self._budget)
        ) as objects:
            for each in objects:
                yield from self._objects.aside()
                if each is None:
                    yield Barrier()
                else:
                    yield from self._read(reader, *each)
                if self._stop():
                    return
        yield from self._objects.aside()
        self.backlog()

    def _found(self) -> Iterator[Found | None]:
        """The objects that messages name; None when there is none at the moment."""
        while not self._stop():
            received = self._receiver.next(0 if self._ahead else PATIENCE)
            if received is None:
                if self._receiver.ended:
                    return
                yield None
            elif (message := self._in_flight.begin(received)) is not None:
                found = self._objects.of(message)
                self._ahead += len(found)
                yield from found or (None,)

    def _read(self, reader: Reader, found: Found, chunks: Iterator[bytes]) -> Generator[Item, None, None]:
        """The records of an object. Its failures are its message's."""
        self._ahead -= 1
        self._note(f"reading {found.origin}, named by message {found.stream}")
        message = self._in_flight.of(found.stream)
        number = 0
        try:
            for item in _ending_at_once(reader.read(found, chunks)):
                if isinstance(item, Records):
                    number = item.numbers[-1]
                elif isinstance(item, Failure) and item.content is None:
                    yield from self._objects.failed(message, item, hopeless=False)
                    continue
                yield item
                if item.__class__ is Barrier and self._stop():
                    return
        except UNREADABLE as error:
            yield from self._objects.failed(
                message, Failure(found.origin, number + 1, error), hopeless=not isinstance(error, ServiceError)
            )
            message.left -= 1
            self._in_flight.settle(message)

    def _let_go(self, message: Message) -> None:
        self._keeper.let_go(message.receipt)
        self._receiver.release(len(message.body))

    def _give_back(self, sqs: SqsCalls, receipts: Sequence[str]) -> None:
        """Let others have messages at once. They come back by themselves, only later, if that does not work."""
        try:
            sqs.extend(receipts, 0)
        except AwsflowError as error:
            self._note(f"{error}; they come back by themselves")


def _ending_at_once(items: Iterable[Item]) -> Generator[Item, None, None]:
    """An object's items, whose last two barriers are one: a run that is stopped there has done with the object."""
    waiting: Barrier | None = None
    try:
        for item in items:
            if item.__class__ is not Barrier:
                if waiting is not None:
                    yield waiting
                    waiting = None
                yield item
            elif waiting is None or item.position.finished:
                waiting = item if waiting is None else _both(waiting, item)
            else:
                yield waiting
                waiting = item
    except UNREADABLE:
        if waiting is not None:
            yield waiting
        raise
    if waiting is not None:
        yield waiting


def _both(first: Barrier, second: Barrier) -> Barrier:
    return Barrier(
        second.position,
        read=first.read + second.read,
        objects=first.objects + second.objects,
        bytes_in=first.bytes_in + second.bytes_in,
        newest=max(first.newest, second.newest),
        written=max(first.written, second.written),
    )
