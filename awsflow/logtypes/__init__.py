"""The table of log types. A new one: a module here, a line in the table, a golden pair in the tests."""

from awsflow.errors import ArgumentsError, UnknownType
from awsflow.logtypes.alb import ALB
from awsflow.logtypes.alb_connection import ALB_CONNECTION
from awsflow.logtypes.cisco_umbrella import CISCO_UMBRELLA
from awsflow.logtypes.clb import CLB
from awsflow.logtypes.cloudfront import CLOUDFRONT
from awsflow.logtypes.cloudtrail import CLOUDTRAIL
from awsflow.logtypes.cloudtrail_digest import CLOUDTRAIL_DIGEST
from awsflow.logtypes.cloudtrail_insight import CLOUDTRAIL_INSIGHT
from awsflow.logtypes.config import CONFIG
from awsflow.logtypes.custom import CUSTOM, custom_in
from awsflow.logtypes.eks_audit import EKS_AUDIT
from awsflow.logtypes.guardduty import GUARDDUTY
from awsflow.logtypes.networkfirewall import NETWORKFIREWALL
from awsflow.logtypes.nlb import NLB
from awsflow.logtypes.route53resolver import ROUTE53RESOLVER
from awsflow.logtypes.server_access import SERVER_ACCESS
from awsflow.logtypes.transitgateway import TRANSITGATEWAY
from awsflow.logtypes.types import LogType
from awsflow.logtypes.vpcflow import VPCFLOW
from awsflow.logtypes.vpclattice import VPCLATTICE
from awsflow.logtypes.waf import WAF

LOG_TYPES: dict[str, LogType] = {
    log_type.name: log_type
    for log_type in (
        CLOUDTRAIL_DIGEST,
        CLOUDTRAIL_INSIGHT,
        CLOUDTRAIL,
        CONFIG,
        GUARDDUTY,
        WAF,
        ROUTE53RESOLVER,
        NETWORKFIREWALL,
        VPCLATTICE,
        EKS_AUDIT,
        ALB,
        ALB_CONNECTION,
        CISCO_UMBRELLA,
        CLB,
        NLB,
        SERVER_ACCESS,
        TRANSITGATEWAY,
        VPCFLOW,
        CLOUDFRONT,
        CUSTOM,
    )
}
"""In the order in which content is compared with them: the particular before the general."""

AUTO = "auto"


def log_type_named(name: str) -> LogType:
    """The log type of this name, in any case; UnknownType if there is none."""
    try:
        return LOG_TYPES[name.lower()]
    except KeyError:
        known = ", ".join(sorted(LOG_TYPES))
        raise UnknownType(f"choosing a log type: there is no type {name!r}; the types are: {known}, {AUTO}") from None


def log_types_named(name: str, format: str = "") -> tuple[LogType, ...]:  # noqa: A002 - as the command line has it
    """The log type of this name, in any case; all that are wanted for `auto`.

    `format` says how objects of the type `custom` read; ArgumentsError for other types, which have their own.
    """
    if format:
        if name.lower() != CUSTOM.name:
            raise ArgumentsError(f"--format {format}: it is for logs of the type custom, not {name}")
        return (custom_in(format),)
    if name.lower() == AUTO:
        return tuple(log_type for log_type in LOG_TYPES.values() if log_type.wanted)
    return (log_type_named(name),)
