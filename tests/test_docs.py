"""The documents keep up with the code: commands, log types, Python examples, make targets."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from awsflow.cli import COMMANDS
from awsflow.cli.types import as_markdown
from awsflow.errors import AwsflowError
from awsflow.samples import SAMPLES
from tests.command_tables import tables
from tests.commands import awsflow
from tests.shown import assert_parsed, commands_in

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *(ROOT / "docs").glob("*.md")]
README = (ROOT / "README.md").read_text()
TEXTS = [README, (ROOT / "CONTRIBUTING.md").read_text(), *(path.read_text() for path in (ROOT / "docs").glob("*.md"))]


def test_every_command_is_in_the_readme() -> None:
    assert [name for name in COMMANDS if f"awsflow {name}" not in README] == []


def test_the_table_of_log_types_is_the_one_that_the_command_prints() -> None:
    told = (ROOT / "docs" / "log-types.md").read_text()
    assert as_markdown() in told, "put what `awsflow types --markdown` prints into docs/log-types.md"


def test_the_options_of_each_command_are_those_of_its_parser() -> None:
    told = (ROOT / "docs" / "commands.md").read_text()
    assert told == tables(), "run `python -m tests.command_tables > docs/commands.md`"


def test_every_command_that_the_documents_show_can_be_parsed() -> None:
    shown = 0
    for text in TEXTS:
        code = re.findall(r"^ {4}.*$", text, re.MULTILINE)
        for words in commands_in(line[4:].removeprefix("$ ") for line in code):
            assert_parsed(words)
            shown += 1
    assert shown > 30


def test_every_exit_code_is_in_the_table_and_has_its_troubleshooting() -> None:
    listed = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs" / "exit-codes.md").read_text(), re.MULTILINE))
    heads = re.findall(r"^## ([\d, ]+): .", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)
    troubles = {code for head in heads for code in head.split(", ")}
    assert troubles == listed
    family = [AwsflowError]
    for kind in family:
        family += kind.__subclasses__()
        assert str(kind.exit_code) in troubles, kind


def test_every_make_target_that_the_documents_name_is_there_and_tells_what_it_does() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607 - the user's
    targets = {line.split()[0] for line in listed.splitlines()}
    named = {target for text in TEXTS for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, re.MULTILINE)}
    assert {"demo", "test", "lint", "bench"} <= targets
    assert named - targets == set()


def test_every_link_to_a_file_leads_somewhere() -> None:
    for path in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
            assert (path.parent / link).exists(), f"{path.name} links to {link}"


def test_every_link_to_a_heading_finds_it() -> None:
    for path in DOCUMENTS:
        for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", path.read_text()):
            text = (path.parent / link).read_text() if link else path.read_text()
            heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor in anchors, f"{path.name} links to {link}#{anchor}"


def test_the_configuration_to_get_started_with_is_taken(tmp_path: Path) -> None:
    (block,) = re.findall(r"```xml\n(.*?)```", (ROOT / "docs" / "getting-started.md").read_text(), re.DOTALL)
    file = tmp_path / "ossec.conf"
    file.write_text(f"<ossec_config>{block}</ossec_config>")
    ended = awsflow("config", "check", file, home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"my-trail" in ended.stdout


def test_every_test_that_the_security_document_names_is_there() -> None:
    named = re.findall(r"`(tests/[a-z_0-9]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 10
    for path, test in named:
        assert f"def {test}" in (ROOT / path).read_text(), f"{path} has no {test}"


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
def test_the_examples_in_python_run(example: str, tmp_path: Path) -> None:
    sample = SAMPLES["cloudtrail"]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    for number in range(2):
        path = tmp_path / sample.key("123456789012", "eu-west-1", start, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample.document(sample.events(number, 20, start, "123456789012", "eu-west-1")))
    ended = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"^\d+ events$", ended.stdout, re.MULTILINE)
