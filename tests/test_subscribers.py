"""What the three subscribers make of objects: anything in a bucket, Security Lake's rows, Security Hub's findings."""

import csv
import io
import json
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from awsflow.decode.parquet import is_parquet
from awsflow.envelope import wazuh_json
from awsflow.errors import ArgumentsError, DecodeError, UnknownType
from awsflow.items import Barrier, Event, Item, Origin, Record, Unreadable
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.subscribers import SUBSCRIBERS, discard_lines, subscriber_named, types_of
from awsflow.logtypes.types import LogType
from awsflow.sources.reading import origin_of
from tests.decoding import sent

BUCKETS, HUB, LAKE = (SUBSCRIBERS[name] for name in ("buckets", "security_hub", "security_lake"))
FLAT = st.dictionaries(st.text().filter(lambda name: name not in ("detail", "source", "Records")), st.text())


def read(log_type: LogType, content: bytes, key: str = "a/b", size: int = 1 << 16) -> list[Event | Unreadable]:
    """The events of a content that comes in chunks of this size, with blocks as every decoder owes them."""
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    blocks = list(log_type.decode(iter(chunks), key))
    assert len(blocks) >= len(chunks)
    assert all(len(block) <= 100 for block in blocks)
    return [event for block in blocks for event in block]


def lines(*objects: Any) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


@settings(deadline=None)
@given(st.lists(FLAT, min_size=1, max_size=5), st.sampled_from(["", " ", "\n", "\r\n\t"]), st.integers(1, 60))
def test_buckets_reads_json_objects_however_they_are_set_apart(
    objects: list[dict[str, Any]], between: str, size: int
) -> None:
    content = between.join(json.dumps(each) for each in objects).encode()
    assert read(BUCKETS, content, size=size) == [{**each, "source": "custom"} for each in objects]


def test_buckets_unwraps_the_detail_and_says_custom_whatever_the_source_was() -> None:
    objects = [{"source": "aws.kms", "detail": {"id": 1, "source": "x"}}, {"detail": "text"}, {"source": "y"}]
    assert read(BUCKETS, lines(*objects)) == [
        {"id": 1, "source": "custom"},
        {"detail": "text", "source": "custom"},
        {"source": "custom"},
    ]


def test_buckets_reads_arrays_and_indented_json_and_passes_over_the_mark_of_utf_8() -> None:
    content = b"\xef\xbb\xbf" + json.dumps([{"a": 1}, {"a": 2}], indent=2).encode()
    assert read(BUCKETS, content, size=3) == [{"a": 1, "source": "custom"}, {"a": 2, "source": "custom"}]


def test_buckets_leaves_json_lines_as_they_are_where_the_key_says_so() -> None:
    content = lines({"a": 1}, {"detail": {"b": 2}}, {"source": "mine"})
    as_they_are = [{"a": 1}, {"detail": {"b": 2}}, {"source": "mine"}]
    assert read(BUCKETS, content, "x/y.jsonl.gz") == as_they_are
    assert read(BUCKETS, content, "x/y.jsonl") != as_they_are


def test_a_bad_line_is_unreadable_and_its_neighbours_are_read() -> None:
    for key in ("a.json", "a.jsonl.gz"):
        first, bad, last = read(BUCKETS, b'{"a": 1}\n{"a": oops}\n{"a": 3}\n', key)
        assert isinstance(bad, Unreadable)
        assert bad.content == b'{"a": oops}'
        assert (first, last) != (bad, bad)


