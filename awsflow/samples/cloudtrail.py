"""CloudTrail samples: files as CloudTrail delivers them, of made-up accounts.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, BinaryIO

from awsflow.samples.account import Account
from awsflow.samples.cloudtrail_calls import CALLS
from awsflow.samples.cloudtrail_sessions import Session, session
from awsflow.samples.writing import gzipped_array

ACCOUNT = "123456789012"
REGION = "us-east-1"
SESSIONS = 40
"""How many are at work in one file."""
FILE = timedelta(minutes=5)
"""What one file covers."""
_NAME = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the events of five minutes, as mixed as a real account's; the same for the same arguments.

    About 1.6 KB each as compact JSON, in rough order of time, as in CloudTrail's own files.
    """
    made_up = Account(seed, account, region)
    sessions = [session(made_up, start) for _ in range(SESSIONS)]
    calls, often = list(CALLS), list(accumulate(CALLS.values()))
    for number in range(count):
        call = made_up.random.choices(calls, cum_weights=often)[0]
        seconds = FILE.total_seconds() * (number + made_up.random.random()) / count - made_up.random.random() * 9
        yield _event(made_up, made_up.one(sessions), call(made_up), start + timedelta(seconds=max(0.0, seconds)))


def write(out: BinaryIO, events: Iterable[dict[str, Any]], level: int = 6) -> None:
    """Write a gzipped file of these events, however many; `level` is gzip's, 1 to 9."""
    gzipped_array(out, "Records", events, level)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as CloudTrail does; `number` tells apart the files of one minute."""
    at = when.astimezone(UTC)
    name = random.Random(f"{account}/{region}/{at}/{number}")  # noqa: S311 - a file name, not a secret
    unique = "".join(name.choices(_NAME, k=16))
    return (
        f"AWSLogs/{account}/CloudTrail/{region}/{at:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )


def _event(a: Account, caller: Session, call: dict[str, Any], when: datetime) -> dict[str, Any]:
    """Compose a whole event, in CloudTrail's order of fields, around what is particular to the call."""
    source, host = call["source"], call.get("host")
    category = call.get("eventCategory", "Management")
    event = {
        "eventVersion": "1.09",
        "userIdentity": call["userIdentity"] if "userIdentity" in call else caller.identity(a),
        "eventTime": f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": call["name"],
        "awsRegion": a.region,
        "sourceIPAddress": call.get("sourceIPAddress", caller.address),
        "userAgent": call.get("userAgent", caller.agent),
    }
    event |= {name: call[name] for name in ("errorCode", "errorMessage") if name in call}
    event["requestParameters"] = call["requestParameters"]
    event["responseElements"] = call.get("responseElements")
    if "additionalEventData" in call:
        event["additionalEventData"] = call["additionalEventData"]
    event["requestID"] = a.upper(16) if source == "s3" else a.uuid()
    event["eventID"] = a.uuid()
    event["readOnly"] = call.get("readOnly", True)
    if "resources" in call:
        event["resources"] = call["resources"]
    event["eventType"] = call.get("eventType", "AwsApiCall")
    event["managementEvent"] = category == "Management"
    event["recipientAccountId"] = a.number
    event |= {name: call[name] for name in ("sharedEventID", "serviceEventDetails", "vpcEndpointId") if name in call}
    event["eventCategory"] = category
    if host or ("userIdentity" not in call and a.chance(0.8)):
        event["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": host or f"{source}.{a.region}.amazonaws.com",
        }
    return event
