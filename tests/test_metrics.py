"""Metrics in Prometheus' format: in a file, over HTTP; and the dashboard and the alerts that are made for them."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from awsflow.cli.metrics import BUILD, COUNTERS, GAUGES, READABLE, RUNS, serving, write_metrics
from awsflow.errors import ArgumentsError, AwsflowError
from awsflow.flow import Stats
from awsflow.state.history import History, Told
from tests.commands import CREDENTIALS, awsflow
from tests.conftest import Aws
from tests.queues import Logs

DOCS = Path(__file__).resolve().parent.parent / "docs"
NAMES = {family.name for family in (*COUNTERS, *GAUGES)} | {RUNS, f"{BUILD}_info", READABLE}


def values(text: str) -> dict[tuple[str, ...], float]:
    """Each sample's value, by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    with History(path) as history:
        history.add(Told("a", 1.0, Stats(read=9, sent=7, failed=2), Stats(), 0, lag=4.5, newest_event=1e9, backlog=3))
        history.add(Told("a", 2.0, Stats(sent=1), Stats(), 7, "denied"))
        history.add(Told('b "\\\n', 1.0, Stats(), Stats()))
    return path


def test_every_source_has_its_values_in_the_file_and_what_is_not_known_is_absent(state: Path, tmp_path: Path) -> None:
    write_metrics(state, tmp_path / "awsflow.prom")
    told = values((tmp_path / "awsflow.prom").read_text())
    assert {name: told[name, "a"] for name in ("awsflow_events_sent_total", "awsflow_failures_total")} == {
        "awsflow_events_sent_total": 8,
        "awsflow_failures_total": 2,
    }
    assert (told["awsflow_runs_total", "ok", "a"], told["awsflow_runs_total", "error", "a"]) == (1, 1)
    assert (told["awsflow_last_run_exit_code", "a"], told["awsflow_last_run_failed", "a"]) == (7, 1)
    assert (told["awsflow_lag_seconds", "a"], told["awsflow_backlog", "a"]) == (4.5, 3)
    assert told["awsflow_newest_event_timestamp_seconds", "a"] == 1e9
    assert abs(told["awsflow_last_run_timestamp_seconds", "a"] - time.time()) < 60
    assert ("awsflow_newest_object_timestamp_seconds", "a") not in told
    assert told["awsflow_events_sent_total", 'b "\\\n'] == 0
    assert ("awsflow_last_run_exit_code", 'b "\\\n') not in told
    assert told["awsflow_state_readable",] == 1
    assert {name for name, *_ in told} <= NAMES


def test_the_file_is_replaced_at_once_and_readable_for_all_whatever_it_was_before(state: Path, tmp_path: Path) -> None:
    path = tmp_path / "awsflow.prom"
    path.write_text("old")
    path.chmod(0o600)
    with path.open() as reader:
        write_metrics(state, path)
        assert reader.read() == "old"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert sorted(file.name for file in tmp_path.glob("*.prom*")) == ["awsflow.prom"]
    assert list(tmp_path.glob(".*.new")) == []


