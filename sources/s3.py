"""Log objects in an S3 bucket: found by date, fetched ahead, read once, committed as they go."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from awsflow.aws import client, load
from awsflow.decode.limits import Limits
from awsflow.errors import ServiceError, UnknownType
from awsflow.items import Barrier, Found, Item, Read
from awsflow.logtypes import AUTO, log_types_named
from awsflow.logtypes.layout import AwsLogs, Place
from awsflow.logtypes.types import LogType
from awsflow.options import BUDGET, AwsAccess, BucketOptions
from awsflow.sources.ahead import fetched
from awsflow.sources.finding import Finding, place_of, work_name
from awsflow.sources.listing import S3Client
from awsflow.sources.reading import Reader
from awsflow.sources.s3_body import Opening
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import AllListed, ObjectPosition, StreamPosition
from awsflow.state.work import Work

if TYPE_CHECKING:
    from awsflow.sources.removal import Removal


class S3Bucket:
    """Source of the logs of one type in a bucket; of all types that are there, for `log_type="auto"`.

    Without `state` nothing is remembered: every run reads everything from `only_after` (default: today, UTC) on.
    `requests` is how many objects are fetched at the same time at most, `budget` how many bytes of them are held.
    `note` is told what may interest somebody who looks for a cause, `warn` what somebody should know.
    """

    def __init__(
        self,
        bucket: str,
        log_type: str = "cloudtrail",
        *,
        state: Path | str | None = None,
        access: AwsAccess | None = None,
        requests: int = 64,
        budget: int = BUDGET,
        note: Callable[[str], None] = lambda text: None,
        warn: Callable[[str], None] = lambda text: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **options: Any,
    ) -> None:
        """`options` are the further fields of `awsflow.options.BucketOptions`."""
        self.options = BucketOptions(
            bucket=bucket, log_type=log_type, state=None if state is None else Path(state), **options
        )
        self.log_types = log_types_named(log_type, self.options.format)
        self.objects_by_type: Counter[str] = Counter()
        """How many objects of which type were delivered."""
        self._uncommitted = 0
        self._access = access or AwsAccess()
        self._requests = requests
        self._budget = budget
        self._note = note
        self._warn = warn
        self._now = now
        self._client: S3Client | None = None
        self._checkpoints: Checkpoints | None = None
        self._work: Work | None = None
        self._removal: Removal | None = None
        self._can_read = False
        """Whether S3 has let us read an object, or found fault with one alone."""
        self._refused = ""
        """What it has said of the first one that it refused."""
        self._refusals = 0

    @classmethod
    def of(cls, options: BucketOptions, **more: Any) -> Self:
        """The source that these options describe; `more` as for the class itself."""
        return cls(**{field.name: getattr(options, field.name) for field in fields(options)}, **more)

    @property
    def work_name(self) -> str:
        """What the state of this source goes by. Two of the same name are never collected at the same time."""
        place = place_of(self.options)
        is_auto = self.options.log_type.lower() == AUTO
        base = AwsLogs("").base(place) if is_auto else self.log_types[0].base(place)
        return work_name(self.options.log_type, self.options.bucket, base)

    def items(self, read: Read | None = None) -> Generator[Item, None, None]:
        """The records of all new objects: account by account, region by region, day by day."""
        finding = self._open()
        if self._removal is not None:
            for _ in self._removal.earlier():
                yield Barrier()
        yield from (read or self.read)(self._counted(finding))
        yield Barrier(AllListed())

    def load(self) -> None:
        """Import what reading takes."""
        load()

    def read(self, found: Iterator[Found | None], share: int = 1) -> Generator[Item, None, None]:
        """The records of these objects; this is one of `share` readers."""
        if self._client is None:
            self._client = client("s3", self._access, pool=self._requests + 1)
        opening = Opening(self._client, seconds=self._access.call_seconds, note=self._note)
        reader = Reader(
            self.log_types,
            skip_on_error=self.options.skip_on_error,
            limits=Limits(size=self.options.max_object_size, ratio=self.options.max_ratio),
            anew=opening.anew,
            note=self._note,
        )
        requests, budget = max(2, self._requests // share), self._budget // share
        with closing(fetched(found, opening, ask=opening.ask, requests=requests, budget=budget)) as objects:
            yield from reader.read_all(objects)

    def commit(self, positions: Sequence[ObjectPosition | StreamPosition | AllListed]) -> None:
        """Remember the positions; with `remove`, delete the objects that are finished, and tell what failed at last."""
        objects = self._weighed(position for position in positions if isinstance(position, ObjectPosition))
        self.objects_by_type.update(position.log_type for position in objects if position.finished)
        self._uncommitted -= sum(position.finished for position in objects)
        days = [position for position in positions if isinstance(position, StreamPosition)]
        is_over = len(objects) + len(days) < len(positions)
        if self._work is not None and not self.options.reparse:
            self._work.commit([*objects, *days], remove=self.options.remove)
            if is_over:
                self._work.listed_all()
        if self._removal is not None:
            for position in objects:
                if position.finished:
                    self._removal.add(position.found.origin.key, position.found.etag)
            if is_over:
                self._removal.finish()
        if is_over and self._refused and not self._can_read:
            raise ServiceError(
                f"{self._refused}; no object could be read, {self._refusals:,} refused: that counts as no attempt, and "
                "the next run tries again"
            )

    def backlog(self) -> int:
        """How many objects were found so far that are not delivered and committed as a whole."""
        return self._uncommitted

    def close(self) -> None:
        """Delete what is left to delete; let go of state and connections."""
        try:
            if self._removal is not None:
                self._removal.close()
                self._removal = None
        finally:
            if self._work is not None:
                self._work.close()
                self._work = None
            if self._checkpoints is not None:
                self._checkpoints.close()
                self._checkpoints = None
            if self._client is not None:
                self._client.close()
                self._client = None

    def _weighed(self, positions: Iterable[ObjectPosition]) -> list[ObjectPosition]:
        """The positions. What S3 has refused counts as an attempt if this run could read something else."""
        objects = list(positions)
        self._can_read = self._can_read or any(position.counts for position in objects)
        for at, position in enumerate(objects):
            if position.error and not position.counts:
                self._refused = self._refused or position.error
                self._refusals += 1
                objects[at] = position._replace(counts=self._can_read)
        return objects

    def _open(self) -> Finding:
        options = self.options
        place = place_of(options)
        if options.log_type.lower() == AUTO:
            self.log_types = tuple(log_type for log_type in self.log_types if _may_lie(log_type, place))
        else:
            self.log_types[0].check(place)
        if options.state is not None and (options.state.exists() or not options.reparse):
            self._checkpoints = Checkpoints(options.state, warn=self._warn, now=self._now)
            self._work = self._checkpoints.work(self.work_name, options.lookback)
        self._client = client("s3", self._access, pool=self._requests + 1)
        if options.remove:
            from awsflow.sources.removal import Removal  # noqa: PLC0415 - few ask for it

            remembers = None if options.reparse else self._work
            self._removal = Removal(self._client, options.bucket, remembers, note=self._note, warn=self._warn)
        return Finding(
            options,
            self.log_types,
            self._client,
            self._work,
            today=self._now().date(),
            note=self._note,
            finished_before=self._removal.add if self._removal is not None else lambda key, etag: None,
        )

    def _counted(self, finding: Finding) -> Iterator[Found | None]:
        for found in finding.found():
            self._uncommitted += found is not None
            yield found


def _may_lie(log_type: LogType, place: Place) -> bool:
    """Whether logs of this type can lie there at all."""
    try:
        log_type.check(place)
    except UnknownType:
        return False
    return True
