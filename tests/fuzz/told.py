"""What else strangers, or tired people, write: notifications, fields to discard, flags, the state's file."""

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, redirect_stdout, suppress
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from awsflow.cli.wodle_flags import OURS, WAZUH, parse
from awsflow.errors import AwsflowError, DecodeError
from awsflow.items import Event, Found, Item, Origin, Record
from awsflow.sources.notifications import Named, Other, Wrong, parts
from awsflow.stages import discard
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import LogPosition, ObjectPosition, ScanPosition
from tests.fuzz.target import Target
from tests.messages import TEST_EVENT, by_cloudtrail, by_eventbridge, by_s3, wrapped_by_sns

SECRET = "planted-secret"
STREAM = "AWSLogs/123456789012/CloudTrail/eu-west-1/"


def notification(data: bytes) -> None:
    """Objects with bucket and key, each once; or what is wrong, in bounded words."""
    body = data.decode("utf-8", "surrogateescape")
    try:
        told = parts(body)
    except DecodeError as error:
        assert len(str(error)) < 500, "an error that repeats the message"
        return
    assert len(told) <= len(data)
    for part in told:
        match part:
            case Named(bucket, key, size):
                assert bucket
                assert key
                assert size >= 0
            case Other(what):
                assert what
                assert len(what) <= 200
            case Wrong(why):
                assert why
    named = [(part.bucket, part.key) for part in told if isinstance(part, Named)]
    assert len(named) == len(set(named)), "an object twice"


def _notifications() -> Iterable[bytes]:
    for body in (
        by_s3("logs", "a/b.json.gz", "c+d é"),
        by_eventbridge("logs", "a"),
        by_eventbridge("logs", "a", None),
        by_cloudtrail("logs", ["a", "b"]),
        wrapped_by_sns(by_s3("logs", "a")),
        wrapped_by_sns(wrapped_by_sns(by_cloudtrail("logs", ["a"]))),
        TEST_EVENT,
        "CloudTrail validation message.",
    ):
        yield body.encode()
    yield b"[" * 1000


_PATTERNS = ("", "a", "De|List", r"\d+$", "(?i)x.*y", "[^a]*")


def discarding(data: bytes) -> None:
    """What a plain recursion over the event decides."""
    if not data:
        return
    path, _, text = data[1:].decode("utf-8", "replace").partition("\n")
    pattern = _PATTERNS[data[0] % len(_PATTERNS)]
    try:
        event = json.loads(text)
        wanted = _matches(event, path.split("."), pattern)
    except (ValueError, RecursionError):
        event, wanted = None, None
    dropped: list[int] = []
    events: list[Event] = [text, event] if isinstance(event, dict) else [text]
    for sent in events:
        items: list[Item] = [Record(sent, Origin(), 1)]
        left = list(discard(path, pattern, lambda: dropped.append(1))(items))
        assert len(left) + len(dropped) == 1
        if wanted is not None and isinstance(event, dict | list):
            assert bool(dropped) == wanted, f"{path!r} {pattern!r} {sent!r}"
        dropped.clear()


def _matches(value: Any, names: list[str], pattern: str) -> bool:
    import re  # noqa: PLC0415 - only here

    if isinstance(value, list):
        return any(_matches(element, names, pattern) for element in value)
    if names:
        return isinstance(value, dict) and names[0] in value and _matches(value[names[0]], names[1:], pattern)
    return isinstance(value, str) and re.match(pattern, value) is not None


def _discards() -> Iterable[bytes]:
    yield b'\x02eventName\n{"eventName": "Describe"}'
    yield b'\x01a.b.c\n{"a": [{"b": {"c": ["x", "a"]}}, 1, null]}'
    yield b'\x04\n  [1, "xay"]'
    yield b"\x00x\nplain text"


def flags(data: bytes) -> None:
    """Options, or an error of ours; the secrets are in no error and no repr."""
    argv = data.decode("utf-8", "surrogateescape").split("\n")
    try:
        with redirect_stdout(StringIO()):
            options = parse(argv, {"WAZUH_HOME": "/w"})
    except SystemExit as ended:
        assert ended.code == 0, "argparse ended the process"
        return
    except AwsflowError as error:
        assert SECRET not in str(error) or _is_told(argv), f"{error}"
        return
    access = options.access
    if SECRET in (access.access_key or "", access.secret_key or "", access.external_id or ""):
        others = [word for word in argv if SECRET in word]
        assert SECRET not in repr(options) or len(others) > 1


