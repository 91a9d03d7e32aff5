"""Sample logs, made up but plausible, for the demo, tests and benchmarks. One module for each log type."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from awsflow.samples import (
    alb,
    alb_connection,
    cisco_umbrella,
    clb,
    cloudfront,
    cloudtrail,
    cloudtrail_digest,
    cloudtrail_insight,
    config,
    custom,
    eks_audit,
    guardduty,
    networkfirewall,
    nlb,
    route53resolver,
    server_access,
    transitgateway,
    vpcflow,
    vpclattice,
    waf,
)
from awsflow.samples.writing import gzipped_lines, lines


@dataclass(frozen=True, slots=True)
class Sample:
    """How logs of one type are made up."""

    events: Callable[..., Iterator[Any]]
    """(seed, count, start, account, region): events, the same for the same arguments; text, or what JSON is made of."""
    write: Callable[[BinaryIO, Iterable[Any]], None]
    """Write an object's content, these events as AWS delivers them, however many."""
    key: Callable[..., str]
    """(account, region, when, number): an object's key, as AWS gives it; `number` tells a minute's objects apart."""

    def document(self, events: Iterable[Any]) -> bytes:
        """An object's content."""
        out = io.BytesIO()
        self.write(out, events)
        return out.getvalue()


SAMPLES = {
    "alb": Sample(alb.events, gzipped_lines, alb.key),
    "alb_connection": Sample(alb_connection.events, gzipped_lines, alb_connection.key),
    "cisco_umbrella": Sample(cisco_umbrella.events, gzipped_lines, cisco_umbrella.key),
    "clb": Sample(clb.events, lines, clb.key),
    "cloudfront": Sample(cloudfront.events, cloudfront.write, cloudfront.key),
    "cloudtrail": Sample(cloudtrail.events, cloudtrail.write, cloudtrail.key),
    "cloudtrail_digest": Sample(cloudtrail_digest.events, cloudtrail_digest.write, cloudtrail_digest.key),
    "cloudtrail_insight": Sample(cloudtrail_insight.events, cloudtrail_insight.write, cloudtrail_insight.key),
    "config": Sample(config.events, config.write, config.key),
    "custom": Sample(custom.events, custom.write, custom.key),
    "eks_audit": Sample(eks_audit.events, eks_audit.write, eks_audit.key),
    "guardduty": Sample(guardduty.events, gzipped_lines, guardduty.key),
    "networkfirewall": Sample(networkfirewall.events, gzipped_lines, networkfirewall.key),
    "nlb": Sample(nlb.events, gzipped_lines, nlb.key),
    "route53resolver": Sample(route53resolver.events, gzipped_lines, route53resolver.key),
    "server_access": Sample(server_access.events, lines, server_access.key),
    "transitgateway": Sample(transitgateway.events, transitgateway.write, transitgateway.key),
    "vpcflow": Sample(vpcflow.events, vpcflow.write, vpcflow.key),
    "vpclattice": Sample(vpclattice.events, gzipped_lines, vpclattice.key),
    "waf": Sample(waf.events, gzipped_lines, waf.key),
}
"""By the name of the log type."""
