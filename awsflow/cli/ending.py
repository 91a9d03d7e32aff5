"""How a command ends: exit codes, signals, and what is told of an error."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from awsflow.errors import AlreadyRunning, AwsflowError, ReaderGone

GRACE = 9.0
"""Seconds after a signal within which a run flushes, commits and ends; what it has not done by then stays undone."""


class Stop:
    """Whether somebody asked this process to stop: says so when called."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def __call__(self) -> bool:
        return self._signal is not None

    @property
    def exit_code(self) -> int:
        """0, or what the signal means: 2 for SIGINT, as Wazuh knows it, 128 + its number for others."""
        if self._signal is None:
            return 0
        return 2 if self._signal == signal.SIGINT else 128 + self._signal

    def receive(self, number: int, frame: FrameType | None) -> None:
        """The first signal asks to stop and starts the clock; a second one ends the process at once."""
        if number == signal.SIGALRM or self._signal is not None:
            if self._signal is None:
                self._signal = number
            os._exit(self.exit_code)
        self._signal = number
        signal.setitimer(signal.ITIMER_REAL, GRACE)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Signals ask the run inside to stop, rather than break it off."""
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, stop.receive) for number in numbers}
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def ended(run: Callable[[], int], tell: Callable[[str], None], warn: Callable[[str], None]) -> int:
    """The exit code of a command. An error of ours is told in one line; anything else is told as what it is."""
    try:
        return run()
    except ReaderGone as error:
        return error.exit_code
    except AlreadyRunning as error:
        warn(str(error))
        return error.exit_code
    except AwsflowError as error:
        tell(" ".join(str(error).split()))
        return error.exit_code
    except KeyboardInterrupt:
        return 2
    except Exception as error:  # noqa: BLE001 - the last resort: a stranger's server gets a line, not a traceback
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
        tell(f"unknown error: {type(error).__name__} at {place}: {' '.join(str(error).split())}; please report it")
        return 1
