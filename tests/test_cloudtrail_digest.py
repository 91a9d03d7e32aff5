"""CloudTrail's digests: one event a document, collected only when asked for."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from awsflow.items import Unreadable
from awsflow.logtypes import log_types_named
from awsflow.logtypes.cloudtrail import CLOUDTRAIL
from awsflow.logtypes.cloudtrail_digest import CLOUDTRAIL_DIGEST
from awsflow.samples import SAMPLES
from tests.decoding import decoded, sent

START = datetime(2026, 11, 2, 22, 55, tzinfo=UTC)
SAMPLE = SAMPLES["cloudtrail_digest"]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_document_is_one_event(size: int) -> None:
    for digest in SAMPLE.events(3, 4, START):
        read = decoded(CLOUDTRAIL_DIGEST, gzip.decompress(SAMPLE.document([digest])), size)
        assert read == [{**digest, "source": "cloudtrail_digest"}]


def test_a_document_over_several_lines_is_one_event() -> None:
    (digest,) = SAMPLE.events(3, 1, START)
    assert decoded(CLOUDTRAIL_DIGEST, json.dumps(digest, indent=2).encode()) == [
        {**digest, "source": "cloudtrail_digest"}
    ]


def test_a_document_that_is_cut_off_is_unreadable() -> None:
    (digest,) = SAMPLE.events(3, 1, START)
    (bad,) = decoded(CLOUDTRAIL_DIGEST, json.dumps(digest).encode()[:-9])
    assert isinstance(bad, Unreadable)


def test_it_gets_the_common_shape() -> None:
    digest = {"previousDigestS3Object": None, "logFiles": [{"hashAlgorithm": "SHA-256"}]}
    assert sent(CLOUDTRAIL_DIGEST, digest) == [{"logFiles": {"hashAlgorithm": "SHA-256"}}]


def test_auto_does_not_collect_it_and_its_name_does() -> None:
    assert CLOUDTRAIL_DIGEST not in log_types_named("auto")
    assert log_types_named("cloudtrail_digest") == (CLOUDTRAIL_DIGEST,)


def test_as_cloudtrail_a_digest_has_no_events() -> None:
    document = gzip.decompress(SAMPLE.document(SAMPLE.events(3, 1, START)))
    assert CLOUDTRAIL_DIGEST.looks_like(document[:4096])
    assert decoded(CLOUDTRAIL, document) == []
