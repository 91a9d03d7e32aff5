"""Finding the objects of a bucket that are worth reading: by account, region and date, none that was read before."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

from awsflow.errors import NoAccounts, NoObjects
from awsflow.items import Found
from awsflow.logtypes.hive import HIVE_ACCOUNT
from awsflow.logtypes.layout import Layout, Place, is_account
from awsflow.logtypes.recognise import sure
from awsflow.logtypes.types import LogType
from awsflow.options import BucketOptions
from awsflow.sources.listing import Listed, S3Client, folders, is_empty, listed_as, pages, written
from awsflow.sources.reading import origin_of
from awsflow.state.positions import FailedObject
from awsflow.state.work import Work

QUIET = timedelta(days=30)
"""A writer in a shared folder that has written nothing for so long is taken to have ended: listings of the folder
begin no earlier for its sake."""


def place_of(options: BucketOptions) -> Place:
    """Where in the bucket the options say that logs lie."""
    return Place(options.prefix, options.suffix, options.organization, options.accounts, options.regions)


def work_name(log_type: str, bucket: str, base: str) -> str:
    """What the state of a bucket's logs goes by: `base` is the prefix of the first of the type's layouts."""
    return f"{log_type.lower()} s3://{bucket}/{base}"


class Finding:
    """One search through a bucket. `work` is what earlier runs remember; None: nothing."""

    def __init__(
        self,
        options: BucketOptions,
        types: Sequence[LogType],
        client: S3Client,
        work: Work | None,
        *,
        today: date,
        note: Callable[[str], None],
        finished_before: Callable[[str, str], None],
    ) -> None:
        """`finished_before` is called with key and ETag of objects that earlier runs have delivered."""
        self._options = options
        self._types = types
        self._place = place_of(options)
        self._client = client
        self._work = work
        self._today = today
        self._note = note
        self._finished_before = finished_before
        self._any_account = False
        self._any_object = False
        self._failed: dict[tuple[str, str], FailedObject] = {}
        self.since = cache(self._since)
        """The first day of a stream that is searched, as it is when the search begins."""
        self._done_before = cache(lambda stream: work.done_before(stream) if work and not options.reparse else None)
        """Day and key before which another program has read all of a stream, likewise."""

    def found(self) -> Iterator[Found | None]:
        """The objects worth reading; None after each page of a listing, so that time can pass.

        NoAccounts or NoObjects if there is nothing at all to search through.
        """
        self._failed = self._failed_before()  # asked now: not those that fail in this run
        streams: list[str] = []
        all_found: set[str] = set()
        for layout, of_layout in self._layouts().items():
            types = [log_type for log_type in of_layout if log_type.name not in all_found]
            if not types:
                self._note(f"leaving {layout.shown} to other types: there are logs in {streams[0]} and the like")
                continue
            before = len(streams)
            for stream in layout.streams(self._place, self._folders):
                streams.append(stream)
                yield from self._in_stream(layout, types, stream)
            exclusive = {log_type.name for log_type in types if log_type.exclusive}
            if layout.by_account and exclusive and self._are_there(streams[before:]):
                all_found |= exclusive
        yield from self._once_more(tuple(streams))
        if not self._any_object:
            self._why_nothing(bool(streams))

    def _layouts(self) -> dict[Layout, list[LogType]]:
        """Where to look, and what may lie there."""
        layouts: dict[Layout, list[LogType]] = defaultdict(list)
        for log_type in self._types:
            for layout in log_type.layouts:
                layouts[layout].append(log_type)
        return layouts

    def _in_stream(self, layout: Layout, types: Sequence[LogType], stream: str) -> Iterator[Found | None]:
        """What is worth reading in a stream, each writer's from where it was left."""
        known = self._known(layout, stream)
        since = min(map(self.since, known or [stream]))
        for entries in self._days(layout, stream, since):
            parts: dict[str, list[tuple[Listed, date]]] = defaultdict(list)
            for entry, day in entries:
                parts[stream + layout.part(entry["Key"])].append((entry, day))
            for part in parts:
                if part not in known:
                    known.append(part)
                    if self.since(part) < since:  # somebody new in a shared folder: what lies before, first
                        for earlier in self._days(layout, stream, self.since(part)):
                            its = [(entry, day) for entry, day in earlier if stream + layout.part(entry["Key"]) == part]
                            yield from self._worth_reading(types, part, (each for each in its if each[1] < since))
                            yield None
            for part, its in parts.items():
                yield from self._worth_reading(types, part, its)
            yield None

    def _known(self, layout: Layout, stream: str) -> list[str]:
        """The parts of a stream that earlier runs have met and that are still written to."""
        if not layout.is_shared:
            return [stream]
        if self._work is None or self._options.reparse:
            return []
        met = self._work.parts(stream)
        newest = max((day for _, day in met), default=date.min)
        return [name for name, day in met if newest - day <= QUIET]

    def _days(self, layout: Layout, stream: str, since: date) -> Iterator[list[tuple[Listed, date]]]:
        """The logs of a stream from a day on, in the order of their days, a page at a time, each with its day."""
        if layout.is_dated:
            yield from self._listed(layout, stream, since)
            return
        # Objects lie in another order than they were written in: one listing for each day there is.
        days: set[date] = set()
        for entries in self._listed(layout, stream, since):
            days.update(day for _, day in entries)
            yield []
        for wanted in sorted(days):
            for entries in self._listed(layout, stream, since):
                yield [(entry, day) for entry, day in entries if day == wanted]

    def _listed(self, layout: Layout, stream: str, since: date) -> Iterator[list[tuple[Listed, date]]]:
        """The logs of a stream from a day on, as they are listed, a page at a time, each with its day."""
        self._note(f"listing s3://{self._options.bucket}/{stream} from {since}")
        for prefix, start_after in layout.listings(stream, since, self._today, self._folders):
            for page in pages(self._client, self._options.bucket, prefix, StartAfter=start_after):
                self._any_object = self._any_object or bool(page.get("KeyCount"))
                dated = ((entry, _day(layout, entry, stream)) for entry in page.get("Contents", ()))
                yield [(entry, day) for entry, day in dated if day is not None and day >= since]

    def _why_nothing(self, any_stream: bool) -> None:
        """Raise what explains that nothing was listed, if it is not simply that there is nothing new."""
        bucket, prefix = self._options.bucket, self._options.prefix
        if self._work is not None and self._work.any_stream():
            self._note(f"nothing is left below s3://{bucket}/{prefix}; earlier runs have read what was there")
            return
        if is_empty(self._client, bucket, prefix):
            raise NoObjects(f"listing s3://{bucket}/{prefix}: nothing is there; check bucket and prefix")
        base = self._types[0].base(self._place)
        if not any_stream and not self._place.accounts and not self._any_account:
            raise NoAccounts(
                f"listing s3://{bucket}/{base}: there is no account's folder; check prefix, suffix and organization"
            )
        if not any_stream:
            self._note(f"no {self._options.log_type} logs below s3://{bucket}/{base}")

    def _are_there(self, streams: Iterable[str]) -> bool:
        """Whether something lies in any of these streams: those of given accounts and regions may be empty."""
        return any(not is_empty(self._client, self._options.bucket, stream) for stream in streams)

    def _folders(self, prefix: str, delimiter: str = "/", after: str = "") -> Iterator[str]:
        for name in folders(self._client, self._options.bucket, prefix, delimiter, after):
            self._any_account = self._any_account or is_account(name.removeprefix(HIVE_ACCOUNT)) is not None
            yield name

    def _since(self, stream: str) -> date:
        start = self._options.only_after or self._today
        if self._work is None:
            return start
        first, last = self._work.first_run, self._work.last_run
        if self._options.only_after is None and first is not None and last is not None:
            # A stream that comes up later than the others: its first objects may be as old as the last run.
            start = first if self._options.reparse else max(first, last - self._options.lookback)
        if self._options.reparse:
            return start
        return max(self._work.since(stream, start), self._options.only_after or date.min)

    def _worth_reading(
        self, types: Sequence[LogType], stream: str, listed: Iterable[tuple[Listed, date]]
    ) -> Iterator[Found]:
        """The objects of a page that are logs of these types, and not done."""
        since = self.since(stream)
        fitting = [(entry, day, of) for entry, day in listed if day >= since and (of := _fitting(entry["Key"], types))]
        known = {}
        if self._work is not None and not self._options.reparse:
            known = self._work.remembered(stream, [entry["Key"] for entry, _, _ in fitting])
        done_before = self._done_before(stream)
        for entry, day, of in fitting:
            key, etag = entry["Key"], entry["ETag"].strip('"')
            if done_before is not None and (day, key) < done_before:
                continue
            before = known.get(key)
            done = 0
            if before is not None and before.etag in ("", etag):
                if before.finished:
                    if before.etag and not before.failed:
                        self._finished_before(key, etag)
                    continue
                done = before.records
            self._failed.pop((stream, key), None)  # it was replaced since, and is read as it is now
            yield self._one(
                key, of, size=entry["Size"], etag=etag, stream=stream, day=day, done=done, written=written(entry)
            )

    def _failed_before(self) -> dict[tuple[str, str], FailedObject]:
        """The objects of the failures list that are to be tried again, by stream and key."""
        if self._work is None or self._options.reparse:
            return {}
        return {(failed.stream, failed.key): failed for failed in self._work.failures()}

    def _once_more(self, streams: tuple[str, ...]) -> Iterator[Found]:
        """The objects that have failed before, of those streams which are there and wanted now, each as it is now."""
        first = self._options.only_after or date.min
        for failed in self._failed.values():
            if not failed.stream.startswith(streams) or (failed.day is not None and failed.day < first):
                continue
            size, etag, done = failed.size, failed.etag, failed.records
            for entry in listed_as(self._client, self._options.bucket, failed.key):
                size = entry["Size"]
                if entry["ETag"].strip('"') != etag:
                    etag, done = entry["ETag"].strip('"'), 0
            found = self._one(
                failed.key, self._types, size=size, etag=etag, stream=failed.stream, day=failed.day, done=done
            )
            yield found._replace(failed_before=True)

    def _one(
        self,
        key: str,
        types: Sequence[LogType],
        *,
        size: int,
        etag: str,
        stream: str,
        day: date | None,
        done: int,
        written: str = "",
    ) -> Found:
        """An object that may be of these types."""
        log_type = sure(key, types)
        origin = origin_of(self._options.bucket, key, self._options.alias, log_type)
        return Found(origin, size, etag, stream, day, done, log_type.name if log_type else "", written)


def _fitting(key: str, types: Sequence[LogType]) -> list[LogType]:
    """Those of the types that lie here which an object may be of."""
    of = [log_type for log_type in types if log_type.may_have(key)]
    return of if len(of) < 2 else [log_type for log_type in of if log_type.has(key)] or of


def _day(layout: Layout, entry: Listed, stream: str) -> date | None:
    """An object's day: the one in its key or, where there is none in keys, the one (UTC) on which it was written."""
    if layout.is_dated:
        return layout.day(entry["Key"], stream)
    written: datetime = entry["LastModified"]
    return written.astimezone(UTC).date()
