"""Parquet files become events, row by row, in little memory, whatever types their columns have."""

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.decode.parquet import BLOCK, is_parquet, parquet_rows, peek
from awsflow.errors import DecodeError, LibraryMissing
from awsflow.items import Block, Unreadable


def file_of(table: Any, **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **how)
    return out.getvalue()


def column(values: list[Any], kind: Any) -> bytes:
    return file_of(pa.table({"x": pa.array(values, kind)}))


def pieces(content: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def rows(content: bytes, size: int = 1 << 16) -> Block:
    return [row for block in parquet_rows(pieces(content, size)) for row in block]


def values(content: bytes) -> list[Any]:
    return [row["x"] if isinstance(row, dict) else row for row in rows(content)]


def test_a_row_is_an_event_with_the_columns_in_the_files_order_and_nulls_kept() -> None:
    content = file_of(pa.table({"z": ["text", None], "a": [1, 2**63 - 1], "m": [True, None], "n": [None, 0.25]}))
    assert rows(content) == [
        {"z": "text", "a": 1, "m": True, "n": None},
        {"z": None, "a": 2**63 - 1, "m": None, "n": 0.25},
    ]
    assert next(list(row) for row in rows(content) if isinstance(row, dict)) == ["z", "a", "m", "n"]


AT = datetime(2026, 11, 23, 4, 5, 6, 700_000)  # noqa: DTZ001 - as Parquet has times that are local


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (pa.timestamp("us"), AT, "2026-11-23 04:05:06.700000"),
        (pa.timestamp("us"), AT.replace(microsecond=0), "2026-11-23 04:05:06"),
        (pa.timestamp("ms", "UTC"), AT.replace(tzinfo=UTC), "2026-11-23 04:05:06.700000+00:00"),
        (pa.timestamp("ns"), 1_500_000_007, "1970-01-01 00:00:01.500000007"),
        (pa.timestamp("ns", "UTC"), -1, "1969-12-31 23:59:59.999999999+00:00"),
        (pa.timestamp("ns", "Europe/Berlin"), 0, "1970-01-01 01:00:00+01:00"),
        (pa.date32(), date(2026, 11, 23), "2026-11-23"),
        (pa.time64("us"), time(4, 5, 6, 7), "04:05:06.000007"),
        (pa.time64("ns"), 1_000_000_001, "00:00:01.000000001"),
        (pa.decimal128(20, 10), Decimal(0), "0.0000000000"),
        (pa.decimal256(50, 2), Decimal("123456789012345678901234567890.10"), "123456789012345678901234567890.10"),
        (pa.binary(), b"text \xe2\x82\xac", "text €"),
        (pa.binary(), b"\xff\x00", "\\xff\x00"),
        (pa.binary(2), b"ab", "ab"),
        (pa.float16(), 1.5, 1.5),
        (pa.uint64(), 2**64 - 1, 2**64 - 1),
        (pa.dictionary(pa.int32(), pa.string()), "often", "often"),
    ],
)
def test_values_without_a_counterpart_in_json_are_text(kind: Any, value: Any, text: Any) -> None:
    assert values(column([value, None], kind)) == [text, None]


def test_the_old_timestamps_of_96_bits_keep_their_nanoseconds() -> None:
    table = pa.table({"x": pa.array([1_600_000_000_123_456_789, None], pa.timestamp("ns"))})
    content = file_of(table, use_deprecated_int96_timestamps=True)
    assert values(content) == ["2020-09-13 12:26:40.123456789", None]


def test_structs_are_objects_lists_are_lists_and_maps_are_lists_of_pairs() -> None:
    kind = pa.struct(
        [
            ("when", pa.timestamp("ns")),
            ("tags", pa.map_(pa.string(), pa.date32())),
            ("all", pa.list_(pa.struct([("price", pa.decimal128(5, 2)), ("plain", pa.int64())]))),
            ("many", pa.large_list(pa.binary())),
        ]
    )
    value = {
        "when": 5,
        "tags": [("a", date(2026, 1, 2)), ("b", None)],
        "all": [{"price": Decimal("1.10"), "plain": 7}, None],
        "many": [b"x", None],
    }
    assert values(column([value, None], kind)) == [
        {
            "when": "1970-01-01 00:00:00.000000005",
            "tags": [["a", "2026-01-02"], ["b", None]],
            "all": [{"price": "1.10", "plain": 7}, None],
            "many": ["x", None],
        },
        None,
    ]


