"""The models of AWS's services are found where botocore finds them, and hold the same."""

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from awsflow.aws import client
from awsflow.aws_models import Models
from awsflow.options import AwsAccess


@pytest.mark.parametrize("service", ["s3", "sqs", "logs", "inspector2", "sts"])
def test_a_model_is_what_botocore_reads(service: str) -> None:
    for kind in ("service-2", "endpoint-rule-set-1"):
        theirs = Loader()
        ours = Models(theirs)
        assert ours.load_service_model(service, kind) == theirs.load_service_model(service, kind)


def test_the_services_are_those_that_botocore_lists() -> None:
    services = Models(Loader()).list_available_services("service-2")
    listed = botocore.session.get_session().get_available_services()
    assert list(services) == listed
    assert all(name in services for name in listed)
    assert not any(name in services for name in ("", "s4", ".."))


def test_who_asks_for_another_service_is_told_which_there_are() -> None:
    with pytest.raises(UnknownServiceError, match=r"s4.*, s3, "):
        Models(Loader()).load_service_model("s4", "service-2")


def test_a_users_own_models_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Loader().load_service_model("s3", "service-2")
    model["metadata"]["apiVersion"] = "2030-01-01"
    (tmp_path / "s3" / "2030-01-01").mkdir(parents=True)
    (tmp_path / "s3" / "2030-01-01" / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert client("s3", AwsAccess(access_key="a", secret_key="b")).meta.service_model.api_version == "2030-01-01"
