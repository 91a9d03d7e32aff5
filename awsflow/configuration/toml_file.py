"""`awsflow.toml`: read, and written from any other configuration."""

import tomllib
from collections.abc import Iterator
from datetime import date, time
from typing import Any

import orjson

from awsflow.configuration.document import Document, Section
from awsflow.configuration.table import TABLES, Option
from awsflow.errors import ConfigError

SOURCES = ("bucket", "service", "subscriber")


def read_toml(content: bytes, file: str) -> Document:
    """The tables; ConfigError, with the line, for what is no TOML."""
    try:
        read = tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"reading {file}, line {line}: this is not UTF-8; save the file in that encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"reading {file}: {error}; see https://toml.io") from None
    except RecursionError:
        raise ConfigError(f"reading {file}: it is nested too deeply; see docs/configuration.md") from None
    except ValueError as error:  # a number of more digits than Python converts, a day that is none
        raise ConfigError(f"reading {file}: {str(error).partition(';')[0]}; see docs/configuration.md") from None
    sources: list[Section] = []
    for table in SOURCES:
        entries = read.pop(table, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigError(f"reading {file}, {table}: write [[{table}]], with two brackets, before each {table}")
        sources += (
            Section(table, f"{file}, [[{table}]] {number}", entry)  # type: ignore[arg-type] # it is one of SOURCES
            for number, entry in enumerate(entries, 1)
        )
    defaults = read.pop("defaults", {})
    if not isinstance(defaults, dict):
        raise ConfigError(f"reading {file}, defaults: write [defaults], then an option a line")
    return Document(
        file, Section("", f"{file}, ", read), Section("defaults", f"{file}, [defaults]", defaults), tuple(sources)
    )


def as_toml(document: Document, *, secrets: bool = False) -> str:
    """The same configuration as `awsflow.toml`. Secrets are left out, and said to be, unless they are wanted."""
    lines = list(_lines(document.run, secrets))
    if document.defaults.values:
        lines += ["", "[defaults]", *_lines(document.defaults, secrets)]
    for source in document.sources:
        lines += ["", f"[[{source.table}]]", *_lines(source, secrets)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _lines(section: Section, secrets: bool) -> Iterator[str]:
    for option in TABLES[section.table]:
        if option.name not in section.values:
            continue
        if option.is_secret and not secrets:
            yield f"# {option.name} is left out: put the keys into ~/.aws/credentials, and name their profile here"
        else:
            yield f"{option.name} = {_value(section.values[option.name])}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case date() | time():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case str():
            return _text(value)
        case _:
            return str(value)


def _text(text: str) -> str:
    """A text as TOML has it: literally, where that is possible, for regular expressions are full of backslashes."""
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    # JSON's escapes are some of TOML's, but for the one character that only TOML wants escaped
    return orjson.dumps(text).decode().replace("\x7f", "\\u007f")


def secrets_in(document: Document) -> Iterator[tuple[Section, Option]]:
    """What is left out unless it is wanted."""
    for section in (document.defaults, *document.sources):
        for option in TABLES[section.table]:
            if option.is_secret and option.name in section.values:
                yield section, option
