"""The database file: created for its owner alone, checked, set aside if damaged, migrated, or refused."""

import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from awsflow.errors import StateError, StateNotCreated
from awsflow.items import Found, Origin
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.database import SMALL
from awsflow.state.files import make_file, set_aside
from awsflow.state.locks import FileLock
from awsflow.state.positions import LogPosition, ObjectPosition, Remembered, ScanPosition
from awsflow.state.schema import APPLICATION, MIGRATIONS, migrate

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def finished(key: str) -> ObjectPosition:
    return ObjectPosition(Found(Origin("b", f"logs/{key}"), 100, "etag", "logs/", DAY), 10, finished=True)


def opened(path: Path, said: list[str] | None = None, now: datetime = NOON) -> Checkpoints:
    """A warning that is not expected in `said` fails the test."""
    return Checkpoints(path, complain if said is None else said.append, lambda: now, timeout=0.3)


def complain(message: str) -> None:
    raise AssertionError(message)


def commit(path: Path, *keys: str) -> None:
    with opened(path) as checkpoints:
        checkpoints.work("w").commit([finished(key) for key in keys])


def remembers(path: Path, key: str) -> bool:
    with opened(path) as checkpoints:
        return f"logs/{key}" in checkpoints.work("w").remembered("logs/", [f"logs/{key}"])


