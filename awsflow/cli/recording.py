"""Recording: a run tells the history of itself, now and then and at its end, and writes the metrics."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from awsflow.cli.ending import Stop
from awsflow.errors import AlreadyRunning, ArgumentsError, AwsflowError, QueueDown, ReaderGone, StateError
from awsflow.flow import Source, Stats

EVERY = 60.0
"""Seconds between two times that a run tells of itself."""
OFTEN = 5.0
"""Likewise, where somebody may ask for its metrics at any time."""
_FUTURE = 3600.0
"""Seconds by which clocks may differ: a time that lies further in the future is not believed."""


@runtime_checkable
class Awaited(Protocol):
    """A source that knows how much waits."""

    def backlog(self) -> int | None:
        """How many objects or messages wait; None: nobody knows."""
        ...


class Recording:
    """What is recorded of one run of a source. Trouble with it is told to `warn`, once; the run goes on.

    `state` is where the history lies; None: nothing is recorded. `metrics` is a file that is written anew each time.
    """

    def __init__(
        self,
        source: str,
        state: Path | None,
        *,
        metrics: Path | None = None,
        warn: Callable[[str], None],
        every: float = EVERY,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stats = Stats()
        self._name = source
        self._state = state
        self._metrics = metrics
        self._warn = warn
        self._every = every
        self._now = now
        self._clock = clock
        self._began = now().timestamp()
        self._started = clock()
        self._due = self._started + every
        self._before = Stats()
        self._source: Source | None = None
        self._is_broken = False

    def watch(self, stats: Stats, source: Source) -> None:
        """Tell of this source, whose stats these are."""
        self.stats = stats
        self._source = source

    def stopping(self, stop: Callable[[], bool]) -> Callable[[], bool]:
        """The question whether to stop, which a flow asks at every barrier: an occasion to tell, if it is time."""

        def asked() -> bool:
            if self._clock() >= self._due:
                self._due = self._clock() + self._every
                self.tell()
            return stop()

        return asked

    def tell(self, exit_code: int | None = None, error: str = "") -> None:
        """Tell how far the run is or, with its exit code, how it has ended.

        An error that comes before there is any state makes none: nothing was begun.
        """
        if self._state is None or self._is_broken or (error and not self._state.exists()):
            return
        try:
            self._tell(self._state, exit_code, error)
        except AwsflowError as failed:
            self._is_broken = True
            self._warn(f"{failed}; what became of {self._name} is missing in `awsflow status` and in the metrics")

    def _tell(self, state: Path, exit_code: int | None, error: str) -> None:
        from awsflow.state.history import History, Told  # noqa: PLC0415 - a usage line needs none

        stats = replace(self.stats, seconds=self.stats.seconds or self._clock() - self._started)
        newest_event, newest_object = self._time(stats.newest), self._time(stats.newest_object)
        is_newer = (stats.newest, stats.newest_object) != (self._before.newest, self._before.newest_object)
        newest = newest_event or newest_object
        told = Told(
            self._name,
            self._began,
            stats,
            self._before,
            exit_code,
            " ".join(error.split()),
            newest_event,
            newest_object,
            lag=max(self._now().timestamp() - newest, 0.0) if newest and is_newer else None,
            backlog=self._source.backlog() if isinstance(self._source, Awaited) else None,
        )
        with History(state, self._warn, self._now) as history:
            history.add(told)
        self._before = stats
        if self._metrics is not None:
            from awsflow.cli.metrics import write_metrics  # noqa: PLC0415 - it is only now that it is asked for

            write_metrics(state, self._metrics)

    def _time(self, text: str) -> float | None:
        """A time of the past, in seconds since 1970; None if it is none."""
        with suppress(ValueError):
            when = datetime.fromisoformat(text)
            told = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
            return told if told < self._now().timestamp() + _FUTURE else None
        return None


@contextmanager
def recorded(recording: Recording, stop: Callable[[], bool]) -> Iterator[None]:
    """A run whose end is recorded, whatever it is.

    Of one that left because another does the same, or whose arguments are wrong, nothing is.
    """
    try:
        yield
    except (AlreadyRunning, ArgumentsError):  # what was mistyped is no run, and no news of the source
        raise
    except QueueDown as error:
        recording.tell(*((_code(stop),) if stop() else (error.exit_code, str(error))))
        raise
    except ReaderGone as error:
        recording.tell(error.exit_code)
        raise
    except StateError:  # there is nothing that it could be written to
        raise
    except AwsflowError as error:
        recording.tell(error.exit_code, str(error))
        raise
    except KeyboardInterrupt:
        recording.tell(2)
        raise
    except Exception as error:
        recording.tell(1, f"unknown error: {type(error).__name__}: {error}")
        raise
    recording.tell(_code(stop))


def _code(stop: Callable[[], bool]) -> int:
    """The exit code of a run without an error."""
    return stop.exit_code if isinstance(stop, Stop) else 0
