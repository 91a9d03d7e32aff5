"""Lines split in one go have the columns that each of them has alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode import columns
from awsflow.decode.columns import Split
from awsflow.decode.columns_at_once import (
    Columns,
    SplitAtOnce,
    bracketed_spaces_at_once,
    commas_at_once,
    delimited_at_once,
    quoted_spaces_at_once,
    spaces_and_lists_at_once,
    spaces_at_once,
)
from awsflow.decode.compression import members
from awsflow.decode.lines import Lines
from awsflow.decode.table import Table, rows
from awsflow.logtypes import LOG_TYPES, alb, cisco_umbrella, cloudfront, nlb, server_access
from awsflow.rows import Rows, is_plain
from awsflow.samples import SAMPLES


def by_single_spaces(lines: list[str]) -> list[list[str]]:
    return [line.split(" ") for line in lines]


def spaces_to_columns(lines: Sequence[bytes]) -> Columns | None:
    """The columns of the cells, whose ends are at the end of each line."""
    found = spaces_at_once(lines)
    if found is None:
        return None
    width = len(found.cells) // len(lines)
    assert len(found.cells) == width * len(lines)
    return Columns([found.cells[at::width] for at in range(width - 1)], () if found.is_plain else None)


PAIRS: list[tuple[SplitAtOnce, Split, str]] = [
    (delimited_at_once, columns.by_tabs, "\t"),
    (partial(delimited_at_once, delimiter=" "), by_single_spaces, " "),
    (spaces_to_columns, columns.by_spaces, " "),
    (commas_at_once, columns.by_commas, ","),
    (commas_at_once, columns.by_commas_and_spaces, ","),
    (quoted_spaces_at_once, columns.by_quoted_spaces, " "),
    (bracketed_spaces_at_once, columns.by_bracketed_spaces, " "),
    (spaces_and_lists_at_once, columns.by_spaces_and_lists, " "),
]
IDS = ["tabs", "single_spaces", "spaces", "commas", "commas_and_spaces", "quoted", "bracketed", "lists"]
each_pair = pytest.mark.parametrize(("at_once", "split", "delimiter"), PAIRS, ids=IDS)

ODD = 'ab ",[]\\\té\r\0\1\x1c\u2028'
anything = st.text(st.sampled_from(ODD), max_size=12)
simple = st.text("ab1:/", max_size=4)
words = st.text("ab1:/", min_size=1, max_size=4)
inside = simple | st.text(st.sampled_from('ab ,[]\t"\\\0\1'), max_size=5)
cells: dict[str, st.SearchStrategy[str]] = {
    "bare": simple,
    "quoted": inside.map('"{}"'.format),
    "doubled": st.lists(simple, max_size=3).map('""'.join).map('"{}"'.format),
    "bracketed": inside.map("[{}]".format),
    "listed": st.lists(words | simple, min_size=1, max_size=3).map('","'.join).map('"{}"'.format),
    "odd": anything,
}


@st.composite
def alike(draw: st.DrawFn, delimiter: str) -> list[str]:
    """Lines whose columns are of the same kinds, most often, and what each kind is made of may be odd."""
    usual = draw(st.lists(st.sampled_from(["bare", "quoted", "doubled", "bracketed", "listed"]), max_size=5))
    lines = []
    for _ in range(draw(st.integers(1, 4))):
        kinds = list(usual)
        if kinds and draw(st.integers(0, 5)) == 0:
            kinds[draw(st.integers(0, len(kinds) - 1))] = draw(st.sampled_from(sorted(cells)))
        lines.append(delimiter.join(draw(cells[kind]) for kind in kinds) + draw(st.sampled_from(["", "", "", " "])))
    return lines


def alone(split: Split, lines: list[str]) -> list[list[str]] | None:
    try:
        return [split([line])[0] for line in lines]
    except ValueError:
        return None


def check(at_once: SplitAtOnce, split: Split, lines: list[str]) -> None:
    """If they can be split in one go, as lines or as one text, they have their columns, and what is escaped is told."""
    encoded = [line.encode() for line in lines]
    found = at_once(encoded)
    assert found == at_once(Lines(b"\n".join(encoded), len(encoded)))
    if found:
        assert [list(row) for row in zip(*found.columns, strict=True)] == alone(split, lines)
        assert found.escaped is None or all(
            at in found.escaped or all(map(is_plain, column)) for at, column in enumerate(found.columns)
        )


@each_pair
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_lines_split_in_one_go_have_the_columns_that_each_has_alone(
    at_once: SplitAtOnce, split: Split, delimiter: str, data: st.DataObject
) -> None:
    lines = data.draw(alike(delimiter) | st.lists(anything, min_size=1, max_size=4))
    check(at_once, split, lines)


AWKWARD = (
    *("a b", " a b", "a b ", "a  b", "a\tb", "a\xa0b", "a\u2003b c", "", " ", "a"),
    *("a,b", " a,b", "a, b", "a,b\r", "a\r,b", '"a" ,b', '"a", b', '"a","b ""c"""', '"",""', 'a,"b"c', 'a,"b', 'a,b"'),
    *('"a" "b"', 'a "b" ', 'a "b', 'a b"', 'a "b "c"" d', 'a """" b', 'a "b"c d', '"a b" ""', '- "a"', '"a" -'),
    *("[a] b", "]a [b] c", "a [b [c]", "a [b]] c", "a [b]c d", 'a ["b"] c', 'a [b "c"] d', 'a "[b" c]', "[a][b] c"),
    *('a "b","c"', 'a "b", "c"', 'a "b",c', 'a b,"c"', 'a "b" "c","d"', "a \0", "a \1 b", 'a "\0"', "a [\1]"),
)