def test_buckets_drops_nulls_but_not_in_lists_and_leaves_lists_of_one() -> None:
    assert sent(BUCKETS, {"a": None, "b": {"c": None, "d": [None]}, "e": [{"f": None}], "g": {}}) == [
        {"b": {"d": [None]}, "e": [{"f": None}], "g": {}}
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_first_line_without_a_digit_names_the_columns_of_a_table(delimiter: str, size: int) -> None:
    file = io.StringIO()
    rows = [["user", "action", "what"], ["amy", "", f'a{delimiter} "b" c'], ["", "17", "it's"]]
    csv.writer(file, delimiter=delimiter).writerows(rows)
    assert read(BUCKETS, file.getvalue().encode(), size=size) == [
        {"user": "amy", "action": "", "what": f'a{delimiter} "b" c', "source": "custom"},
        {"user": "", "action": "17", "what": "it's", "source": "custom"},
    ]


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x00"), max_size=9)


@settings(deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6), st.integers(1, 60))
def test_csv_is_read_as_it_was_written(rows: list[tuple[str, str, str]], size: int) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("one", "two", "three"), *rows])
    assert read(BUCKETS, file.getvalue().encode(), size=size) == [
        {**dict(zip(("one", "two", "three"), row, strict=True)), "source": "custom"}
        for row in rows
        if row != ("one", "two", "three")
    ]


def test_spaces_behind_delimiters_are_none_of_the_columns() -> None:
    for delimiter in ",;":
        content = f'a{delimiter} b\nx{delimiter} "y{delimiter} z"\nv{delimiter} w\n'.encode()
        assert read(BUCKETS, content) == [
            {"a": "x", "b": f"y{delimiter} z", "source": "custom"},
            {"a": "v", "b": "w", "source": "custom"},
        ]


def test_a_table_may_be_set_apart_by_spaces_if_all_lines_have_as_many_columns() -> None:
    assert read(BUCKETS, b"user  action\namy login\nbob   logout\n") == [
        {"user": "amy", "action": "login", "source": "custom"},
        {"user": "bob", "action": "logout", "source": "custom"},
    ]


def test_rows_of_a_table_may_be_too_short_or_too_long() -> None:
    assert read(BUCKETS, b"a,b,c\n1\n1,2,3,4\n") == [
        {"a": "1", "source": "custom"},
        {"a": "1", "b": "2", "c": "3", "extra_1": "4", "source": "custom"},
    ]


def test_columns_without_a_name_of_their_own_are_numbered() -> None:
    assert read(BUCKETS, b"a,,a\nx,y,z\n") == [{"a": "x", "column_2": "y", "a_3": "z", "source": "custom"}]


