"""What a JSON log begins with: the members of its first object, as far as the first bytes of the log show them."""

import re

from awsflow.decode.json_skim import Skim
from awsflow.exactjson import NotJson, json_value

_first = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\n\r\[]*\{")
_name = re.compile(rb'[ \t\n\r]*("[^"\\]*+(?>(?:\\.[^"\\]*+)*)")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
_comma = re.compile(rb"[ \t\n\r]*,")


def opening(head: bytes) -> dict[str, bytes]:
    r"""The names and values, as written, at the top of the first object; the last value may be cut off.

    None, if `head` does not begin with an object, or an array of objects.

    >>> opening(b'{"version": "0", "detail": {"id": 1, "no')
    {'version': b'"0"', 'detail': b'{"id": 1, "no'}
    """
    found = _first.match(head)
    text = bytearray(head)
    members: dict[str, bytes] = {}
    at = found.end() if found else len(text)
    while name := _name.match(text, at):
        start = name.end()
        length = Skim().length(text, start)
        try:
            members[json_value(name[1])] = bytes(text[start:] if length < 0 else text[start : start + length])
        except NotJson:
            break
        comma = _comma.match(text, start + length)
        if length < 0 or comma is None:
            break
        at = comma.end()
    return members
