"""Pacing by Wazuh's own gauges: its queue does not overflow, and the run is as fast as that allows."""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from awsflow.errors import QueueDown
from awsflow.items import Origin, Record
from awsflow.sinks.gauged_pace import GaugedPace
from awsflow.sinks.gauges import AGENT_CAPACITY, Gauge, Gauges
from awsflow.sinks.wazuh import Pacing, WazuhSocket
from tests.commands import awsflow
from tests.state_files import SlowEngine, write_agent_state, write_engine_state

EPOCH = 1_800_000_000.0
RAW = 30_000
"""Events per second that are sent when nothing holds them back."""


def records(count: int) -> list[Record]:
    return [Record(b'{"number":%d}' % number, Origin("trail", "key"), number) for number in range(1, count + 1)]


BATCH = records(1000)


class World:
    """An engine, its real state file, and who sends to it, in a time that only passes when somebody sends or sleeps."""

    def __init__(
        self,
        home: Path,
        *,
        capacity: int,
        drains: Callable[[float], float],
        others: Callable[[float], float] = lambda now: 0,
        phase: float = 0.0,
    ) -> None:
        self.now = 0.0
        self.held = 0.0
        self.dropped = 0.0
        self.waited = 0.0
        self.notes: list[str] = []
        self._home = home
        self._capacity = capacity
        self._drains = drains
        self._others = others
        self._received = 0.0
        self._due = 0.0
        self.pace = GaugedPace(
            Gauges(home),
            waited=self._wait,
            note=self.notes.append,
            clock=lambda: self.now,
            sleep=self.sleep,
            wall_clock=lambda: EPOCH + self.now,
        )
        self.sleep(phase)

    def sleep(self, seconds: float) -> None:
        """Let time pass: the engine works, others send, the state file is written every 5 seconds."""
        end = self.now + seconds
        while True:
            if self.now >= self._due:
                write_engine_state(
                    self._home,
                    held=self.held,
                    capacity=self._capacity,
                    received=int(self._received),
                    dropped=int(self.dropped),
                    at=EPOCH + self.now,
                )
                self._due += 5
            step = min(end - self.now, self._due - self.now, 0.02)
            if step <= 0:
                return
            others = self._others(self.now) * step
            self.held = max(self.held + others - self._drains(self.now) * step, 0)
            self._received += others
            self._overflow()
            self.now += step

    def send(self, events: int) -> float:
        """Send so many events, in batches; return how many per second these were."""
        began = self.now
        for _ in range(0, events, len(BATCH)):
            for share in self.pace.shares(BATCH):
                self._arrive(len(share))
                self.sleep(len(share) / RAW)
        return events / (self.now - began)

    def _arrive(self, number: float) -> None:
        self._received += number
        self.held += number
        self._overflow()

    def _overflow(self) -> None:
        self.dropped += max(self.held - self._capacity, 0)
        self.held = min(self.held, self._capacity)

    def _wait(self, seconds: float) -> None:
        self.waited += seconds


# --- what comes of it


