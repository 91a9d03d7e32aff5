"""A rate of requests: kept whatever the threads, with a fifth of a second's worth at once after a rest."""

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import ArgumentsError
from awsflow.sources.rate import Rate


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@settings(deadline=None)
@given(st.sampled_from([0.5, 1, 10, 25, 400]), st.lists(st.floats(0, 3), max_size=60))
def test_in_no_stretch_of_time_are_there_more_requests_than_the_rate_and_a_fifth_of_it_allow(
    per_second: float, rests: list[float]
) -> None:
    clock = Clock()
    rate = Rate(per_second, clock=clock, sleep=clock.sleep)
    times = []
    for rest in rests:
        clock.sleep(rest)
        for _ in range(3):
            rate.wait()
            times.append(clock.now)
    for first in range(len(times)):
        for last in range(first, len(times)):
            allowed = per_second * (times[last] - times[first]) + max(per_second / 5, 1)
            assert last - first + 1 <= allowed + 1e-6


def test_a_hundred_requests_at_25_a_second_take_four_seconds_less_what_was_saved() -> None:
    clock = Clock()
    rate = Rate(25, clock=clock, sleep=clock.sleep)
    for _ in range(100):
        rate.wait()
    assert clock.now - 100 == pytest.approx((100 - 5) / 25)


def test_threads_share_it() -> None:
    rate = Rate(100)
    since = time.monotonic()

    def ask() -> None:
        for _ in range(10):
            rate.wait()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - since >= (40 - 100 / 5) / 100


@pytest.mark.parametrize("per_second", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused(per_second: float) -> None:
    with pytest.raises(ArgumentsError, match="give a number above 0"):
        Rate(per_second)
