"""Parquet: rows in columns. What tells how they are laid out stands at the end of a file.

https://parquet.apache.org/docs/file-format/
"""

import os
import tempfile
from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any, BinaryIO, TypeAlias

from awsflow.decode.parquet_values import Plan, plan, shown, values
from awsflow.errors import DecodeError, LibraryMissing
from awsflow.items import Block, Event, Unreadable

MAGIC = b"PAR1"

_Library: TypeAlias = Any  # pyarrow has no types, and is not there on every machine

BLOCK = 250
"""Rows that are read at a time."""
_BUFFER = 1 << 16
"""Bytes that are read at a time of each column."""


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins so is Parquet."""
    return head.startswith(MAGIC)


def peek(chunks: Iterator[bytes]) -> Generator[Block, None, tuple[bytes, Iterator[bytes]]]:
    """Return the first bytes, enough to tell Parquet, and all chunks again.

    Yields an empty block for each chunk that is waited for.
    """
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(MAGIC):
            break
        yield []
    return head, chain([head], chunks)


def parquet_rows(chunks: Iterator[bytes], limit: int = 8 << 30) -> Iterator[Block]:
    """The rows as events, with the columns in the file's order; an empty block for each chunk that is taken in.

    Text, numbers, truth values and nulls are what they are; structs become objects, lists lists, maps lists of pairs;
    dates and times the text that `str` makes of Python's, with the digits of nanoseconds if there are any; decimals
    their digits; bytes text. A row with a value that cannot be told becomes an Unreadable in its place.

    The file is kept on disk while it is read, in an unlinked one of at most `limit` bytes. In memory are, of each
    column, a page and what 250 rows come to.

    Raises DecodeError if it is larger, or broken, having yielded the rows before that place; LibraryMissing without
    pyarrow.
    """
    arrow, parquet = _pyarrow()
    with _spool() as spool:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise DecodeError(f"a Parquet file of more than the limit of {limit:,} bytes", limit)
            try:
                spool.write(chunk)
                spool.flush()
            except OSError as error:
                raise _cannot_keep(error) from None
            yield []
        yield from _rows(arrow, parquet, spool)


def _pyarrow() -> tuple[_Library, _Library]:
    """The library; it is told to give memory back to the system, not to keep it.

    What decompresses and decodes pages takes memory from a pool of its own choice, which is the environment's to say
    and looked up once: some 30 MB less at the peak.
    https://arrow.apache.org/docs/cpp/env_vars.html#envvar-ARROW_DEFAULT_MEMORY_POOL
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    try:
        import pyarrow  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; optional, few objects need it
        import pyarrow.parquet  # type: ignore[import-untyped] # noqa: PLC0415 - likewise
    except ImportError as missing:
        raise LibraryMissing(
            "reading Parquet: the library pyarrow is missing; pip install 'awsflow[parquet]'"
        ) from missing
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    return pyarrow, pyarrow.parquet


def _spool() -> BinaryIO:
    """An empty file without a name."""
    try:
        return tempfile.TemporaryFile(prefix="awsflow-")
    except OSError as error:
        raise _cannot_keep(error) from None


def _cannot_keep(error: OSError) -> DecodeError:
    folder = tempfile.tempdir or "a temporary folder"
    return DecodeError(f"keeping a Parquet file in {folder}: {error.strerror}; give it a larger one with TMPDIR")


def _rows(arrow: _Library, parquet: _Library, file: BinaryIO) -> Iterator[Block]:
    """The rows of a file."""
    broken = (arrow.ArrowException, OSError, ValueError, LookupError, ArithmeticError)
    where = ""
    number = 0
    try:
        source = parquet.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True)
        plans = [plan(arrow, column.type) for column in source.schema_arrow]
        for group in range(source.num_row_groups):
            where = f", in row group {group + 1} of {source.num_row_groups} behind {number} rows"
            for batch in source.iter_batches(batch_size=BLOCK, row_groups=[group], use_threads=False):
                try:
                    block = _events(batch, plans)
                except broken:  # one of the rows spoils it for the others
                    block = [_event(arrow, batch.slice(at, 1), plans, number + at + 1) for at in range(len(batch))]
                number += len(batch)
                yield block
    except broken as error:
        complaint = str(error).partition("\n")[0] or type(error).__name__
        raise DecodeError(f"not a Parquet file that can be read{where}: {complaint}") from None


def _events(batch: Any, plans: list[Plan]) -> Block:
    """The rows of a batch."""
    names = batch.schema.names
    columns = [values(column, how) for column, how in zip(batch.columns, plans, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _event(arrow: _Library, row: Any, plans: list[Plan], number: int) -> Event | Unreadable:
    """The only row of a batch."""
    try:
        return _events(row, plans)[0]
    except (arrow.ArrowException, ValueError, LookupError, ArithmeticError) as error:
        told = [f"{name}={shown(arrow, column)}" for name, column in zip(row.schema.names, row.columns, strict=True)]
        return Unreadable(f"row {number}: {error}", ", ".join(told).encode("utf-8", "backslashreplace"))
