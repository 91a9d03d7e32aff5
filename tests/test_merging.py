"""Several threads work on tasks: in order within a task, within the limit, without ever hanging."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.sources.merging import merged


def repeated(task: tuple[str, int]) -> Generator[tuple[str, int], None, None]:
    name, times = task
    for number in range(times):
        yield name, number


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 5), max_size=12), st.integers(1, 5), st.integers(1, 3))
def test_everything_comes_and_what_belongs_to_one_task_in_its_order(
    sizes: list[int], threads: int, waiting: int
) -> None:
    tasks = [(str(number), size) for number, size in enumerate(sizes)]
    by_task: dict[str, list[int]] = {}
    for result in merged(iter(tasks), repeated, threads=threads, waiting=waiting):
        if result is not None:
            by_task.setdefault(result[0], []).append(result[1])
    assert by_task == {name: list(range(size)) for name, size in tasks if size}


def test_no_more_results_are_there_at_a_time_than_the_limit_says() -> None:
    made = taken = most = 0
    lock = threading.Lock()

    def make(task: int) -> Generator[int, None, None]:
        nonlocal made, most
        for _ in range(20):
            with lock:
                made += 1
                most = max(most, made - taken)
            yield task

    for result in merged(iter(range(20)), make, threads=4, waiting=2):
        time.sleep(0.0005)  # a consumer that is slower than the threads
        with lock:
            taken += result is not None
    assert made == taken == 400
    assert 4 <= most <= 4 + 2 + 1


def test_a_pause_without_news_is_told() -> None:
    news = threading.Event()

    def late(task: int) -> Generator[int, None, None]:
        news.wait(10)
        yield task

    with closing(merged(iter([1]), late, patience=0.01)) as results:
        assert [next(results) for _ in range(3)] == [None] * 3
        news.set()
        assert [result for result in results if result is not None] == [1]


def test_an_error_of_a_task_is_raised_behind_what_came_before_it() -> None:
    def breaks(task: int) -> Generator[int, None, None]:
        yield task
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):  # noqa: PT012 - what came before the error is what this is about
        for result in merged(iter([1]), breaks, threads=1):
            seen.append(result)  # noqa: PERF402 - a copy would not keep what came before the error
    assert [result for result in seen if result is not None] == [1]


def test_an_error_of_the_tasks_is_raised_and_no_other_thread_is_waited_for() -> None:
    forever = threading.Event()

    def tasks() -> Iterator[int]:
        yield 1
        raise ValueError("no more tasks")

    def hangs(task: int) -> Generator[int, None, None]:
        forever.wait(30)
        yield task

    since = time.monotonic()
    with pytest.raises(ValueError, match="no more tasks"):
        for _ in merged(tasks(), hangs, threads=2, patience=0.05):
            pass
    assert time.monotonic() - since < 5
    forever.set()


def test_closed_early_the_threads_end() -> None:
    before = threading.active_count()
    ended = threading.Event()

    def endless(task: int) -> Generator[int, None, None]:
        try:
            while True:
                yield task
        finally:
            ended.set()

    with closing(merged(iter([1]), endless, threads=3)) as results:
        next(results)
    assert ended.wait(5)
    until = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before  # a thread of another test may end meanwhile
