"""Collecting from a bucket into a sink: what the commands `wodle` and `bucket` share."""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from awsflow.envelope import tell_failures, wazuh_json
from awsflow.flow import Flow, Sink, Stats
from awsflow.items import Failure, Record
from awsflow.options import AwsAccess, BucketOptions
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.sources.s3 import S3Bucket
from awsflow.stages import Stage


def collect_bucket(
    options: BucketOptions,
    access: AwsAccess,
    sink: Callable[[Callable[[Record], None]], Sink],
    *,
    dead_letters: Path,
    stop: Callable[[], bool],
    told: Callable[[Failure], None],
    note: Callable[[str], None],
    warn: Callable[[str], None],
    encode: Stage = wazuh_json,
    shown: Callable[[Stats], Stage | None] = lambda stats: None,
    found: Callable[[Mapping[str, int]], None] = lambda types: None,
) -> Stats:
    """Deliver what is new in a bucket.

    `sink` makes the sink, given what is to be called with events that are too large for it; `told` is called with
    every failure; `shown` makes a stage of the stats; `found` is given the number of objects of each type.
    """
    with closing(DeadLetters(dead_letters, told)) as letters:
        source = S3Bucket.of(options, access=access, note=note, warn=warn)
        flow = Flow(source, failures=letters, stop=stop)
        if options.discard_field and options.discard_regex:
            flow.discard(options.discard_field, options.discard_regex)
        if encode is wazuh_json:
            flow.through(tell_failures)
        if stage := shown(flow.stats):
            flow.through(stage)

        def oversized(record: Record) -> None:
            flow.stats.shrunk += 1
            letters.oversized(record)

        stats = flow.to(sink(oversized), encode).run()
        found(source.objects_by_type)
        return stats
