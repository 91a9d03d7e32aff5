"""Macie: alerts whose summaries count by names, which would each be a new field in Wazuh's index.

Format: https://docs.aws.amazon.com/macie/latest/userguide/findings-publish-event-schemas.html
"""

from typing import Any

_COUNTED = (
    "Bucket",
    "DLP risk",
    "IP",
    "Location",
    "Object",
    "Owner",
    "Themes",
    "Timestamps",
    "recipientAccountId",
)


def macie(event: dict[str, Any]) -> None:
    """In place: what the summary counts becomes a list of the names that it counts by; the trigger is dropped.

    >>> event = {"trigger": {"rule": "x"}, "summary": {"IP": {"192.0.2.1": 3}, "Events": {"GetObject": {"count": 5}}}}
    >>> macie(event)
    >>> event
    {'summary': {'IP': ['192.0.2.1'], 'Events': {'GetObject': {'count': ['']}}}}
    """
    event.pop("trigger", None)
    summary = event.get("summary")
    if summary.__class__ is not dict:
        return
    for name in _COUNTED:
        if summary.get(name).__class__ is dict:
            summary[name] = _paths(summary[name])
    events = summary.get("Events")
    for fields in events.values() if events.__class__ is dict else ():
        if fields.__class__ is dict:
            for name, value in fields.items():
                if value.__class__ is dict or name == "count":
                    fields[name] = _paths(value)


def _paths(value: Any) -> list[str]:
    """The paths of names to each value that is no object, the value left off; an empty one if there is no object.

    >>> _paths({"a": {"b": 1, "c": {}}}), _paths({}), _paths(1)
    (['a.b', 'a.c'], [], [''])
    """
    paths: list[str] = []
    if value == {}:
        return paths
    todo = [("", value)]
    while todo:
        path, inside = todo.pop()
        if inside.__class__ is dict and inside:
            todo.extend((f"{path}.{name}" if path else name, inner) for name, inner in reversed(inside.items()))
        else:
            paths.append(path)
    return paths
