"""The state alone: `python -m benchmarks.state KEYS` fills a window with so many keys, looks them up, adds to them."""

import argparse
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from more_itertools import chunked

from awsflow.items import Found, Origin
from awsflow.samples import cloudtrail
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import ObjectPosition
from benchmarks.data import START
from benchmarks.timing import Stopwatches, tell

PAGE = 1000
"""Keys of a page of a listing, and of a commit."""
STREAM = f"AWSLogs/{cloudtrail.ACCOUNT}/CloudTrail/{cloudtrail.REGION}/"
COMMITS = 100
"""Commits of one position, as large objects make them."""


def positions(keys: int) -> Iterator[ObjectPosition]:
    """Objects of one stream, spread over a day."""
    for number in range(keys):
        when = START + timedelta(days=1) * number / keys
        key = f"{STREAM}{when:%Y/%m/%d}/{cloudtrail.ACCOUNT}_CloudTrail_{when:%Y%m%dT%H%MZ}_{number:016x}.json.gz"
        found = Found(Origin("bucket", key), 1000, f"{number:032x}", STREAM, when.date(), log_type="cloudtrail")
        yield ObjectPosition(found, 500, finished=True)


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description="What the state costs.")
    parser.add_argument("keys", type=int)
    keys: int = parser.parse_args().keys
    watches = Stopwatches()
    with tempfile.TemporaryDirectory(prefix="awsflow-bench-") as folder:
        path = Path(folder, "state.db")
        with Checkpoints(path, now=lambda: START) as checkpoints, checkpoints.work("bench") as work:
            for some in chunked(positions(keys), PAGE):
                with watches.running("commit"):
                    work.commit(some)
        size = path.stat().st_size
        with watches.running("open"):
            checkpoints = Checkpoints(path, now=lambda: START)
            work = checkpoints.work("bench")
        with checkpoints, work:
            for some in chunked(positions(keys), PAGE):
                asked = [position.found.origin.key for position in some]
                with watches.running("look up"):
                    known = work.remembered(STREAM, asked)
                if len(known) != len(asked):
                    raise RuntimeError(f"{len(known)} of {len(asked)} keys are known: nothing measured")
            for position in positions(min(COMMITS, keys)):
                with watches.running("commit one"):
                    work.commit([position])
    tell("commit, 1,000 at a time", watches.seconds["commit"], keys, size)
    tell("open again", watches.seconds["open"], 0)
    tell("look up, 1,000 at a time", watches.seconds["look up"], keys)
    tell("commit, one at a time", watches.seconds["commit one"], min(COMMITS, keys))


if __name__ == "__main__":
    main()
