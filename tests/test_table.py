"""Tables: columns out of lines, names for columns, and a bad line that spoils nothing but itself."""

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.decode.lines import BLOCK
from awsflow.decode.table import (
    Names,
    Split,
    SplitAtOnce,
    Table,
    by_bracketed_spaces,
    by_commas,
    by_commas_and_spaces,
    by_quoted_spaces,
    by_spaces,
    by_spaces_and_lists,
    by_tabs,
    commas_at_once,
    rows,
)
from awsflow.errors import DecodeError
from awsflow.items import Block, Unreadable
from awsflow.rows import Rows
from tests.test_lines import cut

SPLITS = (
    by_spaces,
    by_tabs,
    by_commas,
    by_commas_and_spaces,
    by_quoted_spaces,
    by_bracketed_spaces,
    by_spaces_and_lists,
)
AWKWARD = st.text(st.sampled_from('ab ",[]\té\\\r'), max_size=12)
ENDS = st.lists(st.integers(0, 400), max_size=8)
AB = Table(("a", "b"), by_commas)


def events(data: bytes, table: Table, ends: list[int] | None = None) -> Block:
    return [event for block in rows(cut(data, ends or []), table) for event in block]


def reasons(block: Block) -> list[str]:
    return [event.reason for event in block if isinstance(event, Unreadable)]


@pytest.mark.parametrize("split", SPLITS)
@given(lines=st.lists(AWKWARD, max_size=8))
def test_how_a_line_is_split_does_not_depend_on_the_lines_around_it(split: Split, lines: list[str]) -> None:
    alone: list[list[str]] | None = []
    for line in lines:
        try:
            alone = None if alone is None else alone + split([line])
        except ValueError:
            alone = None
    if alone is None:
        with pytest.raises(ValueError, match=r"."):
            split(lines)
    else:
        assert split(lines) == alone


@given(row=st.lists(st.text(st.characters(exclude_characters="\n\r")), min_size=1))
def test_what_is_written_as_csv_is_read_back(row: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="").writerow(row)
    assert by_commas([out.getvalue()]) == [row]
    spaced = ",  ".join('"' + column.replace('"', '""') + '"' for column in row)
    assert by_commas_and_spaces([out.getvalue(), spaced]) == [row, row]


@given(row=st.lists(st.text(st.characters(exclude_characters='\n\r"')), min_size=1), bare=st.text("az:/-", min_size=1))
def test_quoted_and_bare_columns_are_read_back(row: list[str], bare: str) -> None:
    line = f"{bare} " + " ".join(f'"{column}" {bare}' for column in row)
    assert by_quoted_spaces([line]) == [[bare, *(part for column in row for part in (column, bare))]]


@given(group=st.text(st.sampled_from("a :/+"), max_size=9), quoted=st.text(st.sampled_from("a []/"), max_size=9))
def test_groups_in_brackets_are_read_back(group: str, quoted: str) -> None:
    assert by_bracketed_spaces([f'a [{group}] "{quoted}" -']) == [["a", group, quoted, "-"]]
    assert by_bracketed_spaces([f'[{group}] [{group}] "{quoted}"']) == [[group, group, quoted]]


@pytest.mark.parametrize("split", [by_quoted_spaces, by_bracketed_spaces])
def test_a_quote_within_a_column_does_not_end_it(split: Split) -> None:
    assert split(['a "say "hi"!" "x"']) == [["a", 'say "hi"!', "x"]]
    assert split(['a "say ""hi"" x" b']) == [["a", 'say "hi" x', "b"]]
    assert split(['a "say "hi" x" "b"', 'a "5" disk" b']) == [["a", 'say "hi" x', "b"], ["a", '5" disk', "b"]]


@pytest.mark.parametrize("split", [by_quoted_spaces, by_bracketed_spaces])
@pytest.mark.parametrize("line", ['a "b c "d" - "e f" g', 'a "b', 'a b" "c"', 'a"b" c', '"'])
def test_a_quote_that_is_not_closed_or_not_opened_is_an_error(split: Split, line: str) -> None:
    with pytest.raises(ValueError, match="is not closed"):
        split([line])


@pytest.mark.parametrize("split", [by_commas, by_commas_and_spaces])
@pytest.mark.parametrize("line", ['a,"b,"c",d', 'a,"b', '"a"b,c', '"'])
def test_a_quote_in_csv_that_is_not_closed_or_not_doubled_is_an_error(split: Split, line: str) -> None:
    with pytest.raises(ValueError, match="is not closed"):
        split([line])


