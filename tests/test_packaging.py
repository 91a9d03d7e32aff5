"""The packaging holds together: the named packages, the two links, the built wheel."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import awsflow.sinks
import awsflow.sources

ROOT = Path(__file__).resolve().parent.parent
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def folders_with_code() -> set[str]:
    top = {"awsflow": ROOT / "awsflow", "awsflow.sources": ROOT / "sources", "awsflow.sinks": ROOT / "sinks"}
    return {
        ".".join([name, *init.parent.relative_to(folder).parts])
        for name, folder in top.items()
        for init in folder.rglob("__init__.py")
    }


def test_the_list_of_packages_equals_the_folders_with_code() -> None:
    assert set(SETUPTOOLS["packages"]) == folders_with_code()


def test_the_imported_sources_and_sinks_are_the_checkouts() -> None:
    assert Path(awsflow.sources.__file__).resolve().parent == ROOT / "sources"
    assert Path(awsflow.sinks.__file__).resolve().parent == ROOT / "sinks"


def test_sources_and_sinks_are_never_modules_of_their_own() -> None:
    imported = "import awsflow.cli, awsflow.sources, awsflow.sinks, sys; print({'sources', 'sinks'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", imported], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout == "set()\n"
    assert not {"sources", "sinks"} & set(sys.modules)


def test_the_two_links_are_relative() -> None:
    assert (ROOT / "awsflow" / "sources").readlink() == Path("../sources")
    assert (ROOT / "awsflow" / "sinks").readlink() == Path("../sinks")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_a_wheel_built_from_the_source_distribution_holds_every_module_once(wheel: zipfile.ZipFile) -> None:
    top = {"awsflow": ROOT / "awsflow", "awsflow/sources": ROOT / "sources", "awsflow/sinks": ROOT / "sinks"}
    expected = sorted(
        f"{name}/{module.relative_to(folder)}"
        for name, folder in top.items()
        for module in folder.rglob("*.py")
        if not {"sources", "sinks"} & set(module.relative_to(folder).parts)
    )
    assert sorted(name for name in wheel.namelist() if name.endswith(".py")) == expected
    assert "awsflow/py.typed" in wheel.namelist()


def test_no_pattern_repeats_a_group_possessively_for_python_before_3_11_5_matches_that_wrongly() -> None:
    for folder in ("awsflow", "sources", "sinks"):
        for module in (ROOT / folder).rglob("*.py"):
            for number, line in enumerate(module.read_text().splitlines(), 1):
                wrong = re.search(r"\)(?:[*+?]|\{[0-9,]+\})\+", line.partition("#")[0])
                assert wrong is None, f"{module}:{number}: write (?>(...)*) instead"


def test_no_module_imports_upwards() -> None:
    """cli → (sources, sinks, logtypes, state) → (decode, stages, envelope) → (items, errors)."""
    forbidden = {
        "items.py": ("cli", "sources", "sinks", "logtypes", "state", "decode", "stages", "envelope", "flow"),
        "errors.py": ("cli", "sources", "sinks", "logtypes", "state", "decode", "stages", "envelope", "flow", "items"),
        "stages.py": ("cli", "sources", "sinks", "logtypes", "state"),
        "envelope.py": ("cli", "sources", "sinks", "logtypes", "state"),
        "decode": ("cli", "sources", "sinks", "logtypes", "state"),
        "logtypes": ("cli", "sources", "sinks", "state"),
        "state": ("cli", "sources", "sinks", "logtypes"),
        "sources": ("cli", "sinks"),
        "sinks": ("cli", "sources", "logtypes", "state"),
    }
    for name, others in forbidden.items():
        place = ROOT / "awsflow" / name
        for module in [place] if place.is_file() else place.resolve().rglob("*.py"):
            text = module.read_text()
            for other in others:
                assert f"awsflow.{other}" not in text, f"{module} imports awsflow.{other}"
