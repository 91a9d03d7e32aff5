"""Sinks alone: `python -m benchmarks.sinks FILE` sends the events of a CloudTrail file to each of them."""

import argparse
import os
import tempfile
from contextlib import closing
from pathlib import Path

from more_itertools import chunked

from awsflow import Flow
from awsflow.envelope import wazuh_json
from awsflow.flow import Sink
from awsflow.sinks import NdjsonFile, StandardOutput, WazuhSocket
from awsflow.sources import LocalFiles
from benchmarks.measure import wazuh
from benchmarks.timing import Stopwatches, tell

BATCH = 1000
REPEATS = 10
"""Of the file's events, which fit into memory."""


def main() -> None:
    """Measure what the command line says."""
    parser = argparse.ArgumentParser(description="What each sink costs.")
    parser.add_argument("file", type=Path)
    watches = Stopwatches()
    records = list(Flow(LocalFiles(parser.parse_args().file)).through(wazuh_json))
    size = sum(len(record.event) for record in records)
    with wazuh() as home, tempfile.TemporaryDirectory() as folder, open(os.devnull, "wb") as null:
        sinks: dict[str, Sink] = {
            "Wazuh's queue": WazuhSocket(home.home / "queue" / "sockets" / "queue"),
            "stdout to a null device": StandardOutput(null),
            "a file, flushed every 1,000": NdjsonFile(Path(folder, "events.ndjson")),
        }
        for name, sink in sinks.items():
            with closing(sink), watches.running(name):
                for _ in range(REPEATS):
                    for some in chunked(records, BATCH):
                        sink.write(some)
                        sink.flush()
            tell(name, watches.seconds[name], len(records) * REPEATS, size * REPEATS)


if __name__ == "__main__":
    main()
