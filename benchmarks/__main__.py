"""`python -m benchmarks`: measure, print a table, write benchmarks/results/TIME.json."""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from awsflow.samples import SAMPLES
from benchmarks import data
from benchmarks.claims import CLAIMS, FULL, LONG, OURS, QUICK, Bench, Result
from benchmarks.report import HEAD, as_json, line, rows

RESULTS = Path(__file__).parent / "results"


def main(argv: Sequence[str]) -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure awsflow between an S3 stand-in and a queue, all on this machine.",
        epilog="MB/s are of decompressed logs. Machines are noisy: compare figures of one run only.",
    )
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"of {', '.join(CLAIMS)}; default: all")
    parser.add_argument("--types", default="", metavar="A,B", help="log types to measure (default: all)")
    parser.add_argument("--repeats", type=int, metavar="N", help=f"default: {FULL.repeats}")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="sizes so small that the figures mean nothing")
    sizes.add_argument("--long", action="store_true", help="of `memory`: half an hour, with 1,000,000 objects")
    parser.add_argument("--base", default="", metavar="REVISION", help="of git: measure it in turn, print ratios")
    parser.add_argument(
        "--beside",
        default="",
        metavar="COMMAND",
        help="another collector to measure in turn: a command line with {bucket}, {type}, {endpoint}, {socket}, {home}",
    )
    parser.add_argument("--beside-types", default="", metavar="A,B", help="log types that it knows (default: all)")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where samples are kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are written")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.claims) - set(CLAIMS):
        parser.error(f"no such claim: {', '.join(unknown)}; there are: {', '.join(CLAIMS)}")
    types, beside_types = (_types(parser, text) for text in (arguments.types, arguments.beside_types))
    size = QUICK if arguments.quick else LONG if arguments.long else FULL
    if arguments.repeats:
        size = replace(size, repeats=arguments.repeats)
    results: list[Result] = []
    load = os.getloadavg()[0]
    print(line(HEAD), flush=True)
    with _checked_out(arguments.base) if arguments.base else nullcontext() as base:
        bench = Bench(data.folder(arguments.data), size, types, base, arguments.beside, beside_types)
        for name in arguments.claims or CLAIMS:
            some: list[Result] = []
            for result in CLAIMS[name](bench):
                some.append(result)
                if not base:
                    print(line(next(rows([result]))), flush=True)
            for row in rows(some) if base else ():
                print(line(row), flush=True)
            results += some
    print(f"written to {_write(results, arguments.results, load)}")
    return 0


def _types(parser: argparse.ArgumentParser, text: str) -> tuple[str, ...]:
    types = tuple(filter(None, text.split(","))) or tuple(SAMPLES)
    if unknown := set(types) - set(SAMPLES):
        parser.error(f"no such log type: {', '.join(unknown)}; there are: {', '.join(SAMPLES)}")
    return types


@contextmanager
def _checked_out(revision: str) -> Iterator[Path]:
    """Another revision of this tree, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="awsflow-base-") as folder:
        tree = Path(folder, "tree")
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=OURS, check=True)  # noqa: S607 - the user's


def _write(results: Sequence[Result], folder: Path, load: float) -> Path:
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    machine = {
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "load": load,
    }
    told = {"time": now.isoformat(), "awsflow": version("awsflow"), "machine": machine}
    path.write_text(as_json(told, results))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
