"""A run imports what it needs, and nothing else: the scheduler starts a process per bucket per interval."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from awsflow import sources
from tests.conftest import Aws


def imported_by(*arguments: str) -> set[str]:
    """The modules that a command has imported at its end."""
    code = "import sys; from awsflow.cli import main; code = main(sys.argv[1:]); print(code, *sys.modules, sep='\\n')"
    ended = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    code, *modules = ended.stdout.split()
    assert code == "0", ended.stdout
    return set(modules)


HEAVY = {"boto3", "prometheus_client", "rich", "smart_open", "pyarrow", "zstandard", "cramjam", "moto"}


def test_a_run_that_finds_nothing_new_imports_nothing_heavy_and_no_other_source_or_type(
    aws: Aws, tmp_path: Path
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    s3.put_object(Bucket="trail", Key="AWSLogs/123456789012/CloudTrail/eu-west-1/2020/01/01/x.json", Body=b"{}")
    modules = imported_by("wodle", "-b", "trail", "--service_endpoint", aws.url, "--wazuh-home", str(tmp_path))
    assert modules & HEAVY == set()
    ours = {name for name in modules if name.startswith("awsflow.")}
    assert "awsflow.sources.s3" in ours
    assert "awsflow.sources.s3_by_example" not in ours
    others = {"sqs", "cloudwatch_logs", "inspector", "files", "s3_objects"}
    assert {f"awsflow.sources.{name}" for name in others} & ours == set()
    assert {f"awsflow.logtypes.{name}" for name in ("alb", "vpcflow", "custom", "waf")} & ours == set()


def test_a_run_that_reads_what_is_well_imports_no_second_library_for_it(aws: Aws, tmp_path: Path) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    folder = f"AWSLogs/123456789012/CloudTrail/eu-west-1/{datetime.now(UTC):%Y/%m/%d}"
    for number in range(20):
        s3.put_object(Bucket="trail", Key=f"{folder}/{number}.json", Body=b'{"Records": [{}]}')
    state = str(tmp_path / "state.db")
    command = ("bucket", "trail", "--endpoint-url", aws.url, "--state", state, "--to", f"file:{tmp_path / 'events'}")
    modules = imported_by(*command, "--quiet")
    assert (tmp_path / "events").read_text().count("\n") == 20
    assert "awsflow.sources.s3_by_example" in modules
    assert {"boto3", "requests", "smart_open"} & modules == set()


@pytest.mark.parametrize("source", ["S3Bucket('trail')", "S3Objects('s3://trail/')"])
def test_what_is_loaded_before_workers_part_is_all_that_a_client_without_a_role_needs(aws: Aws, source: str) -> None:
    code = (
        "import sys\n"
        "from awsflow.aws import client\n"
        "from awsflow.options import AwsAccess\n"
        "from awsflow.sources import S3Bucket, S3Objects\n"
        "assert 'botocore' not in sys.modules\n"
        f"{source}.load()\n"
        "loaded = set(sys.modules)\n"
        "client('s3', AwsAccess(service_endpoint=sys.argv[1]))\n"
        "print(*sys.modules.keys() - loaded)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, aws.url], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


@pytest.mark.parametrize("name", sources.__all__)
def test_every_source_is_there_when_it_is_asked_for(name: str) -> None:
    assert getattr(sources, name).__name__ == name
    assert set(sources.__all__) == set(sources._MODULES)


def test_a_source_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = sources.Nothing


def test_garbage_is_looked_for_more_often_once_a_start_is_over() -> None:
    code = (
        "import gc, sys\n"
        "from awsflow.cli import GARBAGE, GARBAGE_LATER, main\n"
        "main(['--version'])\n"
        "assert gc.get_threshold()[0] == GARBAGE > GARBAGE_LATER\n"
        "stays = [[] for _ in range(GARBAGE + 1)]\n"
        "assert gc.get_threshold()[0] == GARBAGE_LATER\n"
        "assert gc.get_freeze_count() > GARBAGE\n"
        "assert not gc.callbacks\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
