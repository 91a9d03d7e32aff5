"""Wazuh's queue: framing, back-pressure, restarts of the engine, events that do not fit, a cap on events per second."""

import errno
import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.envelope import wazuh_json
from awsflow.errors import ArgumentsError, QueueDown, SinkError
from awsflow.items import Encoded, Origin, Record, Records
from awsflow.joined import Joined
from awsflow.rows import Rows
from awsflow.sinks.pace import Pace
from awsflow.sinks.wazuh import Oversize, WazuhSocket
from tests.wazuh import HEADER, Wazuh

LIMIT = 65_535


class Engine:
    """A queue that is read when the test says so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def read(self) -> list[bytes]:
        """All datagrams that are in the queue."""
        datagrams = []
        with suppress(BlockingIOError):
            while True:
                datagrams.append(self.socket.recv(1 << 22))
        return datagrams

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with closing(Engine(tmp_path / "queue")) as engine:
        yield engine


class Time:
    """A clock that only moves while somebody sleeps, and what else happens then."""

    def __init__(self, while_asleep: Callable[[], None] = lambda: None) -> None:
        self.now = 1_000_000.0
        self.slept: list[float] = []
        self._while_asleep = while_asleep

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds
        self.slept.append(seconds)
        self._while_asleep()


def records(*bodies: bytes) -> list[Record]:
    return [Record(body, Origin("trail", "key"), number) for number, body in enumerate(bodies, 1)]


def joined(bodies: list[bytes], head: bytes) -> Encoded:
    """The same records, several joined behind this head."""
    together = []
    for first in range(0, len(bodies), 7):
        some = bodies[first : first + 7]
        events = Joined(b"".join(head + body + b"\n" for body in some), len(some), head=head)
        together.append(Records(events, Origin("trail", "key"), range(first + 1, first + 1 + len(some))))
    return Encoded(together)


KEPT: dict[str, Callable[[list[bytes]], Sequence[Record]]] = {
    "one by one": lambda bodies: records(*bodies),
    "joined": lambda bodies: joined(bodies, b""),
    "joined behind Wazuh's header": lambda bodies: joined(bodies, HEADER),
    "joined behind another head": lambda bodies: joined(bodies, b"2:elsewhere:"),
}
"""Ways in which a sink may be given records."""
however_kept = pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)


def numbered(count: int) -> list[bytes]:
    return [b'{"number":%d}' % number for number in range(count)]


def in_envelope(**fields: Any) -> bytes:
    log_info = {"aws_account_alias": "", "log_file": "key", "s3bucket": "trail"}
    return json.dumps({"integration": "aws", "aws": {"log_info": log_info, **fields}}, separators=(",", ":")).encode()


def sockets() -> dict[int, str]:
    """The sockets of this process, by descriptor."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket:"):
                found[int(name)] = target
    return found


@contextmanager
def connection_of(sink: WazuhSocket, engine: Engine) -> Iterator[socket.socket]:
    """The sink's own connection, once it has sent something: to change what its kernel lets it do."""
    before = sockets()
    sink.write(records(b"first"))
    engine.read()
    (descriptor,) = set(sockets()) - set(before)
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        yield connection


# --- framing, one connection


def test_an_event_is_one_datagram_behind_wazuhs_header(engine: Engine) -> None:
    with closing(WazuhSocket(engine.path)) as sink:
        sink.write(records(b'{"a":1}', b"text\nin two lines", b"\xff", b""))
    assert engine.read() == [b'1:Wazuh-AWS:{"a":1}', b"1:Wazuh-AWS:text\nin two lines", b"1:Wazuh-AWS:\xff", HEADER]


def test_one_connection_lasts_for_all_batches(engine: Engine) -> None:
    before = sockets().items()
    with closing(WazuhSocket(engine.path)) as sink:
        opened = []
        for _ in range(5):
            sink.write(records(*numbered(5)))
            sink.flush()
            engine.read()
            opened.append(sockets().items() - before)
    assert len(opened[0]) == 1
    assert opened == [opened[0]] * 5


