"""VPC Lattice: requests to services, and connections to resources, in service networks; JSON lines.

Format and keys: https://docs.aws.amazon.com/vpc-lattice/latest/ug/monitoring-access-logs.html
"""

from collections.abc import Iterator

from awsflow.decode.json_lines import json_lines
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The requests and connections, each with its source."""
    return sourced(json_lines(chunks), "vpclattice")


def looks_like(head: bytes) -> bool:
    """Whether the first object came through a service network to a service or resource."""
    names = opening(head).keys()
    return "serviceNetworkArn" in names and ("serviceArn" in names or "resourceConfigurationArn" in names)


VPCLATTICE = LogType(
    name="vpclattice",
    what="VPC Lattice: requests to services and resources",
    format="https://docs.aws.amazon.com/vpc-lattice/latest/ug/monitoring-access-logs.html",
    layouts=(AwsLogs("VpcLattice/AccessLogs"), AwsLogs("VpcLattice/ResourceAccessLogs")),
    decode=decode,
    account=True,
    time_field="startTime",
    names=r"\.(json|log)(\.[a-z0-9]+)?$",
    looks_like=looks_like,
)
