"""The tables of the state, and the way from older ones to these.

Days are proleptic Gregorian ordinals (`date.toordinal`); how keys and etags are kept says `rows.py`; what is kept of
log streams and scans, `positions.py`.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from awsflow.errors import StateError

APPLICATION = 0x61777366
"""`PRAGMA application_id` of our databases: "awsf"."""

MIGRATIONS: Sequence[Sequence[str]] = (
    (
        # begun: the day of the first run; listed: the day of the latest run that listed everything
        """CREATE TABLE works (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            begun INTEGER NOT NULL,
            listed INTEGER NOT NULL)""",
        # newest: the newest committed day; kept: the day from which on every object is remembered
        """CREATE TABLE streams (
            id INTEGER PRIMARY KEY,
            work INTEGER NOT NULL REFERENCES works ON DELETE CASCADE,
            name TEXT NOT NULL,
            newest INTEGER,
            kept INTEGER NOT NULL,
            UNIQUE (work, name))""",
        """CREATE TABLE objects (
            stream INTEGER NOT NULL REFERENCES streams ON DELETE CASCADE,
            key TEXT NOT NULL,
            day INTEGER,
            etag NOT NULL,
            records INTEGER NOT NULL,
            finished INTEGER NOT NULL,
            PRIMARY KEY (stream, key)) WITHOUT ROWID""",
        """CREATE TABLE failures (
            stream INTEGER NOT NULL REFERENCES streams ON DELETE CASCADE,
            key TEXT NOT NULL,
            day INTEGER,
            etag NOT NULL,
            size INTEGER NOT NULL,
            records INTEGER NOT NULL,
            error TEXT NOT NULL,
            first TEXT NOT NULL,
            last TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            PRIMARY KEY (stream, key)) WITHOUT ROWID""",
    ),
    (
        # begun: the day on which the group was listed first
        """CREATE TABLE log_groups (
            id INTEGER PRIMARY KEY,
            work INTEGER NOT NULL REFERENCES works ON DELETE CASCADE,
            region TEXT NOT NULL,
            name TEXT NOT NULL,
            begun INTEGER NOT NULL,
            UNIQUE (work, region, name))""",
        # times: milliseconds since 1970; part: 1 if `until` ends it, as it ends where part 0 begins, else 0
        """CREATE TABLE log_streams (
            log_group INTEGER NOT NULL REFERENCES log_groups ON DELETE CASCADE,
            name TEXT NOT NULL,
            part INTEGER NOT NULL,
            earliest INTEGER NOT NULL,
            latest INTEGER NOT NULL,
            token TEXT NOT NULL,
            asked_from INTEGER,
            ingested INTEGER,
            floor INTEGER NOT NULL,
            more INTEGER NOT NULL,
            marks BLOB NOT NULL,
            until INTEGER,
            PRIMARY KEY (log_group, name, part))""",
        """CREATE TABLE scans (
            work INTEGER NOT NULL REFERENCES works ON DELETE CASCADE,
            service TEXT NOT NULL,
            region TEXT NOT NULL,
            done INTEGER NOT NULL,
            until INTEGER,
            token TEXT NOT NULL,
            marks BLOB NOT NULL,
            PRIMARY KEY (work, service, region))""",
    ),
    (
        # before: of the objects of the day `kept`, another program had read those whose keys sort before this one
        "ALTER TABLE streams ADD COLUMN before TEXT",
        # what was delivered and is to be deleted
        """CREATE TABLE deletions (
            id INTEGER PRIMARY KEY,
            work INTEGER NOT NULL REFERENCES works ON DELETE CASCADE,
            key TEXT NOT NULL,
            etag NOT NULL,
            UNIQUE (work, key))""",
    ),
    (
        # one row a source: totals, and how its last run is, or has ended. Times: seconds since 1970; exit_code: NULL
        # while it goes on; well: when a run ended well last; lag: of the newest event, when it was delivered
        """CREATE TABLE history (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            runs INTEGER NOT NULL DEFAULT 0,
            broken INTEGER NOT NULL DEFAULT 0,
            read INTEGER NOT NULL DEFAULT 0,
            sent INTEGER NOT NULL DEFAULT 0,
            discarded INTEGER NOT NULL DEFAULT 0,
            shrunk INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0,
            objects INTEGER NOT NULL DEFAULT 0,
            bytes_in INTEGER NOT NULL DEFAULT 0,
            bytes_out INTEGER NOT NULL DEFAULT 0,
            seconds REAL NOT NULL DEFAULT 0,
            began REAL NOT NULL DEFAULT 0,
            told REAL NOT NULL DEFAULT 0,
            exit_code INTEGER,
            error TEXT NOT NULL DEFAULT '',
            last_sent INTEGER NOT NULL DEFAULT 0,
            last_failed INTEGER NOT NULL DEFAULT 0,
            well REAL,
            newest_event REAL,
            newest_object REAL,
            lag REAL,
            backlog INTEGER)""",
        # hour: seconds since 1970 / 3600; lag: the largest; backlog: the last
        """CREATE TABLE history_hours (
            source INTEGER NOT NULL REFERENCES history ON DELETE CASCADE,
            hour INTEGER NOT NULL,
            runs INTEGER NOT NULL,
            broken INTEGER NOT NULL,
            sent INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            bytes_in INTEGER NOT NULL,
            lag REAL,
            backlog INTEGER,
            PRIMARY KEY (source, hour)) WITHOUT ROWID""",
    ),
)
"""Statements that lead from version 0, an empty database, to 1, from 1 to 2, and so on. Add, never change."""


def version(connection: sqlite3.Connection, path: Path, newest: int = len(MIGRATIONS)) -> int:
    """Read the schema version, 0 if there is no schema; StateError if it is not ours, or above `newest`."""
    opening = f"opening the state {path}"
    ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    if not ours and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StateError(f"{opening}: this database is another program's; give another place, e.g. with --state")
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > newest:
        raise StateError(
            f"{opening}: a newer awsflow wrote it (schema version {found}; this one knows up to {newest}); "
            "go back to that awsflow, or give another place, e.g. with --state"
        )
    return found


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the database to the newest version, wholly or not at all; the connection autocommits."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statements in migrations[version(connection, path, len(migrations)) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
