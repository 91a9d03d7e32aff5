"""Decoding alone: `python -m benchmarks.decode FILE ...` decompresses and parses CloudTrail files."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from awsflow.decode.compression import members
from awsflow.decode.json_documents import array_in_document

CHUNK = 1 << 17


def chunks(path: str) -> Iterator[bytes]:
    """Read a file in pieces as they would come from S3."""
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def main() -> None:
    """Decode the files of the command line, or all that lie in its folders."""
    paths = [str(path) for name in sys.argv[1:] for path in sorted(Path(name).rglob("*.json.gz"))]
    events = 0
    started = time.perf_counter()
    for path in paths:
        for member in members(chunks(path), path):
            for block in array_in_document(member, "Records"):
                events += len(block)
    print(json.dumps({"events": events, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
