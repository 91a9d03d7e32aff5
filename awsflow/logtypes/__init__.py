"""The table of log types. A new one: a module here, a line in the table, a golden pair in the tests."""

from awsflow.errors import ArgumentsError, UnknownType
from awsflow.logtypes.cloudtrail import CLOUDTRAIL
from awsflow.logtypes.types import LogType

LOG_TYPES: dict[str, LogType] = {log_type.name: log_type for log_type in (CLOUDTRAIL,)}
"""In the order in which content is compared with them: the particular before the general."""

AUTO = "auto"


def log_type_named(name: str) -> LogType:
    """The log type of this name, in any case; UnknownType if there is none."""
    try:
        return LOG_TYPES[name.lower()]
    except KeyError:
        known = ", ".join(sorted(LOG_TYPES))
        raise UnknownType(f"choosing a log type: there is no type {name!r}; the types are: {known}, {AUTO}") from None


def log_types_named(name: str, format: str = "") -> tuple[LogType, ...]:  # noqa: A002 - as the command line has it
    """The log type of this name, in any case; all that are wanted for `auto`.

    `format` says how objects of the type `custom` read; ArgumentsError for other types, which have their own.
    """
    if format:
        if name.lower() != CUSTOM.name:
            raise ArgumentsError(f"--format {format}: it is for logs of the type custom, not {name}")
        return (custom_in(format),)
    if name.lower() == AUTO:
        return tuple(log_type for log_type in LOG_TYPES.values() if log_type.wanted)
    return (log_type_named(name),)