def test_what_is_no_file_is_not_replaced(state: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path, why in ((tmp_path / "link", "no regular file"), (Path("/dev/null"), "no regular file")):
        with pytest.raises(AwsflowError, match=f"writing the metrics {path}: this is {why}"):
            write_metrics(state, path)
    with pytest.raises(AwsflowError, match=f"writing the metrics {tmp_path}/no/x.prom: No such file"):
        write_metrics(state, tmp_path / "no" / "x.prom")
    assert (tmp_path / "link").is_symlink()


def test_a_state_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    write_metrics(tmp_path / "state.db", tmp_path / "awsflow.prom")
    told = values((tmp_path / "awsflow.prom").read_text())
    assert told["awsflow_state_readable",] == 0
    assert {name for name, *_ in told} == {READABLE, f"{BUILD}_info"}


def test_prometheus_gets_what_is_there_when_it_asks(state: Path) -> None:
    with serving(state, ("127.0.0.1", 0)) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        before = values(urlopen(url, timeout=10).read().decode())
        with History(state) as history:
            history.add(Told("a", 2.0, Stats(sent=5), Stats(), 0))
        after = values(urlopen(url, timeout=10).read().decode())
    assert after["awsflow_events_sent_total", "a"] - before["awsflow_events_sent_total", "a"] == 5


def test_a_port_that_is_taken_is_named(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ArgumentsError, match=f"serving metrics at 127.0.0.1:{port}: Address already in use"),
            serving(state, ("127.0.0.1", port)),
        ):
            pass


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus' promtool is not installed")
def test_promtool_finds_nothing_wrong(state: Path, tmp_path: Path) -> None:
    write_metrics(state, tmp_path / "awsflow.prom")
    with (tmp_path / "awsflow.prom").open() as file:
        check = ["promtool", "check", "metrics"]
        checked = subprocess.run(check, stdin=file, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    rules = ["promtool", "check", "rules", str(DOCS / "prometheus-rules.yml")]
    assert subprocess.run(rules, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("document", ["grafana-dashboard.json", "prometheus-rules.yml", "monitoring.md"])
def test_every_metric_that_the_documents_name_is_there(document: str) -> None:
    text = (DOCS / document).read_text()
    named = set(re.findall(r"\bawsflow_[a-z_]+", text))
    assert named
    assert named - NAMES == set()


def test_the_documents_tell_of_every_metric_and_of_every_alert() -> None:
    text = (DOCS / "monitoring.md").read_text()
    assert [name for name in NAMES if f"`{name}`" not in text] == []
    alerts = re.findall(r"alert: (\w+)", (DOCS / "prometheus-rules.yml").read_text())
    assert [alert for alert in alerts if f"`{alert}`" not in text] == []


def test_the_dashboard_is_one() -> None:
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["targets"] for panel in dashboard["panels"])


def test_counters_go_on_from_run_to_run_of_the_command_and_every_source_is_in_the_file(
    aws: Aws, tmp_path: Path
) -> None:
    s3 = aws.client("s3")
    file = tmp_path / "awsflow.prom"
    for bucket in ("one", "two"):
        s3.create_bucket(Bucket=bucket)
    for number, bucket in enumerate(("one", "one", "two")):
        key = f"AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/23/{number}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=b'{"Records": [{"eventTime": "2026-11-23T12:00:00Z"}]}')
        command = ("bucket", bucket, "--after", "2026-11-23", "--endpoint-url", aws.url, "--metrics", file)
        ended = awsflow(*command, home=tmp_path)
        assert (ended.returncode, ended.stderr) == (0, b"")
    told = values(file.read_text())
    assert told["awsflow_events_sent_total", "cloudtrail s3://one/"] == 2
    assert told["awsflow_events_sent_total", "cloudtrail s3://two/"] == 1
    assert told["awsflow_runs_total", "ok", "cloudtrail s3://one/"] == 2
    assert ("awsflow_newest_object_timestamp_seconds", "cloudtrail s3://one/") in told
    assert told["awsflow_backlog", "cloudtrail s3://one/"] == 0


def test_a_command_that_remembers_nothing_has_no_metrics_and_says_so(aws: Aws, tmp_path: Path) -> None:
    command = ("bucket", "trail", "--no-state", "--metrics", tmp_path / "x.prom", "--endpoint-url", aws.url)
    ended = awsflow(*command, home=tmp_path)
    assert ended.returncode == 2
    assert b"--metrics: its counters go on from run to run" in ended.stderr
    ended = awsflow("wodle", "-b", "trail", "--reparse", "--metrics", tmp_path / "x.prom", home=tmp_path)
    assert ended.returncode == 2
    assert b"--metrics: its counters go on from run to run" in ended.stdout


def test_the_port_is_only_for_a_command_that_stays(aws: Aws, tmp_path: Path) -> None:
    ended = awsflow("subscriber", "buckets", "--queue", "q", "--metrics-port", "0", home=tmp_path)
    assert (ended.returncode, b"--metrics-port: it needs --follow" in ended.stderr) == (2, True)
    ended = awsflow("wodle", "-sb", "buckets", "-q", "q", "--metrics-port", "0", home=tmp_path)
    assert (ended.returncode, b"--metrics-port: it needs --follow" in ended.stdout) == (2, True)


def test_a_command_that_stays_serves_its_metrics_with_what_waits_in_its_queue(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws)
    logs.put("a/1.json", "a/2.json")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["subscriber", "buckets", "--queue", "logs", "--follow", "--wait", "1", "--endpoint-url", aws.url]
    process = subprocess.Popen(
        [sys.executable, "-m", "awsflow", *command, "--metrics-port", str(port)],
        env={**os.environ, **CREDENTIALS, "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        told: dict[tuple[str, ...], float] = {}
        until = time.monotonic() + 60
        while told.get(("awsflow_events_sent_total", "buckets sqs://logs")) != 2:
            assert time.monotonic() < until, told
            assert process.poll() is None
            time.sleep(0.2)
            with suppress(OSError):
                told = values(urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode())
        assert told["awsflow_backlog", "buckets sqs://logs"] == 0
        assert ("awsflow_last_run_exit_code", "buckets sqs://logs") not in told
        assert told["awsflow_newest_object_timestamp_seconds", "buckets sqs://logs"] == 1795132800
    finally:
        process.terminate()
        assert process.wait(30) == 143
