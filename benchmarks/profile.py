"""Where the time goes: `python -m benchmarks.profile CASE` collects a log type, or small objects, with a profiler."""

import argparse
import pstats
import sys
import tempfile
from pathlib import Path

from awsflow.samples import SAMPLES
from benchmarks import data
from benchmarks.claims import FULL, OURS, QUICK, collecting
from benchmarks.measure import environment, run, s3_standin, wazuh

SHOWN = 50
"""Functions."""


def main() -> None:
    """Profile what the command line names."""
    parser = argparse.ArgumentParser(
        description="Where the time goes, by Python's own profiler. It slows down calls; of threads it sees the first."
    )
    parser.add_argument("case", choices=(*SAMPLES, "small"))
    parser.add_argument("--by", default="tottime", choices=("tottime", "cumtime"))
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()), help="where samples are kept")
    parser.add_argument("--quick", action="store_true", help="so little that the figures mean nothing")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    root = data.folder(arguments.data)
    if arguments.case == "small":
        bucket = data.many_objects(root, size.small_objects, size.small_events)
    else:
        bucket = data.of_size(root, arguments.case, size.objects, size.object_size)
    with s3_standin(root) as endpoint, wazuh() as home:
        told = home.home / "profile"
        python, *command = collecting(bucket, endpoint, home.home)
        run([python, "-m", "cProfile", "-o", str(told), *command], environment(), cwd=OURS)
        pstats.Stats(str(told), stream=sys.stdout).sort_stats(arguments.by).print_stats(SHOWN)


if __name__ == "__main__":
    main()
