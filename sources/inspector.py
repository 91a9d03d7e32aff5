"""Amazon Inspector: the findings that are new or have changed since the last scan."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path

from awsflow.errors import AwsflowError, CredentialsError, EndpointUnreachable, ServiceError
from awsflow.items import Barrier, Item
from awsflow.options import AwsAccess
from awsflow.sources.findings import Inspector2, InspectorClassic, PageRefused, Window
from awsflow.sources.merging import merged
from awsflow.sources.places import Places, work_name
from awsflow.sources.scans import Page, Scan
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import AllListed, ScanPosition
from awsflow.state.scan_work import ScanWork

THREADS = 4
"""Regions that are asked at the same time; each holds a page of 100 findings."""
OF_REGION = (ServiceError, CredentialsError, EndpointUnreachable)
"""Errors that may be a region's own: it is not enabled there, or not for this account."""


class Inspector:
    """Source of the findings of Amazon Inspector (`inspector2`) and, where it still answers, of Inspector Classic.

    Regions: those given, else the access's or its profile's, else all that have it. A scan reads what was updated
    between the end of the last one and now: the first one from `only_after` on (default: today, UTC). A finding that
    comes again with the same time of update is left out.

    Raises UnknownRegion for a region that has no Inspector.
    """

    def __init__(
        self,
        *,
        regions: Sequence[str] = (),
        state: Path | str | None = None,
        access: AwsAccess | None = None,
        only_after: date | None = None,
        reparse: bool = False,
        note: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`note` is told what may interest somebody who looks for a cause, `warn` what somebody should know."""
        self._regions = regions
        self._state = None if state is None else Path(state)
        self._access = access or AwsAccess()
        self._only_after = only_after
        self._reparse = reparse
        self._note = note
        self._warn = warn
        self._now = now
        self._checkpoints: Checkpoints | None = None
        self._work: ScanWork | None = None

    def items(self) -> Generator[Item, None, None]:
        """The findings of all regions."""
        places = Places(self._access)
        chosen = places.chosen(self._regions)
        places.check(Inspector2.service, chosen)
        asked = chosen or places.all_of(Inspector2.service)
        classic = places.all_of(InspectorClassic.service)
        if self._state is not None and (self._state.exists() or not self._reparse):
            self._checkpoints = Checkpoints(self._state, warn=self._warn, now=self._now)
            self._work = self._checkpoints.scan_work(work_name("inspector", self._access))
        left_out: list[AwsflowError] = []
        with closing(merged(self._scans(asked, classic), self._pages, threads=THREADS)) as results:
            for result in results:
                if result is None:
                    yield Barrier()
                elif isinstance(result, Page):
                    yield from result.scan.items(result)
                else:
                    if chosen:
                        raise result
                    self._note(str(result))
                    left_out.append(result)
        if left_out and len(left_out) == len(asked):
            raise left_out[0]
        yield Barrier(AllListed())

    def commit(self, positions: Sequence[ScanPosition | AllListed]) -> None:
        """Remember the positions."""
        if self._work is not None and not self._reparse:
            scans = [position for position in positions if isinstance(position, ScanPosition)]
            self._work.commit(scans)
            if len(scans) < len(positions):
                self._work.listed_all()

    def close(self) -> None:
        """Let go of the state."""
        if self._work is not None:
            self._work.close()
            self._work = None
        if self._checkpoints is not None:
            self._checkpoints.close()
            self._checkpoints = None

    def _scans(self, asked: Sequence[str], classic: Sequence[str]) -> Iterator[Scan]:
        """What is to be read of each region; those of Inspector Classic are some of the others."""
        for region in asked:
            for service in (Inspector2.service, *([InspectorClassic.service] if region in classic else [])):
                left = None if self._work is None or self._reparse else self._work.left(service, region)
                yield Scan(service, region, self._windows(left), left)

    def _windows(self, left: ScanPosition | None) -> list[Window]:
        """The window that was left unfinished, if so, and the one from there to now."""
        begin = None if self._only_after is None else _milliseconds(self._only_after)
        end = int(self._now().timestamp()) * 1000
        windows = []
        if left is None:
            begin = _milliseconds(self._first_day()) if begin is None else begin
        elif begin is None or begin <= left.done:
            begin = left.done
            if left.until is not None:
                windows.append(Window(begin, left.until, left.token))
                begin = left.until
        if begin <= end:
            windows.append(Window(begin, end))
        return windows

    def _first_day(self) -> date:
        """The day (UTC) from which on a region is read that nobody knows yet."""
        day = None
        if self._work is not None:
            day = self._work.first_run if self._reparse else self._work.last_run
        return day or self._now().astimezone(UTC).date()

    def _pages(self, scan: Scan) -> Generator[Page | AwsflowError, None, None]:
        """A thread's work on a region."""
        try:
            api = (Inspector2 if scan.service == Inspector2.service else InspectorClassic)(self._access, scan.region)
            with closing(api):
                for window in scan.windows:
                    try:
                        yield from (Page(scan, window, page) for page in api.pages(window))
                    except PageRefused as error:
                        self._note(str(error))
                        again = Window(window.begin, window.end)
                        yield from (Page(scan, again, page) for page in api.pages(again))
        except OF_REGION as error:
            if scan.service == Inspector2.service:
                yield error
            else:
                self._note(f"{error}; Inspector Classic is passed over")


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
