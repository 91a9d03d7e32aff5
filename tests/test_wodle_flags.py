"""The flags of `awsflow wodle`: a row here for each of Wazuh's, with what is accepted and what is not; and our own."""

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from awsflow.cli import wodle, wodle_flags
from awsflow.cli.wodle_flags import WodleOptions, parse
from awsflow.errors import ArgumentsError, AwsflowError
from awsflow.logtypes import LOG_TYPES
from awsflow.options import SERVICES, SUBSCRIBERS, BucketOptions, QueueOptions, ServiceOptions

DOCS = Path(__file__).resolve().parent.parent / "docs" / "wodle.md"
ROLE = "arn:aws:iam::123456789012:role/path/logs"
BUCKET = ("--bucket", "my-trail")
QUEUE = ("--subscriber", "buckets")
GROUPS = ("--service", "cloudwatchlogs", "--aws_log_groups", "group")
Values: TypeAlias = dict[str | None, Any]
"""What is made of each value of a flag. None: the flag has no value."""


@dataclass(frozen=True)
class Row:
    """A flag: what is made of accepted values, and the exit codes of others. `given` are flags that it needs."""

    short: str
    long: str
    accepted: Values
    field: Callable[[WodleOptions], Any]
    refused: Values
    given: tuple[str, ...] = BUCKET

    def words(self, flag: str, value: str | None) -> list[str]:
        return [*self.given, flag, *([] if value is None else [value])]


def like(value: Any, *spelt: str) -> Values:
    return dict.fromkeys(spelt, value)


def same(*values: str) -> Values:
    return {value: value for value in values}


def wrong(*values: str) -> Values:
    """Each of the values is a breach."""
    return dict.fromkeys(values, 2)


ZERO = "\uff10"
"""A digit, for Unicode and for `int`."""
CHARACTERS = (*r"""\{}^%`[]'"<>~#|""", "&apos;", "&quot;", "&amp;", "&lt;", "&gt;", "&#13;", "&#10;")
NO_KEY_PARTS = wrong(*(f"a{character}b" for character in CHARACTERS))
KEY_PARTS = like("a/", "a", "a/") | like("a/b/", "a/b", "a/b/") | like("", "") | like("a &(b)=*!/", "a &(b)=*!")
URLS = same("https://s3.eu-west-1.amazonaws.com", "http://127.0.0.1:9000", "http://[::1]:9000/path", "HTTPS://host")
NO_URLS = wrong("s3.amazonaws.com", "ftp://host", "http://", "https:///path", "http://host:port", "http://h?query", "")

