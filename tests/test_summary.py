"""What a run says of itself: a line, and JSON."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsflow.cli.summary import as_json, as_line, lag, write_json
from awsflow.errors import AwsflowError
from awsflow.flow import Stats

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUN = Stats(
    read=1200,
    discarded=200,
    sent=1001,
    shrunk=2,
    failed=1,
    objects=3,
    bytes_in=2048,
    bytes_out=5 << 20,
    seconds=2.0,
    waited=1.25,
    newest="2026-11-23T11:59:00Z",
)


def test_the_line_for_people_tells_of_what_happened_and_of_nothing_that_did_not() -> None:
    assert as_line(RUN) == (
        "1,001 events of 3 objects sent in 2.0 s (500 per second); 200 discarded; 2 shrunk; 1 failed; "
        "held back for 1.2 s, so that Wazuh keeps up; 2.0 KiB in, 5.0 MiB out; newest event 2026-11-23T11:59:00Z"
    )
    assert as_line(Stats()) == "0 events of 0 objects sent in 0.0 s (0 per second); 0 bytes in, 0 bytes out"


def test_the_json_has_every_figure() -> None:
    assert json.loads(as_json(RUN, NOW)) == {
        "read": 1200,
        "discarded": 200,
        "sent": 1001,
        "shrunk": 2,
        "failed": 1,
        "objects": 3,
        "bytes_in": 2048,
        "bytes_out": 5 << 20,
        "seconds": 2.0,
        "waited": 1.25,
        "events_per_second": 500,
        "newest_event": "2026-11-23T11:59:00Z",
        "lag": 60.0,
    }


def test_a_run_without_events_has_no_newest_event_and_no_lag() -> None:
    told = json.loads(as_json(Stats(), NOW))
    assert (told["newest_event"], told["lag"]) == (None, None)


def test_an_event_time_without_a_zone_is_utc_and_one_that_is_no_time_has_no_lag() -> None:
    assert lag(Stats(newest="2026-11-23T11:00:00"), NOW) == 3600.0
    assert lag(Stats(newest="2026-11-23T13:00:00+02:00"), NOW) == 3600.0
    assert lag(Stats(newest="yesterday"), NOW) is None


@given(st.integers(min_value=0, max_value=1 << 60))
def test_sizes_keep_three_figures_or_so_whatever_they_are(size: int) -> None:
    told = as_line(Stats(bytes_in=size)).split("; ")[-1].partition(" in, ")[0]
    number, unit = told.split()
    scale = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit]
    assert float(number.replace(",", "")) * scale == pytest.approx(size, rel=0.06)


def test_the_summary_is_written_to_a_file_for_machines(tmp_path: Path) -> None:
    write_json(RUN, tmp_path / "stats.json")
    assert json.loads((tmp_path / "stats.json").read_text())["sent"] == 1001


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(AwsflowError, match=f"writing the summary {tmp_path}/no/stats.json: No such file"):
        write_json(RUN, tmp_path / "no" / "stats.json")
