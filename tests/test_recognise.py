"""Telling log types apart, by their keys and by what they begin with."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from awsflow.decode.compression import members
from awsflow.errors import DecodeError
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.recognise import HEAD, by_content, by_key
from awsflow.samples import SAMPLES

START = datetime(2026, 11, 2, 20, 55, tzinfo=UTC)
MADE_UP = [pytest.param(name, seed, id=f"{name}-{seed}") for name in SAMPLES for seed in range(3)]


def content(name: str, seed: int) -> bytes:
    """A sample's content, decompressed."""
    sample = SAMPLES[name]
    document = sample.document(sample.events(seed, 20, START))
    (member,) = ([*chunks] for chunks in members(iter([document]), sample.key("111122223333", "eu-west-1", START, 1)))
    return b"".join(member)


@pytest.mark.parametrize(("name", "seed"), MADE_UP)
def test_every_types_logs_are_told_by_what_they_begin_with(name: str, seed: int) -> None:
    found, chunks = by_content(iter([content(name, seed)]), LOG_TYPES.values())
    assert found.name == name
    assert b"".join(chunks) == content(name, seed)


@pytest.mark.parametrize(("name", "seed"), MADE_UP)
def test_no_other_type_takes_them_even_where_it_comes_first(name: str, seed: int) -> None:
    head = content(name, seed)[:HEAD]
    looks = {log_type.name for log_type in LOG_TYPES.values() if log_type.looks_like(head)}
    # A document of Records is CloudTrail's unless a type that comes first knows better.
    assert looks - {"cloudtrail"} | {name} == {name}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_types_keys_are_told_where_its_folder_is_its_own(name: str) -> None:
    key = SAMPLES[name].key("111122223333", "eu-west-1", START, 1)
    assert LOG_TYPES[name] in by_key(f"any/prefix/{key}", LOG_TYPES.values())
    at_home = [log_type for log_type in LOG_TYPES.values() for layout in log_type.layouts if layout.holds(key)]
    if "AWSLogs/" in key:
        assert LOG_TYPES[name] in at_home


@pytest.mark.parametrize("name", SAMPLES)
def test_a_content_in_little_pieces_is_told_too(name: str) -> None:
    whole = content(name, 0)
    pieces = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    found, chunks = by_content(iter(pieces), LOG_TYPES.values())
    assert found.name == name
    assert list(chunks) == pieces


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{}",
        b"[]",
        b"hello world",
        b'{"a": 1}',
        b"\x00\x01\x02",
        b"Permission Check Successful",
        b'{"configurationItemDiff": {}, "configurationItem": {"configurationItems": []}}',
        b'{"Enable AWSLogs for ELB": 1}',
        gzip.compress(b"x"),
    ],
)
def test_what_looks_like_none_is_told_with_its_first_bytes(head: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield head

    with pytest.raises(DecodeError, match="give it with --type"):
        by_content(chunks(), LOG_TYPES.values())
