"""CloudWatch Logs: the events of log groups, each stream read forward from where it was left."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

from awsflow.aws import client
from awsflow.errors import ArgumentsError, LogGroupFailed, ServiceError
from awsflow.items import Barrier, Item
from awsflow.options import AwsAccess
from awsflow.sources.log_api import LogsApi, Missing, is_arn
from awsflow.sources.log_groups import LogFinding, LogOptions
from awsflow.sources.log_records import items_of
from awsflow.sources.log_streams import LogStream, Page, Unread, pages
from awsflow.sources.merging import merged
from awsflow.sources.places import Places, work_name
from awsflow.sources.rate import Rate
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.log_work import LogWork
from awsflow.state.positions import GroupListed, LogPosition, StreamGone

THREADS = 4
"""Streams that are read at the same time. Each holds a page (1 MB), two more wait, and one is being taken."""


class CloudWatchLogs:
    """Source of the events of log groups: the messages themselves, unchanged, as text.

    A group is a name, `PREFIX*`, or the ARN of one, of another account too (cross-account observability). Regions:
    those given, else the access's or its profile's, else all of the partition; a group need be in one of them only.
    With `stream_prefix` only streams are read whose names begin so.

    New streams are read from `only_after` on (default: the day, UTC, on which their group was first listed, which
    without state is today); those that are known from where they were left, with what came late. If `only_after` lies
    before what was read of a stream, what lies between is read first. `remove` deletes a stream once all that it holds
    was delivered and committed, if nothing has come since.

    With `envelope`, events are `{"integration": "aws", "aws": {"log_info": {...}, ...}}`: the fields of a message
    that is a JSON object, or else its text as `message`; in `log_info` are log_group, log_stream, aws_account_id,
    aws_region and timestamp.

    A group that is missing, or cannot be read, is no obstacle for the others: LogGroupFailed is raised at the end; with
    `skip_on_error`, `warn` is told. `requests_per_second` is what may be asked of one region.
    """

    def __init__(
        self,
        groups: Sequence[str] | str,
        *,
        regions: Sequence[str] = (),
        state: Path | str | None = None,
        access: AwsAccess | None = None,
        only_after: date | None = None,
        reparse: bool = False,
        remove: bool = False,
        stream_prefix: str = "",
        envelope: bool = False,
        requests_per_second: float = 25.0,
        skip_on_error: bool = False,
        note: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`note` is told what may interest somebody who looks for a cause, `warn` what somebody should know."""
        named = (groups,) if isinstance(groups, str) else tuple(dict.fromkeys(groups))
        if not named or not all(named):
            raise ArgumentsError("reading CloudWatch Logs: no log group is given, or an empty one; name one or several")
        self.options = LogOptions(named, stream_prefix, only_after, reparse, remove, skip_on_error, envelope)
        self._regions = regions
        self._state = None if state is None else Path(state)
        self._access = access or AwsAccess()
        self._per_second = requests_per_second
        self._note = note
        self._warn = warn
        self._now = now
        self._checkpoints: Checkpoints | None = None
        self._work: LogWork | None = None
        self._apis: dict[str, LogsApi] = {}
        self._undeleted: ServiceError | None = None

    def items(self) -> Generator[Item, None, None]:
        """The new events of all streams; those of one stream in the order of their times."""
        finding = self._open()
        with closing(merged(finding.found(), self._pages, threads=THREADS)) as results:
            for result in results:
                if result is None:
                    yield Barrier()
                elif isinstance(result, Page):
                    yield from items_of(result, remove=self.options.remove)
                elif isinstance(result, Unread):
                    stream = result.stream
                    finding.unread(stream.api.region, stream.group, result.error)
                else:
                    yield Barrier(result)
        if failures := finding.failures():
            told = failures[0] if len(failures) == 1 else f"{len(failures)} log groups failed: {' | '.join(failures)}"
            if not self.options.skip_on_error:
                raise LogGroupFailed(told)
            self._warn(told)

    def commit(self, positions: Sequence[LogPosition | GroupListed]) -> None:
        """Remember the positions; with `remove`, delete the streams that are finished."""
        if self._work is not None and not self.options.reparse:
            self._work.commit(positions)
        if self.options.remove:
            for position in positions:
                if isinstance(position, LogPosition) and position.finished and position.until is None:
                    self._remove(position)

    def close(self) -> None:
        """Let go of state and connections. ServiceError if a stream could not be deleted."""
        if self._work is not None:
            self._work.close()
            self._work = None
        if self._checkpoints is not None:
            self._checkpoints.close()
            self._checkpoints = None
        for api in self._apis.values():
            api.close()
        self._apis = {}
        undeleted, self._undeleted = self._undeleted, None
        if undeleted is not None:
            raise undeleted

    def _open(self) -> LogFinding:
        options = self.options
        places = Places(self._access)
        chosen = places.chosen(self._regions)
        anywhere = not chosen
        if anywhere and not all(map(is_arn, options.groups)):
            chosen = places.all_of("logs")
        if self._state is not None and (self._state.exists() or not options.reparse):
            self._checkpoints = Checkpoints(self._state, warn=self._warn, now=self._now)
            self._work = self._checkpoints.log_work(work_name("cloudwatchlogs", self._access))
        today = self._now().astimezone(UTC).date()
        return LogFinding(
            options,
            chosen,
            self._api,
            self._work,
            anywhere=anywhere,
            today=today,
            note=self._note,
            warn=self._warn,
            done_with=lambda region: self._apis.pop(region).close(),
        )

    def _api(self, region: str) -> LogsApi:
        if region not in self._apis:
            made = client("logs", self._access, region, pool=THREADS + 1)
            self._apis[region] = LogsApi(region, made, Rate(self._per_second))
        return self._apis[region]

    def _pages(self, task: LogStream | GroupListed) -> Generator[Page | Unread | GroupListed, None, None]:
        """A thread's work on one task."""
        if isinstance(task, LogStream):
            yield from pages(task, self._note)
        else:
            yield task

    def _remove(self, position: LogPosition) -> None:
        """Delete a stream, unless something has come since it was read. What is not deleted is told at the end."""
        region, group, stream = position.region, position.group, position.stream
        if is_arn(group):
            self._note(f"the log stream {stream} of {group} stays: AWS deletes streams of the own account only")
            return
        api = self._apis[region]
        try:
            last = api.events(group, stream, token=position.token, start=position.asked_from, end=None)
            if last.events or last.token != position.token:
                self._note(f"the log stream {stream} of {group} stays: something has come since; the next run reads it")
                return
            api.delete(group, stream)
        except Missing as error:
            self._note(str(error))
        except ServiceError as error:
            self._note(str(error))
            self._undeleted = self._undeleted or error
            return
        if self._work is not None and not self.options.reparse:
            self._work.commit([StreamGone(region, group, stream)])
