"""`python -m benchmarks`: measure, print a table, write benchmarks/results/TIME.json."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import data
from benchmarks.claims import CLAIMS, FULL, QUICK, Bench, Result

HEAD = ("what", "who", "s", "min s", "events/s", "MB/s", "CPU s per 100k", "peak MB", "requests")
RESULTS = Path(__file__).parent / "results"


def main(argv: Sequence[str]) -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure awsflow between an S3 stand-in and a queue, all on this machine.",
        epilog="MB/s are of decompressed logs. Machines are noisy: compare figures of one run only.",
    )
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"of {', '.join(CLAIMS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="sizes so small that the figures mean nothing")
    parser.add_argument(
        "--beside",
        default="",
        metavar="COMMAND",
        help="another collector to compare with: a command line with {bucket}, {endpoint}, {socket}, {home}",
    )
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where samples are kept")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where results are written")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.claims) - set(CLAIMS):
        parser.error(f"no such claim: {', '.join(unknown)}; there are: {', '.join(CLAIMS)}")
    bench = Bench(data.folder(arguments.data), QUICK if arguments.quick else FULL, arguments.beside)
    results = []
    print(_row(HEAD), flush=True)
    for name in arguments.claims or CLAIMS:
        for result in CLAIMS[name](bench):
            results.append(result)
            print(_row(_cells(result)), flush=True)
    print(f"written to {_write(results, arguments.results)}")
    return 0


def _cells(result: Result) -> tuple[str, ...]:
    pace = ("", "", "")
    if result.events:
        pace = (
            f"{result.events / result.seconds:,.0f}",
            f"{result.bytes / result.seconds / 1e6:,.0f}",
            f"{result.cpu / result.events * 1e5:.2f}",
        )
    return (
        result.what,
        result.who,
        f"{result.seconds:.3f}",
        f"{result.fastest:.3f}",
        *pace,
        f"{result.rss / 1e6:.0f}",
        f"{result.requests:,}" if result.requests else "",
    )


def _row(cells: Sequence[str]) -> str:
    what, who, *numbers = cells
    return f"{what:<36} {who:<16}" + "".join(
        f" {cell:>{len(name) + 2}}" for name, cell in zip(HEAD[2:], numbers, strict=True)
    )


def _write(results: Sequence[Result], folder: Path) -> Path:
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    machine = {"cores": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()}
    told = {"time": now.isoformat(), "awsflow": version("awsflow"), "machine": machine}
    path.write_text(json.dumps(told | {"results": [asdict(result) for result in results]}, indent=1) + "\n")
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
