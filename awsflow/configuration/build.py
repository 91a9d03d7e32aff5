"""From a document to what is to be run: every value checked, every mistake found and told with its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from awsflow import options as checks
from awsflow.configuration.document import Document, Section
from awsflow.configuration.table import AT_ONCE, TABLES, Table, meant
from awsflow.configuration.when import When, when
from awsflow.errors import (
    ArgumentsError,
    AwsflowError,
    ConfigError,
    RoleNeeded,
    SubscriberArgumentsMissing,
    UnknownType,
)
from awsflow.logtypes import log_types_named
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions, source_name

if TYPE_CHECKING:
    from awsflow.sinks.wazuh import Oversize, Pacing

Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One bucket, service or subscriber, and when it is collected."""

    collect: BucketOptions | ServiceOptions | QueueOptions
    access: AwsAccess
    discard: tuple[str, str] | None
    """Field and pattern of the events that are dropped."""
    when: When
    place: str = field(compare=False)
    """Where it stands: not what it is."""

    def __str__(self) -> str:
        return source_name(self.collect, self.access)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What holds for the whole run."""

    to: str
    plain: bool
    wazuh_home: Path
    state: Path
    dead_letter: Path
    max_eps: float | None
    pace: "Pacing"
    oversize: "Oversize"
    queue_timeout: float
    rotate_at: int | None
    at_once: int
    budget: int
    metrics: Path | None
    metrics_port: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration, checked."""

    run: RunConfig
    sources: tuple[SourceConfig, ...]
    """Without those that are disabled."""
    disabled: int = 0
    notes: tuple[str, ...] = ()


def config_of(document: Document, environ: Mapping[str, str], given: Values | None = None) -> Config:
    """What a document asks for; `given` options of the run, checked, go before the document's.

    Raises an error for the first mistake, which tells how many there are; see `problems_in`.
    """
    config, problems = _built(document, environ, given or {})
    if config is None:
        if len(problems) > 1:
            first = problems[0]
            more = f"{first}; and {len(problems) - 1} more, `awsflow config check` tells all of them"
            first.args = (more, *first.args[1:])
        raise problems[0]
    return config


def problems_in(document: Document, environ: Mapping[str, str]) -> list[AwsflowError]:
    """All mistakes of a document."""
    return _built(document, environ, {})[1]


def _built(document: Document, environ: Mapping[str, str], given: Values) -> tuple[Config | None, list[AwsflowError]]:
    problems: list[AwsflowError] = []
    run = _run({**_checked(document.run, problems), **given}, environ)
    defaults = _checked(document.defaults, problems)
    sources = []
    disabled = 0
    for section in document.sources:
        known = {option.name for option in TABLES[section.table]}
        before = len(problems)
        values = {
            **{name: value for name, value in defaults.items() if name in known},
            **_checked(section, problems),
        }
        if len(problems) > before:
            continue
        try:
            source = _source(section, values, run.state)
        except AwsflowError as error:
            problems.append(_placed(error, section.place))
            continue
        if values.get("disabled"):
            disabled += 1
        else:
            sources.append(source)
    if not document.sources:
        problems.append(ConfigError(f"{document.file}: it names no bucket, no service and no subscriber; add one"))
    if problems:
        return None, problems
    return Config(run, tuple(sources), disabled, document.notes), problems


def _checked(section: Section, problems: list[AwsflowError]) -> dict[str, Any]:
    """The checked values of a table."""
    known = {option.name: option for option in TABLES[section.table]}
    checked = {}
    for name, value in section.values.items():
        try:
            if name not in known:
                raise ArgumentsError(_unknown(name, section.table))
            checked[name] = known[name].value(value)
        except AwsflowError as error:
            problems.append(_placed(error, section.place_of(name)))
    problems += (
        ConfigError(f"{section.place}: {option.name} is missing: {option.what}")
        for option in TABLES[section.table]
        if option.needed and option.name not in section.values
    )
    return checked


def _unknown(name: str, table: Table) -> str:
    near = meant(name, table)
    if near:
        return f"there is no such option; is {near} meant?"
    elsewhere = [
        f"[[{other}]]" if other not in ("", "defaults") else f"[{other}]"
        for other in TABLES
        if meant(name, other) == name
    ]
    return f"there is no such option here{f', but in {elsewhere[-1]}' if elsewhere else ''}; see docs/configuration.md"


def _placed(error: AwsflowError, place: str) -> AwsflowError:
    """The error with its place. What would be a wrong argument on a command line is a wrong configuration here."""
    kind: Callable[[str], AwsflowError] = ConfigError if isinstance(error, ArgumentsError) else type(error)
    return kind(f"{place}: {error}")


