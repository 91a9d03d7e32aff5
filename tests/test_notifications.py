"""What a message tells of new objects, in every shape; and that no message, whatever it is, does any harm."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import DecodeError
from awsflow.sources.notifications import Named, Other, Part, Wrong, parts
from tests.messages import TEST_EVENT, by_cloudtrail, by_eventbridge, by_s3, s3_record, wrapped_by_sns

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)


def named(body: str) -> list[tuple[str, str]]:
    """Buckets and keys, if there is nothing else in a message."""
    told = parts(body)
    assert all(isinstance(part, Named) for part in told)
    return [(part.bucket, part.key) for part in told if isinstance(part, Named)]


@given(st.lists(TEXT, min_size=1, unique=True, max_size=5))
def test_every_record_of_a_notification_is_told_with_its_key_decoded(keys: list[str]) -> None:
    assert named(by_s3("logs", *keys)) == [("logs", key) for key in keys]


def test_a_plus_in_a_key_of_s3_is_a_space_and_an_encoded_one_is_a_plus() -> None:
    record = s3_record("logs", "x")
    record["s3"]["object"]["key"] = "a+b%2Bc/d%3De%C3%A4.gz"
    assert named(json.dumps({"Records": [record]})) == [("logs", "a b+c/d=eä.gz")]


@given(TEXT)
def test_keys_of_eventbridge_and_of_cloudtrail_are_what_they_are(key: str) -> None:
    assert named(by_eventbridge("logs", key)) == [("logs", key)]
    assert named(by_eventbridge("logs", key, what=None)) == [("logs", key)]
    assert named(by_cloudtrail("logs", [key, "a+b%20c"])) == list(dict.fromkeys([("logs", key), ("logs", "a+b%20c")]))


@pytest.mark.parametrize(
    "message", [by_s3("logs", "a b", "c"), by_eventbridge("logs", "a b"), by_cloudtrail("logs", ["a b"]), TEST_EVENT]
)
def test_what_sns_has_wrapped_once_or_twice_is_the_same(message: str) -> None:
    assert parts(message)
    assert parts(wrapped_by_sns(message)) == parts(message)
    assert parts(wrapped_by_sns(wrapped_by_sns(message))) == parts(message)


def test_an_object_that_a_message_names_twice_is_told_once() -> None:
    records = [s3_record("logs", "a", size=1), s3_record("logs", "b"), s3_record("logs", "a", size=2)]
    assert named(json.dumps({"Records": records})) == [("logs", "a"), ("logs", "b")]


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (TEST_EVENT, "s3:TestEvent"),
        (json.dumps({"Records": [s3_record("logs", "a", "ObjectRemoved:Delete")]}), "ObjectRemoved:Delete"),
        (json.dumps({"Records": [s3_record("logs", "a", "s3:ObjectAcl:Put")]}), "ObjectAcl:Put"),
        (by_eventbridge("logs", "a", "Object Deleted"), "Object Deleted"),
        ("CloudTrail validation message.", "CloudTrail's validation message"),
        (wrapped_by_sns("CloudTrail validation message."), "CloudTrail's validation message"),
    ],
)
def test_what_brings_no_new_object_is_told_as_what_it_is(message: str, what: str) -> None:
    assert parts(message) == [Other(what)]


@pytest.mark.parametrize("event", ["ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Copy", ""])
def test_every_way_to_create_an_object_counts(event: str) -> None:
    assert named(json.dumps({"Records": [s3_record("logs", "a", event)]})) == [("logs", "a")]


def test_a_record_that_is_wrong_does_not_hide_the_others() -> None:
    records: list[Any] = [s3_record("logs", "a"), {"eventName": "RunInstances"}, 7, s3_record("logs", "b")]
    told = parts(json.dumps({"Records": records}))
    assert [type(part) for part in told] == [Named, Wrong, Named]


def test_a_message_without_records_tells_nothing() -> None:
    assert parts('{"Records": []}') == []


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("7", "no JSON object"),
        ("[]", "no JSON object"),
        ("{}", "its fields are none"),
        ('{"a": 1, "b": 2}', "its fields are a, b"),
        ('{"Records": {}}', "Records"),
        ('{"source": "aws.ec2", "detail-type": "EC2 Instance State-change", "detail": {"state": "x"}}', "detail"),
        ('{"source": "aws.s3", "detail": {"bucket": {"name": "logs"}}}', "no bucket and key"),
        (json.dumps({"Type": "SubscriptionConfirmation", "Message": "You have chosen ..."}), "confirm it"),
        (wrapped_by_sns("hello"), "not JSON"),
        (wrapped_by_sns(wrapped_by_sns(wrapped_by_sns(wrapped_by_sns(TEST_EVENT)))), "Message"),
    ],
)
def test_a_message_of_no_known_shape_is_refused_with_what_it_is(message: str, why: str) -> None:
    with pytest.raises(DecodeError, match=why):
        parts(message)


NAMES = re.findall(
    r"\S+",
    "Records s3 bucket object name key size detail detail-type eventName Event Type Message s3Bucket s3ObjectKey x",
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


def told_or_refused(body: str) -> list[Part]:
    """What a message tells; nothing, if it is refused in the one way there is, with a reason."""
    try:
        told = parts(body)
    except DecodeError as error:
        return [] if str(error) else [Named("", "")]
    assert all(part.bucket and part.key and part.size >= 0 for part in told if isinstance(part, Named))
    return told


@settings(deadline=None)
@given(ANYTHING)
def test_any_json_is_told_or_refused(message: Any) -> None:
    told_or_refused(json.dumps(message))


@settings(deadline=None)
@given(st.text())
def test_any_text_is_told_or_refused(message: str) -> None:
    told_or_refused(message)


SHAPES = [by_s3("logs", "a", "b"), by_eventbridge("logs", "a"), by_cloudtrail("logs", ["a"]), TEST_EVENT]


def mutated(value: Any, path: list[int], new: Any) -> Any:
    """A value with something else at a place that the path leads to."""
    if not path or not isinstance(value, dict | list) or not value:
        return new
    names = list(value) if isinstance(value, dict) else list(range(len(value)))
    name = names[path[0] % len(names)]
    value[name] = mutated(value[name], path[1:], new)
    return value


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SHAPES), st.lists(st.integers(0, 9), min_size=1, max_size=6), ANYTHING, st.booleans())
def test_a_notification_with_something_else_anywhere_is_told_or_refused(
    shape: str, path: list[int], new: Any, wrapped: bool
) -> None:
    message = json.dumps(mutated(json.loads(shape), path, new))
    assert told_or_refused(wrapped_by_sns(message) if wrapped else message) == told_or_refused(message)


@settings(deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2000), st.integers(0, 2000))
def test_a_notification_that_is_cut_is_told_or_refused(shape: str, start: int, end: int) -> None:
    told_or_refused(shape[start:end])


def test_a_message_as_deep_as_sqs_may_bring_it_is_refused() -> None:
    with pytest.raises(DecodeError):
        parts('{"Records":' * 20_000 + "1" + "}" * 20_000)
