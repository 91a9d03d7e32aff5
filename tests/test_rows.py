"""The fast ways make what the plain ones make: of rows what is made of mappings, of records together what of each."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.columns import (
    _at_spaces,
    _bare,
    _bare_or_bracketed,
    _before_space,
    _before_space_or_bracketed,
    by_bracketed_spaces,
    by_quoted_spaces,
)
from awsflow.decode.lines import BLOCK
from awsflow.envelope import common, plain_json, tell_failures, text, wazuh_json
from awsflow.exactjson import json_bytes
from awsflow.items import Encoded, Envelope, Item, Origin, Record, Records, bodies, one_by_one
from awsflow.joined import Joined
from awsflow.logtypes import alb, nlb
from awsflow.rows import Rows, is_plain
from awsflow.sinks import ndjson
from awsflow.sinks.wazuh import LIMIT
from awsflow.stages import Stage, discard, each

ODD = '"\\\n\r\t\x00\x7f\x85\u2028é日'
"""Characters of which JSON must escape some, and might others."""
texts = st.text("ab -.:/", max_size=8) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
missing_or_texts = st.none() | texts
names = st.lists(
    st.sampled_from(["a", "b c", 'd"e', "f\\g", "é", "sourceIPAddress", "tags", "aws_account_id", "log_info", "time"]),
    min_size=1,
    max_size=6,
    unique=True,
)
kinds: tuple[Envelope, ...] = ("bucket", "object", "service", "none")


@st.composite
def rows(draw: st.DrawFn, cells: st.SearchStrategy[str | None] = missing_or_texts) -> Rows:
    chosen = draw(names)
    if draw(st.booleans()):  # so that one character alone decides
        cells = st.sampled_from(["", "a", "b" + draw(st.sampled_from(ODD))])
    count = draw(st.integers(1, 5))
    columns = [draw(st.lists(cells, min_size=count, max_size=count)) for _ in chosen]
    all_are_plain = all(text is None or is_plain(text) for column in columns for text in column)
    optional = {name for name, column in zip(chosen, columns, strict=True) if None in column}
    told = st.sampled_from([None, optional, {*chosen}])
    if not optional and draw(st.booleans()):
        cells_of_rows = [text for row in zip(*columns, strict=True) for text in row if text is not None]
        return Rows.of_cells(tuple(chosen), cells_of_rows, is_plain=all_are_plain and draw(st.booleans()))
    escaped = {
        name for name, column in zip(chosen, columns, strict=True) if not is_plain("".join(filter(None, column)))
    }
    escaped_as_told = draw(st.sampled_from([None, escaped, {*chosen}]))
    return Rows(tuple(chosen), columns, escaped=escaped_as_told, optional=draw(told))


def events(items: Sequence[Item] | Any) -> list[tuple[Any, int]]:
    return [(item.event, item.number) for item in one_by_one(items) if isinstance(item, Record)]


def origin(envelope: Envelope, account: str, shape: Any) -> Origin:
    return Origin("a-bucket", 'a\n"key"', "alias", account, shape, envelope)


@settings(deadline=None)
@given(rows(), st.sampled_from(kinds), st.sampled_from(["", "123456789012"]), st.sampled_from([None, common, text]))
def test_rows_are_encoded_byte_by_byte_as_the_mappings_that_they_are(
    rows: Rows, envelope: Envelope, account: str, shape: Any
) -> None:
    where = origin(envelope, account, shape)
    mappings = [Record(event, where, number) for number, event in enumerate(rows, 1)]
    together = Records(rows, where, range(1, len(rows) + 1))
    assert events(wazuh_json([together])) == events(wazuh_json(mappings))


@settings(deadline=None)
@given(rows(), st.sampled_from(kinds), st.sampled_from([b"", b"1:somewhere:"]))
def test_rows_stand_behind_the_head_of_a_sink_and_none_is_longer_than_is_told(
    rows: Rows, envelope: Envelope, head: bytes
) -> None:
    together = Records(rows, origin(envelope, "1", text), range(1, len(rows) + 1))
    (encoded,) = wazuh_json.behind(head)([together])
    assert isinstance(encoded, Records)
    assert encoded == next(iter(wazuh_json([together])))
    if isinstance(encoded.events, Joined):
        assert [*encoded.events.lines()] == [head + body for body in bodies(Encoded([encoded]))]
        assert max(map(len, encoded.events.lines())) <= encoded.events.longest


def test_that_no_row_is_long_is_known_of_more_of_them_than_fit_into_a_datagram() -> None:
    columns = [[str(number) for number in range(BLOCK)] for _ in range(14)]
    names = tuple(f"a_name_that_is_so_long_{number}" for number in range(14))
    (encoded,) = wazuh_json([Records(Rows(names, columns), origin("bucket", "1", text), range(BLOCK))])
    assert isinstance(encoded, Records)
    assert isinstance(encoded.events, Joined)
    assert encoded.events.longest < LIMIT < encoded.events.size


@settings(deadline=None)
@given(st.text() | texts | st.text(st.sampled_from("a" + ODD)))
def test_a_text_is_plain_that_stands_in_json_as_it_is(text: str) -> None:
    written = json_bytes(text).decode()
    assert is_plain(text) == (written == f'"{text}"')
    added = len(written) - len(f'"{text}"')
    assert is_plain(text, besides=added)
    assert not is_plain(text, besides=added + 1)


def test_a_long_text_is_plain_if_all_of_it_is() -> None:
    long = "a" * 1_000_000
    assert is_plain(long)
    assert not is_plain(long + '"')
    assert is_plain('"' + long + '"', besides=2)


def test_a_field_that_is_missing_in_some_rows_is_there_in_those_behind_them() -> None:
    where = origin("bucket", "1", text)
    columns: list[list[list[str | None]]] = [[["1", "2"], [None, "b"]], [["3", "4"], ["c", "d"]]]
    stream = [Records(Rows(("a", "b"), some), where, range(2)) for some in columns]
    mappings = [Record(event, where, number) for records in stream for number, event in enumerate(records.events)]
    assert events(wazuh_json(stream)) == events(wazuh_json(mappings))


@pytest.mark.parametrize("odd", ["\x7f", "\x7f\x7f", '\x7f"', "\\\x7f\n", "\ud800"])
def test_texts_that_are_escaped_may_have_any_other_character_too(odd: str) -> None:
    texts = ['"', odd, "", f"a{odd}b"]
    together = Records(Rows(("a",), [texts]), Origin(), range(4))
    assert events(wazuh_json([together])) == events(
        wazuh_json([Record({"a": one}, Origin(), at) for at, one in enumerate(texts)])
    )


@pytest.mark.parametrize("more", ["z", '"', "\n"])
def test_a_field_that_comes_to_plain_rows_may_be_none_itself(more: str) -> None:
    plain = Rows(("a",), [["x", "y"]], escaped=())
    mappings = [Record({"a": a, "b": more}, Origin(), number) for number, a in enumerate("xy")]
    together = Records(plain[0:].also("b", more), Origin(), range(2))
    assert events(wazuh_json([together])) == events(wazuh_json(mappings))


@pytest.mark.parametrize("encode", [wazuh_json, plain_json])
@settings(deadline=None)
@given(one=rows(), other=rows(st.sampled_from(["a", "b", "10.0.0.1"])))
def test_rows_of_other_names_and_numbers_may_follow_on_each_other(encode: Stage, one: Rows, other: Rows) -> None:
    where = origin("bucket", "1", text)
    order = [one, other, other[:1], one, one[1:] or one]
    stream = [Records(rows, where, range(len(rows))) for rows in order]
    mappings = [Record(event, where, number) for rows in order for number, event in enumerate(rows)]
    assert events(encode(stream)) == events(encode(mappings))


@pytest.mark.parametrize("encode", [wazuh_json, plain_json])
def test_of_no_rows_nothing_becomes_and_those_behind_them_are_not_touched(encode: Stage) -> None:
    some = Rows(("a", "b"), [["1"], ["2"]])
    stream = [Records(rows, Origin(), range(len(rows))) for rows in (some[:0], some, some[:0])]
    encoded = Encoded(item for item in encode(stream) if isinstance(item, Records))
    assert len(encoded) == 1
    assert ndjson.lines(encoded) == b"".join(bodies(encoded)) + b"\n"
    assert events(encode([*stream])) == events(encode([Record({"a": "1", "b": "2"}, Origin(), 0)]))


@settings(deadline=None)
@given(rows(), st.slices(5))
def test_rows_are_a_sequence_of_mappings(rows: Rows, part: slice) -> None:
    mappings = list(rows)
    assert rows == mappings
    assert rows[part] == mappings[part]
    assert [rows[at] for at in range(-len(rows), len(rows))] == [*mappings, *mappings]
    assert rows.also("a", "x") == [{**event, "a": "x"} for event in mappings]


def doubled(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [event, event] if "a" in event else []


@pytest.mark.parametrize(
    "stage",
    [wazuh_json, plain_json, tell_failures, each(doubled), discard("a", "a"), discard("b c", "")],
    ids=["wazuh_json", "plain_json", "tell_failures", "each", "discard", "discard_all"],
)
@settings(deadline=None)
@given(rows=rows())
def test_a_stage_makes_of_records_together_what_it_makes_of_each(stage: Stage, rows: Rows) -> None:
    where = origin("bucket", "123456789012", common)
    numbers = range(7, 7 + len(rows))
    alone = [Record(dict(event), where, number) for number, event in zip(numbers, rows, strict=True)]
    for some in (rows, list(rows)):
        assert events(stage([Records(some, where, numbers)])) == events(stage([*alone]))


some_addresses = ["-", "10.0.0.1:80", "[2001:db8::1]:443"]
odd_addresses = [
    "10.0.0.1",
    "",
    "a b:1",
    "- -",
    "10.0.0.1:80 -",
    "[:1",
    "1:",
    ":1",
    "]:1",
    "[]:1",
    "[[1]:2",
    "1:2]",
    "1]",
]
addresses = st.sampled_from(some_addresses) | st.sampled_from(odd_addresses)


@pytest.mark.parametrize("table", [alb.TABLE, nlb.TABLE], ids=["alb", "nlb"])
@settings(deadline=None)
@given(data=st.data())
def test_load_balancers_addresses_are_split_in_columns_as_in_mappings(table: Any, data: st.DataObject) -> None:
    width = data.draw(st.integers(table.least, len(table.names)))
    count = data.draw(st.integers(1, 4))
    each = data.draw(st.sampled_from([addresses, st.sampled_from(some_addresses)]))
    columns = [data.draw(st.lists(each, min_size=count, max_size=count)) for _ in range(width)]
    listed = data.draw(st.sets(st.sampled_from(range(width)), max_size=1) | st.just({width - 1}))
    for at in listed:
        columns[at] = ['"a","b:1"'] * count
    escaped = data.draw(st.sampled_from([None, {table.names[at] for at in listed}]))
    rows = Rows(table.names[:width], columns, escaped=escaped, optional=data.draw(st.sampled_from([None, ()])))
    finished = table.finish_rows(rows)
    expected = [table.finish(event) for event in rows]
    assert finished == expected
    assert [list(event) for event in finished] == [list(event) for event in expected]
    together = Records(finished, Origin(), range(count))
    assert events(wazuh_json([together])) == events(wazuh_json([*Records(expected, Origin(), range(count))]))


lines = st.lists(st.text(st.sampled_from('ab "[]\r\\é'), max_size=20), max_size=5)


@settings(deadline=None)
@given(lines | st.lists(st.sampled_from(['a [b c] "d" e', 'a [b c] "d "" e"', 'x "[b" c]', 'a "[b c]" d', "[a b] c"])))
def test_lines_are_split_together_as_each_alone(lines: list[str]) -> None:
    for split, bare, column in (
        (by_quoted_spaces, _bare, _before_space),
        (by_bracketed_spaces, _bare_or_bracketed, _before_space_or_bracketed),
    ):
        try:
            expected = [_at_spaces(line.rstrip(" "), bare, column) for line in lines]
        except ValueError:
            with pytest.raises(ValueError, match="is not closed"):
                split(lines)
        else:
            assert split(lines) == expected


@settings(deadline=None)
@given(st.slices(3))
def test_encoded_records_are_a_sequence_of_records(part: slice) -> None:
    where = Origin("b", "k")
    encoded = Encoded([Records([b"1", b"2"], where, range(1, 3)), Records([b"3"], where, (9,))])
    records = [Record(b"1", where, 1), Record(b"2", where, 2), Record(b"3", where, 9)]
    assert list(encoded) == records
    assert (len(encoded), encoded[2], encoded[-1]) == (3, records[2], records[-1])
    assert encoded[part] == records[part]
    assert list(bodies(encoded[part])) == [record.event for record in records[part]]
    assert list(bodies(encoded)) == list(bodies(records)) == [b"1", b"2", b"3"]
