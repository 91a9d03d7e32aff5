"""Finding the log streams to read: region by region, group by group, each with where it was left."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from awsflow.errors import AwsflowError, CredentialsError, EndpointUnreachable, ServiceError
from awsflow.items import Origin
from awsflow.sources.log_api import Listed, LogsApi, Missing, is_arn, region_of
from awsflow.sources.log_records import Dressed, as_it_is
from awsflow.sources.log_streams import LogStream, parts_of
from awsflow.state.log_work import LogWork
from awsflow.state.positions import GroupListed, LogPosition


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What to read of CloudWatch Logs."""

    groups: tuple[str, ...]
    """Names, `PREFIX*`, or ARNs."""
    stream_prefix: str = ""
    only_after: date | None = None
    """Nothing dated before this day (UTC), ever."""
    reparse: bool = False
    remove: bool = False
    skip_on_error: bool = False
    envelope: bool = False


class LogFinding:
    """One search for log streams. `work` is what earlier runs remember; None: nothing."""

    def __init__(
        self,
        options: LogOptions,
        regions: Sequence[str],
        api: Callable[[str], LogsApi],
        work: LogWork | None,
        *,
        anywhere: bool,
        today: date,
        note: Callable[[str], None],
        warn: Callable[[str], None] = lambda text: None,
        done_with: Callable[[str], None] = lambda region: None,
    ) -> None:
        """`api` asks a region; `anywhere`: the regions are all there are, and not all need to answer.

        `done_with` is told of each region in which there is nothing to read.
        """
        self._options = options
        self._regions = regions
        self._api = api
        self._work = work
        self._anywhere = anywhere
        self._today = today
        self._note = note
        self._warn = warn
        self._done_with = done_with
        self._found: set[str] = set()
        """Those of the options' groups that were found in some region."""
        self._there: set[tuple[str, str]] = set()
        """Regions and names of the groups that were found."""
        self._refused: dict[tuple[str, str], AwsflowError] = {}
        """What went wrong when a group was looked for, by region and group."""
        self._unread: dict[tuple[str, str], AwsflowError] = {}
        """What went wrong when it was read."""

    def found(self) -> Iterator[LogStream | GroupListed]:
        """The streams of each group, and behind them that all of them were listed."""
        own = [group for group in self._options.groups if not is_arn(group)]
        of_arns: dict[str, list[str]] = {}
        for group in self._options.groups:
            if is_arn(group):
                of_arns.setdefault(region_of(group), []).append(group)
        left_out: list[AwsflowError] = []
        regions = dict.fromkeys((*(self._regions if own else ()), *of_arns))
        for region in regions:
            try:
                yield from self._in_region(
                    region, [*(own if region in self._regions else ()), *of_arns.get(region, ())]
                )
            except (CredentialsError, EndpointUnreachable) as error:
                if not self._anywhere:
                    raise
                self._note(f"{region} is left out: {error}")
                left_out.append(error)
        if left_out and len(left_out) == len(regions):
            raise left_out[0]

    def unread(self, region: str, group: str, error: AwsflowError) -> None:
        """Note that a group could not be read to its end. The first error is the one that is told."""
        self._note(str(error))
        self._unread.setdefault((region, group), error)

    def failures(self) -> list[str]:
        """What is to be told at the end: of groups that are missing, or could not be read."""
        refused: dict[tuple[str, str], AwsflowError] = {}
        for (region, group), error in self._refused.items():
            if not self._anywhere:
                refused[region, group] = error
            elif group not in self._found:
                refused.setdefault(("", group), error)  # all the regions that do not let us would be many
        told = [str(error) for error in refused.values()]
        told += map(str, self._unread.values())
        looked_for = {group for _, group in self._refused} | self._found
        for group in self._options.groups:
            if group not in looked_for:
                places = region_of(group) if is_arn(group) else ", ".join(self._regions)
                told.append(
                    f"looking for the log group {group}: it is not there ({places}); check name, account and regions"
                )
        return told

    def _in_region(self, region: str, given: Sequence[str]) -> Iterator[LogStream | GroupListed]:
        """The streams of those of the options' groups that may be there."""
        seen: set[str] = set()
        any_stream = False
        api = self._api(region)
        for group in given:
            try:
                for name in self._named(api, group):
                    if name not in seen:
                        seen.add(name)
                        for found in self._in_group(api, name):
                            any_stream = any_stream or isinstance(found, LogStream)
                            yield found
                    if (region, name) in self._there:
                        self._found.add(group)
            except ServiceError as error:
                self._note(str(error))
                self._refused.setdefault((region, group), error)
        if not any_stream:
            self._done_with(region)

    def _named(self, api: LogsApi, given: str) -> Iterator[str]:
        """The groups that are meant."""
        if is_arn(given):
            yield given.removesuffix(":*")
        elif given.endswith("*"):
            yield from api.groups(given.rstrip("*"))
        else:
            yield given

    def _in_group(self, api: LogsApi, group: str) -> Iterator[LogStream | GroupListed]:
        """The streams of a group; none if it is not there."""
        options = self._options
        start: date | None = None
        gone = False
        try:
            for listed in api.streams(group, options.stream_prefix):
                if start is None:
                    self._there.add((api.region, group))
                    if self._work is not None and not self._work.hold(api.region, group):
                        self._warn(
                            f"reading the log group {group} in {api.region}: another run does so at this moment, and "
                            "it is left to that one"
                        )
                        return
                    self._note(f"reading the log group {group} in {api.region}")
                    start = self._first_listed(api.region, group)
                left = self._left(api.region, group, [stream["logStreamName"] for stream in listed])
                for stream in listed:
                    yield self._stream(api, group, stream, left.get(stream["logStreamName"], ()), start)
        except Missing as error:
            self._note(str(error))
            gone = True
        yield GroupListed(api.region, group, options.stream_prefix, gone)

    def _first_listed(self, region: str, group: str) -> date:
        """The day from which on a stream is read that nobody knows yet."""
        first = self._today
        if self._work is not None:
            first = self._work.first_listed(region, group, note=not self._options.reparse)
        return self._options.only_after or first

    def _left(self, region: str, group: str, names: Sequence[str]) -> Mapping[str, Sequence[LogPosition]]:
        if self._work is None or self._options.reparse:
            return {}
        return self._work.left(region, group, names)

    def _stream(self, api: LogsApi, group: str, listed: Listed, left: Sequence[LogPosition], start: date) -> LogStream:
        options = self._options
        name = listed["logStreamName"]
        account = f"{listed.get('arn', '')}:::::".split(":")[4]
        begin = _milliseconds(start)
        return LogStream(
            api,
            group,
            name,
            Origin(
                key=f"log stream {name} of {group} in {api.region}", envelope="service" if options.envelope else "none"
            ),
            begin if options.only_after or not left else 0,
            parts_of(left, begin, begin if options.only_after else None, listed.get("lastIngestionTime")),
            listed.get("firstEventTimestamp"),
            Dressed(api.region, account, group, name) if options.envelope else as_it_is,
        )


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp() * 1000)
