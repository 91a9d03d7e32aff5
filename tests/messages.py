"""What arrives in a queue: notifications in all the shapes that AWS gives them."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote_plus


def s3_record(bucket: str, key: str, event: str = "ObjectCreated:Put", size: int = 1) -> dict[str, Any]:
    """One record of an event notification; the key is encoded, as S3 does it."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-20T00:00:00.000Z",
        "eventName": event,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "logs",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "A"}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/"), "size": size, "eTag": "0123", "sequencer": "0055AED6"},
        },
    }


def by_s3(bucket: str, *keys: str) -> str:
    """S3's own notification, with a record for each object."""
    return json.dumps({"Records": [s3_record(bucket, key) for key in keys]})


def by_eventbridge(bucket: str, key: str, what: str | None = "Object Created") -> str:
    """EventBridge's; None: without a type, as Security Lake's may be."""
    event = {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "source": "aws.s3",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "0123", "sequencer": "617f08299329d189"},
            "requester": "123456789012",
            "reason": "PutObject",
        },
    }
    return json.dumps(event if what is None else {**event, "detail-type": what})


def by_cloudtrail(bucket: str, keys: Iterable[str]) -> str:
    """CloudTrail's own notice."""
    return json.dumps({"s3Bucket": bucket, "s3ObjectKey": list(keys)})


def wrapped_by_sns(message: str) -> str:
    """A message as a queue gets it that is subscribed to a topic without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:logs",
            "Subject": "Amazon S3 Notification",
            "Message": message,
            "Timestamp": "2026-11-20T00:00:00.000Z",
            "SignatureVersion": "1",
        }
    )


TEST_EVENT = json.dumps(
    {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-20T00:00:00.000Z", "Bucket": "logs"}
)
