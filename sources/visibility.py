"""Keeping messages from coming back while they are worked on: their visibility timeout is extended, time and again."""

import threading
from collections.abc import Callable, Mapping, Sequence

from awsflow.errors import AwsflowError


class Keeper:
    """One thread that, every third of the visibility timeout, extends it for all messages that are held.

    `extend` is given receipt handles and returns those that could not be extended, with the reason. Such a message
    may be delivered twice, no more: each reason is told once, with `warn`, and so is an error of `extend`.
    """

    def __init__(
        self,
        extend: Callable[[Sequence[str]], Mapping[str, str]],
        visibility: float,
        warn: Callable[[str], None],
    ) -> None:
        """`visibility` is in seconds."""
        self._extend = extend
        self._visibility = visibility
        self._warn = warn
        self._held: dict[str, None] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._told: set[str] = set()
        self._thread: threading.Thread | None = None

    def hold(self, receipt: str) -> None:
        """Extend this message's from now on."""
        with self._changed:
            self._held[receipt] = None
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._keep, name="awsflow-visibility", daemon=True)
                self._thread.start()

    def let_go(self, receipt: str) -> None:
        """Leave a message to its timeout, or to whoever deletes it."""
        with self._changed:
            self._held.pop(receipt, None)

    def close(self) -> None:
        """Let go of all. A call that is under way is waited for, but not for long."""
        with self._changed:
            self._held = {}
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(1.0)

    def _keep(self) -> None:
        """The thread's life."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, self._visibility / 3):
                    return
                held = list(self._held)
            try:
                refused = self._extend(held) if held else {}
            except AwsflowError as error:
                self._tell(f"{error}; what takes longer than {self._visibility:g} seconds may be delivered twice")
                continue
            for receipt, reason in refused.items():
                with self._changed:
                    is_ours = receipt in self._held
                    self._held.pop(receipt, None)
                if is_ours:
                    self._tell(f"extending the visibility of a message: {reason}; it may be delivered twice")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)
