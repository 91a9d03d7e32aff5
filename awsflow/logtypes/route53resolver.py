"""Route 53 Resolver: the DNS queries of VPCs, and what was answered; JSON lines.

Format: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
Keys: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-choosing-target-resource.html
"""

from collections.abc import Iterator

from awsflow.decode.json_lines import json_lines
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import AwsLogs
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The queries, each with its source."""
    return sourced(json_lines(chunks), "route53resolver")


def looks_like(head: bytes) -> bool:
    """Whether the first object is a query in a VPC."""
    return {"vpc_id", "query_timestamp", "query_name"} <= opening(head).keys()


ROUTE53RESOLVER = LogType(
    name="route53resolver",
    what="Route 53 Resolver: DNS queries of VPCs",
    format="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html",
    layouts=(AwsLogs("vpcdnsquerylogs", region="VPC"),),
    decode=decode,
    account=True,
    time_field="query_timestamp",
    names=r"\.(json|log)(\.[a-z0-9]+)?$",
    looks_like=looks_like,
)
