import boto3, pytest
from awsflow.options import AwsAccess
from moto.server import ThreadedMotoServer
import requests
class Aws:
    def __init__(self, url): self.url = url; self.access = AwsAccess(service_endpoint=url)
    def client(self, name): return boto3.client(name, endpoint_url=self.url, region_name="us-east-1")
@pytest.fixture(scope="session")
def _server():
    s = ThreadedMotoServer(port=0, verbose=False); s.start(); host, port = s.get_host_and_port(); yield f"http://127.0.0.1:{port}"; s.stop()
@pytest.fixture
def aws(_server, monkeypatch):
    for k in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"): monkeypatch.setenv(k, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    requests.post(_server + "/moto-api/reset")
    return Aws(_server)
