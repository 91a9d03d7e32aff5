"""The ledger of objects that were handed out to workers, and which of their positions may be committed."""

from dataclasses import dataclass, field
from datetime import date

from awsflow.items import Found
from awsflow.state.positions import ObjectPosition, StreamPosition

MANY = 10_000
"""Objects that may be in the ledger, nearly all of them waiting for one that was found before them."""


@dataclass(slots=True, eq=False)
class Unit:
    """An object that was handed out."""

    found: Found
    """In the version that is read."""
    done: int = 0
    """Records that are delivered."""
    uncommitted: ObjectPosition | None = None
    """How far it was delivered, if that is not committed."""
    ended: bool = False
    is_early: bool = False
    """Whether it was committed as early, and its day is still to be."""

    @property
    def is_waiting(self) -> bool:
        """Say whether something of it is to be committed: how far it was delivered, or its day."""
        return self.uncommitted is not None or self.is_early

    @property
    def rest(self) -> Found:
        """What is left to deliver."""
        return self.found._replace(done=self.done)

    def reached(self, position: ObjectPosition) -> None:
        """Take note of how far it was delivered."""
        self.found, self.done, self.uncommitted = position.found, position.records, position
        self.ended = position.finished or bool(position.error)


@dataclass(slots=True)
class Ledger:
    """The objects that were handed out and are not committed to their end."""

    units: dict[int, Unit] = field(default_factory=dict)
    """In the order in which they were found."""
    number: int = 0

    @property
    def is_full(self) -> bool:
        """Say whether there are enough of them."""
        return len(self.units) >= MANY

    def handed_out(self, found: Found) -> Unit:
        """Enter an object."""
        unit = self.units[self.number] = Unit(found, found.done)
        self.number += 1
        return unit

    def committable(self) -> list[ObjectPosition | StreamPosition]:
        """The positions that are to be committed now.

        The state takes for done what is older than the window of a stream's newest day. So what is of a later day than
        something undone is committed as early, and its day when all before it is done.
        """
        positions: list[ObjectPosition | StreamPosition] = []
        undone: dict[str, date] = {}
        left = sum(unit.is_waiting for unit in self.units.values())
        for number, unit in list(self.units.items()):
            if not left:
                break  # nothing is to be told of the others
            left -= unit.is_waiting
            stream, day = unit.found.stream, unit.found.day
            is_early = day is not None and day > undone.get(stream, date.max)
            if unit.uncommitted is not None:
                positions.append(unit.uncommitted._replace(is_early=is_early))
                unit.uncommitted, unit.is_early = None, is_early
            elif unit.is_early and not is_early and day is not None:
                positions.append(StreamPosition(stream, day))
                unit.is_early = False
            if not unit.ended and day is not None:
                undone[stream] = min(undone.get(stream, date.max), day)
            elif not is_early and unit.ended:
                del self.units[number]
        return positions
