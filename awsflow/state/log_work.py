"""Log work: what a source of log streams remembers between runs, and the commits that make it so."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from awsflow.state.open_work import OpenWork
from awsflow.state.positions import GroupListed, LogPosition, StreamGone
from awsflow.state.taking_over import OFFERED, WAZUHS_LOGS

AnyPosition: TypeAlias = LogPosition | GroupListed | StreamGone

_AT_ONCE = 500
"""Streams asked for in one question: SQLite before 3.32 takes no more than 999 values."""
_COLUMNS = "name, part, earliest, latest, token, asked_from, ingested, floor, more, marks, until"


class LogWork(OpenWork):
    """All that one source of log streams remembers; made by `Checkpoints.log_work`, each group for one run at a time.

    That are up to two positions for each stream that is there: how far it has been read and, while what lies before
    is read belatedly, how far that has been. At most some 16 kB a position. Raises StateError.
    """

    def hold(self, region: str, group: str) -> bool:
        """Hold a log group until this is closed; False if another run does."""
        with self._database.telling("locking"):
            return self._lock.own_part(f"{region} {group}")

    def first_listed(self, region: str, group: str, *, note: bool = True) -> date:
        """The day (UTC) on which a log group was listed first; `note`: from now on, if that is today."""
        with self._database.reading() as connection:
            known = self._known(connection, region, group)
            day = date.fromordinal(known[1]) if known else self._began
        if known is None and note:
            with self._writing() as connection:
                self._group(connection, region, group)
                known = self._known(connection, region, group)
                day = date.fromordinal(known[1]) if known else self._began
        return day

    def left(self, region: str, group: str, streams: Sequence[str]) -> dict[str, list[LogPosition]]:
        """Where these streams of a group were left; those not known are missing.

        They are taken for listed: `GroupListed` makes forget those that were not asked for.
        """
        positions: dict[str, list[LogPosition]] = defaultdict(list)
        with self._database.reading() as connection:
            _make_listed(connection)
            rows = ((self._id, region, group, name) for name in streams)
            connection.executemany("INSERT OR IGNORE INTO listed VALUES (?, ?, ?, ?)", rows)
            known = self._known(connection, region, group)
            if known is None:
                return positions
            for begin in range(0, len(streams), _AT_ONCE):
                some = streams[begin : begin + _AT_ONCE]
                marks = ",".join("?" * len(some))
                question = f"SELECT {_COLUMNS} FROM log_streams WHERE log_group = ? AND name IN ({marks}) ORDER BY part"  # noqa: S608 - question marks
                for name, _, *row in connection.execute(question, (known[0], *some)):
                    positions[name].append(LogPosition(region, group, name, *row))
        return positions

    def commit(self, positions: Sequence[AnyPosition]) -> None:
        """Remember these positions, reached in this order: all of them or, if StateError is raised, none.

        A part that is finished becomes one with what had been read before.
        """
        latest: dict[tuple[str, str, str, int | None], LogPosition] = {}
        rest: list[GroupListed | StreamGone] = []
        for position in positions:
            if isinstance(position, LogPosition):
                latest[position.region, position.group, position.stream, position.until] = position
            else:
                rest.append(position)
        if not positions:
            return
        with self._writing() as connection:
            # a belated part is read before the rest: the rest says by itself where it begins now
            for position in sorted(latest.values(), key=lambda position: position.until is None):
                _write(connection, self._group(connection, position.region, position.group), position)
            for other in rest:
                if known := self._known(connection, other.region, other.group):
                    self._forget(connection, known[0], other)

    def _known(self, connection: sqlite3.Connection, region: str, group: str) -> tuple[int, int] | None:
        """The group's id, and the day on which it was listed first."""
        question = "SELECT id, begun FROM log_groups WHERE work = ? AND region = ? AND name = ?"
        known: tuple[int, int] | None = connection.execute(question, (self._id, region, group)).fetchone()
        return known

    def _group(self, connection: sqlite3.Connection, region: str, group: str) -> int:
        """The group's id; it is noted if it was not known."""
        if known := self._known(connection, region, group):
            return known[0]
        new = (self._id, region, group, self._began.toordinal())
        made = connection.execute("INSERT INTO log_groups (work, region, name, begun) VALUES (?, ?, ?, ?)", new)
        id_ = int(made.lastrowid or 0)
        self._take_over(connection, id_, region, group)
        return id_

    def _take_over(self, connection: sqlite3.Connection, id_: int, region: str, group: str) -> None:
        """Go on where Wazuh's module was, if that was imported of late."""
        since = (self._began - OFFERED).toordinal()
        connection.execute("DELETE FROM works WHERE name = ? AND begun < ?", (WAZUHS_LOGS, since))
        theirs = connection.execute(
            "SELECT log_groups.id, log_groups.begun FROM log_groups JOIN works ON work = works.id "
            "WHERE works.name = ? AND region = ? AND log_groups.name = ?",
            (WAZUHS_LOGS, region, group),
        ).fetchone()
        if theirs:
            connection.execute("UPDATE log_groups SET begun = ? WHERE id = ?", (theirs[1], id_))
            connection.execute(
                f"INSERT INTO log_streams (log_group, {_COLUMNS}) SELECT ?, {_COLUMNS} FROM log_streams "  # noqa: S608 - names of columns
                "WHERE log_group = ?",
                (id_, theirs[0]),
            )

    def _forget(self, connection: sqlite3.Connection, id_: int, gone: GroupListed | StreamGone) -> None:
        """Forget a stream, or those of a group that were not listed, or a group that is gone."""
        if isinstance(gone, StreamGone):
            connection.execute("DELETE FROM log_streams WHERE log_group = ? AND name = ?", (id_, gone.stream))
            return
        if gone.gone:
            connection.execute("DELETE FROM log_groups WHERE id = ?", (id_,))
            return
        _make_listed(connection)
        connection.execute(
            "DELETE FROM log_streams WHERE log_group = ? AND substr(name, 1, ?) = ? "
            "AND name NOT IN (SELECT name FROM listed WHERE work = ? AND region = ? AND log_group = ?)",
            (id_, len(gone.prefix), gone.prefix, self._id, gone.region, gone.group),
        )


def _make_listed(connection: sqlite3.Connection) -> None:
    """A table of what was listed by this process; SQLite puts it on disk when it grows."""
    connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS listed (work INTEGER, region TEXT, log_group TEXT, name TEXT, "
        "PRIMARY KEY (work, region, log_group, name)) WITHOUT ROWID"
    )


def _write(connection: sqlite3.Connection, group: int, position: LogPosition) -> None:
    if position.until is not None and position.finished:
        connection.execute(
            "DELETE FROM log_streams WHERE log_group = ? AND name = ? AND part = 1", (group, position.stream)
        )
        connection.execute(
            "UPDATE log_streams SET earliest = min(earliest, ?) WHERE log_group = ? AND name = ?",
            (position.earliest, group, position.stream),
        )
        return
    connection.execute(
        f"REPLACE INTO log_streams (log_group, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of columns
        (
            group,
            position.stream,
            position.until is not None,
            position.earliest,
            position.latest,
            position.token,
            position.asked_from,
            position.ingested,
            position.floor,
            position.more,
            position.marks,
            position.until,
        ),
    )
