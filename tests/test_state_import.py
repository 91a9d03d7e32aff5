"""`awsflow state import`: from Wazuh's own databases, in all their variants; a run repeats and misses nothing."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from awsflow.cli import state, wodle
from awsflow.samples import SAMPLES
from awsflow.samples.cisco_umbrella import FOLDER
from awsflow.samples.server_access import PREFIX
from awsflow.state.checkpoints import Checkpoints
from tests.commands import awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

ACCOUNT, REGION, BUCKET = "123456789012", "eu-west-1", "logs"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
AFTER = f"{NOON - timedelta(days=9):%Y-%m-%d}"

ALL = ("bucket_path", "aws_account_id", "aws_region", "log_key", "processed_date", "created_date")
NO_REGION = tuple(name for name in ALL if name != "aws_region")
FLOW = (*ALL[:3], "flow_log_id", *ALL[3:])


@pytest.fixture
def wazuh(tmp_path: Path) -> Iterator[Wazuh]:
    with Wazuh(tmp_path / "wazuh") as listening:
        (listening.home / "wodles" / "aws").mkdir(parents=True)
        yield listening


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


class Theirs:
    """Wazuh's database of buckets, as its module writes it."""

    def __init__(self, home: Path, name: str = "s3_cloudtrail.db") -> None:
        self.path = home / "wodles" / "aws" / name
        self._made: set[str] = set()

    def remember(self, table: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            kinds = {"processed_date": "text", "created_date": "integer", "log_key": "text"}
            told = ", ".join(f"{name} {kinds.get(name, 'text')} 'NOT NULL'" for name in columns)
            key = ", ".join(name for name in columns if not name.endswith("_date"))
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({told}, PRIMARY KEY ({key}))")
            marks = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - our own names
                [tuple(row[name] for name in columns) for row in rows],
            )

    def keys(self, table: str, columns: tuple[str, ...], path: str, keys: list[str]) -> None:
        """Remember that these were read; of more than 500 the greatest."""
        self.remember(
            table,
            columns,
            [
                {
                    "bucket_path": path,
                    "aws_account_id": ACCOUNT,
                    "aws_region": REGION,
                    "flow_log_id": key.partition("_fl-")[2][:17],
                    "log_key": key,
                    "processed_date": f"{NOON:%Y-%m-%d %H:%M:%S}",
                    "created_date": 20261123,
                }
                for key in sorted(keys)[-500:]
            ],
        )


def put(aws: Aws, log_type: str, prefix: str, moments: list[datetime], *, above: str = "", count: int = 1) -> list[str]:
    """Put objects of these moments, in a bucket that is made if need be; the keys."""
    s3 = aws.client("s3")
    if not s3.list_buckets()["Buckets"]:
        s3.create_bucket(Bucket=BUCKET)
    sample = SAMPLES[log_type]
    keys = []
    for number, moment in enumerate(moments):
        key = prefix + sample.key(ACCOUNT, REGION, moment, number).replace("AWSLogs/", f"AWSLogs/{above}", 1)
        body = sample.document(sample.events(number, count, moment, ACCOUNT, REGION))
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        keys.append(key)
    return keys


def imported(wazuh: Wazuh, *more: str | Path) -> int:
    return state.main(["import", "--wazuh-home", str(wazuh.home), *map(str, more)])


def read(aws: Aws, wazuh: Wazuh, *flags: str) -> list[str]:
    """The keys of the objects that a run of the wodle sends events of."""
    places = ("--service_endpoint", aws.url, "--wazuh-home", str(wazuh.home), "--only_logs_after", AFTER)
    assert wodle.main(["--bucket", BUCKET, *places, *flags]) == 0
    return sorted(json.loads(body)["aws"]["log_info"]["log_file"] for body in wazuh.take())


