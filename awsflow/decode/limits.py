"""How far an object may grow while it is decompressed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from awsflow.errors import DecompressError

_RATIO_FROM = 128 << 20
"""Bytes of content from which on the ratio counts: short objects may be as dense as they like."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one object may come to. Generous: logs stay far below, and what goes beyond is made to do harm."""

    size: int = 64 << 30
    """Bytes of content of all files in an object."""
    ratio: float = 2000
    """Bytes of content to each byte of the object, looked at from 128 MiB on. Deflate cannot exceed 1032."""
    spooled: int = 8 << 30
    """Bytes of a zip that are kept on disk while it is read, for its directory is at its end."""


GENEROUS = Limits()


class Growth:
    """Counts what an object has become so far, against the part of it that was needed for that."""

    def __init__(self, limits: Limits, taken: Callable[[], int]) -> None:
        self._limits = limits
        self._taken = taken
        self._size = 0

    def limited(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass the pieces on; DecompressError where a limit is hit."""
        limits = self._limits
        for piece in pieces:
            self._size += len(piece)
            if self._size > limits.size:
                raise DecompressError(
                    f"the content grows beyond {limits.size:,} bytes, at byte {self._taken():,} of the object; "
                    "if it is meant to be so large, raise --max-object-size"
                )
            if self._size > _RATIO_FROM and self._size > limits.ratio * self._taken():
                raise DecompressError(
                    f"the first {self._taken():,} bytes of the object grow to {self._size:,}, more than "
                    f"{limits.ratio:,} times as many: a decompression bomb? If it is a log, raise --max-ratio"
                )
            yield piece
