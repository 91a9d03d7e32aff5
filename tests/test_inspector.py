"""Inspector: each finding once for each of its updates, in windows that leave nothing out."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from awsflow import Flow
from awsflow.errors import CredentialsError, EndpointUnreachable, ServiceError, UnknownRegion
from awsflow.items import Barrier
from awsflow.options import AwsAccess
from awsflow.sinks import WazuhSocket
from awsflow.sources import Inspector
from tests.answers import Answering, assumed
from tests.conftest import Aws
from tests.log_service import JsonService, Refused
from tests.wazuh import Wazuh

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
T = NOON.timestamp()
"""Seconds since 1970."""


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


class InspectorService(JsonService):
    """Both Inspectors, with filters and pages as AWS has them. Inspector Classic is retired unless said otherwise."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.findings: list[dict[str, Any]] = []
        self.classic: list[dict[str, Any]] | None = None
        self.refuses_tokens = False
        self.refusal = ""
        """The code of all answers, if not empty."""

    def put(self, *updates: tuple[str, float]) -> None:
        """Findings by the end of their ARN, each with the seconds from noon at which it is updated."""
        for name, seconds in updates:
            arn = f"arn:aws:inspector2:us-east-1:123456789012:finding/{name}"
            self.findings = [finding for finding in self.findings if finding["findingArn"] != arn]
            self.findings.append({"findingArn": arn, "updatedAt": T + seconds, "title": name})

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if self.refusal:
            raise Refused(self.refusal, 403)
        if operation == "list":
            (times,) = request["filterCriteria"]["updatedAt"]
            found = [
                finding
                for finding in self.findings
                if times["startInclusive"] <= finding["updatedAt"]
                and int(finding["updatedAt"]) <= times["endInclusive"]
            ]
            page, token = self._paged(found, request, "ValidationException")
            return {"findings": page, **token}
        if self.classic is None:
            raise Refused("AccessDeniedException", 403)
        if operation == "ListFindings":
            times = request["filter"]["creationTimeRange"]
            arns = [
                finding["arn"]
                for finding in self.classic
                if times["beginDate"] <= finding["createdAt"] <= times["endDate"]
            ]
            page, token = self._paged(arns, request, "InvalidInputException")
            return {"findingArns": page, **token}
        assert operation == "DescribeFindings"
        assert 1 <= len(request["findingArns"]) <= 10
        return {"findings": [each for each in self.classic if each["arn"] in request["findingArns"]], "failedItems": {}}

    def _paged(self, found: list[Any], request: dict[str, Any], refusal: str) -> tuple[list[Any], dict[str, str]]:
        assert request["maxResults"] == 100
        if "nextToken" in request and self.refuses_tokens:
            raise Refused(refusal)
        begin = int(request.get("nextToken", 0))
        more = {"nextToken": str(begin + 100)} if begin + 100 < len(found) else {}
        return found[begin : begin + 100], more


@pytest.fixture
def service() -> Iterator[InspectorService]:
    with InspectorService() as service:
        yield service


def collected(access: AwsAccess, **options: Any) -> list[Any]:
    wanted = {"only_after": date(2026, 11, 1), "now": lambda: NOON, **options}
    return [record.event for record in Flow(Inspector(access=access, **wanted))]


def titles(service: InspectorService, **options: Any) -> list[str]:
    return sorted(event["title"] for event in collected(service.access, **options))


def windows(service: InspectorService) -> list[tuple[float, float]]:
    """Those asked for, in seconds from noon."""
    asked = [
        request["filterCriteria"]["updatedAt"][0] for request in service.asked("list") if "nextToken" not in request
    ]
    return [(times["startInclusive"] - T, times["endInclusive"] - T) for times in asked]


def later(seconds: float) -> dict[str, Any]:
    return {"now": lambda: NOON + timedelta(seconds=seconds)}


def test_findings_are_sent_as_wazuh_expects_them(aws: Aws, tmp_path: Path) -> None:
    finding = {
        "findingArn": "arn:aws:inspector2:us-east-1:123456789012:finding/0123",
        "awsAccountId": "123456789012",
        "inspectorScore": 7.5,
        "firstObservedAt": "2026-11-19T01:02:03.250000Z",
        "updatedAt": "2026-11-20T01:02:03.250000Z",
        "packageVulnerabilityDetails": {"vendorCreatedAt": "2026-11-01T00:00:00Z", "cvss": [{"baseScore": 1}]},
        "resources": [{"id": "i-1"}],
    }
    answer = json.dumps({"results": [[finding]], "account_id": "123456789012", "region": "us-east-1"}).encode()
    url = f"{aws.url}/moto-api/static/inspector2/findings-results"
    with urlopen(Request(url, answer, {"Content-Type": "application/json"}), timeout=10) as told:  # noqa: S310 - our own server
        assert told.status == 201
    with Wazuh(tmp_path) as wazuh:
        Flow(Inspector(access=aws.access)).to(WazuhSocket(wazuh.path)).run()
        (event,) = wazuh.events()
    assert event == {
        "integration": "aws",
        "aws": {
            **finding,
            "source": "inspector2",
            "firstObservedAt": "2026-11-19 01:02:03.250000+00:00",
            "updatedAt": "2026-11-20T01:02:03Z",
            "packageVulnerabilityDetails": {
                "vendorCreatedAt": "2026-11-01 00:00:00+00:00",
                "cvss": [{"baseScore": 1}],
            },
        },
    }


