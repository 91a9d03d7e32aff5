"""How many events a receiver takes, by what its gauge says every few seconds: none of them shall find its queue full.

Between two samples many times more can be sent than a queue holds, so a rate alone does not protect it. What may be
sent until the next sample is what the queue has room for, up to half of it, and what the receiver drains meanwhile.
How fast it drains is not asked but seen: what we sent between two samples and what the queue has not grown by is
gone, and what others sent is left out by itself. A receiver that keeps up is given more with each sample, by as much
as half of its queue holds; one that drops events is given half as much.
"""

from awsflow.sinks.gauges import Gauge

ROOM = 0.5
"""The part of a queue that is filled at most: the rest is for others, and for a receiver that slows down."""
LEAST_ROOM = 0.05
"""The part that is still filled after many drops: these may well be of others' making."""
RECOVERS = 0.1
"""The part by which it grows again with each sample without drops."""
KEEPS_UP = 0.05
"""A queue that is filled no more than that shows that its receiver could take more."""
FADES = 0.75
"""What is left, a sample later, of a rate that was seen once and has not been needed since."""
LEAST_RATE = 10.0
"""Events per second that are sent to the fullest of queues, so that no run waits for ever."""


class Allowance:
    """Events that may be sent. Without a gauge there is no limit."""

    def __init__(self) -> None:
        self.share = 1
        """Of how many senders, who all see the same gauges, this is one."""
        self.drain = 0.0
        """Events of ours per second that the receiver has shown to take."""
        self._credit = 0.0
        """Events that may be sent at `_since`; below zero while a full queue is waited for."""
        self._since = 0.0
        self._taken = 0.0
        """When events were sent last."""
        self._room = ROOM
        self._sent = 0
        """Since the last gauge."""
        self.last: Gauge | None = None

    def free(self, now: float) -> float:
        """Events that may be sent by now."""
        if self.last is None:
            return float("inf")
        return max(self._credit + self.drain * (now - self._since), min((now - self._taken) * LEAST_RATE, 1.0))

    def take(self, number: int, now: float) -> None:
        """Events are sent."""
        self._sent += number
        self._credit -= number
        self._taken = now

    def tell(self, gauge: Gauge, now: float, *, age: float = 0.0, unseen: int = 0) -> int:
        """Learn from a gauge that was written `age` seconds ago; it has not seen the last `unseen` events.

        Returns how many events the receiver has dropped since the gauge before.
        """
        last, self.last = self.last, gauge
        dropped = 0
        keeps_up = gauge.held <= gauge.capacity * KEEPS_UP
        if last is not None and gauge.at > last.at and gauge.received >= last.received:  # not started anew since
            dropped = max(gauge.dropped - last.dropped, 0)
            gone = self._sent - unseen - (gauge.held - last.held + dropped) / self.share
            shown = max(gone / (gauge.at - last.at), 0.0)
            # A queue that has run empty shows less than its receiver could take.
            self.drain = max(shown, self.drain * FADES) if keeps_up else shown
        if dropped or gauge.held >= gauge.capacity:
            self._room = max(self._room / 2, LEAST_ROOM)
            self.drain /= 2
        else:
            self._room = min(self._room + RECOVERS, ROOM)
        # What is always full anyway need not be fuller than half of that.
        room = self._room if keeps_up else self._room / 2
        self._credit = (gauge.capacity * room - gauge.held) / self.share - unseen + self.drain * age
        self._since = now
        self._sent = unseen
        return dropped

    def forget(self) -> None:
        """There is no gauge any more."""
        self.last = None
        self._sent = 0
