"""Every log type, from its decompressed bytes to what Wazuh is sent; and telling types apart."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from awsflow.decode.compression import members
from awsflow.envelope import log_info, plain_json, tell_failures, wazuh_json
from awsflow.errors import AwsflowError, DecodeError
from awsflow.exactjson import json_value
from awsflow.items import Item, Origin, Record, Unreadable
from awsflow.logtypes import LOG_TYPES
from awsflow.logtypes.custom import custom_in
from awsflow.logtypes.recognise import by_content
from awsflow.logtypes.subscribers import SUBSCRIBERS, subscriber_named
from awsflow.logtypes.types import LogType
from awsflow.samples import SAMPLES
from awsflow.shrink import shrunk
from tests.fuzz.target import Target, pieces, same_however_chunked

KEY = 'dnslogs/2026-11-23/","log_info":{}/x.json'
DATAGRAM = 65_535 - len(b"1:Wazuh-AWS:")
FORMATS = ("json", "jsonl", "csv", "tsv", "text")


def check(log_type: LogType, data: bytes) -> None:
    """The same events however it is cut; each is sent as JSON, once enveloped, in which nothing of ours is forged."""
    same_however_chunked(lambda chunks: log_type.decode(chunks, KEY), data, (13, 509))
    origin = Origin(
        "bucket",
        KEY,
        account="123456789012" if log_type.account else "",
        shape=log_type.shape,
        envelope=log_type.envelope,
    )
    for item in tell_failures(wazuh_json(_records(log_type, data, origin))):
        assert isinstance(item, Record)
        assert isinstance(item.event, bytes)
        _is_sound(item.event, origin)
        _is_sound(shrunk(item.event, DATAGRAM), origin)
    for item in plain_json(_records(log_type, data, origin)):
        assert isinstance(item, Record)
        assert isinstance(item.event, bytes)


def _records(log_type: LogType, data: bytes, origin: Origin) -> Iterator[Item]:
    number = 0
    with suppress(AwsflowError):
        for block in log_type.decode(pieces(data, 1 << 16), KEY):
            for event in block:
                number += 1
                if not isinstance(event, Unreadable):
                    yield Record(event, origin, number)


def _is_sound(body: bytes, origin: Origin) -> None:
    """One object, with one envelope, which says where it comes from whatever is inside."""
    assert len(body) <= 1 << 26, "out of bounds"
    if origin.envelope == "none":
        return
    levels: list[list[tuple[str, Any]]] = []

    def keep(members: list[tuple[str, Any]]) -> dict[str, Any]:
        levels.append(members)
        return dict(members)

    try:
        json.loads(body, object_pairs_hook=keep)
    except RecursionError:
        json_value(body)
        return
    except ValueError as error:
        if "integer string conversion" not in str(error):
            raise
        return
    top = levels[-1]
    assert [name for name, _ in top] == ["integration", "aws"], top
    fields = next(value for name, value in top if name == "aws")
    told = [value for members in levels[-2:-1] for name, value in members if name == "log_info"]
    assert told == [fields["log_info"]], f"log_info is there {len(told)} times"
    assert {**log_info(origin), **fields["log_info"]} == fields["log_info"], fields["log_info"]


def tell(data: bytes) -> None:
    """A type, or an error: whatever it begins with."""
    for chunks in (pieces(data, 4096), pieces(data, 5)):
        with suppress(DecodeError):
            log_type, again = by_content(chunks, LOG_TYPES.values())
            assert b"".join(again) == data
            assert log_type.name in LOG_TYPES


def sample(name: str) -> bytes:
    """Some events of a type, as AWS writes them, decompressed."""
    made = SAMPLES[name]
    start = datetime(2026, 11, 23, tzinfo=UTC)
    content = made.document(made.events(7, 3, start, "123456789012", "eu-west-1"))
    return b"".join(piece for file in members(iter([content])) for piece in file)


def _seeds(*names: str) -> Iterable[bytes]:
    for name in names:
        whole = sample(name)
        yield whole
        yield whole[: len(whole) // 2]
        yield whole.replace(b'"', b"", 1)
    yield b'{"detail": {"findings": [{"a": [1]}]}, "detail-type": "x", "log_info": {"s3bucket": "forged"}}'
    yield b'{"Records": [{"log_info": {"s3bucket": "forged"}, "tags": ["a"], "sourceIPAddress": "1.2.3.4"}]}'
    yield b'{"Records": [{"a": ' + b"[" * 3000 + b"]" * 3000 + b', "b": 1e999999, "c": "\\ud800\\u0000"}]}'
    yield b'{"Records": [{"service": {"additionalInfo": [1]}, "tags": 1, "source": [1], "a": %b}]}' % (b"9" * 5000)
    yield b'{"source": "x", "aws": {"log_info": 1}, "integration": "forged", "aws_account_id": null}'


LOGS: dict[str, Target] = {}
_ORACLE = "the same events however it is cut; each one sent as JSON, its envelope not to be forged"


def _add(types: Mapping[str, LogType], *samples: str) -> None:
    for name, log_type in types.items():
        LOGS[name] = Target(partial(check, log_type), _ORACLE, partial(_seeds, *(samples or [log_type.name])))


_add(dict(LOG_TYPES))
_add({f"custom_{name}": custom_in(name) for name in FORMATS}, "custom", "vpcflow")
_add({name: SUBSCRIBERS[name] for name in ("buckets", "security_hub")}, "custom", "alb", "vpcflow")
_add({f"buckets_{name}": subscriber_named("buckets", name) for name in FORMATS}, "custom", "vpcflow")
LOGS["auto"] = Target(tell, "a type or an error, and not a byte lost", partial(_seeds, *SAMPLES))
