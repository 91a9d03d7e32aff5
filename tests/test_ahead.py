"""Fetching ahead: in order, within a budget, errors in their place, nothing left behind."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import ServiceError
from awsflow.items import Found, Origin
from awsflow.sources import ahead
from awsflow.sources.ahead import fetched


def wanted(contents: list[bytes]) -> Iterator[Found]:
    return (Found(Origin(key=str(number)), size=len(content)) for number, content in enumerate(contents))


def opener(contents: list[bytes]) -> Callable[[Found], io.BytesIO]:
    return lambda found: io.BytesIO(contents[int(found.origin.key)])


def threads() -> int:
    return sum(thread.name == "awsflow-fetch" for thread in threading.enumerate())


def settled(count: Callable[[], int], expected: int) -> bool:
    """Whether a number becomes what is expected, or less, before long: threads of another test may end, too."""
    for _ in range(500):
        if count() <= expected:
            return True
        time.sleep(0.01)  # threads end on their own time
    return False


@settings(deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=30), st.integers(1, 8), st.integers(1, 5000))
def test_all_objects_come_whole_and_in_order(contents: list[bytes], requests: int, budget: int) -> None:
    seen = [
        (int(item[0].origin.key), b"".join(item[1]))
        for item in fetched(wanted(contents), opener(contents), requests=requests, budget=budget)
        if item is not None
    ]
    assert seen == list(enumerate(contents))


class Early:
    """Asks for some objects: those that are here when they are wanted, and those that are late."""

    def __init__(self, contents: list[bytes], ways: list[str]) -> None:
        self.contents, self.ways = contents, ways
        self.left: set[int] = set()
        """Those that were neither opened nor closed."""
        self.most_left = 0

    def ask(self, found: Found) -> "Asked | None":
        number = int(found.origin.key)
        if self.ways[number] == "not":
            return None
        self.left.add(number)
        self.most_left = max(self.most_left, len(self.left))
        return Asked(self, number)


class Asked:
    def __init__(self, early: Early, number: int) -> None:
        self.early, self.number = early, number

    def is_here(self, seconds: float) -> bool:
        return self.early.ways[self.number] == "in time"

    def open(self) -> io.BytesIO:
        is_main = threading.current_thread() is threading.main_thread()
        assert is_main == self.is_here(0)
        self.early.left.discard(self.number)
        return io.BytesIO(self.early.contents[self.number])

    def close(self) -> None:
        self.early.left.discard(self.number)


ways = st.sampled_from(["not", "in time", "late"])


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=2000), ways), max_size=30), st.integers(1, 8), st.integers(1, 5000))
def test_objects_that_are_asked_for_before_come_whole_and_in_order_like_the_others(
    objects: list[tuple[bytes, str]], requests: int, budget: int
) -> None:
    contents = [content for content, _ in objects]
    early = Early(contents, [way for _, way in objects])
    reading = fetched(wanted(contents), opener(contents), ask=early.ask, requests=requests, budget=budget)
    seen = [(int(item[0].origin.key), b"".join(item[1])) for item in reading if item is not None]
    assert seen == list(enumerate(contents))
    assert not early.left
    assert early.most_left <= requests


def test_what_is_late_is_closed_too_when_nobody_wants_it_before_a_thread_has_come_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = threading.Event()
    run = ahead._Fetch.run

    def run_later(fetch: ahead._Fetch) -> None:
        free.wait(10)
        run(fetch)

    monkeypatch.setattr(ahead._Fetch, "run", run_later)
    early = Early([b"x"], ["late"])
    objects = fetched(wanted([b"x"]), opener([b"x"]), ask=early.ask)
    next(objects)
    objects.close()
    assert early.left
    free.set()
    assert settled(lambda: len(early.left), 0)


def test_what_was_asked_for_is_closed_when_nobody_wants_more() -> None:
    contents = [b"x"] * 20
    early = Early(contents, ["in time"] * 20)
    reading = fetched(wanted(contents), opener(contents), ask=early.ask, requests=8)
    next(reading)
    assert early.left
    reading.close()
    assert not early.left


class Measured:
    """Bodies of a given size, out of nothing, that count how much of them was handed out."""

    def __init__(self) -> None:
        self.given = 0
        self.open = 0
        self.most_open = 0
        self.lock = threading.Lock()

    def opened(self, found: Found) -> "Body":
        return Body(self, found.size)


class Body:
    def __init__(self, measured: Measured, size: int) -> None:
        self.measured, self.left = measured, size

    def read(self, size: int) -> bytes:
        size = min(size, self.left)
        self.left -= size
        with self.measured.lock:
            self.measured.given += size
        return bytes(size)

    def __enter__(self) -> Self:
        with self.measured.lock:
            self.measured.open += 1
            self.measured.most_open = max(self.measured.most_open, self.measured.open)
        return self

    def __exit__(self, *exception: object) -> None:
        with self.measured.lock:
            self.measured.open -= 1


def test_no_more_is_held_than_the_budget_and_no_more_than_a_buffer_of_one_object() -> None:
    measured = Measured()
    size = 10 * ahead.BUFFER
    found = (Found(Origin(key=str(number)), size=size) for number in range(8))
    budget = 3 * ahead.BUFFER
    taken = 0
    for item in fetched(found, measured.opened, requests=8, budget=budget):
        assert item is not None
        for chunk in item[1]:
            taken += len(chunk)
            with measured.lock:
                held = measured.given - taken
            # one more object is opened when the budget is not used up, and a thread reads a piece before it waits
            assert held <= budget + ahead.BUFFER + 4 * ahead.PIECE
    assert taken == 8 * size
    assert measured.most_open <= 4


def test_no_more_objects_are_open_than_requests() -> None:
    measured = Measured()
    found = (Found(Origin(key=str(number)), size=1000) for number in range(50))
    for item in fetched(found, measured.opened, requests=3):
        assert item is not None
        list(item[1])
    assert 1 <= measured.most_open <= 4


def test_an_error_is_raised_where_the_object_is_consumed_and_the_others_are_whole() -> None:
    contents = [b"first", b"second", b"third"]

    def open_object(found: Found) -> io.BytesIO:
        if found.origin.key == "1":
            raise ServiceError("gone")
        return opener(contents)(found)

    seen = []
    for item in fetched(wanted(contents), open_object):
        assert item is not None
        try:
            seen.append(b"".join(item[1]))
        except ServiceError as error:
            seen.append(str(error).encode())
    assert seen == [b"first", b"gone", b"third"]


def test_an_error_of_the_listing_comes_behind_what_was_found_before_it() -> None:
    contents = [b"first", b"second"]

    def listing() -> Iterator[Found]:
        yield from wanted(contents)
        raise ServiceError("the second page was refused")

    seen = []
    with pytest.raises(ServiceError, match="second page"):  # noqa: PT012 - it is raised where the loop goes on
        for item in fetched(listing(), opener(contents)):
            assert item is not None
            seen.append(b"".join(item[1]))
    assert seen == contents


def test_while_a_body_brings_nothing_empty_chunks_say_that_time_passes() -> None:
    more = threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            more.wait(10)
            return super().read(size)

    objects = fetched(wanted([b"late"]), lambda found: Slow(b"late"), patience=0.01)
    item = next(objects)
    assert item is not None
    assert next(item[1]) == b""
    more.set()
    assert b"".join(item[1]) == b"late"


def test_what_comes_before_an_error_of_reading_is_handed_over_first() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if piece := super().read(5):
                return piece
            raise ServiceError("broken off")

    contents = [b"as far as it goes", b"likewise"]
    seen: list[bytes] = []
    for item in fetched(wanted(contents), lambda found: Broken(contents[int(found.origin.key)])):
        assert item is not None
        with pytest.raises(ServiceError, match="broken off"):  # noqa: PT012 - it is raised where the loop goes on
            while True:
                seen.append(next(item[1]))
    assert b"".join(seen) == b"".join(contents)


def test_a_thread_whose_object_is_given_up_while_its_buffer_is_full_goes_on_to_the_next() -> None:
    measured = Measured()
    found = (Found(Origin(key=str(number)), size=10 * ahead.BUFFER) for number in range(3))
    came: list[bytes] = []
    for item in fetched(found, measured.opened, requests=1, patience=0.01):
        assert item is not None
        assert settled(lambda: len(came) + 1 - measured.given // ahead.BUFFER, 0)  # now it waits, or is about to
        came.append(next(item[1]))
    assert [len(chunk) for chunk in came] == [ahead.PIECE] * 3
    assert measured.given < 2 * 3 * ahead.BUFFER


def test_time_that_passes_in_the_listing_passes_on() -> None:
    assert list(fetched(iter([None, None]), opener([]))) == [None, None]


def test_closing_early_ends_every_thread() -> None:
    measured = Measured()
    found = (Found(Origin(key=str(number)), size=10 * ahead.BUFFER) for number in range(8))
    before = threads()
    objects = fetched(found, measured.opened, requests=4)
    item = next(objects)
    assert item is not None
    next(item[1])
    assert threads() > before
    objects.close()
    assert settled(threads, before)
    assert settled(lambda: measured.open, 0)


def test_more_are_fetched_at_a_time_the_longer_each_takes_to_come() -> None:
    contents = [b"x"] * 200
    most: dict[float, int] = {}
    for seconds in (0.0, 0.05):
        measured = Slow(contents, seconds)
        came = [
            found for item in fetched(wanted(contents), measured.opened) if item for found in [item[0]] if [*item[1]]
        ]
        assert len(came) == len(contents)
        most[seconds] = measured.most
    assert most[0.05] > ahead.FIRST
    assert most[0.05] <= 64


class Slow:
    """Objects that take a while to open; `most` of them have been on their way at the same time."""

    def __init__(self, contents: list[bytes], seconds: float) -> None:
        self._contents = contents
        self._seconds = seconds
        self._opening = 0
        self._lock = threading.Lock()
        self.most = 0

    def opened(self, found: Found) -> io.BytesIO:
        with self._lock:
            self._opening += 1
            self.most = max(self.most, self._opening)
        time.sleep(self._seconds)
        with self._lock:
            self._opening -= 1
        return io.BytesIO(self._contents[int(found.origin.key)])
