"""Where an SQS queue is: by its name, its URL or its ARN.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from awsflow.errors import ArgumentsError
from awsflow.options import queue_name

_arn = re.compile(r"arn:aws[a-z-]*:sqs:([a-z0-9-]+):([0-9]{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)").fullmatch
_path = re.compile(r"/(?:queue/)?(?:[a-z0-9-]+/)?[0-9]+/[A-Za-z0-9_-]{1,80}(?:\.fifo)?").fullmatch
_host = re.compile(
    r"(?:sqs(?:-fips)?\.([a-z0-9-]+)|([a-z0-9-]+)\.queue|queue)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)"
).fullmatch
_region_in = re.compile(r"\.sqs\.([a-z]{2}(?:-[a-z]+)+-[0-9]+)\.").search


@dataclass(frozen=True, slots=True)
class Address:
    """A queue's place; what is empty is not told."""

    name: str
    url: str = ""
    region: str = ""
    account: str = ""
    """The owner's."""
    endpoint: str = ""
    """The server, where it is none of SQS's own in that region: a VPC endpoint, or another make of queue."""

    def __str__(self) -> str:
        return self.url or (f"{self.name} of account {self.account}" if self.account else self.name)


def address_of(queue: str) -> Address:
    """The place of a queue that is given by name, URL or ARN; ArgumentsError if it is none of these.

    >>> address_of("arn:aws:sqs:eu-west-1:123456789012:logs").region
    'eu-west-1'
    """
    if found := _arn(queue):
        region, account, name = found.groups()
        return Address(name, region=region, account=account)
    if queue.startswith(("http://", "https://")):
        return _of_url(queue)
    return Address(queue_name(queue))


def _of_url(queue: str) -> Address:
    try:
        url = urlsplit(queue)
        host = url.hostname or ""
    except ValueError:
        host = ""
    if not host or url.username is not None or url.query or url.fragment or not _path(url.path):
        raise ArgumentsError("queue: a queue's URL looks like https://sqs.eu-west-1.amazonaws.com/123456789012/NAME")
    name = url.path.rpartition("/")[2]
    if own := _host(host):
        return Address(name, queue, own[1] or own[2] or ("us-east-1" if host.startswith("queue.") else ""))
    elsewhere = _region_in(f".{host}.")
    return Address(name, queue, elsewhere[1] if elsewhere else "", endpoint=f"{url.scheme}://{url.netloc}")
