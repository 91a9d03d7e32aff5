"""What the soak test tells: for people, and for docs/reliability.md."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fault_server import KINDS

if TYPE_CHECKING:
    from tests.soak.__main__ import Soak

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "reliability.md"

HEAD = """# Reliability

At least once, in order within an object: a position is committed only behind a flush, so whatever happens in between,
the next run goes on from there. **0 events are lost, and a run that is killed or ends with an error repeats one batch
(1,000 events) at most**; of a queue, one object more, for a message is deleted as a whole. With `--workers` each may
repeat a batch. An object that is replaced while it is read is a new one, and read from its beginning. This page is
written by `make soak`, where vpcflow has three workers.
"""
FAULTS = """## Faults

Each of these happens in the tests once, which makes no difference unless it says so here, and for good, which ends a
run with the exit code given, a message that says what was being done, where, and what to try, and everything committed
that was delivered before. Where a bucket's run ends with 7, one of a queue ends with 21, and one of CloudWatch Logs
with 16.
"""


def faults_table() -> list[str]:
    """The faults that the fault server knows, as Markdown."""
    lines = ["| fault | what happens | what awsflow does | exit code if it lasts |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        code = f"{kind.code}, for an object {kind.of_object}" if kind.of_object else str(kind.code)
        lines.append(f"| {name} | {kind.happens} | {kind.does} | {code} |")
    return lines


def printed(told: "Soak", minutes: float) -> list[str]:
    """The result of a soak test, as Markdown."""
    faults: Counter[str] = Counter()
    for place in told.places:
        faults.update(place.server.happened)
    lines = [
        f"{minutes:g} minutes, seed {told.seed}: {sum(len(place.ids) for place in told.places):,} events, "
        f"{sum(place.runs for place in told.places)} runs, {faults.total():,} faults, "
        f"{sum(place.kills for place in told.places)} kills (SIGKILL); Wazuh's queue went away {told.away} times, "
        f"and was not read {told.stalled} times. {len(told.hung)} runs hung.",
        "",
        "| source | events | runs | broken | killed | faults | lost | repeats | allowed |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for place in told.places:
        figures = (len(place.ids), place.runs, place.broken, place.kills, place.server.happened.total())
        more = (told.lost[place.name], told.repeats(place), place.bound)
        lines.append(f"| {place.name} | " + " | ".join(f"{figure:,}" for figure in (*figures, *more)) + " |")
    lines += ["", "Faults: " + ", ".join(f"{name} {faults[name]}" for name in KINDS) + ".", ""]
    codes = (f"{code} {often} times" for code, often in sorted(told.codes.items()))
    return [*lines, "Exit codes: " + ", ".join(codes) + " (-9: killed).", *told.hung]


def write(lines: Sequence[str]) -> None:
    """Write the document anew."""
    soaked = ["## The last soak test", "", *lines]
    DOCUMENT.write_text("\n".join([HEAD, FAULTS, *faults_table(), "", *soaked, ""]))
