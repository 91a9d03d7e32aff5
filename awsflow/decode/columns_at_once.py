"""Splitting many lines of text into columns in one go, where they are so much alike that this is what each line has.

What `awsflow.decode.columns` makes of each line is what holds. These functions make the same, or answer None: then the
lines are for that module. tests/test_columns_at_once.py proves it.

Where a line ends, a column of its own is put: if it comes out in the same place for all lines, they have as many
columns. What stands in quotes may hold anything, so a mark is put in its place before: each mark has to come out as a
column, with nothing besides. Where what stands in quotes must not hold anything, but only a word, quotes just go.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import NamedTuple, TypeAlias

from awsflow.decode.lines import Lines
from awsflow.rows import is_plain


class Columns(NamedTuple):
    """The columns of some lines."""

    columns: Sequence[Sequence[str]]
    """The first one of all lines, then the second one, ..."""
    escaped: Collection[int] | None = None
    """Which of them may hold what JSON escapes, from 0 on; None: any."""


class Cells(NamedTuple):
    """The columns of the first line and an end, then those of the second one and an end, ..."""

    cells: list[str]
    is_plain: bool
    """Whether each text in them, but for the ends, is known to stand in JSON as it is."""


SplitAtOnce: TypeAlias = Callable[[Sequence[bytes]], Columns | None]
"""From lines, one at least, to their columns, two at least; or None. UnicodeDecodeError if a line is not UTF-8."""
_Cells: TypeAlias = list[str]
"""As `Cells` has them."""
_AT_MOST = 1 << 20
"""Bytes of lines that are split in one go, for they are held several times then."""
_END = "\n"
_AMONG_SPACES = "\0"
"""The end of a line in a text that is split at white space."""
_ADDED = len(r"\u0000") - len(_AMONG_SPACES)
"""What JSON adds to it."""
_QUOTED, _GROUP = "\0", "\1"
"""Marks: here something stood in quotes, or in brackets."""


def delimited_at_once(lines: Sequence[bytes], delimiter: str = "\t") -> Columns | None:
    """Split at each delimiter: a tab, as `by_tabs`, or another one."""
    text = _joined(lines, delimiter + _END + delimiter)
    cells = text.split(delimiter)
    escaped = len(cells) - 1 if delimiter == "\t" else 0
    plain = is_plain(text, besides=len(lines) - 1 + escaped)
    return _columns(_if_aligned(cells, len(lines)), len(lines), is_plain=plain)


def spaces_at_once(lines: Sequence[bytes]) -> Cells | None:
    """Split as `by_spaces`, at any white space: there must be none but spaces, which is what is printable.

    To cells: where columns are not needed one by one, to take them apart and to put them together again costs more.
    """
    count = len(lines)
    text = _joined(lines, f" {_AMONG_SPACES} ")
    plain = is_plain(text, besides=(count - 1) * _ADDED)
    if not ((plain and text.isascii()) or text.replace(_AMONG_SPACES, "", count - 1).isprintable()):
        return None
    cells = _if_aligned(text.split(), count, _AMONG_SPACES)
    return None if cells is None or _is_single(cells, count) else Cells(cells, plain)


def commas_at_once(lines: Sequence[bytes]) -> Columns | None:
    """Split as `by_commas` and, for no column begins with a space, as `by_commas_and_spaces`."""
    text = _joined(lines, "," + _END + ",")
    if _QUOTED in text or "\r" in text:
        return None
    bare, quoted = _apart(text)
    if bare.startswith(" ") or ", " in bare:
        return None
    cells = _if_aligned(bare.split(","), len(lines))
    if cells is None:
        return None
    return _columns(_put_back_doubled(quoted, cells, len(lines)), len(lines))


def quoted_spaces_at_once(lines: Sequence[bytes]) -> Columns | None:
    """Split as `by_quoted_spaces`."""
    text = _joined(lines, " " + _END + " ")
    if _QUOTED in text:
        return None
    bare, quoted = _apart(text)
    cells = _if_aligned(bare.split(" "), len(lines))
    if cells is None or "" in _last(cells, len(lines)):
        return None
    plain = is_plain(text, besides=len(lines) - 1 + 2 * len(quoted))
    return _columns(_put_back(quoted, _QUOTED, cells, len(lines)), len(lines), is_plain=plain)


def bracketed_spaces_at_once(lines: Sequence[bytes]) -> Columns | None:
    """Split as `by_bracketed_spaces`."""
    text = _joined(lines, " " + _END + " ")
    if _QUOTED in text or _GROUP in text:
        return None
    bare, quoted = _apart(text)
    before, *opened = bare.split("[")
    closed = [behind.split("]") for behind in opened]
    if any(len(parts) != 2 or _QUOTED in parts[0] for parts in closed):
        return None
    cells = _if_aligned(_GROUP.join([before, *(behind for _, behind in closed)]).split(" "), len(lines))
    if cells is None or "" in _last(cells, len(lines)):
        return None
    cells = _put_back([group for group, _ in closed], _GROUP, cells, len(lines))
    plain = is_plain(text, besides=len(lines) - 1 + 2 * len(quoted))
    return _columns(_put_back(quoted, _QUOTED, cells, len(lines)), len(lines), is_plain=plain)


def spaces_and_lists_at_once(lines: Sequence[bytes]) -> Columns | None:
    """Split as `by_spaces_and_lists`, where nothing in quotes is empty or has a space in it."""
    count = len(lines)
    text = _joined(lines, f" {_END} ")
    parts = f" {text} ".split('"')
    quotes = len(parts) - 1
    if not text.isascii() or not is_plain(text, besides=count - 1 + quotes):
        return None  # there may be other white space than spaces, where the lines without quotes are split too
    bare = _with_lists_in_quotes(parts)
    if bare is None:
        return None
    cells = _if_aligned(bare.split(" "), count)
    if cells is None or not all(cells):
        return None
    found = _columns(cells, count, is_plain=True)
    quotes -= len(text) - len(bare)
    if found is None or not quotes:
        return found
    listed = bare[: bare.index('"')].count(" ") % (len(found.columns) + 1)
    has_all = "".join(found.columns[listed]).count('"') == quotes
    return Columns(found.columns, (listed,) if has_all else None)


def _with_lists_in_quotes(parts: list[str]) -> str | None:
    """The text that has these parts between quotes, and a space before it and behind, without either, but in lists.

    None if other things than words between spaces are in quotes, or if one is empty, or not closed.
    """
    between, words = parts[::2], parts[1::2]
    if not all(parts) or " " in "".join(words):  # there is one in what is not closed, too: behind the text
        return None
    if any(some != "," and not some[0] == " " == some[-1] for some in between):
        return None
    if "," in between:
        around = zip(between[:-1], words, between[1:], strict=True)
        words = [f'"{word}"' if "," in (before, behind) else word for before, word, behind in around]
        parts = [*parts]
        parts[1::2] = words
    return "".join(parts)[1:-1]


def _joined(lines: Sequence[bytes], between: str) -> str:
    """The lines' text; none, which is a single column, if it is too much."""
    ends = between.encode()
    text = lines.text.replace(b"\n", ends) if lines.__class__ is Lines else ends.join(lines)
    return text.decode() if len(text) <= _AT_MOST else ""