@pytest.mark.parametrize("split", [by_quoted_spaces, by_bracketed_spaces])
def test_spaces_at_the_end_of_a_line_are_no_columns(split: Split) -> None:
    assert split(['a "b "  ', "a ", ""]) == [["a", "b "], ["a"], []]


def test_quotes_come_off_a_column_but_not_off_the_items_of_a_list() -> None:
    assert by_spaces_and_lists(['a "-" "b c"', 'a "h2","http/1.1" x', 'a ""']) == [
        ["a", "-", "b c"],
        ["a", '"h2","http/1.1"', "x"],
        ["a", ""],
    ]


def test_a_bracket_within_a_column_does_not_end_it() -> None:
    assert by_bracketed_spaces(["a [b]c d]", "a[b c] d", "[a]"]) == [["a", "b]c d"], ["a[b", "c]", "d"], ["a"]]
    assert by_bracketed_spaces(['a [b c] "[d" "e]" f']) == [["a", "b c", "[d", "e]", "f"]]


@pytest.mark.parametrize("long", [200_000, 131_072, 131_073])
@pytest.mark.parametrize("split", [by_commas, by_commas_and_spaces, by_quoted_spaces, by_bracketed_spaces])
def test_a_field_longer_than_the_csv_module_takes_comes_through(split: Split, long: int) -> None:
    between = "," if split in {by_commas, by_commas_and_spaces} else " "
    text = "x" * long
    assert split([between.join(("a", f'"{text}"', "b")), between.join(("a", text, "b"))]) == [["a", text, "b"]] * 2


def test_lines_of_nothing_but_quotes_and_brackets_take_no_longer_than_others() -> None:
    started = process_time()
    for split in SPLITS:
        for line in ('"' * 100_001, '"a' * 100_000, '"a" ,' * 100_000 + '"', "[" * 100_000):
            with suppress(ValueError):
                split([line])
    assert process_time() - started < 3


def test_an_unclosed_quote_spoils_only_its_line() -> None:
    block = events(b'1,2\n3,"4\n5,"6"\n', AB)
    assert block == [
        {"a": "1", "b": "2"},
        Unreadable('line 2: the " of column 2 is not closed', b'3,"4'),
        {"a": "5", "b": "6"},
    ]


def test_bytes_that_are_not_utf_8_spoil_only_their_line() -> None:
    block = events(b"1,2\n3,\xff\xfe\n5,6\n", AB)
    assert block[0::2] == [{"a": "1", "b": "2"}, {"a": "5", "b": "6"}]
    assert reasons(block) == ["line 2: not UTF-8 (invalid start byte at its byte 2)"]


def test_a_line_over_the_limit_is_an_error_behind_the_events_before_it() -> None:
    blocks = rows(iter([b"1,2\n3,4444444444\n5,6\n"]), AB, limit=9)
    assert next(blocks) == []  # more might come, to make a block with
    assert next(blocks) == [{"a": "1", "b": "2"}]
    with pytest.raises(DecodeError, match="limit of 9 bytes"):
        next(blocks)


def test_columns_that_are_missing_at_the_end_are_left_out_down_to_the_least() -> None:
    table = Table(("a", "b", "c", "d"), by_commas, least=3)
    block = events(b"1,2,3,4\n1,2,3\n1,2\n1\n", table)
    assert block[:2] == [{"a": "1", "b": "2", "c": "3", "d": "4"}, {"a": "1", "b": "2", "c": "3"}]
    assert reasons(block) == [f"line {5 - many}: {many} columns, where 3 are the least" for many in (2, 1)]
    assert reasons(events(b"1,2\n", table)) == ["line 1: 2 columns, where 3 are the least"]


@pytest.mark.parametrize(
    ("beyond", "made"),
    [
        ("extra", {"a": "1", "b": "2", "extra_1": "3", "extra_2": "4"}),
        ("drop", {"a": "1", "b": "2"}),
        ("refuse", Unreadable("line 1: 4 columns, where 2 are the most", b"1,2,3,4")),
    ],
)
def test_columns_beyond_the_named_ones(beyond: Any, made: Any) -> None:
    table = Table(("a", "b"), by_commas, beyond=beyond)
    assert events(b"1,2,3,4\n1,2\n", table) == [made, {"a": "1", "b": "2"}]


def test_blank_lines_are_no_events_and_are_counted() -> None:
    for table in (AB, Table(("a", "b"), by_spaces), Table(("a", "b"), by_quoted_spaces)):
        assert reasons(events(b"\n  \r\n\nx\n", table)) == ["line 4: 1 columns, where 2 are the least"]