def _run(values: Values, environ: Mapping[str, str]) -> RunConfig:
    home = values.get("wazuh-home") or Path(environ.get("WAZUH_HOME") or "/var/ossec")
    to = values.get("to", "wazuh")
    folder = home / "wodles" / "aws" if to.startswith("wazuh") else checks.state_home(environ)
    state = values.get("state") or folder / "awsflow.db"
    return RunConfig(
        to=to,
        plain=values.get("plain", False),
        wazuh_home=home,
        state=state,
        dead_letter=values.get("dead-letter") or state.with_name("dead-letter.ndjson"),
        max_eps=values.get("max-eps"),
        pace=values.get("pace", "auto"),
        oversize=values.get("oversize", "shrink"),
        queue_timeout=values.get("queue-timeout", 30.0),
        rotate_at=values.get("rotate-at"),
        at_once=values.get("at-once", AT_ONCE),
        budget=values.get("budget", checks.BUDGET),
        metrics=values.get("metrics"),
        metrics_port=values.get("metrics-port"),
    )


def _source(section: Section, values: Values, state: Path) -> SourceConfig:
    access = _access(values)
    collect: BucketOptions | ServiceOptions | QueueOptions
    match section.table:
        case "bucket":
            collect = _bucket(values, state)
        case "service":
            collect = _service(values, state)
        case _:
            collect = _queue(values, access)
    return SourceConfig(
        collect=collect,
        access=access,
        discard=_discard(values, may_be_text=section.table != "bucket"),
        when=when(
            values.get("interval"),
            values.get("run-on-start", True),
            values.get("day"),
            values.get("wday"),
            values.get("time"),
        ),
        place=section.place,
    )


def _access(values: Values) -> AwsAccess:
    if values.get("role-duration") is not None and not values.get("role-arn"):
        raise RoleNeeded("role-duration: there is no role that it could be for; give role-arn too")
    if bool(values.get("access-key")) != bool(values.get("secret-key")):
        raise ArgumentsError("access-key and secret-key need one another")
    return AwsAccess(
        profile=values.get("profile"),
        access_key=values.get("access-key"),
        secret_key=values.get("secret-key"),
        role_arn=values.get("role-arn"),
        external_id=values.get("external-id"),
        role_duration=values.get("role-duration"),
        sts_endpoint=values.get("sts-endpoint-url"),
        service_endpoint=values.get("endpoint-url"),
    )


def _discard(values: Values, *, may_be_text: bool) -> tuple[str, str] | None:
    """Field and pattern. Where events may be text, which is matched as a whole, there need be no field."""
    path, pattern = values.get("discard-field"), values.get("discard-regex")
    if pattern is None and path is None:
        return None
    if pattern is None or (path is None and not may_be_text):
        raise ArgumentsError("discard-field and discard-regex need one another")
    return path or "", pattern


def _bucket(values: Values, state: Path) -> BucketOptions:
    log_type, form = values.get("type", "cloudtrail"), values.get("format", "")
    log_types_named(log_type, form)  # raises for what is not there
    return BucketOptions(
        bucket=values["name"],
        log_type=log_type,
        format=form,
        organization=values.get("organization", ""),
        accounts=values.get("accounts", ()),
        regions=values.get("regions", ()),
        prefix=values.get("prefix", ""),
        suffix=values.get("suffix", ""),
        alias=values.get("alias", ""),
        only_after=values.get("after"),
        skip_on_error=values.get("skip-on-error", False),
        remove=values.get("remove", False),
        state=state,
        **_given(values, {"lookback": "lookback", "max-object-size": "max_object_size", "max-ratio": "max_ratio"}),
    )


def _service(values: Values, state: Path) -> ServiceOptions:
    name = values["name"]
    groups = values.get("log-groups", ())
    if (name == "cloudwatchlogs") != bool(groups):
        raise ArgumentsError("give log-groups for cloudwatchlogs, and for nothing else")
    return ServiceOptions(
        service=name,
        groups=groups,
        stream_prefix=values.get("log-stream-prefix", ""),
        regions=values.get("regions", ()),
        only_after=values.get("after"),
        remove=values.get("remove-log-streams", False),
        envelope=values.get("envelope", False),
        skip_on_error=values.get("skip-on-error", False),
        state=state,
        **_given(values, {"requests-per-second": "requests_per_second"}),
    )


def _queue(values: Values, access: AwsAccess) -> QueueOptions:
    name = values["name"]
    if name not in checks.SUBSCRIBERS:
        raise UnknownType(
            f"subscriber {name!r}: there is no such subscriber; they are: {', '.join(checks.SUBSCRIBERS)}"
        )
    if name == "security_lake" and not (access.role_arn and access.external_id):
        raise SubscriberArgumentsMissing("subscriber security_lake: it needs role-arn and external-id")
    log_type, form = values.get("type"), values.get("format", "")
    if log_type is not None:
        if name != "buckets":
            raise ArgumentsError(f"type: it is for the subscriber buckets, not {name}")
        log_types_named(log_type, form)  # raises for what is not there
    return QueueOptions(
        queue=values["queue"],
        reader=log_type or name,
        format=form,
        alias=values.get("alias", ""),
        skip_on_error=values.get("skip-on-error", False),
        **_given(
            values,
            {
                "wait": "wait",
                "visibility": "visibility",
                "max-object-size": "max_object_size",
                "max-ratio": "max_ratio",
            },
        ),
    )


def _given(values: Values, fields: Mapping[str, str]) -> dict[str, Any]:
    """The fields of options that are given: for the others the dataclass has its own default."""
    return {field: values[name] for name, field in fields.items() if name in values}
