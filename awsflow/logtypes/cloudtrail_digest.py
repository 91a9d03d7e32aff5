"""CloudTrail digests: hashes and signatures that prove log files whole; one JSON object a document, one event each.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
Keys: the same page
"""

from collections.abc import Iterator

from awsflow.decode.json_objects import json_objects
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The document, with its source."""
    return sourced(json_objects(chunks), "cloudtrail_digest")


def looks_like(head: bytes) -> bool:
    """Whether a document is about a time that a digest covers."""
    return {"awsAccountId", "digestStartTime", "digestEndTime"} <= opening(head).keys()


CLOUDTRAIL_DIGEST = LogType(
    name="cloudtrail_digest",
    what="CloudTrail digests: proofs that log files are whole",
    format="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html",
    layouts=(AwsLogs("CloudTrail-Digest"),),
    decode=decode,
    account=True,
    time_field="digestEndTime",
    names=r"\.json(\.[a-z0-9]+)?$",
    looks_like=looks_like,
    wanted=False,
)
