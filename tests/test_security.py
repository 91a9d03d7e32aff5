"""Files for their owner alone, no link followed, nothing evaluated, and no secret in anything that is written."""

import ast
import gzip
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.commands import CREDENTIALS
from tests.conftest import Aws
from tests.wazuh import Wazuh

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/20/"
MODULES = sorted(path for folder in ("awsflow", "sources", "sinks") for path in (ROOT / folder).rglob("*.py"))
AWSFLOW = (sys.executable, "-m", "awsflow")
FORBIDDEN_IMPORTS = ("pickle", "shelve", "marshal", "dill", "xml.etree", "xml.dom", "lxml", "yaml", "ctypes", "pty")
FORBIDDEN_NAMES = ("eval", "exec", "compile", "__import__", "breakpoint")
FORBIDDEN_CALLS = ("os.system", "os.popen", "os.execv", "os.execvp", "os.spawnl", "tempfile.mktemp", "yaml.load")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_evaluated_unpickled_or_given_to_a_shell(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in names:
                assert not name.startswith(FORBIDDEN_IMPORTS), f"line {node.lineno} imports {name}"
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in (*FORBIDDEN_NAMES, *FORBIDDEN_CALLS), f"line {node.lineno}"
            for keyword in node.keywords:
                assert keyword.arg != "shell", f"line {node.lineno} asks for a shell"


def run(
    *arguments: str | Path, home: Path, env: Mapping[str, str] | None = None, command: Sequence[str] = AWSFLOW
) -> "subprocess.CompletedProcess[bytes]":
    """A command of awsflow, with a umask that closes nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "XDG_", "WAZUH_"))}
    return subprocess.run(
        [*command, *map(str, arguments)],
        env={**kept, **CREDENTIALS, "HOME": str(home), "AWS_MAX_ATTEMPTS": "1", **(env or {})},
        cwd=home,
        capture_output=True,
        check=False,
        timeout=120,
        umask=0,
    )


def put_logs(aws: Aws) -> None:
    """A bucket with a good object, one with a bad line, one that is damaged, and an event too large for a datagram."""
    client = aws.client("s3")
    client.create_bucket(Bucket="logs")
    good = gzip.compress(json.dumps({"Records": [{"eventID": "1"}, {"eventID": "2", "x": "y" * 100_000}, 7]}).encode())
    name = f"{FOLDER}123456789012_CloudTrail_us-east-1_20261120T000{{}}Z_a.json.gz"
    client.put_object(Bucket="logs", Key=name.format(0), Body=good)
    client.put_object(Bucket="logs", Key=name.format(1), Body=good[:-30])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir() and not path.is_socket()]


def test_every_file_that_a_run_makes_is_its_owners_alone_whatever_the_umask(aws: Aws, tmp_path: Path) -> None:
    put_logs(aws)
    home, wazuh_home, out = tmp_path / "home", tmp_path / "ossec", tmp_path / "out"
    for folder in (home, out):
        folder.mkdir()
    with Wazuh(wazuh_home):
        shared = (
            "--bucket",
            "logs",
            "--only_logs_after",
            "2026-11-01",
            "--skip_on_error",
            "--service_endpoint",
            aws.url,
        )
        more = ("--wazuh-home", wazuh_home, "--log-file", out / "log", "--stats-json", out / "stats.json", "-d", "3")
        ended = run("wodle", *shared, *more, home=home)
        assert (ended.returncode, ended.stdout) == (0, b"")
        again = ("bucket", "logs", "--after", "2026-11-01", "--skip-on-error", "--endpoint-url", aws.url)
        files = ("--to", f"file:{out / 'events.ndjson'}", "--rotate-at", "1000", "--stats-json", out / "2.json")
        assert run(*again, *files, home=home).returncode == 0
        assert run(*again, *files, "--reparse", home=home).returncode == 0
        assert run("status", "--html", out / "status.html", home=home).returncode == 0
    made = [path for folder in (home, wazuh_home, out) for path in files_in(folder)]
    names = {path.name for path in made}
    expected = {
        "awsflow.db",
        "awsflow.db.lock",
        "dead-letter.ndjson",
        "log",
        "stats.json",
        "events.ndjson",
        "2.json",
        "status.html",
    }
    assert names >= expected | {"events.ndjson.1"}, names
    assert {path: oct(stat.S_IMODE(path.stat().st_mode)) for path in made if path.stat().st_mode & 0o077} == {}
    folders = [path for path in (home / ".local").rglob("*") if path.is_dir()]
    assert [path for path in folders if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    "place",
    [
        "stats.json",
        "metrics.prom",
        "log",
        "dead-letter.ndjson",
        "events.ndjson",
        "state.db",
        "state.db.lock",
        "state.db-wal",
    ],
)
def test_a_link_that_somebody_has_planted_is_not_followed(place: str, aws: Aws, tmp_path: Path) -> None:
    put_logs(aws)
    treasure = tmp_path / "treasure"
    treasure.write_bytes(b"")
    treasure.chmod(0o644)
    folder = tmp_path / "everybodys"
    folder.mkdir(mode=0o777)
    (folder / place).symlink_to(treasure)
    with Wazuh(tmp_path / "ossec"):
        if place == "log":
            flags = ("--bucket", "logs", "--service_endpoint", aws.url, "--wazuh-home", tmp_path / "ossec")
            run("wodle", *flags, "--log-file", folder / "log", "-d", "3", home=tmp_path)
        else:
            run(
                *("bucket", "logs", "--after", "2026-11-01", "--skip-on-error", "--endpoint-url", aws.url),
                *("--to", f"file:{folder / 'events.ndjson'}" if place == "events.ndjson" else "wazuh"),
                *("--stats-json", folder / "stats.json", "--dead-letter", folder / "dead-letter.ndjson"),
                *("--state", folder / "state.db", "--metrics", folder / "metrics.prom"),
                home=tmp_path,
                env={"WAZUH_HOME": str(tmp_path / "ossec")},
            )
    assert treasure.read_bytes() == b""
    assert (folder / place).readlink() == treasure
    assert treasure.stat().st_mode & 0o777 == 0o644


def test_a_link_in_the_place_of_the_summary_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"Records": [{"a": 1}]}')
    (tmp_path / "stats.json").symlink_to(tmp_path / "elsewhere")
    ended = run("replay", "a.json", "--stats-json", "stats.json", home=tmp_path)
    assert ended.returncode == 1
    assert b"ERROR: writing the summary stats.json: this is no regular file" in ended.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_in_the_place_of_a_file_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"Records": [{"a": 1}]}')
    os.mkfifo(tmp_path / "stats.json")
    assert run("replay", "a.json", "--stats-json", "stats.json", home=tmp_path).returncode == 1


def test_a_summary_that_is_there_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"Records": [{"a": 1}]}')
    stats = tmp_path / "stats.json"
    stats.write_text("x" * 10_000)
    stats.chmod(0o644)
    assert run("replay", "a.json", "--stats-json", "stats.json", home=tmp_path).returncode == 0
    assert json.loads(stats.read_text())["sent"] == 1
    assert stats.stat().st_mode & 0o777 == 0o644
