"""What a known-good collector sent for the same contents of AWS is what awsflow sends, through the real command."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from awsflow.logtypes import LOG_TYPES
from tests.conftest import Aws
from tests.wazuh import Wazuh

GOLDEN = Path(os.environ.get("AWSFLOW_GOLDEN", Path(__file__).resolve().parents[2] / "shared" / "golden"))


def cases() -> list[Any]:
    """The cases of the types that are there."""
    if not GOLDEN.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no golden cases in {GOLDEN} (set AWSFLOW_GOLDEN)"))]
    found = sorted(GOLDEN.glob("*/case.json"))
    return [pytest.param(case.parent, id=case.parent.name) for case in found if of_a_known_type(case)]


def of_a_known_type(case: Path) -> bool:
    flags = json.loads(case.read_text())["flags"]
    return "--type" in flags and flags[flags.index("--type") + 1] in LOG_TYPES


def canonical(body: bytes) -> str:
    """A body so that equal JSON is equal text."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return body.decode()


def by_file(bodies: list[bytes]) -> dict[str, list[str]]:
    """The bodies of each log file, in their order."""
    files: dict[str, list[str]] = defaultdict(list)
    for body in bodies:
        files[json.loads(body)["aws"]["log_info"]["log_file"]].append(canonical(body))
    return files


@pytest.mark.parametrize("folder", cases())
def test_the_same_events_are_sent(folder: Path, aws: Aws, tmp_path: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=case["bucket"])
    with Wazuh(tmp_path) as wazuh:
        for step in case["steps"]:
            for key, file in step["put"].items():
                s3.put_object(Bucket=case["bucket"], Key=key, Body=(folder / file).read_bytes())
            command = [sys.executable, "-m", "awsflow", "wodle", *case["flags"], "--service_endpoint", aws.url]
            run = subprocess.run(
                [*command, "--wazuh-home", str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
            )
            assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
            expected = (folder / step["expected"]).read_bytes().splitlines()
            bodies = wazuh.take()
            assert Counter(map(canonical, bodies)) == Counter(map(canonical, expected))
            assert by_file(bodies) == by_file(expected)
