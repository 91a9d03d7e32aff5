"""The JSON of rows, without a mapping in between: constants and texts, joined for many rows at once.

Byte by byte what `json_bytes` makes of the mappings, one after the other: tests/test_rows.py proves it.
"""

from collections.abc import Sequence
from typing import Any, cast

from awsflow.exactjson import json_bytes
from awsflow.joined import Joined
from awsflow.rows import Column, Rows, is_plain

_MARK = "\x7f"
"""A character that JSON does not escape, and that hardly any text has."""


class RowsJson:
    """Writes rows whose fields have these names, each row between two other texts of JSON."""

    def __init__(self, names: tuple[str, ...], before: bytes, after: bytes, head: bytes = b"") -> None:
        """`before` goes as far as to where the first field's name begins, `after` from behind the last one's value.

        None may hold a line break, and nothing that `json_bytes` has written does; nor `after` end in white space.
        `head` is that of what is `Joined`.
        """
        first, *labels = [json_bytes(name).decode() + ':"' for name in names]
        self._head = head
        self._first = (head + before).decode() + first
        self._labels = [f'",{label}' for label in labels]
        self._last = '"' + after.decode() + "\n"
        self._least = len((self._first + self._last).encode())
        """Bytes of a line that has the first field alone, and no text in it."""
        self._empty = self._least + len("".join(self._labels).encode())
        """The same of one that has all fields."""
        self._parts: list[Any] = []

    def joined(self, rows: Rows) -> Joined | None:
        """The rows' JSON; None where the first field is missing: then it takes mappings."""
        if not (count := len(rows)):
            return Joined(b"", 0, head=self._head)
        step = 2 * len(rows.names)
        if len(self._parts) != step * count + 1:
            self._parts = self._constants(count)
        parts = self._parts
        columns: Sequence[Column] = ()
        if rows.cells is not None:
            parts[1::2] = rows.cells
        else:
            columns = _as_in_json(rows)
            for at, column in enumerate(columns):
                parts[2 * at + 1 :: step] = column
        least = self._empty
        try:
            text = "".join(parts)
        except TypeError:  # None is no text
            if None in columns[0]:
                return None
            parts = self._without_missing(parts, rows, columns)
            text = "".join(parts)
            least = self._least
        if rows.escaped is None and not is_plain("".join(parts[1::2])):
            return self.joined(Rows(rows.names, rows.columns, escaped=rows.names, optional=rows.optional))
        joined = text.encode()
        return Joined(joined, count, head=self._head, longest=len(joined) - (count - 1) * least)

    def _without_missing(self, parts: list[str], rows: Rows, columns: Sequence[Column]) -> list[str]:
        """The same parts, in which neither the name of a field stands nor its text, where it is missing."""
        parts = [*parts]  # for the constants are those of other rows as well
        step = 2 * len(rows.names)
        labels = zip(rows.names[1:], self._labels, columns[1:], strict=True)
        for at, (name, label, column) in enumerate(labels, 1):
            may_be_missing = rows.optional is None or name in rows.optional
            if may_be_missing and not all(column) and None in column:
                parts[2 * at :: step] = ["" if text is None else label for text in column]
                parts[2 * at + 1 :: step] = ["" if text is None else text for text in column]
        return parts

    def _constants(self, count: int) -> list[str]:
        """All that stands between the texts of so many rows, and room for these in every other place."""
        between = [self._last + self._first, *self._labels]
        parts = [""] * (2 * count * len(between) + 1)
        parts[0::2] = [*(between * count), self._last]
        parts[0] = self._first
        return parts


def _as_in_json(rows: Rows) -> Sequence[Column]:
    """The columns, in those that are known to be escaped with texts as they stand in JSON between the quotes."""
    if not (escaped := rows.escaped):
        return rows.columns
    return [
        _escaped(column) if name in escaped else column for name, column in zip(rows.names, rows.columns, strict=True)
    ]


def _escaped(column: Column) -> Column:
    """The same of one column: in one go, if none is missing and none holds the mark that is put between them."""
    try:
        together = _MARK.join(cast("Sequence[str]", column))
    except TypeError:  # None is no text
        pass
    else:
        if is_plain(together):
            return column
        texts = json_bytes(together)[1:-1].decode().split(_MARK)
        if len(texts) == len(column):
            return texts
    return [text if text is None else json_bytes(text)[1:-1].decode() for text in column]
