"""`--format`: contents of the type custom in a format that is said, where everything is an event."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import ArgumentsError, DecodeError
from awsflow.items import Unreadable
from awsflow.logtypes import log_types_named
from awsflow.logtypes.custom import CUSTOM, custom_in
from tests.decoding import decoded, sent

FLAT = st.dictionaries(
    st.text().filter(lambda name: name not in ("detail", "source", "Records")), st.text(), max_size=4
)


def lines(*objects: Any) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


@pytest.mark.parametrize("name", ["json", "jsonl"])
@settings(deadline=None)
@given(objects=st.lists(FLAT, max_size=5), size=st.integers(1, 60))
def test_objects_without_detail_are_events_themselves(name: str, objects: list[dict[str, Any]], size: int) -> None:
    read = decoded(custom_in(name), lines(*objects), size)
    assert read == [{**each, "source": "custom"} for each in objects]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_an_objects_own_source_is_kept(name: str) -> None:
    assert decoded(custom_in(name), lines({"source": "mine", "a": 1})) == [{"source": "mine", "a": 1}]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_objects_with_detail_give_the_detail(name: str) -> None:
    wrapped = {"source": "aws.kms", "detail": {"id": 1}}
    assert decoded(custom_in(name), lines(wrapped, {"detail": "text"})) == [
        {"id": 1, "source": "kms"},
        {"detail": "text", "source": "custom"},
    ]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_records_are_unpacked_if_there_is_nothing_else(name: str) -> None:
    records = [{"a": 1}, {"source": "aws.kms", "detail": {"b": 2}}, {"Records": [{"c": 3}]}]
    assert decoded(custom_in(name), lines({"Records": records}, {"Records": "x"}, {"Records": [], "d": 4})) == [
        {"a": 1, "source": "custom"},
        {"b": 2, "source": "kms"},
        {"c": 3, "source": "custom"},
        {"Records": "x", "source": "custom"},
        {"Records": [], "d": 4, "source": "custom"},
    ]


def test_json_may_be_arrays_and_objects_over_several_lines() -> None:
    text = json.dumps([{"a": 1}, {"a": 2}], indent=2) + json.dumps({"a": 3}, indent=2)
    assert decoded(custom_in("json"), text.encode(), 3) == [{"a": number, "source": "custom"} for number in (1, 2, 3)]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_a_bad_line_is_unreadable_and_the_others_are_read(name: str) -> None:
    first, bad, last = decoded(custom_in(name), b'{"a": 1}\n{"a": oops}\n{"a": 3}\n')
    assert (first, last) == ({"a": 1, "source": "custom"}, {"a": 3, "source": "custom"})
    assert isinstance(bad, Unreadable)
    assert (bad.reason[:8], bad.content) == ("line 2: ", b'{"a": oops}')


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x00"))
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)


@settings(deadline=None)
@given(TABLES, st.integers(1, 60))
def test_csv_is_read_as_it_was_written(table: list[list[str]], size: int) -> None:
    file = io.StringIO()
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(table)
    names = [f"{name}{at}" for at, name in enumerate("abcd"[: len(table[0])])]
    text = ",".join(names) + "\r\n" + file.getvalue()
    assert decoded(custom_in("csv"), text.encode(), size) == [
        {**dict(zip(names, row, strict=True)), "source": "custom"} for row in table
    ]


TAB_CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\t\r\n"))


@settings(deadline=None)
@given(st.lists(st.tuples(TAB_CELLS.filter(str.strip), TAB_CELLS), max_size=6), st.integers(1, 60))
def test_tsv_is_read_as_it_was_written(rows: list[tuple[str, str]], size: int) -> None:
    text = "a\tb\n" + "".join(f"{one}\t{two}\n" for one, two in rows)
    assert decoded(custom_in("tsv"), text.encode(), size) == [
        {"a": one, "b": two, "source": "custom"} for one, two in rows if (one, two) != ("a", "b")
    ]


def test_the_first_line_that_is_not_blank_names_the_columns_and_so_it_does_where_it_stands_again() -> None:
    assert decoded(custom_in("csv"), b"\n\na,b\n1,2\n\na,b\n3,4") == [
        {"a": "1", "b": "2", "source": "custom"},
        {"a": "3", "b": "4", "source": "custom"},
    ]


def test_columns_without_a_name_of_their_own_are_numbered() -> None:
    assert decoded(custom_in("csv"), b"a,,a,\n1,2,3,4") == [
        {"a": "1", "column_2": "2", "a_3": "3", "column_4": "4", "source": "custom"}
    ]


def test_a_column_may_be_the_source_and_one_column_is_enough() -> None:
    assert decoded(custom_in("csv"), b"source,n\nmine,1\n") == [{"source": "mine", "n": "1"}]
    assert decoded(custom_in("csv"), b"n\n1\n2\n") == [{"n": "1", "source": "custom"}, {"n": "2", "source": "custom"}]


def test_rows_that_are_too_short_are_unreadable_and_what_is_too_much_is_extra() -> None:
    short, good, long, quote = decoded(custom_in("csv"), b'a,b\n1\n1,2\n1,2,3\n1,"2\n')
    assert short == Unreadable("line 2: 1 columns, where 2 are the least", b"1", b"a,b")
    assert good == {"a": "1", "b": "2", "source": "custom"}
    assert long == {"a": "1", "b": "2", "extra_1": "3", "source": "custom"}
    assert isinstance(quote, Unreadable)


def test_rows_below_a_header_that_cannot_be_split_are_unreadable_however_the_log_is_cut() -> None:
    log = b'"a,b\n1,2\n3,4\n'
    for size in (1, 7, 100):
        events = decoded(custom_in("csv"), log, size)
        assert [event.content for event in events if isinstance(event, Unreadable)] == log.splitlines()


def test_every_file_has_a_header_of_its_own() -> None:
    log_type = custom_in("csv")
    assert decoded(log_type, b"a,b\n1,2\n") == [{"a": "1", "b": "2", "source": "custom"}]
    assert decoded(log_type, b"c,d\n1,2\n") == [{"c": "1", "d": "2", "source": "custom"}]


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\ufeff"))), st.integers(1, 60)
)
def test_text_is_a_log_line_by_line(some: list[str], size: int) -> None:
    text = "\n".join(some).encode()
    assert decoded(custom_in("text"), text, size) == [
        {"full_log": line, "source": "custom"} for line in some if line.strip()
    ]


def test_parquet_has_rows_of_any_shape() -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")

    file = io.BytesIO()
    parquet.write_table(arrow.table({"n": list(range(250))}), file)
    assert decoded(custom_in("parquet"), file.getvalue(), 500) == [
        {"n": number, "source": "custom"} for number in range(250)
    ]
    with pytest.raises(DecodeError):
        decoded(custom_in("parquet"), b'{"a": 1}')


def test_they_get_the_shape_of_the_type() -> None:
    (event,) = decoded(custom_in("jsonl"), lines({"service": {"additionalInfo": {"unusual": "x"}}, "tags": ["a", "b"]}))
    assert sent(custom_in("jsonl"), event) == [
        {"service": {"additionalInfo": {"unusual": {"value": "x"}}}, "tags": {"value": ["a", "b"]}, "source": "custom"}
    ]


def test_a_format_is_the_type_custom_in_all_but_how_it_reads() -> None:
    (log_type,) = log_types_named("custom", "CSV")
    assert (log_type.name, log_type.layouts, log_type.shape) == (CUSTOM.name, CUSTOM.layouts, CUSTOM.shape)


def test_an_unknown_format_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ArgumentsError, match=r"'xml'.* json, jsonl, csv, tsv, text, parquet"):
        custom_in("xml")
