"""Rows: events that are nothing but text in the same fields, kept as texts until somebody needs a mapping."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Self, TypeAlias, overload

from awsflow.exactjson import json_bytes

Column: TypeAlias = Sequence[str | None]
"""A field of many events; None: this event does not have it."""

_AT_ONCE = 1 << 17
"""Characters that are written at a time, so that this takes little memory."""


class Rows(Sequence[dict[str, Any]]):
    """Events that have nothing but text in their fields, and these in the same order.

    A sequence of mappings, each made when it is asked for: who changes one changes nothing in here. Who encodes them
    needs none, see `awsflow.rows_json`.
    """

    __slots__ = ("_columns", "_count", "cells", "escaped", "names", "optional")
    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __init__(
        self,
        names: tuple[str, ...],
        columns: Sequence[Column],
        *,
        escaped: Collection[str] | None = None,
        optional: Collection[str] | None = None,
    ) -> None:
        """A column for each name, all of one length. There is a name at least, and none twice.

        `escaped`: the only fields whose texts may hold what JSON escapes; None: any may. `optional`: the only ones that
        may be missing in some events; None: any may. Who has looked need not look again.
        """
        self.names = names
        self.escaped = escaped
        self.optional = optional
        self.cells: list[str] | None = None
        """The texts of the first event, then those of the second one, ..., if that is how they are kept."""
        self._columns: Sequence[Column] = columns
        self._count = len(columns[0]) if columns else 0

    @classmethod
    def of_cells(cls, names: tuple[str, ...], cells: list[str], *, is_plain: bool = False) -> Self:
        """The same of such `cells`: none is missing. `is_plain`: nothing in them is escaped in JSON."""
        rows = cls(names, (), escaped=() if is_plain else None, optional=())
        rows.cells = cells
        rows._count = len(cells) // len(names)
        return rows

    @property
    def columns(self) -> Sequence[Column]:
        """A column for each name."""
        if not self._columns and self.cells is not None:
            width = len(self.names)
            self._columns = [self.cells[at::width] for at in range(width)]
        return self._columns

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        names = self.names
        for row in zip(*self.columns, strict=True):
            event = dict(zip(names, row))  # noqa: B905 - strict=False takes a tenth of the time
            yield {name: text for name, text in event.items() if text is not None} if None in row else event

    def __eq__(self, other: object) -> bool:
        """Whether the other is a sequence of the same mappings, as a list may be."""
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    @overload
    def __getitem__(self, at: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, at: slice) -> "Rows": ...

    def __getitem__(self, at: int | slice) -> "dict[str, Any] | Rows":
        if isinstance(at, slice):
            columns = [column[at] for column in self.columns]
            return Rows(self.names, columns, escaped=self.escaped, optional=self.optional)
        return next(iter(Rows(self.names, [[column[at]] for column in self.columns])))

    def column(self, name: str) -> Column:
        """The texts of a field; none if there is no such field."""
        if name not in self.names:
            return ()
        at = self.names.index(name)
        return self.columns[at] if self.cells is None else self.cells[at :: len(self.names)]

    def also(self, name: str, text: str) -> "Rows":
        """The rows with this text in a field of all of them, the last one, or the one that has this name already."""
        escaped = self.escaped if self.escaped is None or is_plain(text) else {*self.escaped, name}
        columns = dict(zip(self.names, self.columns, strict=True))
        columns[name] = [text] * len(self)
        return Rows(tuple(columns), list(columns.values()), escaped=escaped, optional=self.optional)


def is_plain(text: str, besides: int = 0) -> bool:
    """Whether a text stands in JSON as it is. `besides`: what escapes may add to its length, where some are known of.

    Escapes only add: what has the length that it must have has no others. To write it takes a fiftieth of looking at
    each character from here.
    """
    if len(text) <= _AT_ONCE:
        return _added(text) == besides
    return sum(_added(text[at : at + _AT_ONCE]) for at in range(0, len(text), _AT_ONCE)) == besides


def _added(text: str) -> int:
    """Bytes that escapes add to a text."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return len(json_bytes(text)) - len('""') - size
