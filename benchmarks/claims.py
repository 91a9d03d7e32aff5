"""What is measured: each claim is a function that yields its results. Who is compared takes turns."""

import json
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from awsflow.samples import SAMPLES
from benchmarks import data
from benchmarks.measure import Cost, asked, environment, repeated, run, s3_standin, wazuh

AFTER = "2026-11-01"
STATS = "stats.json"
"""In a home: what a run that sent elsewhere than to the queue says of itself."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    objects: int = 200
    events: int = 500
    """In each of the objects."""
    small_objects: int = 2000
    small_events: int = 20
    huge: int = 10**9
    """Bytes of the one large document."""
    repeats: int = 5
    slow_repeats: int = 3
    """Of what takes long."""
    starts: int = 20
    of_a_type: int = 100_000
    """Events of each log type."""


FULL = Size()
QUICK = Size(4, 50, 12, 5, 3_000_000, 1, 1, 2, 200)


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table: medians of the repeats, but the highest peak of memory."""

    what: str
    who: str
    seconds: float
    fastest: float
    cpu: float
    """Seconds."""
    rss: int
    """Bytes."""
    events: int = 0
    bytes: int = 0
    """Decompressed."""
    requests: int = 0
    """To S3, in one run."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the claims share."""

    root: Path
    """Where the buckets are."""
    size: Size
    beside: str = ""
    """The command line of somebody to compare with, holding {bucket}, {endpoint}, {socket} and {home}."""


def decode(bench: Bench) -> Iterator[Result]:
    """Measure decompressing and parsing alone, without S3 and without sending."""
    bucket = data.many_objects(bench.root, bench.size.objects, bench.size.events)
    command = [sys.executable, "-m", "benchmarks.decode", str(bench.root / bucket.name)]
    inner = []

    def measure() -> Cost:
        with tempfile.TemporaryFile() as out:
            cost = run(command, environment(), out.fileno())
            out.seek(0)
            told = json.load(out)
        _must_be(told["events"], bucket.events, "decoded")
        inner.append(told["seconds"])
        return cost

    (costs,) = repeated(bench.size.repeats, measure)
    alone = [Cost(seconds, seconds, cost.rss) for seconds, cost in zip(inner, costs, strict=True)]
    yield _result("decode alone, one process", "awsflow", alone, bucket)


def flow(bench: Bench) -> Iterator[Result]:
    """Measure the whole way from S3 into the queue; and to a null device, without a reader beside."""
    bucket = data.many_objects(bench.root, bench.size.objects, bench.size.events)
    what = f"{bucket.objects:,} objects of {bench.size.events:,} events"
    with s3_standin(bench.root) as endpoint:
        yield from _compared(
            what, bench, bucket, endpoint, repeats=bench.size.repeats, others={"awsflow, stdout": _to_null}
        )


def small(bench: Bench) -> Iterator[Result]:
    """Measure many small objects, near and far."""
    bucket = data.many_objects(bench.root, bench.size.small_objects, bench.size.small_events)
    for latency in (0, 30):
        what = f"{bucket.objects:,} objects of {bench.size.small_events} events, {latency} ms"
        with s3_standin(bench.root, latency) as endpoint:
            yield from _compared(what, bench, bucket, endpoint, repeats=bench.size.slow_repeats)


def huge(bench: Bench) -> Iterator[Result]:
    """Measure one large document."""
    bucket = data.one_object(bench.root, bench.size.huge)
    with s3_standin(bench.root) as endpoint:
        yield from _compared(f"one document of {bucket.bytes / 1e6:,.0f} MB", bench, bucket, endpoint, repeats=1)


def start(bench: Bench) -> Iterator[Result]:
    """Measure a run that has nothing to do; and how long Python takes to do nothing at all."""
    bucket = data.many_objects(bench.root, bench.size.objects, bench.size.events)
    with s3_standin(bench.root) as endpoint, wazuh() as home:
        commands = {name: make(bucket.name, endpoint, home.home) for name, make in _commands(bench).items()}
        for command in commands.values():
            run(command, environment())
        before = asked(endpoint)["GetObject"]
        commands["python -c pass"] = [sys.executable, "-c", "pass"]
        runs = [lambda command=command: run(command, environment()) for command in commands.values()]
        costs = repeated(bench.size.starts, *runs)
        if "beside" not in commands:
            _must_be(asked(endpoint)["GetObject"], before, "fetched")
    for who, theirs in zip(commands, costs, strict=True):
        yield _result("start with nothing to do", who, theirs)