def _apart(text: str) -> tuple[str, list[str]]:
    """A text with a mark in the place of whatever stands in quotes; and all of that, which is one more if one is open.

    One that is open has no mark, so that it cannot be put back.
    """
    parts = text.split('"')
    return _QUOTED.join(parts[::2]), parts[1::2]


def _if_aligned(cells: list[str], count: int, end: str = _END) -> _Cells | None:
    """The cells of so many lines, with an end behind the last one too; None if they have not all the same number.

    The end is none of their own cells.
    """
    cells.append(end)
    width = cells.index(end) + 1
    aligned = len(cells) == width * count and cells[width - 1 :: width].count(end) == count
    return cells if aligned else None


def _last(cells: _Cells, count: int) -> list[str]:
    """The last column of the lines."""
    width = len(cells) // count
    return cells[width - 2 :: width]


def _put_back(texts: list[str], mark: str, cells: _Cells | None, count: int) -> _Cells | None:
    """The cells with these texts in their places; None if not each text has a cell with its mark alone."""
    if cells is None:
        return None
    width = len(cells) // count
    marked = [at for at in range(width) if cells[at] == mark]
    if len(texts) == len(marked) * count and all(cells[at::width].count(mark) == count for at in marked):
        for number, at in enumerate(marked):
            cells[at::width] = texts[number :: len(marked)]
        return cells
    if len(texts) != cells.count(mark):
        return None
    each = iter(texts)
    return [next(each) if cell == mark else cell for cell in cells]


def _put_back_doubled(texts: list[str], cells: _Cells, count: int) -> _Cells | None:
    """The same, where a cell may have several marks: between two of them stands a quote, which was doubled."""
    if filled := _put_back(texts, _QUOTED, cells, count):
        return filled
    each = iter(texts)
    filled = []
    for cell in cells:
        if cell == _QUOTED:
            filled.append(next(each, ""))
        elif _QUOTED not in cell:
            filled.append(cell)
        else:
            marks = cell.count(_QUOTED)
            if cell != _QUOTED * marks:
                return None
            filled.append('"'.join(islice(each, marks)))
    return filled if next(each, None) is None else None


def _columns(cells: _Cells | None, count: int, *, is_plain: bool = False) -> Columns | None:
    """The cells by columns, without the lines' ends; None for a single column, for such lines may be blank."""
    if cells is None or _is_single(cells, count):
        return None
    width = len(cells) // count
    return Columns([cells[at::width] for at in range(width - 1)], () if is_plain else None)


def _is_single(cells: _Cells, count: int) -> bool:
    """Whether that is a single column, or none."""
    return len(cells) // count < 3
