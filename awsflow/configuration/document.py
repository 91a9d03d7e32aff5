"""A configuration as it is written, not yet checked: tables of values, and where each stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from awsflow.configuration.table import Table
from awsflow.errors import ConfigError

LARGEST = 8 << 20
"""Bytes of a configuration."""


@dataclass(frozen=True, slots=True)
class Section:
    """A table: its values, by the names of the options in `awsflow.toml`."""

    table: Table
    place: str
    """The file, and where in it."""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)  # there may be secrets among them
    places: Mapping[str, str] = field(default_factory=dict)
    """Of single values, where more is known than the table's place and the option's name."""

    def place_of(self, name: str) -> str:
        """Where an option stands."""
        return self.places.get(name) or f"{self.place}{', ' if self.place[-1:] not in ' ,' else ''}{name}"


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file."""

    file: str
    run: Section
    defaults: Section
    sources: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    """What has no effect, and where it stands: not wrong, but somebody should know."""


def text_of(path: Path) -> bytes:
    """The content of a configuration; ConfigError if it cannot be read."""
    doing = f"reading the configuration {path}"
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(
            f"{doing}: {error.strerror}; name a file that is there, and that this user may read"
        ) from None
    if len(content) > LARGEST:
        raise ConfigError(f"{doing}: it is larger than {LARGEST >> 20} MiB; name an awsflow.toml or an ossec.conf")
    return content
