"""Finding the objects of a bucket that are worth reading: by account, region and date, none that was read before."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from awsflow.errors import NoAccounts, NoObjects
from awsflow.items import Found, Origin
from awsflow.logtypes.layout import Place, account_in, is_account
from awsflow.logtypes.types import LogType
from awsflow.options import BucketOptions
from awsflow.sources.listing import Listed, S3Client, folders, is_empty, pages
from awsflow.state.checkpoints import Work


def place_of(options: BucketOptions) -> Place:
    """Where in the bucket the options say that logs lie."""
    return Place(options.prefix, options.suffix, options.organization, options.accounts, options.regions)


class Finding:
    """One search through a bucket. `work` is what earlier runs remember; None: nothing."""

    def __init__(
        self,
        options: BucketOptions,
        log_type: LogType,
        client: S3Client,
        work: Work | None,
        today: date,
        note: Callable[[str], None],
        finished_before: Callable[[str], None],
    ) -> None:
        self._options = options
        self._log_type = log_type
        self._layout = log_type.layout
        self._place = place_of(options)
        self._any_account = False
        self._client = client
        self._work = work
        self._today = today
        self._note = note
        self._finished_before = finished_before

    @property
    def base(self) -> str:
        """The prefix of all keys."""
        return self._layout.base(self._place)

    def found(self) -> Iterator[Found | None]:
        """The objects worth reading; None after each page of a listing, so that time can pass.

        NoAccounts or NoObjects if there is nothing at all to search through.
        """
        failed_before = self._failed_before()  # asked now: not those that fail in this run
        any_stream = any_object = False
        for stream in self._layout.streams(self._place, self._folders):
            any_stream = True
            since = self.since(stream)
            self._note(f"listing s3://{self._options.bucket}/{stream} from {since}")
            for prefix, start_after in self._layout.listings(stream, since, self._today):
                for page in pages(self._client, self._options.bucket, prefix, StartAfter=start_after):
                    any_object = any_object or bool(page.get("KeyCount"))
                    yield from self._worth_reading(stream, page.get("Contents", ()))
                    yield None
        yield from failed_before
        if not any_object:
            self._why_nothing(any_stream)

    def _why_nothing(self, any_stream: bool) -> None:
        """Raise what explains that nothing was listed, if it is not simply that there is nothing new."""
        bucket, prefix = self._options.bucket, self._options.prefix
        if is_empty(self._client, bucket, prefix):
            raise NoObjects(f"listing s3://{bucket}/{prefix}: nothing is there; check bucket and prefix")
        if not any_stream and not self._place.accounts and not self._any_account:
            raise NoAccounts(
                f"listing s3://{bucket}/{self.base}: there is no account's folder; "
                "check prefix, suffix and organization"
            )
        if not any_stream:
            self._note(f"no {self._log_type.name} logs below s3://{bucket}/{self.base}")

    def _folders(self, prefix: str) -> Iterator[str]:
        for name in folders(self._client, self._options.bucket, prefix):
            self._any_account = self._any_account or (prefix == self.base and is_account(name))
            yield name

    def since(self, stream: str) -> date:
        """The first day of a stream that is searched."""
        start = self._options.only_after or self._today
        if self._work is None:
            return start
        first, last = self._work.first_run, self._work.last_run
        if self._options.only_after is None and first is not None and last is not None:
            # A stream that comes up later than the others: its first objects may be as old as the last run.
            start = max(first, last - self._options.lookback)
        return max(self._work.since(stream, start), self._options.only_after or date.min)

    def _worth_reading(self, stream: str, listed: Iterable[Listed]) -> Iterator[Found]:
        """The objects of a page that are logs, and not done."""
        dated = [
            (entry, day)
            for entry in listed
            if (day := self._layout.day(entry["Key"], stream)) is not None
        ]
        known = {}
        if self._work is not None and not self._options.reparse:
            known = self._work.remembered(stream, [entry["Key"] for entry, _ in dated])
        for entry, day in dated:
            key, etag = entry["Key"], entry["ETag"].strip('"')
            before = known.get(key)
            same = before is not None and before.etag == etag
            if same and before.finished:
                self._finished_before(key)
                continue
            yield Found(
                self._origin(key),
                size=entry["Size"],
                etag=etag,
                stream=stream,
                day=day,
                done=before.records if same else 0,
            )

    def _failed_before(self) -> list[Found]:
        """The objects of the failures list that are to be tried again."""
        if self._work is None or self._options.reparse:
            return []
        return [
            Found(
                self._origin(failed.key),
                size=failed.size,
                etag=failed.etag,
                stream=failed.stream,
                day=self._layout.day(failed.key, failed.stream),
                done=failed.records,
            )
            for failed in self._work.failures()
        ]

    def _origin(self, key: str) -> Origin:
        return Origin(
            bucket=self._options.bucket,
            key=key,
            alias=self._options.alias,
            account=account_in(key) if self._log_type.account else "",
            shape=self._log_type.shape,
        )
