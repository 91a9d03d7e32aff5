"""Run the fuzzer: `python -m tests.fuzz --seconds 60 TARGET...`, or all targets one after the other.

An input that breaks something is kept in tests/fuzz/crashes/, where tests/test_fuzz.py reads it from then on.
"""

import argparse
import hashlib
import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

CRASHES = Path(__file__).parent / "crashes"
MEMORY = 2048
"""Megabytes; what takes more is a bug."""
LONGEST = 25
"""Seconds that one input may take on a busy machine."""


def main(argv: list[str]) -> int:
    """Run targets; the number of those that something was found with."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all of them")
    parser.add_argument("--seconds", type=int, default=10, help="for each target (default: %(default)s)")
    parser.add_argument(
        "--corpus", type=Path, default=Path("build/fuzz"), help="what was found interesting is kept here"
    )
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.alone:
        _fuzz(arguments.targets[0], arguments.seconds, arguments.corpus)
    from tests.fuzz.table import TARGETS  # noqa: PLC0415 - above it is imported with instruments

    if unknown := set(arguments.targets) - TARGETS.keys():
        print(
            f"there is no target {', '.join(sorted(unknown))}; the targets are: {', '.join(TARGETS)}", file=sys.stderr
        )
        return 2
    found = 0
    for name in arguments.targets or TARGETS:
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.fuzz", "--alone", "--corpus", str(arguments.corpus)]
        ended = subprocess.run(
            [*command, "--seconds", str(arguments.seconds), name], stderr=subprocess.PIPE, text=True, check=False
        )
        is_right = ended.returncode == 0
        found += not is_right
        runs = ended.stderr.rpartition("Done ")[2].split(" ")[0] if is_right else "?"
        told = f"{runs} runs" if is_right else f"FOUND something, see {CRASHES}/{name}-*"
        print(f"{name:<20} {told}, {time.monotonic() - began:.0f} s; oracle: {TARGETS[name].oracle}", flush=True)
        if not is_right:
            print(ended.stderr[-3000:], flush=True)
    return min(found, 1)


def _fuzz(name: str, seconds: int, corpus: Path) -> None:
    """Fuzz one target in this process, which the fuzzer ends."""
    atheris: Any = importlib.import_module("atheris")  # of the dependency group `fuzz`, without types
    with atheris.instrument_imports(include=["awsflow"]):
        from tests.fuzz.table import TARGETS  # noqa: PLC0415 - instrumented here
    target = TARGETS[name]
    folder = corpus / name
    folder.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    for seed in target.seeds():
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        f"-timeout={LONGEST}",
        f"-rss_limit_mb={MEMORY}",
        "-max_len=16384",
        f"-artifact_prefix={CRASHES}/{name}-",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
