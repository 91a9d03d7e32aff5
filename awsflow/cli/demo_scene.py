"""The scene of `awsflow demo`: an S3 stand-in with a bucket of sample logs, and a queue as Wazuh has it."""

import http.client
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from awsflow.errors import AwsflowError, LibraryMissing
from awsflow.samples import SAMPLES, cloudtrail

BUCKET = "demo-trail"
MIXED_BUCKET = "demo-logs"
ACCOUNTS = ("123456789012", "111122223333")
REGIONS = ("eu-west-1", "us-east-1")
AGES = (timedelta(hours=26), timedelta(hours=3), timedelta(minutes=10))
"""How old the objects of each account and region are."""
EVENTS = 50
"""In each object."""


@contextmanager
def s3_standin() -> Generator[str, None, None]:
    """Run moto's server in a thread; yield its address."""
    try:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - an extra; `--help` needs none
    except ImportError:
        raise LibraryMissing(
            "starting the S3 stand-in: moto's server is not installed; try: pip install 'awsflow[demo]'"
        ) from None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # else it prints a line for each request
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def wazuh_queue(folder: str) -> Generator[socket.socket, None, None]:
    """Listen where Wazuh listens below its home."""
    path = Path(folder, "queue", "sockets", "queue")
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as queue:
        queue.bind(str(path))
        queue.settimeout(0.1)
        yield queue


def fill(endpoint: str) -> tuple[list[str], str]:
    """Put the sample objects into the bucket; return the ids of all events, and one key."""
    now = datetime.now(UTC)
    ids: list[str] = []
    key = ""
    to = http.client.HTTPConnection(endpoint.removeprefix("http://"))  # bare: no settings of AWS or proxies count
    try:
        _put(to, f"/{BUCKET}", b"")
        places = [(account, region, age) for account in ACCOUNTS for region in REGIONS for age in AGES]
        for number, (account, region, age) in enumerate(places):
            events = list(cloudtrail.events(number, EVENTS, now - age, account, region))
            ids += [event["eventID"] for event in events]
            key = cloudtrail.key(account, region, now - age, number)
            _put(to, f"/{BUCKET}/{key}", SAMPLES["cloudtrail"].document(events))
    finally:
        to.close()
    return ids, key


def fill_with_all_types(endpoint: str) -> int:
    """Put an object of each log type into a bucket of its own, under the keys that AWS gives; return how many."""
    now = datetime.now(UTC)
    to = http.client.HTTPConnection(endpoint.removeprefix("http://"))
    try:
        _put(to, f"/{MIXED_BUCKET}", b"")
        for number, sample in enumerate(SAMPLES.values()):
            events = sample.events(number, EVENTS, now, ACCOUNTS[0], REGIONS[0])
            key = quote(sample.key(ACCOUNTS[0], REGIONS[0], now, number))
            _put(to, f"/{MIXED_BUCKET}/{key}", sample.document(events))
    finally:
        to.close()
    return len(SAMPLES)


def _put(to: http.client.HTTPConnection, path: str, body: bytes) -> None:
    to.request("PUT", path, body)
    answer = to.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise AwsflowError(f"filling the S3 stand-in: it answered {answer.status} for {path}; is another moto set up?")
