"""What tests share: an AWS that runs here, over HTTP."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from awsflow.options import AwsAccess


@dataclass(frozen=True)
class Aws:
    """Moto's server, empty at the beginning of each test."""

    url: str

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(service_endpoint=self.url)

    def client(self, service: str) -> Any:
        session: Any = boto3.Session()  # its stubs know a fixed list of services
        return session.client(service, endpoint_url=self.url, region_name="us-east-1")


@pytest.fixture(scope="session", autouse=True)
def heeded_signals() -> Iterator[None]:
    """Commands leave ignored what is ignored when they begin, as under nohup or behind a shell's `&`: not in tests."""
    ignored = [number for number in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The server's address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Aws:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with urlopen(Request(f"{moto}/moto-api/reset", method="POST"), timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.status == 200
    return Aws(moto)
