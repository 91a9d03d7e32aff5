"""Asking AWS in a hurry: clients that wait for seconds, not minutes; what they are answered tells the clock, too."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from awsflow.aws import client
from awsflow.cli.checkup.results import Result
from awsflow.errors import ClockSkew
from awsflow.options import AwsAccess

SECONDS = 40.0
"""For which one source is looked at; what is being asked at that time is waited for, and little more is asked."""
ATTEMPTS = 2
TOLERATED = 60.0
"""Seconds that a clock may be wrong without harm."""
REFUSED = 300.0
"""Seconds from which on AWS refuses what a clock has signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"""


class Asking:
    """The clients of one source's check-up."""

    def __init__(self, access: AwsAccess, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells the seconds since 1970."""
        self.access = replace(
            access,
            connect_seconds=min(access.connect_seconds, 5.0),
            read_seconds=min(access.read_seconds, 8.0),
            call_seconds=min(access.call_seconds, 12.0),
        )
        self._now = clock
        self._until = time.monotonic() + SECONDS
        self._skew: float | None = None
        self._made: list[Any] = []

    @property
    def now(self) -> float:
        """Seconds since 1970, by this machine's clock."""
        return self._now()

    @property
    def is_over(self) -> bool:
        """Whether it has taken long enough."""
        return time.monotonic() > self._until

    def client(self, service: str, region: str | None = None, access: AwsAccess | None = None) -> Any:
        """A client that tells the clock."""
        made = client(service, access or self.access, region, attempts=ATTEMPTS)
        made.meta.events.register("after-call", self._answered)
        self._made.append(made)
        return made

    def clock(self) -> Iterator[Result]:
        """How far this machine's clock is from that of whoever answered; nothing, if nobody did."""
        if self._skew is None:
            return
        off = abs(self._skew)
        told = f"{off:.0f} s {'behind' if self._skew > 0 else 'ahead of'} that of the endpoint"
        if off >= REFUSED:
            yield Result("clock", "failed", f"{told}; set it, e.g. with NTP", exit_code=ClockSkew.exit_code)
        elif off >= TOLERATED:
            yield Result("clock", "look", f"{told}; set it, e.g. with NTP, before AWS refuses it")
        else:
            yield Result("clock", "ok", "right" if off < 2 else told)

    def close(self) -> None:
        """Let go of connections."""
        for made in self._made:
            made.close()

    def _answered(self, http_response: Any, **_: Any) -> None:
        """What botocore calls with every answer, refusals too."""
        try:
            told = parsedate_to_datetime(http_response.headers["date"]).timestamp()
        except (KeyError, TypeError, ValueError):
            return
        skew = told + 0.5 - self._now()  # an answer tells whole seconds
        if self._skew is None or abs(skew) < abs(self._skew):
            self._skew = skew


def is_aws(endpoint: str | None) -> bool:
    """Whether an endpoint is one of AWS's own, as it is where none is given."""
    host = urlsplit(endpoint).hostname or "" if endpoint else ".amazonaws.com"
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
