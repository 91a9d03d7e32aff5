"""Splitting lines of text into columns: what a line's columns are, whatever lines lie around it.

`awsflow.decode.columns_at_once` makes the same of many lines in one go, where they are alike.
"""

import csv
import re
from collections.abc import Callable
from typing import TypeAlias

Split: TypeAlias = Callable[[list[str]], list[list[str]]]
"""From lines to the columns of each, a list for each line. ValueError if one of the lines cannot be split."""


_Column: TypeAlias = Callable[[str, int], re.Match[str] | None]
"""Finds a column with its delimiter; the pattern's first group is what stands in quotes."""
# Groups are repeated inside of atomic ones: possessively, as `(...)*+`, Python 3.11.0 to 3.11.4 matches them wrongly.
_CSV = r'"([^"]*+(?>(?:""[^"]*+)*))"|((?!")[^,]*+)'
_before_comma = re.compile(rf"(?:{_CSV}),").match
_before_comma_after_spaces = re.compile(rf" *+(?:{_CSV}),").match
_NESTED = r'(?<= )"[^" ][^"]*+"'
_AT_THE_END = r' (?:"|[^" ]*+(?: |\Z))'
_QUOTED = rf'"([^"]*+(?>(?:(?:""|{_NESTED}|"(?!{_AT_THE_END}))[^"]*+)*))"'
"""Quotes are part of what stands between quotes if they are doubled, come in pairs around words, or have no column
behind them: a space, and then something in quotes, or without any up to the next space."""
_before_space = re.compile(rf'(?:{_QUOTED}|([^" ]*+)) ').match
_before_space_or_bracketed = re.compile(rf'(?:{_QUOTED}|\[([^\]]*+(?>(?:\](?! )[^\]]*+)*))\]|((?!\[)[^" ]*+)) ').match
_before_space_or_list = re.compile(r'(?:"([^"]*+)"|((?>(?:"[^"]*+",)*)"[^"]*+"|[^" ]*+)) ').match


def by_spaces(lines: list[str]) -> list[list[str]]:
    """Split at each run of white space."""
    return list(map(str.split, lines))


def by_tabs(lines: list[str]) -> list[list[str]]:
    """Split at each tab."""
    return [line.split("\t") for line in lines]


def by_commas(lines: list[str]) -> list[list[str]]:
    r"""Split as CSV (RFC 4180), each line for itself. ValueError where a quote is not closed.

    >>> by_commas(['a,"b,c",,"say ""hi""!"'])
    [['a', 'b,c', '', 'say "hi"!']]
    """
    return _csv_or_else(lines, ",", _before_comma)


def by_commas_and_spaces(lines: list[str]) -> list[list[str]]:
    """Split as CSV in which spaces may follow a comma, else as `by_commas`."""
    return _csv_or_else(lines, ", ", _before_comma_after_spaces)


def by_quoted_spaces(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes, which come off; spaces at the end are none of a line's.

    Quotes between quotes need not be doubled, if it can be told where the column ends. ValueError where it cannot, or
    where a quote is not closed.

    >>> by_quoted_spaces(['a "b c" - "say "hi"!" d '])
    [['a', 'b c', '-', 'say "hi"!', 'd']]
    """
    return [_at_spaces(line.rstrip(" "), _bare, _before_space) for line in lines]


def by_spaces_and_lists(lines: list[str]) -> list[list[str]]:
    r"""Split at spaces, but not between double quotes, which come off a column, but not off the items of a list.

    >>> by_spaces_and_lists(['a "-" "h2","http/1.1" "b c"'])
    [['a', '-', '"h2","http/1.1"', 'b c']]
    """
    return [_columns(line.rstrip(" "), " ", _before_space_or_list) if '"' in line else line.split() for line in lines]


def by_bracketed_spaces(lines: list[str]) -> list[list[str]]:
    r"""Split as `by_quoted_spaces`, and not between brackets either, which come off too.

    A bracket ends a column only where a space follows.

    >>> by_bracketed_spaces(['a [b c] "d e" - "say "hi"!" f'])
    [['a', 'b c', 'd e', '-', 'say "hi"!', 'f']]
    """
    return [_at_spaces(line.rstrip(" "), _bare_or_bracketed, _before_space_or_bracketed) for line in lines]


def _at_spaces(line: str, bare: Callable[[str], list[str]], column: _Column) -> list[str]:
    """The columns of a line: at once, if there are no quotes within any, else one after the other by the pattern.

    `bare` makes columns of what stands outside of quotes. ValueError, if that takes the pattern too.
    """
    parts = f" {line} ".split('"')
    if not line or len(parts) % 2 == 0:
        return _columns(line, " ", column)
    columns: list[str] = []
    try:
        for outside, quoted in zip(parts[::2], [*parts[1::2], ""], strict=True):
            if outside != " ":
                if outside[:1] != " " or outside[-1:] != " ":
                    return _columns(line, " ", column)
                columns += bare(outside[1:-1])
            columns.append(quoted)
    except ValueError:
        return _columns(line, " ", column)
    columns.pop()
    return columns


def _bare(text: str) -> list[str]:
    """The columns of a text without quotes."""
    return text.split(" ")


def _bare_or_bracketed(text: str) -> list[str]:
    """The columns of a text with one group in brackets, or none; ValueError for any other."""
    before, bracket, behind = text.partition("[")
    if not bracket:
        return text.split(" ")
    inside, closed, behind = behind.partition("]")
    if not closed or "[" in behind or before[-1:].strip(" ") or behind[:1].strip(" "):
        raise ValueError("not one group in brackets")
    columns = before.split(" ")
    columns[-1] = inside
    return columns + behind.split(" ")[1:]


def _csv_or_else(lines: list[str], delimiter: str, column: _Column) -> list[list[str]]:
    """Split lines as CSV; those that the csv module does not take, such as long ones, by the pattern."""
    try:
        return _csv(lines, delimiter)
    except ValueError:  # one of the lines
        if len(lines) == 1:
            return [_columns(lines[0], delimiter[0], column)]
        return [_csv_or_else([line], delimiter, column)[0] for line in lines]


def _csv(lines: list[str], delimiter: str) -> list[list[str]]:
    """One row for each line, if every line closes its quotes and has none within a column; ValueError else."""
    spaced = len(delimiter) > 1
    try:
        split = list(csv.reader(lines, delimiter=delimiter[0], skipinitialspace=spaced, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if len(split) != len(lines):
        raise ValueError("a quote is not closed")
    return split


def _columns(line: str, delimiter: str, column: _Column) -> list[str]:
    """The columns that a pattern finds one after the other. ValueError where it finds none."""
    columns: list[str] = []
    line, at = line and line + delimiter, 0
    while at < len(line):
        found = column(line, at)
        if found is None:
            wrong = f"the {line[at]} of column" if line[at] in '"[' else "a quote in column"
            raise ValueError(f"{wrong} {len(columns) + 1} is not closed")
        text = found[found.lastindex or 0]
        columns.append(text.replace('""', '"') if found.lastindex == 1 else text)
        at = found.end()
    return columns