# --- a full queue


@however_kept
def test_a_full_queue_is_waited_for_and_nothing_is_dropped(
    tmp_path: Path, kept: Callable[[list[bytes]], Sequence[Record]]
) -> None:
    wazuh = Wazuh(tmp_path)  # bound, and not yet reading
    with closing(WazuhSocket(wazuh.path, timeout=0)) as sink:
        sender = threading.Thread(target=sink.write, args=(kept(numbered(200)),))
        sender.start()
        sender.join(0.5)
        assert sender.is_alive()
        with wazuh:
            sender.join(10)
            assert wazuh.take() == numbered(200)


def test_a_full_queue_is_given_up_some_seconds_after_somebody_asked_to_stop(engine: Engine) -> None:
    times = chain([10.0, 14.9, 15.0], repeat(15.0))
    sink = WazuhSocket(engine.path, stop=lambda: True, clock=lambda: next(times))
    with closing(sink), pytest.raises(QueueDown, match=f"{engine.path}: the queue is full, and this run was asked to"):
        sink.write(records(*numbered(100)))
    sent = [datagram.removeprefix(HEADER) for datagram in engine.read()]
    assert sent == numbered(len(sent))


def test_a_queue_that_is_only_slow_is_not_given_up_as_soon_as_somebody_asks_to_stop(engine: Engine) -> None:
    arrived = []

    def asked() -> bool:
        arrived.extend(engine.read())
        return True

    with closing(WazuhSocket(engine.path, stop=asked)) as sink:
        sink.write(records(*numbered(40)))
    arrived += engine.read()
    assert arrived == [HEADER + body for body in numbered(40)]


def test_an_engine_that_ends_with_a_full_queue_does_not_leave_the_sender_waiting(engine: Engine) -> None:
    failed: list[Exception] = []
    sink = WazuhSocket(engine.path, timeout=0)

    def send() -> None:
        try:
            sink.write(records(*numbered(100)))
        except QueueDown as error:
            failed.append(error)

    with closing(sink):
        sender = threading.Thread(target=send)
        sender.start()
        sender.join(0.1)
        assert sender.is_alive()
        engine.close()
        sender.join(5)
        assert not sender.is_alive()
    assert "is Wazuh running?" in str(failed[0])


# --- an engine that restarts


