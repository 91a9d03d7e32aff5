"""A queue: whether it is there, its limits, and what we may do with its messages, of which none is touched."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from awsflow.aws import doing
from awsflow.cli.checkup.asking import Asking
from awsflow.cli.checkup.contents import library_for_parquet
from awsflow.cli.checkup.results import Result, code_of, failed, is_denial, untried
from awsflow.cli.summary import lasting
from awsflow.errors import NoQueue, QueueFailed, ServiceError
from awsflow.options import QueueOptions
from awsflow.permissions import Where, needed
from awsflow.sources.sqs_address import address_of

ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "RedrivePolicy",
    "KmsMasterKeyId",
    "Policy",
)
SHORT = 30
"""Seconds of a visibility timeout that are few for what is extended every third of it."""
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_bucket_arn = re.compile(r"arn:aws[a-z-]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])").fullmatch


def of_queue(options: QueueOptions, asking: Asking, where: Where) -> Iterator[Result]:
    """What works of a queue. Its messages are not received: that would hide them, and count as a delivery."""
    address = address_of(options.queue)
    access = asking.access
    sqs = asking.client(
        "sqs",
        address.region or access.region,
        replace(access, service_endpoint=access.service_endpoint or address.endpoint or None),
    )
    region = sqs.meta.region_name
    statements = needed(options, Where(where.partition, where.account, (region,)))
    url = address.url
    if not url:
        asked = {"QueueName": address.name} | ({"QueueOwnerAWSAccountId": address.account} if address.account else {})
        try:
            url = _asked(f"looking for the queue {address}", region, sqs.get_queue_url, **asked)["QueueUrl"]
        except (NoQueue, QueueFailed) as error:
            yield failed("queue" if isinstance(error, NoQueue) else "sqs:GetQueueUrl", error, statements)
            return
        yield Result("sqs:GetQueueUrl", "ok", url)
    attributes: Mapping[str, str] = {}
    try:
        what = f"asking for the attributes of the queue {address}"
        told = _asked(what, region, sqs.get_queue_attributes, QueueUrl=url, AttributeNames=list(ATTRIBUTES))
        attributes = told.get("Attributes") or {}
        yield Result("sqs:GetQueueAttributes", "ok", f"{address.name} in {region}")
        yield from _limits(attributes)
    except NoQueue as error:
        yield failed("queue", error)
        return
    except QueueFailed as error:
        if not is_denial(error):
            yield failed("queue", error)
            return
        refusal = failed("sqs:GetQueueAttributes", error, statements)
        told_why = f"{error}; it works without, but a queue's visibility timeout and backlog stay unknown"
        yield Result("sqs:GetQueueAttributes", "look", told_why, refusal.allow)
    # Each of these is refused to everybody, for there is no such message and no such number of them; whoever may not
    # even ask is told so.
    harmless: tuple[tuple[str, Callable[..., Any], Mapping[str, Any]], ...] = (
        ("sqs:ReceiveMessage", sqs.receive_message, {"MaxNumberOfMessages": 0, "VisibilityTimeout": 0}),
        ("sqs:DeleteMessage", sqs.delete_message, {"ReceiptHandle": "awsflow-check"}),
        (
            "sqs:ChangeMessageVisibility",
            sqs.change_message_visibility,
            {"ReceiptHandle": "awsflow-check", "VisibilityTimeout": 0},
        ),
    )
    for action, call, request in harmless:
        try:
            _asked(f"trying {action} on the queue {address}", region, call, QueueUrl=url, **request)
        except (NoQueue, QueueFailed) as error:
            if is_denial(error) or isinstance(error, NoQueue):
                yield failed(action, error, statements)
                continue
        yield untried(action, "not refused; to be sure, a message would have to be touched")
    if options.reader.lower() == "security_lake":
        yield library_for_parquet()
    buckets = buckets_in(attributes.get("Policy", ""))
    told_buckets = f"; the queue's policy names {', '.join(buckets)}" if buckets else ""
    yield untried(
        "s3:GetObject",
        f"not tried: it is the messages that name the objects{told_buckets}; it needs the statement",
        needed(options, where, buckets),
    )


def buckets_in(policy: str) -> list[str]:
    """The buckets that a queue's own policy lets send to it."""
    try:
        statements = json.loads(policy)["Statement"] if policy else []
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    found: dict[str, None] = {}
    for statement in statements if isinstance(statements, list) else [statements]:
        condition = statement.get("Condition") if isinstance(statement, dict) else None
        for values in condition.values() if isinstance(condition, dict) else ():
            for value in values.values() if isinstance(values, dict) else ():
                for arn in value if isinstance(value, list) else [value]:
                    if isinstance(arn, str) and (bucket := _bucket_arn(arn)):
                        found[bucket[1]] = None
    return list(found)


def _asked(what: str, region: str, call: Callable[..., Any], **request: Any) -> Mapping[str, Any]:
    """The answer; NoQueue or QueueFailed if there is none."""
    try:
        with doing(what):
            answer: Mapping[str, Any] = call(**request)
    except ServiceError as error:
        if code_of(error) in _NO_QUEUE:
            raise NoQueue(
                f"{what}: there is no such queue; check its name, the region {region} and the account"
            ) from error
        raise QueueFailed(str(error)) from error
    return answer


def _limits(attributes: Mapping[str, str]) -> Iterator[Result]:
    """What the queue tells of itself."""
    numbers = {name: int(text) for name, text in attributes.items() if str(text).isascii() and str(text).isdigit()}
    waiting, in_flight = numbers.get(ATTRIBUTES[0], 0), numbers.get(ATTRIBUTES[1], 0)
    visibility, retention = numbers.get("VisibilityTimeout", 0), numbers.get("MessageRetentionPeriod", 0)
    told = (
        f"{waiting:,} messages wait, {in_flight:,} are being worked on; visibility timeout {visibility} s, "
        f"kept for {lasting(retention)}"
    )
    if attributes.get("KmsMasterKeyId"):
        told += f"; encrypted with {attributes['KmsMasterKeyId']}: kms:Decrypt on it is needed, too"
    if 0 < visibility < SHORT:
        yield Result(
            "limits", "look", f"{told}; a timeout of {SHORT} s or more makes it less likely that messages come twice"
        )
    else:
        yield Result("limits", "ok", told)
    if not attributes.get("RedrivePolicy"):
        yield Result(
            "redrive policy",
            "look",
            "there is none: a message that cannot be dealt with comes again until it is too old; give the queue a "
            "dead-letter queue, or use skip-on-error",
        )
