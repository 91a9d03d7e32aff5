"""What is measured: each claim is a function that yields its results. Who is compared takes turns."""

import json
import shlex
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from awsflow.samples import SAMPLES
from benchmarks import data, large
from benchmarks.measure import Cost, asked, environment, output, repeated, run, s3_standin, wazuh

AFTER = "2026-11-01"
STATS = "stats.json"
"""In a home: what a run that sent elsewhere than to the queue says of itself."""
PREFIXES = {"cisco_umbrella": "dnslogs", "server_access": "access-logs"}
"""What is said on the command line of where some types' objects lie, because it cannot be found out."""
OURS = Path(__file__).parent.parent
"""The awsflow that is measured: the one that these benchmarks belong to."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    small_objects: int = 2000
    small_events: int = 20
    huge: int = 10**9
    """Bytes of the one large document."""
    keys: int = 1_000_000
    """In the window of the state."""
    repeats: int = 3
    starts: int = 20
    objects: int = 20
    """Of each log type."""
    object_size: int = 4_000_000
    """Their bytes, decompressed."""
    large: int = 40_000_000
    """Bytes of one large object of each kind, decompressed."""
    crowd: int = 5_000
    """Events of each object of those of which 64 are fetched at a time: 1.5 MB as they are stored."""
    copies: tuple[int, int] = (10, 100)
    """Of 100 small objects, to compare few with many."""


FULL = Size()
LONG = Size(large=300_000_000, crowd=28_000, copies=(1_000, 10_000))
QUICK = Size(12, 5, 1_000_000, 200, 1, 2, 2, 30_000, 30_000, 50, (1, 2))
CROWD = 72
"""Objects of a crowd, and small ones before them: over those it is found out that 64 at a time pay."""


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table: the median time, the least CPU time, and the highest peak of memory of the repeats.

    The least CPU time, for what else goes on in the machine can only add to it.
    """

    claim: str
    what: str
    who: str
    seconds: float
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
    types: tuple[str, ...] = tuple(SAMPLES)
    base: Path | None = None
    """The checkout of another revision to compare with."""
    beside: str = ""
    """The command line of somebody to compare with, holding {bucket}, {type}, {endpoint}, {socket} and {home}."""
    beside_types: tuple[str, ...] = tuple(SAMPLES)
    """The log types that this one knows."""


def start(bench: Bench) -> Iterator[Result]:
    """Measure a run that has nothing to do; and how long Python takes to do nothing at all."""
    bucket = data.of_size(bench.root, "cloudtrail", bench.size.objects, bench.size.object_size)
    with s3_standin(bench.root) as endpoint, ExitStack() as stack:
        commands: dict[str, Callable[[], Cost]] = {}
        for who, command in _commands(bench, "cloudtrail").items():
            home = stack.enter_context(wazuh()).home  # one for each: it says that all was delivered already
            commands[who] = partial(command, bucket, endpoint, home)
            commands[who]()
        commands["python -c pass"] = partial(run, [sys.executable, "-c", "pass"], environment())
        before = asked(endpoint)["GetObject"]
        costs = repeated(bench.size.starts, *commands.values())
        if "beside" not in commands:
            _must_be(asked(endpoint)["GetObject"], before, "fetched")
    for who, theirs in zip(commands, costs, strict=True):
        yield _result("start", "nothing to do", who, theirs)


def types(bench: Bench) -> Iterator[Result]:
    """Measure the whole way from S3 into the queue, for each log type."""
    for name in bench.types:
        bucket = data.of_size(bench.root, name, bench.size.objects, bench.size.object_size)
        with s3_standin(bench.root) as endpoint:
            yield from _compared("types", name, bench, bucket, endpoint)


def null(bench: Bench) -> Iterator[Result]:
    """Measure the way from S3 to a null device: without a reader that shares the machine."""
    for name in ("cloudtrail", "vpcflow", "alb"):
        bucket = data.of_size(bench.root, name, bench.size.objects, bench.size.object_size)
        with s3_standin(bench.root) as endpoint:
            yield from _compared("null", f"{name}, to a null device", bench, bucket, endpoint, to="stdout")


