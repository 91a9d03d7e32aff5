"""Tables of what was measured: in a terminal, and as a document. `python -m benchmarks.report RESULTS.json`."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.claims import CLAIMS, Result

HEAD = ("what", "who", "s", "CPU s", "events/s", "MB/s", "CPU s/100k", "peak MB", "requests", "CPU to base")
_ABOUT = """# Performance

Written by `make performance` from what `make bench` measured: awsflow, an S3 stand-in and a queue that is read as fast
as can be, all on one machine. Compare figures of one table only: machines differ, and are noisy. Times are medians of
a few runs; CPU times are the least of them, peaks of memory the highest. MB are 10^6 bytes, decompressed; the stages
alone, the state and the sinks are measured in CPU seconds.

    make bench                              # all of it; CLAIMS="types small" for some
    python -m benchmarks memory --long      # half an hour: larger objects, and 1,000,000 of them
    make bench-compare BASE=v1.0            # this tree and a revision in turn, with the ratio of their CPU times
    make profile CASE=vpcflow               # where the time goes
    python -m benchmarks --beside "COMMAND" # another collector in turn, see --help

The S3 stand-in serves a folder whose folders are buckets, to whatever collector: each answer after so many
milliseconds, as a distant S3 has it, each connection with so many MB a second, each object under so many keys:

    python -m benchmarks.s3_standin FOLDER --port 9000 --latency 30 --bandwidth 50 --copies 1000
"""


def rows(results: Sequence[Result]) -> Iterator[tuple[str, ...]]:
    """What a table says of each."""
    for result in results:
        pace = ("", "", "")
        if result.events:
            pace = (
                f"{result.events / result.seconds:,.0f}",
                f"{result.bytes / result.seconds / 1e6:,.0f}" if result.bytes else "",
                f"{result.cpu / result.events * 1e5:.2f}",
            )
        base = [other.cpu for other in results if (other.who, other.what) == ("base", result.what)]
        yield (
            result.what,
            result.who,
            f"{result.seconds:.3f}",
            f"{result.cpu:.3f}",
            *pace,
            f"{result.rss / 1e6:.0f}",
            f"{result.requests:,}" if result.requests else "",
            f"{result.cpu / base[0]:.2f}" if base and result.who != "base" else "",
        )


def line(cells: Sequence[str]) -> str:
    """A line of the table in a terminal."""
    what, who, *numbers = cells
    return f"{what:<42} {who:<8}" + "".join(
        f" {cell:>{len(name) + 1}}" for name, cell in zip(HEAD[2:], numbers, strict=True)
    )


def as_json(about: dict[str, Any], results: Sequence[Result]) -> str:
    """What is kept of a run."""
    return json.dumps(about | {"results": [asdict(result) for result in results]}, indent=1) + "\n"


def as_markdown(told: dict[str, Any]) -> str:
    """The document of a run that was kept."""
    results = [Result(**result) for result in told["results"]]
    machine = told["machine"]
    about = (
        f"Measured {told['time'][:10]} with Python {machine['python']} on {machine['cores']} cores. "
        f"The machine's load was {machine['load']:.1f} when it began."
    )
    parts = [_ABOUT, about, ""]
    for claim, some in groupby(results, key=lambda result: result.claim):
        title = (CLAIMS[claim].__doc__ or "").removeprefix("Measure ").rstrip(".")
        table = list(rows(list(some)))
        used = [at for at in range(len(HEAD)) if any(row[at] for row in table)]
        parts += [f"## {title[0].upper()}{title[1:]}", ""]
        parts.append(_cells([HEAD[at] for at in used]))
        parts.append(_cells(["---" if at < 2 else "---:" for at in used]))
        parts += [_cells([row[at] for at in used]) for row in table]
        parts.append("")
    return "\n".join(parts)


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(as_markdown(json.loads(Path(sys.argv[1]).read_text())), end="")