WAZUH = (
    Row(
        *("-b", "--bucket"),
        same("a-0", "my.trail", "0" * 63, "a--b", "x-s3alias-x"),
        lambda options: bucket(options).bucket,
        wrong("ab", "0" * 64, "-ab", "ab-", ".ab", "ab.", "My-trail", "my_trail", "my trail", "xn--trail", "é" * 3)
        | wrong("my-trail-s3alias", "my-trail--ol-s3", "my-trail\n", "s3://my-trail"),
        given=(),
    ),
    Row(
        *("-sr", "--service"),
        like("inspector", "inspector", "Inspector"),
        lambda options: service(options).service,
        like(12, "guardduty", "cloudwatch"),
        given=(),
    ),
    Row(
        *("-sb", "--subscriber"),
        like("buckets", "buckets", "Buckets") | like("security_hub", "Security_Hub"),
        lambda options: queue(options).reader,
        like(12, "sqs", "bucket") | like(21, "SECURITY_LAKE"),  # without a role
        given=("--queue", "q"),
    ),
    Row(
        *("-q", "--queue"),
        same("a", "A" * 80, "my-queue_1", "my-queue.fifo"),
        lambda options: queue(options).queue,
        wrong("a" * 81, "my queue", "my.queue", "my-queue.fifo2", ".fifo", "ü", "a\n", "a" * 76 + ".fifo"),
        given=QUEUE,
    ),
    Row(
        *("-t", "--type"),
        like("cloudtrail", "cloudtrail", "CloudTrail", "CLOUDTRAIL"),
        lambda options: bucket(options).log_type,
        like(12, "cloudtrails", "", "trail"),
    ),
    Row(*("-O", "--aws_organization_id"), same("o-abc123def4"), lambda options: bucket(options).organization, {}),
    Row(
        *("-c", "--aws_account_id"),
        like(("123456789012",), "123456789012", " 123456789012 ")
        | like(("123456789012", "000000000000"), "123456789012,000000000000", "123456789012, 000000000000")
        | like((), ""),
        lambda options: bucket(options).accounts,
        wrong("12345678901", "1234567890123", "12345678901a", "123456789012;1", "123456789012,1", ZERO * 12)
        | wrong("123456789012,", ",", "123456789012,,210987654321"),
    ),
    Row(
        *("-d", "--debug"),
        {"0": 0, "1": 1, "2": 2, "3": 3},
        lambda options: options.debug,
        wrong("x", "", "1.5", "debug"),
    ),
    Row(
        *("-a", "--access_key"),
        same("AKIDOWN"),
        lambda options: options.access.access_key,
        {},
        given=(*BUCKET, "--secret_key", "own"),
    ),
    Row(
        *("-k", "--secret_key"),
        same("own/secret+key=="),
        lambda options: options.access.secret_key,
        {},
        given=(*BUCKET, "--access_key", "AKIDOWN"),
    ),
    Row(*("-p", "--aws_profile"), same("logs", "a profile"), lambda options: options.access.profile, {"nobody": 23}),
    Row(*("-x", "--external_id"), same("the external id"), lambda options: options.access.external_id, {}),
    Row(
        *("-i", "--iam_role_arn"),
        same(ROLE, "arn:aws-us-gov:iam::123456789012:role/x", "arn:aws-cn:iam::123456789012:role/x")
        | same("arn:aws:iam:::role/in-a-store-of-ones-own"),
        lambda options: options.access.role_arn,
        wrong("", "logs", "arn:aws:iam::1234:role/x", "arn:aws:iam::123456789012:user/x", ROLE + "\n")
        | wrong("arn:aws:s3:::my-trail", "arn:aws:iam::123456789012:role/a b", "arn:aws:iam::123456789012:role/"),
    ),
    Row(
        *("-rd", "--iam_role_duration"),
        {"900": 900, "3600": 3600, "1234": 1234},
        lambda options: options.access.role_duration,
        wrong("899", "3601", "0", "-900", "1h", "900.5", "", "9" + ZERO * 2),
        given=(*BUCKET, "--iam_role_arn", ROLE),
    ),
    Row(*("-n", "--aws_account_alias"), same("the alias", "ü"), lambda options: bucket(options).alias, {}),
    Row(*("-l", "--trail_prefix"), KEY_PARTS, lambda options: bucket(options).prefix, NO_KEY_PARTS),
    Row(*("-L", "--trail_suffix"), KEY_PARTS, lambda options: bucket(options).suffix, NO_KEY_PARTS),
    Row(
        *("-s", "--only_logs_after"),
        like(date(2026, 11, 1), "2026-NOV-01", "2026-Nov-01", "2026-nov-01", "2026-11-01", "2026-NOV-1")
        | like(date(2024, 2, 29), "2024-FEB-29"),
        lambda options: bucket(options).only_after,
        wrong("2026-NOVEMBER-01", "2026-XXX-01", "2025-FEB-29", "2026-13-01", "01-NOV-2026", "2026NOV01", "26-NOV-01")
        | wrong("2026-NOV-00", "2026-NOV-31", "", "2026-NOV-01 ", "2026-11-01T00:00:00", "0000-JAN-01")
        | wrong("202" + ZERO + "-11-01"),
    ),
    Row(
        *("-r", "--regions"),
        like(("eu-west-1",), "eu-west-1", " eu-west-1")
        | like(("us-east-1", "ap-southeast-5", "mx-central-1"), "us-east-1,ap-southeast-5, mx-central-1")
        | like(("us-gov-west-1", "us-gov-east-1"), "us-gov-west-1,us-gov-east-1")
        | like(("cn-north-1", "cn-northwest-1"), "cn-north-1,cn-northwest-1")
        | like(("us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"), "us-iso-east-1,us-isob-east-1,eusc-de-east-1")
        | like((), ""),
        lambda options: bucket(options).regions,
        wrong("eu-west", "euwest1", "eu_west_1", "EU-WEST-1", "e-west-1", "eu-west-1;us-east-1", "us-gov-1x", "é")
        | wrong("eu-west-1,", ",", "aws-global")
        | like(22, "eu-west-9", "us-gov-north-1", "xx-name-1", "eu-west-1,eu-east-9"),
    ),
    Row(*("-e", "--skip_on_error"), {None: True}, lambda options: bucket(options).skip_on_error, {}),
    Row(*("-o", "--reparse"), {None: True}, lambda options: bucket(options).reparse, {}),
    Row(*("-R", "--remove"), {None: True}, lambda options: bucket(options).remove, {}),
    Row(
        *("-g", "--aws_log_groups"),
        {"/aws/lambda/x": ("/aws/lambda/x",), "a,b": ("a", "b"), "a.b-c_d": ("a.b-c_d",)},
        lambda options: service(options).groups,
        NO_KEY_PARTS | wrong("a,", ","),
        given=("--service", "cloudwatchlogs"),
    ),
    Row(*("-P", "--remove-log-streams"), {None: True}, lambda options: service(options).remove, {}, given=GROUPS),
    Row(
        *("-df", "--discard-field"),
        same("eventName", "userIdentity.type"),
        lambda options: discard(options)[0],
        {},
        given=(*BUCKET, "--discard-regex", "x"),
    ),
    Row(
        *("-dr", "--discard-regex"),
        same("Describe|List", r"^\d+$", ""),
        lambda options: discard(options)[1],
        wrong("(", "[a", "*", "(?P<a", "a{99999999999}"),
        given=(*BUCKET, "--discard-field", "x"),
    ),
    Row(*("-st", "--sts_endpoint"), URLS, lambda options: options.access.sts_endpoint, NO_URLS),
    Row(*("-se", "--service_endpoint"), URLS, lambda options: options.access.service_endpoint, NO_URLS),
)
"""One row for each row of the table of Wazuh's flags."""

