"""Rows: events that are columns of text, kept as the columns that they are until somebody needs a mapping."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, overload

Column: TypeAlias = Sequence[str | None]
"""A field of many events; None: this event does not have it."""


class Rows(Sequence[dict[str, Any]]):
    """Events that have nothing but text in their fields, and these in the same order.

    A sequence of mappings, each made when it is asked for: who changes one changes nothing in here. Who encodes them
    needs none, see `awsflow.rows_json`.
    """

    __slots__ = ("columns", "names")
    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __init__(self, names: tuple[str, ...], columns: Sequence[Column]) -> None:
        """A column for each name, all of one length. There is a name at least, and none twice."""
        self.names = names
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

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
            return Rows(self.names, [column[at] for column in self.columns])
        return next(iter(Rows(self.names, [[column[at]] for column in self.columns])))

    def column(self, name: str) -> Column:
        """The texts of a field; none if there is no such field."""
        return self.columns[self.names.index(name)] if name in self.names else ()

    def also(self, name: str, text: str) -> "Rows":
        """The rows with this text in a field of all of them, the last one, or the one that has this name already."""
        column = [text] * len(self)
        if name in self.names:
            at = self.names.index(name)
            return Rows(self.names, [*self.columns[:at], column, *self.columns[at + 1 :]])
        return Rows((*self.names, name), [*self.columns, column])
