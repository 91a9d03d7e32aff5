"""`awsflow install-wodle` on the tree of a Wazuh 4.x: what it puts there, what it keeps, and what comes back."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from awsflow.cli import install_wodle
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.wazuh import Wazuh

GROUP = 4242 if os.geteuid() == 0 else os.getegid()
"""What the group `wazuh` is here."""
RELEASED = 1_700_000_000_123_456_789
"""When the package was built, in nanoseconds."""
SCRIPT = "#!/bin/sh\necho this is Wazuh\n"


@dataclass(frozen=True)
class Tree:
    """Wazuh 4.x, as far as the AWS module has to do with it."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "wodles" / "aws"

    @property
    def command(self) -> Path:
        return self.folder / "aws-s3"

    def put(self, path: str, content: str, mode: int) -> None:
        """Put a file there as the package does: a new file, moved to its place."""
        place = self.home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        new = place.with_name(place.name + ".dpkg-new")
        new.write_text(content)
        os.chown(new, os.geteuid(), GROUP)
        new.chmod(mode)
        os.utime(new, ns=(RELEASED, RELEASED))
        new.rename(place)

    def look(self) -> dict[str, tuple[object, ...]]:
        """Of each file its content, owner, mode and time."""
        found: dict[str, tuple[object, ...]] = {}
        for path in sorted(self.home.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
            times = status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0
            found[str(path.relative_to(self.home))] = (
                content,
                status.st_uid,
                status.st_gid,
                status.st_mode,
                times,
            )
        return found

    def install(self, *flags: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[bytes]":
        return awsflow("install-wodle", "--wazuh-home", self.home, *flags, home=self.home.parent, env=env)

    def do(self, *flags: str) -> int:
        """As `install`, in this process."""
        return install_wodle.main(["--wazuh-home", str(self.home), *flags])

    def call(self, *flags: str, env: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
        """Start what the scheduler starts."""
        return subprocess.run([self.command, *flags], env=env, cwd="/", capture_output=True, check=False, timeout=120)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path / "ossec")
    tree.put("bin/wazuh-modulesd", "\x7fELF", 0o750)
    tree.put("etc/ossec.conf", "<ossec_config></ossec_config>", 0o660)
    tree.put("framework/python/bin/python3", "\x7fELF", 0o750)
    tree.put("lib/libwazuhext.so", "\x7fELF", 0o750)
    tree.put("wodles/utils.py", "# shared\n", 0o750)
    tree.put("wodles/aws/aws-s3", SCRIPT, 0o750)
    tree.put("wodles/aws/aws-s3.py", "# the module\n", 0o750)
    for folder in (tree.home, tree.home / "wodles", tree.folder):
        os.chown(folder, os.geteuid(), GROUP)
        folder.chmod(0o750)
    (tree.home / "queue" / "sockets").mkdir(parents=True)
    return tree


@pytest.fixture
def wazuh(tree: Tree) -> Iterator[Wazuh]:
    with Wazuh(tree.home) as listening:
        yield listening


def test_what_the_scheduler_calls_collects_prints_nothing_and_heeds_no_python_of_the_caller(
    tree: Tree, wazuh: Wazuh, aws: Aws
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    key = "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/123456789012_CloudTrail_eu-west-1_20261123T0000Z_a.json"
    records = [{"eventName": "ListBuckets", "eventID": str(number)} for number in range(3)]
    s3.put_object(Bucket="trail", Key=key, Body=json.dumps({"Records": records}).encode())
    assert tree.install().returncode == 0
    strange = {
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": str(tree.folder),
        "PYTHONSTARTUP": "/nowhere",
        "LD_LIBRARY_PATH": str(tree.home / "lib"),
        "WAZUH_HOME": "/nowhere",
    }
    (tree.folder / "awsflow.py").write_text("raise SystemExit('not this one')")
    flags = ("--bucket", "trail", "--type", "cloudtrail", "--only_logs_after", "2026-NOV-01", "--debug", "0")
    environment = {name: CREDENTIALS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    ended = tree.call(*flags, "--service_endpoint", aws.url, env=environment | strange)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert [event["aws"]["eventID"] for event in wazuh.events()] == ["0", "1", "2"]
    assert (tree.folder / "awsflow.db").exists()


def test_arguments_and_exit_codes_pass_through_as_they_are(tree: Tree) -> None:
    assert tree.install().returncode == 0
    ended = tree.call("--bucket", "trail", "--type", "no such 'type' $HOME", env={})
    assert ended.returncode == 12
    assert b"no such 'type' $HOME" in ended.stdout


def test_the_wrapper_has_the_owner_and_mode_of_wazuhs_file_and_nothing_else_changes(tree: Tree) -> None:
    before = tree.look()
    assert tree.install().returncode == 0
    after = tree.look()
    wrapper = after.pop("wodles/aws/aws-s3")
    assert wrapper[1:4] == before["wodles/aws/aws-s3"][1:4]
    assert after.pop("wodles/aws/aws-s3.wazuh-original") == before.pop("wodles/aws/aws-s3")
    assert after == before


def test_uninstalling_restores_all_exactly_and_may_be_repeated(tree: Tree) -> None:
    before = tree.look()
    assert tree.install().returncode == 0
    assert tree.install("--uninstall").returncode == 0
    assert tree.look() == before
    again = tree.install("--uninstall")
    assert (again.returncode, b"nothing to do" in again.stdout) == (0, True)
    assert tree.look() == before


def test_installing_again_changes_nothing_and_never_the_backup(tree: Tree) -> None:
    assert tree.install().returncode == 0
    before = tree.look()
    again = tree.install()
    assert (again.returncode, b"nothing to do" in again.stdout) == (0, True)
    assert tree.look() == before


def test_another_interpreter_is_taken_over_by_installing_again(tree: Tree, tmp_path: Path) -> None:
    assert tree.install().returncode == 0
    before = tree.look()
    text = tree.command.read_text()
    gone = tmp_path / "gone" / "bin" / "python"
    tree.command.write_text(text.replace(sys.executable, str(gone)))
    told = tree.install("--status")
    assert told.returncode == 1
    assert f"calls {gone}, which does not work: No such file".encode() in told.stdout
    assert tree.install().returncode == 0
    assert tree.command.read_text() == text
    assert tree.install("--status").returncode == 0
    assert tree.look()["wodles/aws/aws-s3.wazuh-original"] == before["wodles/aws/aws-s3.wazuh-original"]


def test_an_upgrade_of_wazuh_is_told_its_file_is_kept_and_comes_back(tree: Tree) -> None:
    assert tree.install().returncode == 0
    first = tree.look()["wodles/aws/aws-s3.wazuh-original"]
    tree.put("wodles/aws/aws-s3", SCRIPT + "# 4.14\n", 0o750)
    newer = tree.look()["wodles/aws/aws-s3"]
    told = tree.install("--status")
    assert (told.returncode, b"upgrade" in told.stdout) == (1, True)
    left = tree.install("--uninstall")
    assert (left.returncode, tree.look()["wodles/aws/aws-s3"]) == (0, newer)
    assert tree.install().returncode == 0
    assert tree.install("--status").returncode == 0
    found = tree.look()
    assert found["wodles/aws/aws-s3.wazuh-original"] == newer
    assert found["wodles/aws/aws-s3.wazuh-original.1"] == first
    assert tree.install("--uninstall").returncode == 0
    assert tree.look()["wodles/aws/aws-s3"] == newer


@pytest.mark.parametrize("flags", [["--dry-run"], ["--uninstall", "--dry-run"], ["--status"]])
def test_what_only_tells_changes_nothing(tree: Tree, flags: list[str]) -> None:
    for installed in (False, True):
        if installed:
            assert tree.install().returncode == 0
        before = tree.look()
        ended = tree.install(*flags)
        assert ended.returncode == (1 if flags == ["--status"] and not installed else 0)
        assert ended.stdout
        assert tree.look() == before


CRASHING = """
import os, sys
def hook(event, arguments, left=[int(sys.argv[1])]):
    if event in ("os.link", "os.rename", "os.remove", "os.chmod", "os.chown") or (
        event == "open" and "aws-s3" in str(arguments[0])
    ):
        left[0] -= 1
        if left[0] == 0:
            os._exit(99)
sys.addaudithook(hook)
from awsflow.cli import main
sys.exit(main(sys.argv[2:]))
"""
"""The command, which is gone right before the step of that number."""


@pytest.mark.parametrize("flags", [[], ["--uninstall"]])
def test_whenever_it_is_killed_the_scheduler_finds_a_whole_file_and_both_ways_stay_open(
    tree: Tree, flags: list[str]
) -> None:
    original = tree.look()
    wrapper = b""
    if flags:
        assert tree.do() == 0
    crashes = 0
    for step in range(1, 30):
        command = [sys.executable, "-c", CRASHING, str(step), "install-wodle", "--wazuh-home", str(tree.home), *flags]
        ended = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if ended.returncode == 0:
            break
        crashes += 1
        assert ended.returncode == 99
        content = tree.command.read_bytes()
        assert content == SCRIPT.encode() or content.endswith(b' -I -m awsflow wodle "$@"\n')
        assert stat.S_IMODE(tree.command.stat().st_mode) == 0o750
        if not flags:
            assert tree.do() == 0
            wrapper = wrapper or tree.command.read_bytes()
            assert tree.command.read_bytes() == wrapper
        assert tree.do("--uninstall") == 0
        assert tree.look() == original
        if flags:
            assert tree.do() == 0
    assert crashes >= (6 if not flags else 2)


def test_a_link_in_the_place_of_the_file_or_of_the_folder_is_refused(tree: Tree, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    tree.command.unlink()
    tree.command.symlink_to(precious)
    ended = tree.install()
    assert (ended.returncode, b"symbolic link" in ended.stderr) == (1, True)
    elsewhere = tmp_path / "elsewhere"
    tree.command.unlink()
    tree.folder.rename(elsewhere)
    tree.folder.symlink_to(elsewhere)
    assert tree.install().returncode == 1
    assert precious.read_text() == "precious"
    assert sorted(path.name for path in elsewhere.iterdir()) == ["aws-s3.py"]


def test_what_is_being_written_is_never_written_through_a_link(tree: Tree, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tree.folder / ".aws-s3.awsflow-new").symlink_to(precious)
    assert tree.install().returncode == 0
    assert precious.read_text() == "precious"
    assert not tree.command.is_symlink()


def test_a_home_that_is_a_link_and_has_an_awkward_name_is_served(tree: Tree, tmp_path: Path) -> None:
    awkward = tmp_path / "it's a $(home)"
    tree.home.rename(awkward)
    tree.home.symlink_to(awkward)
    assert tree.install().returncode == 0
    ended = tree.call("--bucket", "trail", "--aws_profile", "no-such", env={"HOME": "/nowhere"})
    assert ended.returncode == 23
    assert f"export WAZUH_HOME='{tmp_path}/it'\"'\"'s a $(home)'\n" in tree.command.read_text()


def test_where_wazuh_is_not_the_error_says_what_to_name(tree: Tree) -> None:
    shutil.rmtree(tree.home / "wodles")
    ended = tree.install()
    assert ended.returncode == 1
    assert b"ERROR: opening" in ended.stderr
    assert b"--wazuh-home" in ended.stderr


def test_without_a_backup_nothing_is_taken_away(tree: Tree) -> None:
    assert tree.install().returncode == 0
    (tree.folder / "aws-s3.wazuh-original").unlink()
    before = tree.look()
    ended = tree.install("--uninstall")
    assert (ended.returncode, b"install Wazuh's package again" in ended.stderr) == (1, True)
    assert tree.look() == before


def test_a_wrapper_that_somebody_deleted_is_put_there_again(tree: Tree) -> None:
    assert tree.install().returncode == 0
    before = tree.look()
    tree.command.unlink()
    told = tree.install("--status")
    assert (told.returncode, b"missing" in told.stdout, told.stderr) == (1, True, b"")
    assert tree.install().returncode == 0
    after = tree.look()
    assert after.pop("wodles/aws/aws-s3")[:4] == before.pop("wodles/aws/aws-s3")[:4]
    assert after == before


def test_a_wrapper_that_cannot_be_called_any_more_is_told_and_mended(tree: Tree) -> None:
    assert tree.install().returncode == 0
    tree.command.chmod(0o640)
    assert tree.install("--status").returncode == 1
    assert tree.install().returncode == 0
    assert stat.S_IMODE(tree.command.stat().st_mode) == 0o750
    assert tree.install("--status").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_python_that_others_may_write_to_is_warned_of(tree: Tree, tmp_path: Path) -> None:
    environment = tmp_path / "theirs"
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    base = Path(sys.prefix)
    shutil.copy(base / "pyvenv.cfg", environment / "pyvenv.cfg")
    (environment / "lib").symlink_to(base / "lib")
    python.symlink_to(Path(sys.executable).resolve())
    os.chown(environment, 4243, 4243)
    command = [str(python), "-m", "awsflow", "install-wodle", "--wazuh-home", str(tree.home)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=60, cwd="/")
    assert ended.returncode == 0, ended.stderr
    assert f"WARNING: {environment} belongs to somebody else".encode() in ended.stderr
    assert str(python) in tree.command.read_text()