OURS = (
    Row("", "--wazuh-home", {"/opt/wazuh": Path("/opt/wazuh")}, lambda options: options.wazuh_home, {}),
    Row("", "--state", {"/x/s.db": Path("/x/s.db")}, lambda options: bucket(options).state, {}),
    Row("", "--dead-letter", {"/x/d.ndjson": Path("/x/d.ndjson")}, lambda options: options.dead_letter, {}),
    Row("", "--format", like("", ""), lambda options: bucket(options).format, wrong("jsonl")),  # of cloudtrail
    Row(
        *("", "--lookback"),
        {"0": timedelta(0), "30": timedelta(days=30)},
        lambda options: bucket(options).lookback,
        wrong("-1", "1.5", "", "a", "3651"),
    ),
    Row(
        *("", "--queue-timeout"),
        {"0": 0.0, "1.5": 1.5, "3600": 3600.0},
        lambda options: options.queue_timeout,
        wrong("-1", "nan", "inf", "1e3", "", "a", "1 ", "1_0"),
    ),
    Row(
        *("", "--oversize"),
        same("shrink", "dead-letter", "send"),
        lambda options: options.oversize,
        wrong("cut", "", "SHRINK"),
    ),
    Row(
        *("", "--max-eps"),
        {"1": 1.0, "0.5": 0.5, "5000": 5000.0},
        lambda options: options.max_eps,
        wrong("0", "0.0", "-1", "nan", "inf", "", "many"),
    ),
    Row(
        *("", "--pace"),
        {"auto": "auto", "off": "off"},
        lambda options: options.pace,
        wrong("on", "AUTO", ""),
    ),
    Row(
        *("", "--workers"),
        {"1": 1, "64": 64, "auto": len(os.sched_getaffinity(0)), "AUTO": len(os.sched_getaffinity(0))},
        lambda options: bucket(options).workers,
        wrong("0", "65", "-1", "1.5", "many", ""),
    ),
    Row(
        *("", "--max-object-size"),
        {"1": 1, "68719476736": 64 << 30},
        lambda options: bucket(options).max_object_size,
        wrong("0", "-1", "1.5", "1G", "", "9" * 30),
    ),
    Row(
        *("", "--max-ratio"),
        {"1": 1.0, "2.5": 2.5, "100000": 100000.0},
        lambda options: bucket(options).max_ratio,
        wrong("0", "0.9", "-1", "nan", "inf", ""),
    ),
    Row("", "--follow", {None: True}, lambda options: queue(options).follow, {}, given=(*QUEUE, "--queue", "q")),
    Row(
        *("", "--wait"),
        {"0": 0, "20": 20},
        lambda options: queue(options).wait,
        wrong("-1", "1.5", "", "a", "99999"),
        given=(*QUEUE, "--queue", "q"),
    ),
    Row(
        *("", "--visibility"),
        {"1": 1, "43200": 43_200},
        lambda options: queue(options).visibility,
        wrong("-1", "1.5", "", "a", "43201"),
        given=(*QUEUE, "--queue", "q"),
    ),
    Row("", "--log-stream-prefix", same("a/b"), lambda options: service(options).stream_prefix, {}, given=GROUPS),
    Row("", "--envelope", {None: True}, lambda options: service(options).envelope, {}, given=GROUPS),
    Row(
        *("", "--requests-per-second"),
        {"25": 25.0, "0.5": 0.5},
        lambda options: service(options).requests_per_second,
        wrong("0", "-1", "nan", "inf", ""),
        given=GROUPS,
    ),
    Row("", "--log-file", {"/x/log": Path("/x/log")}, lambda options: options.log_file, {}),
    Row("", "--stats-json", {"/x/stats": Path("/x/stats")}, lambda options: options.stats_json, {}),
    Row("", "--metrics", {"/x/aws.prom": Path("/x/aws.prom")}, lambda options: options.metrics, {}),
    Row(
        *("", "--metrics-port"),
        {"9107": ("127.0.0.1", 9107), "*:9107": ("0.0.0.0", 9107), "[::1]:0": ("::1", 0)},  # noqa: S104 - asked for
        lambda options: options.metrics_port,
        wrong("", "a", "65536", ":9107", "-1", "9107:", ZERO),
        given=(*QUEUE, "--queue", "q", "--follow"),
    ),
)
"""One row for each flag of our own."""


