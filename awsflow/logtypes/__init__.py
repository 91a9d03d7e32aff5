"""The table of log types. A new one: a module here, a line in the table, a golden pair in the tests."""

from awsflow.errors import UnknownType
from awsflow.logtypes.cloudtrail import CLOUDTRAIL
from awsflow.logtypes.types import LogType

LOG_TYPES: dict[str, LogType] = {log_type.name: log_type for log_type in (CLOUDTRAIL,)}


def log_type_named(name: str) -> LogType:
    """The log type of this name, in any case; UnknownType if there is none."""
    try:
        return LOG_TYPES[name.lower()]
    except KeyError:
        known = ", ".join(sorted(LOG_TYPES))
        raise UnknownType(f"choosing a log type: there is no type {name!r}; the types are: {known}") from None
