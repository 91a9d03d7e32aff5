"""What an object holds, told from its first bytes: its type, and the library that is needed to read it."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.util import find_spec

from awsflow.cli.checkup.results import Result
from awsflow.decode.compression import members
from awsflow.errors import DecodeError, DecompressError, LibraryMissing
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.recognise import HEAD, by_content
from awsflow.logtypes.types import LogType

FETCHED = 64 << 10
"""Bytes of an object that are fetched: enough for the first 4 KiB of its content."""
_PARQUET = b"PAR1"


def library_for_parquet() -> Result:
    """Whether Parquet can be read here."""
    if find_spec("pyarrow") is not None:
        return Result("libraries", "ok", "pyarrow, for Parquet")
    return Result(
        "libraries",
        "failed",
        "there is Parquet to be read, and pyarrow is missing; pip install 'awsflow[parquet]'",
        exit_code=LibraryMissing.exit_code,
    )


def tell_content(stored: bytes, key: str, types: Sequence[LogType]) -> Iterator[Result]:
    """What an object's first bytes tell of it; `types` are those that it may be of."""
    try:
        head = head_in(stored, key)
    except LibraryMissing as error:
        yield Result("libraries", "failed", str(error), exit_code=error.exit_code)
        return
    except DecompressError as error:
        yield Result("content", "look", f"{key}: {error}; if others can be read, it is this object alone")
        return
    if head.startswith(_PARQUET):
        yield library_for_parquet()
        return
    like = type_of(head)
    if like is None or like in types:
        if like is not None:
            yield Result("content", "ok", f"looks like {like.name}")
        return
    wanted = ", ".join(each.name for each in types)
    yield Result(
        "content", "look", f"{key} looks like {like.name}, not like {wanted}; give the type {like.name}, or auto"
    )


def type_of(head: bytes) -> LogType | None:
    """The type that content is of which begins so; None if that cannot be told."""
    try:
        return by_content(iter([head]), LOG_TYPES.values())[0]
    except DecodeError:
        return None


def head_in(stored: bytes, key: str) -> bytes:
    """The first bytes of the content of an object that begins so, as it is stored."""
    head = b""
    with closing(members(iter([stored]), key)) as files:  # type: ignore[type-var] # it is a generator
        try:
            for piece in next(files):
                head += piece[: HEAD - len(head)]
                if len(head) == HEAD:
                    break
        except DecompressError:
            if not head:  # else it is that no more of it was fetched
                raise
    return head