def bucket(options: WodleOptions) -> BucketOptions:
    assert isinstance(options.collect, BucketOptions)
    return options.collect


def service(options: WodleOptions) -> ServiceOptions:
    assert isinstance(options.collect, ServiceOptions)
    return options.collect


def queue(options: WodleOptions) -> QueueOptions:
    assert isinstance(options.collect, QueueOptions)
    return options.collect


def discard(options: WodleOptions) -> tuple[str, str]:
    assert options.discard is not None
    return options.discard


def spellings(row: Row) -> list[str]:
    return [row.short, row.long] if row.short else [row.long]


def named(row: Row) -> str:
    return row.long[2:]


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("WAZUH_HOME", str(tmp_path))


# The tables


def test_the_tables_name_each_flag_of_the_parser_with_its_short_form_and_no_other() -> None:
    for table, flags in ((WAZUH, wodle_flags.WAZUH), (OURS, wodle_flags.OURS)):
        assert [", ".join(spellings(row)) for row in table] == [flag.names for flag in flags]


@pytest.mark.parametrize("row", [*WAZUH, *OURS], ids=named)
def test_a_flag_takes_what_it_should_in_all_spellings(row: Row) -> None:
    for flag in spellings(row):
        for value, expected in row.accepted.items():
            assert row.field(parse(row.words(flag, value), {})) == expected, (flag, value)
            if value is not None:
                assert row.field(parse([*row.given, f"{flag}={value}"], {})) == expected, (flag, value)
            if value and len(flag) == 2:
                assert row.field(parse([*row.given, f"{flag}{value}"], {})) == expected, (flag, value)


@pytest.mark.parametrize("row", [*WAZUH, *OURS], ids=named)
def test_a_breach_ends_with_its_exit_code_and_one_line_and_wrong_arguments_with_a_usage_line(
    row: Row, capsys: pytest.CaptureFixture[str]
) -> None:
    for flag in spellings(row):
        for value, code in row.refused.items():
            assert wodle.main(row.words(flag, value)) == code, (flag, value)
            told = capsys.readouterr()
            assert re.fullmatch(r"ERROR: .+\n", told.out), told.out
            assert bool(re.fullmatch(r"usage: awsflow wodle .+\n", told.err)) == (code == 2), told.err


@pytest.mark.parametrize("row", [row for row in (*WAZUH, *OURS) if None not in row.accepted], ids=named)
def test_a_flag_that_takes_a_value_does_not_do_without(row: Row) -> None:
    for flag in spellings(row):
        with pytest.raises(ArgumentsError, match=f"{flag}.*: expected one argument"):
            parse([*row.given, flag], {})