@however_kept
@given(restarts=st.dictionaries(st.integers(0, 29), st.integers(0, 5), max_size=6))
@settings(deadline=None, max_examples=60)
def test_restarts_of_the_engine_within_a_batch_neither_lose_nor_repeat_an_event(
    kept: Callable[[list[bytes]], Sequence[Record]], restarts: dict[int, int]
) -> None:
    """`restarts` says before which event the engine goes, and how often is waited until it is back."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "queue"
        arrived: list[bytes] = []
        engines = [Engine(path)]
        away = 0
        number = -2  # of the event that is sent next: the time is asked for once before, then for the first batch

        def clock_before_each() -> float:
            nonlocal away, number
            arrived.extend(engines[-1].read())
            if number in restarts:
                engines[-1].close()
                away = restarts[number]
                if number % 2:
                    path.unlink()
                if away == 0:
                    engines.append(Engine(path))
            number += 1
            return watch.now

        def while_asleep() -> None:
            nonlocal away
            away -= 1
            if away == 0:
                engines.append(Engine(path))

        watch = Time(while_asleep)
        # With a cap, which here holds nothing up, the time is asked for before each event.
        with closing(WazuhSocket(path, max_eps=1e9, clock=clock_before_each, sleep=watch.sleep)) as sink:
            sink.write(records(b"the first batch"))
            sink.write(kept(numbered(30)))
        assert number == 30
        arrived += engines[-1].read()
        engines[-1].close()
    assert arrived == [HEADER + body for body in [b"the first batch", *numbered(30)]]


@however_kept
def test_restarts_of_the_engine_while_its_queue_is_full_neither_lose_nor_repeat_an_event(
    tmp_path: Path, kept: Callable[[list[bytes]], Sequence[Record]]
) -> None:
    engines = [Engine(tmp_path / "queue")]
    arrived: list[bytes] = []

    def restarted() -> bool:
        arrived.extend(engines[-1].read())
        engines[-1].close()
        engines.append(Engine(engines[-1].path))
        return False

    # It is asked whether to stop when the queue has been full for a while.
    with closing(WazuhSocket(engines[0].path, stop=restarted)) as sink:
        sink.write(kept(numbered(40)))
    arrived += engines[-1].read()
    engines[-1].close()
    assert len(engines) > 2
    assert arrived == [HEADER + body for body in numbered(40)]


@however_kept
def test_a_restart_of_the_engine_while_an_event_waits_for_it_neither_loses_nor_repeats_one(
    engine: Engine, kept: Callable[[list[bytes]], Sequence[Record]]
) -> None:
    with closing(WazuhSocket(engine.path)) as sink:
        sender = threading.Thread(target=sink.write, args=(kept(numbered(60)),))
        sender.start()
        sender.join(0.1)
        assert sender.is_alive()
        engine.socket.shutdown(socket.SHUT_RD)  # nothing comes behind what it holds
        arrived = engine.read()
        engine.close()
        with closing(Engine(engine.path)) as back:
            while sender.is_alive():
                arrived += back.read()
            arrived += back.read()
    assert arrived == [HEADER + body for body in numbered(60)]


@pytest.mark.parametrize("timeout", [0.0, 0.3, 30.0])
@pytest.mark.parametrize("there", [True, False])
def test_a_queue_that_stays_away_is_given_up_after_the_time_limit(tmp_path: Path, timeout: float, there: bool) -> None:
    path = tmp_path / "queue"
    if there:
        Engine(path).close()  # the socket's file stays, and nobody listens
    watch = Time()
    sink = WazuhSocket(path, timeout=timeout, clock=watch.clock, sleep=watch.sleep)
    with closing(sink), pytest.raises(QueueDown, match=rf"{path}: .*; is Wazuh running\? Nothing"):
        sink.write(records(b"x"))
    assert sum(watch.slept) == pytest.approx(timeout)
    assert max(watch.slept) <= 1
    assert watch.slept == [0, *sorted(watch.slept[1:-1]), *watch.slept[1:][-1:]]  # tried less and less often


def test_a_queue_that_accepts_connections_and_refuses_every_event_is_given_up_after_the_time_limit(
    engine: Engine,
) -> None:
    engine.socket.shutdown(socket.SHUT_RD)
    watch = Time()
    sink = WazuhSocket(engine.path, timeout=10, clock=watch.clock, sleep=watch.sleep)
    with closing(sink), pytest.raises(QueueDown, match="Broken pipe; is Wazuh running"):
        sink.write(records(b"x"))
    assert sum(watch.slept) == pytest.approx(10)
    assert len(watch.slept) < 20


def test_a_queue_that_comes_and_goes_is_given_up_after_the_time_limit(engine: Engine) -> None:
    engines = [engine]

    def come_or_go() -> None:
        engines[-1].close()
        if len(watch.slept) % 2:
            engines.append(Engine(engine.path))
            engines[-1].socket.shutdown(socket.SHUT_RD)  # it is there, but will not read any more

    watch = Time(come_or_go)
    sink = WazuhSocket(engine.path, timeout=5, clock=watch.clock, sleep=watch.sleep)
    engine.close()
    with closing(sink), pytest.raises(QueueDown):
        sink.write(records(b"x"))
    engines[-1].close()
    assert sum(watch.slept) == pytest.approx(5)
    assert len(engines) > 3


def test_nobody_waits_for_a_queue_that_is_away_once_somebody_asked_to_stop(tmp_path: Path) -> None:
    watch = Time()
    sink = WazuhSocket(
        tmp_path / "queue", stop=lambda: len(watch.slept) >= 3, clock=watch.clock, sleep=watch.sleep, timeout=30
    )
    with closing(sink), pytest.raises(QueueDown):
        sink.write(records(b"x"))
    assert len(watch.slept) == 3


def test_asked_to_stop_a_queue_that_is_there_still_gets_the_batch(engine: Engine) -> None:
    with closing(WazuhSocket(engine.path, stop=lambda: True)) as sink:
        sink.write(records(b"x"))
    assert engine.read() == [HEADER + b"x"]


def test_what_was_sent_before_the_queue_went_is_not_sent_again_by_the_next_write(engine: Engine) -> None:
    with closing(WazuhSocket(engine.path, timeout=0)) as sink:
        sink.write(records(b"one"))
        assert engine.read() == [HEADER + b"one"]
        engine.close()
        with pytest.raises(QueueDown):
            sink.write(records(b"two"))
        with closing(Engine(engine.path)) as back:
            sink.write(records(b"two"))
            assert back.read() == [HEADER + b"two"]


# --- places that are no queue


def send_to(path: Path) -> str:
    """What the sink complains of; it does so at once, for waiting would not help."""
    watch = Time()
    with closing(WazuhSocket(path, clock=watch.clock, sleep=watch.sleep)) as sink, pytest.raises(SinkError) as raised:
        sink.write(records(b"x"))
    assert watch.slept == []
    assert "it must be a Unix datagram socket that this user may write to" in str(raised.value)
    return str(raised.value)


def test_a_file_or_folder_in_the_queues_place_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path in (file, tmp_path):
        assert str(path) in send_to(path)


def test_a_stream_socket_in_the_queues_place_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
        stream.bind(str(tmp_path / "stream"))
        stream.listen()
        assert os.strerror(errno.EPROTOTYPE) in send_to(tmp_path / "stream")


def test_a_path_that_is_too_long_for_a_socket_is_told_at_once(tmp_path: Path) -> None:
    assert "AF_UNIX path too long" in send_to(tmp_path / ("x" * 120))


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who may do nothing, if we may become one: root may write anywhere."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_queue_that_this_user_may_not_write_to_is_told_at_once(engine: Engine) -> None:
    engine.path.chmod(0)
    with as_nobody():
        assert os.strerror(errno.EACCES) in send_to(engine.path)


# --- events that do not fit


@contextmanager
def sink_to(engine: Engine, oversize: Oversize) -> Iterator[tuple[WazuhSocket, list[Record]]]:
    """A sink, and the records that it finds too large."""
    told: list[Record] = []
    with closing(WazuhSocket(engine.path, oversize=oversize, oversized=told.append)) as sink:
        yield sink, told


def one_by_one(batch: list[Record], sink: WazuhSocket, engine: Engine) -> list[bytes]:
    """Send records and read each at once: the sender's buffer does not hold all of them."""
    arrived = []
    for record in batch:
        sink.write([record])
        arrived += engine.read()
    return arrived


