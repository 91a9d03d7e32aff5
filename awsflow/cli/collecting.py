"""Collecting from a source into a sink: what the commands have in common."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from awsflow.cli.recording import Recording
from awsflow.decode.limits import Limits
from awsflow.envelope import tell_failures, wazuh_json
from awsflow.flow import Flow, Sink, Source, Stats
from awsflow.items import Failure, Record
from awsflow.options import BUDGET, AwsAccess, BucketOptions, QueueOptions, ServiceOptions
from awsflow.sinks.dead_letters import DeadLetters
from awsflow.stages import Stage

Options: TypeAlias = BucketOptions | ServiceOptions | QueueOptions
"""What to collect."""


def source_of(
    options: Options,
    access: AwsAccess,
    *,
    note: Callable[[str], None],
    warn: Callable[[str], None],
    stop: Callable[[], bool],
    budget: int = BUDGET,
) -> Source:
    """The source that the options describe; `budget` is how many bytes of objects it may hold.

    Each is imported when it is needed: a run has but one, mostly.
    """
    match options:
        case BucketOptions():
            from awsflow.sources.s3 import S3Bucket  # noqa: PLC0415 - see above

            return S3Bucket.of(options, access=access, budget=budget, note=note, warn=warn)
        case QueueOptions():
            from awsflow.sources.sqs import Queue  # noqa: PLC0415 - likewise

            return Queue(
                options.queue,
                options.reader,
                format=options.format,
                alias=options.alias,
                access=access,
                skip_on_error=options.skip_on_error,
                follow=options.follow,
                wait=options.wait,
                visibility=options.visibility,
                limits=Limits(size=options.max_object_size, ratio=options.max_ratio),
                budget=budget,
                note=note,
                warn=warn,
                stop=stop,
            )
        case ServiceOptions(service="inspector"):
            from awsflow.sources.inspector import Inspector  # noqa: PLC0415 - likewise

            return Inspector(
                regions=options.regions,
                state=options.state,
                access=access,
                only_after=options.only_after,
                reparse=options.reparse,
                note=note,
                warn=warn,
            )
        case ServiceOptions():
            from awsflow.sources.cloudwatch_logs import CloudWatchLogs  # noqa: PLC0415 - likewise

            return CloudWatchLogs(
                options.groups,
                regions=options.regions,
                state=options.state,
                access=access,
                only_after=options.only_after,
                reparse=options.reparse,
                remove=options.remove,
                stream_prefix=options.stream_prefix,
                envelope=options.envelope,
                requests_per_second=options.requests_per_second,
                skip_on_error=options.skip_on_error,
                note=note,
                warn=warn,
            )


def collect(
    options: Options,
    source: Source,
    sink: Callable[[Callable[[Record], None], Callable[[float], None]], Sink],
    *,
    discard: tuple[str, str] | None,
    dead_letters: Path | Sink,
    stop: Callable[[], bool],
    told: Callable[[Failure], None],
    encode: Stage = wazuh_json,
    recording: Recording | None = None,
    shown: Callable[[Stats], Stage | None] = lambda stats: None,
) -> Stats:
    """Deliver what the source, made of these options, has.

    `sink` makes the sink, given what is to be called with events that are too large for it, and with seconds for
    which it holds events back; `discard` is a field and a pattern; `dead_letters` is a file, or a share of one; `told`
    is called with every failure; `recording` tells the history; `shown` makes a stage of the stats.
    """
    with closing(DeadLetters(dead_letters, told, format=getattr(options, "format", ""))) as letters:
        flow = Flow(source, failures=letters, stop=stop if recording is None else recording.stopping(stop))
        if recording is not None:
            recording.watch(flow.stats, source)
        if discard is not None:
            flow.discard(*discard)
            if isinstance(options, QueueOptions):
                from awsflow.logtypes.subscribers import discard_lines  # noqa: PLC0415 - only queues have such lines

                flow.through(discard_lines(discard[1], flow.stats.drop))
        if encode is wazuh_json:
            flow.through(tell_failures)
        if stage := shown(flow.stats):
            flow.watch(stage)

        def oversized(record: Record) -> None:
            flow.stats.shrunk += 1
            letters.oversized(record)

        return flow.to(sink(oversized, flow.stats.wait), encode).run(getattr(options, "workers", 1))
