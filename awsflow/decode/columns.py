"""Splitting lines of text into columns.

Each of these takes many lines at once, which is faster, but a line's columns never depend on the lines around it.
"""

import csv
import re
from collections.abc import Callable
from typing import TypeAlias

Split: TypeAlias = Callable[[list[str]], list[list[str]]]
"""From lines to the columns of each, a list for each line. ValueError if one of the lines cannot be split."""


def _quoted(end: str) -> str:
    """A pattern for a column in quotes: doubled ones, and those behind which the column goes on, are part of it."""
    return rf'"([^"]*+(?:(?:""|"(?!{end}))[^"]*+)*+)"'


_Column: TypeAlias = Callable[[str, int], re.Match[str] | None]
"""Finds a column with its delimiter; the pattern's first group is what stands in quotes."""
_before_comma = re.compile(rf'(?:{_quoted(",")}|((?!")[^,]*+)),').match
_before_comma_after_spaces = re.compile(rf' *+(?:{_quoted(",")}|((?!")[^,]*+)),').match
_before_space = re.compile(rf'(?:{_quoted(" ")}|((?!")[^ ]*+)) ').match
_before_space_or_bracketed = re.compile(
    rf'(?:{_quoted(" ")}|\[([^\]]*+(?:\](?! )[^\]]*+)*+)\]|((?!["\[])[^ ]*+)) '
).match

_before_space_or_list = re.compile(r'(?:"([^"]*+)"|((?:"[^"]*+",)*+"[^"]*+"|(?!")[^ ]*+)) ').match


def by_spaces(lines: list[str]) -> list[list[str]]:
    """Split at each run of white space."""
    return list(map(str.split, lines))


def by_tabs(lines: list[str]) -> list[list[str]]:
    """Split at each tab."""
    return [line.split("\t") for line in lines]


def by_commas(lines: list[str]) -> list[list[str]]:
    r"""Split as CSV (RFC 4180), each line for itself.

    A quote that is not doubled ends a column only where a comma follows. ValueError where one is not closed.

    >>> by_commas(['a,"b,c",,"say ""hi""!","say "hi"!"'])
    [['a', 'b,c', '', 'say "hi"!', 'say "hi"!']]
    """
    return _split(lines, ",", _before_comma)


def by_commas_and_spaces(lines: list[str]) -> list[list[str]]:
    """Split as CSV in which spaces may follow a comma, else as `by_commas`."""
    return _split(lines, ",", _before_comma_after_spaces, spaced=True)


def by_quoted_spaces(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes, which come off; spaces at the end are none of a line's.

    A quote ends a column only where a space follows. ValueError where one is not closed.

    >>> by_quoted_spaces(['a "b c" - "say "hi"!" d '])
    [['a', 'b c', '-', 'say "hi"!', 'd']]
    """
    return _split([line.rstrip(" ") for line in lines], " ", _before_space)


def by_spaces_and_lists(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes, which come off a column, but not off the items of a list.

    >>> by_spaces_and_lists(['a "-" "h2","http/1.1" "b c"'])
    [['a', '-', '"h2","http/1.1"', 'b c']]
    """
    return [_columns(line.rstrip(" "), " ", _before_space_or_list) if '"' in line else line.split() for line in lines]


def by_bracketed_spaces(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes or brackets, which come off.

    A quote or bracket ends a column only where a space follows. ValueError where one is not closed.

    >>> by_bracketed_spaces(['a [b c] "d e" - "say "hi"!" f'])
    [['a', 'b c', 'd e', '-', 'say "hi"!', 'f']]
    """
    lines = [line.rstrip(" ") for line in lines]
    try:
        return _csv([_with_quotes(line) for line in lines], " ")
    except ValueError:
        pass  # one of the lines
    split = []
    for line in lines:
        try:
            split += _csv([_with_quotes(line)], " ")
        except ValueError:
            split.append(_columns(line, " ", _before_space_or_bracketed))
    return split


def _split(lines: list[str], delimiter: str, column: _Column, *, spaced: bool = False) -> list[list[str]]:
    """Split as CSV; lines that the csv module does not take (quotes within a column, long ones) by a pattern."""
    try:
        return _csv(lines, delimiter, spaced=spaced)
    except ValueError:
        pass  # one of the lines
    split = []
    for line in lines:
        try:
            split += _csv([line], delimiter, spaced=spaced)
        except ValueError:
            split.append(_columns(line, delimiter, column))
    return split


def _csv(lines: list[str], delimiter: str, *, spaced: bool = False) -> list[list[str]]:
    """One row for each line, if every line closes its quotes and has none within a column; ValueError else."""
    try:
        split = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if len(split) != len(lines):
        raise ValueError("a quote is not closed")
    return split


def _with_quotes(line: str) -> str:
    """A line whose one group in brackets, ahead of all quotes, stands in quotes instead; ValueError for any other."""
    head, _, rest = line.partition(" [")
    inside, closed, rest = rest.partition("] ")
    if not closed or head.startswith("[") or '"' in head or '"' in inside or rest.startswith("[") or " [" in rest:
        raise ValueError("not one group in brackets")
    return f'{head} "{inside}" {rest}'


def _columns(line: str, delimiter: str, column: _Column) -> list[str]:
    """The columns that a pattern finds one after the other. ValueError where it finds none."""
    columns: list[str] = []
    line, at = line and line + delimiter, 0
    while at < len(line):
        found = column(line, at)
        if found is None:
            raise ValueError(f"the {line[at]} of column {len(columns) + 1} is not closed")
        text = found[found.lastindex or 0]
        columns.append(text.replace('""', '"') if found.lastindex == 1 else text)
        at = found.end()
    return columns
