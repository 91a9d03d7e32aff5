"""The fuzzer's targets hold for what they begin with, and for what was found once. `make fuzz` looks for more."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.table import TARGETS

ROOT = Path(__file__).resolve().parent.parent
CRASHES = sorted((ROOT / "tests" / "fuzz" / "crashes").glob("*-*"))


@pytest.mark.parametrize("name", TARGETS)
def test_each_target_holds_for_its_seeds(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert seeds
    for seed in seeds:
        TARGETS[name].check(seed)


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: crash.name)
def test_what_once_broke_something_does_not_any_more(crash: Path) -> None:
    TARGETS[crash.name.partition("-")[0]].check(crash.read_bytes())


def test_a_target_that_is_not_there_is_told_with_those_that_are() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "there is no target nonsense; the targets are: json_value, " in ended.stderr
