"""Scan work: where the findings of each service and region were left."""

from datetime import UTC, datetime
from pathlib import Path

from awsflow.state.checkpoints import Checkpoints
from awsflow.state.positions import ScanPosition

MIDST = ScanPosition("inspector2", "eu-west-1", 1000, until=9000, token="next", marks=b"m" * 48)


def test_a_scan_is_remembered_as_it_was_left_each_service_and_region_for_itself(tmp_path: Path) -> None:
    others = [ScanPosition("inspector", "eu-west-1", 5), ScanPosition("inspector2", "us-east-1", 6, marks=b"")]
    with Checkpoints(tmp_path / "s.db") as checkpoints:
        work = checkpoints.scan_work("inspector")
        assert work.left("inspector2", "eu-west-1") is None
        work.commit([ScanPosition("inspector2", "eu-west-1", 1), *others, MIDST])
        work.commit([])
    with Checkpoints(tmp_path / "s.db") as checkpoints:
        work = checkpoints.scan_work("inspector")
        for position in (MIDST, *others):
            assert work.left(position.service, position.region) == position
        assert checkpoints.scan_work("another").left("inspector2", "eu-west-1") is None


def test_the_days_of_its_runs_are_remembered_as_of_any_work(tmp_path: Path) -> None:
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (20, 21, 22)]
    for number, day in enumerate(days):
        with Checkpoints(tmp_path / "s.db", now=lambda day=day: day) as checkpoints:  # type: ignore[misc] # a default binds the day
            work = checkpoints.scan_work("inspector")
            if number == 2:
                assert (work.first_run, work.last_run) == (days[0].date(), days[1].date())
            work.listed_all()
