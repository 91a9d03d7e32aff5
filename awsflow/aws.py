"""AWS: sessions, roles, retries; and the one place where botocore's errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version
from typing import Any

from awsflow.errors import (
    AwsflowError,
    ClockSkew,
    CredentialsError,
    EndpointUnreachable,
    ObjectGone,
    ProfileNotFound,
    ServiceError,
    Throttled,
    UnknownRegion,
)
from awsflow.options import AwsAccess

ROLE_SESSION = "WazuhLogParsing"
ATTEMPTS = 10
CONNECT_SECONDS = 10
READ_SECONDS = 60
DEFAULT_REGION = "us-east-1"
"""Where S3 is asked when no region is configured: it redirects to the bucket's own."""

_CREDENTIALS = "AWS does not accept these credentials; check the keys, the profile or the role"
_THROTTLED = "AWS slowed us down for longer than the retries last; try later, or ask AWS for a higher limit"
CODES: dict[str, tuple[type[AwsflowError], str]] = {
    "AccessDenied": (ServiceError, "access is denied; allow it in the IAM policy, the bucket's and the key's"),
    "AccessDeniedException": (ServiceError, "access is denied; allow it in the IAM policy"),
    "AllAccessDisabled": (ServiceError, "all access to the bucket is disabled; ask its owner"),
    "AuthFailure": (CredentialsError, _CREDENTIALS),
    "ExpiredToken": (CredentialsError, "the session's token has expired; renew it"),
    "ExpiredTokenException": (CredentialsError, "the session's token has expired; renew it"),
    "InvalidAccessKeyId": (CredentialsError, _CREDENTIALS),
    "InvalidClientTokenId": (CredentialsError, _CREDENTIALS),
    "InvalidObjectState": (ServiceError, "the object is archived (Glacier); restore it first"),
    "InvalidToken": (CredentialsError, _CREDENTIALS),
    "NoSuchBucket": (ServiceError, "there is no such bucket; check its name and the endpoint"),
    "NoSuchKey": (ObjectGone, "the object is gone; it was deleted after it was listed"),
    "PreconditionFailed": (ObjectGone, "the object was replaced after it was listed; the next run reads the new one"),
    "RequestExpired": (ClockSkew, "this machine's clock is wrong; set it, e.g. with NTP"),
    "RequestLimitExceeded": (Throttled, _THROTTLED),
    "RequestTimeTooSkewed": (ClockSkew, "this machine's clock is wrong; set it, e.g. with NTP"),
    "SignatureDoesNotMatch": (CredentialsError, _CREDENTIALS),
    "SlowDown": (Throttled, _THROTTLED),
    "Throttling": (Throttled, _THROTTLED),
    "ThrottlingException": (Throttled, _THROTTLED),
    "TooManyRequestsException": (Throttled, _THROTTLED),
    "UnrecognizedClientException": (CredentialsError, _CREDENTIALS),
}
"""What AWS's error codes mean for us, and what to try."""


def client(service: str, access: AwsAccess, region: str | None = None, *, pool: int = 10) -> Any:
    """A botocore client of a service, with a pool of so many connections.

    Credentials are the access's: its keys, its profile, or botocore's own chain; with a role, the role's, taken with
    those and renewed before they expire. Every call has deadlines and up to 10 attempts, unless the user's AWS
    configuration says how often to try.
    """
    import boto3  # noqa: PLC0415 - half of a start's time: only where a client is made
    import botocore.session  # noqa: PLC0415 - likewise
    from botocore.config import Config  # noqa: PLC0415 - likewise

    with doing(f"opening a session with AWS for {service}"):
        session = _session(access)
        region = region or access.region or session.get_config_variable("region") or DEFAULT_REGION
        configured = session.get_config_variable("retry_mode") or session.get_config_variable("max_attempts")
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=pool,
            parameter_validation=False,
            retries=None if configured else {"mode": "standard", "total_max_attempts": ATTEMPTS},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            user_agent_extra=f"awsflow/{version('awsflow')}",
        )
        if access.role_arn:
            session = _assumed(session, access, region, config)
        elif session.get_credentials() is None:
            raise CredentialsError(
                f"opening a session with AWS for {service}: there are no credentials; "
                "give a profile or a role, set AWS_ACCESS_KEY_ID, or attach a role to this machine"
            )
        factory = session.get_component("response_parser_factory")
        factory.set_parser_defaults(timestamp_parser=_timestamp)
        return boto3.Session(botocore_session=session, region_name=region).client(
            service, endpoint_url=access.service_endpoint, config=config
        )


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
    import botocore.session  # noqa: PLC0415 - only where regions are given

    endpoints = botocore.session.Session().get_component("data_loader").load_data("endpoints")
    return frozenset(region for partition in endpoints["partitions"] for region in partition["regions"])