def large(path: Path) -> None:
    """A database above the size up to which each opening checks it."""
    commit(path, "first", *(f"{number:0100}" for number in range(SMALL // 100)))
    assert path.stat().st_size > SMALL


def scribble(path: Path) -> None:
    """Spoil all pages but the first ones: in a large database those that hold the schema."""
    size = path.stat().st_size
    begin = min(1 << 17, size // 8192 * 4096)
    with path.open("r+b") as file:
        file.seek(begin)
        file.write(os.urandom(size - begin))


@pytest.fixture
def umask_0() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask_0")
def test_all_files_and_new_folders_are_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "some" / "new" / "folder" / "state.db"
    with opened(path) as checkpoints:
        checkpoints.work("w").commit([finished("a")])
        names = {file.name for file in path.parent.iterdir()}
        assert {"state.db", "state.db-wal", "state.db-shm", "state.db.lock"} < names
        assert {file.name: mode(file) for file in path.parent.iterdir()} == dict.fromkeys(names, 0o600)
    assert [mode(folder) for folder in list(path.parents)[:3]] == [0o700] * 3


@pytest.mark.usefixtures("umask_0")
def test_a_new_file_is_for_its_owner_alone_from_its_first_moment_on(tmp_path: Path) -> None:
    make_file(tmp_path / "state.db")
    assert mode(tmp_path / "state.db") == 0o600


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    commit(path, "a")
    path.chmod(0o644)
    with opened(path) as checkpoints:
        checkpoints.work("w").commit([finished("b")])
        assert [mode(tmp_path / f"state.db{ending}") for ending in ("", "-wal", "-shm")] == [0o600] * 3


def test_the_journal_is_written_ahead_and_synced_with_every_commit(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with opened(path) as checkpoints, checkpoints._database.reading() as connection:
        pragmas = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "user_version", "application_id")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "user_version": len(MIGRATIONS),
        "application_id": APPLICATION,
    }


def test_a_missing_or_empty_file_is_a_new_database_and_nothing_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    for name in ("missing.db", "empty.db"):
        path = tmp_path / name
        if name == "empty.db":
            path.touch()
        with opened(path, said) as checkpoints:
            checkpoints.work("w").commit([finished("a")])
        assert remembers(path, "a")
    assert said == []


def test_a_symbolic_link_is_refused_and_what_it_points_to_stays_as_it_was(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for target in (precious, tmp_path / "nowhere"):
        link = tmp_path / f"{target.name}.db"
        link.symlink_to(target)
        with pytest.raises(StateError, match=f"{link}: this is a symbolic link; name the file itself"):
            opened(link)
    assert precious.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("ending", ["lock", "50e721e49c013f00.lock"])
def test_locks_that_are_symbolic_links_are_not_followed(tmp_path: Path, ending: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / f"state.db.{ending}").symlink_to(precious)
    with pytest.raises(StateError, match=rf"state.db: .*symbolic links \(.*state.db.{ending}\); give another place"):
        commit(tmp_path / "state.db", "a")
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("name", ["a folder", "a file/state.db", "a file/deeper/state.db"])
def test_what_cannot_be_created_is_told_with_its_path_and_what_to_try(tmp_path: Path, name: str) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file").touch()
    path = tmp_path / name
    with pytest.raises(StateNotCreated, match=rf"^opening the state {path}: .+; (give|name) .+"):
        opened(path)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a file", "a folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_or_file_without_rights_is_told_with_what_to_try(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "state.db"
    path.parent.mkdir(0o500)
    with pytest.raises(StateNotCreated, match=f"{path}: Permission denied .*; let this user write"):
        opened(path)
    path.parent.chmod(0o700)
    commit(path, "a")
    path.chmod(0o400)
    with (
        opened(path) as checkpoints,
        pytest.raises(StateError, match=f"{path}: .*readonly.*; let this user write"),
    ):
        checkpoints.work("new").commit([finished("b")])


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "state.db")
    with pytest.raises(StateError, match="this is no regular file"):
        opened(tmp_path / "state.db")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(20_000))


def text(path: Path) -> None:
    path.write_text("This was no database, ever.\n")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def one_bad_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096)
        file.write(b"\xff" * 4096)


def bad_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database any more")


def bad_schema(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\0" * 3000)


@pytest.mark.parametrize("spoil", [garbage, text, cut, one_bad_page, bad_header, bad_schema, scribble])
def test_a_damaged_database_is_set_aside_said_aloud_and_begun_anew(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "state.db"
    commit(path, *(str(number) for number in range(1000)))
    spoil(path)
    damaged = path.read_bytes()
    said: list[str] = []
    with opened(path, said) as checkpoints:
        work = checkpoints.work("w")
        assert work.remembered("logs/", ["logs/1"]) == {}
        work.commit([finished("new")])
    aside = tmp_path / "state.db.corrupt-20261123T120000Z"
    assert len(said) == 1
    assert f"{path}: it is damaged (" in said[0]
    assert f"set aside as {aside}" in said[0]
    assert aside.read_bytes() == damaged
    assert remembers(path, "new")
    assert mode(path) == 0o600


def test_what_was_set_aside_before_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for content in (b"first " * 100, b"second " * 100, b"third " * 100):
        path.write_bytes(content)
        said: list[str] = []
        opened(path, said).close()
        assert len(said) == 1
    aside = "state.db.corrupt-20261123T120000Z"
    for name, begin in ((aside, b"first"), (f"{aside}-2", b"second"), (f"{aside}-3", b"third")):
        assert (tmp_path / name).read_bytes().startswith(begin)


def test_what_sqlite_left_beside_the_database_is_set_aside_with_it(tmp_path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"state.db{ending}").write_text(ending)
    (tmp_path / "state.db.corrupt-20261123T120000Z-wal").write_text("of another time")
    aside = set_aside(tmp_path / "state.db", NOON)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "state.db.corrupt-20261123T120000Z-wal": "of another time",
        **{f"{aside.name}{ending}": ending for ending in ("", "-wal", "-shm")},
    }


def test_a_damaged_database_is_not_taken_away_from_those_who_use_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    commit(path, *(str(number) for number in range(1000)))
    with opened(path) as user:
        work = user.work("other")
        scribble(path)
        with pytest.raises(StateError, match=f"{path}: .*others have been using it; wait for their end"):
            opened(path)
        assert not list(tmp_path.glob("*.corrupt-*"))
        work.close()
    said: list[str] = []
    opened(path, said).close()
    assert len(said) == 1


def test_a_large_database_is_checked_when_it_is_first_opened_on_a_day(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    large(path)
    scribble(path)
    said: list[str] = []
    opened(path, said, now=NOON).close()
    assert said == []
    opened(path, said, now=NOON + timedelta(days=1)).close()
    assert len(said) == 1


@pytest.mark.parametrize("spoil", [bad_header, bad_schema])
def test_a_large_database_that_cannot_even_be_opened_is_set_aside_at_once(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    path = tmp_path / "state.db"
    large(path)
    spoil(path)
    said: list[str] = []
    opened(path, said).close()
    assert len(said) == 1


def test_a_database_that_others_created_meanwhile_is_shared_with_them(tmp_path: Path) -> None:
    path, ready = tmp_path / "state.db", tmp_path / "ready.db"
    commit(ready, "a")
    creator = FileLock(tmp_path / "state.db.lock")
    assert creator.share()
    with ThreadPoolExecutor() as threads:
        opening = threads.submit(Checkpoints, path, timeout=30)
        time.sleep(0.1)  # until it has seen that there is no database, and that it cannot make one now
        ready.rename(path)
        opening.result().close()
    creator.close()


def test_damage_met_on_the_way_is_told_and_the_next_run_sets_the_database_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    large(path)
    scribble(path)
    said: list[str] = []
    with opened(path, said) as checkpoints:
        with pytest.raises(StateError, match=rf"the state {path}: .*malformed; the next run sets it aside"):
            checkpoints.work("w").remembered("logs/", ["logs/first"])
        assert said == []
    opened(path, said).close()
    assert len(said) == 1


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s3_cloudtrail.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cloudtrail (bucket_path TEXT)")
        connection.execute("PRAGMA user_version = 1")
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(StateError, match=f"{path}: this database is another program's; give another place"):
        opened(path)
    assert path.read_bytes() == before
    assert mode(path) == 0o644


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    commit(path, "a")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StateError, match=rf"{path}: a newer awsflow wrote it \(schema version 99; .*; go back"):
        opened(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM objects").fetchone() == (1,)


def test_an_older_database_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM")  # writes an empty database: version 0
    assert path.stat().st_size
    commit(path, "a")
    assert remembers(path, "a")


def test_a_database_of_version_1_is_migrated_with_all_that_it_remembers(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, MIGRATIONS[:1])
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        connection.execute("INSERT INTO works VALUES (1, 'w', ?, ?)", (DAY.toordinal(), DAY.toordinal()))
        connection.execute("INSERT INTO streams VALUES (1, 1, 'logs/', ?, 0)", (DAY.toordinal(),))
        connection.execute("INSERT INTO objects VALUES (1, 'a', ?, 'etag', 10, 1)", (DAY.toordinal(),))
    assert remembers(path, "a")
    with opened(path) as checkpoints:
        with checkpoints.log_work("logs") as logs:
            logs.commit([LogPosition("eu-west-1", "/g", "s", 1, 2)])
            assert set(logs.left("eu-west-1", "/g", ["s"])) == {"s"}
        with checkpoints.scan_work("inspector") as scans:
            scans.commit([ScanPosition("inspector2", "eu-west-1", 1)])
            assert scans.left("inspector2", "eu-west-1") == ScanPosition("inspector2", "eu-west-1", 1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_migration_keeps_what_is_there_and_is_done_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    commit(path, "a")
    longer = [*MIGRATIONS, ["ALTER TABLE works ADD COLUMN made_up TEXT DEFAULT 'x'"]]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(2):
            migrate(connection, path, longer)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(longer),)
        assert connection.execute("SELECT name, made_up FROM works").fetchall() == [("w", "x")]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    commit(path, "a")
    bad = [
        *MIGRATIONS,
        ["ALTER TABLE works ADD COLUMN made_up TEXT", "ALTER TABLE missing ADD COLUMN made_up"],
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, path, bad)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    with opened(path) as checkpoints:
        assert checkpoints.work("w").remembered("logs/", ["logs/a"]) == {"logs/a": Remembered("etag", 10, True)}


def test_what_was_closed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    checkpoints = opened(path)
    work = checkpoints.work("w")
    checkpoints.close()
    checkpoints.close()
    for use in (work.failures, lambda: work.commit([finished("a")]), lambda: checkpoints.work("w")):
        with pytest.raises(StateError, match=f"the state {path}: .*closed before.*open it again"):
            use()


@pytest.mark.parametrize(
    ("change", "use"),
    [
        ("UPDATE works SET begun = 'x'", lambda checkpoints: checkpoints.work("w")),
        ("UPDATE works SET listed = -99999999999", lambda checkpoints: checkpoints.work("w")),
        ("UPDATE streams SET newest = x'00'", lambda checkpoints: checkpoints.work("w").since("s/", date.min)),
        ("UPDATE objects SET etag = 7", lambda checkpoints: checkpoints.work("w").remembered("s/", ["s/k"])),
    ],
)
def test_a_value_that_is_none_of_ours_is_told_with_what_to_do(
    change: str, use: Callable[[Checkpoints], object], tmp_path: Path
) -> None:
    path = tmp_path / "state.db"
    with Checkpoints(path) as checkpoints, checkpoints.work("w") as work:
        found = Found(Origin("b", "s/k"), 1, "0123", "s/", date(2026, 11, 22))
        work.commit([ObjectPosition(found, 3, finished=True)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with Checkpoints(path) as checkpoints, pytest.raises(StateError, match="something that awsflow does not write"):
        use(checkpoints)
