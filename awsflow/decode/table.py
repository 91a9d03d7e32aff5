"""Tables: text with an event on each line, in columns. How lines are split and what columns are called is data."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Literal, TypeAlias

from awsflow.decode.lines import LIMIT, lines
from awsflow.items import Block, Unreadable

Split: TypeAlias = Callable[[list[str]], list[list[str]]]
"""From lines to the columns of each. ValueError if a line cannot be split."""

BLOCK = 100
"""Events of a block at most."""
_quoted = re.compile(r'"(.*?)"(?= |\Z)|(\S+)').finditer
_bracketed = re.compile(r'"(.*?)"(?= |\Z)|\[(.*?)\](?= |\Z)|(\S+)').finditer


@dataclass(frozen=True, slots=True)
class Table:
    """What a log's lines look like."""

    names: tuple[str, ...]
    """Of the columns. With a header this is what holds until one is met; empty: there must be one."""
    split: Split
    least: int | None = None
    """Columns that a line has at least; the others are left out where they are missing. None: all of them."""
    beyond: Literal["extra", "drop", "refuse"] = "extra"
    """What becomes of columns behind the named ones: `extra_1`, `extra_2`, ...; nothing; or the line is refused."""
    header: Callable[[str], tuple[str, ...] | None] = lambda line: None
    """The names that a line gives to the columns of those behind it; empty: a comment; None: an event."""
    finish: Callable[[dict[str, Any]], dict[str, Any]] = lambda event: event
    """What is made of each event. ValueError, with what is wrong, makes it unreadable."""


def rows(chunks: Iterator[bytes], table: Table, limit: int = LIMIT) -> Iterator[Block]:
    """The events of a table, one for each line that is neither empty nor a header; values are text.

    A line that does not fit, or is not UTF-8, becomes an Unreadable in its place.
    """
    names = table.names
    first = 1
    for some in lines(chunks, limit):
        numbered = zip(count(first), some, strict=False)
        first += len(some)
        yielded = False
        while block := list(islice(numbered, BLOCK)):
            events, names = _events(block, table, names)
            yield events
            yielded = True
        if not yielded:
            yield []


def _events(block: list[tuple[int, bytes]], table: Table, names: tuple[str, ...]) -> tuple[Block, tuple[str, ...]]:
    """The events of a few numbered lines, and the columns' names behind them."""
    try:
        texts = b"\n".join([line for _, line in block]).decode().split("\n")
        split = table.split(texts)
    except ValueError:
        return _one_by_one(block, table, names)
    if len(split) != len(block):
        return _one_by_one(block, table, names)
    events: Block = []
    for (number, line), text, row in zip(block, texts, split, strict=True):
        if not text.strip():
            continue
        header = table.header(text)
        if header is not None:
            names = header or names
            continue
        events.append(_event(number, line, row, table, names))
    return events, names


def _one_by_one(block: list[tuple[int, bytes]], table: Table, names: tuple[str, ...]) -> tuple[Block, tuple[str, ...]]:
    """The same, where one of the lines spoils it for the others."""
    events: Block = []
    for number, line in block:
        try:
            text = line.decode()
            if not text.strip():
                continue
            header = table.header(text)
            if header is not None:
                names = header or names
                continue
            (row,) = table.split([text])
        except UnicodeDecodeError as error:
            events.append(Unreadable(f"line {number}: not UTF-8 ({error.reason} at its byte {error.start})", line))
        except ValueError as error:
            events.append(Unreadable(f"line {number}: {error}", line))
        else:
            events.append(_event(number, line, row, table, names))
    return events, names


def _event(
    number: int, line: bytes, row: list[str], table: Table, names: tuple[str, ...]
) -> dict[str, Any] | Unreadable:
    """The event of a line's columns."""
    event: dict[str, Any] = dict(zip(names, row, strict=False))
    if len(row) != len(names):
        least = len(names) if table.least is None else table.least
        if len(row) < least or (len(row) > len(names) and table.beyond == "refuse"):
            return Unreadable(f"line {number}: {len(row)} columns, where {len(names)} are expected", line)
        if table.beyond == "extra":
            event.update((f"extra_{at}", value) for at, value in enumerate(row[len(names) :], 1))
    try:
        return table.finish(event)
    except ValueError as error:
        return Unreadable(f"line {number}: {error}", line)


def by_spaces(lines: list[str]) -> list[list[str]]:
    """Split at each run of spaces."""
    return [line.split() for line in lines]


def by_tabs(lines: list[str]) -> list[list[str]]:
    """Split at each tab."""
    return [line.split("\t") for line in lines]


def by_commas(lines: list[str]) -> list[list[str]]:
    """Split as CSV (RFC 4180), each line for itself. ValueError where a quote is not closed."""
    return _csv(lines, ",")


def by_quoted_spaces(lines: list[str]) -> list[list[str]]:
    """Split at spaces, but not between double quotes, which come off. ValueError where one is not closed."""
    try:
        return _csv(lines, " ")
    except ValueError:
        return [_columns(line, _quoted) for line in lines]


def by_bracketed_spaces(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes or brackets, which come off.

    A quote ends a column only where a space follows. ValueError where one is not closed.

    >>> by_bracketed_spaces(['a [b c] "d e" - "say "hi"!" f'])
    [['a', 'b c', 'd e', '-', 'say "hi"!', 'f']]
    """
    return [_columns(line, _bracketed) for line in lines]


def _columns(line: str, tokens: Callable[[str], Iterator[re.Match[str]]]) -> list[str]:
    """The columns that a pattern finds, whose last group is what stands without quotes."""
    columns: list[str] = []
    for token in tokens(line):
        column = token[token.lastindex or 0]
        if token.lastindex == token.re.groups and column[0] in '"[':
            raise ValueError(f"the {column[0]} of column {len(columns) + 1} is not closed")
        columns.append(column)
    return columns


def _csv(lines: list[str], delimiter: str) -> list[list[str]]:
    """One row for each line, if every line closes its quotes."""
    if not any('"' in line for line in lines):
        return [line.split(delimiter) for line in lines]
    try:
        split = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if len(split) != len(lines):
        raise ValueError("a quote is not closed")
    return split