@pytest.mark.parametrize(
    "content",
    [
        b"2026-11-20 started\nerror, or not\n",
        b"line 1, here\n",
        b"started\nstopped\n",
        b"one word after the other\nand a line of other length here\n",
        b"nothing more\n",
        b"[2026-11-20] started\n",
        b"{started}\n",
        b'"quoted"\n',
        "\u0667 is a digit, too\nx, y\n".encode(),
        b"\n\n 1 starts behind blank lines\n",
        b"crlf 1\r\nand, more\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 1 << 16])
def test_other_text_is_a_log_line_by_line(content: bytes, size: int) -> None:
    expected = [line for line in content.decode().replace("\r", "").split("\n") if line]
    assert read(BUCKETS, content, size=size) == [{"full_log": line, "source": "custom"} for line in expected]


def test_a_first_line_longer_than_what_is_looked_at_is_a_log() -> None:
    line = "word, " * 20_000
    assert read(BUCKETS, f"{line}\nnext\n".encode()) == [
        {"full_log": line, "source": "custom"},
        {"full_log": "next", "source": "custom"},
    ]


def test_text_that_is_not_utf_8_is_unreadable_line_by_line() -> None:
    first, bad, last = read(BUCKETS, b"line 1\n\xff\xfe\nline 3\n")
    assert (first, last) == ({"full_log": "line 1", "source": "custom"}, {"full_log": "line 3", "source": "custom"})
    assert isinstance(bad, Unreadable)


def test_parquet_is_read_where_it_lies_among_the_others() -> None:
    assert read(BUCKETS, parquet([{"a": 1, "b": "x"}])) == [{"a": 1, "b": "x", "source": "custom"}]


def test_nothing_gives_nothing() -> None:
    for content in (b"", b"\n", b" \n\n"):
        assert read(BUCKETS, content) == []


SIGNS = st.text(st.sampled_from('ab1,;| \t"\n\r{}[]:\ufeff'), max_size=99)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=99) | SIGNS.map(str.encode), st.integers(1, 40))
def test_of_whatever_bytes_no_line_is_lost_but_headers(content: bytes, size: int) -> None:
    assume(not is_parquet(content))
    events = read(BUCKETS, content, size=size)
    text = content.removeprefix(b"\xef\xbb\xbf")
    logged = [line.rstrip(b"\r") for line in text.split(b"\n") if line.decode("utf-8", "replace").strip()]
    if logged and not text.strip().startswith((b"{", b"[")):
        assert len(logged) - logged.count(logged[0]) <= len(events) <= len(logged)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("json", b'[{"n": "1"}, {"n": "2"}]'),
        ("json", b'{"Records": [{"n": "1"}, {"detail": {"n": "2"}}]}'),
        ("csv", b"n\n1\n2\n"),
        ("tsv", b"n\tm\n1\n2\n"),
        ("parquet", parquet([{"n": "1"}, {"n": "2"}])),
        ("JSON", b'{"n": "1"}{"n": "2"}'),
    ],
)
def test_a_format_that_is_said_is_obeyed(name: str, content: bytes) -> None:
    buckets = subscriber_named("Buckets", name)
    assert (buckets.name, buckets.envelope) == ("buckets", "object")
    if name == "tsv":
        assert all(isinstance(event, Unreadable) for event in read(buckets, content))
    else:
        assert read(buckets, content) == [{"n": "1", "source": "custom"}, {"n": "2", "source": "custom"}]


def test_json_lines_that_are_said_are_as_they_are_with_records_unpacked() -> None:
    content = lines({"detail": {"n": 1}}, {"Records": [{"n": 2}, 3]}, {"Records": [], "n": 4})
    first, second, bad, last = read(subscriber_named("buckets", "jsonl"), content)
    assert [first, second, last] == [{"detail": {"n": 1}}, {"n": 2}, {"Records": [], "n": 4}]
    assert isinstance(bad, Unreadable)


def test_more_records_in_a_line_than_a_block_holds_are_several_blocks() -> None:
    content = lines({"Records": [{"n": number} for number in range(250)]})
    assert len(read(subscriber_named("buckets", "jsonl"), content)) == 250


def test_text_that_is_said_is_text_though_it_looks_like_json() -> None:
    assert read(subscriber_named("buckets", "text"), b'{"a": 1}\n') == [{"full_log": '{"a": 1}', "source": "custom"}]


def test_security_hub_gives_an_event_for_each_finding() -> None:
    findings = [{"Id": "1", "Note": None}, {"Id": "2", "Resources": [{"Type": "x"}]}]
    wrapped = {"detail-type": "Imported", "detail": {"findings": findings, "actionName": "a", "more": 1}}
    common = {"source": "securityhub", "detail_type": "Imported", "actionName": "a"}
    assert sent(HUB, *read(HUB, json.dumps(wrapped).encode())) == [
        {**common, "finding": {"Id": "1"}},
        {**common, "finding": {"Id": "2", "Resources": [{"Type": "x"}]}},
    ]


@pytest.mark.parametrize("findings", [{}, {"findings": []}, {"findings": None}])
def test_security_hub_gives_one_event_where_there_is_no_finding(findings: dict[str, Any]) -> None:
    detail = {"insightName": "n", "insightArn": "arn", "resultType": "R", "insightResults": [{"k": 1}], **findings}
    assert sent(HUB, *read(HUB, json.dumps({"detail-type": "Insight", "detail": detail}).encode())) == [
        {
            "source": "securityhub",
            "detail_type": "Insight",
            "insightName": "n",
            "insightArn": "arn",
            "resultType": "R",
            "insightResults": [{"k": 1}],
        }
    ]


