"""The table of log types holds what the modules say, has all of them, and imports none that is not asked for."""

import subprocess
import sys
from pathlib import Path

from awsflow import logtypes
from awsflow.logtypes import LOG_TYPES
from awsflow.samples import SAMPLES
from tests.test_golden import GOLDEN

FOLDER = Path(logtypes.__path__[0])


def test_every_type_has_the_name_of_its_module_and_a_sample() -> None:
    assert {name: log_type.name for name, log_type in LOG_TYPES.items()} == {name: name for name in LOG_TYPES}
    assert set(SAMPLES) == set(LOG_TYPES)


def test_every_module_that_makes_a_type_of_its_name_is_in_the_table() -> None:
    making = {path.stem for path in FOLDER.glob("*.py") if f"\n{path.stem.upper()} = LogType(" in path.read_text()}
    assert making == set(LOG_TYPES)


def test_a_run_of_one_type_imports_no_other() -> None:
    code = "import sys; from awsflow.logtypes import LOG_TYPES; LOG_TYPES['cloudtrail']; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.rpartition(".")[2] for name in ended.stdout.split() if name.startswith("awsflow.logtypes.")}
    assert imported & set(LOG_TYPES) == {"cloudtrail"}


def test_every_type_that_wazuh_knows_is_there_and_the_golden_cases_are_of_these() -> None:
    wazuhs = "cloudtrail config custom guardduty vpcflow waf alb clb nlb server_access cisco_umbrella"
    assert set(wazuhs.split()) <= set(LOG_TYPES)
    cases = {path.parent.name for path in GOLDEN.glob("*/case.json")}
    assert not cases or {"alb", "clb", "config", "nlb", "vpcflow", "waf"} <= cases