def _translated(what: str, error: Exception) -> AwsflowError | None:
    """Our error for one of botocore's; None if it is none of its."""
    from botocore import exceptions  # noqa: PLC0415 - it is loaded already when there is an error of its

    match error:
        case exceptions.ClientError():
            return _refused(what, error)
        case exceptions.ProfileNotFound():
            return ProfileNotFound(f"{what}: there is no such profile; check ~/.aws/config and ~/.aws/credentials")
        case exceptions.NoCredentialsError() | exceptions.PartialCredentialsError():
            return CredentialsError(f"{what}: there are no complete credentials; give a profile, a role or keys")
        case exceptions.InvalidRegionError() | exceptions.NoRegionError() | exceptions.UnknownRegionError():
            return UnknownRegion(f"{what}: the region is missing or has a wrong shape; give one such as eu-west-1")
        case exceptions.HTTPClientError() | exceptions.ConnectionError():
            name = type(error).__name__
            return EndpointUnreachable(f"{what}: the endpoint does not answer ({name}); check network and endpoint URL")
        case exceptions.CredentialRetrievalError() | exceptions.SSOError() | exceptions.MetadataRetrievalError():
            return CredentialsError(f"{what}: no credentials could be had ({type(error).__name__}); check the profile")
        case exceptions.BotoCoreError():
            return ServiceError(f"{what}: {type(error).__name__}; see AWS's documentation of that error")
    return None


def _refused(what: str, error: Any) -> AwsflowError:
    """Our error for an answer of AWS."""
    code = str(error.response.get("Error", {}).get("Code") or "unknown")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    kind, meaning = CODES.get(code, (ServiceError, "AWS refused it; see AWS's documentation of that code"))
    if code not in CODES and status in (429, 503):
        kind, meaning = Throttled, _THROTTLED
    if error.operation_name == "AssumeRole" and issubclass(kind, ServiceError):
        kind, meaning = CredentialsError, "STS does not let us assume the role; check its trust policy and external id"
    cause, _, advice = meaning.partition("; ")
    return kind(f"{what}: {cause} ({code}); {advice}")


def _session(access: AwsAccess) -> Any:
    """A botocore session with the access's own credentials."""
    import botocore.session  # noqa: PLC0415 - see client

    session = botocore.session.Session(profile=access.profile)
    if access.access_key and access.secret_key:
        session.set_credentials(access.access_key, access.secret_key)
    return session


def _assumed(session: Any, access: AwsAccess, region: str, config: Any) -> Any:
    """A session with the role's credentials, taken with those of `session` and renewed before they expire."""
    from botocore.credentials import (  # noqa: PLC0415 - see client
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    wanted: dict[str, Any] = {"RoleSessionName": ROLE_SESSION}
    if access.external_id:
        wanted["ExternalId"] = access.external_id
    if access.role_duration:
        wanted["DurationSeconds"] = access.role_duration
    source = session.get_credentials()
    if source is None:
        raise CredentialsError(
            f"assuming {access.role_arn}: there are no credentials to do so with; give a profile or keys"
        )

    def sts(service: str, **more: Any) -> Any:
        return session.create_client(
            service, **{"region_name": region, "endpoint_url": access.sts_endpoint, **more, "config": config}
        )

    fetcher = AssumeRoleCredentialFetcher(sts, source, access.role_arn, extra_args=wanted)

    def fetched() -> Any:
        with doing(f"assuming {access.role_arn}"):
            return fetcher.fetch_credentials()

    role = _session(AwsAccess(profile=access.profile))
    # botocore's own way to give a session credentials that renew themselves leads through a profile's configuration
    role._credentials = DeferredRefreshableCredentials(fetched, "assume-role")  # noqa: SLF001 - see above
    return role


def _timestamp(value: Any) -> datetime:
    """A time in an answer. Listings hold thousands of them: `fromisoformat` takes a hundredth of botocore's time."""
    if isinstance(value, str) and value.endswith("Z"):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    return _parse_timestamp()(value)


@cache
def _parse_timestamp() -> Any:
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - see client

    return parse_timestamp
