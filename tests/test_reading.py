"""The reader of objects: it goes on behind what is done, and never takes back that it is."""

import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from more_itertools import sliced

from awsflow.decode.lines import BLOCK
from awsflow.envelope import wazuh_json
from awsflow.errors import DecodeError, DecompressError, ObjectReplaced, ServiceError, Throttled
from awsflow.flow import Batch
from awsflow.items import Barrier, Failure, Found, Item, Records
from awsflow.logtypes import log_types_named
from awsflow.sources.reading import FEW, PATIENCE, Reader, origin_of

TYPES = log_types_named("cloudtrail")
EVENTS = 700
DOCUMENT = json.dumps({"Records": [{"eventID": number, "filling": "x" * 90} for number in range(1, EVENTS + 1)]})
OBJECT = gzip.compress(DOCUMENT.encode(), 1)


@settings(deadline=None, max_examples=40)
@given(done=st.integers(0, EVENTS), cut=st.integers(20, len(OBJECT)), piece=st.sampled_from([100, 1000, 100_000]))
def test_of_an_object_that_was_begun_no_position_lies_before_what_was_done(done: int, cut: int, piece: int) -> None:
    """It ends after `cut` bytes: nothing of it, what was done and more, or all of it may be read."""
    found = Found(origin_of("trail", "a.json.gz", "", TYPES[0]), len(OBJECT), done=done, log_type="cloudtrail")
    reached = done
    for item in Reader(TYPES, skip_on_error=True).read(found, iter(sliced(OBJECT[:cut], piece))):
        if isinstance(item, Records):
            assert list(item.numbers) == list(range(reached + 1, reached + 1 + len(item.numbers)))
            reached = item.numbers[-1]
        elif isinstance(item, Barrier) and item.position is not None:
            assert item.position.records == reached


FLOWS = log_types_named("vpcflow")


def log(flows: Iterable[str]) -> bytes:
    """A log of these flows."""
    return "".join(f"{line}\n" for line in ["version account-id interface-id end", *flows]).encode()


def numbered(flows: int, width: int = 1) -> bytes:
    """A log of so many flows, with names of so many bytes."""
    return log(f"2 1 {number:0{width}} 1793500000" for number in range(1, flows + 1))


def found(name: str = "a.log", done: int = 0) -> Found:
    return Found(origin_of("flows", name, "", FLOWS[0]), 0, done=done, log_type="vpcflow")


@settings(deadline=None, max_examples=60)
@given(
    lines=st.integers(1, 1500),
    bad=st.sets(st.integers(1, 1500), max_size=3),
    done=st.integers(0, 1000),
    cut=st.floats(0.3, 1.1),
    piece=st.sampled_from([300, 100_000]),
    skip=st.booleans(),
)
def test_every_row_that_comes_has_a_barrier_behind_it_however_the_object_ends(
    *, lines: int, bad: set[int], done: int, cut: float, piece: int, skip: bool
) -> None:
    """Its end may be one, or damage in it, or a line that is none; and barriers tell of what lies between them."""
    done = min(done, lines)
    flows = ["2 1" if number in bad else f"2 1 eni-{number} {1_793_500_000 + number}" for number in range(1, lines + 1)]
    content = gzip.compress(log(flows).removesuffix(b"\n"), 1)
    content = content[: int(len(content) * cut)]
    reached, since, newest = done, 0, ""
    with suppress(DecodeError, DecompressError):
        for item in Reader(FLOWS, skip_on_error=skip).read(found("a.log.gz", done), iter(sliced(content, piece))):
            if isinstance(item, Records):
                assert list(item.numbers) == list(range(reached + 1, reached + 1 + len(item.numbers)))
                since += len(item.numbers)
                newest = max(newest, *(event["end"] for event in item.events if isinstance(event, dict)))
                assert since < FEW + BLOCK
                reached = item.numbers[-1]
            elif isinstance(item, Failure) and item.content is not None:
                assert item.number == reached + 1
                since += 1
                reached += 1
            elif isinstance(item, Barrier):
                assert (item.position.records, item.read, item.newest) == (reached, since, newest)
                since, newest = 0, ""
    assert since == 0
    if cut >= 1 and (skip or not {number for number in bad if number > done}):
        assert reached == lines


@pytest.mark.parametrize(
    ("done", "reads"), [(0, [3 * BLOCK - 1, BLOCK, 0, 0, 2]), (249, [0, 0, 2 * BLOCK, 0, 0, 0, 2])]
)
def test_rows_share_a_barrier_until_they_are_not_few_and_time_passes_meanwhile(done: int, reads: list[int]) -> None:
    """A chunk that fills no block is a barrier at once, and so is a block that is done."""
    chunks = [numbered(4 * BLOCK), b"2 1", b" eni", b"-0 1793500000\n"]
    items = list(Reader(FLOWS, skip_on_error=False).read(found(done=done), iter(chunks)))
    assert [item.read for item in items if isinstance(item, Barrier)] == reads


def breaking_off(chunks: list[bytes], error: Exception) -> Iterator[bytes]:
    """The chunks, and then the error."""
    yield from chunks
    raise error


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("error", [Throttled("now"), ServiceError("no"), ObjectReplaced("anew"), RuntimeError("so")])
def test_the_rows_before_any_error_have_their_barrier_before_it(error: Exception, *, skip: bool) -> None:
    """Whoever's error it is: what came is delivered, for the next run may end at the same place."""
    items: list[Item] = []
    ends = nullcontext() if skip and isinstance(error, ServiceError) else pytest.raises(type(error))
    with ends:
        items.extend(Reader(FLOWS, skip_on_error=skip).read(found(), breaking_off([numbered(2 * BLOCK - 10)], error)))
    kinds = [type(item) for item in items]
    assert kinds[:3] == [Records, Records, Barrier]
    assert isinstance(items[2], Barrier)
    assert (items[2].position.records, items[2].read) == (2 * BLOCK - 10, 2 * BLOCK - 10)


def test_rows_have_a_barrier_after_a_while_however_few_they_are() -> None:
    """Whoever makes something of them may be slow, and must be asked in time whether to stop."""
    items = Reader(FLOWS, skip_on_error=False).read(found(), iter([numbered(2 * BLOCK)]))
    assert isinstance(next(items), Records)
    time.sleep(PATIENCE + 0.1)
    assert isinstance(next(items), Barrier)


@pytest.mark.parametrize("width", [1_000, 5_000, 20_000, 60_000])
@pytest.mark.parametrize("compress", [bytes, partial(gzip.compress, compresslevel=1)])
def test_long_rows_have_a_barrier_before_they_are_more_than_a_batch(
    compress: Callable[[bytes], bytes], width: int
) -> None:
    """However large rows are, what a kill may repeat of them is no more than of others."""
    content = compress(numbered((8 << 20) // width, width))
    size = 0
    sizes = []
    for item in wazuh_json(Reader(FLOWS, skip_on_error=False).read(found(), iter(sliced(content, 1 << 16)))):
        if isinstance(item, Records):
            size += item.size
        elif isinstance(item, Barrier):
            sizes.append(size)
            size = 0
    assert sum(sizes) > 7 << 20
    assert max(sizes) < Batch().size
