"""The tail of what was read of a log stream: by it an event that comes again is known from one that comes late."""

from bisect import bisect_left, insort
from collections import Counter

from awsflow.sources.marks import first_mark, mark, marks_in, time_of
from awsflow.state.positions import LogPosition

OVERLAP = 15 * 60 * 1000
"""Milliseconds before the latest event from which on a stream is read again, for what has come late."""
REMEMBERED = 1000
"""Events of a stream that are remembered at most; where there are more in the overlap, it begins later."""


class Tail:
    """What was read of a stream, or of a part of it, and whether an event belongs to that. Times are milliseconds.

    A stream is read in passes: each begins at `begins_at`, or behind all that was read, and goes forward.
    """

    def __init__(self, start: int, left: LogPosition | None = None) -> None:
        """Nothing was read, and `start` is where to begin; or it was `left` somewhere."""
        self.earliest = left.earliest if left else start
        self.latest = left.latest if left else None
        self.ingested = left.ingested if left else None
        self.begins_at = left.floor if left else start
        """Where to read again from, to miss nothing that comes late and is not too late."""
        self._more = left.more if left else 0
        self._marks = marks_in(left.marks) if left else []
        self.begin()

    @property
    def has_marks(self) -> bool:
        """Whether anything could be read again without taking it for new."""
        return bool(self._marks)

    def begin(self, *, behind: bool = False) -> None:
        """A pass begins at `begins_at`, so that what was read comes again; or `behind` all that was read."""
        self._reached = 0
        self._known = Counter(self._marks)
        self._unmarked = 0 if behind else self._more

    def take(self, time: int, ingested: int | None, message: bytes) -> bool:
        """Whether an event is new; it is then remembered."""
        self._reached = max(self._reached, time)
        of_event = mark(time, b"%d %b" % (ingested or 0, message))
        if self._known:
            times = self._known.get(of_event)
            if times is not None:
                if times > 1:
                    self._known[of_event] = times - 1
                else:
                    del self._known[of_event]
                return False
        if self._unmarked and time == self.begins_at:
            # events of one millisecond come in the order in which they came to AWS: new ones behind the others
            self._unmarked -= 1
            return False
        if not self._marks or of_event >= self._marks[-1]:
            self._marks.append(of_event)
        else:
            insort(self._marks, of_event)
        if len(self._marks) >= 2 * REMEMBERED:
            self._drop(len(self._marks) - REMEMBERED)
        self.latest = time if self.latest is None else max(self.latest, time)
        if ingested is not None:
            self.ingested = ingested if self.ingested is None else max(self.ingested, ingested)
        return True

    def kept(self) -> tuple[int, int, bytes]:
        """What a later run needs: where to begin, how many events without a mark there are at that time, and marks."""
        if len(self._marks) > REMEMBERED:
            self._drop(len(self._marks) - REMEMBERED)
        if self.latest is not None:
            # a latest event that is dated in the future, as some writers' are, hides nothing that comes meanwhile
            times = (self.latest, self.latest if self.ingested is None else self.ingested, self._reached or self.latest)
            begin = max(self.begins_at, min(times) - OVERLAP)
            if begin > self.begins_at:
                self._move(begin, 0)
                del self._marks[: bisect_left(self._marks, first_mark(begin))]
        return self.begins_at, self._more, b"".join(self._marks)

    def _drop(self, count: int) -> None:
        """Forget the earliest marks; what lies before them is not read again."""
        begin = time_of(self._marks[count - 1])
        same = count - bisect_left(self._marks, first_mark(begin), 0, count)
        self._move(begin, same + self._more if begin == self.begins_at else same)
        del self._marks[:count]

    def _move(self, begin: int, more: int) -> None:
        if begin != self.begins_at:
            self._unmarked = 0
        self.begins_at, self._more = begin, more
