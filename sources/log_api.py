"""CloudWatch Logs as it is asked: one region's requests, within their rate, with errors that are ours.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from awsflow.answers import next_token
from awsflow.aws import doing
from awsflow.errors import ServiceError
from awsflow.sources.rate import Rate

LogsClient: TypeAlias = Any  # botocore makes its clients at run time
Listed: TypeAlias = Mapping[str, Any]
"""A log stream as DescribeLogStreams has it: logStreamName, arn, lastIngestionTime, ..."""


class Missing(ServiceError):
    """There is no such log group or stream."""


class TokenRefused(ServiceError):
    """A token has expired, or is none of this stream."""


@dataclass(frozen=True, slots=True)
class Events:
    """A page of a log stream: up to 1 MB, or 10,000 events."""

    events: Sequence[Mapping[str, Any]]
    token: str
    """Leads to what comes next; the one that was sent, at the end of the stream."""
    answered: int | None
    """When AWS answered, by its own clock, in milliseconds since 1970."""


class LogsApi:
    """CloudWatch Logs in one region. Several threads may use it. Groups are named, those of other accounts by ARN."""

    def __init__(self, region: str, client: LogsClient, rate: Rate) -> None:
        self.region = region
        self._client = client
        self._rate = rate

    def groups(self, prefix: str) -> Iterator[str]:
        """The names of the groups that begin so."""
        request = {"logGroupNamePrefix": prefix} if prefix else {}
        for page in self._pages(f"listing the log groups {prefix}*", self._client.describe_log_groups, request):
            for group in page.get("logGroups", ()):
                yield group["logGroupName"]

    def streams(self, group: str, prefix: str) -> Iterator[Sequence[Listed]]:
        """The streams of a group, or those that begin so, up to 50 at a time; Missing if there is no such group."""
        request = _of(group) | ({"logStreamNamePrefix": prefix} if prefix else {})
        for page in self._pages(f"listing the log group {group}", self._client.describe_log_streams, request):
            yield page.get("logStreams", ())

    def events(self, group: str, stream: str, *, token: str, start: int | None, end: int | None) -> Events:
        """The page that the token leads to, or else the first from the start on; only what lies before the end.

        Times are in milliseconds since 1970. Missing if the stream is gone, TokenRefused if the token is.
        """
        request = _of(group) | {"logStreamName": stream, "startFromHead": True}
        if token:
            request["nextToken"] = token
        if start is not None:
            request["startTime"] = start
        if end is not None:
            request["endTime"] = end
        what = f"reading the log stream {stream} of the log group {group}"
        with self._asking(what):
            try:
                answer = self._client.get_log_events(**request)
            except self._client.exceptions.InvalidParameterException as error:
                if not token:
                    raise
                raise TokenRefused(f"{what} in {self.region}: the token is refused ({error}); read it anew") from None
        return Events(answer.get("events", ()), answer.get("nextForwardToken") or token, _date(answer))

    def delete(self, group: str, stream: str) -> None:
        """Delete a stream of an own group, which goes by its name; Missing if it is gone."""
        with self._asking(f"deleting the log stream {stream} of the log group {group}"):
            self._client.delete_log_stream(logGroupName=group, logStreamName=stream)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def _pages(
        self, what: str, ask: Callable[..., Mapping[str, Any]], request: dict[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        """All pages, up to 50 entries each."""
        token = ""
        while True:
            with self._asking(what):
                page = ask(**request)
            yield page
            token = next_token(page, "nextToken", token, f"{what} in {self.region}")
            if not token:
                return
            request = {**request, "nextToken": token}

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """Wait for the turn of a request; translate its errors."""
        self._rate.wait()
        what = f"{what} in {self.region}"
        with doing(what):
            try:
                yield
            except self._client.exceptions.ResourceNotFoundException:
                raise Missing(f"{what}: it is not there; check its name, the account and the region") from None


def is_arn(group: str) -> bool:
    """Whether a group is given by its ARN, as those of other accounts are."""
    return group.startswith("arn:")


def region_of(arn: str) -> str:
    """The region in an ARN, empty if there is none."""
    return f"{arn}:::".split(":")[3]


def _of(group: str) -> dict[str, Any]:
    return {"logGroupIdentifier" if is_arn(group) else "logGroupName": group}


def _date(answer: Mapping[str, Any]) -> int | None:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return int(parsedate_to_datetime(headers["date"]).timestamp() * 1000)
    except (KeyError, ValueError):
        return None
