"""The reader of objects: it goes on behind what is done, and never takes back that it is."""

import gzip
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from more_itertools import sliced

from awsflow.items import Barrier, Found, Records
from awsflow.logtypes import log_types_named
from awsflow.sources.reading import Reader, origin_of

TYPES = log_types_named("cloudtrail")
EVENTS = 700
DOCUMENT = json.dumps({"Records": [{"eventID": number, "filling": "x" * 90} for number in range(1, EVENTS + 1)]})
OBJECT = gzip.compress(DOCUMENT.encode(), 1)


@settings(deadline=None, max_examples=40)
@given(done=st.integers(0, EVENTS), cut=st.integers(20, len(OBJECT)), piece=st.sampled_from([100, 1000, 100_000]))
def test_of_an_object_that_was_begun_no_position_lies_before_what_was_done(done: int, cut: int, piece: int) -> None:
    """It ends after `cut` bytes: nothing of it, what was done and more, or all of it may be read."""
    found = Found(origin_of("trail", "a.json.gz", "", TYPES[0]), len(OBJECT), done=done, log_type="cloudtrail")
    reached = done
    for item in Reader(TYPES, skip_on_error=True).read(found, iter(sliced(OBJECT[:cut], piece))):
        if isinstance(item, Records):
            assert list(item.numbers) == list(range(reached + 1, reached + 1 + len(item.numbers)))
            reached = item.numbers[-1]
        elif isinstance(item, Barrier) and item.position is not None:
            assert item.position.records == reached
