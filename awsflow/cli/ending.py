"""How a command ends: exit codes, signals, and what is told of an error."""

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from mmap import mmap

from awsflow.errors import AlreadyRunning, AwsflowError, QueueDown, ReaderGone

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a run to end; the last one comes when its terminal is closed."""
GRACE = 8.0
"""Seconds after a signal within which a run flushes, commits and ends; what it has not done by then stays undone."""


class Stop:
    """Whether somebody asked this process to stop: says so when called, in processes forked from this one, too."""

    def __init__(self, hung_up: Callable[[], None] | None = None) -> None:
        """`hung_up` is called for SIGHUP, in another thread, which else asks to stop like the others."""
        self._hung_up = hung_up
        self._signal = mmap(-1, 1)
        """Its number; 0 while none has come. Shared with processes that are forked."""

    def __call__(self) -> bool:
        """Say whether a signal has come."""
        return self._signal[0] != 0

    @property
    def exit_code(self) -> int:
        """0, or what the signal means: 2 for SIGINT, as Wazuh knows it, 128 + its number for others."""
        number = self._signal[0]
        if number == 0:
            return 0
        return 2 if number == signal.SIGINT else 128 + number

    def watch(self, signals: int) -> None:
        """Read the numbers of signals as they come, until the end of the file.

        The first one asks to stop and starts the clock; a second one, or the end of the grace, ends the process at
        once. Done in a thread, for the main thread may be where no handler of Python's is ever run: in the
        resolver, or waiting for SQLite.
        """
        until: float | None = None
        while True:
            left = None if until is None else max(until - time.monotonic(), 0)
            came, _, _ = select.select([signals], [], [], left)
            number = os.read(signals, 1) if came else b""
            if self._hung_up is not None and number == bytes([signal.SIGHUP]):
                self._hung_up()
            elif came and not number:
                return
            elif until is not None:
                os._exit(self.exit_code)
            else:
                self._signal[0] = number[0]
                until = time.monotonic() + GRACE


@contextmanager
def stop_on_signals(hung_up: Callable[[], None] | None = None) -> Iterator[Stop]:
    """Signals ask the run inside to stop, rather than break it off; but SIGHUP calls `hung_up`, if that is given.

    One that is ignored stays ignored: that is how `nohup` lets a run outlive its terminal, and a shell protects what
    runs in the background from a Ctrl-C that was meant for something else.

    A run that was asked to stop while Wazuh's queue takes nothing ends without complaint: what it could not send
    stays uncommitted, and the next run sends it.
    """
    stop = Stop(hung_up)
    received, sent = os.pipe()
    os.set_blocking(sent, False)
    thread = threading.Thread(target=stop.watch, args=(received,), name="awsflow-signals", daemon=True)
    thread.start()
    ignored = {number for number in ASKING if signal.getsignal(number) is signal.SIG_IGN}
    if hung_up is not None:
        ignored.discard(signal.SIGHUP)
    before = {number: signal.signal(number, _received) for number in ASKING if number not in ignored}
    wakes = signal.set_wakeup_fd(sent, warn_on_full_buffer=False)
    try:
        yield stop
    except QueueDown:
        if not stop():
            raise
    finally:
        signal.set_wakeup_fd(wakes)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(sent)
        thread.join()
        os.close(received)


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


def _received(number: int, frame: object) -> None:
    """Leave it to the thread that watches: Python's own handler has written the number into its pipe by now."""
