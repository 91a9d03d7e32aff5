"""`awsflow state import`: the positions of Wazuh's own module become ours."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from awsflow.cli.channel import Channel
from awsflow.errors import AlreadyRunning, StateError
from awsflow.sources.taking_over import taken_streams
from awsflow.state.checkpoints import Checkpoints
from awsflow.state.taking_over import WAZUHS_LOGS, WAZUHS_SCANS, TakingOver
from awsflow.state.wazuh_databases import FILES, WazuhDatabase

_TOLD = {
    "new": "taken over",
    "further": "further than ours: taken over",
    "older": "ours is as far: kept",
}
_OFFERED = "taken over, unless a run of ours has read there"


def take_over(places: Sequence[Path], folder: Path, state: Path | None, channel: Channel) -> int:
    """Take over what lies in these databases or folders (none: in `folder`); say of each work what was done."""
    paths = list(_databases(places or [folder]))
    failed: list[str] = []
    with Checkpoints(state or folder / "awsflow.db", warn=channel.error) as checkpoints:
        for path in paths:
            try:
                with closing(WazuhDatabase(path)) as database, ExitStack() as open_works:
                    _Import(path, database, checkpoints, open_works, failed).all()
            except StateError as error:
                failed.append(str(error))
    for text in failed:
        channel.error(text)
    return StateError.exit_code if failed else 0


def _databases(places: Sequence[Path]) -> Sequence[Path]:
    found: list[Path] = []
    for place in places:
        inside = [place / name for name in FILES if (place / name).exists()] if place.is_dir() else [place]
        if not inside:
            raise StateError(
                f"importing from {place}: there is neither {' nor '.join(FILES)}; name the files themselves"
            )
        found += inside
    return found


class _Import:
    """The import of one database."""

    def __init__(
        self,
        path: Path,
        database: WazuhDatabase,
        checkpoints: Checkpoints,
        open_works: ExitStack,
        failed: list[str],
    ) -> None:
        self._path = path
        self._database = database
        self._checkpoints = checkpoints
        self._open_works = open_works
        self._failed = failed
        self._works: dict[str, TakingOver | None] = {}

    def all(self) -> None:
        """Take over all that is there."""
        any_thing = self._keys()
        any_thing |= self._services()
        for table in self._database.unknown():
            self._failed.append(
                f"importing {self._path}: its table {table} is none that is known, or lacks columns; begin with "
                "--only_logs_after what it is about"
            )
        if not any_thing:
            print(f"{self._path}: nothing is remembered there")

    def _keys(self) -> bool:
        any_key = False
        for kept in self._database.kept_keys():
            any_key = True
            streams, strange = taken_streams(kept)
            for taken in streams:
                work = self._work(taken.work)
                if work is None:
                    continue
                newest = taken.keys[-1][0]
                outcome = work.objects(taken.stream, taken.keys, taken.before, kept.last_run or newest)
                keys = f"{len(taken.keys):,} keys{' and all before' if taken.before else ''}, newest {newest}"
                print(f"{taken.work}: {taken.stream}: {keys}: {_TOLD[outcome]}")
            if strange:
                self._failed.append(
                    f"importing {self._path}: {len(strange)} keys of {kept.log_type} lie where awsflow looks for none: "
                    f"s3://{kept.bucket}/{strange[0]}"
                )
        return any_key

    def _services(self) -> bool:
        groups: Counter[tuple[str, str]] = Counter()
        for position in self._database.log_streams():
            if (logs := self._work(WAZUHS_LOGS)) is not None:
                logs.log_stream(position)
                groups[position.region, position.group] += 1
        for (region, group), count in groups.items():
            print(f"cloudwatchlogs: {region} {group}: {count:,} log streams: {_OFFERED}")
        scans = 0
        for scan in self._database.scans():
            if (scanned := self._work(WAZUHS_SCANS)) is not None:
                scanned.scan(scan)
                scans += 1
                done = datetime.fromtimestamp(scan.done / 1000, UTC)
                print(f"{scan.service}: {scan.region}: all before {done:%Y-%m-%dT%H:%M:%SZ}: {_OFFERED}")
        return bool(groups) or scans > 0

    def _work(self, name: str) -> TakingOver | None:
        """The work of this name; None if a run has it open."""
        if name not in self._works:
            self._works[name] = None
            try:
                self._works[name] = self._open_works.enter_context(self._checkpoints.taking_over(name))
            except AlreadyRunning as error:
                self._failed.append(f"{error}, and import again")
        return self._works[name]
