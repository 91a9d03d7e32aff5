"""The promise, kept by real processes: subscribers share a queue, one is killed, everything arrives."""

import subprocess
import sys
from pathlib import Path

from more_itertools import chunked

from tests.conftest import Aws
from tests.queues import Logs
from tests.wazuh import Wazuh

SUBSCRIBER = """
import sys
from awsflow import Batch, Flow
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sources import Queue

source = Queue("logs", access=AwsAccess(service_endpoint=sys.argv[1]), wait=5)
Flow(source, batch=Batch(records=50)).to(WazuhSocket(sys.argv[2])).run()
"""


def test_of_two_subscribers_one_is_killed_and_every_object_is_delivered(aws: Aws, tmp_path: Path) -> None:
    logs = Logs(aws, VisibilityTimeout=3)
    keys = [f"{number:03}" for number in range(500)]
    with Wazuh(tmp_path) as wazuh:
        command = [sys.executable, "-c", SUBSCRIBER, aws.url, str(wazuh.path)]
        logs.put(*keys[:50])
        killed, other = (subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2))
        for some in chunked(keys[50:], 50):
            logs.put(*some)
            if len(wazuh.bodies) >= 150:
                killed.kill()
        wazuh.wait_for(150, 60)
        killed.kill()
        killed.communicate()
        _, complaint = other.communicate(timeout=60)
        assert (killed.returncode, other.returncode, complaint) == (-9, 0, b"")
        delivered = {event["aws"]["n"] for event in wazuh.events()}
    assert sorted(delivered) == keys
    assert logs.left() == 0