def test_a_row_of_empty_columns_is_an_event() -> None:
    assert events(b",\n\n,\n", AB) == [{"a": "", "b": ""}] * 2


def named(line: str) -> Names | None:
    """Headers that begin with `#`; one that names nothing is a comment."""
    return tuple(line[1:].split(",")) if line.startswith("#") and len(line) > 1 else () if line[:1] == "#" else None


def test_a_header_names_the_columns_of_the_lines_behind_it() -> None:
    table = Table(("a", "b"), by_commas, header=named)
    block = events(b'1,2\n#x,y,z\n#\n1,2,3\n1,2\n#"\n1\n', table)
    assert block == [
        {"a": "1", "b": "2"},
        {"x": "1", "y": "2", "z": "3"},
        Unreadable("line 5: 2 columns, where 3 are the least", b"1,2", b"#x,y,z"),
        {'"': "1"},
    ]


@pytest.mark.parametrize("split_at_once", [None, commas_at_once])
def test_of_columns_with_the_same_name_the_last_one_counts(split_at_once: SplitAtOnce | None) -> None:
    table = Table(
        (), by_commas, header=named, split_at_once=split_at_once, may_begin_header=lambda first: first == "#x"
    )
    *_, block = rows(iter([b"#x,x,y\n1,2,3\n4,5,6\n"]), table)
    assert block == [{"x": "2", "y": "3"}, {"x": "5", "y": "6"}]
    assert not isinstance(block, Rows)  # which would be written with two fields of a name


def test_without_names_there_must_be_a_header() -> None:
    block = events(b"1,2\n#a,b\n1,2\n", Table((), by_commas, header=named))
    assert block[1:] == [{"a": "1", "b": "2"}]
    assert reasons(block) == ["line 1: there is no header above it that names its columns"]


def doubled(event: dict[str, Any]) -> dict[str, Any]:
    """Makes something else of an event, in place, or refuses it."""
    event["a"] = str(2 * int(event["a"]))
    return event


def test_what_an_event_cannot_be_finished_with_makes_it_unreadable() -> None:
    block = events(b"1,2\nx,2\n3,4\n", Table(("a", "b"), by_commas, finish=doubled))
    assert block[0::2] == [{"a": "2", "b": "2"}, {"a": "6", "b": "4"}]
    assert reasons(block) == ["line 2: invalid literal for int() with base 10: 'x'"]


def test_blocks_have_as_many_events_and_every_chunk_has_one() -> None:
    chunks = iter([b"1,2\n" * (2 * BLOCK + 50), b"", b"1,2\n" * (BLOCK - 50), b"1,", b"2"])
    assert [len(block) for block in rows(chunks, AB)] == [BLOCK, BLOCK, 0, BLOCK, 0, 0, 0, 1]


LINES = st.one_of(
    st.sampled_from(
        [b"1,2", b'"1","2"', b"1", b"1,2,3", b"", b"  ", b"#x,y", b"#", b'1,"2', b"\xff,1", b"x,1", b",", b","]
    )
)


@given(data=st.lists(LINES, max_size=20).map(b"\n".join), ends=ENDS, before=st.integers(0, 20))
def test_the_events_are_the_same_wherever_chunks_and_blocks_end(data: bytes, ends: list[int], before: int) -> None:
    table = Table(("a", "b"), by_commas, header=named)
    whole = events(data, table)
    assert events(data, table, ends) == whole
    others = BLOCK - before
    got = events(b"1,2\n" * others + data, table, [len(b"1,2\n") * others + end for end in ends])
    assert [getattr(event, "content", event) for event in got[others:]] == [
        getattr(event, "content", event) for event in whole
    ]
    by_line = [line for line in data.split(b"\n") if line.strip() and not line.startswith(b"#")]
    assert len(whole) == len(by_line)


@given(data=st.lists(LINES, max_size=20).map(b"\n".join), beyond=st.sampled_from(["extra", "drop", "refuse"]))
def test_a_line_makes_the_same_event_alone_and_among_others(data: bytes, beyond: Any) -> None:
    table = Table(("a", "b", "c"), by_commas, least=2, beyond=beyond, finish=lambda event: {**event, "more": "x"})
    alone = [event for line in data.split(b"\n") for event in events(line, table)]
    among = events(data, table)
    assert [getattr(event, "content", event) for event in among] == [
        getattr(event, "content", event) for event in alone
    ]


def test_an_endless_table_is_read_in_blocks() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"1,2\n"

    assert next(filter(None, rows(endless(), AB))) == [{"a": "1", "b": "2"}] * BLOCK
