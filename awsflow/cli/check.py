"""`awsflow check`: of each source what works and what does not, before anything is collected; and what to do."""

import argparse
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from awsflow.cli.channel import Channel
from awsflow.cli.chosen import Choice, Chosen, add_choice, choice, printing
from awsflow.cli.summary import count

if TYPE_CHECKING:
    from awsflow.cli.checkup import Result

EXAMPLES = """examples:
  awsflow check                                          # all that /var/ossec/etc/ossec.conf names
  awsflow check --config awsflow.toml
  awsflow check bucket my-trail --type cloudtrail --profile logs
  awsflow check service cloudwatchlogs --log-group '/aws/eks/*' --region eu-west-1
  awsflow check subscriber security_lake --queue lake --role-arn arn:aws:iam::123456789012:role/lake --external-id ID
  awsflow check --json | jq '.sources[].results[] | select(.outcome == "failed")'

Each permission is tried by asking for little: nothing is collected, written, deleted or sent, and no message of a
queue is touched. What cannot be tried so is marked `-`; `look` is what works, but should be looked at. Where a
permission is missing, the statement that allows it is printed; `awsflow policy` prints all that are needed.
Exit code: 0 if all works, or else that of the first failure, as a run would end with it.
"""
AT_ONCE = 8
"""Sources that are looked at, at the same time."""
_MARKS = {"ok": "ok", "failed": "FAILED", "look": "look", "untried": "-"}
HERE = "this machine"


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow check",
        description="Say of each source what works, what does not, and what to do.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_choice(parser, _add_own)
    return parser


def main(argv: Sequence[str]) -> int:
    """Look; return the exit code."""
    return printing(parser().parse_args(argv), _check)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _check(arguments: argparse.Namespace, channel: Channel, out: Channel) -> int:
    chosen = choice(arguments, channel)
    for source in chosen.sources:
        out.hide([source.access.access_key, source.access.secret_key, source.access.external_id])
    found: list[tuple[str, list[Result]]] = []
    for name, results in _looked_at(chosen):
        found.append((name, results))
        if not arguments.json:
            for line in as_lines(name, results):
                out.say(line)
    every = [result for _, results in found for result in results]
    exit_code = next((result.exit_code for result in every if result.outcome == "failed"), 0)
    if arguments.json:
        told = {"time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **as_json(found), "exit_code": exit_code}
        for line in json.dumps(told, indent=1).splitlines():
            out.say(line)
    else:
        out.say(_summary(every))
    return exit_code


def _looked_at(chosen: Choice) -> Iterator[tuple[str, list["Result"]]]:
    """What was found of each source, in their order, and of this machine. Whoever loses patience need not wait."""
    turns = threading.Semaphore(AT_ONCE)
    answers: list[SimpleQueue[list[Result] | Exception]] = []
    for source in chosen.sources:
        answers.append(SimpleQueue())
        threading.Thread(target=_look, args=(source, turns, answers[-1]), name="awsflow-check", daemon=True).start()
    for source, answer in zip(chosen.sources, answers, strict=True):
        found = answer.get()
        if isinstance(found, Exception):
            raise found
        yield source.name, found
    here = list(_of_machine(chosen))
    if here:
        yield HERE, here


def _look(source: Chosen, turns: threading.Semaphore, answer: "SimpleQueue[list[Result] | Exception]") -> None:
    """A thread's life."""
    with turns:
        try:
            answer.put(_of_source(source))
        except Exception as error:  # noqa: BLE001 - raised again, where it is told
            answer.put(error)


def _of_source(source: Chosen) -> list["Result"]:
    from awsflow.cli.checkup import check_up  # noqa: PLC0415 - `--help` needs no AWS

    return list(check_up(source.options, source.access))


def _of_machine(chosen: Choice) -> Iterator["Result"]:
    from awsflow.cli.checkup.here import of_file, of_state, of_wazuh  # noqa: PLC0415 - likewise
    from awsflow.sinks.wazuh import QUEUE  # noqa: PLC0415 - likewise

    kind, _, place = chosen.to.partition(":")
    if kind == "wazuh":
        yield from of_wazuh(Path(place) if place else chosen.wazuh_home.joinpath(*QUEUE))
    elif kind == "file" and place:
        yield from of_file(Path(place))
    if chosen.state is not None:
        yield from of_state(chosen.state)


def as_lines(name: str, results: Iterable["Result"]) -> Iterator[str]:
    """The table of one source."""
    yield name
    results = list(results)
    width = max((len(result.what) for result in results), default=0)
    for result in results:
        yield f"  {_MARKS[result.outcome]:<6}  {result.what:<{width}}  {result.told}".rstrip()
        if result.allow is not None:
            yield f"  {'':<6}  {'':<{width}}  {json.dumps(result.allow)}"


def as_json(found: Iterable[tuple[str, Sequence["Result"]]]) -> dict[str, Any]:
    """The same for machines."""
    told = [{"source": name, "results": [asdict(result) for result in results]} for name, results in found]
    return {
        "sources": [each for each in told if each["source"] != HERE],
        "machine": next((each["results"] for each in told if each["source"] == HERE), []),
    }


def _summary(results: Sequence["Result"]) -> str:
    failures = sum(result.outcome == "failed" for result in results)
    look = sum(result.outcome == "look" for result in results)
    told = f"{count(failures, 'failure')}" if failures else "all that was tried works"
    if look:
        told += f", {count(look, 'thing')} to look at"
    return told