@pytest.mark.parametrize("oversize", ["shrink", "dead-letter", "send"])
def test_an_event_that_just_fits_is_sent_as_it_is(engine: Engine, oversize: Oversize) -> None:
    body = b"x" * (LIMIT - len(HEADER))
    with sink_to(engine, oversize) as (sink, told):
        sink.write(records(body))
    assert engine.read() == [HEADER + body]
    assert told == []


def test_an_event_that_does_not_fit_is_shrunk_and_the_whole_one_is_given_away(engine: Engine) -> None:
    body = in_envelope(userAgent="u" * 70_000, eventName="RunInstances")
    batch = records(b"before", body, b"behind")
    with sink_to(engine, "shrink") as (sink, told):
        sink.write(batch)
    before, datagram, behind = engine.read()
    assert (before, behind) == (HEADER + b"before", HEADER + b"behind")
    assert LIMIT - 100 < len(datagram) <= LIMIT
    aws = json.loads(datagram.removeprefix(HEADER))["aws"]
    assert aws["log_info"]["truncated"] == ["userAgent"]
    assert aws["eventName"] == "RunInstances"
    assert told == [batch[1]]
    assert batch[1].event == body


@however_kept
@pytest.mark.parametrize("at", range(9))
def test_however_events_are_kept_it_is_told_which_one_does_not_fit(
    engine: Engine, kept: Callable[[list[bytes]], Sequence[Record]], at: int
) -> None:
    large = in_envelope(userAgent="u" * 70_000, eventName="RunInstances")
    bodies = [*numbered(at), large, *numbered(8 - at)]
    with sink_to(engine, "shrink") as (sink, told):
        sink.write(kept(bodies))
    arrived = engine.read()
    assert LIMIT - 100 < len(arrived.pop(at)) <= LIMIT
    assert arrived == [HEADER + body for body in numbered(at) + numbered(8 - at)]
    assert told == [records(*bodies)[at]]