def test_all_pages_of_a_window_are_read(service: InspectorService) -> None:
    service.put(*((f"{number:04}", -number) for number in range(250)))
    assert titles(service) == [f"{number:04}" for number in range(250)]
    assert len(service.asked("list")) == 3


def test_windows_leave_no_gap_and_what_lies_on_their_border_is_sent_once(
    service: InspectorService, tmp_path: Path
) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(("old", -30 * 86400), ("before", -60), ("border", 0), ("within the last second", 0.5), ("next", 60))
    assert titles(service, **state) == ["before", "border", "within the last second"]
    assert titles(service, **state, **later(60)) == ["next"]
    service.put(("border", 90), ("within the last second", 90))  # updated again
    assert titles(service, **state, **later(120)) == ["border", "within the last second"]
    assert titles(service, **state, **later(180)) == []
    asked = windows(service)
    assert [begin for begin, _ in asked[1:]] == [end for _, end in asked[:-1]]
    assert asked[-1] == (120, 180)


def test_a_finding_that_became_visible_late_on_the_border_is_not_lost(
    service: InspectorService, tmp_path: Path
) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(("early", 0))
    assert titles(service, **state) == ["early"]
    service.put(("late", 0))
    assert titles(service, **state, **later(60)) == ["late"]


def test_without_state_today_is_read_and_with_it_from_the_last_scan_on(
    service: InspectorService, tmp_path: Path
) -> None:
    service.put(("yesterday", -12 * 3600 - 1), ("today", -12 * 3600))
    options: dict[str, Any] = {"state": tmp_path / "s.db", "only_after": None}
    assert titles(service, **options) == ["today"]
    service.put(("new", 10))
    assert titles(service, **options, **later(5 * 86400)) == ["new"]


def test_nothing_of_before_the_given_day_is_read_and_a_clock_set_back_reads_nothing(
    service: InspectorService, tmp_path: Path
) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(("a", -86400))
    assert titles(service, **state) == ["a"]
    service.put(("b", 3600), ("c", 2 * 86400))
    assert titles(service, only_after=date(2026, 11, 22), **state, **later(3 * 86400)) == ["c"]
    assert titles(service, **state) == []
    assert titles(service, **state, **later(4 * 86400)) == []


def test_reparse_reads_again_and_changes_no_state(service: InspectorService, tmp_path: Path) -> None:
    state = {"state": tmp_path / "s.db"}
    service.put(("a", -60))
    assert titles(service, **state) == ["a"]
    service.put(("b", 30))
    assert titles(service, reparse=True, **state, **later(60)) == ["a", "b"]
    assert titles(service, **state, **later(60)) == ["b"]


def broken_off(service: InspectorService, state: Path, records: int) -> None:
    """A scan that ends behind the position at which so many findings were delivered."""
    options: dict[str, Any] = {"state": state, "only_after": date(2026, 11, 1), "now": lambda: NOON}
    with closing(Inspector(access=service.access, **options)) as scan, closing(scan.items()) as items:
        for item in items:
            if isinstance(item, Barrier) and item.position:
                scan.commit([item.position])
                records -= item.read
                if records <= 0:
                    return


def test_a_scan_that_was_broken_off_goes_on_behind_the_last_page_and_then_up_to_now(
    service: InspectorService, tmp_path: Path
) -> None:
    service.put(*((f"{number:04}", -number) for number in range(1000)))
    broken_off(service, tmp_path / "s.db", 300)
    service.put(("new", 10))
    service.requests.clear()
    assert titles(service, state=tmp_path / "s.db", **later(30)) == [*(f"{at:04}" for at in range(300, 1000)), "new"]
    assert len(service.asked("list")) == 7 + 1
    assert titles(service, state=tmp_path / "s.db", **later(60)) == []


def test_a_page_that_has_expired_costs_requests_but_nothing_is_lost_or_repeated(
    service: InspectorService, tmp_path: Path
) -> None:
    service.put(*((f"{number:04}", -number) for number in range(1000)))
    broken_off(service, tmp_path / "s.db", 300)
    service.put(("new", 10))
    service.refuses_tokens = True
    told: list[str] = []

    def note(text: str) -> None:
        """Those that are given from now on are fresh."""
        if "refused" in text:
            told.append(text)
            service.refuses_tokens = False

    seen = titles(service, state=tmp_path / "s.db", note=note, **later(30))
    assert seen == [*(f"{at:04}" for at in range(300, 1000)), "new"]
    assert len(told) == 1


