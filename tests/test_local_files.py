"""Logs in local files and folders."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from awsflow import Flow
from awsflow.errors import ServiceError
from awsflow.sources import LocalFiles

DEPTH = 1200
"""Folders: more than Python nests calls."""


@pytest.fixture
def deepest(tmp_path: Path) -> Iterator[Path]:
    """The last of many folders in each other."""
    folders = [tmp_path / "top"]
    for _ in range(DEPTH):
        folders[-1].mkdir()
        folders.append(folders[-1] / "d")
    folders[-1].mkdir()
    yield folders[-1]
    for folder in reversed(folders):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def write(path: Path, name: str) -> None:
    path.write_text(json.dumps({"Records": [{"eventID": name}]}))


def test_files_are_read_in_the_order_of_their_paths_however_deep_they_lie(tmp_path: Path, deepest: Path) -> None:
    write(deepest / "deep.json", "deep")
    write(tmp_path / "top" / "z.json", "z")
    write(tmp_path / "top" / "a.json", "a")
    events = [record.event for record in Flow(LocalFiles(tmp_path, log_type="cloudtrail"))]
    assert [event["eventID"] for event in events if isinstance(event, dict)] == ["a", "deep", "z"]


def test_a_path_that_the_system_refuses_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"opening .*: File name too long; "):
        list(Flow(LocalFiles(tmp_path / ("x" * 300), log_type="cloudtrail")))