AWS_LOGS = ("p/", "s/", ("--trail_prefix", "p", "--trail_suffix", "s"))
VARIANTS = [
    ("cloudtrail", ALL, ("p/", "s/o-abc123/", (*AWS_LOGS[2], "--aws_organization_id", "o-abc123"))),
    ("cloudtrail", ALL, ("", "", ())),
    ("config", ALL, AWS_LOGS),
    ("vpcflow", FLOW, AWS_LOGS),
    ("vpcflow", ALL, AWS_LOGS),
    ("guardduty", NO_REGION, AWS_LOGS),
    ("waf", NO_REGION, AWS_LOGS),
    *((name, columns, AWS_LOGS) for name in ("alb", "clb", "nlb") for columns in (ALL, NO_REGION)),
    ("custom", NO_REGION, ("p/q/", "", ("--trail_prefix", "p/q"))),
    ("cisco_umbrella", NO_REGION, ("", "", ("--trail_prefix", FOLDER))),
    ("server_access", NO_REGION, ("", "", ("--trail_prefix", PREFIX.rstrip("/")))),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_after_the_import_reads_what_is_new_and_what_came_late_and_nothing_twice(
    aws: Aws,
    wazuh: Wazuh,
    capfd: pytest.CaptureFixture[str],
    variant: tuple[str, tuple[str, ...], tuple[str, str, tuple[str, ...]]],
) -> None:
    log_type, columns, (prefix, above, flags) = variant
    theirs = Theirs(wazuh.home)
    moments = [NOON - timedelta(days=3), NOON - timedelta(days=1, hours=1), NOON - timedelta(hours=1), NOON]
    old, before, last, newest = put(aws, log_type, prefix, moments, above=above)
    late, new = put(aws, log_type, prefix, [NOON - timedelta(days=1), NOON + timedelta(hours=1)], above=above)
    in_path = {"cisco_umbrella": f"{FOLDER}/", "server_access": PREFIX}.get(log_type, prefix + above.partition("o-")[0])
    table = "s3_server_access" if log_type == "server_access" else log_type
    theirs.keys(table, columns, f"{BUCKET}/{in_path}", [old, before, last, newest])
    assert imported(wazuh) == 0
    told = capfd.readouterr()
    assert f"{log_type} s3://{BUCKET}/" in told.out
    assert told.err == ""
    assert sorted(set(read(aws, wazuh, "--type", log_type, *flags))) == sorted({late, new})
    assert capfd.readouterr().out == ""
    assert imported(wazuh) == 0
    assert "ours is as far: kept" in capfd.readouterr().out
    assert read(aws, wazuh, "--type", log_type, *flags) == []


def test_what_was_dropped_before_the_oldest_of_500_keys_is_not_read_again(aws: Aws, wazuh: Wazuh) -> None:
    day = NOON - timedelta(hours=12)
    read_by_wazuh = put(aws, "cloudtrail", "", [day + timedelta(seconds=number) for number in range(520)])
    oldest = sorted(read_by_wazuh)[20]
    Theirs(wazuh.home).keys("cloudtrail", ALL, f"{BUCKET}/", read_by_wazuh)
    late = f"{oldest}-came-late"
    too_late = f"{sorted(read_by_wazuh)[5]}-came-late"
    s3 = aws.client("s3")
    for key in (late, too_late):
        s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": oldest})
    new = put(aws, "cloudtrail", "", [NOON])
    command = [sys.executable, "-m", "awsflow", "state", "import"]
    ended = subprocess.run(command, env=_environment(wazuh), capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "500 keys and all before" in ended.stdout
    assert set(read(aws, wazuh)) == {late, *new}
    assert read(aws, wazuh) == []


def _environment(wazuh: Wazuh) -> dict[str, str]:
    return {**os.environ, "WAZUH_HOME": str(wazuh.home)}


def test_a_stream_that_came_up_after_wazuh_s_last_run_is_read_and_what_it_knew_is_not_removed(
    aws: Aws, wazuh: Wazuh
) -> None:
    known = put(aws, "cloudtrail", "", [NOON])
    Theirs(wazuh.home).keys("cloudtrail", ALL, f"{BUCKET}/", known)
    assert imported(wazuh) == 0
    other = known[0].replace(REGION, "us-east-1")
    aws.client("s3").copy_object(Bucket=BUCKET, Key=other, CopySource={"Bucket": BUCKET, "Key": known[0]})
    places = ("--service_endpoint", aws.url, "--wazuh-home", str(wazuh.home), "--remove")
    assert wodle.main(["--bucket", BUCKET, *places]) == 0
    assert [json.loads(body)["aws"]["log_info"]["log_file"] for body in wazuh.take()] == [other]
    left = [entry["Key"] for entry in aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert left == known  # Wazuh's module marks as done what it could not read


def test_ours_stays_where_it_is_further_and_follows_where_wazuh_was_further(
    aws: Aws, wazuh: Wazuh, capfd: pytest.CaptureFixture[str]
) -> None:
    ours = put(aws, "cloudtrail", "", [NOON - timedelta(days=2)])
    assert read(aws, wazuh) == ours
    theirs = Theirs(wazuh.home)
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", put(aws, "cloudtrail", "", [NOON - timedelta(days=4)]))
    assert imported(wazuh) == 0
    assert "ours is as far: kept" in capfd.readouterr().out
    assert read(aws, wazuh) == []
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", put(aws, "cloudtrail", "", [NOON]))
    assert imported(wazuh) == 0
    assert "further than ours: taken over" in capfd.readouterr().out
    new = put(aws, "cloudtrail", "", [NOON + timedelta(minutes=1)])
    assert read(aws, wazuh) == new


def services(wazuh: Wazuh, logs: list[dict[str, Any]], scans: list[dict[str, Any]]) -> None:
    theirs = Theirs(wazuh.home, "aws_services.db")
    columns = ("aws_region", "aws_log_group", "aws_log_stream", "next_token", "start_time", "end_time")
    theirs.remember("cloudwatch_logs", columns, logs)
    theirs.remember("aws_services", ("service_name", "aws_account_id", "aws_region", "scan_date"), scans)


def log_row(stream: str, token: str | None, start: int, end: int) -> dict[str, Any]:
    of = {"aws_region": "us-east-1", "aws_log_group": "/g", "aws_log_stream": stream}
    return {**of, "next_token": token, "start_time": start, "end_time": end}


def test_log_streams_go_on_where_wazuh_was_whatever_profile_or_keys_a_run_has(aws: Aws, wazuh: Wazuh) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="/g")
    now = int(time.time() * 1000) - 10_000
    tokens = {}
    for stream in ("by-token", "by-time", "unknown"):
        logs.create_log_stream(logGroupName="/g", logStreamName=stream)
        say(logs, stream, now, "old 1", "old 2")
        answer = logs.get_log_events(logGroupName="/g", logStreamName=stream, startFromHead=True)
        tokens[stream] = answer["nextForwardToken"]
    rows = [log_row("by-token", tokens["by-token"], now, now + 1), log_row("by-time", None, now, now + 1)]
    services(wazuh, rows, [])
    assert imported(wazuh) == 0
    for stream in ("by-token", "by-time"):
        say(logs, stream, now + 2, "new")
    flags = ("--service", "cloudwatchlogs", "--aws_log_groups", "/g", "--regions", "us-east-1")
    places = ("--service_endpoint", aws.url, "--wazuh-home", str(wazuh.home))
    assert wodle.main([*flags, *places]) == 0
    assert sorted(wazuh.take()) == [b"new", b"new", b"old 1", b"old 2"]  # of the stream that Wazuh did not know
    assert imported(wazuh) == 0
    assert wodle.main([*flags, *places]) == 0
    assert wazuh.take() == []
    with_keys = ("--access_key", "AKIAIOSFODNN7EXAMPLE", "--secret_key", "k" * 40)
    assert wodle.main([*flags, *places, *with_keys]) == 0
    assert sorted(wazuh.take()) == [b"new", b"new", b"old 1", b"old 2"]


def say(logs: Any, stream: str, start: int, *messages: str) -> None:
    events = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName="/g", logStreamName=stream, logEvents=events)


def test_scans_go_on_where_wazuh_s_was_the_least_of_several_accounts(
    wazuh: Wazuh, capfd: pytest.CaptureFixture[str]
) -> None:
    of = {"service_name": "inspector", "aws_region": REGION}
    services(
        wazuh,
        [],
        [
            {**of, "aws_account_id": "1", "scan_date": "2026-11-20 10:00:00.123456"},
            {**of, "aws_account_id": "1", "scan_date": "2026-11-22 10:00:00.123456"},
            {**of, "aws_account_id": "2", "scan_date": "2026-11-21 10:00:00.500000"},
        ],
    )
    assert imported(wazuh) == 0
    assert f"inspector2: {REGION}: all before 2026-11-21T10:00:00Z: taken over" in capfd.readouterr().out
    with Checkpoints(wazuh.home / "wodles" / "aws" / "awsflow.db") as checkpoints, checkpoints.scan_work("i") as work:
        left = work.left("inspector2", REGION)
        assert left is not None
        assert datetime.fromtimestamp(left.done / 1000, UTC) == datetime(2026, 11, 21, 10, 0, 0, 500_000, UTC)
        assert work.left("inspector2", "us-east-1") is None
    with Checkpoints(
        wazuh.home / "wodles" / "aws" / "awsflow.db", now=lambda: datetime.now(UTC) + timedelta(days=31)
    ) as later:
        assert later.scan_work("i").left("inspector2", REGION) is None


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:2000] = b"\xff" * 1900
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)


