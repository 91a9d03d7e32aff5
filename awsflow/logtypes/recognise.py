"""Telling log types apart: by the keys that their objects have, and by the first bytes of these."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from awsflow.errors import DecodeError
from awsflow.logtypes.types import LogType

HEAD = 1 << 12
"""Bytes that are looked at."""


def looks_right(key: str, types: Sequence[LogType], all_types: Iterable[LogType]) -> bool:
    """Whether a file that lies about may be of one of these types: it looks so, and lies in no other type's folder."""
    at_home = _at_home(key, all_types)
    return bool(by_key(key, types)) and (not at_home or any(log_type in types for log_type in at_home))


def by_key(key: str, types: Iterable[LogType]) -> list[LogType]:
    """The types that an object of this key may be of: those whose folder it lies in, if any, else all that fit."""
    fitting = [log_type for log_type in types if log_type.has(key)]
    return _at_home(key, fitting) or fitting


def sure(key: str, types: Sequence[LogType]) -> LogType | None:
    """The type of an object of this key, where no other can be meant; None: its first bytes must tell."""
    if len(types) == 1:
        return types[0]
    at_home = _at_home(key, by_key(key, types))
    return at_home[0] if len(at_home) == 1 else None


def by_content(chunks: Iterator[bytes], types: Iterable[LogType]) -> tuple[LogType, Iterator[bytes]]:
    """The type that the first bytes of a decompressed object are of, and the chunks again, from the first one on.

    DecodeError if they are of none of these types.
    """
    taken = []
    head = b""
    for chunk in chunks:
        taken.append(chunk)
        head += chunk[: HEAD - len(head)]
        if len(head) == HEAD:
            break
    for log_type in types:
        if log_type.looks_like(head):
            return log_type, chain(taken, chunks)
    raise DecodeError(f"its type cannot be told from its first bytes, {head[:60]!r}; give it with --type")


def _at_home(key: str, types: Iterable[LogType]) -> list[LogType]:
    """Those of the types in whose folder an object of this key lies."""
    return [log_type for log_type in types if any(layout.holds(key) for layout in log_type.layouts)]