def _is_told(argv: list[str]) -> bool:
    """Whether the secret stands, by itself or after another flag than a secret's, where no secret belongs."""
    secrets = ("-a", "-k", "-x", "--access_key", "--secret_key", "--external_id")
    places = [at for at, word in enumerate(argv) if SECRET in word]
    return not all(argv[at] == SECRET and at and argv[at - 1] in secrets for at in places)


def _flag_seeds() -> Iterable[bytes]:
    for flag in (*WAZUH, *OURS):
        for name in flag.names.split(", "):
            for value in (b"1", b"2026-NOV-01", b"eu-west-1"):
                yield b"\n".join([b"--bucket", b"logs", name.encode(), *([value] if flag.metavar else [])])
    yield f"-b\nlogs\n-a\n{SECRET}\n-k\n{SECRET}".encode()
    yield f"--subscriber\nsecurity_lake\n--queue\nq\n-i\narn:aws:iam::123456789012:role/r\n-x\n{SECRET}".encode()
    yield b"--service\ncloudwatchlogs\n-g\na,b\n-df\na\n-dr\n(x\n-rd\n900"


_NOW = datetime(2026, 11, 23, tzinfo=UTC)


def state_file(data: bytes) -> None:
    """A state, or a StateError: a file that is no state is refused, or set aside and told of."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        path.write_bytes(data)
        _use(path)


def state_rows(data: bytes) -> None:
    """The same for a sound database in which a value is not what we write."""
    fields = data.split(b"\0", 2)
    if len(fields) < 3 or not fields[0]:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        path.write_bytes(_a_state())
        text = fields[2]
        value: Any = text if fields[0][0] & 1 else text.decode("utf-8", "replace")
        if fields[0][0] & 2:
            with suppress(ValueError):
                value = max(-(2**63), min(2**63 - 1, int(text)))
        columns = _columns(path)
        table, column = columns[int.from_bytes(fields[1][:2], "big") % len(columns)]
        with closing(sqlite3.connect(path)) as connection, connection, suppress(sqlite3.Error):
            connection.execute(f"UPDATE {table} SET {column} = ?", (value,))  # noqa: S608 - names of our own schema
        _use(path)


def _columns(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]


def _use(path: Path) -> None:
    """Ask for everything, and write over it."""
    told: list[str] = []
    with suppress(AwsflowError), Checkpoints(path, told.append, lambda: _NOW, timeout=0.1) as checkpoints:
        for use in (_use_objects, _use_logs, _use_scans):
            with suppress(AwsflowError):
                use(checkpoints)


def _use_objects(checkpoints: Checkpoints) -> None:
    with checkpoints.work("work") as work:
        work.since(STREAM, date(2026, 11, 1))
        work.parts(STREAM)
        work.remembered(STREAM, [f"{STREAM}a", f"{STREAM}b"])
        work.failures()
        for key, error in ("a", ""), ("b", "bad"):
            found = Found(Origin("logs", STREAM + key), 1, "0123", STREAM, date(2026, 11, 22))
            work.commit([ObjectPosition(found, 3, finished=not error, error=error)])
        work.listed_all()


def _use_logs(checkpoints: Checkpoints) -> None:
    with checkpoints.log_work("logs") as logs:
        logs.first_listed("eu-west-1", "group")
        logs.left("eu-west-1", "group", ["stream"])
        logs.commit([LogPosition("eu-west-1", "group", "stream", 1, 2, "token", marks=bytes(32))])
        logs.listed_all()


def _use_scans(checkpoints: Checkpoints) -> None:
    with checkpoints.scan_work("scans") as scans:
        scans.left("inspector2", "eu-west-1")
        scans.commit([ScanPosition("inspector2", "eu-west-1", 1, 2, "token", bytes(16))])


def _a_state() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        _use(path)
        return path.read_bytes()


def _state_seeds() -> Iterator[bytes]:
    state = _a_state()
    yield state
    yield state[:5000]
    yield b""
    yield b"SQLite format 3\0" + bytes(100)


def _row_seeds() -> Iterator[bytes]:
    for kind in (b"\0", b"\1", b"\2"):
        for column in range(0, 44, 3):
            yield kind + b"\0" + bytes([column % 255 + 1, 1]) + b"\0" + b"-99999999999"


TOLD: dict[str, Target] = {
    "notifications": Target(notification, "objects, each once, or what is wrong in few words", _notifications),
    "discard": Target(discarding, "what a plain recursion decides", _discards),
    "flags": Target(flags, "options or an error, the secrets in neither", _flag_seeds),
    "state_file": Target(state_file, "a state, an error, or set aside", _state_seeds),
    "state_rows": Target(state_rows, "a state, or an error", _row_seeds),
}
