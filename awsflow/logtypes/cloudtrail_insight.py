"""CloudTrail Insights: API calls or errors that are more, or fewer, than usual; `{"Records": [EVENT, ...]}`.

Format: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html
Keys: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html

They have a source of their own: what they tell of is a number of calls, not a call.
"""

from collections.abc import Iterator

from awsflow.decode.json_documents import array_in_document
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events of `Records`, each with its source."""
    return sourced(array_in_document(chunks, "Records"), "cloudtrail_insight")


def looks_like(head: bytes) -> bool:
    """Whether the first record is an Insights event."""
    record = opening(opening(head).get("Records", b""))
    return record.get("eventType") == b'"AwsCloudTrailInsight"'


CLOUDTRAIL_INSIGHT = LogType(
    name="cloudtrail_insight",
    what="CloudTrail Insights: unusual rates of API calls and errors",
    format="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-insights-fields-trails.html",
    layouts=(AwsLogs("CloudTrail-Insight"),),
    decode=decode,
    account=True,
    time_field="eventTime",
    names=r"\.json(\.[a-z0-9]+)?$",
    looks_like=looks_like,
)