def test_what_is_none_of_security_hubs_is_unreadable() -> None:
    content = b'{"detail": {"findings": [7, {"Id": "1"}]}}{"a": 1}{"detail": "x"}'
    number, finding, no_detail, text = read(HUB, content)
    assert finding == {"source": "securityhub", "finding": {"Id": "1"}}
    assert all(isinstance(each, Unreadable) for each in (number, no_detail, text))
    assert all(isinstance(each, Unreadable) for each in read(HUB, b"not JSON"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 130), min_size=1, max_size=4), st.integers(1, 200))
def test_no_finding_is_lost_however_many_there_are(counts: list[int], size: int) -> None:
    ids = iter(range(10_000))
    objects = [{"detail": {"findings": [{"Id": next(ids)} for _ in range(count)]}} for count in counts]
    events = read(HUB, lines(*objects), size=size)
    found = [event["finding"]["Id"] for event in events if isinstance(event, dict) and "finding" in event]
    assert found == list(range(sum(counts)))


def test_security_lakes_rows_are_sent_as_they_are() -> None:
    row = {"time": 1, "none": None, "one": [{"a": None}], "unmapped": None, "log_info": {"x": "y"}}
    origin = origin_of("lake", "k", "", LAKE)
    records: list[Item] = [Record(event, origin, 1) for event in read(LAKE, parquet([row])) if isinstance(event, dict)]
    (item,) = wazuh_json(records)
    assert isinstance(item, Record)
    assert isinstance(item.event, bytes)
    assert json.loads(item.event) == row


def test_what_is_no_parquet_is_refused_by_security_lake() -> None:
    with pytest.raises(DecodeError):
        read(LAKE, b'{"a": 1}')


def test_the_envelope_tells_key_and_bucket_and_no_alias() -> None:
    origin = origin_of("logs", "a/b", "alias", BUCKETS)
    (item,) = wazuh_json([Record({"n": 1}, origin, 1)])
    assert isinstance(item, Record)
    assert isinstance(item.event, bytes)
    assert json.loads(item.event) == {
        "integration": "aws",
        "aws": {"log_info": {"log_file": "a/b", "s3bucket": "logs"}, "n": 1},
    }


def test_subscribers_and_types_are_found_by_name_in_any_case() -> None:
    assert types_of("SECURITY_Hub") == (HUB,)
    assert [log_type.name for log_type in types_of("CloudTrail")] == ["cloudtrail"]
    assert {log_type.name for log_type in types_of("auto")} == {each.name for each in LOG_TYPES.values() if each.wanted}
    assert not set(SUBSCRIBERS) & set(LOG_TYPES)
    with pytest.raises(UnknownType, match="'hub'"):
        types_of("hub")
    with pytest.raises(UnknownType, match="buckets, security_hub, security_lake"):
        subscriber_named("hub")
    with pytest.raises(ArgumentsError, match="subscriber buckets"):
        subscriber_named("security_lake", "json")
    with pytest.raises(ArgumentsError, match="no such format"):
        subscriber_named("buckets", "xml")


def test_lines_of_text_are_discarded_as_a_whole_and_nothing_else_is() -> None:
    origin = Origin()
    events: list[dict[str, Any]] = [
        {"full_log": "DEBUG x", "source": "custom"},
        {"full_log": "a DEBUG", "source": "custom"},
        {"full_log": "DEBUG x", "source": "custom", "more": 1},
        {"full_log": 7, "source": "custom"},
        {"full_log": "DEBUG x", "source": "mine"},
    ]
    items: list[Item] = [*(Record(event, origin, 1) for event in events), Barrier(1)]
    dropped: list[int] = []
    left = list(discard_lines("DEBUG", lambda: dropped.append(1))(items))
    assert [item.event for item in left if isinstance(item, Record)] == events[1:]
    assert left[-1] == Barrier(1)
    assert dropped == [1]
