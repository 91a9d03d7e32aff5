"""`awsflow demo`: the real thing on one machine, between a made-up bucket and a queue as Wazuh has it."""

import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from awsflow.cli.demo_scene import (
    ACCOUNTS,
    BUCKET,
    MIXED_BUCKET,
    REGIONS,
    fill,
    fill_with_all_types,
    s3_standin,
    wazuh_queue,
)
from awsflow.cli.ending import ended
from awsflow.errors import AwsflowError, ReaderGone

NOTHING = {"objects": 0, "sent": 0, "seconds": 0.0}
"""What a run did that tells nothing of itself."""
ENDING = (signal.SIGINT, signal.SIGTERM)
"""Signals that break the demo off."""
LONGEST_RUN = 60.0
"""Seconds after which a run is given up."""
MIXED = (
    ("--type", "auto"),
    ("--type", "server_access", "--prefix", "access-logs/"),
    ("--type", "cisco_umbrella", "--prefix", "dnslogs/"),
    ("--type", "cloudtrail_digest"),
)
"""Flags with which all of the second bucket is read."""
LINES = 14
"""Of the one event that is shown."""

DESCRIPTION = """\
Make a bucket of sample CloudTrail logs in an S3 stand-in on this machine, listen where Wazuh would, and run
`awsflow wodle` twice; then collect logs of all other types. It needs no AWS account, no Wazuh and no network, and it
leaves nothing behind."""
EXAMPLES = """examples:
  pip install 'awsflow[demo]'
  awsflow demo
"""


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    return argparse.ArgumentParser(
        prog="awsflow demo",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main(argv: Sequence[str]) -> int:
    """Show it; return 0 if all arrived, else 1."""
    parser().parse_args(argv)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    try:
        return ended(_demo, _complain, _complain)
    finally:
        signal.signal(signal.SIGTERM, before)


def _demo() -> int:
    _say("Collecting CloudTrail logs from S3 into Wazuh, all on this machine.\n")
    with (
        s3_standin() as endpoint,
        tempfile.TemporaryDirectory(prefix="awsflow-demo-") as folder,
        wazuh_queue(folder) as queue,
    ):
        sent, key = fill(endpoint)
        _say(f"A bucket, {BUCKET}, in an S3 stand-in at {endpoint}:")
        _say(f"  {len(ACCOUNTS)} accounts, {len(REGIONS)} regions, {len(sent):,} events, in objects such as")
        _say(f"  {key}")
        _say(f"Wazuh's queue, a datagram socket: {queue.getsockname()}\n")
        command = _command(endpoint, folder)
        _say("$ " + " \\\n    ".join(_lines_of(command)))
        first = _run(command, folder, queue)
        _say(f"  {first.told()}")
        _show(first.events)
        _say("\nThe same command again:")
        second = _run(command, folder, queue)
        _say(f"  {second.told()}\n")
        return _judge(sent, first, second) or _all_types(endpoint, folder, queue)


def _all_types(endpoint: str, folder: str, queue: socket.socket) -> int:
    """Collect logs of all the other types, each once; return 0 if all arrived, else 1."""
    objects = fill_with_all_types(endpoint)
    _say(f"\nA second bucket, {MIXED_BUCKET}, has an object of each of the {objects} log types (`awsflow types`).")
    _say("One command finds out what is there; three name what has a prefix of its own, or is no log of events:")
    arrived: Counter[str] = Counter()
    done = 0
    for flags in MIXED:
        command = ["awsflow", "bucket", MIXED_BUCKET, *flags]
        _say(f"$ {shlex.join(command)} --to wazuh")
        here = ["--to", f"wazuh:{queue.getsockname()}", "--endpoint-url", endpoint, "--state", f"{folder}/all.db"]
        run = _run([*command, *here], folder, queue)
        _say_wrapped(run.told(), "  ")
        if run.code or len(run.events) != run.stats.get("sent") or run.stats["failed"]:
            _say("This run should send what it reads, and end with code 0.")
            return 1
        arrived.update(str(event["aws"]["source"]) for event in run.events)
        done += run.stats["objects"]
    told = ", ".join(f"{name} {count}" for name, count in sorted(arrived.items()))
    _say_wrapped(f"Events that arrived, by source: {told}")
    if done != objects:
        _say(f"{done} objects were read, but there are {objects}.")
        return 1
    _say("Server, buckets, queue and state are gone again. With a bucket of yours:")
    _say("$ awsflow bucket NAME --type auto | head -3")
    return 0


def _command(endpoint: str, folder: str) -> list[str]:
    after = datetime.now(UTC) - timedelta(days=2)
    flags = {"--bucket": BUCKET, "--type": "cloudtrail", "--only_logs_after": f"{after:%Y-%m-%d}"}
    places = {"--service_endpoint": endpoint, "--wazuh-home": folder}
    return ["awsflow", "wodle", *(word for pair in (flags | places).items() for word in pair)]


def _lines_of(command: list[str]) -> list[str]:
    """Break a command line before its longest flags."""
    return [shlex.join(command[:8]), *(shlex.join(command[at : at + 2]) for at in range(8, len(command), 2))]


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run came to."""

    code: int
    printed: str
    events: list[dict[str, Any]]
    """As they arrived."""
    stats: dict[str, Any]
    """As it tells by itself."""

    def told(self) -> str:
        """Sum it up in a line."""
        did = "{objects} objects read, {sent:,} events sent in {seconds:.1f} s; ".format_map(self.stats or NOTHING)
        return f"-> {did}exit code {self.code}, printed {self.printed.strip() or 'nothing'}"


def _run(command: list[str], folder: str, queue: socket.socket) -> _Run:
    """Run the command as Wazuh's scheduler would, reading the queue meanwhile."""
    told, stats = Path(folder, "printed"), Path(folder, "stats.json")
    stats.unlink(missing_ok=True)
    events = []
    process = None
    came: list[int] = []
    # A signal waits until the process is started: half started, nobody would end it.
    before = {number: signal.signal(number, lambda number, frame: came.append(number)) for number in ENDING}
    try:
        with told.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", *command, "--stats-json", str(stats)],
                cwd=folder,  # nothing lies there that could be taken for a module of Python's
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            raise KeyboardInterrupt
        late = time.monotonic() + LONGEST_RUN
        while True:
            try:
                events.append(json.loads(queue.recv(1 << 17).removeprefix(b"1:Wazuh-AWS:")))
            except TimeoutError:
                if process.poll() is not None:
                    break
            if time.monotonic() > late:
                raise AwsflowError(f"running {shlex.join(command)}: it did not end within {LONGEST_RUN:.0f} seconds")
    finally:
        if process is not None:
            process.kill()
            process.wait()  # the folder is to go now, and nobody shall write there any more
        for number, handler in before.items():
            signal.signal(number, handler)
    own = json.loads(stats.read_text()) if stats.exists() else {}
    return _Run(process.returncode, told.read_text(), events, own)


def _show(events: list[dict[str, Any]]) -> None:
    """One event, cut to the screen, and what happened most."""
    if not events:
        return
    width = shutil.get_terminal_size().columns - 1
    event = next((event for event in events if event["aws"].get("eventName") == "ConsoleLogin"), events[0])
    lines = json.dumps(event, indent=1, ensure_ascii=False).splitlines()
    _say("\nOne of the events, as Wazuh's rules get it:")
    for line in [*lines[:LINES], f" ... and {len(lines) - LINES} lines more"]:
        _say(f"  {line}"[:width])
    often = Counter(event["aws"].get("eventName") for event in events).most_common(5)
    _say("What happened most: " + ", ".join(f"{name} {count}" for name, count in often))


def _environment() -> dict[str, str]:
    """Return this environment without its AWS and Wazuh settings, and with made-up credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WAZUH_"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _judge(sent: list[str], first: _Run, second: _Run) -> int:
    arrived = [str(event["aws"].get("eventID")) for event in first.events + second.events]
    well = (first.code, first.printed, second.code, second.printed, second.events) == (0, "", 0, "", [])
    if well and sorted(arrived) == sorted(sent):
        _say(f"All {len(sent):,} events arrived, each once. The second run had nothing to do.")
        return 0
    missing = Counter(sent) - Counter(arrived)
    _say(f"{missing.total():,} of {len(sent):,} events did not arrive; {len(arrived):,} came in all.")
    _say("Both runs should end with code 0 and print nothing, and the second has nothing to send.")
    return 1


def _say_wrapped(text: str, indent: str = "") -> None:
    """Say something longer than a line of the terminal."""
    width = min(shutil.get_terminal_size().columns - 1, 110)
    _say(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False))


def _say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it again at its end
        raise ReaderGone("showing the demo: nobody reads it any more") from None


def _complain(text: str) -> None:
    print(f"awsflow demo: {text}", file=sys.stderr)
