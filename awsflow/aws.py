"""AWS: sessions, roles, retries; and the one place where botocore's errors become ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from awsflow.errors import (
    AwsflowError,
    ClockSkew,
    ConfigError,
    CredentialsError,
    EndpointUnreachable,
    ObjectGone,
    ProfileNotFound,
    ServiceError,
    Throttled,
    UnknownRegion,
)
from awsflow.options import AwsAccess

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.session import Session

ROLE_SESSION = "WazuhLogParsing"
ATTEMPTS = 10
DEFAULT_REGION = "us-east-1"
"""Where S3 is asked when no region is configured: it redirects to the bucket's own."""

_CREDENTIALS = (CredentialsError, "AWS does not accept these credentials; check the keys, the profile or the role")
_EXPIRED = (CredentialsError, "the session's token has expired; renew it")
_THROTTLED = (
    Throttled,
    "AWS slowed us down for longer than the retries last; try later, or ask AWS for a higher limit",
)
_SKEWED = (ClockSkew, "this machine's clock is wrong; set it, e.g. with NTP")
_DENIED = (ServiceError, "access is denied; allow it in the IAM policy, the bucket's and the key's")
_REFUSED = (ServiceError, "AWS refused it; see AWS's documentation of that code")
_FAILED = (ServiceError, "the server failed, time and again; try later, or check the endpoint URL")
_NOT_ASSUMED = (
    CredentialsError,
    "STS does not let us assume the role; check its trust policy, external id and longest session",
)
CODES: dict[str, tuple[type[AwsflowError], str]] = {
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "AllAccessDisabled": (ServiceError, "all access to the bucket is disabled; ask its owner"),
    "AuthFailure": _CREDENTIALS,
    "BandwidthLimitExceeded": _THROTTLED,
    "EC2ThrottledException": _THROTTLED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "IncompleteSignature": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidObjectState": (ServiceError, "the object is archived (Glacier); restore it first"),
    "InvalidSignatureException": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "LimitExceededException": _THROTTLED,
    "MissingAuthenticationToken": _CREDENTIALS,
    "NoSuchBucket": (ServiceError, "there is no such bucket; check its name and the endpoint"),
    "NoSuchKey": (ObjectGone, "the object is gone; it was deleted after it was listed"),
    "NotSignedUp": _CREDENTIALS,
    "PreconditionFailed": (ObjectGone, "the object was replaced after it was listed; the next run reads the new one"),
    "PriorRequestNotComplete": _THROTTLED,
    "ProvisionedThroughputExceededException": _THROTTLED,
    "RequestExpired": _SKEWED,
    "RequestLimitExceeded": _THROTTLED,
    "RequestThrottled": _THROTTLED,
    "RequestThrottledException": _THROTTLED,
    "RequestTimeTooSkewed": _SKEWED,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "SlowDown": _THROTTLED,
    "ThrottledException": _THROTTLED,
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "TransactionInProgressException": _THROTTLED,
    "UnrecognizedClientException": _CREDENTIALS,
}
"""What AWS's error codes mean for us, and what to try."""

_NO_CREDENTIALS = (CredentialsError, "no credentials could be had; check the profile")
_INCOMPLETE = (CredentialsError, "there are no complete credentials; give a profile, a role or keys")
_NO_ANSWER = (EndpointUnreachable, "the endpoint does not answer; check network and endpoint URL")
_NO_REGION = (UnknownRegion, "the region is missing or has a wrong shape; give one such as eu-west-1")
_CONFIG = (
    ConfigError,
    "a value of the AWS configuration has a wrong shape; check ~/.aws/config, ~/.aws/credentials and the environment",
)
EXCEPTIONS: dict[str, tuple[type[AwsflowError], str]] = {
    "BotoCoreError": (ServiceError, "the AWS library gave up; see the documentation of that error"),
    "ConfigNotFound": _CONFIG,
    "ConfigParseError": _CONFIG,
    "ConnectionError": _NO_ANSWER,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "HTTPClientError": _NO_ANSWER,
    "InvalidConfigError": _CONFIG,
    "InvalidIMDSEndpointError": _CONFIG,
    "InvalidIMDSEndpointModeError": _CONFIG,
    "InvalidProxiesConfigError": _CONFIG,
    "InvalidRegionError": _NO_REGION,
    "InvalidRetryConfigurationError": _CONFIG,
    "InvalidRetryModeError": _CONFIG,
    "InvalidS3AddressingStyleError": _CONFIG,
    "LoginError": _NO_CREDENTIALS,
    "MetadataRetrievalError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "NoCredentialsError": _INCOMPLETE,
    "NoRegionError": _NO_REGION,
    "PartialCredentialsError": _INCOMPLETE,
    "ProfileNotFound": (ProfileNotFound, "there is no such profile; check ~/.aws/config and ~/.aws/credentials"),
    "RefreshWithMFAUnsupportedError": _NO_CREDENTIALS,
    "ResponseParserError": (ServiceError, "what answers there does not speak as AWS does; check the endpoint URL"),
    "SSOError": _NO_CREDENTIALS,
    "TokenRetrievalError": _NO_CREDENTIALS,
    "UnknownCredentialError": _NO_CREDENTIALS,
    "UnknownRegionError": _NO_REGION,
    "UnknownSignatureVersionError": _CONFIG,
}
"""What botocore's own exceptions, and those derived from them, mean for us, and what to try."""


