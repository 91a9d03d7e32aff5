"""EKS audit logs: what was asked of a cluster's Kubernetes API; exported by CloudWatch Logs, a JSON object each line.

Format: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html and
https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
Keys: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3ExportTasks.html

The log group of a cluster has streams of other components too, which an export writes beside this one's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from awsflow.decode.json_lines import json_lines
from awsflow.decode.lines import lines
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import Folders, Listing, Place
from awsflow.logtypes.opening import opening
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_TASK = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_STREAM = "kube-apiserver-audit-"
_NAMES = rf"(?:^|/){_STREAM}[^/]+/\d+(?:\.[a-z0-9]+)?$"
_is_task = re.compile(_TASK).fullmatch
_exported = re.compile(rf"(?:^|/){_TASK}/{_STREAM}[^/]+/\d+\.gz$").search
_time = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z ").match


@dataclass(frozen=True, slots=True)
class Exports:
    """`PREFIX TASK/LOG-STREAM/000000.gz`: each task of an export has a folder, which is a stream, and is done once."""

    log_streams: str
    """What the names of the log streams begin with."""

    @property
    def shown(self) -> str:
        """The layout as people write it."""
        return f"PREFIX/EXPORT-TASK/{self.log_streams}ID/"

    @property
    def by_account(self) -> bool:
        """Accounts are not told apart."""
        return False

    @property
    def is_dated(self) -> bool:
        """There is no day in the keys."""
        return False

    @property
    def is_shared(self) -> bool:
        """A task writes its folder alone."""
        return False

    def base(self, place: Place) -> str:
        """The prefix."""
        return place.prefix

    def streams(self, place: Place, folders: Folders) -> Iterator[str]:
        """Each folder that is named like a task."""
        return (f"{place.prefix}{name}/" for name in folders(place.prefix) if _is_task(name))

    def listings(self, stream: str, since: date, until: date, folders: Folders) -> Iterator[Listing]:
        """One, of the log streams that are wanted."""
        yield f"{stream}{self.log_streams}", ""

    def day(self, key: str, stream: str) -> date | None:
        """There is none."""
        return None

    def part(self, key: str) -> str:
        """Nobody is told apart."""
        return ""

    def holds(self, key: str) -> bool:
        """The key has a task's folder, and in it a log stream's."""
        return _exported(key) is not None


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events, each with its source. The time before each is left off: it is in the event."""
    return sourced(json_lines(_without_times(chunks)), "eks_audit")


def _without_times(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for some in lines(chunks):
        yield b"".join(b"%b\n" % (line[found.end() :] if (found := _time(line)) else line) for line in some)


def looks_like(head: bytes) -> bool:
    """Whether the first line has a time, and an audit event of Kubernetes."""
    found = _time(head)
    event = opening(head[found.end() :]) if found else {}
    return event.get("kind") == b'"Event"' and event.get("apiVersion", b"").startswith(b'"audit.k8s.io/')


EKS_AUDIT = LogType(
    name="eks_audit",
    what="EKS audit logs: what was asked of a cluster's Kubernetes API",
    format="https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
    layouts=(Exports(_STREAM),),
    decode=decode,
    time_field="requestReceivedTimestamp",
    names=_NAMES,
    looks_like=looks_like,
)
