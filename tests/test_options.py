"""Options, and the checks of their values."""

import dataclasses
import re
import string
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.aws import known_regions
from awsflow.errors import ArgumentsError, UnknownRegion
from awsflow.options import (
    MONTHS,
    AwsAccess,
    BucketOptions,
    account_ids,
    bucket_name,
    day,
    endpoint_url,
    events_per_second,
    key_part,
    log_groups,
    lookback,
    queue_name,
    ratio,
    regex,
    region_names,
    role_arn,
    role_duration,
    seconds,
    size,
    state_home,
)

AMISS = ("\\", "{", "}", "^", "%", "`", "[", "]", "'", '"', "<", ">", "~", "#", "|")
ENTITIES = ("&apos;", "&quot;", "&amp;", "&lt;", "&gt;", "&#13;", "&#10;")


def accepted(check: Any, text: str) -> bool:
    try:
        check(text)
    except ArgumentsError:
        return False
    return True


@given(st.text("ab-.A_é\n", max_size=8) | st.from_regex(r"[a-z0-9.-]{2,64}", fullmatch=True))
def test_a_bucket_s_name_has_3_to_63_small_letters_digits_dots_and_hyphens_and_no_odd_ends(name: str) -> None:
    letters = string.ascii_lowercase + string.digits
    right = 3 <= len(name) <= 63 and set(name) <= {*letters, ".", "-"} and name[0] in letters and name[-1] in letters
    reserved = name.startswith("xn--") or name.endswith(("-s3alias", "--ol-s3"))
    assert accepted(bucket_name, name) == (right and not reserved)


@given(st.text(max_size=12), st.sampled_from((*AMISS, *ENTITIES)), st.text(max_size=12))
def test_a_prefix_with_a_character_that_keys_should_not_have_is_refused_wherever_it_stands(
    before: str, character: str, behind: str
) -> None:
    assert not accepted(key_part, before + character + behind)
    assert not accepted(log_groups, f"group,a{character}b")


@given(st.text(st.characters(exclude_characters="".join(AMISS) + "&")))
def test_any_other_prefix_is_accepted_and_ends_with_one_slash_more_unless_it_has_one(text: str) -> None:
    assert key_part(text) == (text if not text or text.endswith("/") else text + "/")
    assert key_part(key_part(text)) == key_part(text)


@given(st.dates(min_value=date(1000, 1, 1)), st.randoms())
def test_a_day_is_read_in_both_spellings_and_in_any_case(when: date, dice: Any) -> None:
    month = "".join(dice.choice((char.upper(), char)) for char in MONTHS[when.month - 1])
    assert day(f"{when.year}-{month}-{when.day:02}") == when
    assert day(f"{when:%Y-%m-%d}") == when


@given(st.text())
def test_no_text_ends_a_check_otherwise_than_with_an_error_of_ours(text: str) -> None:
    checks = (account_ids, bucket_name, day, endpoint_url, events_per_second, key_part, log_groups, lookback)
    for check in (*checks, queue_name, ratio, regex, role_arn, role_duration, seconds, size):
        accepted(check, text)


@given(st.integers(min_value=-(10**6), max_value=10**6))
def test_numbers_have_their_ranges(number: int) -> None:
    text = str(number)
    assert accepted(role_duration, text) == (900 <= number <= 3600)
    assert accepted(lookback, text) == (0 <= number <= 3650)
    assert accepted(seconds, text) == (number >= 0)
    assert accepted(events_per_second, text) == accepted(size, text) == accepted(ratio, text) == (number >= 1)


def test_every_region_that_botocore_knows_in_any_partition_is_accepted() -> None:
    assert region_names(",".join(sorted(known_regions()))) == tuple(sorted(known_regions()))


def test_a_region_that_looks_right_and_is_not_there_is_named() -> None:
    with pytest.raises(UnknownRegion, match="'eu-west-9'"):
        region_names("eu-west-1,eu-west-9")


def test_a_list_is_split_at_its_commas_and_an_empty_part_is_a_mistake_not_all_there_are() -> None:
    assert account_ids("111111111111, 222222222222") == ("111111111111", "222222222222")
    assert account_ids("") == region_names("") == log_groups(" ") == ()
    for check in (account_ids, region_names, log_groups):
        assert not accepted(check, ",")


def test_a_role_s_arn_may_have_a_path_and_belong_to_any_partition() -> None:
    for arn in ("arn:aws:iam::123456789012:role/a/b+=,.@-_c", "arn:aws-us-gov:iam::123456789012:role/x"):
        assert role_arn(arn) == arn


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (account_ids, "12"),
        (bucket_name, "No"),
        (day, "yesterday"),
        (key_part, "a|b"),
        (log_groups, "a|b"),
        (lookback, "long"),
        (queue_name, "no queue"),
        (ratio, "x"),
        (regex, "(a"),
        (region_names, "here"),
        (role_arn, "role"),
        (role_duration, "1"),
        (seconds, "x"),
        (size, "x"),
        (events_per_second, "x"),
    ],
)
def test_a_complaint_names_the_value(check: Any, value: str) -> None:
    with pytest.raises(ArgumentsError, match=re.escape(repr(value))):
        check(value)


def test_a_complaint_about_an_endpoint_does_not_for_there_may_be_a_password_in_it() -> None:
    with pytest.raises(ArgumentsError) as raised:
        endpoint_url("http://user:password@host:port")
    assert "password" not in str(raised.value)


def test_no_picture_of_an_access_shows_a_secret() -> None:
    access = AwsAccess(access_key="PLANTED1", secret_key="PLANTED2", external_id="PLANTED3", profile="logs")
    assert "PLANTED" not in repr(access)
    assert "logs" in repr(access)


def test_options_are_frozen_and_only_the_bucket_must_be_said() -> None:
    options = BucketOptions("my-trail")
    assert options.lookback == timedelta(days=1)
    for frozen, name in ((options, "bucket"), (AwsAccess(), "profile")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(frozen, name, "other")


def test_the_state_of_people_s_commands_lies_where_xdg_says() -> None:
    assert state_home({"XDG_STATE_HOME": "/s"}) == Path("/s/awsflow")
    assert state_home({"HOME": "/home/me"}) == Path("/home/me/.local/state/awsflow")
