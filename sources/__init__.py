"""Sources: where records come from, and how their positions are committed.

Each is imported when it is asked for: a run has but one, and the scheduler starts a process per bucket per interval.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from awsflow.sources.cloudwatch_logs import CloudWatchLogs
    from awsflow.sources.dead_letters import DeadLetterFiles
    from awsflow.sources.files import LocalFiles
    from awsflow.sources.inspector import Inspector
    from awsflow.sources.s3 import S3Bucket
    from awsflow.sources.s3_objects import S3Objects
    from awsflow.sources.sqs import Queue

__all__ = ["CloudWatchLogs", "DeadLetterFiles", "Inspector", "LocalFiles", "Queue", "S3Bucket", "S3Objects"]

_MODULES = {
    "CloudWatchLogs": "cloudwatch_logs",
    "DeadLetterFiles": "dead_letters",
    "Inspector": "inspector",
    "LocalFiles": "files",
    "Queue": "sqs",
    "S3Bucket": "s3",
    "S3Objects": "s3_objects",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"awsflow.sources.{_MODULES[name]}"), name)