def test_every_log_type_is_taken_in_any_case() -> None:
    for name in (*LOG_TYPES, "auto"):
        assert bucket(parse([*BUCKET, "-t", name.upper()], {})).log_type == name


def test_the_format_of_custom_logs_is_taken_in_any_case() -> None:
    for name in ("json", "jsonl", "csv", "tsv", "text", "parquet"):
        assert bucket(parse([*BUCKET, "-t", "custom", "--format", name.upper()], {})).format == name


def test_what_is_not_given_has_the_default_that_the_docs_tell_of() -> None:
    options = parse(BUCKET, {})
    assert bucket(options).log_type == "cloudtrail"
    assert (options.debug, bucket(options).lookback, options.queue_timeout) == (0, timedelta(days=1), 30.0)
    assert (options.oversize, options.max_eps, options.pace) == ("shrink", None, "auto")
    assert (bucket(options).max_object_size, bucket(options).max_ratio) == (64 << 30, 2000.0)
    assert options.wazuh_home == Path("/var/ossec")
    assert bucket(options).state == Path("/var/ossec/wodles/aws/awsflow.db")
    assert options.dead_letter == Path("/var/ossec/wodles/aws/dead-letter.ndjson")


def test_wazuh_home_is_the_flag_else_the_variable_and_the_dead_letters_lie_beside_the_state() -> None:
    assert bucket(parse(BUCKET, {"WAZUH_HOME": "/opt/w"})).state == Path("/opt/w/wodles/aws/awsflow.db")
    assert parse([*BUCKET, "--wazuh-home", "/w"], {"WAZUH_HOME": "/opt/w"}).wazuh_home == Path("/w")
    assert parse([*BUCKET, "--state", "/s/x.db"], {}).dead_letter == Path("/s/dead-letter.ndjson")


def test_the_objects_of_a_queue_are_of_a_log_type_when_one_is_named() -> None:
    assert queue(parse([*QUEUE, "-q", "q", "-t", "CloudTrail"], {})).reader == "cloudtrail"
    assert queue(parse([*QUEUE, "-q", "q", "-t", "auto"], {})).reader == "auto"


def test_text_is_discarded_without_a_field_where_events_may_be_text() -> None:
    for given in (GROUPS, (*QUEUE, "-q", "q")):
        assert parse([*given, "-dr", "START"], {}).discard == ("", "START")


