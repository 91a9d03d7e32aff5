"""Flow logs, of VPCs and of transit gateways: lines with a header that names the columns, or Parquet.

Format: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from awsflow.decode.columns_at_once import spaces_at_once
from awsflow.decode.lines import blocks
from awsflow.decode.parquet import is_parquet, parquet_rows, peek
from awsflow.errors import DecodeError
from awsflow.items import Block, Event, RowsOrBlock, Unreadable
from awsflow.logtypes.flow_log_fields import FIELDS, FIRST_WORDS, Names, default, header, is_particular, source
from awsflow.rows import Rows

_TIMES = ("start", "end")
_REMEMBERED = 1 << 12
"""Times at most whose text is kept."""


def flow_logs(chunks: Iterator[bytes], only: str = "") -> Iterator[RowsOrBlock]:
    """The flows; all values are text, fields are named as AWS does, with `_` for `-`, and times as ISO 8601 has them.

    Each has the source that its columns tell. `only`: events of this source, and nothing of other files.
    """
    head, chunks = yield from peek(chunks)
    yield from _of_parquet(chunks, only) if is_parquet(head) else _of_lines(chunks, only)


class _Times(dict[str, str]):
    """Unix seconds as ISO 8601; what is no time remains as it is. Few times occur in a file, each of them often."""

    def __missing__(self, seconds: str) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        text = self[seconds] = _time(seconds)
        return text


def _time(seconds: str) -> str:
    if seconds.isascii() and seconds.isdigit() and len(seconds) <= len("253402300799"):
        minute, second = divmod(int(seconds), 60)
        try:
            return f"{_minute(minute)}:{second:02}Z"
        except (ValueError, OverflowError):
            pass  # beyond the year 9999
    return seconds


@lru_cache(maxsize=64)
def _minute(minute: int) -> str:
    """Unix minutes as ISO 8601: in a file there are few of them."""
    return f"{datetime.fromtimestamp(60 * minute, UTC):%Y-%m-%dT%H:%M}"


def _of_lines(chunks: Iterator[bytes], only: str) -> Iterator[RowsOrBlock]:
    rows = _Rows(only)
    number = 1
    for some in blocks(chunks):
        yield rows.events(some, number) if some else []
        number += len(some)


class _Rows:
    """Makes events of lines, knowing what the header above them says."""

    def __init__(self, only: str) -> None:
        self._only = only
        self._times = _Times()
        self._columns: Names = ()
        """As the log has them; none: nothing has told yet."""
        self._names: Names = ()
        """As events have them, and then `source`."""
        self._are_unique = False
        """Whether there are names, and none of them twice."""
        self._source = ""
        self._is_wanted = not only
        self._times_at: list[int] = []
        self._begin_headers = FIRST_WORDS

    def events(self, some: Sequence[bytes], first: int) -> RowsOrBlock:
        """The events of some lines, the first of which has this number."""
        block = self._at_once(some)
        if block is None:
            if not self._one_by_one(some[:1], first):  # the header, most often
                some, first = some[1:], first + 1
            block = self._at_once(some)
        return self._one_by_one(some, first) if block is None else block

    def _at_once(self, some: Sequence[bytes]) -> RowsOrBlock | None:
        """The events of lines of which each has its columns and none is a header; None if there is another among them.

        All are split in one go.
        """
        count = len(some)
        if not (count and self._are_unique):
            return None
        try:
            found = spaces_at_once(some)
        except UnicodeDecodeError:
            return None
        if found is None:
            return None
        cells, is_plain = found
        width = len(self._names)
        if len(cells) != width * count or not self._begin_headers.isdisjoint(cells[::width]):
            return None
        if not self._is_wanted:
            return []
        time = self._times.__getitem__
        for at in self._times_at:
            cells[at::width] = map(time, cells[at::width])
        cells[width - 1 :: width] = [self._source] * count  # where a line's end was
        return Rows.of_cells(self._names, cells, is_plain=is_plain)

    def _one_by_one(self, some: Sequence[bytes], first: int) -> Block:
        """The same, line by line."""
        block: Block = []
        for number, line in enumerate(some, first):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                event: Event | Unreadable = Unreadable(
                    f"line {number}: not UTF-8 ({error.reason} at its byte {error.start})", line, self._header()
                )
            else:
                columns = [column for column in text.split(" ") if column]
                if not columns or self._is_header(columns):
                    continue
                event = self._event(columns) or Unreadable(
                    f"line {number}: {len(columns)} columns, where there should be {len(self._columns)}",
                    line,
                    self._header(),
                )
            if self._is_wanted:
                block.append(event)
        return block

    def _event(self, columns: list[str]) -> dict[str, Any] | None:
        """The event of a line; None if it has not as many columns as it should."""
        if len(columns) != len(self._columns):
            return None
        for at in self._times_at:
            columns[at] = self._times[columns[at]]
        return dict(zip(self._names, (*columns, self._source), strict=True))

    def _is_header(self, columns: list[str]) -> bool:
        """Whether it is one, which then is obeyed. Without one, the first line tells the default format."""
        names = header(columns)
        if not self._columns:
            self._obey(names or default(columns))
        elif columns[0] not in FIRST_WORDS and columns[0] != self._columns[0]:
            return False  # as where many are read at once: how a log is cut into chunks must not matter
        elif names is None or (names != self._columns and not is_particular(names)):
            return False
        else:
            self._obey(names)
        return names is not None

    def _header(self) -> bytes:
        """A header that says the same as what was obeyed last."""
        return " ".join(self._columns).encode()

    def _obey(self, columns: Names) -> None:
        self._columns = columns
        self._names = (*(name.replace("-", "_") for name in columns), "source")
        self._are_unique = len({*self._names}) == len(self._names)
        self._source = source(columns)
        self._is_wanted = self._only in ("", self._source)
        self._begin_headers = FIRST_WORDS | {columns[0]}
        self._times_at = [at for at, name in enumerate(columns) if name in _TIMES]


def _of_parquet(chunks: Iterator[bytes], only: str) -> Iterator[RowsOrBlock]:
    """The rows of a Parquet file. A column that does not apply to a row is null there, and left out."""
    times = _Times()
    whose = ""
    for block in parquet_rows(chunks):
        rows = [row for row in block if isinstance(row, dict)]
        if rows and not whose:
            whose = _whose(rows[0])
        yield [_flow(row, whose, times) if isinstance(row, dict) else row for row in block if only in ("", whose)]


def _whose(row: dict[str, Any]) -> str:
    """The source that the columns tell. DecodeError if they are another log's."""
    columns = {name.replace("_", "-") for name in row}
    if FIELDS.isdisjoint(columns):
        some = ", ".join(list(row)[:5])
        raise DecodeError(
            f"a Parquet file, but of no flow log: its first columns are {some}; give its type with --type"
        )
    return source(columns)


def _flow(row: dict[str, Any], whose: str, times: _Times) -> dict[str, Any]:
    event = {name.replace("-", "_"): str(value) for name, value in row.items() if value is not None}
    for name in _TIMES:
        if name in event:
            event[name] = times[event[name]]
    event["source"] = whose
    return event
