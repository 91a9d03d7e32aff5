"""Time passes: messages are hidden while they are worked on, queues are followed, runs are stopped."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from awsflow import Batch, Flow
from awsflow.errors import (
    QueueFailed,
)
from awsflow.options import AwsAccess
from awsflow.sources.receiving import AHEAD, IN_FLIGHT, Receiver
from awsflow.sources.sqs_calls import Received
from tests.answers import Answer, Request
from tests.conftest import Aws
from tests.fault_server import FaultServer, refused_by_sqs
from tests.messages import by_s3
from tests.queues import BAD_GZIP, Logs, SlowSink, Told, names, until
from tests.test_flow import FragileSink


@pytest.fixture
def logs(aws: Aws) -> Logs:
    return Logs(aws)


def test_what_takes_longer_than_the_visibility_is_hidden_from_others_and_delivered_once(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=2)
    logs.put("a", "b", "c")
    sink = SlowSink(5)
    run = threading.Thread(target=Flow(logs.source(wait=0)).to(sink).run)
    run.start()
    until(lambda: logs.hidden() == 3)
    others = 0
    while run.is_alive():
        others += logs.received()
        time.sleep(0.2)
    run.join()
    assert others == 0
    assert len(sink.arrived) == 3
    assert logs.left() == 0


def test_an_object_that_comes_slowly_is_hidden_from_others_too(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=2)

    def slow(asked: Request) -> Answer | None:
        if asked.action == "GET /logs/a":
            time.sleep(4)
        return None

    with FaultServer(aws.url, choose=slow) as faulty:
        logs.put("a")
        access = AwsAccess(service_endpoint=faulty.url)
        assert logs.ids(access=access, wait=2) == ["a"]
        assert faulty.count("GET /logs/a") == 1
    assert logs.left() == 0


def test_a_message_that_comes_back_while_it_is_worked_on_is_not_read_again(aws: Aws) -> None:
    logs = Logs(aws, VisibilityTimeout=1)
    warned: list[str] = []

    def denied(asked: Request) -> Answer | None:
        return refused_by_sqs("AccessDenied", 403) if asked.action == "ChangeMessageVisibilityBatch" else None

    with FaultServer(aws.url, choose=denied) as faulty:
        logs.put("a")
        sink = SlowSink(2.5)
        Flow(logs.source(access=AwsAccess(service_endpoint=faulty.url), wait=2, warn=warned.append)).to(sink).run()
        assert faulty.count("GET /logs/a") == 1
    assert len(sink.arrived) == 1
    assert logs.left() == 0
    (told,) = warned
    assert "AccessDenied" in told
    assert "may be delivered twice" in told


def test_without_the_right_to_ask_for_the_visibility_it_is_said_with_each_message(aws: Aws, logs: Logs) -> None:
    def denied(asked: Request) -> Answer | None:
        return refused_by_sqs("AccessDenied", 403) if asked.action == "GetQueueAttributes" else None

    with FaultServer(aws.url, choose=denied) as faulty:
        logs.put("a")
        assert logs.ids(access=AwsAccess(service_endpoint=faulty.url)) == ["a"]
        said = [asked.body["VisibilityTimeout"] for asked in faulty.requests if asked.action == "ReceiveMessage"]
    assert set(said) == {120}


@pytest.fixture
def following(aws: Aws) -> Iterator[Callable[..., tuple[FragileSink, Told]]]:
    """Starts a run that follows the queue; it is stopped at the end, which must take effect in time."""
    stop = threading.Event()
    threads = []

    def start(logs: Logs, **more: Any) -> tuple[FragileSink, Told]:
        sink, told = FragileSink(), Told()
        flow = Flow(
            logs.source(follow=True, stop=stop.is_set, **more),
            failures=told,
            batch=Batch(seconds=0.2),
        ).to(sink)
        threads.append(threading.Thread(target=flow.run))
        threads[-1].start()
        return sink, told

    yield start
    stop.set()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_told_to_follow_it_stays_and_delivers_what_comes(
    logs: Logs, following: Callable[..., tuple[FragileSink, Told]]
) -> None:
    sink, told = following(logs, wait=20)
    for number in range(2):
        time.sleep(0.7)
        logs.put(f"{number}")
        until(lambda count=number + 1: sink.flushed == count)  # type: ignore[misc] # mypy wants to know more of it
    until(lambda: logs.left() == 0)
    assert told.failures == []


def test_what_could_not_be_had_is_tried_again_by_a_run_that_follows_and_told_once(
    aws: Aws, following: Callable[..., tuple[FragileSink, Told]]
) -> None:
    logs = Logs(aws, VisibilityTimeout=1)
    logs.put("bad", content=BAD_GZIP, told=False)
    logs.put("good", told=False)
    with FaultServer(aws.url) as faulty:
        sink, told = following(logs, access=AwsAccess(service_endpoint=faulty.url), wait=20)
        logs.send(by_s3("logs", "late", "good"), by_s3("logs", "bad"))
        until(lambda: faulty.count("GET /logs/late") >= 3)
        logs.put("late", told=False)
        # a message may come back between the two counts of what is left, and be in neither
        until(lambda: "late" in names(sink) and logs.left() == 1)
        assert sorted(failure.origin.key for failure in told.failures) == ["bad", "late"]
        assert faulty.count("GET /logs/bad") == 1
        assert faulty.count("GET /logs/good") == 1
    arrived = Counter(names(sink))
    assert arrived["late"] == arrived["good"] == 1


def test_asked_to_stop_it_gives_back_what_it_has_not_delivered(logs: Logs) -> None:
    keys = [f"{number:03}" for number in range(60)]
    logs.put(*keys)
    sink = FragileSink()
    flow = Flow(logs.source(follow=True, stop=lambda: len(sink.arrived) >= 5), batch=Batch(records=1)).to(sink)
    began = time.monotonic()
    flow.run()
    assert time.monotonic() - began < 10
    assert 5 <= len(sink.arrived) < 60
    rest = logs.ids(wait=0)
    assert sorted(rest + names(sink)) == keys


def test_what_comes_for_a_run_that_has_ended_meanwhile_is_given_back_at_once(logs: Logs) -> None:
    began = time.monotonic()
    noted: list[str] = []
    source = logs.source(follow=True, wait=20, note=noted.append)
    Flow(source, stop=lambda: time.monotonic() - began > 1).to(FragileSink()).run()
    assert time.monotonic() - began < 5
    logs.put("a")  # the call that waits for messages is still under way
    until(lambda: logs.ids() == ["a"], 10)
    assert noted == []


def test_no_more_is_received_than_somebody_has_time_for() -> None:
    numbers = iter(range(1 << 20))
    held: list[str] = []
    received = Receiver(
        lambda: [Received(str(number), f"r{number}", "x") for number, _ in zip(numbers, range(10), strict=False)],
        wait=0,
        follow=False,
        hold=held.append,
        give_back=lambda receipts: None,
        failed_before=lambda id_: False,
    )
    until(lambda: len(held) > AHEAD)
    time.sleep(0.2)
    assert len(held) <= AHEAD + 10
    taken = []
    while (message := received.next(0.5)) is not None:
        taken.append(message)
    assert IN_FLIGHT <= len(taken) < IN_FLIGHT + 10
    for message in taken[:100]:
        received.release(len(message.body))
    assert sum(received.next(0.5) is not None for _ in range(100)) >= 90
    received.stop()


def test_an_error_of_receiving_is_raised_behind_what_was_received() -> None:
    answers: list[list[Received]] = [[Received("1", "r", "x")]]

    def receive() -> list[Received]:
        if not answers:
            raise QueueFailed("refused")
        return answers.pop()

    receiver = Receiver(
        receive, wait=0, follow=True, hold=lambda receipt: None, give_back=lambda receipts: None, failed_before=bool
    )
    until(lambda: not answers)
    assert receiver.next(5) == Received("1", "r", "x")
    with pytest.raises(QueueFailed):
        receiver.next(5)
    assert receiver.ended
