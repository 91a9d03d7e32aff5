"""`awsflow.toml` and `awsflow config`: read, checked, converted, described."""

import json
import re
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes with moto, its types do not
import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.cli import bucket, service, subscriber
from awsflow.cli.wodle_flags import parse
from awsflow.configuration import Config, config_of, problems_in
from awsflow.configuration.document import Document, Section
from awsflow.configuration.schema import as_markdown, as_schema
from awsflow.configuration.table import EVERY, TABLES, Option
from awsflow.configuration.toml_file import as_toml, read_toml
from awsflow.configuration.when import clock, day_of_month, interval, weekday, when
from awsflow.errors import AwsflowError, ConfigError, UnknownRegion, UnknownType
from tests.commands import awsflow

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text()
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
SCHEMA = json.loads((ROOT / "docs" / "awsflow.schema.json").read_text())


def document(text: str) -> Document:
    return read_toml(text.encode(), "awsflow.toml")


def config(text: str, **environ: str) -> Config:
    return config_of(document(text), environ)


def plain(values: Any) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps(values, default=lambda day: day.isoformat()))


def valid(text: str) -> bool:
    """Whether the schema takes it."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return bool(validator.is_valid(plain(tomllib.loads(text))))


def test_the_example_of_the_document_is_read_and_is_as_the_schema_says() -> None:
    read = config(EXAMPLE)
    assert [str(source) for source in read.sources] == [
        "cloudtrail s3://my-trail/",
        "auto s3://my-logs/central/",
        "cloudwatchlogs /aws/eks/* eu-west-1 as logs",
        "vpcflow sqs://my-queue",
    ]
    assert [source.access.profile for source in read.sources] == ["logs"] * 4
    assert [source.collect.skip_on_error for source in read.sources] == [True] * 4
    assert [source.when.interval.seconds for source in read.sources] == [600, 3600, 600, 600]
    assert read.run.max_eps == 500
    assert valid(EXAMPLE)


def test_the_schema_and_the_tables_in_the_documents_are_those_that_the_command_prints() -> None:
    assert as_schema() == SCHEMA, "put what `awsflow config schema` prints into docs/awsflow.schema.json"
    assert as_markdown() in DOCUMENT, "put what `awsflow config options` prints into docs/configuration.md"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


VALUES: dict[str, Any] = {
    "accounts": ["123456789012"],
    "regions": ["eu-west-1", "us-gov-west-1"],
    "log-groups": ["a", "/b/*"],
    "after": date(2026, 11, 1),
    "interval": "90m",
    "time": "04:30",
    "day": 31,
    "wday": "mon",
    "type": "alb",
    "format": "json",
    "organization": "o-abc",
    "prefix": "a/b",
    "suffix": "c",
    "alias": 'Ünser "prod" \\ x\x7f',
    "lookback": 3,
    "max-object-size": 1000,
    "max-ratio": 100.5,
    "discard-field": "a.b",
    "discard-regex": r"a\.b'c",
    "profile": "p",
    "role-arn": "arn:aws:iam::123456789012:role/logs",
    "external-id": "x y",
    "role-duration": 900,
    "endpoint-url": "https://a",
    "sts-endpoint-url": "https://b",
    "access-key": "AKIA",
    "secret-key": "abc",
    "queue": "https://sqs.eu-west-1.amazonaws.com/123456789012/lake",
    "wait": 5,
    "visibility": 60,
    "log-stream-prefix": "x",
    "requests-per-second": 0.5,
    "to": "file:x.ndjson",
    "wazuh-home": "/wazuh",
    "state": "x.db",
    "dead-letter": "y.ndjson",
    "max-eps": 1000,
    "oversize": "send",
    "pace": "off",
    "queue-timeout": 1.5,
    "rotate-at": 1 << 30,
    "at-once": 2,
    "budget": 1 << 24,
    "metrics": "x.prom",
    "metrics-port": "127.0.0.1:9107",
}
NAMES = {"bucket": "my-trail", "service": "cloudwatchlogs", "subscriber": "buckets"}


def value_of(option: Option, table: str) -> Any:
    if option.name == "name":
        return NAMES[table]
    return True if option.kind == "flag" else VALUES[option.name]


@pytest.mark.parametrize(
    ("table", "option"), [(table, option) for table, options in TABLES.items() for option in options], ids=str
)
def test_every_option_is_taken_by_its_check_and_by_the_schema_and_written_as_it_was_read(
    table: Any, option: Option
) -> None:
    value = value_of(option, table or "bucket")
    assert option.value(value) is not None
    needed = {each.name: value_of(each, table) for each in TABLES[table] if each.needed}
    section = Section(table, "", {**needed, option.name: value})
    empty = Section("", ""), Section("defaults", "")
    source = Section("bucket", "", {"name": "my-trail"})
    match table:
        case "":
            whole = Document("", section, empty[1], (source,))
        case "defaults":
            whole = Document("", empty[0], section, (source,))
        case _:
            whole = Document("", *empty, (section,))
    text = as_toml(whole, secrets=True)
    again = document(text)
    assert [dict(each.values) for each in (again.run, again.defaults, *again.sources)] == [
        dict(each.values) for each in (whole.run, whole.defaults, *whole.sources)
    ]
    assert valid(text)


def test_options_are_called_as_the_flags_of_the_commands_are(capsys: pytest.CaptureFixture[str]) -> None:
    own = {option.name for option in EVERY[:6]} | {"discard-field", "discard-regex", "access-key", "secret-key"}
    plural = {"log-groups": "log-group"}
    for command, table in ((bucket, "bucket"), (service, "service"), (subscriber, "subscriber")):
        with pytest.raises(SystemExit):
            command.main(["--help"])
        flags = capsys.readouterr().out
        for option in TABLES[table]:  # type: ignore[index] # it is one of them
            if option.name != "name" and option.name not in own:
                name = plural.get(option.name, option.name)
                assert f"--{name}" in flags or f"--{name.removesuffix('s')}" in flags


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "[[bucket]]\nname = 'trail'\nprefx = 'a'",
            ConfigError,
            "[[bucket]] 1, prefx: there is no such option; is prefix",
        ),
        ("[[bucket]]\nname = 'trail'\nskip_on_error = true", ConfigError, "is skip-on-error meant?"),
        ("[[bucket]]\nname = 'trail'\naws_profile = 'x'", ConfigError, "is profile meant?"),
        ("[[bucket]]\nname = 'trail'\nqueue = 'x'", ConfigError, "no such option here, but in [[subscriber]]"),
        ("[[bucket]]\nname = 'trail'\n[defaults]\nname = 'x'", ConfigError, "awsflow.toml, [defaults], name"),
        (
            "max_eps = 5\n[[bucket]]\nname = 'trail'",
            ConfigError,
            "awsflow.toml, max_eps: there is no such option; is max-eps",
        ),
        ("xyzzy = 5\n[[bucket]]\nname = 'trail'", ConfigError, "see docs/configuration.md"),
        ("[[bucket]]", ConfigError, "[[bucket]] 1: name is missing: the bucket"),
        ("[[bucket]]\nname = 'trail'\n[[bucket]]\nname = 'T'", ConfigError, "[[bucket]] 2, name: bucket 'T'"),
        ("[[bucket]]\nname = 'trail'\ntype = 'x'", UnknownType, "[[bucket]] 1: choosing a log type"),
        ("[[bucket]]\nname = 'trail'\nregions = ['eu-nowhere-1']", UnknownRegion, "[[bucket]] 1, regions: region"),
        (
            "[[bucket]]\nname = 'trail'\nregions = 'eu-west-1'",
            ConfigError,
            "regions: the value does not fit: write a list",
        ),
        ("[[bucket]]\nname = 'trail'\nregions = ['']", ConfigError, "regions: the value does not fit: write a list"),
        (
            "[[bucket]]\nname = 'trail'\nremove = 'yes'",
            ConfigError,
            "remove: the value does not fit: write true or false",
        ),
        ("[[bucket]]\nname = 'trail'\nlookback = true", ConfigError, "lookback: the value does not fit: write a whole"),
        ("[[bucket]]\nname = 'trail'\nsecret-key = 1234567890", ConfigError, "secret-key: the value does not fit"),
        ("[[bucket]]\nname = 'trail'\nafter = 2026-11-01T00:00:00", ConfigError, "after: the value does not fit"),
        ("[bucket]\nname = 'trail'", ConfigError, "write [[bucket]], with two brackets"),
        ("defaults = 5\n[[bucket]]\nname = 'trail'", ConfigError, "write [defaults]"),
        ("[[subscriber]]\nname = 'buckets'\nqueue = 'a b'", ConfigError, "queue 'a b'"),
        (
            "[[subscriber]]\nname = 'security_hub'\nqueue = 'q'\ntype = 'alb'",
            ConfigError,
            "type: it is for the subscriber",
        ),
        ("[[service]]\nname = 'inspector'\nlog-groups = ['a']", ConfigError, "give log-groups for cloudwatchlogs"),
        ("budget = 5\n[[bucket]]\nname = 'trail'", ConfigError, "budget: '5': give a number of bytes"),
        ("at-once = 0\n[[bucket]]\nname = 'trail'", ConfigError, "at-once: '0': give a number of sources"),
        ("to = 'mail'\n[[bucket]]\nname = 'trail'", ConfigError, "to: 'mail': write wazuh"),
        ("oversize = 'cut'\n[[bucket]]\nname = 'trail'", ConfigError, "oversize: oversize 'cut': give shrink"),
        ("to = wazuh", ConfigError, "(at line 1"),
        ("", ConfigError, "it names no bucket, no service and no subscriber"),
    ],
)
def test_what_is_wrong_is_told_with_its_table(text: str, error: type[AwsflowError], message: str) -> None:
    with pytest.raises(error) as raised:
        config(text)
    assert type(raised.value) is error
    assert message in str(raised.value)
    assert "1234567890" not in str(raised.value)


@given(text=st.text(alphabet="[]bucket\nname='trail#=1.\"", max_size=80))
def test_whatever_stands_there_is_read_or_told(text: str) -> None:
    try:
        config(text)
    except AwsflowError as error:
        assert "awsflow.toml" in str(error)  # noqa: PT017 - one or the other


def test_a_number_of_more_digits_than_python_converts_is_told() -> None:
    with pytest.raises(ConfigError, match=r"reading x\.toml: Exceeds the limit"):
        read_toml(b"max-eps = " + b"1" * 5000, "x.toml")


def test_a_toml_with_bytes_that_are_no_utf_8_names_the_line() -> None:
    with pytest.raises(ConfigError, match="line 2: this is not UTF-8"):
        read_toml(b"\n# \xfc", "awsflow.toml")


def test_without_more_said_the_state_is_the_one_of_the_wodle_and_so_are_the_options() -> None:
    for text, flags in (
        ("[[bucket]]\nname = 'trail'", ("--bucket", "trail")),
        ("[[service]]\nname = 'inspector'", ("--service", "inspector")),
        ("[[subscriber]]\nname = 'buckets'\nqueue = 'q'", ("--subscriber", "buckets", "--queue", "q")),
    ):
        read, wodle = config(text, WAZUH_HOME="/w"), parse(flags, {"WAZUH_HOME": "/w"})
        assert (read.sources[0].collect, read.sources[0].access) == (wodle.collect, wodle.access)
        assert (read.run.dead_letter, read.run.wazuh_home) == (wodle.dead_letter, wodle.wazuh_home)
        assert (read.run.oversize, read.run.pace) == (wodle.oversize, wodle.pace)
        assert (read.run.queue_timeout, read.run.max_eps) == (wodle.queue_timeout, wodle.max_eps)


def test_for_other_sinks_the_state_is_the_users() -> None:
    read = config("to = 'stdout'\n[[bucket]]\nname = 'trail'", HOME="/home/x")
    assert read.run.state == Path("/home/x/.local/state/awsflow/awsflow.db")


def test_options_given_elsewhere_go_before_those_of_the_file() -> None:
    read = config_of(document("to = 'wazuh'\n[[bucket]]\nname = 'trail'"), {"HOME": "/h"}, {"to": "stdout"})
    assert read.run.to == "stdout"


@pytest.mark.parametrize(
    ("how", "begun", "due"),
    [
        (when(None, True, None, None, None), "2026-11-24T10:00", "2026-11-24T10:10"),
        (when(interval("1d"), True, None, None, time(4, 30)), "2026-11-24T04:00", "2026-11-24T04:30"),
        (when(interval("2d"), True, None, None, time(4, 30)), "2026-11-24T04:30", "2026-11-26T04:30"),
        (when(None, True, None, 0, None), "2026-11-24T00:00", "2026-11-30T00:00"),
        (when(interval("2w"), True, None, 1, time(1)), "2026-11-24T01:00", "2026-12-08T01:00"),
        (when(None, True, 31, None, time(1)), "2026-11-24T01:00", "2026-11-30T01:00"),
        (when(None, True, 31, None, time(1)), "2026-11-30T01:00", "2026-12-31T01:00"),
        (when(interval("3M"), True, 15, None, None), "2026-11-24T01:00", "2027-02-15T00:00"),
    ],
)
def test_the_next_time_is_the_one_of_the_calendar(how: Any, begun: str, due: str) -> None:
    start, end = (datetime.fromisoformat(text).astimezone() for text in (begun, due))
    assert how.pause(start, start) == (end - start).total_seconds()
    assert how.pause(start, end + timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("check", "text"),
    [
        *((interval, text) for text in ("", "0m", "10x", "999999999M", "-5")),
        *((clock, text) for text in ("24:00", "5", "1:60")),
        *((day_of_month, text) for text in ("0", "x")),
        (weekday, "x"),
    ],
)
def test_times_that_cannot_be_are_refused(check: Any, text: str) -> None:
    with pytest.raises(AwsflowError):
        check(text)


CONF = """<ossec_config><wodle name="aws-s3"><frob/>
<bucket type="waf"><name>my-waf</name><access_key>AKIASECRET</access_key>
<secret_key>SECRETSECRET</secret_key></bucket></wodle></ossec_config>"""


def test_convert_prints_toml_that_check_accepts_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "ossec.conf").write_text(CONF)
    ended = awsflow("config", "convert", tmp_path / "ossec.conf", home=tmp_path)
    assert ended.returncode == 0
    assert b"SECRET" not in ended.stdout + ended.stderr
    assert b"WARNING: " in ended.stderr
    assert b"ossec.conf, line 1: <frob> is no option" in ended.stderr
    assert b"ossec.conf, line 3, <secret_key>: it is left out" in ended.stderr
    (tmp_path / "awsflow.toml").write_bytes(ended.stdout)
    checked = awsflow("config", "check", tmp_path / "awsflow.toml", home=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, b"")
    assert checked.stdout.startswith(b"waf s3://my-waf/: every 10 minutes, and at the start\n")
    with_secrets = awsflow("config", "convert", "--secrets", tmp_path / "ossec.conf", home=tmp_path).stdout
    assert b'secret-key = "SECRETSECRET"' in with_secrets


def test_check_tells_every_mistake_a_line_and_ends_with_the_first_ones_code(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[[bucket]]\nname = 'T'\nregions = ['eu-nowhere-1']")
    ended = awsflow("config", "check", tmp_path / "a.toml", home=tmp_path)
    assert ended.returncode == 17
    assert [line.partition(b" ")[0] for line in ended.stderr.splitlines()] == [b"ERROR:", b"ERROR:"]


def test_a_document_without_mistakes_has_none() -> None:
    assert problems_in(document(EXAMPLE), {}) == []
