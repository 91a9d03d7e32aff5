"""Running a configuration: each source at its times, several at once, within one budget, to one sink at one pace."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from awsflow.cli.channel import Channel
from awsflow.cli.collecting import collect, source_of
from awsflow.cli.ending import ended
from awsflow.cli.recording import EVERY, OFTEN, Recording, recorded
from awsflow.configuration import Config, RunConfig, SourceConfig
from awsflow.envelope import plain_json, wazuh_json
from awsflow.errors import QueueDown, ReaderGone
from awsflow.flow import Sink, Stats
from awsflow.items import Record
from awsflow.options import BucketOptions, QueueOptions, ServiceOptions
from awsflow.sinks import NdjsonFile, sink_named
from awsflow.sinks.dead_letters import ROTATE_AT, WAIT
from awsflow.sinks.shared import Shared
from awsflow.stages import Stage

LOOK_UP = 0.2
"""Seconds between two looks whether to stop, and what is due."""


@dataclass(eq=False, slots=True)
class Task:
    """A source, when it is due, and what became of it."""

    source: SourceConfig
    identity: str
    """Tasks of the same one share their state, and take turns; empty: it has none."""
    stays: bool
    """A subscriber that waits for more messages, instead of being collected again and again."""
    due: float
    """By the clock that never goes back."""
    is_running: bool = False
    is_retired: bool = False
    """The configuration has it no more: it ends soon."""
    runs: int = 0
    """How often it has ended."""
    exit_code: int = 0
    """Of its last run."""
    stats: Stats = field(default_factory=Stats)
    """Of its last run, or of this one."""


class Runner:
    """Collects what a configuration names: once, or at its times for ever. `tasks` tells how far each source is.

    What fails is told, and tried again at its next time; the others go on.
    """

    def __init__(
        self, config: Config, channel: Channel, stop: Callable[[], bool], *, once: bool, show: bool = False
    ) -> None:
        """`show` what each run came to."""
        self.tasks: list[Task] = []
        self._run: RunConfig = config.run
        self._channel = channel
        self._stop = stop
        self._once = once
        self._show = show
        self._reader_is_gone = False
        self._changed = threading.Condition()
        self._leaving: list[Task] = []
        """Tasks that are retired, and not yet at their end."""
        self._sink = Shared(self._made)
        self._letters = Shared(
            lambda *_: NdjsonFile(config.run.dead_letter, rotate_at=ROTATE_AT, wait=WAIT), is_kept=False
        )
        self._take(config.sources)

    def run(self, reloaded: Callable[[], Config | None] = lambda: None) -> int:
        """Collect; return the first exit code, in the order of the configuration, that is not 0.

        `reloaded` is asked all the time for a new configuration.
        """
        try:
            while not self._is_over():
                if config := reloaded():
                    self.replace(config)
                with self._changed:
                    self._start_what_is_due()
                    self._changed.wait(LOOK_UP)
            with self._changed:
                self._changed.wait_for(lambda: not any(task.is_running for task in (*self.tasks, *self._leaving)))
        finally:
            self._sink.close()
            self._letters.close()
        if self._reader_is_gone:
            return ReaderGone.exit_code
        return next((task.exit_code for task in self.tasks if task.exit_code), 0)

    def replace(self, config: Config) -> None:
        """Go on with another configuration: sources that it has, too, are not disturbed; others end soon, or begin."""
        fixed = replace(self._run, at_once=config.run.at_once, budget=config.run.budget, state=config.run.state)
        if fixed != config.run:
            self._channel.warning(
                "options of the run, but for at-once, budget and state, stay as they were until a new start"
            )
        self._run = fixed
        before = [task.source for task in self.tasks]
        with self._changed:
            self._take(config.sources)
        after = [task.source for task in self.tasks]
        new, gone = (sum(source not in other for source in one) for one, other in ((after, before), (before, after)))
        self._channel.info(f"the configuration was read again; sources: {len(after)}, new: {new}, gone: {gone}")

    def _take(self, sources: Iterable[SourceConfig]) -> None:
        """Have a task for each of these, an old one where there is one."""
        old, self.tasks = self.tasks, []
        for source in sources:
            known = next((task for task in old if task.source == source), None)
            if known is None:
                known = self._task(source)
            else:
                old.remove(known)
            self.tasks.append(known)
        for task in old:
            task.is_retired = True
            if task.is_running:
                self._leaving.append(task)

    def _task(self, source: SourceConfig) -> Task:
        now = datetime.now(UTC)
        at_once = self._once or source.when.on_start
        pause = 0.0 if at_once else source.when.pause(now, now)
        stays = isinstance(source.collect, QueueOptions) and not self._once
        return Task(source, identity_of(source), stays, time.monotonic() + pause)

    def _is_over(self) -> bool:
        return (
            self._stop()
            or self._reader_is_gone
            or (self._once and all(task.runs and not task.is_running for task in self.tasks))
        )

    def _start_what_is_due(self) -> None:
        """Start the tasks whose time has come, as many as may run at once."""
        running = [task for task in (*self.tasks, *self._leaving) if task.is_running]
        busy = {task.identity for task in running} - {""}
        free = self._run.at_once - sum(not task.stays for task in running)
        now = time.monotonic()
        for task in sorted(self.tasks, key=lambda task: task.due):
            is_free = task.stays or free > 0
            if task.due > now or task.is_running or task.identity in busy or not is_free or (self._once and task.runs):
                continue
            free -= not task.stays
            busy |= {task.identity} - {""}
            task.is_running = True
            threading.Thread(target=self._collect, args=(task,), name="awsflow-source", daemon=True).start()

    def _collect(self, task: Task) -> None:
        """A thread's life: one run of a task. What goes wrong is told, and ends there."""
        begun, begun_at = datetime.now(UTC), time.monotonic()
        name = str(task.source)

        def told(text: str) -> None:
            self._channel.error(text if name in text else f"{name}: {text}")

        task.stats = Stats()
        code = ended(partial(self._collected, task, name), told, self._channel.warning)
        if failed := task.stats.failed:
            self._channel.warning(f"{name}: {failed} lines, rows or objects could not be read; --debug names them")
        if self._show:
            self._sum_up(task, name)
        with self._changed:
            task.exit_code = code
            task.runs += 1
            task.is_running = False
            task.due = begun_at + task.source.when.pause(begun, begun)
            if code == ReaderGone.exit_code:
                self._reader_is_gone = True
            if task in self._leaving:
                self._leaving.remove(task)
            self._changed.notify_all()

    def _collected(self, task: Task, name: str) -> int:
        from awsflow.aws import check_profile  # noqa: PLC0415 - see its other users

        def is_over() -> bool:
            return self._stop() or task.is_retired or self._reader_is_gone

        source = task.source
        options = source.collect
        if task.stays and isinstance(options, QueueOptions):
            options = replace(options, follow=True)
        recording = Recording(
            str(source),
            None if getattr(options, "reparse", False) else self._run.state,
            metrics=self._run.metrics,
            warn=lambda text: self._channel.warning(f"{name}: {text}"),
            every=EVERY if self._run.metrics_port is None else OFTEN,
        )
        try:
            with recorded(recording, is_over):
                check_profile(source.access)
                collect(
                    options,
                    source_of(
                        options,
                        source.access,
                        note=lambda text: self._channel.debug(f"{name}: {text}"),
                        warn=lambda text: self._channel.warning(f"{name}: {text}"),
                        stop=is_over,
                        budget=share_of(self._run.budget, [task.stays for task in self.tasks], self._run.at_once),
                    ),
                    self._sink.share,
                    discard=source.discard,
                    dead_letters=self._letters.share(),
                    stop=is_over,
                    told=lambda failure: self._channel.debug(
                        f"{name}: {failure.origin}, record {failure.number}: {failure.error}"
                    ),
                    encode=plain_json if self._run.plain else wazuh_json,
                    recording=recording,
                    shown=partial(self._shown, task),
                )
        except QueueDown:
            if not self._stop():  # else it could not wait for the queue: the next run sends it
                raise
        return 0

    def _made(self, oversized: Callable[[Record], None], waited: Callable[[float], None]) -> Sink:
        """The sink of all."""
        run = self._run
        return sink_named(
            run.to,
            run.wazuh_home / "queue" / "sockets" / "queue",
            stop=self._stop,
            oversized=oversized,
            oversize=run.oversize,
            max_eps=run.max_eps,
            pace=run.pace,
            waited=waited,
            note=self._channel.debug,
            timeout=run.queue_timeout,
            rotate_at=run.rotate_at,
        )

    def rows(self) -> dict[str, Stats]:
        """The sources that are being collected, with what their runs have come to so far."""
        return {str(task.source): task.stats for task in [*self.tasks, *self._leaving] if task.is_running}

    def _shown(self, task: Task, stats: Stats) -> Stage | None:
        task.stats = stats
        if not self._show:
            return None
        from awsflow.cli.progress import noting  # noqa: PLC0415 - only where somebody looks

        return noting(stats)

    def _sum_up(self, task: Task, name: str) -> None:
        from awsflow.cli.summary import as_line  # noqa: PLC0415 - only where somebody looks

        self._channel.say(f"{name}: {as_line(task.stats)}")


def share_of(budget: int, staying: Sequence[bool], at_once: int) -> int:
    """Bytes that a source may fetch ahead: an equal share for all that run at the same time.

    >>> share_of(60, [True, False, False, False], at_once=2)
    20
    """
    others = len(staying) - sum(staying)
    return budget // max(sum(staying) + min(others, at_once), 1)


def identity_of(source: SourceConfig) -> str:
    """What the state of a source goes by; empty for a queue, which keeps its own."""
    match source.collect:
        case BucketOptions() as options:
            from awsflow.sources.s3 import S3Bucket  # noqa: PLC0415 - each is imported when it is needed

            return S3Bucket.of(options).work_name
        case ServiceOptions(service=service):
            from awsflow.sources.places import work_name  # noqa: PLC0415 - likewise

            return work_name(service, source.access)
    return ""
