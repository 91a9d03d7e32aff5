"""Arrow's values as those that JSON has: https://arrow.apache.org/docs/python/api/datatypes.html."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, TypeAlias

_Library: TypeAlias = Any  # pyarrow has no types, and is not there on every machine
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """How values of some type are read."""

    kind: Any
    """The type to read them as."""
    convert: Callable[[Any], Any] | None
    """What to make of each. None: they are what they are."""

    def made(self, value: Any) -> Any:
        """What is made of a value; null remains null."""
        return value if value is None or self.convert is None else self.convert(value)


def plan(arrow: _Library, kind: Any) -> Plan:
    """How values of this type are read."""
    types = arrow.types
    if types.is_nested(kind):
        return _nested(arrow, kind)
    if kind.equals(arrow.time64("ns")):  # Python's times have no nanoseconds
        return Plan(arrow.int64(), lambda value: _moment(value, None).partition(" ")[2])
    if types.is_timestamp(kind) and kind.unit == "ns":
        zone = arrow.lib.string_to_tzinfo(kind.tz) if kind.tz else None
        return Plan(arrow.int64(), lambda value: _moment(value, zone))
    convert: Callable[[Any], Any] | None = None
    if types.is_decimal(kind):
        convert = "{:f}".format
    elif types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        convert = _text
    elif types.is_temporal(kind) or isinstance(kind, arrow.BaseExtensionType):
        convert = str
    return Plan(kind, convert)


def values(column: Any, how: Plan) -> list[Any]:
    """The values of a column. One of Arrow's errors, ValueError or the like if one of them cannot be told."""
    read: list[Any] = (column if column.type.equals(how.kind) else column.cast(how.kind)).to_pylist()
    return read if how.convert is None else list(map(how.made, read))


def shown(arrow: _Library, column: Any) -> str:
    """The only value of a column, as far as it can be told, for people."""
    for kind in (column.type, arrow.binary(), arrow.int64()):
        try:
            return repr(column.cast(kind)[0].as_py())
        except (arrow.ArrowException, ValueError, LookupError, ArithmeticError):
            continue
    return "?"


def _nested(arrow: _Library, kind: Any) -> Plan:
    types = arrow.types
    if types.is_struct(kind):
        fields = {field.name: plan(arrow, field.type) for field in kind}
        as_kind = arrow.struct([field.with_type(fields[field.name].kind) for field in kind])
        if all(inner.convert is None for inner in fields.values()):
            return Plan(as_kind, None)
        return Plan(as_kind, lambda value: {name: fields[name].made(inner) for name, inner in value.items()})
    if types.is_map(kind):
        key, item = plan(arrow, kind.key_type), plan(arrow, kind.item_type)
        return Plan(
            arrow.map_(key.kind, item.kind), lambda pairs: [[key.made(name), item.made(value)] for name, value in pairs]
        )
    if types.is_list(kind) or types.is_large_list(kind):
        inner = plan(arrow, kind.value_type)
        list_of = arrow.list_ if types.is_list(kind) else arrow.large_list
        return Plan(
            list_of(kind.value_field.with_type(inner.kind)),
            None if inner.convert is None else lambda some: list(map(inner.made, some)),
        )
    return Plan(kind, None)


def _text(value: bytes) -> str:
    r"""Bytes as text; those that are none, as `\xff`."""
    return value.decode("utf-8", "backslashreplace")


def _moment(nanoseconds: int, zone: tzinfo | None) -> str:
    """What `str` makes of a time, and then the digits that Python's cannot hold.

    >>> _moment(1_500_000_000, None), _moment(1_500_000_007, UTC)
    ('1970-01-01 00:00:01.500000', '1970-01-01 00:00:01.500000007+00:00')
    """
    microseconds, rest = divmod(nanoseconds, 1000)
    moment = _EPOCH + timedelta(microseconds=microseconds)
    moment = moment.astimezone(zone) if zone else moment.replace(tzinfo=None)
    if not rest:
        return str(moment)
    text = moment.isoformat(" ", "microseconds")
    end = len("YYYY-MM-DD HH:MM:SS.ffffff")
    return f"{text[:end]}{rest:03}{text[end:]}"
