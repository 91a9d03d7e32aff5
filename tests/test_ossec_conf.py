"""`ossec.conf`: every documented element means what the flag of `awsflow wodle` means; what is odd is told."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.cli.wodle_flags import parse
from awsflow.configuration import Config, Document, config_of, problems_in, read
from awsflow.configuration.ossec_conf import read_ossec_conf
from awsflow.configuration.toml_file import as_toml, read_toml
from awsflow.errors import AwsflowError, ConfigError, RoleNeeded, SubscriberArgumentsMissing, UnknownRegion, UnknownType

OF_WAZUH = """
<wodle name="aws-s3">
    <disabled>no</disabled>
    <interval>10m</interval>
    <run_on_start>no</run_on_start>
    <skip_on_error>no</skip_on_error>
    <bucket type="cloudtrail">
        <name>s3-dev-bucket</name>
        <aws_profile>default</aws_profile>
        <only_logs_after>2018-JUN-01</only_logs_after>
        <regions>us-east-1,us-west-1,eu-central-1</regions>
        <path>/dev1/</path>
        <aws_account_id>123456789012</aws_account_id>
        <aws_account_alias>dev1-account</aws_account_alias>
        <discard_regex field="userIdentity.userName">john.doe</discard_regex>
        <remove_from_bucket>yes</remove_from_bucket>
    </bucket>
    <bucket type="custom">
        <name>s3-prod-bucket</name>
        <iam_role_arn>arn:aws:iam::010203040506:role/ROLE_SVC_Log-Parser</iam_role_arn>
        <iam_role_duration>1300</iam_role_duration>
        <aws_account_alias>prod-account</aws_account_alias>
        <discard_regex field="detail.status">OK</discard_regex>
    </bucket>
    <service type="cloudwatchlogs">
        <aws_profile>default</aws_profile>
        <aws_log_groups>log_group1,log_group2</aws_log_groups>
        <only_logs_after>2018-JUN-01</only_logs_after>
        <regions>us-east-1,us-west-1,eu-central-1</regions>
        <discard_regex>.*Log Hostname1:.*</discard_regex>
    </service>
    <subscriber type="security_lake">
        <sqs_name>sqs-security-lake-main-queue</sqs_name>
        <external_id>wazuh-external-id-value</external_id>
        <iam_role_arn>arn:aws:iam::010203040506:role/ASL-Role</iam_role_arn>
    </subscriber>
    <subscriber type="buckets">
        <sqs_name>sqs-custom-logs-queue</sqs_name>
        <aws_profile>dev</aws_profile>
    </subscriber>
</wodle>
"""
"""An example as Wazuh's documentation has it."""


def document(text: str) -> Document:
    return read_ossec_conf(text.encode(), "ossec.conf")


def block(inside: str, root: str = "ossec_config") -> Document:
    return document(f'<{root}>\n<wodle name="aws-s3">\n{inside}\n</wodle>\n</{root}>\n')


def config(of: Document) -> Config:
    return config_of(of, {})


def bucket(inside: str) -> Document:
    return block(f'<bucket type="cloudtrail"><name>trail</name>\n{inside}</bucket>')


def round_trip(of: Document) -> Config:
    return config(read_toml(as_toml(of, secrets=True).encode(), "awsflow.toml"))


def of_wodle(*flags: str) -> list[Any]:
    """What the scheduler's flags mean: what to collect, how, and what to discard."""
    options = parse(flags, {})
    return [options.collect, options.access, options.discard]


def told(of: Document) -> list[Any]:
    (source,) = config(of).sources
    return [source.collect, source.access, source.discard]


