"""Rows: how objects and failures are written to the database, and read from it, in little space."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

from awsflow.state.positions import FailedObject, ObjectPosition, Remembered

_AT_ONCE = 500
"""Keys asked for in one question: SQLite before 3.32 takes no more than 999 values."""
_AT_MOST = 10_000
"""Objects of the failures list that are read at once, so that a bucket full of bad ones fits into memory."""
Progress: TypeAlias = Mapping[tuple[int, str], ObjectPosition]
"""How far objects were read, by the number of their stream and their key."""
_FAILED = 2
"""What `finished` is of an object on the failures list. It is 1 of one that was delivered."""


def write_objects(
    connection: sqlite3.Connection,
    id_: int,
    stream: str,
    kept: int,
    positions: Mapping[str, ObjectPosition],
    *,
    time: str,
) -> None:
    """Write a stream's positions, by key; objects before the day `kept` concern only the failures list."""
    any_failed = connection.execute("SELECT 1 FROM failures WHERE stream = ? LIMIT 1", (id_,)).fetchone()
    rows = []
    for key, position in positions.items():
        on_list = (any_failed or position.error) and _note_failure(connection, id_, key, position, time)
        day = _ordinal(position.found.day)
        if day is None or day >= kept:
            etag = _packed(position.found.etag)
            finished = _FAILED if on_list else int(position.finished)
            rows.append((id_, _short(key, stream), day, etag, position.records, finished))
    connection.executemany("REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)", rows)


def write_progress(connection: sqlite3.Connection, positions: Progress) -> bool:
    """Write how far objects have been read, if a part of each is all that was written of it before.

    False if it is not: then some may be written, and all are to be written as a whole, in the same transaction.
    """
    rows = [
        (position.records, id_, _short(key, position.found.stream), _packed(position.found.etag))
        for (id_, key), position in positions.items()
    ]
    done = connection.executemany(
        "UPDATE objects SET records = ? WHERE stream = ? AND key = ? AND etag = ? AND finished = 0", rows
    )
    return done.rowcount == len(rows)


def read_objects(
    connection: sqlite3.Connection, id_: int, stream: str, keys: Iterable[str]
) -> Iterator[tuple[str, Remembered]]:
    """Read what is known of these objects of one stream."""
    names = {_short(key, stream): key for key in keys}
    asked = list(names)
    for begin in range(0, len(asked), _AT_ONCE):
        some = asked[begin : begin + _AT_ONCE]
        marks = ",".join("?" * len(some))
        question = f"SELECT key, etag, records, finished FROM objects WHERE stream = ? AND key IN ({marks})"  # noqa: S608 - question marks
        rows = connection.execute(question, (id_, *some))
        for short, etag, records, finished in rows:
            yield names[short], Remembered(unpacked(etag), records, bool(finished), failed=finished == _FAILED)


def write_deletions(connection: sqlite3.Connection, work: int, positions: Iterable[ObjectPosition]) -> None:
    """Write which of a work's objects are to be deleted: those that are finished."""
    connection.executemany(
        "REPLACE INTO deletions (work, key, etag) VALUES (?, ?, ?)",
        (
            (work, position.found.origin.key, _packed(position.found.etag))
            for position in positions
            if position.finished and not position.error
        ),
    )


def write_taken_over(connection: sqlite3.Connection, id_: int, stream: str, keys: Iterable[tuple[date, str]]) -> None:
    """Write that another program has read these objects of a stream, those not known already; their ETags are not."""
    rows = ((id_, _short(key, stream), day.toordinal()) for day, key in keys)
    connection.executemany("INSERT OR IGNORE INTO objects VALUES (?, ?, ?, '', 0, 1)", rows)


def read_failures(connection: sqlite3.Connection, work: int, below: int) -> Iterator[FailedObject]:
    """Read the failures list of a work, as far as there were less than `below` attempts; 10,000 objects at most."""
    rows = connection.execute(
        "SELECT name, key, etag, size, records, error, first, last, attempts, day FROM failures "
        "JOIN streams ON stream = id WHERE work = ? AND attempts < ? ORDER BY name, key LIMIT ?",
        (work, below, _AT_MOST),
    )
    return map(failed_object, rows)


def failed_object(row: Sequence[Any]) -> FailedObject:
    """The object of a row of the failures list: the stream's name, and then its columns from the key on."""
    stream, key, etag, size, records, error, first, last, attempts, ordinal = row
    day = None if ordinal is None else date.fromordinal(ordinal)
    return FailedObject(stream, key, unpacked(etag), size, records, error, first, last, attempts, day)


def _note_failure(connection: sqlite3.Connection, id_: int, key: str, position: ObjectPosition, time: str) -> bool:
    """Bring the failures list up to date with a position; return whether the object is on it then."""
    found = position.found
    etag = _packed(found.etag)
    done = position.finished and not position.error
    connection.execute(  # under another etag it is another object: what failed is gone
        "DELETE FROM failures WHERE stream = ? AND key = ? AND (? OR etag <> ?)", (id_, key, done, etag)
    )
    if position.error:
        connection.execute(
            "INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (stream, key) DO UPDATE SET records = excluded.records, error = excluded.error, "
            "last = excluded.last, attempts = attempts + excluded.attempts",
            (
                id_,
                key,
                _ordinal(found.day),
                etag,
                found.size,
                position.records,
                position.error,
                time,
                time,
                int(position.counts),
            ),
        )
        return True
    progress = connection.execute(
        "UPDATE failures SET records = ? WHERE stream = ? AND key = ?", (position.records, id_, key)
    )
    return progress.rowcount > 0


def _ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


def _short(key: str, stream: str) -> str:
    """Take the stream's folder off the key; a key without it, or that goes on with `=`, stays whole behind `=`.

    >>> [_short(key, "logs/fl-1") for key in ("logs/2026/a.gz", "2026/a.gz", "logs/=a.gz")]
    ['2026/a.gz', '=2026/a.gz', '=logs/=a.gz']
    """
    folder = stream[: stream.rfind("/") + 1]
    if key.startswith(folder) and not key.startswith("=", len(folder)):
        return key[len(folder) :]
    return f"={key}"


def long_key(short: str, stream: str) -> str:
    """The key that was made short.

    >>> [long_key(short, "logs/fl-1") for short in ("2026/a.gz", "=2026/a.gz", "=logs/=a.gz")]
    ['logs/2026/a.gz', '2026/a.gz', 'logs/=a.gz']
    """
    return short[1:] if short.startswith("=") else stream[: stream.rfind("/") + 1] + short


def _packed(etag: str) -> str | bytes:
    """Halve an etag that is hexadecimal, as an MD5 is."""
    try:
        packed = bytes.fromhex(etag)
    except ValueError:
        return etag
    return packed if packed.hex() == etag else etag


def unpacked(etag: str | bytes) -> str:
    """The etag as it was."""
    return etag if isinstance(etag, str) else etag.hex()