def types(bench: Bench) -> Iterator[Result]:
    """Measure a file of each log type, from the disk to a null device."""
    for name in SAMPLES:
        bucket = data.file_of_type(bench.root, name, bench.size.of_a_type)
        with tempfile.TemporaryDirectory(prefix="awsflow-bench-") as folder:
            told = Path(folder, STATS)
            flags = ["--type", name, "--quiet", "--stats-json", str(told)]
            command = [sys.executable, "-m", "awsflow", "replay", str(bench.root / bucket.name), *flags]
            (costs,) = repeated(1, partial(run, command, environment()))
            stats = json.loads(told.read_text())
        _must_be(stats["read"], bucket.events, f"read of {name}")
        yield _result(f"{bucket.events:,} events of {name}", "awsflow, stdout", costs, bucket)


CLAIMS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "start": start,
    "decode": decode,
    "flow": flow,
    "small": small,
    "types": types,
    "huge": huge,
}

_Command: TypeAlias = Callable[[str, str, Path], list[str]]
"""(bucket, endpoint, Wazuh's home): the command line."""


def _wodle(bucket: str, endpoint: str, home: Path) -> list[str]:
    flags = ["--bucket", bucket, "--type", "cloudtrail", "--only_logs_after", AFTER]
    place = ["--service_endpoint", endpoint, "--wazuh-home", str(home)]
    return [sys.executable, "-m", "awsflow", "wodle", *flags, *place]


def _to_null(bucket: str, endpoint: str, home: Path) -> list[str]:
    flags = ["--type", "cloudtrail", "--after", AFTER, "--to", "stdout", "--quiet"]
    place = ["--endpoint-url", endpoint, "--state", str(home / "state.db")]
    told = ["--stats-json", str(home / STATS)]
    return [sys.executable, "-m", "awsflow", "bucket", bucket, *flags, *place, *told]


def _commands(bench: Bench) -> dict[str, _Command]:
    """Say who is compared."""
    if not bench.beside:
        return {"awsflow": _wodle}

    def beside(bucket: str, endpoint: str, home: Path) -> list[str]:
        queue = home / "queue" / "sockets" / "queue"
        return [
            word.format(bucket=bucket, endpoint=endpoint, socket=queue, home=home) for word in shlex.split(bench.beside)
        ]

    return {"awsflow": _wodle, "beside": beside}


def _compared(
    what: str,
    bench: Bench,
    bucket: data.Bucket,
    endpoint: str,
    *,
    repeats: int,
    others: Mapping[str, _Command] = MappingProxyType({}),
) -> Iterator[Result]:
    """Measure every collector over the same bucket, each time with a new home; all events must arrive."""
    requests: dict[str, int] = {}

    def measured(who: str, command: _Command) -> Callable[[], Cost]:
        def measure() -> Cost:
            before = sum(asked(endpoint).values())
            with wazuh() as told:
                cost = run(command(bucket.name, endpoint, told.home), environment())
                own = told.home / STATS
                sent = json.loads(own.read_text())["sent"] if own.exists() else None
            requests[who] = sum(asked(endpoint).values()) - before
            _must_be(told.received["datagrams"] if sent is None else sent, bucket.events, f"sent by {who}")
            return cost

        return measure

    commands = {**_commands(bench), **others}
    costs = repeated(repeats, *(measured(who, command) for who, command in commands.items()))
    for who, theirs in zip(commands, costs, strict=True):
        yield _result(what, who, theirs, bucket, requests[who])


def _must_be(number: int, expected: int, what: str) -> None:
    if number != expected:
        raise RuntimeError(f"{number:,} {what}, but {expected:,} were expected: nothing measured")


def _result(what: str, who: str, costs: Sequence[Cost], bucket: data.Bucket | None = None, requests: int = 0) -> Result:
    return Result(
        what=what,
        who=who,
        seconds=statistics.median(cost.seconds for cost in costs),
        fastest=min(cost.seconds for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        rss=max(cost.rss for cost in costs),
        events=bucket.events if bucket else 0,
        bytes=bucket.bytes if bucket else 0,
        requests=requests,
    )
