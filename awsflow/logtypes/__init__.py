"""The table of log types. A new one: a module here, its name in the table, a golden pair in the tests.

A type's module is imported when the type is asked for: the scheduler starts a process per bucket per interval.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from awsflow.errors import ArgumentsError, UnknownType
from awsflow.logtypes.types import LogType

AUTO = "auto"
CUSTOM = "custom"


class _Table(Mapping[str, LogType]):
    """The types by their names: each is the constant of that name in its module."""

    _names = (
        "cloudtrail_digest",
        "cloudtrail_insight",
        "cloudtrail",
        "config",
        "guardduty",
        "waf",
        "route53resolver",
        "networkfirewall",
        "vpclattice",
        "eks_audit",
        "alb",
        "alb_connection",
        "cisco_umbrella",
        "clb",
        "nlb",
        "server_access",
        "transitgateway",
        "vpcflow",
        "cloudfront",
        CUSTOM,
    )

    def __getitem__(self, name: str) -> LogType:
        if name not in self._names:
            raise KeyError(name)
        log_type: LogType = getattr(import_module(f"awsflow.logtypes.{name}"), name.upper())
        return log_type

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


LOG_TYPES: Mapping[str, LogType] = _Table()
"""In the order in which content is compared with them: the particular before the general."""


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
        if name.lower() != CUSTOM:
            raise ArgumentsError(f"--format {format}: it is for logs of the type custom, not {name}")
        from awsflow.logtypes.custom import custom_in  # noqa: PLC0415 - see above

        return (custom_in(format),)
    if name.lower() == AUTO:
        return tuple(log_type for log_type in LOG_TYPES.values() if log_type.wanted)
    return (log_type_named(name),)
