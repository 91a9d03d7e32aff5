"""Buckets of sample logs to measure with: made once, then kept in a folder of this user's."""

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from awsflow import samples
from awsflow.decode.compression import members
from awsflow.samples import SAMPLES
from awsflow.samples.cloudtrail import ACCOUNT, REGION

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
    format: str = ""
    """Of its objects, where their type leaves that open."""


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
    return _made(root, f"{log_type}-{objects}x{events}".replace("_", "-"), [events] * objects, FILE, log_type)


def of_size(root: Path, log_type: str, objects: int, size: int) -> Bucket:
    """Make objects of a type, of about so many bytes each, decompressed."""
    name = f"{log_type}-{objects}-of-{size}".replace("_", "-")
    return _made(root, name, [max(1, size // bytes_of_an_event(log_type))] * objects, FILE, log_type)


def one_object(root: Path, size: int) -> Bucket:
    """Make one CloudTrail document of about so many bytes, decompressed."""
    return _made(root, f"object-of-{size}", [size // bytes_of_an_event("cloudtrail")], FILE, "cloudtrail")


def crowd(root: Path, events: int) -> Bucket:
    """Make two objects, one of a single event, and on the day after one of so many."""
    return _made(root, f"crowd-of-{events}", (1, events), timedelta(days=1), "cloudtrail")


def copied(bucket: Bucket, copies: int) -> Bucket:
    """The bucket as a stand-in shows it that makes so many of each object."""
    return replace(bucket, objects=bucket.objects * copies, events=bucket.events * copies, bytes=bucket.bytes * copies)


def files(root: Path, bucket: Bucket) -> list[Path]:
    """The objects of a bucket, in the order of their keys."""
    return sorted(path for path in (root / bucket.name).rglob("*") if path.is_file())


def chunks(path: Path, size: int = 1 << 17) -> Iterator[bytes]:
    """A file in pieces as they would come from S3."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def bytes_of_an_event(log_type: str) -> int:
    """The size of an event, decompressed, on the average."""
    sample = SAMPLES[log_type]
    some = sample.document(sample.events(0, _BEGINNING, START, ACCOUNT, REGION))
    return sum(len(piece) for member in members(iter([some])) for piece in member) // _BEGINNING


def decompressed(path: Path) -> int:
    """The bytes of an object's content."""
    return sum(len(piece) for member in members(chunks(path), path.name) for piece in member)


def kept(root: Path, name: str, make: Callable[[Path], Bucket]) -> Bucket:
    """A bucket of this name, made in its folder unless it is there: its description is written last."""
    description = root / f"{name}.json"
    if description.exists():
        return Bucket(**json.loads(description.read_text()))
    shutil.rmtree(root / name, ignore_errors=True)
    bucket = make(root / name)
    description.write_text(json.dumps(asdict(bucket)))
    return bucket


def _made(root: Path, name: str, objects: Sequence[int], apart: timedelta, log_type: str) -> Bucket:
    """A bucket of objects of so many events each."""
    sample = SAMPLES[log_type]

    def make(folder: Path) -> Bucket:
        size = 0
        for number, events in enumerate(objects):
            when = START + number * apart
            path = folder / sample.key(ACCOUNT, REGION, when, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                sample.write(file, sample.events(number, events, when, ACCOUNT, REGION))
            size += decompressed(path)
        return Bucket(name, len(objects), sum(objects), size, log_type)

    return kept(root, name, make)
