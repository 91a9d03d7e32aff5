"""What Wazuh's own AWS module remembers, as it lies in its two SQLite files: read only, whatever columns they have."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from awsflow.errors import StateError
from awsflow.state.positions import LogPosition, ScanPosition

FILES = ("s3_cloudtrail.db", "aws_services.db")
"""In `wodles/aws/` of Wazuh's home."""
KEPT = 500
"""Keys that are kept of each account and region: the greatest. Where there are as many, others were dropped."""
MOST = 20_000
"""Keys of an account and region that are read at most."""
TABLES = {
    **{name: name for name in ("cloudtrail", "config", "vpcflow", "guardduty", "waf", "cisco_umbrella", "custom")},
    **{name: name for name in ("alb", "clb", "nlb")},
    "s3_server_access": "server_access",
}
"""The tables of buckets, and the log types whose positions they hold."""
LOGS, SCANS = "cloudwatch_logs", "aws_services"
_NEEDED = {
    **dict.fromkeys(TABLES, ("bucket_path", "log_key")),
    LOGS: ("aws_region", "aws_log_group", "aws_log_stream", "next_token", "start_time", "end_time"),
    SCANS: ("service_name", "aws_region", "scan_date"),
}
"""Columns without which a table tells nothing."""
_GROUPED_BY = ("bucket_path", "aws_account_id", "aws_region", "flow_log_id")
"""Columns whose values tell what has keys of its own. Not every table has all of them."""
_ADVICE = {
    sqlite3.SQLITE_BUSY: "Wazuh's module is writing to it; wait for its end",
    sqlite3.SQLITE_CANTOPEN: "check the path, and that this user may read it",
    sqlite3.SQLITE_CORRUPT: "it is damaged; take a copy of it, or begin with --only_logs_after",
    sqlite3.SQLITE_NOTADB: "this is none of Wazuh's databases, or it is damaged",
}


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """The keys that are kept of one account and region in one bucket."""

    log_type: str
    bucket: str
    path: str
    """Prefix and suffix, one behind the other."""
    keys: Sequence[str]
    """In the order of keys."""
    last_run: date | None
    """The day on which one was read last, if that can be told."""

    @property
    def is_full(self) -> bool:
        """Whether there were more, which were dropped: all that come before the first."""
        return len(self.keys) >= KEPT


class WazuhDatabase:
    """One of the two files. StateError if it cannot be read; `timeout`: seconds to wait for who writes to it."""

    def __init__(self, path: Path, timeout: float = 5.0) -> None:
        self._path = path
        with self._reading():
            if not path.is_file():
                raise StateError(f"reading Wazuh's database {path}: there is no such file; name another")
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=timeout, isolation_level=None
            )
            self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
            try:
                names = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                self._columns = {str(row[0]): self._columns_of(str(row[0])) for row in names}
            except BaseException:
                self._connection.close()
                raise

    def unknown(self) -> list[str]:
        """Tables that hold something which we do not understand."""
        with self._reading():
            return [
                table
                for table in self._columns
                if not self._has(table, _NEEDED.get(table, ("",)))
                and table != "metadata"
                and not table.startswith("sqlite_")
                and self._connection.execute(f"SELECT 1 FROM {_quoted(table)} LIMIT 1").fetchone()  # noqa: S608 - its own name
            ]

    def kept_keys(self) -> Iterator[KeptKeys]:
        """What is kept of buckets, account by account and region by region."""
        for table, log_type in TABLES.items():
            if not self._has(table, _NEEDED[table]):
                continue
            of = [name for name in _GROUPED_BY if name in self._columns[table]]
            processed = "max(processed_date)" if "processed_date" in self._columns[table] else "NULL"
            with self._reading():
                groups = self._connection.execute(
                    f"SELECT {processed}, {', '.join(of)} FROM {_quoted(table)} GROUP BY {', '.join(of)}"  # noqa: S608 - names of columns
                ).fetchall()
            for last, *values in groups:
                bucket, _, path = str(values[0] or "").partition("/")
                with self._reading():
                    rows = self._connection.execute(
                        f"SELECT DISTINCT log_key FROM {_quoted(table)} "  # noqa: S608 - names of columns
                        f"WHERE {' AND '.join(f'{name} IS ?' for name in of)} AND typeof(log_key) = 'text' "
                        "ORDER BY log_key DESC LIMIT ?",
                        (*values, MOST),
                    ).fetchall()
                if bucket and rows:
                    yield KeptKeys(log_type, bucket, path, [row[0] for row in reversed(rows)], _day(last))

    def log_streams(self) -> Iterator[LogPosition]:
        """Where log streams were left, as far as anything was read of them."""
        columns = _NEEDED[LOGS]
        if not self._has(LOGS, columns):
            return
        with self._reading():
            for region, group, stream, token, start, end in self._connection.execute(
                f"SELECT {', '.join(columns)} FROM {LOGS} ORDER BY rowid"  # noqa: S608 - names of columns
            ):
                times = [time for time in (_number(start), _number(end)) if time is not None]
                if region and group and stream and times:
                    yield LogPosition.taken_over(
                        str(region),
                        str(group),
                        str(stream),
                        token=str(token or ""),
                        earliest=times[0],
                        latest=times[-1],
                    )

    def scans(self) -> Iterator[ScanPosition]:
        """How far findings were read in a region: where it was read for several accounts, the least of them."""
        if not self._has(SCANS, _NEEDED[SCANS]):
            return
        account = ", aws_account_id" if "aws_account_id" in self._columns[SCANS] else ""
        latest = f"SELECT aws_region, max(scan_date) AS latest FROM {SCANS} WHERE lower(service_name) LIKE 'inspector%'"  # noqa: S608 - a table's name
        with self._reading():
            rows = self._connection.execute(
                f"SELECT aws_region, min(latest) FROM ({latest} GROUP BY aws_region{account}) GROUP BY aws_region"  # noqa: S608 - a column's name
            ).fetchall()
        for region, scanned in rows:
            moment = _moment(scanned)
            if region and moment:
                for service in ("inspector2", "inspector"):
                    yield ScanPosition(service, str(region), int(moment.timestamp() * 1000))

    def close(self) -> None:
        """Close the file. May be called again."""
        self._connection.close()

    def _columns_of(self, table: str) -> set[str]:
        with closing(self._connection.execute(f"PRAGMA table_info({_quoted(table)})")) as rows:
            return {str(row[1]).lower() for row in rows}

    def _has(self, table: str, columns: Sequence[str]) -> bool:
        return set(columns) <= self._columns.get(table, set())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            advice = _ADVICE.get(code, "check that this user may read it, and its disk")
            raise StateError(f"reading Wazuh's database {self._path}: {error}; {advice}") from error
        except OSError as error:
            raise StateError(f"reading Wazuh's database {self._path}: {error.strerror}; check the path") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _moment(text: Any) -> datetime | None:
    """A time as SQLite and Python write it, in UTC."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None


def _day(text: Any) -> date | None:
    moment = _moment(text)
    return moment.date() if moment else None
