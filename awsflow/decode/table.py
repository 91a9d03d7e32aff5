"""Tables: text with an event on each line, in columns. How lines are split and what columns are called is data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from awsflow.decode.columns import (
    Split,
    by_bracketed_spaces,
    by_commas,
    by_commas_and_spaces,
    by_quoted_spaces,
    by_spaces,
    by_spaces_and_lists,
    by_tabs,
)
from awsflow.decode.lines import LIMIT, lines
from awsflow.items import Block, RowsOrBlock, Unreadable
from awsflow.rows import Rows

__all__ = [
    "BLOCK",
    "Names",
    "Split",
    "Table",
    "by_bracketed_spaces",
    "by_commas",
    "by_commas_and_spaces",
    "by_quoted_spaces",
    "by_spaces",
    "by_spaces_and_lists",
    "by_tabs",
    "rows",
]

Names: TypeAlias = tuple[str, ...]
"""What columns are called, from the first one on."""
BLOCK = 100
"""Events of a block at most."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a log's lines look like."""

    names: Names
    """Of the columns. With a header this is what holds until one is met; empty: there must be one."""
    split: Split
    least: int | None = None
    """Columns that a line has at least; the others are left out where they are missing. None: all of them."""
    beyond: Literal["extra", "drop", "refuse"] = "extra"
    """What becomes of columns behind the named ones: `extra_1`, `extra_2`, ...; nothing; or the line is refused."""
    header: Callable[[str], Names | None] | None = None
    """The names that a line gives to the columns of those behind it; empty: a comment; None: an event."""
    finish: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What is made of each event. ValueError, with what is wrong, makes it unreadable."""
    finish_rows: Callable[[Rows], Rows] | None = None
    """The same for many events at once, if there is such a way."""


def rows(chunks: Iterator[bytes], table: Table, limit: int = LIMIT) -> Iterator[RowsOrBlock]:
    """The events of a table, one for each line that is neither blank nor a header; values are text.

    A line that does not fit, or is not UTF-8, becomes an Unreadable in its place.
    """
    names, above = table.names, b""
    first = 1
    for some in lines(chunks, limit):
        for at in range(0, len(some), BLOCK):
            block, names, above = _block(some[at : at + BLOCK], first + at, table, names, above)
            yield block
        if not some:
            yield []
        first += len(some)


def _block(some: list[bytes], first: int, table: Table, names: Names, above: bytes) -> tuple[RowsOrBlock, Names, bytes]:
    """The events of a few lines, the first of which has this number; the columns' names behind them, and their header.

    `above` is the header above them, if there is one.
    """
    try:
        events = _at_once(b"\n".join(some).decode().split("\n"), table, names)
    except ValueError:
        events = None  # one of the lines spoils it for the others
    return _one_by_one(some, first, table, names, above) if events is None else (events, names, above)


def _at_once(texts: list[str], table: Table, names: Names) -> RowsOrBlock | None:
    """The events of lines that are neither blank nor headers; None, or ValueError, if one of them is not an event."""
    split = table.split(texts)
    widths = set(map(len, split))
    widest = max(widths)
    if len(split) != len(texts) or min(widths) < max(_least(table, names), 2):
        return None
    if not names or (widest > len(names) and table.beyond == "refuse"):
        return None
    if table.header is not None and any(table.header(text) is not None for text in texts):
        return None
    names = _stretched(names, widest, table)
    if len(widths) == 1 and (table.finish is None or table.finish_rows is not None):
        names = names[:widest]
        if len({*names}) == len(names):
            found = Rows(names, [column for column, _ in zip(zip(*split, strict=True), names, strict=False)])
            return table.finish_rows(found) if table.finish_rows else found
    if table.finish is None:
        return [dict(zip(names, row)) for row in split]  # noqa: B905 - strict=False takes a tenth of the time
    return [table.finish(dict(zip(names, row))) for row in split]  # noqa: B905 - likewise


def _one_by_one(some: list[bytes], first: int, table: Table, names: Names, above: bytes) -> tuple[Block, Names, bytes]:
    """The same, line by line."""
    block: Block = []
    for number, line in enumerate(some, first):
        try:
            text = line.decode()
            header = table.header(text) if table.header and text.strip() else None
            if header is not None:
                names, above = (header, line) if header else (names, above)
                continue
            (row,) = table.split([text])
            if len(row) > 1 or text.strip():
                block.append(_event(row, table, names))
        except UnicodeDecodeError as error:
            wrong = f"line {number}: not UTF-8 ({error.reason} at its byte {error.start})"
            block.append(Unreadable(wrong, line, above))
        except ValueError as error:
            block.append(Unreadable(f"line {number}: {error}", line, above))
    return block, names, above


def _event(row: list[str], table: Table, names: Names) -> dict[str, Any]:
    """The event of a line's columns. ValueError, with what is wrong, if they do not fit."""
    if not names:
        raise ValueError("there is no header above it that names its columns")
    least = _least(table, names)
    if len(row) < least:
        raise ValueError(f"{len(row)} columns, where {least} are the least")
    if len(row) > len(names) and table.beyond == "refuse":
        raise ValueError(f"{len(row)} columns, where {len(names)} are the most")
    event: dict[str, Any] = dict(zip(_stretched(names, len(row), table), row, strict=False))
    return table.finish(event) if table.finish else event


def _least(table: Table, names: Names) -> int:
    """Columns that a line has at least."""
    return len(names) if table.least is None else min(table.least, len(names))


def _stretched(names: Names, width: int, table: Table) -> Names:
    """Names for so many columns, if those behind the named ones are wanted."""
    if table.beyond != "extra" or width <= len(names):
        return names
    return (*names, *(f"extra_{at}" for at in range(1, width - len(names) + 1)))


def distinct(names: list[str]) -> Names:
    """The names of columns; those that are empty, or there before, with their column's number."""
    return tuple(
        name if name and name not in names[:at] else f"{name or 'column'}_{at + 1}" for at, name in enumerate(names)
    )