def test_a_row_that_cannot_be_told_is_unreadable_and_the_others_are_read() -> None:
    broken = pa.array([b"fine", b"\xff\xfe", b"too"], pa.binary()).view(pa.string())
    far = pa.array([0, 0, 300_000_000_000_000_000], pa.int64()).view(pa.timestamp("us"))
    first, second, third = rows(file_of(pa.table({"x": broken, "n": [1, 2, 3], "t": far})))
    assert first == {"x": "fine", "n": 1, "t": "1970-01-01 00:00:00"}
    assert isinstance(second, Unreadable)
    assert second.reason.startswith("row 2: ")
    assert b"x=b'\\xff\\xfe', n=2, t=" in second.content
    assert isinstance(third, Unreadable)
    assert third.content == b"x='too', n=3, t=300000000000000000"


def test_a_block_comes_for_each_chunk_and_then_one_for_so_many_rows_of_a_row_group() -> None:
    content = file_of(pa.table({"x": range(4 * BLOCK + 50)}), row_group_size=2 * BLOCK + 50)
    chunks = [b"", content[:10], b"", content[10:]]
    blocks = list(parquet_rows(iter(chunks)))
    assert [len(block) for block in blocks] == [0, 0, 0, 0, BLOCK, BLOCK, 50, BLOCK, BLOCK]
    assert [row["x"] for block in blocks for row in block if isinstance(row, dict)] == list(range(4 * BLOCK + 50))


def test_a_file_without_rows_or_columns_has_no_events() -> None:
    assert rows(column([], pa.int64())) == []
    assert rows(file_of(pa.table({}))) == []


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
def test_every_compression_is_read(compression: str) -> None:
    table = pa.table({"x": ["a" * 100, "b"] * 200})
    assert values(file_of(table, compression=compression)) == ["a" * 100, "b"] * 200


@pytest.mark.parametrize("cut", [4, 8, 100, 1000, -1, -4, -8, -100])
def test_a_file_that_is_cut_short_is_an_error_that_says_so(cut: int) -> None:
    content = file_of(pa.table({"x": [str(number) for number in range(5000)]}))
    with pytest.raises(DecodeError, match="not a Parquet file that can be read"):
        rows(content[:cut])


def test_what_is_no_parquet_is_an_error() -> None:
    with pytest.raises(DecodeError, match="not a Parquet file that can be read"):
        rows(b"PAR1 and then something else")
    with pytest.raises(DecodeError, match="not a Parquet file that can be read"):
        rows(b"")


def test_the_rows_before_a_damaged_page_are_read_and_the_error_names_its_row_group() -> None:
    table = pa.table({"x": [f"{number:08}" for number in range(3000)]})
    how = {"row_group_size": 1000, "compression": "none", "use_dictionary": False, "write_page_checksum": True}
    content = bytearray(file_of(table, **how))
    content[content.index(b"00001500")] ^= 1
    got: Block = []
    with pytest.raises(DecodeError, match=r"in row group 2 of 3 behind 1000 rows: .*CRC"):
        got.extend(row for block in parquet_rows(pieces(bytes(content))) for row in block)
    assert got == [{"x": f"{number:08}"} for number in range(1000)]


@settings(deadline=None, max_examples=60)
@given(damage=st.lists(st.tuples(st.integers(0, 2**16), st.integers(1, 255)), min_size=1, max_size=5))
def test_a_damaged_file_is_read_or_refused_and_never_anything_else(damage: list[tuple[int, int]]) -> None:
    content = bytearray(
        file_of(pa.table({"x": [str(number) for number in range(300)], "t": pa.array([1] * 300, pa.timestamp("ns"))}))
    )
    for at, change in damage:
        content[at % len(content)] ^= change
    try:
        got = rows(bytes(content))
    except DecodeError:
        return
    assert all(isinstance(row, dict | Unreadable) for row in got)


def test_a_file_of_more_than_the_limit_is_refused_before_all_of_it_is_taken() -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"PAR1" * 250

    with pytest.raises(DecodeError, match="more than the limit of 10,000 bytes"):
        list(parquet_rows(endless(), limit=10_000))
    assert len(taken) == 11


def test_parquet_is_told_from_its_first_bytes_however_they_come() -> None:
    def peeked(*chunks: bytes) -> tuple[int, bytes, bytes]:
        looking = peek(iter(chunks))
        waited = 0
        while True:
            try:
                assert next(looking) == []
                waited += 1
            except StopIteration as found:
                head, again = found.value
                return waited, head, b"".join(again)

    assert peeked(b"PA", b"", b"R1 and", b" so on") == (2, b"PAR1 and", b"PAR1 and so on")
    assert peeked(b"x") == (1, b"x", b"x")
    assert peeked() == (0, b"", b"")
    assert is_parquet(b"PAR1 and")
    assert not is_parquet(b"PAR")


