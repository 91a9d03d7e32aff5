"""What `awsflow completion` prints, in real shells; what `--help` says of each command; commands that are not there."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from awsflow.cli import COMMANDS, main
from tests.commands import awsflow
from tests.shown import assert_parsed, commands_in

EXPECTED = [
    ("awsflow repl", ["replay"]),
    ("awsflow install-", ["install-wodle"]),
    ("awsflow bucket my-trail --skip", ["--skip-on-error"]),
    ("awsflow wodle --only", ["--only_logs_after"]),
    ("awsflow replay x --type cloudtrail_d", ["cloudtrail_digest"]),
    ("awsflow state forg", ["forget"]),
    ("awsflow state forget x --dry", ["--dry-run"]),
    ("awsflow failures retry x --buck", ["--bucket"]),
    ("awsflow completion f", ["fish"]),
    ("awsflow replay a-log-o", ["a-log-of-mine.json"]),
    ("awsflow run --config a-log-o", ["a-log-of-mine.json"]),
]
"""What is typed, and what it may become."""


Scripts = Callable[[str], Path]


@pytest.fixture
def scripts(tmp_path: Path) -> Scripts:
    """What is printed for a shell, in a file of its name, with a log beside it."""

    def scripts(shell: str) -> Path:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        (tmp_path / "a-log-of-mine.json").touch()
        printed = awsflow("completion", shell, home=tmp_path)
        assert (printed.returncode, printed.stderr) == (0, b"")
        script = tmp_path / shell
        script.write_bytes(printed.stdout)
        return script

    return scripts


def candidates(script: Path, typed: str) -> list[str]:
    """What the shell offers for what was typed."""
    words = typed.split()
    match script.name:
        case "bash":
            code = (
                f"source {script}; function=$(complete -p awsflow | sed 's/.*-F \\([^ ]*\\).*/\\1/'); "
                f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMP_LINE='{typed}'; "
                'COMP_POINT=${#COMP_LINE}; $function awsflow "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"; '
                'printf "%s\\n" "${COMPREPLY[@]}"'
            )
            command = ["bash", "--norc", "--noprofile", "-c", code]
        case "fish":
            command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"]
        case shell:
            raise AssertionError(f"how is {shell} asked?")
    ended = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [line.partition("\t")[0].strip() for line in ended.stdout.splitlines()]


class Zsh:
    """An interactive zsh on a terminal: only there it completes."""

    def __init__(self, folder: Path) -> None:
        self._terminal, theirs = pty.openpty()
        self._heard = ""
        self._process = subprocess.Popen(
            ["zsh", "-f", "-i"],  # noqa: S607 - the user's
            cwd=folder,
            env={"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "PS1": "> "},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def type(self, text: str, until: str) -> None:
        """Type it, and wait for this to be shown."""
        os.write(self._terminal, text.encode())
        end = time.monotonic() + 60
        self._heard = ""
        while until not in self._heard:
            ready, _, _ = select.select([self._terminal], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{text!r}: {until!r} is not in {self._heard!r}"
            self._heard += os.read(self._terminal, 4096).decode(errors="replace")

    def close(self) -> None:
        """Hang up."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_offers_what_there_is(shell: str, scripts: Scripts) -> None:
    script = scripts(shell)
    for typed, expected in EXPECTED:
        assert candidates(script, typed) == expected, typed


def test_zsh_completes_what_is_typed(scripts: Scripts) -> None:
    script = scripts("zsh")
    script.rename(script.with_name("_awsflow"))
    with closing(Zsh(script.parent)) as zsh:
        zsh.type("fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy\n", "ready")
        for typed, (expected,) in EXPECTED:
            zsh.type(typed + "\t", expected)
            zsh.type("\x15echo do''ne\n", "done")


def test_a_shell_that_is_not_known_is_refused(tmp_path: Path) -> None:
    ended = awsflow("completion", "cmd", home=tmp_path)
    assert ended.returncode == 2
    assert b"invalid choice: 'cmd'" in ended.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_examples_and_each_of_them_can_be_parsed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert "\nexamples:\n" in told
    examples = [line for line in told.partition("\nexamples:\n")[2].splitlines() if line.startswith("  ")]
    ours = list(commands_in(examples))
    assert any(words[0] == command for words in ours)
    for words in ours:
        assert_parsed(words)


@pytest.mark.parametrize(
    ("typed", "meant"), [("replya", "replay"), ("subscribe", "subscriber"), ("failure", "failures")]
)
def test_a_command_that_is_not_there_is_told_with_the_one_that_is_near(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([typed]) == 2
    assert f"there is no command '{typed}'; do you mean '{meant}'? " in capsys.readouterr().err
