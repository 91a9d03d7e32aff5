"""The family of errors, and the exit codes that the docs tell of."""

import re
from pathlib import Path

from awsflow import errors
from awsflow.errors import AwsflowError

DOCS = Path(__file__).resolve().parent.parent / "docs" / "exit-codes.md"


def family(kind: type[AwsflowError] = AwsflowError) -> list[type[AwsflowError]]:
    return [kind, *(descendant for child in kind.__subclasses__() for descendant in family(child))]


def documented() -> set[int]:
    return {int(code) for code in re.findall(r"^\| (\d+) \|", DOCS.read_text(), re.MULTILINE)}


def test_every_error_has_an_exit_code_that_the_docs_explain() -> None:
    undocumented = {kind.__name__: kind.exit_code for kind in family() if kind.exit_code not in documented()}
    assert undocumented == {}


def test_the_docs_explain_no_exit_code_that_does_not_exist() -> None:
    from_signals = {0, 2, 129, 143}
    assert documented() - {kind.exit_code for kind in family()} - from_signals == set()


def test_every_error_of_the_module_belongs_to_the_family_and_says_when_it_happens() -> None:
    for name, kind in vars(errors).items():
        if isinstance(kind, type):
            assert issubclass(kind, AwsflowError), name
            assert kind.__doc__, name
