"""Transit gateway flow logs: like those of VPCs, in the same folders and under the same names; only a header tells.

Format: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html#flow-log-records
Keys: https://docs.aws.amazon.com/vpc/latest/tgw/flow-logs-s3.html#flow-logs-s3-path
"""

from collections.abc import Iterator

from awsflow.envelope import text
from awsflow.items import RowsOrBlock
from awsflow.logtypes.flow_log_fields import TRANSIT_GATEWAY, source_of
from awsflow.logtypes.flow_logs import flow_logs
from awsflow.logtypes.types import LogType
from awsflow.logtypes.vpcflow import LAYOUTS


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The flows through transit gateways. A file of another flow log has none."""
    return flow_logs(chunks, only=TRANSIT_GATEWAY)


def looks_like(head: bytes) -> bool:
    """Whether a header or the first line is a transit gateway's."""
    return source_of(head) == TRANSIT_GATEWAY


TRANSITGATEWAY = LogType(
    name="transitgateway",
    what="traffic through transit gateways, from one network to another",
    format="https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html#flow-log-records",
    layouts=LAYOUTS,
    decode=decode,
    shape=text,
    account=True,
    time_field="end",
    looks_like=looks_like,
)