def test_the_state_is_committed_behind_the_findings_and_small(service: InspectorService, tmp_path: Path) -> None:
    service.put(*((f"{number:05}", -number / 10) for number in range(6000)))
    state = tmp_path / "s.db"
    assert len(collected(service.access, state=state)) == 6000
    with closing(sqlite3.connect(state)) as connection:
        rows = connection.execute("SELECT service, region, done, until, token, length(marks) FROM scans").fetchall()
    assert rows == [("inspector2", "us-east-1", T * 1000, None, "", 16 * 601)]
    assert titles(service, state=state, **later(1)) == []


def test_inspector_classic_is_read_where_it_still_answers(service: InspectorService, tmp_path: Path) -> None:
    arn = "arn:aws:inspector:us-east-1:123456789012:target/0-1/template/0-2/run/0-3/finding/0-"
    service.classic = [
        {"arn": f"{arn}{number}", "service": "Inspector", "createdAt": T - number, "updatedAt": T, "title": str(number)}
        for number in range(230)
    ]
    service.put(("v2", -1))
    events = collected(service.access, state=tmp_path / "s.db")
    assert len(events) == 231
    assert {"arn": f"{arn}7", "source": "inspector", "title": "7"}.items() <= next(
        event for event in events if event["title"] == "7"
    ).items()
    assert next(event for event in events if event["title"] == "7")["createdAt"] == "2026-11-20T11:59:53Z"
    assert all("service" not in event for event in events)
    assert titles(service, state=tmp_path / "s.db", **later(60)) == []


def test_inspector_classic_that_is_gone_or_refuses_is_noted_and_no_error(service: InspectorService) -> None:
    service.put(("a", -1))
    told: list[str] = []
    assert titles(service, note=told.append) == ["a"]
    assert len([text for text in told if "Inspector Classic is passed over" in text]) == 1
    assert len(service.asked("ListFindings")) == 1
    told.clear()
    assert titles(service, note=told.append, regions=["sa-east-1"]) == ["a"]  # which never had it
    assert told == []


def test_inspector_classic_that_does_not_answer_is_not_waited_for(service: InspectorService) -> None:
    since = time.monotonic()

    def closed_at_once(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListFindings":
            raise ConnectionAbortedError
        return service._answer(operation, request)

    with JsonService(closed_at_once) as half:
        assert collected(half.access) == []
        assert len(half.asked("ListFindings")) == 1
    assert time.monotonic() - since < 10


def test_a_region_that_has_no_inspector_is_refused_before_anything_is_asked(service: InspectorService) -> None:
    with pytest.raises(UnknownRegion, match="inspector2 in us-iso-east-1: it is not there") as told:
        collected(service.access, regions=["us-east-1", "us-iso-east-1"])
    assert told.value.exit_code == 22
    assert service.requests == []


def test_regions_are_scanned_each_with_a_state_of_its_own(service: InspectorService, tmp_path: Path) -> None:
    service.put(("a", -1))
    state = {"state": tmp_path / "s.db"}
    assert titles(service, regions=["eu-west-1"], **state) == ["a"]
    assert titles(service, regions=["eu-west-1", "sa-east-1", "eu-west-1"], **state) == ["a"]


def test_what_a_given_region_refuses_ends_the_run(service: InspectorService, monkeypatch: pytest.MonkeyPatch) -> None:
    service.refusal = "AccessDeniedException"
    with pytest.raises(ServiceError, match="findings of inspector2 in us-east-1: access is denied"):
        collected(service.access)
    service.refusal = "UnrecognizedClientException"
    with pytest.raises(CredentialsError):
        collected(service.access)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(EndpointUnreachable):
        collected(AwsAccess(service_endpoint="http://127.0.0.1:9", connect_seconds=0.1))


def test_where_nobody_chose_a_region_those_that_refuse_are_left_out(
    service: InspectorService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    service.put(("a", -1))
    told: list[str] = []

    def answer(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "list" and len(half.asked("list")) == 1:
            raise Refused("AccessDeniedException", 403)
        return service._answer(operation, request)

    with JsonService(answer) as half, Answering(lambda request: assumed("AKIAROLE", 3600)) as sts:
        role = "arn:aws-cn:iam::123456789012:role/logs"  # a partition of two regions
        access = AwsAccess(role_arn=role, service_endpoint=half.url, sts_endpoint=sts.url)
        assert [event["title"] for event in collected(access, note=told.append)] == ["a"]
        assert "access is denied" in told[0]
        service.refusal = "AccessDeniedException"
        with pytest.raises(ServiceError):
            collected(access)
