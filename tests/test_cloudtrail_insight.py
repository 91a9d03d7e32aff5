"""CloudTrail Insights: events of their own, in a folder of their own."""

import gzip
import json
from datetime import UTC, date, datetime

import pytest

from awsflow.items import Unreadable
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.cloudtrail_insight import CLOUDTRAIL_INSIGHT
from awsflow.logtypes.recognise import by_key
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 23, 55, tzinfo=UTC)
SAMPLE = SAMPLES["cloudtrail_insight"]


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_samples_read_as_they_were_made_up(size: int) -> None:
    events = list(SAMPLE.events(3, 60, START, "111122223333", "eu-west-1"))
    read = decoded(CLOUDTRAIL_INSIGHT, gzip.decompress(SAMPLE.document(events)), size)
    assert read == [{**event, "source": "cloudtrail_insight"} for event in events]


def test_a_record_that_is_no_object_is_unreadable_and_the_others_are_read() -> None:
    first, bad, last = decoded(CLOUDTRAIL_INSIGHT, b'{"Records": [{"a": 1}, "x", {"a": 2}]}')
    assert [first, last] == [{"a": 1, "source": "cloudtrail_insight"}, {"a": 2, "source": "cloudtrail_insight"}]
    assert isinstance(bad, Unreadable)


def test_it_gets_the_common_shape() -> None:
    insight = {"insightDetails": {"insightContext": {"attributions": [{"attribute": "userAgent"}]}, "x": None}}
    assert sent(CLOUDTRAIL_INSIGHT, insight) == [
        {"insightDetails": {"insightContext": {"attributions": {"attribute": "userAgent"}}}}
    ]


def test_the_three_folders_of_cloudtrail_are_told_apart() -> None:
    for name in ("cloudtrail", "cloudtrail_insight", "cloudtrail_digest"):
        key = SAMPLES[name].key("111122223333", "eu-west-1", START, 1)
        assert [log_type.name for log_type in by_key(f"some/prefix/{key}", LOG_TYPES.values())] == [name]
        (layout,) = LOG_TYPES[name].layouts
        stream = key[: key.index("2026/")]
        assert layout.day(key, stream) == date(2026, 11, 2)


@pytest.mark.parametrize(
    ("head", "looks"),
    [
        (b'{"Records": [{"eventVersion": "1.08", "eventType": "AwsCloudTrailInsight", "x', True),
        (b'{"Records":[{"eventType":"AwsApiCall","requestParameters":{"eventType":"AwsCloudTrailInsight"}}', False),
        (b'{"Records":[{"eventType":"AwsApiCall"},{"eventType":"AwsCloudTrailInsight"}]}', False),
        (b'{"Records":[]}', False),
        (b'[{"eventType":"AwsCloudTrailInsight"}]', False),
    ],
)
def test_it_is_told_by_its_first_record(head: bytes, looks: bool) -> None:
    assert bool(CLOUDTRAIL_INSIGHT.looks_like(head)) is looks


def test_the_account_is_that_of_the_path_and_the_time_is_the_events() -> None:
    assert CLOUDTRAIL_INSIGHT.account
    (event,) = SAMPLE.events(1, 1, START)
    assert datetime.fromisoformat(event[CLOUDTRAIL_INSIGHT.time_field]).utcoffset() is not None
    assert json.loads(gzip.decompress(SAMPLE.document([event])))["Records"] == [event]
