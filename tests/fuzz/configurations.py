"""Configurations: `awsflow.toml` and `ossec.conf`."""

from collections.abc import Callable, Iterator
from functools import partial

from awsflow.configuration import Document, config_of, problems_in
from awsflow.configuration.ossec_conf import read_ossec_conf
from awsflow.configuration.toml_file import as_toml, read_toml
from awsflow.errors import AwsflowError
from tests.fuzz.target import Target

_ENVIRON = {"HOME": "/home/x", "WAZUH_HOME": "/var/ossec"}


def check(read: Callable[[bytes, str], Document], data: bytes) -> None:
    """A configuration, which written as TOML means the same; or errors of ours."""
    try:
        document = read(data, "x.conf")
        problems = problems_in(document, _ENVIRON)
    except AwsflowError as error:
        assert str(error)
        return
    if not problems:
        config = config_of(document, _ENVIRON)
        again = config_of(read_toml(as_toml(document, secrets=True).encode(), "x.conf"), _ENVIRON)
        assert [source.collect for source in again.sources] == [source.collect for source in config.sources]
        assert [source.access for source in again.sources] == [source.access for source in config.sources]


def _tomls() -> Iterator[bytes]:
    yield b"""
[defaults]
access-key = "planted-secret"
secret-key = "planted-secret"
[[bucket]]
name = "my-trail"
type = "cloudtrail"
after = 2026-11-01
accounts = ["123456789012"]
interval = "10m"
[[service]]
name = "cloudwatchlogs"
log-groups = ["a", "b"]
[[subscriber]]
name = "buckets"
queue = "notices"
"""
    yield b'to = "stdout"\n[[bucket]]\nname = 1\n[[bucket]]\nname = "x"\n'
    yield b"a = " + b"[" * 500 + b"]" * 500
    yield b"a = 1" + b"0" * 5000


def _ossecs() -> Iterator[bytes]:
    yield b"""<ossec_config><wodle name="aws-s3">
  <disabled>no</disabled><interval>10m</interval><run_on_start>yes</run_on_start><skip_on_error>yes</skip_on_error>
  <bucket type="cloudtrail"><name>my-trail</name><aws_profile>default</aws_profile><path>a&b</path>
   <only_logs_after>2018-JUN-01</only_logs_after><discard_regex field="a.b">\\<x</discard_regex></bucket>
  <service type="cloudwatchlogs"><aws_log_groups>a,b</aws_log_groups><regions>us-east-1</regions></service>
  <subscriber type="buckets"><sqs_name>notices</sqs_name></subscriber>
</wodle></ossec_config>"""
    yield b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><wodle name="aws-s3"><bucket type="&c;"></bucket></wodle>'
    yield b'<wodle name="aws-s3">' + b"<bucket>" * 500
    yield b"<!-- <wodle name='aws-s3'> -- --><wodle name='aws-s3'><access_key>x</access_key><bucket>b</bucket></wodle>"


CONFIGURATIONS: dict[str, Target] = {
    "config_toml": Target(partial(check, read_toml), "the same again when it is written as TOML, or errors", _tomls),
    "config_ossec": Target(partial(check, read_ossec_conf), "the same when it is written as TOML, or errors", _ossecs),
}
