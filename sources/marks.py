"""Marks: by which an event that comes again is known, in 16 bytes each."""

from hashlib import blake2b

SIZE = 16


def mark(time: int, content: bytes) -> bytes:
    """What is remembered of an event: sorted, marks are in the order of their times, which are milliseconds."""
    return first_mark(time) + blake2b(content, digest_size=8).digest()


def first_mark(time: int) -> bytes:
    """What no mark of that time or a later one is sorted before."""
    return time.to_bytes(8, "big")


def time_of(marked: bytes) -> int:
    """The time in a mark."""
    return int.from_bytes(marked[:8], "big")


def marks_in(kept: bytes) -> list[bytes]:
    """The marks that were kept in one piece."""
    return [kept[at : at + SIZE] for at in range(0, len(kept), SIZE)]
