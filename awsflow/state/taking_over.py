"""Taking over: positions of another program become ours, unless we have been further already."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from awsflow.state.open_work import OpenWork
from awsflow.state.positions import LogPosition, ScanPosition
from awsflow.state.rows import write_taken_over

WAZUHS_LOGS, WAZUHS_SCANS = "Wazuh's cloudwatchlogs", "Wazuh's inspector"
"""The works that hold what Wazuh's module knew of services. It does not tell whose profile or role that was: whoever
asks for a group or region first takes it from there, see `LogWork` and `ScanWork`."""
OFFERED = timedelta(days=30)
"""For how long after the import."""

Outcome = Literal["new", "further", "older"]
"""What a position was to us: of something unknown; further than ours; or ours is as far."""


class TakingOver(OpenWork):
    """A work that takes over positions; made by `Checkpoints.taking_over`. Raises StateError."""

    _first: date | None = None
    _last: date | None = None
    """Of a work that nobody knew: the first day of what was taken over, and the other program's last run."""

    def objects(self, stream: str, keys: Sequence[tuple[date, str]], before: str | None, last_run: date) -> Outcome:
        """Take over that these objects of a stream, in the order of their days and keys, were read.

        `before`: and so were all whose keys come before this, the first one's. What is known of objects already stays
        as it is. Of a stream in which ours is as far, only what it does not know yet of its window is added.
        """
        today = self._now().astimezone(UTC).date()
        first, newest = keys[0][0].toordinal(), min(keys[-1][0], today).toordinal()
        self._ran(keys[0][0], last_run)
        outcome: Outcome = "new"
        with self._writing() as connection:
            question = "SELECT id, newest, kept, before FROM streams WHERE work = ? AND name = ?"
            new = (self._id, stream, min(first, newest), before)
            connection.execute("INSERT OR IGNORE INTO streams (work, name, kept, before) VALUES (?, ?, ?, ?)", new)
            id_, known, kept, kept_before = connection.execute(question, new[:2]).fetchone()
            if known is not None:
                outcome = "older" if known >= newest else "further"
            if outcome != "older":
                if known is not None and kept > first:
                    before = kept_before
                kept = max(kept, min(first, newest)) if known is not None else min(first, newest)
                moved = (newest, kept, before, id_)
                connection.execute("UPDATE streams SET newest = ?, kept = ?, before = ? WHERE id = ?", moved)
                connection.execute("DELETE FROM objects WHERE stream = ? AND day < ?", (id_, kept))
            write_taken_over(connection, id_, stream, [each for each in keys if each[0].toordinal() >= kept])
        return outcome

    def log_stream(self, position: LogPosition) -> None:
        """Take over where a log stream was left, if that is further than what was taken over before."""
        day = datetime.fromtimestamp(position.latest / 1000, UTC).date().toordinal()
        with self._writing() as connection:
            self._offer(connection)
            connection.execute(
                "INSERT INTO log_groups (work, region, name, begun) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (work, region, name) DO UPDATE SET begun = max(begun, excluded.begun)",
                (self._id, position.region, position.group, day),
            )
            connection.execute(
                "INSERT INTO log_streams (log_group, name, part, earliest, latest, token, floor, more, marks) "
                "SELECT id, ?, 0, ?, ?, ?, ?, ?, x'' FROM log_groups WHERE work = ? AND region = ? AND name = ? "
                "ON CONFLICT (log_group, name, part) DO UPDATE SET earliest = excluded.earliest, "
                "latest = excluded.latest, token = excluded.token, floor = excluded.floor "
                "WHERE excluded.latest > latest",
                (
                    position.stream,
                    position.earliest,
                    position.latest,
                    position.token,
                    position.floor,
                    position.more,
                    self._id,
                    position.region,
                    position.group,
                ),
            )

    def scan(self, position: ScanPosition) -> None:
        """Take over how far a region's findings were read, if that is further than what was taken over before."""
        with self._writing() as connection:
            self._offer(connection)
            connection.execute(
                "INSERT INTO scans (work, service, region, done, token, marks) VALUES (?, ?, ?, ?, '', x'') "
                "ON CONFLICT (work, service, region) DO UPDATE SET done = max(done, excluded.done)",
                (self._id, position.service, position.region, position.done),
            )

    def _ran(self, first: date, last: date) -> None:
        """Note when the other program ran: streams that have come up since begin there."""
        if self.first_run is None:
            self._first, self._last = min(self._first or first, first), max(self._last or last, last)
            days = (self._first, self._last)
        else:
            days = (self.first_run, max(self.last_run or last, last))
        with self._writing() as connection:
            row = (days[0].toordinal(), days[1].toordinal(), self._id)
            connection.execute("UPDATE works SET begun = ?, listed = ? WHERE id = ?", row)

    def _offer(self, connection: sqlite3.Connection) -> None:
        """Others take it from here for a while, from today on."""
        connection.execute("UPDATE works SET begun = ? WHERE id = ?", (self._began.toordinal(), self._id))
