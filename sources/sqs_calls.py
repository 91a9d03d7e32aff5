"""The calls to one SQS queue, in batches of ten, with errors that name the queue.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from more_itertools import chunked

from awsflow.aws import client, doing
from awsflow.errors import AwsflowError, NoQueue, QueueFailed, ServiceError
from awsflow.options import AwsAccess
from awsflow.sources.sqs_address import Address

AT_ONCE = 10
"""Messages of one call."""
LONGEST_WAIT = 20
"""Seconds that a call may wait for messages."""
VISIBILITY = 120
"""Seconds for which a received message is hidden from others, where the queue does not tell its own timeout."""
_TRIES = 3
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_ABOUT_ONE = ("ReceiptHandleIsInvalid", "InvalidParameterValue")
"""Why a message is not deleted that somebody else has received by now."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came."""

    id: str
    receipt: str
    body: str


class SqsCalls:
    """One queue. Several threads may use it. NoQueue if it is not there, QueueFailed if SQS refuses a call."""

    def __init__(
        self, address: Address, access: AwsAccess, *, wait: int, visibility: int | None, note: Callable[[str], None]
    ) -> None:
        """`wait` and `visibility` are in seconds; None: the queue's own timeout, if we may know it."""
        self._address = address
        self._wait = wait
        self._note = note
        self._may_ask = True
        self._client = client(
            "sqs",
            replace(
                access,
                service_endpoint=access.service_endpoint or address.endpoint or None,
                read_seconds=max(access.read_seconds, wait + 10.0),
            ),
            address.region or access.region,
            pool=4,
        )
        self._url = address.url or self._found()
        self._told = visibility
        if visibility is None:
            own = self._own_visibility()
            self._told = None if own else VISIBILITY
            visibility = own or VISIBILITY
        self.visibility = visibility
        """Seconds for which a received message is hidden from others."""

    def receive(self) -> list[Received]:
        """Up to ten messages; waits for the first one, and returns none if nothing has come in that time."""
        asked: dict[str, Any] = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": AT_ONCE,
            "WaitTimeSeconds": self._wait,
        }
        if self._told is not None:
            asked["VisibilityTimeout"] = self._told
        with self._asking("receiving from"):
            answer = self._client.receive_message(**asked)
        return [
            Received(each["MessageId"], each["ReceiptHandle"], each["Body"]) for each in answer.get("Messages") or ()
        ]

    def delete(self, receipts: Sequence[str]) -> Mapping[str, str]:
        """Delete messages; return those that somebody else has received by now, with SQS's reason."""
        left: list[str] = list(receipts)
        gone: dict[str, str] = {}
        for _ in range(_TRIES):
            refused = self._in_batches("deleting from", self._client.delete_message_batch, left)
            gone |= {receipt: why for receipt, why in refused.items() if why in _ABOUT_ONE}
            left = [receipt for receipt in refused if receipt not in gone]
            if not left:
                return gone
        raise QueueFailed(
            f"deleting from the queue {self._address}: {refused[left[0]]}, for {len(left)} messages, three times; "
            "they were delivered and will come again; allow sqs:DeleteMessage, or try later"
        )

    def extend(self, receipts: Sequence[str], seconds: int | None = None) -> Mapping[str, str]:
        """Hide messages from others for so long from now on; return those for which that failed, with the reason."""
        timeout = self.visibility if seconds is None else seconds
        return self._in_batches(
            "extending the visibility of messages of",
            self._client.change_message_visibility_batch,
            receipts,
            VisibilityTimeout=timeout,
        )

    def depth(self) -> int | None:
        """About how many messages wait for somebody to receive them; None if that is not told to us."""
        if not self._may_ask:
            return None
        try:
            waiting = self._attributes("the depth", "ApproximateNumberOfMessages").get("ApproximateNumberOfMessages")
        except AwsflowError as error:
            self._may_ask = False
            self._note(f"{error}; how many messages wait stays unknown")
            return None
        return None if waiting is None else int(waiting)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _found(self) -> str:
        """The URL of the queue of this name."""
        asked = {"QueueName": self._address.name}
        if self._address.account:
            asked["QueueOwnerAWSAccountId"] = self._address.account
        with self._asking("looking for"):
            url: str = self._client.get_queue_url(**asked)["QueueUrl"]
        return url

    def _attributes(self, what: str, *names: str) -> Mapping[str, str]:
        with self._asking(f"asking for {what} of"):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)
        return answer.get("Attributes") or {}

    def _own_visibility(self) -> int:
        """The queue's own timeout; 0 if it is not told to us."""
        try:
            told = str(self._attributes("the visibility timeout", "VisibilityTimeout").get("VisibilityTimeout"))
            return int(told) if told.isascii() and told.isdigit() and len(told) < 6 else 0
        except QueueFailed as error:
            self._note(f"{error}; {VISIBILITY} seconds are asked for with each message instead")
            return 0

    def _in_batches(self, what: str, call: Callable[..., Any], receipts: Sequence[str], **more: Any) -> dict[str, str]:
        """Call for ten messages at a time; return those that were refused, with SQS's code."""
        refused: dict[str, str] = {}
        for some in chunked(receipts, AT_ONCE):
            entries = [{"Id": str(at), "ReceiptHandle": receipt, **more} for at, receipt in enumerate(some)]
            with self._asking(what):
                answer = call(QueueUrl=self._url, Entries=entries)
            for failed in answer.get("Failed") or ():
                refused[some[int(failed["Id"])]] = failed.get("Code") or "no reason told"
        return refused

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Translate botocore's errors into ours."""
        doing_what = f"{what} the queue {self._address}"
        try:
            with doing(doing_what):
                try:
                    yield
                except Exception as error:
                    code = (getattr(error, "response", None) or {}).get("Error", {}).get("Code")
                    if code in _NO_QUEUE:
                        raise NoQueue(
                            f"{doing_what}: there is no such queue; check its name, the region "
                            f"{self._client.meta.region_name} and the account"
                        ) from None
                    raise
        except ServiceError as error:
            raise QueueFailed(str(error)) from error
