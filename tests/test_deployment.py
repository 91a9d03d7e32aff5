"""The systemd unit and the container file: what they call is there, and may do no more than it has to."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.shown import assert_parsed, commands_in

ROOT = Path(__file__).resolve().parent.parent
UNIT = ROOT / "docs" / "systemd" / "awsflow.service"
CONTAINER = ROOT / "docs" / "container" / "Containerfile"
CODES = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "exit-codes.md").read_text(), re.MULTILINE))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def settings(name: str) -> list[str]:
    """The values of a setting of the unit."""
    return [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith(f"{name}=")]


def indented(path: Path) -> list[str]:
    """The commands that the comments of a file show."""
    return [line[4:] for line in path.read_text().splitlines() if line.startswith("#   ")]


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with an awsflow that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / UNIT.name
    here = Path(sys.executable).with_name("awsflow")
    unit.write_text(UNIT.read_text().replace("/opt/awsflow/bin/awsflow", str(here)))
    return unit


def test_systemd_takes_the_unit_without_a_word(unit: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    about = [line for line in ended.stderr.splitlines() if unit.name in line or str(unit) in line]
    assert (ended.returncode, ended.stdout, about) == (0, "", [])


def test_systemd_finds_little_that_the_service_could_harm(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--json=short", str(unit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, [row for row in json.loads(ended.stdout) if row["set"] is False]


def test_the_unit_calls_what_there_is_and_knows_its_exit_codes() -> None:
    (start,) = settings("ExecStart")
    commands = list(commands_in([start, *indented(UNIT)]))
    assert {words[0] for words in commands} == {"run", "config"}
    for words in commands:
        assert_parsed(words)
    told = {code for name in ("SuccessExitStatus", "RestartPreventExitStatus") for code in settings(name)[0].split()}
    assert told <= CODES


def test_the_container_file_calls_what_there_is_and_nothing_runs_as_root() -> None:
    lines = CONTAINER.read_text().splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith(("#", " "))]
    named = dict(steps)
    assert named["ENTRYPOINT"] == '["awsflow"]'
    assert_parsed(json.loads(named["CMD"]))
    assert int(named["USER"]) > 999
    assert named["STOPSIGNAL"] == "SIGTERM"
    assert all(
        re.fullmatch(r"docker.io/library/python:3\.1[1-9]-slim( AS build)?", base)
        for step, base in steps
        if step == "FROM"
    )
    extras = re.findall(r"\[([a-z,]+)\]", " ".join(text for step, text in steps if step == "RUN"))
    assert extras
    assert set(",".join(extras).split(",")) <= EXTRAS.keys()
    shown = [
        words for words in commands_in(indented(CONTAINER)) if words[0].isalpha()
    ]  # others: it is the image's name
    assert [words[0] for words in shown] == ["replay"]
    assert_parsed(shown[0])