def test_without_the_library_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError('as if it were not there')\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from awsflow.decode.parquet import parquet_rows\n"
        "from awsflow.errors import LibraryMissing\n"
        "try:\n    next(parquet_rows(iter([b'PAR1'])))\n"
        "except LibraryMissing as missing:\n    print(missing.exit_code, missing)\n"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout == "10 reading Parquet: the library pyarrow is missing; pip install 'awsflow[parquet]'\n"
    assert LibraryMissing.exit_code == 10


def test_a_million_rows_are_read_within_150_megabytes(tmp_path: Path) -> None:
    file = tmp_path / "large.parquet"
    interfaces = pa.array([f"eni-{number * 2654435761 % 2**40:010x}" for number in range(100_000)])
    some = pa.table({"interface_id": interfaces, "bytes": pa.array(range(100_000)), "action": ["ACCEPT"] * 100_000})
    with pq.ParquetWriter(file, some.schema) as writer:
        writer.write_table(pa.concat_tables([some] * 10), row_group_size=1_000_000)
    code = (
        "import re, sys\n"
        "from awsflow.decode.parquet import parquet_rows\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    print(sum(map(len, parquet_rows(iter(lambda: file.read(1 << 17), b'')))))\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"  # ru_maxrss has the parent's in
    )
    run = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)
    count, peak = map(int, run.stdout.split())
    assert count == 1_000_000
    assert peak * 1024 < 150e6, f"{peak * 1024:,} bytes"


@pytest.mark.skipif("mimalloc" not in pa.supported_memory_backends(), reason="this pyarrow cannot do otherwise")
@pytest.mark.parametrize(("setting", "kept"), [({}, False), ({"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, True)])
def test_pages_are_decoded_in_memory_that_goes_back_unless_the_environment_says_otherwise(
    setting: dict[str, str], kept: bool, tmp_path: Path
) -> None:
    file = tmp_path / "some.parquet"
    pq.write_table(pa.table({"text": [f"text {number}" for number in range(1000)]}), file, compression="zstd")
    code = (
        "import sys\n"
        "from awsflow.decode.parquet import parquet_rows\n"
        "print(sum(map(len, parquet_rows(iter([open(sys.argv[1], 'rb').read()])))))\n"
        "import pyarrow\n"
        "print(pyarrow.mimalloc_memory_pool().max_memory())\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")} | setting
    command = [sys.executable, "-c", code, str(file)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    count, most = map(int, run.stdout.split())
    assert count == 1000
    assert (most > 0) is kept


def same(value: Any) -> Any:
    return value


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FIRST, LAST = date(1900, 1, 1), date(2200, 1, 1)
TIMES = st.builds(datetime.combine, st.dates(FIRST, LAST), st.times(), st.none())
IN_UTC = st.builds(datetime.combine, st.dates(FIRST, LAST), st.times(), st.just(UTC))
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any], Callable[[Any], Any]]] = {
    "text": (pa.string(), TEXT, same),
    "number": (pa.int64(), st.integers(-(2**63), 2**63 - 1), same),
    "float": (pa.float64(), st.floats(allow_nan=False), same),
    "yes": (pa.bool_(), st.booleans(), same),
    "moment": (pa.timestamp("us"), TIMES, str),
    "day": (pa.date32(), st.dates(), str),
    "price": (pa.decimal128(30, 4), st.decimals(-(10**20), 10**20, places=4), "{:.4f}".format),
    "list": (pa.list_(pa.string()), st.lists(TEXT), same),
    "inside": (
        pa.struct([("a", pa.int32()), ("when", pa.timestamp("ns", "UTC"))]),
        st.fixed_dictionaries({"a": st.none() | st.integers(-5, 5), "when": st.none() | IN_UTC}),
        lambda value: {"a": value["a"], "when": value["when"] and str(value["when"])},
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5, unique=True))
    count = draw(st.integers(0, 250))
    one_of = {name: draw(st.lists(st.none() | KINDS[name][1], min_size=1, max_size=5)) for name in names}
    return {name: [some[at % len(some)] for at in range(count)] for name, some in one_of.items()}


@settings(deadline=None, max_examples=50)
@given(table=tables(), chunk=st.integers(1, 5000), group=st.integers(1, 250))
def test_what_was_written_is_read(table: dict[str, list[Any]], chunk: int, group: int) -> None:
    written = pa.table({name: pa.array(some, KINDS[name][0]) for name, some in table.items()})
    columns = [[value if value is None else KINDS[name][2](value) for value in some] for name, some in table.items()]
    expected = [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]
    assert rows(file_of(written, row_group_size=group), chunk) == expected
