"""Load balancers' logs: whose file is whose in the folder that they share."""

import gzip
from datetime import UTC, datetime

import pytest

from awsflow.items import Unreadable
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.alb import ALB
from awsflow.logtypes.alb_connection import ALB_CONNECTION
from awsflow.logtypes.clb import CLB
from awsflow.logtypes.layout import Place
from awsflow.logtypes.load_balancers import split_address
from awsflow.logtypes.nlb import NLB
from awsflow.logtypes.recognise import by_key
from awsflow.samples import SAMPLES

START = datetime(2026, 11, 20, 23, 55, tzinfo=UTC)
TYPES = (ALB, CLB, NLB, ALB_CONNECTION)
FOLDER = "pre/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/20/"
NAME = "123456789012_elasticloadbalancing_us-east-1_"


@pytest.mark.parametrize(
    ("name", "types"),
    [
        (NAME + "app.my-lb.50dc6c495c0c9188_20261120T0000Z_192.0.2.1_03f30.log.gz", {"alb"}),
        (NAME + "net.my-nlb.c6e77e28c25b2234_20261120T0000Z_03f50.log.gz", {"nlb"}),
        (NAME + "my-lb_20261120T0000Z_192.0.2.1_03f40.log", {"clb"}),
        (NAME + "app_20261120T0000Z_192.0.2.1_03f40.log", {"clb"}),
        (NAME + "net-1_20261120T0000Z_192.0.2.1_03f40.log", {"clb"}),
        ("conn_log." + NAME + "app.my-lb.50dc6c495c0c9188_20261120T0000Z_192.0.2.1_03f30.log.gz", {"alb_connection"}),
        ("health_check_log." + NAME + "app.my-lb.50dc6c495c0c9188_20261120T0000Z_192.0.2.1_x.log.gz", set()),
        ("ELBAccessLogTestFile", set()),
        ("ELBConnectionLogTestFile", set()),
        ("ELBHealthCheckLogTestFile", set()),
        ("copied.log", {"alb", "clb", "nlb", "alb_connection"}),
    ],
)
def test_the_files_name_tells_which_load_balancer_has_written_it(name: str, types: set[str]) -> None:
    for key in (FOLDER + name, name):
        assert {log_type.name for log_type in TYPES if log_type.has(key)} == types
        assert {log_type.name for log_type in TYPES if log_type.may_have(key)} == types


def test_the_test_file_that_elb_leaves_in_a_bucket_is_skipped() -> None:
    """Unlike Wazuh's own module, which reads it as a log."""
    assert by_key("AWSLogs/123456789012/ELBAccessLogTestFile", TYPES) == []


@pytest.mark.parametrize("name", ["alb", "clb", "nlb", "alb_connection"])
def test_they_lie_below_account_and_region_without_an_organization(name: str) -> None:
    below = {"pre/AWSLogs/suf/": ["123456789012"], "pre/AWSLogs/suf/123456789012/elasticloadbalancing/": ["eu-west-1"]}
    (layout,) = LOG_TYPES[name].layouts
    streams = layout.streams(Place(prefix="pre/", suffix="suf/", organization="o-1"), lambda at: iter(below[at]))
    assert list(streams) == ["pre/AWSLogs/suf/123456789012/elasticloadbalancing/eu-west-1/"]
    assert not LOG_TYPES[name].account


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("192.0.2.1:443", ("192.0.2.1", "443")),
        ("[::1]:443", ("::1", "443")),
        ("[2001:db8::1]:65535", ("2001:db8::1", "65535")),
        ("2001:db8::1:443", ("2001:db8::1", "443")),
        ("-", ("", "-")),
        ("", ("", "")),
        ("443", ("", "443")),
        (":443", ("", ":443")),
        ("192.0.2.1:", ("", "192.0.2.1:")),
        ("[::1]", ("", "[::1]")),
    ],
)
def test_an_address_is_split_at_its_last_colon(address: str, split: tuple[str, str]) -> None:
    assert split_address(address) == split


@pytest.mark.parametrize("name", ["alb", "clb", "nlb", "alb_connection", "server_access", "cisco_umbrella"])
def test_samples_are_read_and_told_from_all_other_types(name: str) -> None:
    sample, log_type = SAMPLES[name], LOG_TYPES[name]
    document = sample.document(sample.events(7, 1000, START))
    assert document == sample.document(sample.events(7, 1000, START))
    assert document != sample.document(sample.events(8, 1000, START))
    text = gzip.decompress(document) if document.startswith(b"\x1f\x8b") else document
    key = sample.key("123456789012", "us-east-1", START, 1)
    events = [event for block in log_type.decode(iter([text]), key) for event in block]
    assert len(events) == 1000
    assert [event for event in events if isinstance(event, Unreadable)] == []
    assert log_type.has(key)
    for line in text.splitlines(keepends=True):
        assert [other.name for other in LOG_TYPES.values() if other.looks_like(line)] == [name]
