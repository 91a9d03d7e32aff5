"""Placeholder."""
import zlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Placeholder."""

    size: int = 64 << 30
    ratio: float = 2000.0
    spooled: int = 8 << 30


def members(chunks: Iterator[bytes], name: str = "", limits: Limits = Limits()) -> Iterator[Iterator[bytes]]:
    """Placeholder."""
    data = b"".join(chunks)
    yield iter([zlib.decompress(data, 31) if data[:2] == b"\x1f\x8b" else data])
