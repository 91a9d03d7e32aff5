"""The promise, kept by real processes: after kills at random moments every event has arrived, few of them twice."""

import gzip
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Aws
from tests.wazuh import Wazuh

BATCH = 1000
"""Events of a flush batch: what a kill may repeat at most."""


def put_objects(aws: Aws, objects: int, events: int) -> list[str]:
    """Put CloudTrail objects into a new bucket; return the ids of their events."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="trail")
    ids = []
    for number in range(objects):
        of_object = [f"{number}.{event}" for event in range(events)]
        document = json.dumps({"Records": [{"eventID": id_, "filling": "x" * 200} for id_ in of_object]})
        key = (
            "AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/"
            f"123456789012_CloudTrail_eu-west-1_20261120T{number // 60:02}{number % 60:02}Z_x.json.gz"
        )
        s3.put_object(Bucket="trail", Key=key, Body=gzip.compress(document.encode(), 1))
        ids += of_object
    return ids


def wodle(aws: Aws, wazuh: Wazuh, *flags: str) -> list[str]:
    return [
        *(sys.executable, "-m", "awsflow", "wodle", "--bucket", "trail", "--only_logs_after", "2026-NOV-01"),
        *("--service_endpoint", aws.url, "--wazuh-home", str(wazuh.home), *flags),
    ]


def run(aws: Aws, wazuh: Wazuh, *flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(wodle(aws, wazuh, *flags), capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.parametrize(("objects", "events"), [(40, 600), (1, 24_000)])
def test_killed_at_random_moments_again_and_again_no_event_is_lost_and_a_kill_repeats_a_batch_at_most(
    aws: Aws, tmp_path: Path, objects: int, events: int
) -> None:
    ids = put_objects(aws, objects, events)
    dice = random.Random(objects)
    kills = 0
    with Wazuh(tmp_path) as wazuh:
        while True:
            arrived = len(wazuh.bodies)
            process = subprocess.Popen(wodle(aws, wazuh), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if kills < 12:
                # kill it while it delivers: some events, but not all, have come since it began
                target = arrived + dice.randrange(1, 4000)
                while len(wazuh.bodies) < target and process.poll() is None:
                    time.sleep(0.001)
                if process.poll() is None:
                    process.kill()
                    kills += 1
            output, _ = process.communicate(timeout=100)
            if process.returncode == 0:
                break
            assert process.returncode == -9, output.decode()
        seen = Counter(event["aws"]["eventID"] for event in wazuh.events())
    assert kills >= 5
    assert set(ids) - set(seen) == set()
    assert sum(seen.values()) - len(ids) <= kills * BATCH
    assert set(seen) == set(ids)


def started(aws: Aws, wazuh: Wazuh, *flags: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(wodle(aws, wazuh, *flags), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_an_engine_that_restarts_again_and_again_in_the_midst_of_a_run_gets_every_event_once(
    aws: Aws, tmp_path: Path
) -> None:
    ids = put_objects(aws, 3, 4000)
    arrived: list[str] = []
    process = None
    for restart in range(5):
        with Wazuh(tmp_path) as wazuh:
            process = process or started(aws, wazuh, "--max-eps", "5000")
            if restart < 4:
                wazuh.wait_for(500)
            else:
                output, _ = process.communicate(timeout=100)
        arrived += [event["aws"]["eventID"] for event in map(json.loads, wazuh.bodies)]
        time.sleep(0.1)  # while there is no queue at all
    assert process is not None
    assert (process.returncode, output) == (0, "")
    assert arrived == ids


def test_an_engine_that_stays_away_ends_a_run_with_11_and_what_was_not_sent_is_sent_by_the_next_run(
    aws: Aws, tmp_path: Path
) -> None:
    ids = put_objects(aws, 1, 12_000)
    with Wazuh(tmp_path) as wazuh:
        process = started(aws, wazuh, "--max-eps", "8000", "--queue-timeout", "0.5")
        wazuh.wait_for(3500)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 11
    assert output.startswith(f"ERROR: s3://trail/: sending to {wazuh.path}: ")
    assert output.count("\n") == 1
    seen = Counter(event["aws"]["eventID"] for event in map(json.loads, wazuh.bodies))
    with Wazuh(tmp_path) as wazuh:
        ended = run(aws, wazuh)
        assert (ended.returncode, ended.stdout) == (0, "")
        after = wazuh.events()
    seen.update(event["aws"]["eventID"] for event in after)
    assert set(seen) == set(ids)
    assert seen.total() - len(ids) <= BATCH
    assert len(after) < len(ids) - 2000


def test_a_second_run_has_nothing_to_send_and_prints_nothing(aws: Aws, tmp_path: Path) -> None:
    put_objects(aws, 3, 10)
    with Wazuh(tmp_path) as wazuh:
        for expected in (30, 0):
            ended = run(aws, wazuh)
            assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
            assert len(wazuh.take()) == expected
