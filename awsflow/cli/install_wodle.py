"""`awsflow install-wodle`: what Wazuh's scheduler calls becomes awsflow, or Wazuh's own command again."""

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from awsflow.cli.channel import Channel
from awsflow.cli.ending import ended
from awsflow.cli.wodle_place import BACKUP, WodlePlace
from awsflow.errors import AwsflowError

EXAMPLES = """examples:
  sudo /opt/awsflow/bin/awsflow install-wodle --dry-run
  sudo /opt/awsflow/bin/awsflow install-wodle
  sudo /opt/awsflow/bin/awsflow install-wodle --status || echo 'Wazuh does not call awsflow'
  sudo /opt/awsflow/bin/awsflow install-wodle --uninstall

Run it as root, from the Python environment that Wazuh is to use: the scheduler runs what lies there as root, so nobody
else should be able to write to it. Wazuh's own file is kept beside ours as aws-s3.wazuh-original. An upgrade of Wazuh
puts its file back, and a new Python may lie elsewhere: --status says so (exit code 1), and installing again mends it.
"""
MARK = "# Put here by `awsflow install-wodle`"


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow install-wodle",
        description="Let Wazuh's scheduler call awsflow: put a wrapper named aws-s3 in the place of Wazuh's own.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--wazuh-home", type=Path, metavar="DIR", help="default: $WAZUH_HOME, else /var/ossec")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--uninstall", action="store_true", help="put Wazuh's own file back, exactly as it was")
    what.add_argument("--status", action="store_true", help="only say what Wazuh calls; exit code 1 unless it works")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    return parser


def main(argv: Sequence[str]) -> int:
    """Install, uninstall, or tell; return the exit code."""
    arguments = parser().parse_args(argv)
    channel = Channel(sys.stderr)
    return ended(lambda: _act(arguments, channel), channel.error, channel.warning)


def _act(arguments: argparse.Namespace, channel: Channel) -> int:
    home = arguments.wazuh_home or Path(os.environ.get("WAZUH_HOME") or "/var/ossec")
    with WodlePlace(home, MARK.encode()) as place:
        if arguments.status:
            return _tell(place)
        if arguments.uninstall:
            _uninstall(place, dry=arguments.dry_run)
        else:
            _install(place, channel, dry=arguments.dry_run)
    return 0


def wrapper(interpreter: str, home: Path) -> bytes:
    """The file that the scheduler starts. It becomes awsflow, whatever Wazuh's environment says of its own Python."""
    return os.fsencode(
        f"#!/bin/sh\n{MARK}: Wazuh's scheduler calls awsflow.\n"
        f"# Wazuh's own file is kept as {BACKUP}; `awsflow install-wodle --uninstall` puts it back.\n"
        "unset LD_LIBRARY_PATH\n"
        f"export WAZUH_HOME={shlex.quote(str(home))}\n"
        f'exec {shlex.quote(interpreter)} -I -m awsflow wodle "$@"\n'
    )


def _install(place: WodlePlace, channel: Channel, *, dry: bool) -> None:
    interpreter = os.path.abspath(sys.executable)  # not resolved: a link to Python is what makes an environment one
    problem = _tried(interpreter)
    if problem:
        raise AwsflowError(
            f"installing the wodle: {interpreter} -I -m awsflow: {problem}; install awsflow into an environment of its "
            "own (python3 -m venv /opt/awsflow), and run the awsflow that lies there"
        )
    content = wrapper(interpreter, place.home)
    would = "would be " if dry else ""
    if place.is_ours and place.holds(content):
        print(f"{place.path}: calls {interpreter} already; nothing to do")
    elif place.is_ours:
        if not dry:
            place.replace(content)
        print(f"{place.path}: {would}written anew, now calls {interpreter}")
    else:
        if not dry:
            place.keep_and_replace(content)
        print(f"{place.path}: {would}replaced, calls {interpreter}; Wazuh's own is kept as {BACKUP}")
    for path in _writable_for_others(Path(interpreter), Path(__file__)):
        channel.warning(
            f"{path} belongs to somebody else than root, or others may write to it, and what lies there is run as "
            "root; install awsflow where only root may write, such as /opt/awsflow"
        )
    if place.has("s3_cloudtrail.db") and not place.has("awsflow.db"):
        print("Before its first run, `awsflow state import` lets awsflow go on where Wazuh's module was")


def _uninstall(place: WodlePlace, *, dry: bool) -> None:
    if not place.is_ours:
        print(f"{place.path}: this is no wrapper of awsflow, but Wazuh's own file; nothing to do")
        return
    if not place.has(BACKUP):
        raise AwsflowError(
            f"putting Wazuh's own file back: {place.path.with_name(BACKUP)} is missing; install Wazuh's package again"
        )
    if not dry:
        place.put_back()
    print(f"{place.path}: {'would be' if dry else 'is'} Wazuh's own file again")


def _tell(place: WodlePlace) -> int:
    if not place.is_ours:
        kept = f"; {BACKUP} beside it: an upgrade has put this one there" if place.has(BACKUP) else ""
        print(f"{place.path}: Wazuh's own file{kept}; `awsflow install-wodle` replaces it")
        return 1
    if not place.holds(place.content):
        print(f"{place.path}: missing, or not with the owner and mode that Wazuh's has; install the wodle again")
        return 1
    interpreter = called_by(place.content)
    problem = _tried(interpreter)
    if problem:
        print(f"{place.path}: calls {interpreter}, which does not work: {problem}; install the wodle again")
        return 1
    kept = f"Wazuh's own is kept as {BACKUP}" if place.has(BACKUP) else "Wazuh's own is not there any more"
    print(f"{place.path}: calls {interpreter}; {kept}")
    return 0


def called_by(content: bytes) -> str:
    """The interpreter that a wrapper of ours calls."""
    words = shlex.split(os.fsdecode(content).splitlines()[-1])
    return words[1] if words[:1] == ["exec"] and len(words) > 1 else "nothing"


def _tried(interpreter: str) -> str:
    """Say what is wrong with awsflow when it is started as the wrapper does, in an empty environment; nothing: ''."""
    try:
        ended = subprocess.run(
            [interpreter, "-I", "-m", "awsflow", "--version"],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
    except OSError as error:
        return error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return "it does not end"
    if ended.returncode == 0:
        return ""
    return (os.fsdecode(ended.stderr).strip().splitlines() or [f"exit code {ended.returncode}"])[-1]


def _writable_for_others(*paths: Path) -> list[Path]:
    """What others than root may change on the way to these files; nothing, if we are not root ourselves."""
    found: dict[Path, None] = {}
    for path in paths if os.geteuid() == 0 else ():
        for step in {path: None, path.resolve(): None}:
            for part in (step, *step.parents):
                status = part.stat()
                shared = status.st_mode & 0o022 and not status.st_mode & 0o1000
                if status.st_uid != 0 or shared:
                    found[part] = None
    return [path for path in found if not found.keys() & set(path.parents)]
