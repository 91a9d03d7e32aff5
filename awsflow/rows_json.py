"""The JSON of rows, without a mapping in between: constants and texts, joined for many rows at once.

Byte by byte what `json_bytes` makes of the mappings, one after the other: tests/test_rows.py proves it.
"""

from collections.abc import Sequence
from typing import cast

from awsflow.exactjson import json_bytes
from awsflow.rows import Rows


class RowsJson:
    """Writes rows whose fields have these names, each row between two other texts of JSON."""

    def __init__(self, names: tuple[str, ...], before: bytes, after: bytes) -> None:
        """`before` goes as far as to where the first field's name begins, `after` from behind the last one's value.

        Neither may hold a line break, and nothing that `json_bytes` has written does.
        """
        first, *labels = [json_bytes(name).decode() + ':"' for name in names]
        self._first = before.decode() + first
        self._labels = [f'",{label}' for label in labels]
        self._last = '"' + after.decode()
        self._parts: list[str] = []

    def lines(self, rows: Rows) -> list[bytes] | None:
        """The rows' JSON; None where it takes more: JSON must escape something, or the first field is missing."""
        count = len(rows)
        step = 2 * len(rows.names)
        if len(self._parts) != step * count + 1:
            self._parts = self._constants(count)
        parts = self._parts
        for at, (label, column) in enumerate(zip(["", *self._labels], rows.columns, strict=True)):
            if None in column:
                if not at:
                    return None
                parts = [*parts]  # for the constants are those of other rows as well
                parts[2 * at :: step] = ["" if text is None else label for text in column]
                column = ["" if text is None else text for text in column]  # noqa: PLW2901 - the same, as text
            texts = cast("Sequence[str]", column)
            if not is_plain("".join(texts)):
                return None
            parts[2 * at + 1 :: step] = texts
        return "".join(parts).encode().split(b"\n")

    def _constants(self, count: int) -> list[str]:
        """All that stands between the texts of so many rows, and room for these in every other place."""
        between = [self._last + "\n" + self._first, *self._labels]
        parts = [""] * (2 * count * len(between) + 1)
        parts[0::2] = [*(between * count), self._last]
        parts[0] = self._first
        return parts


def is_plain(text: str) -> bool:
    """Whether a text stands in JSON as it is."""
    return text.isprintable() and '"' not in text and "\\" not in text