# What flags need of one another


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["-t", "cloudtrail"], 2),
        (["-b", "my-trail", "-sr", "inspector"], 2),
        (["-b", "my-trail", "-sb", "buckets"], 2),
        (["-sr", "inspector", "-sb", "buckets"], 2),
        (["-b", "my-trail", "-sr", "inspector", "-sb", "buckets"], 2),
        (["-b", "my-trail", "-rd", "900"], 1),
        (["-b", "my-trail", "-a", "AKIDOWN"], 2),
        (["-b", "my-trail", "-k", "own"], 2),
        (["-b", "my-trail", "-df", "eventName"], 2),
        (["-b", "my-trail", "-dr", "List"], 2),
        (["-b", "my-trail", "--nothing"], 2),
        (["-b", "my-trail", "something"], 2),
        (["-sb", "buckets"], 21),
        (["-sb", "security_hub"], 21),
        (["-sb", "security_hub", "-q", "queue", "-t", "cloudtrail"], 2),
        (["-sb", "buckets", "-q", "queue", "-t", "cloudtrial"], 12),
        (["-sb", "security_lake", "-q", "queue"], 21),
        (["-sb", "security_lake", "-q", "queue", "-i", ROLE], 21),
        (["-sb", "security_lake", "-q", "queue", "-x", "id"], 21),
        (["-sb", "security_lake", "-i", ROLE, "-x", "id"], 21),
        (["-sr", "cloudwatchlogs"], 2),
        (["-sr", "cloudwatchlogs", "-g", "x", "-df", "eventName"], 2),
    ],
)
def test_what_flags_need_of_one_another(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert wodle.main(words) == code
    told = capsys.readouterr()
    assert re.fullmatch(r"ERROR: .+\n", told.out)
    assert bool(told.err) == (code == 2)


def test_static_keys_are_accepted_with_a_note_for_the_debug_channel() -> None:
    [note] = parse([*BUCKET, "-a", "AKIDOWN", "-k", "own"], {}).notes
    assert "deprecated" in note
    assert parse(BUCKET, {}).notes == ()


def test_help_is_no_error_and_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("-h", "--help", "--he"):
        with pytest.raises(SystemExit) as ended:
            wodle.main([flag])
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert [row.long for row in (*WAZUH, *OURS) if row.long not in told] == []


# Abbreviations


def reference() -> argparse.ArgumentParser:
    """Wazuh's flags alone, in argparse's own hands."""

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> Any:
            raise ArgumentsError(message)

    parser = Parser()
    for row in WAZUH:
        if None in row.accepted:
            parser.add_argument(row.short, row.long, action="store_true")
        else:
            parser.add_argument(row.short, row.long)
    return parser


@pytest.mark.parametrize("row", WAZUH, ids=named)
def test_each_abbreviation_of_a_flag_of_wazuh_s_is_what_argparse_takes_it_for(row: Row) -> None:
    value = next(iter(row.accepted), "x")
    for length in range(3, len(row.long) + 1):
        abbreviation = row.long[:length]
        words = [abbreviation] if value is None else [abbreviation, value]
        meant = meaning(words)
        if meant is None:
            with pytest.raises(ArgumentsError, match="is ambiguous"):
                parse([*row.given, *words], {})
        else:
            assert outcome([*row.given, *words]) == outcome([*row.given, meant, *words[1:]]), abbreviation


def meaning(words: list[str]) -> str | None:
    """The flag that argparse takes an abbreviation for; None if it is ambiguous."""
    try:
        flags = vars(reference().parse_args(words))
    except ArgumentsError:
        return None
    [flag] = [row.long for row in WAZUH if flags[row.long[2:].replace("-", "_")] not in (None, False)]
    return flag


def outcome(words: list[str]) -> object:
    try:
        return parse(words, {})
    except AwsflowError as error:
        return type(error), str(error)


def test_our_flags_can_be_abbreviated_where_nothing_of_wazuh_s_is_meant() -> None:
    assert parse([*BUCKET, "--queue-t", "5"], {}).queue_timeout == 5
    assert bucket(parse([*BUCKET, "--look=3"], {})).lookback == timedelta(days=3)
    with pytest.raises(ArgumentsError, match="--sta is ambiguous: it may be --state or --stats-json"):
        parse([*BUCKET, "--sta", "x"], {})
    assert parse([*BUCKET, "--st", "http://sts"], {}).access.sts_endpoint == "http://sts"


# Secrets


@pytest.mark.parametrize(
    "words",
    [
        ["-a", "PLANTED", "--nothing"],
        ["-KPLANTED"],
        ["--secretkey=PLANTED"],
        ["--secretkey", "PLANTED"],
        ["PLANTED"],
        ["-a", "PLANTED"],
        ["-kPLANTED"],
        ["--skip_on_error=PLANTED"],
        ["-eQPLANTED"],
        ["--s=PLANTED"],
        ["-x", "PLANTED", "-rd", "900"],
        ["-se", "http://user:PLANTED@"],
        ["-st", "PLANTED"],
    ],
)
def test_no_complaint_repeats_what_may_be_a_secret(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert wodle.main([*BUCKET, *words]) in (1, 2)
    assert "PLANTED" not in "".join(capsys.readouterr())


def test_no_picture_of_the_options_shows_a_secret() -> None:
    options = parse([*BUCKET, "-a", "PLANTED1", "-k", "PLANTED2", "-x", "PLANTED3"], {})
    assert "PLANTED" not in repr(options)


# The docs


def documented() -> dict[str, str]:
    """The flags in the tables of the docs, with what they say."""
    rows = re.findall(r"^\| `(-[^`]*)` \| (.+?) \|$", DOCS.read_text(), re.MULTILINE)
    return {flag: told.replace("\\|", "|") for flag, told in rows}


def test_the_docs_tell_of_each_flag_what_the_help_tells_and_of_no_other() -> None:
    told = {}
    for action in wodle_flags.parser()._actions:
        if "--help" not in action.option_strings:
            metavar = f" {action.metavar}" if action.metavar else ""
            told[", ".join(action.option_strings) + metavar] = action.help
    assert documented() == told


def test_the_docs_name_all_services_and_subscribers() -> None:
    text = DOCS.read_text()
    assert [name for name in (*SERVICES, *SUBSCRIBERS) if f"`{name}`" not in text] == []
