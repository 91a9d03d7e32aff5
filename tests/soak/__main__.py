"""The soak test: `python -m tests.soak --minutes 3 --seed 1`. Exit code 1 if anything is lost, or hangs."""

import argparse
import logging
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from moto.server import ThreadedMotoServer

from tests.answers import Answer, Request
from tests.commands import CREDENTIALS
from tests.conftest import Aws
from tests.fault_server import KINDS
from tests.log_service import LogService
from tests.soak.places import Place, places
from tests.soak.receiver import Receiver
from tests.soak.report import printed, write
from tests.test_inspector import InspectorService

LONGEST = 150.0
"""Seconds beyond which a run hangs: every call has four attempts, every silence ends in seconds."""
LAST = 120.0
"""Seconds that the runs without faults may take, at the end, to have everything."""


@dataclass
class Soak:
    """What was tried and what came out."""

    seed: int
    places: list[Place]
    receiver: Receiver
    until: float
    faults: bool = True
    codes: Counter[int] = field(default_factory=Counter)
    hung: list[str] = field(default_factory=list)
    away: int = 0
    stalled: int = 0

    @property
    def lost(self) -> dict[str, int]:
        """Events that never arrived, by place."""
        return {place.name: sum(id_ not in self.receiver.seen for id_ in place.ids) for place in self.places}

    def repeats(self, place: Place) -> int:
        """Events that came again."""
        return sum(max(self.receiver.seen[id_] - 1, 0) for id_ in place.ids)

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing hung, no more repeated than promised."""
        bounded = all(self.repeats(place) <= place.bound for place in self.places)
        return not self.hung and not any(self.lost.values()) and bounded


def soak(seconds: float, seed: int, home: Path) -> Soak:
    """Put, fail, kill and collect for so long; then collect what is left, without faults."""
    os.environ.update(CREDENTIALS)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as stack:
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        log_service, inspector = stack.enter_context(LogService()), stack.enter_context(InspectorService())
        made = places(Aws(f"http://{host}:{port}"), log_service, inspector)
        receiver = stack.enter_context(Receiver(home))
        told = Soak(seed, made, receiver, time.monotonic() + seconds)
        for place in made:
            stack.enter_context(UnderFire(told, place))
        threads = [threading.Thread(target=_collect, args=(told, place)) for place in made]
        threads.append(threading.Thread(target=_disturb, args=(told,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told.faults = False
        for place in made:
            _finish(told, place)
    return told


class UnderFire:
    """A place's server, with faults by chance: single ones, and now and then one that lasts for a second or two."""

    def __init__(self, told: Soak, place: Place) -> None:
        self._told = told
        self._server = place.server
        self._dice = random.Random(f"{told.seed} {place.name}")
        self._storm = (0.0, "")
        self._kinds = [kind for kind in KINDS if kind != "elsewhere" or "bucket" in place.flags[0]]
        self._server.choose = self._choose

    def __enter__(self) -> None:
        self._server.__enter__()

    def __exit__(self, *exception: object) -> None:
        self._server.__exit__(None, None, None)

    def _choose(self, request: Request) -> str | Answer | None:
        if not self._told.faults:
            return None
        now = time.monotonic()
        until, kind = self._storm
        if now < until:
            return kind
        chance = self._dice.random()
        if chance < 0.01:
            self._storm = (now + self._dice.uniform(0.5, 2), self._dice.choice(self._kinds))
        return self._dice.choice(self._kinds) if chance < 0.15 else None


def _command(told: Soak, place: Place) -> list[str]:
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
    return [
        *(sys.executable, "-m", "awsflow", "wodle", *place.flags, "--service_endpoint", place.server.url),
        *("--wazuh-home", str(told.receiver.home), "--only_logs_after", since, "--queue-timeout", "2"),
    ]


def _run(told: Soak, place: Place, killed: Callable[[], bool] = lambda: False) -> int:
    """One run of the real command, which is killed as soon as that says so; its exit code."""
    place.runs += 1
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            _command(told, place),
            env={**os.environ, "AWS_MAX_ATTEMPTS": "4", "HOME": str(told.receiver.home)},
            stdout=output,
            stderr=output,
        )
        while process.poll() is None:
            if killed():
                process.kill()
                place.kills += process.wait() < 0
            elif time.monotonic() - begun > LONGEST:
                process.kill()
                process.wait()
                output.seek(0)
                told.hung.append(f"{place.name} hung: {output.read().decode()}")
            time.sleep(0.005)
    if process.returncode:
        place.broken += 1
    told.codes[process.returncode] += 1
    return process.returncode


def _killer(told: Soak, place: Place, dice: random.Random) -> Callable[[], bool]:
    """When to kill a run: never; or some time after its start; or when so many events more have arrived."""
    how = dice.choice(["never", "by time", "by events", "by events"])
    end = time.monotonic() + dice.uniform(0.3, 4)
    most = told.receiver.by_place[place.name] + dice.randint(1, 1500)
    if how == "by time":
        return lambda: time.monotonic() > end
    if how == "by events":
        return lambda: told.receiver.by_place[place.name] > most
    return lambda: False


def _collect(told: Soak, place: Place) -> None:
    """A place's life: put something, run, again and again."""
    dice = random.Random(f"{told.seed} {place.name} runs")
    while time.monotonic() < told.until:
        for _ in range(dice.randint(0, 3)):
            place.add(dice)
        _run(told, place, _killer(told, place, dice))


def _disturb(told: Soak) -> None:
    """The queue goes away, or is not read, and comes back."""
    dice = random.Random(f"{told.seed} queue")
    receiver = told.receiver
    while time.monotonic() < told.until:
        time.sleep(min(dice.uniform(2, 8), max(told.until - time.monotonic(), 0)))
        if dice.random() < 0.5:
            receiver.away()
            told.away += 1
        else:
            receiver.stall()
            told.stalled += 1
        time.sleep(dice.uniform(0.3, 4))
        receiver.back()
        receiver.read()


def _finish(told: Soak, place: Place) -> None:
    """Run until everything has arrived; what has not by then is lost."""
    end = time.monotonic() + LAST
    while True:
        code = _run(told, place)
        time.sleep(0.3)
        if (not code and not told.lost[place.name]) or time.monotonic() > end:
            return


def main() -> int:
    """Soak, tell, and write the document if asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="awsflow-soak-") as home:
        told = soak(arguments.minutes * 60, arguments.seed, Path(home))
    lines = printed(told, arguments.minutes)
    sys.stdout.write("\n".join(lines) + "\n")
    if arguments.write:
        write(lines)
    return 0 if told.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