def test_of_rows_it_is_told_which_one_does_not_fit(engine: Engine) -> None:
    rows = Rows(("a",), [["before", "x" * 70_000, "behind"]])
    encoded = wazuh_json.behind(WazuhSocket.head)([Records(rows, Origin("trail", "key"), (1, 2, 3))])
    with sink_to(engine, "shrink") as (sink, told):
        sink.write(Encoded(item for item in encoded if isinstance(item, Records)))
    before, shrunk, behind = engine.read()
    assert (b'"before"' in before, b'"behind"' in behind) == (True, True)
    assert LIMIT - 100 < len(shrunk) <= LIMIT
    assert [record.number for record in told] == [2]


@however_kept
def test_however_events_are_kept_one_that_the_kernel_refuses_is_shrunk_and_told(
    engine: Engine, kept: Callable[[list[bytes]], Sequence[Record]]
) -> None:
    """Of all of them is known that none is too large for Wazuh."""
    with sink_to(engine, "shrink") as (sink, told), connection_of(sink, engine) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel makes its minimum of it
        least = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        bodies = [*numbered(1), in_envelope(userAgent="u" * least), *numbered(1)]
        sender = threading.Thread(target=sink.write, args=(kept(bodies),))
        sender.start()  # its buffer does not hold all of them
        arrived: list[bytes] = []
        while sender.is_alive():
            arrived += engine.read()
    first, shrunk, last = [*arrived, *engine.read()]
    assert first == last == HEADER + bodies[0]
    assert json.loads(shrunk.removeprefix(HEADER))["aws"]["log_info"]["truncated"] == ["userAgent"]
    assert told == records(*bodies)[1:2]


def test_with_dead_letter_an_event_that_does_not_fit_is_only_given_away(engine: Engine) -> None:
    batch = records(b"before", b"x" * LIMIT, b"behind")
    with sink_to(engine, "dead-letter") as (sink, told):
        sink.write(batch)
    assert engine.read() == [HEADER + b"before", HEADER + b"behind"]
    assert told == [batch[1]]


def test_with_send_an_event_that_does_not_fit_is_sent_as_it_is(engine: Engine) -> None:
    body = in_envelope(userAgent="u" * 150_000)
    with sink_to(engine, "send") as (sink, told):
        sink.write(records(body))
    assert engine.read() == [HEADER + body]
    assert told == []


def test_with_send_what_the_kernel_refuses_is_shrunk_and_given_away_and_others_are_still_sent_as_they_are(
    engine: Engine,
) -> None:
    refused = in_envelope(userAgent="u" * 10_000_000)
    large = in_envelope(userAgent="u" * 150_000)
    batch = records(refused, large, refused)
    with sink_to(engine, "send") as (sink, told):
        first, second, third = one_by_one(batch, sink, engine)
    assert first == third
    assert LIMIT - 100 < len(first) <= LIMIT
    assert json.loads(first.removeprefix(HEADER))["aws"]["log_info"]["truncated"] == ["userAgent"]
    assert second == HEADER + large
    assert told == [batch[0], batch[2]]


