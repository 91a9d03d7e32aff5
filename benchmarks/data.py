"""Buckets of sample logs to measure with: made once, then kept in a folder of this user's."""

import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from awsflow import samples
from awsflow.decode.compression import members
from awsflow.samples import SAMPLES, cloudtrail

START = datetime(2026, 11, 1, tzinfo=UTC)
"""The first object's time."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder as the S3 stand-in wants it, and what is in it."""

    name: str
    objects: int
    events: int
    bytes: int
    """Decompressed."""


def folder(place: Path) -> Path:
    """Make the folder of these samples, where nobody else may write. Other samples have another folder."""
    code = b"".join(path.read_bytes() for path in sorted(Path(samples.__path__[0]).glob("*.py")))
    root = place / f"awsflow-benchmarks-{os.getuid()}"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise PermissionError(f"{root} is not ours: choose another place with --data")
    made = root / f"{zlib.crc32(code):08x}"
    made.mkdir(exist_ok=True)
    return made


def many_objects(root: Path, objects: int, events: int) -> Bucket:
    """Make objects of so many events each, one for every five minutes."""
    return _made(root, f"objects-{objects}x{events}", objects, events, level=6)


def one_object(root: Path, size: int) -> Bucket:
    """Make one object of about so many bytes, decompressed."""
    return _made(root, f"object-of-{size}", 1, size // 1555, level=1)


def file_of_type(root: Path, log_type: str, events: int) -> Bucket:
    """Make one file of so many events of a type, below a folder named after it."""
    name = f"{log_type}-{events}"
    description = root / f"{name}.json"
    if description.exists():
        return Bucket(**json.loads(description.read_text()))
    sample = SAMPLES[log_type]
    path = root / name / sample.key(cloudtrail.ACCOUNT, cloudtrail.REGION, START, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        sample.write(file, sample.events(1, events, START, cloudtrail.ACCOUNT, cloudtrail.REGION))
    with path.open("rb") as file:
        size = sum(len(chunk) for member in members(iter(lambda: file.read(1 << 18), b"")) for chunk in member)
    bucket = Bucket(name, 1, events, size)
    description.write_text(json.dumps(asdict(bucket)))
    return bucket


def _made(root: Path, name: str, objects: int, events: int, level: int) -> Bucket:
    """Make a bucket unless it is there: its description is written last. `level` is gzip's."""
    description = root / f"{name}.json"
    if description.exists():
        return Bucket(**json.loads(description.read_text()))
    shutil.rmtree(root / name, ignore_errors=True)
    size = 0

    def measured(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        nonlocal size
        for event in events:
            size += len(orjson.dumps(event)) + 1
            yield event

    for number in range(objects):
        start = START + number * cloudtrail.FILE
        path = root / name / cloudtrail.key(cloudtrail.ACCOUNT, cloudtrail.REGION, start, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            cloudtrail.write(file, measured(cloudtrail.events(number, events, start)), level)
    bucket = Bucket(name, objects, objects * events, size)
    description.write_text(json.dumps(asdict(bucket)))
    return bucket
