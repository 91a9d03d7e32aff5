"""A pace by the receiver's own gauges: slower when its queue fills, faster when it drains."""

import time
from collections.abc import Callable, Generator, Sequence

from awsflow.items import Record
from awsflow.sinks.allowance import Allowance
from awsflow.sinks.gauges import Gauge, Gauges

LOOK = 1.0
"""Seconds between two looks whether there is a newer gauge; it is also looked when one is due."""
INTERVAL = 5.0
"""Seconds after which a gauge is written anew, unless it is seen to be otherwise."""
STALE = 6
"""Intervals after which a gauge says nothing any more: nobody writes it."""
PAUSE = 0.05
"""Seconds of waiting after which is looked again; as much as passes meanwhile is sent at once."""


class GaugedPace:
    """Holds records back while their receiver's queue has no room for them; none, where it has no gauge.

    `check` is called again and again while records are held back, and may raise to end that; `waited` is told for
    how long they were. `note` is told when it begins, and of events that the receiver has dropped.
    """

    def __init__(
        self,
        gauges: Gauges,
        *,
        check: Callable[[], None] = lambda: None,
        waited: Callable[[float], None] = lambda seconds: None,
        note: Callable[[str], None] = lambda text: None,
        look: float = LOOK,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`look` and `interval` are in seconds."""
        self._gauges = gauges
        self._check = check
        self._waited = waited
        self._note = note
        self._look_every = look
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._wall_clock = wall_clock
        self._allowance = Allowance()
        self._due = self._looked = clock()
        self._sent = 0
        """Since the last look."""
        self._holds = False
        """Whether records were held back since the last gauge."""
        self._is_slow = False
        """Whether they were before that."""

    def among(self, senders: int) -> None:
        """Leave room for the others of so many senders, who all see the same gauges."""
        self._allowance.share = senders

    def shares(self, records: Sequence[Record]) -> Generator[Sequence[Record], None, None]:
        """The records in parts, each when the receiver has room for it."""
        begin = 0
        while begin < len(records):
            end = begin + self._granted(len(records) - begin)
            yield records[begin:end] if end - begin < len(records) else records
            begin = end

    def _granted(self, wanted: int) -> int:
        """How many records may be sent now; waits until it is one at least."""
        now = self._clock()
        while True:
            if now >= self._due:
                self._look(now)
            free = self._allowance.free(now)
            if free >= 1:
                break
            self._hold()
            self._check()
            self._sleep(PAUSE)
            began, now = now, self._clock()
            self._waited(now - began)
        number = int(min(free, wanted))
        self._allowance.take(number, now)
        self._sent += number
        return number

    def _look(self, now: float) -> None:
        """Learn from a newer gauge, if there is one; forget one that is too old."""
        last, wall = self._allowance.last, self._wall_clock()
        fresh_since = wall - STALE * self._interval
        since_look, self._looked = now - self._looked, now
        sent, self._sent = self._sent, 0
        gauge = self._gauges.newer(last.at if last else 0.0, fresh_since)
        self._due = now + self._look_every
        if gauge is not None:
            if last is not None and since_look < 2 * self._look_every:  # else several may have been written meanwhile
                self._interval = gauge.at - last.at
            age = min(max(wall - gauge.at, 0.0), since_look)
            unseen = round(sent * age / since_look) if sent else 0
            self._tell(gauge, self._allowance.tell(gauge, now, age=age, unseen=unseen))
        elif last is not None and last.at < fresh_since:
            self._allowance.forget()
            self._note("pacing: nobody writes the state file of Wazuh any more; sending as fast as the queue takes it")
        if (last := self._allowance.last) is not None:
            next_gauge = last.at - wall + self._interval + self._look_every / 10
            if 0 < next_gauge < self._look_every:
                self._due = now + next_gauge

    def _hold(self) -> None:
        """Say once that records are held back."""
        if self._holds:
            return
        self._holds = True
        gauge = self._allowance.last
        if not self._is_slow and gauge is not None:
            self._note(
                f"pacing: Wazuh's queue held {gauge.held:,.0f} of {gauge.capacity:,} events when it told last, and "
                f"takes {self._allowance.drain:,.0f} of ours per second: sending slower"
            )

    def _tell(self, gauge: Gauge, dropped: int) -> None:
        """Say what is new."""
        if dropped:
            self._note(
                f"pacing: Wazuh has dropped {dropped:,} events, of whatever origin, for a queue of its was full; its "
                f"queue holds {gauge.held:,.0f} of {gauge.capacity:,} events: sending slower"
            )
        if self._is_slow and not self._holds:
            self._note("pacing: Wazuh keeps up again")
        self._is_slow, self._holds = self._holds, False