ACCESS = {
    "access_key": ("AKIAIOSFODNN7EXAMPLE", "--access_key"),
    "secret_key": ("wJalrXUtnFEMI", "--secret_key"),
    "aws_profile": ("logs", "--aws_profile"),
    "iam_role_arn": ("arn:aws:iam::123456789012:role/logs", "--iam_role_arn"),
    "iam_role_duration": ("1300", "--iam_role_duration"),
    "external_id": ("an id & more", "--external_id"),
    "sts_endpoint": ("https://sts.example.com", "--sts_endpoint"),
    "service_endpoint": ("https://x.s3.us-east-2.vpce.amazonaws.com", "--service_endpoint"),
}
BUCKET = {
    "aws_account_id": ("123456789012, 112233445566", "--aws_account_id"),
    "aws_account_alias": ("Ünser <dev> & 'prod' \"x\"", "--aws_account_alias"),
    "aws_organization_id": ("o-abc123def4", "--aws_organization_id"),
    "path": ("dev1", "--trail_prefix"),
    "path_suffix": ("suffix/", "--trail_suffix"),
    "only_logs_after": ("2018-AUG-21", "--only_logs_after"),
    "regions": ("us-east-1,us-gov-west-1", "--regions"),
    "remove_from_bucket": ("yes", "--remove"),
}
SERVICE = {
    "regions": BUCKET["regions"],
    "only_logs_after": BUCKET["only_logs_after"],
    "remove_log_streams": ("yes", "--remove-log-streams"),
}
KINDS: dict[str, tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]] = {
    "bucket cloudtrail": ({"name": ("my-trail", "--bucket")}, {**BUCKET, **ACCESS}),
    "bucket server_access": ({"name": ("my-trail", "--bucket")}, {**BUCKET, **ACCESS}),
    "service inspector": ({}, {**SERVICE, **ACCESS}),
    "service cloudwatchlogs": ({"aws_log_groups": ("a,/aws/lambda/b", "--aws_log_groups")}, {**SERVICE, **ACCESS}),
    "subscriber buckets": ({"sqs_name": ("my-queue", "--queue")}, ACCESS),
    "subscriber security_hub": ({"sqs_name": ("my-queue.fifo", "--queue")}, ACCESS),
}
NEEDS = {"access_key": {"secret_key"}, "secret_key": {"access_key"}, "iam_role_duration": {"iam_role_arn"}}
ESCAPES = {"&": "&amp;", "<": "&lt;"}


def as_xml(kind: str, elements: dict[str, str], discard: tuple[str, str] | None, skip: bool) -> str:
    table, type_ = kind.split()
    rows = [f"<{name}> {re.sub('[&<]', lambda x: ESCAPES[x[0]], text)}\n</{name}>" for name, text in elements.items()]
    if discard is not None:
        rows.append(f'<discard_regex field="{discard[0]}">{discard[1]}</discard_regex>')
    inside = "\n".join(rows)
    return f'<skip_on_error>{"yes" if skip else "no"}</skip_on_error><{table} type="{type_}">{inside}</{table}>'


@given(data=st.data())
def test_every_documented_element_means_what_the_flag_means_and_survives_the_conversion(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    needed, optional = KINDS[kind]
    chosen = set(data.draw(st.lists(st.sampled_from(sorted(optional)), unique=True)))
    chosen |= {other for name in chosen for other in NEEDS.get(name, ())}
    known = {**needed, **{name: optional[name] for name in chosen}}
    discard = data.draw(st.sampled_from([None, ("a.b", r"x\.y & \S+"), ("eventName", "Describe|List")]))
    skip = data.draw(st.booleans())
    table, type_ = kind.split()
    flags = ["--bucket", "my-trail", "--type", type_] if table == "bucket" else [f"--{table}", type_]
    for name, (text, flag) in known.items():
        if name != "name":
            flags += [flag] if text == "yes" else [f"{flag}={text}"]
    if discard is not None:
        flags += ["--discard-field", discard[0], "--discard-regex", discard[1]]
    flags += ["--skip_on_error"] if skip else []
    read_ = block(as_xml(kind, {name: text for name, (text, _) in known.items()}, discard, skip))
    assert read_.notes == ()
    assert told(read_) == of_wodle(*flags)
    assert round_trip(read_) == config(read_)


def test_the_example_of_wazuhs_documentation_is_read_and_converted() -> None:
    read_ = document(OF_WAZUH)
    assert read_.notes == ()
    assert [str(source) for source in config(read_).sources] == [
        "cloudtrail s3://s3-dev-bucket//dev1/ 123456789012 us-east-1,us-west-1,eu-central-1",
        "custom s3://s3-prod-bucket/",
        "cloudwatchlogs log_group1,log_group2 us-east-1,us-west-1,eu-central-1 as default",
        "security_lake sqs://sqs-security-lake-main-queue",
        "buckets sqs://sqs-custom-logs-queue",
    ]
    assert {str(source.when) for source in config(read_).sources} == {"every 10 minutes"}
    assert round_trip(read_) == config(read_)


def test_several_roots_and_blocks_are_read_each_with_its_own_interval() -> None:
    one = '<wodle name="aws-s3"><interval>{}</interval><bucket type="{}"><name>trail</name></bucket></wodle>'
    other = '<wodle name="syscollector"><interval>3h</interval></wodle>'
    blocks = (one.format("1h", "config"), other + one.format("90s", "waf"))
    read_ = document("\n".join(f"<ossec_config>{each}</ossec_config>" for each in blocks))
    assert [(str(each), each.when.interval.seconds) for each in config(read_).sources] == [
        ("config s3://trail/", 3600),
        ("waf s3://trail/", 90),
    ]


def test_what_is_no_xml_elsewhere_is_none_of_our_business() -> None:
    read_ = document(
        "<ossec_config><!-- -- & --><localfile><command>a && b \\<c</command><x a=1></localfile></ossec_config>\n"
        + '<ossec_config><wodle name="aws-s3"><bucket type="waf"><name>trail</name></bucket></wodle>'
    )
    assert [str(source) for source in config(read_).sources] == ["waf s3://trail/"]


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        ("a&b", "a&b"),
        ("a&amp;b", "a&b"),
        ("a&nbsp;b", "a&nbsp;b"),
        (r"\<b>", r"\<b>"),
        ("&lt;b&gt;&#65;", "<b>A"),
        ("a<!-- never -- mind -->b", "ab"),
    ],
)
def test_ampersands_and_escapes_are_read_as_wazuh_means_them(written: str, pattern: str) -> None:
    (source,) = config(bucket(f'<discard_regex field="x">{written}</discard_regex>')).sources
    assert source.discard == ("x", pattern)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("<frobnicate>yes</frobnicate>", "ossec.conf, line 4: <bucket>: <frobnicate> is no option of it"),
        ("<sqs_name>x</sqs_name>", "ossec.conf, line 4: <bucket>: <sqs_name> is no option of it"),
        ("<path>a</path><path>b</path>", "ossec.conf, line 4: <path> stands there twice; the last one counts"),
        ('<path where="x">x</path>', "ossec.conf, line 4: <path> has no attribute where"),
        ("<disabled>yes</disabled>", "ossec.conf, line 4: <bucket>: <disabled> is no option of it"),
    ],
)
def test_what_is_unknown_is_told_with_its_line(line: str, note: str) -> None:
    read_ = bucket(line)
    assert [told[: len(note)] for told in read_.notes] == [note]
    assert len(config(read_).sources) == 1


