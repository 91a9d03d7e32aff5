"""What a configuration may hold: JSON Schema of `awsflow.toml` for editors, tables of its options for people."""

from collections.abc import Sequence
from typing import Any

from awsflow.configuration.table import TABLES, Kind, Option, Table
from awsflow.logtypes import AUTO, LOG_TYPES

HEADINGS: dict[Table, str] = {
    "": "At the top: the run",
    "bucket": "`[[bucket]]`",
    "service": "`[[service]]`",
    "subscriber": "`[[subscriber]]`",
}
_TYPES: dict[Kind, dict[str, Any]] = {
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": 0},
    "number": {"type": "number", "minimum": 0},
    "list": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "date": {"type": "string", "description": "a day, such as 2026-11-01"},
    "interval": {"type": ["string", "integer"], "pattern": "^[0-9]+[smhdwM]?$"},
    "time": {"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}(:00)?$"},
}


def as_schema() -> dict[str, Any]:
    """The JSON Schema of what `awsflow.toml` holds, its dates and times as text."""
    top = _object(TABLES[""])
    defaults = _object(TABLES["defaults"])
    top["properties"]["defaults"] = {"description": "for every source that knows them", **defaults}
    for table in ("bucket", "service", "subscriber"):
        entries = _object(TABLES[table])
        top["properties"][table] = {"type": "array", "items": entries}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "awsflow.toml",
        **top,
        "anyOf": [{"required": [table]} for table in ("bucket", "service", "subscriber")],
    }


def as_markdown() -> str:
    """A table of options for each table of the file, as in docs/configuration.md."""
    common = {option.name for option in TABLES["bucket"]}.intersection(
        *({option.name for option in TABLES[table]} for table in ("service", "subscriber"))
    ) - {"name"}
    every = [option for option in TABLES["bucket"] if option.name in common]
    parts = []
    for table, heading in HEADINGS.items():
        own = [option for option in TABLES[table] if option.name not in common]
        parts.append(f"### {heading}\n\n{_rows(own, has_elements=table != '')}")
    parts.append(f"### All sources\n\n{_rows(every, has_elements=True)}")
    return "\n\n".join(parts)


def _object(options: Sequence[Option]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {option.name: _property(option) for option in options},
        **({"required": needed} if (needed := [option.name for option in options if option.needed]) else {}),
    }


def _property(option: Option) -> dict[str, Any]:
    told: dict[str, Any] = {**_TYPES[option.kind], "description": option.what.replace("`", "")}
    if option.choices:
        told["enum"] = list(option.choices)
    elif option.name == "type":
        told["enum"] = [*sorted(LOG_TYPES), AUTO]
    return told


def _rows(options: Sequence[Option], *, has_elements: bool) -> str:
    rows = (
        ["| option | meaning | in `ossec.conf` |", "|---|---|---|"]
        if has_elements
        else ["| option | meaning |", "|---|---|"]
    )
    for option in options:
        what = option.what + (": " + ", ".join(option.choices) if option.choices else "")
        row = f"| `{option.name}` | {what}{'; needed' if option.needed else ''} |"
        rows.append(f"{row} {_element(option)} |" if has_elements else row)
    return "\n".join(rows)


def _element(option: Option) -> str:
    name, _, attribute = option.element.partition("@")
    if attribute:
        return f"attribute `{attribute}`{f' of `<{name}>`' if name else ''}"
    return f"`<{name}>`" if name else ""
