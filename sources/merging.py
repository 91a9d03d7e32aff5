"""Merging: several threads work on tasks, and what they make is handed over as it comes, within a limit."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def merged(
    tasks: Iterator[Task],
    work: Callable[[Task], Generator[Result, None, None]],
    *,
    threads: int = 4,
    waiting: int = 2,
    patience: float = 0.5,
) -> Generator[Result | None, None, None]:
    """What `work` makes of each task, as it comes; None when `patience` seconds have brought nothing.

    The results of one task come in their order. Each thread makes one result at a time, and waits with it while
    `waiting` others have not been taken: so there are at most `threads + waiting + 1` of them, with the one that the
    consumer has. The next task is asked for by the thread that is free, one at a time. The first exception, of a task
    or of the tasks themselves, ends everything: it is raised behind the results that were waiting. Closing the
    generator ends the threads, each as soon as it has the result that it works on; they don't keep the process alive.
    """
    merging = _Merging(tasks, work, waiting, threads)
    for _ in range(threads):
        threading.Thread(target=merging.run, name="awsflow-merge", daemon=True).start()
    try:
        yield from merging.results(patience)
    finally:
        merging.give_up()


class _Merging(Generic[Task, Result]):
    """What the threads and the consumer share."""

    def __init__(
        self, tasks: Iterator[Task], work: Callable[[Task], Generator[Result, None, None]], limit: int, threads: int
    ) -> None:
        self._tasks = tasks
        self._work = work
        self._limit = limit
        self._running = threads
        self._given_up = False
        self._error: Exception | None = None
        self._results: deque[Result] = deque()
        self._taking = threading.Lock()
        self._changed = threading.Condition()

    def run(self) -> None:
        """A thread's life."""
        try:
            while True:
                with self._taking:
                    if self._given_up:
                        break
                    task = next(self._tasks)
                with closing(self._work(task)) as results:
                    for result in results:
                        if not self._put(result):
                            break
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - raised again where the results are taken
            with self._changed:
                self._error = self._error or error
                self._given_up = True
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def _put(self, result: Result) -> bool:
        """Hand a result over, once there is room; False when nobody wants it."""
        with self._changed:
            while len(self._results) >= self._limit and not self._given_up:
                self._changed.wait()
            if not self._given_up:
                self._results.append(result)
                self._changed.notify_all()
            return not self._given_up

    def results(self, patience: float) -> Generator[Result | None, None, None]:
        """What was handed over, until there is no more."""
        while True:
            with self._changed:
                if not self._results and not self._ended():
                    self._changed.wait(patience)
                if not self._results and self._ended():
                    break
                result = self._results.popleft() if self._results else None
                self._changed.notify_all()
            yield result
        if self._error is not None:
            raise self._error

    def _ended(self) -> bool:
        return self._error is not None or not self._running

    def give_up(self) -> None:
        """Nobody wants the rest."""
        with self._changed:
            self._given_up = True
            self._results.clear()
            self._changed.notify_all()
