"""Lines, columns, tables and Parquet."""

import io
from collections.abc import Iterable
from contextlib import suppress
from typing import Literal

from awsflow.decode import columns, columns_at_once
from awsflow.decode.columns import Split
from awsflow.decode.columns_at_once import SplitAtOnce
from awsflow.decode.lines import lines
from awsflow.decode.parquet import parquet_rows
from awsflow.decode.table import Table, rows
from tests.fuzz.target import Outcome, Target, outcome, pieces, same_however_chunked

SPLITS = (
    columns.by_spaces,
    columns.by_tabs,
    columns.by_commas,
    columns.by_commas_and_spaces,
    columns.by_quoted_spaces,
    columns.by_spaces_and_lists,
    columns.by_bracketed_spaces,
)
AT_ONCE: dict[Split, SplitAtOnce] = {
    columns.by_tabs: columns_at_once.delimited_at_once,
    columns.by_commas: columns_at_once.commas_at_once,
    columns.by_commas_and_spaces: columns_at_once.commas_at_once,
    columns.by_quoted_spaces: columns_at_once.quoted_spaces_at_once,
    columns.by_spaces_and_lists: columns_at_once.spaces_and_lists_at_once,
    columns.by_bracketed_spaces: columns_at_once.bracketed_spaces_at_once,
}


def of_lines(data: bytes) -> None:
    """`bytes.split`."""
    expected = [line.removesuffix(b"\r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    if expected[-1:] == [b""] and not data.endswith(b"\r"):
        expected.pop()
    for size in (1, 3, 64, max(len(data), 1)):
        assert [line for some in lines(pieces(data, size)) for line in some] == expected, f"in chunks of {size}"


def of_columns(data: bytes) -> None:
    """The columns of a line do not depend on those of others, and hold nothing that the line does not."""
    some = [line for line in data.decode("utf-8", "replace").split("\n") if line.strip()]
    for split in SPLITS:
        alone: list[list[str]] | None = []
        for line in some:
            try:
                (row,) = split([line])
            except ValueError:
                alone = None
                break
            assert all(column.replace('"', "") in line.replace('"', "") for column in row), (line, row)
            assert alone is not None
            alone.append(row)
        try:
            together: list[list[str]] | None = split(some)
        except ValueError:
            together = None
        assert together == alone, f"{split.__name__}: {together} together, {alone} alone"


def of_tables(data: bytes) -> None:
    """A line's event is the same alone and among others."""
    if not data:
        return
    split = SPLITS[data[0] % len(SPLITS)]
    beyond: tuple[Literal["extra", "drop", "refuse"], ...] = ("extra", "drop", "refuse")
    table = Table(("a", "b", "c"), split, least=1, beyond=beyond[data[0] % 3], split_at_once=AT_ONCE.get(split))
    text = data[1:].replace(b"\xef\xbb\xbf", b"")  # the mark is one at the beginning only
    told = same_however_chunked(lambda chunks: rows(chunks, table, 1 << 12), text)
    if not told.error:
        each = [outcome(lambda chunks: rows(chunks, table), line, max(len(line), 1)) for line in text.split(b"\n")]
        assert told == Outcome(tuple(event for one in each for event in one.events), ""), each


def of_parquet(data: bytes) -> None:
    """Rows, or an error."""
    outcome(parquet_rows, data, max(len(data), 1))


def _text_seeds() -> Iterable[bytes]:
    yield b'\x04a "b c" - "say "hi"!" d\nx [y z] "q" e\n'
    yield b'\x02a,"b,c",,"say ""hi""!"\r\n\xef\xbb\xbf1, "2", 3\n'
    yield b'\x05a "-" "h2","http/1.1" "b c"\n\n'
    yield b"\x01a\tb\tc\td\n#comment\n\xff\xfe\n"
    yield b"\x00one two three four\nfive\n"


def _parquet_seeds() -> Iterable[bytes]:
    with suppress(ImportError):
        import pyarrow  # type: ignore[import-untyped] # noqa: PLC0415 - optional
        import pyarrow.parquet  # type: ignore[import-untyped] # noqa: PLC0415 - optional

        for compression in ("none", "snappy"):
            out = io.BytesIO()
            table = pyarrow.table(
                {"a": [1, 2, None], "b": ["x", "y", "z"], "c": [[1], [], [2, 3]], "d": [{"e": 1.5}] * 3}
            )
            pyarrow.parquet.write_table(table, out, compression=compression)
            yield out.getvalue()


TEXTS = {
    "lines": Target(of_lines, "bytes.split", _text_seeds),
    "columns": Target(of_columns, "a line's columns are the same alone and among others", _text_seeds),
    "table": Target(of_tables, "a line's event is the same alone and among others, and however it is cut", _text_seeds),
    "parquet": Target(of_parquet, "rows or an error", _parquet_seeds),
}
