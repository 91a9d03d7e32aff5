"""CloudWatch Logs and Inspector: region by region, whether they answer, and what we may read there."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from awsflow.aws import doing
from awsflow.cli.checkup.asking import Asking
from awsflow.cli.checkup.results import Result, code_of, failed
from awsflow.cli.summary import count, lasting
from awsflow.errors import CredentialsError, EndpointUnreachable, LogGroupFailed, ServiceError
from awsflow.options import ServiceOptions
from awsflow.permissions import Statement, Where, needed
from awsflow.sources.findings import Inspector2
from awsflow.sources.log_api import is_arn, region_of
from awsflow.sources.places import Places

AT_ONCE = 8
"""Regions that are asked at the same time."""
GROUPS = 20
"""Log groups of one pattern that are looked at in a region."""


def of_service(options: ServiceOptions, asking: Asking, where: Where) -> Iterator[Result]:
    """What works of a service."""
    places = Places(asking.access)
    name = "logs" if options.service == "cloudwatchlogs" else Inspector2.service
    chosen = places.chosen(options.regions)
    if name == Inspector2.service:
        places.check(name, chosen)
    regions = chosen or places.all_of(name)
    if chosen:
        yield Result("region", "ok", ", ".join(chosen))
    else:
        yield Result("region", "look", f"none is given: each run asks all {len(regions)}; give those that you use")
    met: set[str] = set()
    """Log groups, as they are given, of which some region has told something."""

    def asked(region: str) -> list[Result]:
        statements = needed(options, Where(where.partition, where.account, (region,)))
        try:
            if name == "logs":
                return list(_log_groups(region, options, asking, statements, met))
            return list(_findings(region, asking, statements))
        except (ServiceError, CredentialsError, EndpointUnreachable) as error:
            return [failed(f"{name} in {region}", error)]

    if name == "logs":
        regions = tuple(dict.fromkeys([*regions, *(region_of(each) for each in options.groups if is_arn(each))]))
    with ThreadPoolExecutor(AT_ONCE, "awsflow-check") as threads:
        by_region = list(threads.map(asked, regions))
    if chosen or all(any(each.outcome == "failed" for each in results) for results in by_region):
        yield from (result for results in by_region for result in results)
    else:  # not all regions need to answer: an account need not have enabled them
        good = [results for results in by_region if not any(each.outcome == "failed" for each in results)]
        yield from (result for results in good for result in results)
        if left_out := len(by_region) - len(good):
            yield Result("regions", "look", f"{count(left_out, 'region')} did not answer well, and will be left out")
    if name == "logs" and any(results == [] or results[0].what.startswith("logs:") for results in by_region):
        for group in options.groups:
            if group not in met:
                told = f"looking for the log group {group}: it is not there; check name, account and regions"
                yield failed("log group", LogGroupFailed(told))


def _findings(region: str, asking: Asking, statements: Sequence[Statement]) -> Iterator[Result]:
    """Whether findings may be listed."""
    action = "inspector2:ListFindings"
    inspector = asking.client(Inspector2.service, region)
    try:
        with doing(f"listing the findings of {Inspector2.service} in {region}"):
            answer = inspector.list_findings(maxResults=1)
    except ServiceError as error:
        yield failed(action, error, statements)
        return
    yield Result(action, "ok", region)
    newest = [each["updatedAt"].timestamp() for each in answer.get("findings", ()) if each.get("updatedAt")]
    if not newest:
        yield Result("findings", "look", f"there are none in {region}; is Inspector enabled there?")


def _log_groups(
    region: str, options: ServiceOptions, asking: Asking, statements: Sequence[Statement], met: set[str]
) -> Iterator[Result]:
    """What works of the groups that may be in a region; those that something is told of are added to `met`."""
    logs = asking.client("logs", region)
    for given in options.groups:
        if is_arn(given) and region_of(given) != region:
            continue
        for result in _given(logs, given, options, asking, statements):
            met.add(given)
            yield result


def _given(
    logs: Any, given: str, options: ServiceOptions, asking: Asking, statements: Sequence[Statement]
) -> Iterator[Result]:
    """What works of a group as it is given: a name, a pattern, or an ARN; nothing, if there is none."""
    if is_arn(given):
        yield from _log_group(logs, {"logGroupIdentifier": given.removesuffix(":*")}, options, asking, statements)
        return
    if not given.endswith("*"):
        yield from _log_group(logs, {"logGroupName": given}, options, asking, statements)
        return
    region = logs.meta.region_name
    try:
        names = _names(logs, given.rstrip("*"), region)
    except ServiceError as error:
        yield failed("logs:DescribeLogGroups", error, statements)
        return
    if names:
        yield Result("logs:DescribeLogGroups", "ok", f"{given} in {region}: {', '.join(names[:3])}{_more(names)}")
    for name in names[:GROUPS]:
        yield from _log_group(logs, {"logGroupName": name}, options, asking, statements)


def _names(logs: Any, prefix: str, region: str) -> list[str]:
    """The first of the groups that begin so."""
    with doing(f"listing the log groups {prefix}* in {region}"):
        answer = logs.describe_log_groups(**({"logGroupNamePrefix": prefix} if prefix else {}))
    return [each["logGroupName"] for each in answer.get("logGroups", ())]


def _more(names: Sequence[str]) -> str:
    return f" and {len(names) - 3} more" if len(names) > 3 else ""


def _log_group(
    logs: Any,
    group: dict[str, str],
    options: ServiceOptions,
    asking: Asking,
    statements: Sequence[Statement],
) -> Iterator[Result]:
    """What works of one group: its streams, its newest event, and deletion, if it is wanted; of none, nothing."""
    (name,) = group.values()
    region = logs.meta.region_name
    what = f"the log group {name} in {region}"
    begins = options.stream_prefix
    order = {"logStreamNamePrefix": begins} if begins else {"orderBy": "LastEventTime", "descending": True}
    try:
        streams = _of(f"listing {what}", logs.describe_log_streams, **group, **order, limit=1).get("logStreams", ())
    except ServiceError as error:
        if code_of(error) == "ResourceNotFoundException":
            return
        yield failed("logs:DescribeLogStreams", error, statements)
        return
    yield Result("logs:DescribeLogStreams", "ok", f"{name} in {region}")
    if not streams:
        beginning = f" that begins with {begins}" if begins else ""
        yield Result("newest log", "look", f"there is no log stream{beginning} in {what} yet")
    else:
        stream = streams[0]
        try:
            _of(
                f"reading the log stream {stream['logStreamName']} of {what}",
                logs.get_log_events,
                **group,
                logStreamName=stream["logStreamName"],
                limit=1,
            )
        except ServiceError as error:
            yield failed("logs:GetLogEvents", error, statements)
        else:
            yield Result("logs:GetLogEvents", "ok", f"{stream['logStreamName']} of {name}")
        newest = stream.get("lastIngestionTime") or stream.get("lastEventTimestamp")
        if newest:
            age = max(asking.now - newest / 1000, 0)
            yield Result("newest log", "ok", f"{lasting(age)} ago: {stream['logStreamName']} of {name}")
    if options.remove and "logGroupName" in group:
        yield _deletion(logs, group, what, statements)


def _deletion(logs: Any, group: dict[str, str], what: str, statements: Sequence[Statement]) -> Result:
    """Whether streams may be deleted, tried on one that cannot be there."""
    action = "logs:DeleteLogStream"
    stream = f"awsflow-check-{uuid.uuid4()}"
    try:
        _of(f"trying {action} on {what}", logs.delete_log_stream, **group, logStreamName=stream)
    except ServiceError as error:
        if code_of(error) != "ResourceNotFoundException":
            return failed(action, error, statements)
    return Result(action, "ok", "tried on a stream that is not there")


def _of(what: str, call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    with doing(what):
        answer: dict[str, Any] = call(**request)
    return answer
