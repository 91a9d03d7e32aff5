"""Findings of Amazon Inspector as they are asked for: page by page, of one window of time in one region.

https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html
https://docs.aws.amazon.com/inspector/v1/APIReference/API_ListFindings.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from more_itertools import chunked

from awsflow.answers import next_token
from awsflow.aws import client, doing
from awsflow.errors import ServiceError
from awsflow.options import AwsAccess

AT_ONCE = 100
"""Findings of one page."""
DESCRIBED_AT_ONCE = 10
"""Findings that Inspector Classic describes in one call."""

Finding = Mapping[str, Any]


class PageRefused(ServiceError):
    """What leads to the rest of a window has expired."""


@dataclass(frozen=True, slots=True)
class Window:
    """From a time to another, both included, in milliseconds since 1970; whole seconds, for those are what is asked."""

    begin: int
    end: int
    token: str = ""
    """Leads to what is left of it, if not empty."""


@dataclass(frozen=True, slots=True)
class Findings:
    """A page of findings."""

    findings: list[Finding]
    token: str
    """Leads to what comes next; empty at the end."""
    size: int
    """Bytes of the answer."""


class Inspector2:
    """Amazon Inspector in one region: findings by the time of their last update."""

    service = "inspector2"

    def __init__(self, access: AwsAccess, region: str) -> None:
        self._region = region
        self._client = client(self.service, access, region)

    def pages(self, window: Window) -> Iterator[Findings]:
        """The findings of a window, in no order; PageRefused if its token is refused."""
        what = f"listing the findings of {self.service} in {self._region}"
        times = {"startInclusive": _datetime(window.begin), "endInclusive": _datetime(window.end)}
        request = {"filterCriteria": {"updatedAt": [times]}, "maxResults": AT_ONCE}
        for answer in _pages(what, self._client.list_findings, request, window.token, self._refusal):
            yield Findings(answer.get("findings", []), answer.get("nextToken") or "", _size(answer))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    @property
    def _refusal(self) -> type[Exception]:
        refusal: type[Exception] = self._client.exceptions.ValidationException
        return refusal


class InspectorClassic:
    """Inspector Classic in one region: findings by the time of their creation. AWS retired it on 2026-05-20.

    So it is asked once, and not waited for.
    """

    service = "inspector"

    def __init__(self, access: AwsAccess, region: str) -> None:
        self._region = region
        hurried = replace(
            access, connect_seconds=min(access.connect_seconds, 5), read_seconds=min(access.read_seconds, 20)
        )
        self._client = client(self.service, hurried, region, attempts=1)

    def pages(self, window: Window) -> Iterator[Findings]:
        """The findings of a window; PageRefused if its token is refused."""
        what = f"listing the findings of Inspector Classic in {self._region}"
        times = {"beginDate": _datetime(window.begin), "endDate": _datetime(window.end)}
        request = {"filter": {"creationTimeRange": times}, "maxResults": AT_ONCE}
        for answer in _pages(what, self._client.list_findings, request, window.token, self._refusal):
            findings: list[Finding] = []
            size = _size(answer)
            for arns in chunked(answer.get("findingArns", ()), DESCRIBED_AT_ONCE):
                with doing(what):
                    described = self._client.describe_findings(findingArns=arns)
                if described.get("failedItems"):
                    arn, failure = next(iter(described["failedItems"].items()))
                    raise ServiceError(f"{what}: {arn} cannot be described ({failure.get('failureCode')}); try later")
                findings += described.get("findings", ())
                size += _size(described)
            yield Findings(findings, answer.get("nextToken") or "", size)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    @property
    def _refusal(self) -> type[Exception]:
        refusal: type[Exception] = self._client.exceptions.InvalidInputException
        return refusal


def _pages(
    what: str,
    ask: Callable[..., Mapping[str, Any]],
    request: dict[str, Any],
    token: str,
    refusal: type[Exception],
) -> Iterator[Mapping[str, Any]]:
    while True:
        with doing(what):
            try:
                answer = ask(**request, **({"nextToken": token} if token else {}))
            except refusal as error:
                if not token:
                    raise
                raise PageRefused(f"{what}: its next page is refused ({error}); it is begun anew") from None
        yield answer
        token = next_token(answer, "nextToken", token, what)
        if not token:
            return


def _datetime(time: int) -> datetime:
    return datetime.fromtimestamp(time // 1000, UTC)


def _size(answer: Mapping[str, Any]) -> int:
    return int(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-length") or 0)