def client(
    service: str, access: AwsAccess, region: str | None = None, *, pool: int = 10, attempts: int | None = None
) -> Any:
    """A botocore client of a service, with a pool of so many connections.

    Credentials are the access's: its keys, its profile, or botocore's own chain; with a role, the role's, taken with
    those and renewed before they expire. Every call has deadlines and up to 10 attempts, unless the user's AWS
    configuration says how often to try, or `attempts` does.
    """
    from botocore.config import Config  # noqa: PLC0415 - half of a start's time: only where a client is made

    what = f"opening a session with AWS for {service}"
    with doing(what):
        session = _session(access)
        region = region or access.region or session.get_config_variable("region") or DEFAULT_REGION
        config = Config(
            connect_timeout=access.connect_seconds,
            read_timeout=access.read_seconds,
            max_pool_connections=pool,
            parameter_validation=False,
            retries=None
            if attempts is None and _tells_retries(session)
            else {"mode": "standard", "total_max_attempts": attempts or ATTEMPTS},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent_extra=f"awsflow/{version('awsflow')}",
        )
        if access.role_arn:
            session = _assumed(session, access, access.role_arn, region, config)
        elif session.get_credentials() is None:
            raise CredentialsError(
                f"{what}: there are no credentials; "
                "give a profile or a role, set AWS_ACCESS_KEY_ID, or attach a role to this machine"
            )
        factory = session.get_component("response_parser_factory")
        factory.set_parser_defaults(timestamp_parser=_timestamp)
        create: Any = session.create_client  # its stubs know a fixed list of services
        try:
            return create(service, region_name=region, endpoint_url=access.service_endpoint, config=config)
        except ValueError as error:
            # botocore complains so of endpoints in the configuration, and of text where it wants a number
            if _translated(what, error) is not None:
                raise
            raise ConfigError(f"{what}: {_CONFIG[1]}") from None


def check_profile(access: AwsAccess) -> None:
    """Raise ProfileNotFound if the access names a profile that is not there: before anything else is begun."""
    if access.profile is not None:
        with doing(f"looking for the profile {access.profile!r}"):
            _session(access).get_scoped_config()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Translate botocore's errors, saying what was being done. None of them passes, and none of their secrets.

    AccessError: listing s3://logs/: this machine's clock is wrong (RequestTimeTooSkewed); set it, e.g. with NTP
    """
    try:
        yield
    except AwsflowError:
        raise
    except Exception as error:
        translated = _translated(what, error)
        if translated is None:
            raise
        raise translated from None


def known_regions() -> frozenset[str]:
    """The regions of all partitions, as this botocore knows them."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only where regions are given

    # "endpoints" has the same, in fifty times the size; here each partition has something like "aws-global" besides
    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"] if region[-1].isdigit())


def _translated(what: str, error: Exception) -> AwsflowError | None:
    """Our error for one of botocore's; None if it is none of its."""
    for kind in type(error).__mro__:
        if kind.__module__ in ("botocore.exceptions", "botocore.parsers"):
            if kind.__name__ == "ClientError":
                return _refused(what, error)  # type: ignore[arg-type] # its name says so, without an import
            if kind.__name__ in EXCEPTIONS:
                ours, meaning = EXCEPTIONS[kind.__name__]
                return _told(ours, what, meaning, type(error).__name__ + _place(error))
    if type(error) is RuntimeError and "still expired" in str(error):  # raised where credentials are renewed
        return ClockSkew(f"{what}: new credentials have expired already; this machine's clock is wrong; set it")
    return None


