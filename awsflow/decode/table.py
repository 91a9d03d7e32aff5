"""Tables: text with an event on each line, in columns. How lines are split and what columns are called is data."""

from collections.abc import Callable, Iterator, Sequence
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
from awsflow.decode.columns_at_once import (
    Columns,
    SplitAtOnce,
    bracketed_spaces_at_once,
    commas_at_once,
    delimited_at_once,
    quoted_spaces_at_once,
    spaces_and_lists_at_once,
)
from awsflow.decode.lines import LIMIT, blocks
from awsflow.items import Block, RowsOrBlock, Unreadable
from awsflow.rows import Rows

__all__ = [
    "Columns",
    "Names",
    "Split",
    "SplitAtOnce",
    "Table",
    "bracketed_spaces_at_once",
    "by_bracketed_spaces",
    "by_commas",
    "by_commas_and_spaces",
    "by_quoted_spaces",
    "by_spaces",
    "by_spaces_and_lists",
    "by_tabs",
    "commas_at_once",
    "delimited_at_once",
    "quoted_spaces_at_once",
    "rows",
    "spaces_and_lists_at_once",
]

Names: TypeAlias = tuple[str, ...]
"""What columns are called, from the first one on."""


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
    split_at_once: SplitAtOnce | None = None
    """The same for many lines that are alike, if there is such a way."""
    header: Callable[[str], Names | None] | None = None
    """The names that a line gives to the columns of those behind it; empty: a comment; None: an event."""
    may_begin_header: Callable[[str], object] | None = None
    """Whether a line with this first column might be a header; it spares looking at each line. None: any might."""
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
    for some in blocks(chunks, limit):
        block, names, above = _block(some, first, table, names, above)
        yield block
        first += len(some)


def _block(
    some: Sequence[bytes], first: int, table: Table, names: Names, above: bytes
) -> tuple[RowsOrBlock, Names, bytes]:
    """The events of a few lines, the first of which has this number; the columns' names behind them, and their header.

    `above` is the header above them, if there is one.
    """
    events = _at_once(some, table, names)
    if events is None and (headers := _headers(some, table)):
        _, names, above = _one_by_one(some[:headers], first, table, names, above)
        some, first = some[headers:], first + headers
        events = _at_once(some, table, names)
    return _one_by_one(some, first, table, names, above) if events is None else (events, names, above)


def _headers(some: Sequence[bytes], table: Table) -> int:
    """How many of the lines are headers, before the first one that is none."""
    if table.header is not None:
        for at, line in enumerate(some):
            try:
                text = line.decode()
                if not text.strip() or table.header(text) is None:
                    return at
            except ValueError:
                return at
    return 0


def _at_once(some: Sequence[bytes], table: Table, names: Names) -> RowsOrBlock | None:
    """The events of lines that are neither blank nor headers; None if one of them is, or cannot be read."""
    if not (some and names):
        return None
    try:
        found = _of_columns(some, table, names)
        return _of_lines([line.decode() for line in some], table, names) if found is None else found
    except ValueError:
        return None  # one of the lines spoils it for the others


def _of_columns(some: Sequence[bytes], table: Table, names: Names) -> Rows | None:
    """The events of lines that are split in one go; None if that is not possible."""
    found = table.split_at_once(some) if table.split_at_once else None
    if found is None:
        return None
    if table.header is not None and (
        table.may_begin_header is None or any(map(table.may_begin_header, set(found.columns[0])))
    ):
        return None
    return _rows(found, table, names)


def _of_lines(texts: list[str], table: Table, names: Names) -> RowsOrBlock | None:
    """The events of lines, each of them split; None, or ValueError, if one of them is none."""
    split = table.split(texts)
    widths = set(map(len, split))
    widest = max(widths)
    if len(split) != len(texts) or min(widths) < max(_least(table, names), 2):
        return None
    if widest > len(names) and table.beyond == "refuse":
        return None
    if table.header is not None and any(table.header(text) is not None for text in texts):
        return None
    if len(widths) == 1 and (found := _rows(Columns(list(zip(*split, strict=True))), table, names)) is not None:
        return found
    names = _stretched(names, widest, table)
    if table.finish is None:
        return [dict(zip(names, row)) for row in split]  # noqa: B905 - strict=False takes a tenth of the time
    return [table.finish(dict(zip(names, row))) for row in split]  # noqa: B905 - likewise


def _rows(found: Columns, table: Table, names: Names) -> Rows | None:
    """The events with these columns; None if they do not fit, or it takes mappings to finish them."""
    width = len(found.columns)
    if width < max(_least(table, names), 2) or (width > len(names) and table.beyond == "refuse"):
        return None
    names = _stretched(names, width, table)[:width]
    if len({*names}) < len(names) or (table.finish and not table.finish_rows):
        return None
    escaped = None if found.escaped is None else [names[at] for at in found.escaped if at < len(names)]
    rows = Rows(names, found.columns[: len(names)], escaped=escaped, optional=())
    return table.finish_rows(rows) if table.finish_rows else rows


def _one_by_one(
    some: Sequence[bytes], first: int, table: Table, names: Names, above: bytes
) -> tuple[Block, Names, bytes]:
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