def small(bench: Bench) -> Iterator[Result]:
    """Measure many small objects, near and far."""
    bucket = data.many_objects(bench.root, bench.size.small_objects, bench.size.small_events)
    for latency in (0, 30):
        what = f"{bucket.objects:,} objects of {bench.size.small_events} events, {latency} ms"
        with s3_standin(bench.root, latency) as endpoint:
            yield from _compared("small", what, bench, bucket, endpoint)


def huge(bench: Bench) -> Iterator[Result]:
    """Measure one large document."""
    bucket = data.one_object(bench.root, bench.size.huge)
    what = f"one document of {bucket.bytes / 1e6:,.0f} MB"
    with s3_standin(bench.root) as endpoint:
        yield from _compared("huge", what, bench, bucket, endpoint, repeats=1)


def memory(bench: Bench) -> Iterator[Result]:
    """Measure the peak of memory: of large objects of several kinds, of 64 on their way, of few objects and of many."""
    for kind in large.KINDS:
        bucket = large.one(bench.root, kind, bench.size.large)
        with s3_standin(bench.root) as endpoint:
            what = f"{kind}, of {bench.size.large / 1e6:,.0f} MB of text"
            yield from _compared("memory", what, bench, bucket, endpoint, repeats=1)
    root = bench.root / "copied"  # of what lies beside it the stand-in need make no copies
    crowd, few = data.crowd(root, bench.size.crowd), data.many_objects(root, 100, 2)
    with s3_standin(root, 30, CROWD) as endpoint:
        what = f"64 at a time, each of {bench.size.crowd:,} events"
        yield from _compared("memory", what, bench, data.copied(crowd, CROWD), endpoint, repeats=1)
    for copies in bench.size.copies:
        bucket = data.copied(few, copies)
        with s3_standin(root, copies=copies) as endpoint:
            yield from _compared("memory", f"{bucket.objects:,} small objects", bench, bucket, endpoint, repeats=1)


def stages(bench: Bench) -> Iterator[Result]:
    """Measure each stage alone, for each log type."""
    for name in bench.types:
        bucket = data.of_size(bench.root, name, bench.size.objects, bench.size.object_size)
        some = [str(path) for path in data.files(bench.root, bucket)[:2]]
        yield from _alone("stages", f"{name}: ", bench, "benchmarks.stages", name, *some)


def state(bench: Bench) -> Iterator[Result]:
    """Measure the state alone, with a window of many keys."""
    yield from _alone("state", f"{bench.size.keys:,} keys: ", bench, "benchmarks.state", str(bench.size.keys))


def sinks(bench: Bench) -> Iterator[Result]:
    """Measure each sink alone."""
    bucket = data.of_size(bench.root, "cloudtrail", bench.size.objects, bench.size.object_size)
    yield from _alone("sinks", "", bench, "benchmarks.sinks", str(data.files(bench.root, bucket)[0]))


CLAIMS: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "start": start,
    "types": types,
    "null": null,
    "small": small,
    "huge": huge,
    "memory": memory,
    "stages": stages,
    "state": state,
    "sinks": sinks,
}

Collect: TypeAlias = Callable[[data.Bucket, str, Path], Cost]
"""(bucket, endpoint, Wazuh's home): collect, and tell what it cost."""


def _ours(tree: Path, to: str, bucket: data.Bucket, endpoint: str, home: Path) -> Cost:
    return run(collecting(bucket, endpoint, home, to), environment(), cwd=tree)


def collecting(bucket: data.Bucket, endpoint: str, home: Path, to: str = "") -> list[str]:
    """The command line that collects a bucket into the queue, or `to` elsewhere."""
    to = to or f"wazuh:{home / 'queue' / 'sockets' / 'queue'}"
    what = [bucket.name, "--type", bucket.log_type, "--prefix", PREFIXES.get(bucket.log_type, ""), "--after", AFTER]
    what += ["--format", bucket.format] if bucket.format else []
    where = ["--endpoint-url", endpoint, "--state", str(home / "state.db"), "--stats-json", str(home / STATS)]
    return [sys.executable, "-m", "awsflow", "bucket", *what, "--to", to, "--quiet", *where]


