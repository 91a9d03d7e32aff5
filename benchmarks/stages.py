"""Each stage alone: `python -m benchmarks.stages TYPE FILE ...` tells what each costs for files of a log type.

The files must be as small as to fit into memory, decompressed: a stage is measured over what the one before it has
left. Lines are split by a stage of their own; what splits JSON parses it too, and is part of `decode`.
"""

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from awsflow import Flow
from awsflow.decode.compression import members
from awsflow.decode.lines import lines
from awsflow.envelope import wazuh_json
from awsflow.items import Event, Origin, Record, RowsOrBlock
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.types import LogType
from awsflow.sinks import WazuhSocket
from awsflow.sources import LocalFiles
from benchmarks.data import chunks
from benchmarks.measure import wazuh
from benchmarks.timing import Stopwatches, tell

STAGES = ("decompress", "split", "decode", "reshape", "encode", "send")
ALL = "all of them, in a flow"


class Nowhere:
    """A sink that forgets."""

    def write(self, records: Sequence[Record]) -> None:
        """Take them."""

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def measure(log_type: LogType, path: Path, watches: Stopwatches, sink: WazuhSocket) -> tuple[int, int]:
    """Measure the stages over a file; return its events and bytes."""
    pieces: list[bytes] = []
    for member in members(watches.around("read", chunks(path)), path.name):
        pieces += watches.around("decompress", member)
    watches.seconds["decompress"] -= watches.seconds.pop("read")
    if not pieces[0].lstrip().startswith(b"{"):
        for _ in watches.around("split", lines(iter(pieces))):
            pass
    events = 0
    # without a shape: that is measured before it is encoded
    origin = Origin("bucket", str(path), account="123456789012")
    for block in watches.around("decode", log_type.decode(iter(pieces), str(path))):
        events += len(block)
        shaped = _shaped(block, log_type, watches)
        records = [Record(event, origin, 1) for event in shaped]
        encoded = [item for item in watches.around("encode", wazuh_json(records)) if isinstance(item, Record)]
        with watches.running("send"):
            sink.write(encoded)
    return events, sum(map(len, pieces))


def _shaped(block: RowsOrBlock, log_type: LogType, watches: Stopwatches) -> list[Event]:
    shaped: list[Event] = []
    with watches.running("reshape"):
        for event in block:
            if isinstance(event, dict):
                made = log_type.shape(event)
                shaped += made if isinstance(made, list) else [made]
    return shaped


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description="What each stage costs.")
    parser.add_argument("type")
    parser.add_argument("files", type=Path, nargs="+")
    arguments = parser.parse_args()
    watches = Stopwatches()
    events = size = 0
    log_type = LOG_TYPES[arguments.type]
    with wazuh() as home, closing(WazuhSocket(home.home / "queue" / "sockets" / "queue")) as sink:
        for path in arguments.files:
            some, more = measure(log_type, path, watches, sink)
            events, size = events + some, size + more
    with watches.running(ALL):
        Flow(LocalFiles(*arguments.files, log_type=arguments.type)).to(Nowhere()).run()
    for stage in (*STAGES, ALL):
        if stage in watches.seconds:
            tell(stage, watches.seconds[stage], events, size)


if __name__ == "__main__":
    main()
