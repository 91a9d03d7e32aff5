"""VPC flow logs: who talked to whom, in the default format, any custom one, or Parquet.

Format: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
Keys: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from collections.abc import Iterator

from awsflow.decode.parquet import is_parquet
from awsflow.envelope import text
from awsflow.items import RowsOrBlock
from awsflow.logtypes.flow_log_fields import VPC, source_of
from awsflow.logtypes.flow_logs import flow_logs
from awsflow.logtypes.hive import HiveLogs
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.types import LogType

WRITER = r"_(fl-[0-9a-f]+)_"
"""What tells flow logs apart that write into one folder."""
LAYOUTS = (AwsLogs("vpcflowlogs", writer=WRITER), HiveLogs("vpcflowlogs", writer=WRITER))


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """All flows in the folder: those of a transit gateway, whose files lie there too, have its source."""
    return flow_logs(chunks)


def looks_like(head: bytes) -> bool:
    """Whether a header or the first line is a VPC's. What is in a Parquet file is told at its end: taken on trust."""
    return is_parquet(head) or source_of(head) == VPC


VPCFLOW = LogType(
    name="vpcflow",
    what="traffic in VPCs: who talked to whom, how much, accepted or rejected",
    format="https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",
    layouts=LAYOUTS,
    decode=decode,
    shape=text,
    account=True,
    time_field="end",
    looks_like=looks_like,
)
