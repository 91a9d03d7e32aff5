"""What docstrings show is what happens."""

import doctest
import pkgutil
from importlib import import_module

import pytest

import awsflow

MODULES = [
    each.name for each in pkgutil.walk_packages(awsflow.__path__, "awsflow.") if not each.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_come_out_as_they_are_shown(name: str) -> None:
    assert doctest.testmod(import_module(name)).failed == 0


def test_examples_are_found_where_they_are() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    shown = {name for name in MODULES if any(test.examples for test in finder.find(import_module(name)))}
    assert {"awsflow.envelope", "awsflow.logtypes.layout", "awsflow.logtypes.macie", "awsflow.stages"} <= shown
