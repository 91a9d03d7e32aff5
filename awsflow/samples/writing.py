"""Writing sample events into objects, as AWS does: however many, in little memory."""

import gzip
from collections.abc import Iterable
from typing import Any, BinaryIO

import orjson


def lines(out: BinaryIO, events: Iterable[Any]) -> None:
    """Write a line for each event: text as it is, anything else as compact JSON."""
    out.writelines((event.encode() if isinstance(event, str) else orjson.dumps(event)) + b"\n" for event in events)


def gzipped_lines(out: BinaryIO, events: Iterable[Any], level: int = 6) -> None:
    """The same, gzipped; `level` is gzip's, 1 to 9."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0, filename="") as zipped:
        for event in events:
            zipped.write((event.encode() if isinstance(event, str) else orjson.dumps(event)) + b"\n")


def gzipped_array(out: BinaryIO, name: str, events: Iterable[Any], level: int = 6, before: str = "") -> None:
    """Write a gzipped JSON document with the events in one array; `before` stands before its name, with its comma."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0, filename="") as zipped:
        separator = f'{{{before}"{name}":['.encode()
        for event in events:
            zipped.write(separator + orjson.dumps(event))
            separator = b","
        zipped.write(b"]}" if separator == b"," else separator + b"]}")
