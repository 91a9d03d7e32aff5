"""The run loop: flush then commit, batches, early ends."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow import Barrier, Batch, Failure, Flow, Item, Origin, Record
from awsflow.envelope import plain_json, wazuh_json
from awsflow.errors import DecodeError, SinkError
from awsflow.flow import deliver
from awsflow.items import Encoded, Records
from awsflow.joined import Joined
from awsflow.rows import Rows
from awsflow.stages import Stage


@dataclass
class Objects:
    """A source of numbered objects that hold numbered events, and remembers how far it was committed."""

    sizes: list[int]
    barrier_every: int = 3
    committed: dict[int, int] = field(default_factory=dict)
    commits: list[list[tuple[int, int]]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    breaks_behind: int | None = None

    def items(self) -> Generator[Item, None, None]:
        given = count()
        try:
            for number, size in enumerate(self.sizes):
                origin = Origin(key=str(number))
                done = self.committed.get(number, 0)
                since = 0
                for event in range(done, size):
                    if next(given) == self.breaks_behind:
                        raise DecodeError("the object is bad here")
                    yield Record(f"{number}.{event}", origin, event + 1)
                    since += 1
                    if since == self.barrier_every:
                        yield Barrier((number, event + 1), read=since)
                        since = 0
                yield Barrier((number, size), read=since, objects=1)
        finally:
            self.closed.append("items")

    def commit(self, positions: Sequence[tuple[int, int]]) -> None:
        assert positions
        self.commits.append(list(positions))
        self.committed.update(positions)

    def close(self) -> None:
        self.closed.append("source")


@dataclass
class FragileSink:
    """Takes events until it has taken `breaks_behind`, then breaks, as a queue that goes away does."""

    arrived: list[str] = field(default_factory=list)
    breaks_behind: int | None = None
    flushed: int = 0
    batches: list[int] = field(default_factory=list)
    closed: int = 0

    def write(self, records: Sequence[Record]) -> None:
        self.batches.append(len(records))
        for record in records:
            if len(self.arrived) == self.breaks_behind:
                raise SinkError("broken")
            assert isinstance(record.event, bytes)
            self.arrived.append(record.event.decode())

    def flush(self) -> None:
        self.flushed = len(self.arrived)

    def close(self) -> None:
        self.closed += 1


class Blocks:
    """A source of one block of rows."""

    def items(self) -> Generator[Item, None, None]:
        yield Records(Rows(("a",), [["1", "2"]]), Origin(envelope="none"), (1, 2))
        yield Barrier()

    def commit(self, positions: Sequence[object]) -> None:
        raise AssertionError("there is no position")

    def close(self) -> None:
        pass


@dataclass
class SinkWithHead(FragileSink):
    """Sends each event behind a head, and tells what stood before them already."""

    head: bytes = b"1:somewhere:"
    heads: list[bytes] = field(default_factory=list)

    def write(self, records: Sequence[Record]) -> None:
        assert isinstance(records, Encoded)
        self.heads += [events.head for events in records.events if isinstance(events, Joined)]
        super().write(records)


def clock_of(*seconds: float) -> Callable[[], float]:
    """A clock that shows these times, one after the other, then stands still."""
    times = chain(seconds, iter(lambda: seconds[-1], None))
    return lambda: next(times)


sizes = st.lists(st.integers(0, 12), max_size=8)


@given(sizes, st.lists(st.integers(0, 40)), st.integers(1, 10))
def test_after_breaks_anywhere_and_restarts_every_event_has_arrived(
    objects: list[int], breaks: list[int], records: int
) -> None:
    batch = Batch(records=records)
    source = Objects(objects, barrier_every=records)
    arrived: list[str] = []
    repeats = 0
    for breaks_behind in [*breaks, None]:
        sink = FragileSink(breaks_behind=breaks_behind)
        with suppress(SinkError):
            Flow(source, batch=batch).to(sink).run()
        repeated = set(arrived) & set(sink.arrived)
        assert len(repeated) <= records
        repeats += len(repeated)
        arrived += sink.arrived
    everything = [f"{number}.{event}" for number, size in enumerate(objects) for event in range(size)]
    assert sorted(set(arrived)) == sorted(everything)
    assert len(arrived) == len(everything) + repeats


@given(sizes, st.integers(0, 60))
def test_when_the_source_breaks_what_it_gave_before_its_last_barrier_is_delivered(
    objects: list[int], breaks_behind: int
) -> None:
    source = Objects(objects, breaks_behind=breaks_behind)
    sink = FragileSink()
    if breaks_behind < sum(objects):
        with pytest.raises(DecodeError, match="bad here"):
            Flow(source).to(sink).run()
    else:
        Flow(source).to(sink).run()
    committed = [f"{number}.{event}" for number, done in source.committed.items() for event in range(done)]
    assert sink.arrived == committed
    assert len(sink.arrived) >= min(breaks_behind, sum(objects)) - 2


@given(sizes, st.integers(1, 10), st.integers(1, 10))
def test_nothing_is_committed_that_was_not_flushed(objects: list[int], records: int, barrier_every: int) -> None:
    sink = FragileSink()

    class Checked(Objects):
        def commit(self, positions: Sequence[tuple[int, int]]) -> None:
            super().commit(positions)
            flushed = set(sink.arrived[: sink.flushed])
            for number, done in self.committed.items():
                assert {f"{number}.{event}" for event in range(done)} <= flushed

    source = Checked(objects, barrier_every)
    Flow(source, batch=Batch(records=records)).to(sink).run()
    assert source.committed == dict(enumerate(objects))


@given(sizes, st.integers(1, 10))
def test_no_batch_is_larger_than_asked_for_when_barriers_are_as_frequent(objects: list[int], records: int) -> None:
    sink = FragileSink()
    Flow(Objects(objects, barrier_every=records), batch=Batch(records=records)).to(sink).run()
    assert all(size <= records for size in sink.batches)


def test_a_batch_is_flushed_when_it_has_enough_bytes() -> None:
    sink = FragileSink()
    Flow(Objects([9]), batch=Batch(size=9)).to(sink).run()  # an event is 3 bytes long
    assert sink.batches == [3, 3, 3]


def test_a_batch_is_flushed_when_it_is_old_enough_also_when_the_source_goes_quiet() -> None:
    sink = FragileSink()
    seen_while_quiet: list[list[str]] = []

    def items() -> Iterator[Item]:
        yield Record("a", Origin(), 1)
        yield Barrier(1)
        seen_while_quiet.append(list(sink.arrived))
        yield Barrier()
        seen_while_quiet.append(list(sink.arrived))

    encoded = (Record(b"a", Origin(), 1) if isinstance(item, Record) else item for item in items())
    committed: list[int] = []
    deliver(encoded, sink, committed.extend, batch=Batch(seconds=1.0), clock=clock_of(0.0, 0.5, 1.5, 1.5))
    assert seen_while_quiet == [[], ["a"]]
    assert committed == [1]


class Simple:
    """A source as somebody writes it first: records, and nothing else."""

    def __init__(self, records: int, written: Callable[[], int] = lambda: 0) -> None:
        self.records = records
        self.waiting_at_most = 0
        self._written = written

    def items(self) -> Generator[Item, None, None]:
        for number in range(1, self.records + 1):
            yield Record(f"{number:05}", Origin(), number)
            self.waiting_at_most = max(self.waiting_at_most, number - self._written())

    def commit(self, positions: Sequence[object]) -> None:
        raise AssertionError("there are no positions")

    def close(self) -> None:
        """Nothing is open."""


def test_what_no_barrier_covers_is_delivered_at_the_end_and_commits_nothing() -> None:
    sink = FragileSink()
    stats = Flow(Simple(3)).to(sink).run()
    assert (sink.arrived, sink.flushed, stats.sent) == (["00001", "00002", "00003"], 3, 3)


@pytest.mark.parametrize("batch", [Batch(records=5), Batch(size=25)])
def test_a_source_without_barriers_does_not_fill_the_memory(batch: Batch) -> None:
    sink = FragileSink()
    source = Simple(1000, written=lambda: len(sink.arrived))
    Flow(source, batch=batch).to(sink).run()
    assert len(sink.arrived) == 1000
    assert 5 < source.waiting_at_most <= 51


def test_stages_come_before_the_encoding_wherever_the_sink_is_named() -> None:
    sink = FragileSink()
    Flow(Objects([2])).to(sink).map(str.upper).filter(lambda event: event.endswith("1")).run()
    assert sink.arrived == ["0.1"]


def test_everything_discarded_is_committed_all_the_same() -> None:
    source = Objects([5, 5])
    sink = FragileSink()
    stats = Flow(source).filter(lambda event: False).to(sink).run()
    assert source.committed == {0: 5, 1: 5}
    assert (sink.arrived, stats.read, stats.discarded, stats.sent) == ([], 10, 10, 0)


def test_the_stats_count_what_was_read_discarded_and_sent() -> None:
    stats = Flow(Objects([4, 3])).filter(lambda event: event.endswith("1")).to(FragileSink()).run()
    assert (stats.read, stats.discarded, stats.sent, stats.objects, stats.bytes_out) == (7, 5, 2, 2, 6)


def test_asked_to_stop_a_flow_delivers_what_it_has_and_closes_everything() -> None:
    source = Objects([100])
    sink = FragileSink()
    Flow(source, stop=lambda: len(source.commits) + len(sink.arrived) == 0).to(sink).run()
    assert sink.arrived == ["0.0", "0.1", "0.2"]
    assert source.committed == {0: 3}
    assert source.closed == ["items", "source"]
    assert sink.closed == 1


def test_a_sink_that_breaks_leaves_nothing_open_and_nothing_committed() -> None:
    source = Objects([5])
    sink = FragileSink(breaks_behind=2)
    with pytest.raises(SinkError):
        Flow(source).to(sink).run()
    assert source.commits == []
    assert source.closed == ["items", "source"]
    assert sink.closed == 1


@dataclass
class Kept:
    added: list[Failure] = field(default_factory=list)
    flushed: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        self.added.append(failure)

    def flush(self) -> None:
        self.flushed = list(self.added)


def test_failures_are_safe_before_anything_behind_them_is_committed() -> None:
    failure = Failure(Origin(), 1, DecodeError("bad"), b"{")
    kept = Kept()

    def commit(positions: Iterable[object]) -> None:
        assert kept.flushed == [failure]

    stats = deliver([failure, Barrier(1)], FragileSink(), commit, failures=kept)
    assert kept.flushed == [failure]
    assert stats.failed == 1


def test_failures_that_nobody_takes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    deliver([Failure(Origin("b", "k"), 7, DecodeError("not JSON"), b"{")], FragileSink(), lambda positions: None)
    assert "s3://b/k, record 7: not JSON" in caplog.text


def test_a_flow_without_a_sink_is_an_iterator_of_records() -> None:
    source = Objects([2, 2])
    assert [record.event for record in Flow(source).map(str.upper)] == ["0.0", "0.1", "1.0", "1.1"]
    assert source.committed == {0: 2, 1: 2}
    assert source.closed == ["items", "source"]


def test_an_iterator_commits_only_what_its_caller_is_done_with() -> None:
    source = Objects([9], barrier_every=3)
    for record in Flow(source):
        if record.number == 7:
            assert source.commits == []  # younger than a batch
            break
    assert source.committed == {0: 6}
    assert source.closed == ["items", "source"]


def test_an_iterator_whose_caller_breaks_commits_nothing_behind_the_break() -> None:
    source = Objects([9], barrier_every=3)

    def consume() -> None:
        for record in Flow(source):
            if record.number == 3:
                raise RuntimeError("the caller broke while it had the third record")

    with pytest.raises(RuntimeError):
        consume()
    assert source.committed == {}


def test_a_flow_without_a_sink_does_not_run() -> None:
    with pytest.raises(ValueError, match=r"add \.to\(sink\)"):
        Flow(Objects([1])).run()


@pytest.mark.parametrize(("encode", "before"), [(wazuh_json, SinkWithHead.head), (plain_json, b"")])
def test_the_head_of_a_sink_stands_before_joined_events_where_the_encoder_can_put_it(
    encode: Stage, before: bytes
) -> None:
    sink = SinkWithHead()
    Flow(Blocks()).to(sink, encode).run()
    assert sink.arrived == ['{"a":"1"}', '{"a":"2"}']
    assert sink.heads == [before]


def test_a_sink_without_a_head_is_given_none() -> None:
    sink = SinkWithHead(head=b"")
    Flow(Blocks()).to(sink).run()
    assert sink.heads == [b""]