@given(
    capacity=st.integers(128, 40_000),
    drain=st.floats(100, 50_000),
    others=st.floats(0, 0.9),
    phase=st.floats(0, 5),
)
@settings(deadline=None, max_examples=15)
@example(capacity=16_384, drain=2000, others=0, phase=2.3)
@example(capacity=16_384, drain=50_000, others=0, phase=4.9)
@example(capacity=128, drain=100, others=0.9, phase=0)
def test_an_engine_of_whatever_speed_and_size_never_has_to_drop_an_event(
    capacity: int, drain: float, others: float, phase: float
) -> None:
    with TemporaryDirectory() as home:
        world = World(
            Path(home), capacity=capacity, drains=lambda now: drain, others=lambda now: drain * others, phase=phase
        )
        world.send(min(30_000, int(40 * drain) // 1000 * 1000))
    assert world.dropped == 0


@pytest.mark.parametrize(("drain", "others"), [(500, 0), (2000, 500), (4000, 1000), (8000, 0)])
def test_in_the_long_run_the_engine_is_kept_busy(tmp_path: Path, drain: float, others: float) -> None:
    world = World(tmp_path, capacity=16_384, drains=lambda now: drain, others=lambda now: others)
    world.send(20 * int(drain) + 10_000)
    assert world.send(10 * int(drain)) == pytest.approx(drain - others, rel=0.1)
    assert world.dropped == 0


def test_short_runs_are_not_held_back_and_an_idle_engine_is_given_more_and_more(tmp_path: Path) -> None:
    world = World(tmp_path, capacity=16_384, drains=lambda now: 50_000)
    assert world.send(8000) == pytest.approx(RAW)
    assert world.waited == 0
    slow = world.send(20_000)
    world.send(200_000)
    assert world.send(50_000) > 2 * slow


def test_an_engine_that_becomes_slower_is_sent_less_and_one_that_recovers_more_again(tmp_path: Path) -> None:
    world = World(tmp_path, capacity=16_384, drains=lambda now: 1500 if 40 <= now < 80 else 2500)
    world.send(2500 * 40)
    slow = world.send(1500 * 25)
    world.sleep(max(90 - world.now, 0))
    world.send(2500 * 10)
    assert slow == pytest.approx(1500, rel=0.15)
    assert world.send(2500 * 10) == pytest.approx(2500, rel=0.15)
    assert world.dropped == 0


def test_when_others_have_filled_the_queue_drops_end_soon_and_are_told(tmp_path: Path) -> None:
    world = World(
        tmp_path, capacity=16_384, drains=lambda now: 4000, others=lambda now: 3900.0 if 30 <= now < 60 else 0.0
    )
    while world.now < 37:
        world.send(1000)
    before = world.dropped
    assert 0 < before < 8000
    while world.now < 60:
        world.send(1000)
    assert world.dropped - before < 500
    assert any("Wazuh has dropped" in note for note in world.notes)


def test_a_queue_that_stays_full_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    world = World(tmp_path, capacity=1000, drains=lambda now: 0)
    world.held = 1000.0
    world.sleep(5)
    assert world.send(1000) == pytest.approx(10, rel=0.5)


def test_it_is_told_once_that_a_run_is_slowed_down_once_that_it_is_no_more_and_for_how_long(tmp_path: Path) -> None:
    world = World(tmp_path, capacity=4000, drains=lambda now: 500 if now < 60 else 1e6)
    world.send(20_000)
    assert world.waited == pytest.approx(world.now, rel=0.1)
    for _ in range(20):
        world.send(1000)
        world.sleep(6)
    slower, again = world.notes
    assert slower.startswith("pacing: Wazuh's queue held 0 of 4,000 events")
    assert again == "pacing: Wazuh keeps up again"


# --- a real socket


@pytest.mark.parametrize("pace", ["off", "auto"])
def test_a_real_engine_drops_events_without_pacing_and_next_to_none_with_it(tmp_path: Path, pace: Pacing) -> None:
    waited: list[float] = []
    with SlowEngine(tmp_path, capacity=400, per_second=2000, interval=0.2) as engine:
        with closing(WazuhSocket(engine.path, pace=pace, look=0.02, waited=waited.append)) as sink:
            sink.write(records(1000))
            sink.write(records(3000))
        assert engine.received > 3900  # the last lie in its socket
        if pace == "off":
            assert engine.dropped > 1000
            assert waited == []
        else:
            assert engine.dropped <= 40
            assert sum(waited) > 0.5


def test_the_commands_pace_too_and_tell_of_it(tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text("".join(f'{{"number": {number}}}\n' for number in range(1500)))
    stats = tmp_path / "stats.json"
    replay = ("replay", log, "--type", "custom", "--format", "jsonl", "--to", "wazuh", "--debug", "--stats-json", stats)
    told = []
    with SlowEngine(tmp_path / "wazuh", capacity=1000, per_second=1e6, interval=0.3):
        for pace in ("auto", "off"):
            ended = awsflow(*replay, "--pace", pace, home=tmp_path, env={"WAZUH_HOME": str(tmp_path / "wazuh")})
            assert ended.returncode == 0, ended.stderr
            told.append((b"pacing: Wazuh's queue held" in ended.stderr, json.loads(stats.read_bytes())["waited"] > 0))
    assert told == [(True, True), (False, False)]


# --- no gauge, no pacing


def shares(home: Path, *, now: float = EPOCH) -> Iterable[int]:
    """How a batch is parted, by somebody who must not wait."""

    def sleep(seconds: float) -> None:
        raise AssertionError("held back")

    pace = GaugedPace(Gauges(home), sleep=sleep, wall_clock=lambda: now)
    return [len(share) for share in pace.shares(BATCH)]


@pytest.fixture
def full(tmp_path: Path) -> Path:
    write_engine_state(tmp_path, held=1000, capacity=1000, at=EPOCH - 10)
    return tmp_path


def test_a_full_queue_holds_events_back(full: Path) -> None:
    with pytest.raises(AssertionError, match="held back"):
        shares(full)


def test_without_a_state_file_nothing_is_held_back(tmp_path: Path) -> None:
    assert shares(tmp_path) == [1000]


def test_a_state_file_that_nobody_writes_any_more_holds_nothing_back(full: Path) -> None:
    assert shares(full, now=EPOCH + 60) == [1000]


def test_a_state_file_that_is_not_written_any_more_is_forgotten_in_the_midst_of_a_run(full: Path) -> None:
    now, notes = 0.0, list[str]()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = GaugedPace(Gauges(full), clock=lambda: now, sleep=sleep, wall_clock=lambda: EPOCH + now, note=notes.append)
    assert sum(len(share) for share in pace.shares(BATCH)) == 1000
    assert 15 < now < 30
    assert notes[-1].endswith("sending as fast as the queue takes it")


def test_off_looks_at_nothing_and_so_does_a_socket_that_lies_in_no_wazuhs_home(tmp_path: Path) -> None:
    with SlowEngine(tmp_path, capacity=10, per_second=1e6, interval=600) as engine:
        write_engine_state(tmp_path, held=10, capacity=10)
        elsewhere = tmp_path / "socket"
        elsewhere.symlink_to(engine.path)
        for path, pace in ((engine.path, "off"), (elsewhere, "auto")):
            waited: list[float] = []
            with closing(WazuhSocket(path, pace="off" if pace == "off" else "auto", waited=waited.append)) as sink:
                sink.write(BATCH)
            assert waited == []


def test_asked_to_stop_what_is_held_back_stays_unsent(tmp_path: Path) -> None:
    with SlowEngine(tmp_path, capacity=1000, per_second=0, interval=600) as engine:
        write_engine_state(tmp_path, held=1000, capacity=1000)
        now = 0.0

        def sleep(seconds: float) -> None:
            nonlocal now
            now += seconds

        sink = WazuhSocket(engine.path, stop=lambda: True, clock=lambda: now, sleep=sleep)
        with closing(sink), pytest.raises(QueueDown, match="was asked to stop"):
            sink.write(BATCH)
        assert 4 < now < 8
    assert engine.received < 100


# --- reading state files


@pytest.fixture
def gauges(tmp_path: Path) -> Callable[[], Gauge | None]:
    found = Gauges(tmp_path)
    return lambda: found.newer(0, EPOCH - 30)


def test_the_engine_tells_what_its_queue_holds(tmp_path: Path, gauges: Callable[[], Gauge | None]) -> None:
    write_agent_state(tmp_path, held=1, at=EPOCH)
    write_engine_state(tmp_path, held=8192, capacity=16_384, received=70, dropped=3, at=EPOCH)
    assert gauges() == Gauge(EPOCH, 8192, 16_384, 70, 3)


def test_an_agent_tells_what_its_buffer_holds(tmp_path: Path, gauges: Callable[[], Gauge | None]) -> None:
    write_engine_state(tmp_path, held=1, capacity=100, at=EPOCH - 60)  # of a time when a server was here
    write_agent_state(tmp_path, held=35, received=12_579, at=EPOCH)
    assert gauges() == Gauge(EPOCH, 35, AGENT_CAPACITY, 12_579, 0)


def test_an_agent_whose_buffer_is_disabled_tells_nothing(tmp_path: Path, gauges: Callable[[], Gauge | None]) -> None:
    write_agent_state(tmp_path, held="", at=EPOCH)
    assert gauges() is None


@pytest.mark.parametrize(
    ("config", "capacity"),
    [
        ("<ossec_config><client_buffer><queue_size>20000</queue_size></client_buffer></ossec_config>", 20_000),
        ("<a/><ossec_config>\n<client_buffer>\n <length> 77 </length></client_buffer></ossec_config>", 77),
        ("<client_buffer><!-- <queue_size>9</queue_size> --><queue_size>300</queue_size></client_buffer>", 300),
        ("<remote><queue_size>131072</queue_size></remote>", AGENT_CAPACITY),
        ("<client_buffer><queue_size>0</queue_size><queue_size>many</queue_size></client_buffer>", AGENT_CAPACITY),
        ("\udcff<client_buffer>", AGENT_CAPACITY),
    ],
)
def test_the_capacity_of_an_agents_buffer_is_in_its_configuration(
    tmp_path: Path, gauges: Callable[[], Gauge | None], config: str, capacity: int
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ossec.conf").write_bytes(config.encode("utf-8", "surrogateescape"))
    write_agent_state(tmp_path, held=1, at=EPOCH)
    gauge = gauges()
    assert gauge is not None
    assert gauge.capacity == capacity


def test_an_agent_that_holds_more_than_it_is_configured_for_is_configured_elsewhere(
    tmp_path: Path, gauges: Callable[[], Gauge | None]
) -> None:
    write_agent_state(tmp_path, held=9000, at=EPOCH)
    assert gauges() == Gauge(EPOCH, 9000, 9000, 0, 0)


@given(cut=st.integers(0, 600))
@settings(deadline=None)
def test_a_state_file_that_is_half_written_tells_the_truth_or_nothing(cut: int) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        write_engine_state(home, held=40, capacity=100, received=123, dropped=12)
        path = home / "var" / "run" / "wazuh-analysisd.state"
        content = path.read_bytes()
        path.write_bytes(content[:cut])
        os.utime(path, (EPOCH, EPOCH))
        assert Gauges(home).newer(0, EPOCH) in (None, Gauge(EPOCH, 40, 100, 123, 12))


@given(content=st.binary(max_size=300) | st.from_regex(rb"(event_queue_(usage|size)='[0-9.e\-+]{0,20}'\n){1,3}"))
@settings(deadline=None)
def test_whatever_lies_in_the_state_files_place_it_is_no_obstacle(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "var" / "run").mkdir(parents=True)
        for name in ("wazuh-analysisd.state", "wazuh-agentd.state"):
            (home / "var" / "run" / name).write_bytes(content)
        gauge = Gauges(home).newer(0, 0)
    assert gauge is None or gauge.capacity > 0


def test_what_is_no_file_or_not_ours_to_read_is_no_gauge(tmp_path: Path, gauges: Callable[[], Gauge | None]) -> None:
    folder = tmp_path / "var" / "run"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "wazuh-analysisd.state")
    (folder / "wazuh-agentd.state").mkdir()
    assert gauges() is None
