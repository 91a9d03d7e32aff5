"""The soak test itself, for seconds; and its document, which names every fault that is known."""

from pathlib import Path

from tests.fault_server import KINDS
from tests.soak.__main__ import soak
from tests.soak.report import DOCUMENT, faults_table, printed


def test_seconds_of_faults_and_kills_over_all_sources_lose_nothing_and_repeat_no_more_than_promised(
    tmp_path: Path,
) -> None:
    told = soak(8, 5, tmp_path / "wazuh")
    shown = "\n".join(printed(told, 8 / 60))
    assert told.is_good, shown
    assert sum(place.kills for place in told.places) > 0, shown
    assert all(place.ids for place in told.places), shown


def test_the_table_of_faults_is_the_one_that_the_fault_server_knows() -> None:
    told = DOCUMENT.read_text()
    assert "\n".join(faults_table()) in told, "run `make soak`: it writes docs/reliability.md"
    assert [name for name in KINDS if f"| {name} |" not in told] == []