def _commands(bench: Bench, log_type: str, to: str = "") -> dict[str, Collect]:
    """Say who is compared."""

    def beside(bucket: data.Bucket, endpoint: str, home: Path) -> Cost:
        queue = home / "queue" / "sockets" / "queue"
        names = {"bucket": bucket.name, "type": log_type, "endpoint": endpoint, "socket": queue, "home": home}
        return run([word.format(**names) for word in shlex.split(bench.beside)], environment())

    commands: dict[str, Collect] = {"awsflow": partial(_ours, OURS, to)}
    if bench.base is not None:
        commands["base"] = partial(_ours, bench.base, to)
    if bench.beside and log_type in bench.beside_types and not to:
        commands["beside"] = beside
    return commands


def _compared(
    claim: str,
    what: str,
    bench: Bench,
    bucket: data.Bucket,
    endpoint: str,
    *,
    repeats: int | None = None,
    to: str = "",
) -> Iterator[Result]:
    """Measure every collector over the same bucket, each time with a new home; all events must arrive."""
    requests: dict[str, int] = {}
    arrived: dict[str, int] = {}

    def measured(who: str, command: Collect) -> Callable[[], Cost]:
        def measure() -> Cost:
            before = sum(asked(endpoint).values())
            with wazuh() as told:
                cost = command(bucket, endpoint, told.home)
                own = told.home / STATS
                stats = json.loads(own.read_text()) if own.exists() else {}
            requests[who] = sum(asked(endpoint).values()) - before
            arrived[who] = stats["sent"] if to else told.received["datagrams"]
            _must_be(stats.get("read", bucket.events), bucket.events, f"read by {who}")
            _must_be(stats.get("sent", arrived["awsflow"]), arrived[who], f"sent by {who}")
            return cost

        return measure

    commands = _commands(bench, bucket.log_type, to)
    costs = repeated(repeats or bench.size.repeats, *(measured(who, command) for who, command in commands.items()))
    for who, theirs in zip(commands, costs, strict=True):
        yield _result(claim, what, who, theirs, bucket=bucket, requests=requests[who])


def _alone(claim: str, what: str, bench: Bench, *module: str) -> Iterator[Result]:
    """Measure what a module of ours, in a process of its own, tells of the parts that it measures."""
    trees = {"awsflow": OURS} | ({} if bench.base is None else {"base": bench.base})
    told: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(bench.size.repeats):
        for who, tree in trees.items():
            if not (tree / f"{module[0].replace('.', '/')}.py").exists():
                continue  # the other revision does not measure that
            for line in output([sys.executable, "-m", *module], environment(), cwd=tree).splitlines():
                part = json.loads(line)
                told.setdefault((part.pop("what"), who), []).append(part)
    for (part_of, who), parts in told.items():
        cpu = min(part["cpu"] for part in parts)
        rss = max(part["rss"] for part in parts)
        yield Result(claim, what + part_of, who, cpu, cpu, rss, parts[0]["events"], parts[0]["bytes"])


def _must_be(number: int, expected: int, what: str) -> None:
    if number != expected:
        raise RuntimeError(f"{number:,} {what}, but {expected:,} were expected: nothing measured")


def _result(
    claim: str, what: str, who: str, costs: Sequence[Cost], *, bucket: data.Bucket | None = None, requests: int = 0
) -> Result:
    return Result(
        claim,
        what,
        who,
        seconds=statistics.median(cost.seconds for cost in costs),
        cpu=min(cost.cpu for cost in costs),
        rss=max(cost.rss for cost in costs),
        events=bucket.events if bucket else 0,
        bytes=bucket.bytes if bucket else 0,
        requests=requests,
    )