def _refused(what: str, error: "ClientError") -> AwsflowError:
    """Our error for an answer of AWS."""
    code = str(error.response.get("Error", {}).get("Code") or "unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    of_status = _THROTTLED if status in (429, 503) else _FAILED if status >= 500 else _REFUSED
    kind, meaning = CODES.get(code, of_status)
    if error.operation_name.startswith("AssumeRole") and kind is ServiceError and status < 500:
        kind, meaning = _NOT_ASSUMED
    return _told(kind, what, meaning, code)


def _told(kind: type[AwsflowError], what: str, meaning: str, name: str) -> AwsflowError:
    cause, _, advice = meaning.partition("; ")
    return kind(f"{what}: {cause} ({name}); {advice}")


def _place(error: Exception) -> str:
    """The server or file that an exception of botocore tells of, without what may be secret in its URL."""
    told = getattr(error, "kwargs", {})
    host = urlsplit(str(told.get("endpoint_url") or told.get("proxy_url") or "")).netloc.rpartition("@")[2]
    place = host or told.get("path") or ""
    return f" {place}" if place else ""


def _tells_retries(session: "Session") -> bool:
    """Whether the user's AWS configuration says how to retry. botocore's own answer includes its defaults."""
    return bool(
        session.get_scoped_config().keys() & {"retry_mode", "max_attempts"}
        or os.environ.keys() & {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"}
    )


def _session(access: AwsAccess) -> "Session":
    """A botocore session with the access's own credentials."""
    import botocore.session  # noqa: PLC0415 - see client

    session = botocore.session.Session(profile=access.profile)
    if access.access_key and access.secret_key:
        session.set_credentials(access.access_key, access.secret_key)
    return session


def _assumed(session: "Session", access: AwsAccess, role_arn: str, region: str, config: Any) -> "Session":
    """A session with the role's credentials, taken with those of `session` and renewed before they expire."""
    from botocore.credentials import AssumeRoleCredentialFetcher, RefreshableCredentials  # noqa: PLC0415 - see client

    wanted: dict[str, Any] = {"RoleSessionName": ROLE_SESSION}
    if access.external_id:
        wanted["ExternalId"] = access.external_id
    if access.role_duration:
        wanted["DurationSeconds"] = access.role_duration
    source = session.get_credentials()
    if source is None:
        raise CredentialsError(f"assuming {role_arn}: there are no credentials to do so with; give a profile or keys")

    def sts(service: str, **more: Any) -> Any:
        create: Any = session.create_client  # its stubs know a fixed list of services
        return create(service, **{"region_name": region, "endpoint_url": access.sts_endpoint, **more, "config": config})

    fetcher = AssumeRoleCredentialFetcher(sts, source, role_arn, extra_args=wanted)

    def fetched() -> Any:
        with doing(f"assuming {role_arn}"):
            try:
                return fetcher.fetch_credentials()
            except KeyError:
                raise CredentialsError(
                    f"assuming {role_arn}: the answer holds no credentials; check the STS endpoint"
                ) from None

    # botocore renews credentials a quarter of an hour before they expire: all the time, if they don't live longer
    lifetime = access.role_duration or 3600
    role: Any = _session(AwsAccess(profile=access.profile))
    # botocore's own way to give a session credentials that renew themselves leads through a profile's configuration
    role._credentials = RefreshableCredentials.create_from_metadata(
        fetched(),
        fetched,
        "assume-role",
        advisory_timeout=min(900, lifetime // 3),
        mandatory_timeout=min(600, lifetime // 6),
    )
    typed: Session = role
    return typed


def _timestamp(value: Any) -> datetime:
    """A time in an answer. Listings hold thousands of them: `fromisoformat` takes a hundredth of botocore's time."""
    if isinstance(value, str) and value.endswith("Z"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    parsed: datetime = _parse_timestamp()(value)
    return parsed


@cache
def _parse_timestamp() -> Any:
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - see client

    return parse_timestamp
