"""Contents: all that the state remembers, to be looked at, as one mapping for each thing."""

from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime
from typing import Any

from awsflow.state.database import Database
from awsflow.state.rows import long_key


class Contents:
    """What lies in a state; made by `Checkpoints`. Dates and times are ISO 8601 in UTC. Raises StateError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def works(self, like: str = "*") -> list[str]:
        """The works whose names are like this."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT name FROM works WHERE name GLOB ? OR name = ? ORDER BY name", (like, like)
            )
            return [row[0] for row in rows]

    def of(self, work: str) -> Generator[dict[str, Any], None, None]:
        """The work itself, then its streams and half read objects, its log groups and log streams, its scans."""
        with self._database.reading() as connection:
            question = "SELECT id, begun, listed, (SELECT count(*) FROM deletions WHERE work = works.id) FROM works"
            id_, begun, listed, undeleted = connection.execute(f"{question} WHERE name = ?", (work,)).fetchone()
            yield {"work": work, "first_run": _day(begun), "last_run": _day(listed), "to_delete": undeleted}
        yield from self._streams(work, id_)
        yield from self._log_groups(work, id_)
        with self._database.reading() as connection:
            question = "SELECT service, region, done, until FROM scans WHERE work = ? ORDER BY service, region"
            for service, region, done, until in connection.execute(question, (id_,)):
                yield {"work": work, "service": service, "region": region, "done": _time(done), "reading": _time(until)}

    def _streams(self, work: str, id_: int) -> Iterator[dict[str, Any]]:
        with self._database.reading() as connection:
            streams = connection.execute(
                "SELECT id, name, newest, kept, (SELECT count(*) FROM failures WHERE stream = streams.id) FROM streams "
                "WHERE work = ? ORDER BY name",
                (id_,),
            )
            for stream, name, newest, kept, failures in streams:
                objects, half_read = connection.execute(
                    "SELECT count(*), coalesce(sum(finished = 0), 0) FROM objects WHERE stream = ?", (stream,)
                ).fetchone()
                yield {
                    "work": work,
                    "stream": name,
                    "newest": _day(newest),
                    "remembered_from": _day(kept),
                    "objects": objects,
                    "half_read": half_read,
                    "failures": failures,
                }
                unfinished = "SELECT key, records FROM objects WHERE stream = ? AND finished = 0 ORDER BY key"
                for key, records in connection.execute(unfinished, (stream,)) if half_read else ():
                    yield {"work": work, "stream": name, "key": long_key(key, name), "records_done": records}

    def _log_groups(self, work: str, id_: int) -> Iterator[dict[str, Any]]:
        with self._database.reading() as connection:
            groups = connection.execute(
                "SELECT id, region, log_groups.name, begun, count(log_group), max(latest) FROM log_groups "
                "LEFT JOIN log_streams ON log_group = id WHERE work = ? GROUP BY id ORDER BY region, log_groups.name",
                (id_,),
            )
            for group, region, name, begun, count, latest in groups:
                of_group = {"work": work, "region": region, "log_group": name}
                yield {**of_group, "begun": _day(begun), "log_streams": count, "latest": _time(latest)}
                question = (
                    "SELECT name, earliest, latest, until FROM log_streams WHERE log_group = ? ORDER BY name, part"
                )
                for stream, earliest, newest, until in connection.execute(question, (group,)):
                    times = {"earliest": _time(earliest), "latest": _time(newest), "until": _time(until)}
                    yield {**of_group, "log_stream": stream, **times}


def _day(ordinal: int | None) -> str | None:
    return None if ordinal is None else date.fromordinal(ordinal).isoformat()


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
