"""Stages: from items to items, lazily. Authors write functions on records' events; `each` lifts them past the rest."""

import re
from collections.abc import Callable, Generator, Iterable
from itertools import compress
from typing import Any, TypeAlias

from awsflow.exactjson import json_value
from awsflow.items import Event, Item, Record, Records

Stage: TypeAlias = Callable[[Iterable[Item]], Generator[Item, None, None]]


class Together:
    """A stage that takes `Records` as they come, and makes of them what it would make of each record of theirs.

    All other stages are given records one by one, so that who writes one need not know that there is more.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.__doc__ = stage.__doc__

    def __call__(self, items: Iterable[Item]) -> Generator[Item, None, None]:
        """Pass the items through."""
        return self._stage(items)


class Encoding(Together):
    """A stage that encodes, and can put the head that a sink sends before each event where that costs nothing.

    It stands before events that are `Joined` then: from each of the others a datagram is made anyway.
    """

    def __init__(self, encode: Callable[[Iterable[Item], bytes], Generator[Item, None, None]]) -> None:
        """`encode` is given the head besides."""
        super().__init__(lambda items: encode(items, b""))
        self._encode = encode
        self.__doc__ = encode.__doc__

    def behind(self, head: bytes) -> Together:
        """The same stage for a sink with this head."""
        return Together(lambda items: self._encode(items, head))


def each(function: Callable[[Any], Iterable[Event]]) -> Stage:
    """Replace each event by those that the function makes of it: none, one or several.

    Barriers and failures pass, where they are: nothing overtakes a barrier.
    """

    @Together
    def stage(items: Iterable[Item]) -> Generator[Item, None, None]:
        for item in items:
            if item.__class__ is Record:
                for event in function(item.event):
                    yield Record(event, item.origin, item.number)
            elif isinstance(item, Records):
                events: list[Event] = []
                numbers: list[int] = []
                for event, number in zip(item.events, item.numbers, strict=True):
                    made = list(function(event))
                    events += made
                    numbers += [number] * len(made)
                if events:
                    yield Records(events, item.origin, numbers)
            else:
                yield item

    return stage


def without(is_unwanted: Callable[[Any], bool], dropped: Callable[[], None]) -> Stage:
    """Drop the events that are unwanted; `dropped` is called for each."""

    @Together
    def stage(items: Iterable[Item]) -> Generator[Item, None, None]:
        for item in items:
            if item.__class__ is Record:
                if is_unwanted(item.event):
                    dropped()
                else:
                    yield item
            elif isinstance(item, Records):
                wanted = [not is_unwanted(event) for event in item.events]
                for _ in range(wanted.count(False)):
                    dropped()
                if all(wanted):
                    yield item
                elif any(wanted):
                    events = list(compress(item.events, wanted))
                    yield Records(events, item.origin, list(compress(item.numbers, wanted)))
            else:
                yield item

    return stage


def discard(path: str, pattern: str, dropped: Callable[[], None] = lambda: None) -> Stage:
    r"""Drop the events whose field matches, as Wazuh's `discard_regex` does; `dropped` is called for each.

    The path is dotted; where a list stands on the way, any element's match counts. The pattern is anchored at the
    start (`re.match`) and looks at strings, or at any string of a list. A missing field or a value of another type
    keeps the event. Text that is a JSON object or list is matched like one, and goes on as it is; other text is matched
    as a whole, whatever the path.

    >>> from awsflow.items import Origin
    >>> records = [Record({"eventName": name}, Origin(), 1) for name in ("DescribeInstances", "RunInstances")]
    >>> [record.event["eventName"] for record in discard("eventName", "Describe|List")(records)]
    ['RunInstances']
    """
    matches = re.compile(pattern).match
    names = path.split(".")

    def found(event: Any) -> bool:
        todo = [(event, 0)]
        while todo:
            value, depth = todo.pop()
            if isinstance(value, list):
                todo.extend((element, depth) for element in value)
            elif depth < len(names):
                if isinstance(value, dict) and names[depth] in value:
                    todo.append((value[names[depth]], depth + 1))
            elif isinstance(value, str) and matches(value) is not None:
                return True
        return False

    def matched(event: Event) -> bool:
        if not isinstance(event, str):
            return found(event)
        value = json_in(event)
        return matches(event) is not None if value is None else found(value)

    return without(matched, dropped)


def json_in(text: str) -> dict[str, Any] | list[Any] | None:
    """The JSON object or list that a text is; None for any other text."""
    if not text.lstrip(" \t\r\n").startswith(("{", "[")):
        return None
    try:
        value: dict[str, Any] | list[Any] = json_value(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return value
