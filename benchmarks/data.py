"""Buckets of sample logs to measure with: made once, then kept in a folder of this user's."""

import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from awsflow import samples
from awsflow.decode.compression import members
from awsflow.samples import SAMPLES, cloudtrail

START = datetime(2026, 11, 1, tzinfo=UTC)
"""The first object's time."""
FILE = timedelta(minutes=5)
"""From one object to the next."""
_BEGINNING = 200
"""Events by whose size it is told how many make so many bytes."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder as the S3 stand-in wants it, and what is in it."""

    name: str
    objects: int
    events: int
    bytes: int
    """Decompressed."""
    log_type: str = "cloudtrail"


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


def many_objects(root: Path, objects: int, events: int, log_type: str = "cloudtrail") -> Bucket:
    """Make objects of so many events each, one for every five minutes."""
    return _made(root, f"{log_type}-{objects}x{events}".replace("_", "-"), objects, events, log_type)


def of_size(root: Path, log_type: str, objects: int, size: int) -> Bucket:
    """Make objects of a type, of about so many bytes each, decompressed."""
    name = f"{log_type}-{objects}-of-{size}".replace("_", "-")
    return _made(root, name, objects, max(1, size // _bytes_of_an_event(log_type)), log_type)


def one_object(root: Path, size: int) -> Bucket:
    """Make one CloudTrail document of about so many bytes, decompressed."""
    return _made(root, f"object-of-{size}", 1, size // _bytes_of_an_event("cloudtrail"), "cloudtrail")


def files(root: Path, bucket: Bucket) -> list[Path]:
    """The objects of a bucket, in the order of their keys."""
    return sorted(path for path in (root / bucket.name).rglob("*") if path.is_file())


def chunks(path: Path, size: int = 1 << 17) -> Iterator[bytes]:
    """A file in pieces as they would come from S3."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def _bytes_of_an_event(log_type: str) -> int:
    sample = SAMPLES[log_type]
    some = sample.document(sample.events(0, _BEGINNING, START, cloudtrail.ACCOUNT, cloudtrail.REGION))
    return sum(len(piece) for member in members(iter([some])) for piece in member) // _BEGINNING


def _made(root: Path, name: str, objects: int, events: int, log_type: str) -> Bucket:
    """Make a bucket unless it is there: its description is written last."""
    description = root / f"{name}.json"
    if description.exists():
        return Bucket(**json.loads(description.read_text()))
    shutil.rmtree(root / name, ignore_errors=True)
    sample = SAMPLES[log_type]
    size = 0
    for number in range(objects):
        when = START + number * FILE
        path = root / name / sample.key(cloudtrail.ACCOUNT, cloudtrail.REGION, when, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            sample.write(file, sample.events(number, events, when, cloudtrail.ACCOUNT, cloudtrail.REGION))
        size += sum(len(piece) for member in members(chunks(path), path.name) for piece in member)
    bucket = Bucket(name, objects, objects * events, size, log_type)
    description.write_text(json.dumps(asdict(bucket)))
    return bucket
