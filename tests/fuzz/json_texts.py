"""The decoders of JSON, compared with Python's json module."""

import json
from collections.abc import Iterable
from typing import Any

from awsflow.decode.json_documents import array_in_document
from awsflow.decode.json_lines import json_lines
from awsflow.decode.json_objects import json_objects
from awsflow.exactjson import NotJson, json_bytes, json_value
from awsflow.shrink import shrunk
from tests.fuzz.target import Outcome, Target, same_however_chunked

_BLANK = " \t\n\r"


class Unknown(Exception):
    """Python's json module cannot tell: too deep, or too many digits."""


def plain(text: str) -> Any:
    """What Python's json module makes of a text; ValueError if it is no JSON."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        raise Unknown from error


def same(encoded: object, expected: Any) -> bool:
    """Whether an event is what Python's json module says."""
    assert isinstance(encoded, bytes)
    try:
        return _shown(json.loads(encoded)) == _shown(expected)
    except (RecursionError, ValueError):
        return True


def _shown(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def exact_json(data: bytes) -> None:
    """The right value, or NotJson; and what is written reads as the same."""
    try:
        expected, is_json = plain(data.decode().removeprefix("\ufeff")), True
    except Unknown:
        expected, is_json = None, None
    except ValueError:
        expected, is_json = None, False
    try:
        value = json_value(data)
    except NotJson as error:
        assert not is_json, f"refused: {error}"
        assert 0 <= error.offset <= len(data), f"wrong at byte {error.offset} of {len(data)}"
        return
    assert is_json is not False, "accepted"
    written = json_bytes(value)
    assert is_json is None or same(written, expected), f"{written!r} of {expected!r}"
    try:
        assert _shown(json_value(written)) == _shown(value), "another value the second time"
    except RecursionError:
        assert json_bytes(json_value(written)) == written, "written otherwise the second time"


def json_document(data: bytes) -> None:
    """The elements of all `Records` of a document that is right; an error for one that is wrong."""
    told = same_however_chunked(lambda chunks: array_in_document(chunks, "Records", 1 << 16), data)
    _small_limit(data)
    tops: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
        tops[:] = members  # the outermost object comes last
        return dict(members)

    try:
        text = data.decode().removeprefix("\ufeff")
        if not text.strip(_BLANK):
            assert told == Outcome((), ""), told
            return
        value = json.loads(text, object_pairs_hook=keep)
    except RecursionError:
        return
    except ValueError as error:
        if "integer string conversion" not in str(error):
            assert told.error == "DecodeError", f"accepted: {told}"
        return
    arrays: list[Any] = [held for name, held in tops if name == "Records"] if isinstance(value, dict) else [0]
    if not all(held is None or isinstance(held, list) for held in arrays):
        assert told.error == "DecodeError", f"accepted: {told}"
        return
    assert not told.error, f"refused: {told}"
    _are(told, [element for held in arrays for element in held or ()])


def _small_limit(data: bytes) -> None:
    """With a limit of 64 bytes there are events of no more than that."""
    told = same_however_chunked(lambda chunks: array_in_document(chunks, "Records", 64), data, (61,))
    assert all(len(event) <= 64 * 6 for event in told.events if isinstance(event, bytes))


def json_line(data: bytes) -> None:
    """Line by line: an object, or an Unreadable for everything else."""
    told = same_however_chunked(json_lines, data)
    assert not told.error
    lines = [line for line in data.split(b"\n") if line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r")]
    assert len(told.events) == len(lines), f"{len(told.events)} events of {len(lines)} lines"
    for event, line in zip(told.events, lines, strict=True):
        try:
            value = plain(line.decode().removeprefix("\ufeff"))
        except Unknown:
            continue
        except ValueError:
            value = None
        if isinstance(value, dict):
            assert same(event, value), f"{event!r} of {line!r}"
        else:
            assert event == ("unreadable", line.removesuffix(b"\r")), f"{event!r} of {line!r}"


def objects(data: bytes) -> None:
    """The objects of a text that is right, and those in its arrays; of any other as many, however it is cut."""
    told = same_however_chunked(json_objects, data)
    assert not told.error
    decoder = json.JSONDecoder()
    expected: list[Any] = []
    try:
        text = data.decode().removeprefix("\ufeff").lstrip(_BLANK)
        while text:
            value, end = decoder.raw_decode(text)
            expected += value if isinstance(value, list) else [value]
            text = text[end:].lstrip(_BLANK)
    except (RecursionError, ValueError):
        return
    if all(isinstance(value, dict) for value in expected):
        _are(told, expected)


def shrinking(data: bytes) -> None:
    """What is shrunk fits, and an object is still one, in which nothing is there that was not."""
    for limit in (400, 2000):
        small = shrunk(data, limit)
        assert len(small) <= limit, f"{len(small)} bytes of at most {limit}"
        try:
            whole = json_value(data)
        except ValueError:
            continue
        if len(data) > limit and isinstance(whole, dict):
            assert isinstance(json_value(small), dict)


def _are(told: Outcome, expected: list[Any]) -> None:
    assert len(told.events) == len(expected), f"{told} of {expected}"
    for event, value in zip(told.events, expected, strict=True):
        if isinstance(value, dict):
            assert same(event, value), f"{event!r} of {value!r}"
        else:
            assert isinstance(event, tuple), f"{event!r} of {value!r}"


def _seeds() -> Iterable[bytes]:
    yield b'{"Records": [{"a": 1, "b": "x"}, {"a": [1.5, null, true], "c": {"d": "\\u00e9\\ud800"}}]}'
    yield b'{"x": {"Records": [1]}, "Records": [{"n": 12345678901234567890123}, 7], "Records": null}'
    yield b'{"a":1}\n{"a":2}\r\n\n{"a":3,"b":[{}]}\nnot JSON\n[1]\n'
    yield b'\xef\xbb\xbf[{"a": 01}, {"b": NaN}]\n{"c": 1e999}{"d": -0.0}'
    yield b'{"integration":"aws","aws":{"log_info":{"log_file":"k"},"text":"' + b"x\\n" * 300 + b'","n":[1,2]}}'
    yield b'{"a":' * 40 + b"1" + b"}" * 40
    yield b'{"Records":[' + b",".join(b'{"eventName": "E%d", "list": [1, 2]}' % number for number in range(130)) + b"]}"


JSON = {
    "json_value": Target(exact_json, "json.loads; written and read again it is the same", _seeds),
    "json_documents": Target(json_document, "json.loads; the same events however it is cut into chunks", _seeds),
    "json_lines": Target(json_line, "json.loads of each line; the same events however it is cut", _seeds),
    "json_objects": Target(objects, "json.raw_decode, again and again; the same events however it is cut", _seeds),
    "shrink": Target(shrinking, "fits into the limit and is still an object", _seeds),
}