def test_with_send_an_event_that_the_kernel_has_no_memory_for_does_not_stop_the_others(engine: Engine) -> None:
    body = in_envelope(userAgent="u" * 6_000_000)
    with sink_to(engine, "send") as (sink, told), connection_of(sink, engine) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) < 8 << 20:
            pytest.skip("net.core.wmem_max is too small for such a buffer")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
            probe.connect(str(engine.path))
            with suppress(OSError):
                probe.send(body)
                pytest.skip("this kernel has memory for such a datagram")
        sink.write(records(body, b"behind"))
    first, behind = engine.read()
    assert len(first) <= LIMIT
    assert behind == HEADER + b"behind"
    assert len(told) == 1


@pytest.mark.parametrize("oversize", ["shrink", "send"])
def test_where_the_kernel_takes_less_than_wazuh_events_are_shrunk_to_that(engine: Engine, oversize: Oversize) -> None:
    with sink_to(engine, oversize) as (sink, told), connection_of(sink, engine) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel makes its minimum of it
        least = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        batch = records(*(in_envelope(userAgent="u" * size) for size in (200_000, 60_000, 20_000, least, 1000)))
        arrived = one_by_one(batch, sink, engine)
    assert len(arrived) == 5
    assert all(least // 2 < len(datagram) < least for datagram in arrived[:4])
    for datagram in arrived[:4]:
        assert json.loads(datagram.removeprefix(HEADER))["aws"]["log_info"]["truncated"] == ["userAgent"]
    assert arrived[4] == HEADER + in_envelope(userAgent="u" * 1000)
    assert told == batch[:4]


@pytest.mark.parametrize("buffer", [1, 6_000, 20_000, 60_000, 100_000])
def test_whatever_the_kernel_takes_what_is_sent_is_json_in_its_envelope_and_says_what_was_cut(
    engine: Engine, buffer: int
) -> None:
    """Many texts at many depths, things that are no text, and the message of an object that could not be read."""
    nested: dict[str, Any] = {"text": "\u00e9\n" * 3000}
    for level in range(40):
        nested = {"in": nested, "beside": f"{level}" * 500}
    events = [
        in_envelope(nested=nested, name="kept"),
        in_envelope(numbers=list(range(30_000)), name="kept"),
        in_envelope(texts=["x" * size for size in range(0, 2000, 9)], name="kept"),
        json.dumps({"integration": "aws", "aws": {"log_info": {}}, "error_msg": "e" * 200_000}).encode(),
    ]
    with sink_to(engine, "shrink") as (sink, told), connection_of(sink, engine) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        takes = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        arrived = one_by_one(records(*events), sink, engine)
    assert len(arrived) == len(events)
    for datagram, whole in zip(arrived, events, strict=True):
        assert datagram.startswith(HEADER)
        assert len(datagram) <= min(LIMIT, takes)
        event = json.loads(datagram.removeprefix(HEADER))
        assert event["integration"] == "aws"
        assert event["aws"].get("name", "kept") == "kept"
        assert (len(whole) + len(HEADER) > len(datagram)) == ("truncated" in event["aws"]["log_info"])
    assert [record.event for record in told] == [
        whole for whole, datagram in zip(events, arrived, strict=True) if HEADER + whole != datagram
    ]


def test_where_the_kernel_takes_less_than_wazuh_dead_letters_are_not_sent(engine: Engine) -> None:
    with sink_to(engine, "dead-letter") as (sink, told), connection_of(sink, engine) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        batch = records(b"x" * 20_000, b"y")
        sink.write(batch)
    assert engine.read() == [HEADER + b"y"]
    assert told == [batch[0]]


# --- a cap on events per second


def taken_at(pace: Pace, watch: Time, rests: list[float]) -> list[float]:
    """When each of some records gets through, if the one who asks rests before each for so many seconds."""

    def asking() -> Iterator[Record]:
        for rest, record in zip(rests, records(*numbered(len(rests))), strict=True):
            watch.now += rest
            yield record

    return [watch.now for _ in pace.paced(asking())]


@given(
    st.floats(0.1, 2000),
    st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.001, 0.3, 1.0, 5.0]), max_size=200),
)
@settings(deadline=None)
def test_in_no_stretch_of_time_more_events_pass_than_the_cap_and_one_seconds_worth(
    cap: float, rests: list[float]
) -> None:
    watch = Time()
    taken = taken_at(Pace(cap, clock=watch.clock, sleep=watch.sleep), watch, rests)
    recent: deque[float] = deque()
    for moment in taken:  # in the second up to each event
        recent.append(moment)
        while recent[0] < moment - 1:
            recent.popleft()
        assert len(recent) <= 2 * max(cap, 1) + 1
    if taken:
        assert len(taken) <= max(cap, 1) + cap * (taken[-1] - taken[0]) + 1e-3


