"""What JSON logs begin with."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.logtypes.opening import opening

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES), st.sampled_from(["", " \n", "[", "\ufeff", "[\r\n\t{}"]), st.data())
def test_members_are_told_as_far_as_they_are_there(members: dict[str, Any], before: str, data: Any) -> None:
    text = json.dumps(members).encode()
    begins = before.replace("{}", "").encode()
    whole = opening(begins + text)
    assert {name: json.loads(value) for name, value in whole.items()} == members
    cut = opening(begins + text[: data.draw(st.integers(0, len(text)))])
    assert list(cut) == list(whole)[: len(cut)]
    for name, value in list(cut.items())[:-1]:
        assert value == whole[name]


@pytest.mark.parametrize(
    "head",
    [b"", b" ", b"[", b"{", b"{}", b"[[{", b"text", b'"{"', b"{1:", b'{"a"', b'{"a" 1}', b"{'a': 1}", b'{"\\x": 1}'],
)
def test_what_begins_with_no_member_has_none(head: bytes) -> None:
    assert opening(head) == {}


def test_members_of_inner_objects_are_none_of_it() -> None:
    assert opening(b'{"a": {"detail": 1}, "b": [{"c": 2}], "d": "\\"e\\": 3"}').keys() == {"a", "b", "d"}


def test_what_comes_behind_a_broken_member_is_not_told() -> None:
    assert opening(b'{"a": 1 "b": 2}') == {"a": b"1"}
    assert opening(b'{"a": 1, "b" 2, "c": 3}') == {"a": b"1"}