@pytest.mark.parametrize("spoil", [damaged, emptied])
def test_a_database_that_cannot_be_read_is_named_and_the_other_one_is_taken_over(
    aws: Aws, wazuh: Wazuh, capfd: pytest.CaptureFixture[str], spoil: Callable[[Path], None]
) -> None:
    theirs = Theirs(wazuh.home)
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", put(aws, "cloudtrail", "", [NOON]))
    spoil(theirs.path)
    spoilt = theirs.path.read_bytes()
    services(wazuh, [log_row("s", "f/1", 1, 2)], [])
    assert imported(wazuh) == 5
    told = capfd.readouterr()
    assert "us-east-1 /g: 1 log streams" in told.out
    assert f"ERROR: reading Wazuh's database {theirs.path}: " in told.err
    assert theirs.path.read_bytes() == spoilt


def test_a_database_that_wazuh_is_writing_to_is_told_and_what_is_not_there_too(
    aws: Aws, wazuh: Wazuh, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = Theirs(wazuh.home)
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", put(aws, "cloudtrail", "", [NOON]))
    with closing(sqlite3.connect(theirs.path, isolation_level=None)) as writing:
        writing.execute("BEGIN EXCLUSIVE")
        assert imported(wazuh) == 5
        assert "database is locked; Wazuh's module is writing to it; wait for its end" in capfd.readouterr().err
    assert imported(wazuh) == 0
    assert imported(wazuh, tmp_path / "nowhere.db") == 5
    assert f"{tmp_path / 'nowhere.db'}: there is no such file" in capfd.readouterr().err
    (tmp_path / "folder").mkdir()
    assert imported(wazuh, tmp_path / "folder") == 5


def test_tables_and_keys_that_are_not_understood_are_told_and_the_rest_is_taken_over(
    aws: Aws, wazuh: Wazuh, capfd: pytest.CaptureFixture[str]
) -> None:
    theirs = Theirs(wazuh.home)
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", [*put(aws, "cloudtrail", "", [NOON]), "strange"])
    theirs.remember("trail_progress", ("log_key",), [{"log_key": "x"}])
    theirs.remember("metadata", ("key",), [{"key": "version"}])
    theirs.remember("waf", ("log_key",), [{"log_key": "x"}])
    assert imported(wazuh) == 5
    told = capfd.readouterr()
    assert "1 keys, newest" in told.out
    assert "1 keys of cloudtrail lie where awsflow looks for none: s3://logs/strange" in told.err
    assert "its table trail_progress" in told.err
    assert "its table waf" in told.err
    assert "metadata" not in told.err


def test_wazuh_s_databases_are_left_as_they_are(aws: Aws, wazuh: Wazuh) -> None:
    theirs = Theirs(wazuh.home)
    theirs.keys("cloudtrail", ALL, f"{BUCKET}/", put(aws, "cloudtrail", "", [NOON]))
    before = (theirs.path.read_bytes(), theirs.path.stat())
    assert awsflow("state", "import", theirs.path, "--wazuh-home", wazuh.home, home=wazuh.home).returncode == 0
    after = (theirs.path.read_bytes(), theirs.path.stat())
    assert (after[0], after[1].st_mtime_ns, after[1].st_mode) == (before[0], before[1].st_mtime_ns, before[1].st_mode)
    assert {path.name for path in theirs.path.parent.iterdir() if path.name.startswith("s3_")} == {"s3_cloudtrail.db"}