def test_with_a_cap_events_pass_as_fast_as_it_allows() -> None:
    watch = Time()
    start = watch.now
    taken = taken_at(Pace(10, clock=watch.clock, sleep=watch.sleep), watch, [0.0] * 30)
    assert taken[:10] == [start] * 10
    assert [moment - start for moment in taken[10:]] == pytest.approx([number / 10 for number in range(1, 21)])


def test_tokens_are_saved_for_one_second_not_longer() -> None:
    watch = Time()
    taken = taken_at(Pace(5, clock=watch.clock, sleep=watch.sleep), watch, [0.0] * 5 + [3600.0] + [0.0] * 9)
    late = [moment - taken[5] for moment in taken[5:]]
    assert late == pytest.approx([0] * 5 + [0.2, 0.4, 0.6, 0.8, 1.0], abs=1e-6)


def test_less_than_one_event_per_second_is_a_cap_too() -> None:
    watch = Time()
    start = watch.now
    taken = taken_at(Pace(0.1, clock=watch.clock, sleep=watch.sleep), watch, [0.0] * 3)
    assert [moment - start for moment in taken] == pytest.approx([0, 10, 20])


@pytest.mark.parametrize("cap", [0, -1, float("nan"), float("inf")])
def test_a_cap_that_lets_nothing_or_everything_pass_is_an_error(cap: float) -> None:
    with pytest.raises(ArgumentsError, match="a number above 0"):
        Pace(cap)


def test_the_socket_keeps_to_the_cap(engine: Engine) -> None:
    arrived: list[bytes] = []
    watch = Time(lambda: arrived.extend(engine.read()))
    with closing(WazuhSocket(engine.path, max_eps=4, clock=watch.clock, sleep=watch.sleep)) as sink:
        for number in range(2):
            sink.write(records(*numbered(10)[number * 5 : number * 5 + 5]))
    assert arrived + engine.read() == [HEADER + body for body in numbered(10)]
    assert sum(watch.slept) == pytest.approx((10 - 4) / 4)


def test_asked_to_stop_the_rest_of_a_batch_is_not_held_up(engine: Engine) -> None:
    arrived: list[bytes] = []
    watch = Time(lambda: arrived.extend(engine.read()))
    sink = WazuhSocket(engine.path, max_eps=1, stop=lambda: len(watch.slept) >= 7, clock=watch.clock, sleep=watch.sleep)
    with closing(sink):
        sink.write(records(*numbered(10)))
    assert arrived + engine.read() == [HEADER + body for body in numbered(10)]
    assert sum(watch.slept) < 2


def test_the_real_clock_serves_as_well(tmp_path: Path) -> None:
    with Wazuh(tmp_path) as wazuh, closing(WazuhSocket(wazuh.path, max_eps=200)) as sink:
        started = time.monotonic()
        sink.write(records(*numbered(260)))
        assert 0.29 < time.monotonic() - started < 3
        assert wazuh.take() == numbered(260)