def test_elements_without_effect_on_a_service_are_told() -> None:
    read_ = block('<service type="inspector"><aws_account_id>123456789012</aws_account_id></service>')
    assert read_.notes == ("ossec.conf, line 3: <service>: <aws_account_id> has no effect on it",)


def test_an_unknown_element_of_the_block_is_told_and_so_is_a_block_without_sources() -> None:
    assert block("<frob/>").notes == (
        'ossec.conf, line 3: <frob> is no option of <wodle name="aws-s3">; it has no effect',
        "ossec.conf, line 2: this block has no bucket, no service and no subscriber",
    )


@pytest.mark.parametrize(
    ("inside", "error", "message"),
    [
        ("<regions>eu-nowhere-1</regions>", UnknownRegion, "ossec.conf, line 4, <regions>: region 'eu-nowhere-1'"),
        ("\n<regions>eu-west-1,,us-east-1</regions>", ConfigError, "ossec.conf, line 5, <regions>"),
        (
            "<aws_account_id>11112222333</aws_account_id>",
            ConfigError,
            "line 4, <aws_account_id>: account '11112222333'",
        ),
        ("<only_logs_after>yesterday</only_logs_after>", ConfigError, "line 4, <only_logs_after>: date 'yesterday'"),
        ("<remove_from_bucket>maybe</remove_from_bucket>", ConfigError, "<remove_from_bucket>: write yes or no"),
        ("<iam_role_duration>1000</iam_role_duration>", RoleNeeded, "line 3, <bucket>: role-duration"),
        ("<iam_role_duration>soon</iam_role_duration>", ConfigError, "write a whole number"),
        ("<access_key>SECRETSECRET</access_key>", ConfigError, "access-key and secret-key need one another"),
        ('<discard_regex field="x">(</discard_regex>', ConfigError, "line 4, <discard_regex>: regular expression"),
        ("<discard_regex>x</discard_regex>", ConfigError, "discard-field and discard-regex need one another"),
        ("<path>a{b</path>", ConfigError, "line 4, <path>: prefix or suffix"),
        ("<path>yes<path>\n", ConfigError, "line 5: mismatched tag"),
        ("<path>yes<regions/></path>", ConfigError, "line 4: <regions> stands within <path>"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(inside: str, error: type[AwsflowError], message: str) -> None:
    with pytest.raises(error) as raised:
        config(bucket(inside))
    assert type(raised.value) is error
    assert message in str(raised.value)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize(
    ("inside", "error"),
    [
        ('<bucket type="nothing"><name>trail</name></bucket>', UnknownType),
        ('<bucket type="waf"><name>T</name></bucket>', ConfigError),
        ('<bucket type="waf"></bucket>', ConfigError),
        ('<service type="nothing"/>', UnknownType),
        ('<service type="cloudwatchlogs"/>', ConfigError),
        ('<subscriber type="nothing"><sqs_name>q</sqs_name></subscriber>', UnknownType),
        ('<subscriber type="buckets"/>', ConfigError),
        ('<subscriber type="security_lake"><sqs_name>q</sqs_name></subscriber>', SubscriberArgumentsMissing),
        ('<interval>soon</interval><bucket type="waf"><name>trail</name></bucket>', ConfigError),
        ("", ConfigError),
    ],
)
def test_a_source_that_cannot_be_is_an_error_with_a_line(inside: str, error: type[AwsflowError]) -> None:
    with pytest.raises(error, match=r"^ossec.conf(, line [23]|: it names no bucket)"):
        config(block(inside))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<ossec_config></ossec_config>", "there is no <wodle"),
        ('\n<wodle name="aws-s3"><bucket>', "line 2: this <wodle> is not closed"),
        ('\n<!-- <wodle name="aws-s3"></wodle>', "line 2: this comment does not end"),
        ('<wodle name="aws-s3">\n<!DOCTYPE x></wodle>', "line 2"),
        ('<wodle name="aws-s3">&#0;</wodle>', "line 1"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        document(text)


def test_other_encodings_are_told_where_they_matter() -> None:
    with pytest.raises(ConfigError, match="line 2: this is not UTF-8"):
        read_ossec_conf(b'<wodle name="aws-s3">\n\xfc</wodle>', "ossec.conf")
    good = block('<bucket type="waf"><name>trail</name></bucket>')
    assert read_ossec_conf(
        b"<!-- \xfc --><wodle name='aws-s3'><bucket type='waf'><name>trail</name></bucket></wodle>", "x"
    )
    assert config(good).sources


def test_disabled_blocks_are_left_out_and_converted_as_disabled() -> None:
    read_ = block('<disabled>yes</disabled><bucket type="waf"><name>trail</name></bucket>')
    assert config(read_).sources == ()
    assert config(read_).disabled == 1
    assert round_trip(read_) == config(read_)


def test_a_bucket_as_it_was_before_wazuh_3_6_is_a_bucket_of_cloudtrail() -> None:
    read_ = block(
        "<remove_from_bucket>yes</remove_from_bucket><access_key>AKIA0</access_key><secret_key>s</secret_key>"
        "<bucket>trail</bucket>"
    )
    flags = ("--bucket", "trail", "--remove", "--access_key", "AKIA0", "--secret_key", "s", "--skip_on_error")
    assert told(read_) == of_wodle(*flags)


def test_calendars_are_read() -> None:
    sources = [
        config(block(f'{inside}<bucket type="waf"><name>trail</name></bucket>')).sources[0].when
        for inside in (
            "<day>31</day>",
            "<wday>Sun</wday><time>4:30</time>",
            "<time>23:59</time><interval>2d</interval>",
            "<interval>1M</interval><day>1</day><run_on_start>no</run_on_start>",
        )
    ]
    assert [str(when) for when in sources] == [
        "every month on day 31, and at the start",
        "every week on sunday at 04:30, and at the start",
        "every 2 days at 23:59, and at the start",
        "every month on day 1",
    ]


@pytest.mark.parametrize(
    "inside", ["<day>1</day><wday>mon</wday>", "<day>1</day><interval>1h</interval>", "<day>32</day>"]
)
def test_calendars_that_cannot_be_are_told(inside: str) -> None:
    with pytest.raises(ConfigError):
        config(block(f'{inside}<bucket type="waf"><name>trail</name></bucket>'))


def test_all_mistakes_are_found() -> None:
    read_ = block('<bucket type="waf"><name>T</name><regions>x</regions></bucket><service type="nothing"/>')
    assert len(problems_in(read_, {})) == 3
    with pytest.raises(ConfigError, match="and 2 more, `awsflow config check` tells all of them"):
        config(read_)


def test_secrets_are_left_out_of_a_conversion_and_of_every_repr() -> None:
    read_ = bucket("<access_key>AKIASECRET</access_key><secret_key>SECRET</secret_key>")
    assert "SECRET" not in as_toml(read_)
    assert "# secret-key is left out" in as_toml(read_)
    assert "SECRET" not in repr(read_) + repr(config(read_))


def test_a_file_that_is_not_there_or_too_large_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read(tmp_path / "nothing.conf")
    (tmp_path / "large.conf").write_bytes(b"<" * (8 << 20) + b"<")
    with pytest.raises(ConfigError, match="larger than 8 MiB"):
        read(tmp_path / "large.conf")


@given(text=st.text(alphabet="<>/&;!- =\"'\\\nwodlenamas3-buckt", max_size=200))
def test_whatever_stands_there_is_read_or_told(text: str) -> None:
    whole = f'<wodle name="aws-s3">{text}<bucket type="waf"><name>trail</name></bucket></wodle>'
    try:
        config(document(whole))
    except AwsflowError as error:
        assert "ossec.conf" in str(error)  # noqa: PT017 - one or the other