@each_pair
def test_awkward_lines_have_the_columns_that_each_has_alone(at_once: SplitAtOnce, split: Split, delimiter: str) -> None:
    for lines in [*([line] for line in AWKWARD), *map(list, product(AWKWARD, repeat=2))]:
        check(at_once, split, lines)


TABLES: dict[str, Table] = {
    "alb": alb.TABLE,
    "nlb": nlb.TABLE,
    "server_access": server_access.TABLE,
    "cloudfront": cloudfront.TABLE,
    **cisco_umbrella.TABLES,
}
OTHERS = (b"", b"  ", b"#Fields: a b", b"#Version: 1.0", b'"Timestamp","x"', b"time,y", b"\xff a", b"a\r", b'"', b"\0")
"""Lines that no table's events are made of."""


@st.composite
def logs(draw: st.DrawFn, table: Table) -> bytes:
    """Lines of a table's width, most often, with others between."""
    delimiter = "\t" if table is cloudfront.TABLE else "," if table in cisco_umbrella.TABLES.values() else " "
    widths = st.sampled_from([len(table.names), len(table.names), len(table.names) + 1, len(table.names) - 1])
    width = draw(widths)
    kinds = [draw(st.sampled_from(["bare", "quoted", "doubled", "bracketed"])) for _ in range(width + 1)]
    made = []
    for _ in range(draw(st.integers(1, 5))):
        own = width if draw(st.integers(0, 5)) else draw(widths)
        made.append(delimiter.join(draw(cells[kind]) for kind in kinds[:own]).encode())
        if not draw(st.integers(0, 8)):
            made.insert(draw(st.integers(0, len(made))), draw(st.sampled_from(OTHERS)))
    return b"\n".join(made)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_table_has_the_same_events_where_nothing_is_split_in_one_go(name: str, data: st.DataObject) -> None:
    table = TABLES[name]
    log = data.draw(logs(table))
    plainly = replace(table, split_at_once=None, finish_rows=None)
    found = [event for block in rows(iter([log]), table) for event in block]
    expected = [event for block in rows(iter([log]), plainly) for event in block]
    assert found == expected
    assert [list(event) for event in found if isinstance(event, dict)] == [
        list(event) for event in expected if isinstance(event, dict)
    ]


@pytest.mark.parametrize(
    ("at_once", "lines"),
    [
        (delimited_at_once, ["a\tb", "\t"]),
        (commas_at_once, ['a,"b,c",""', '"a",b,"c ""d"""']),
        (quoted_spaces_at_once, ['a "b c" d', '- "" "x"', "a  b"]),
        (bracketed_spaces_at_once, ['a [b c] "[d"', "a [] -", 'a "[b]" [c]']),
        (spaces_and_lists_at_once, ['a "b" "h2","http/1.1"', 'a - "x"', "a b -"]),
    ],
)
def test_lines_of_one_width_are_split_in_one_go_whichever_columns_are_in_quotes(
    at_once: SplitAtOnce, lines: list[str]
) -> None:
    assert at_once([line.encode() for line in lines]) is not None


@pytest.mark.parametrize(
    ("lines", "escaped"),
    [
        (['a "b" c', "a - c"], ()),
        (['a "h2","http/1.1" c', "a - c", 'a "h2" c', 'a "x","y","z" c'], (1,)),
        (['a "h2","http/1.1"', '"h2","http/1.1" b'], None),
    ],
    ids=["words", "lists", "lists in two columns"],
)
def test_only_the_column_that_has_lists_is_escaped(lines: list[str], escaped: tuple[int, ...] | None) -> None:
    found = spaces_and_lists_at_once([line.encode() for line in lines])
    assert found is not None
    assert found.escaped == escaped


@pytest.mark.parametrize(
    "lines",
    [
        ["a b", "c"],
        ["a b c", "d", "e f"],
        ["a b", "c", "d e f"],
        ["a", "b", "c d e"],
        ["a b", "", "c d"],
        ['a "b', 'c" d'],
        ['a "b"c d'],
        ['a b"c" d'],
        ["a b "],
        ["a \0"],
        ['a "\0"'],
    ],
)
def test_lines_that_are_not_alike_are_left_to_be_split_one_by_one(lines: list[str]) -> None:
    assert quoted_spaces_at_once([line.encode() for line in lines]) is None
    assert bracketed_spaces_at_once([line.encode() for line in lines]) is None


IN_COLUMNS = ("alb", "alb_connection", "cisco_umbrella", "clb", "cloudfront", "nlb", "server_access", "transitgateway")
"""Log types, besides vpcflow."""


@pytest.mark.parametrize("name", [*IN_COLUMNS, "vpcflow"])
def test_all_blocks_of_a_log_in_columns_are_rows(name: str) -> None:
    sample = SAMPLES[name]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    key = sample.key("123456789012", "eu-west-1", start, 1)
    document = sample.document(sample.events(1, 450, start))
    blocks = [
        block
        for member in members(iter([document]), key)
        for block in LOG_TYPES[name].decode(member, key)
        if len(block)
    ]
    assert {type(block) for block in blocks} == {Rows}
    assert sum(map(len, blocks)) == 450
