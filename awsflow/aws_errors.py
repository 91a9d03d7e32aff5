"""What AWS's refusals, and botocore's own exceptions, mean for us: the error that each becomes, and what to try."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from awsflow.answers import NotOfAws
from awsflow.errors import (
    AwsflowError,
    ClockSkew,
    ConfigError,
    CredentialsError,
    EndpointUnreachable,
    ObjectGone,
    ObjectReplaced,
    ProfileNotFound,
    ServiceError,
    Throttled,
    UnknownRegion,
)

_code = re.compile(r"[A-Za-z0-9._:#-]{1,80}").fullmatch

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

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
_ELSEWHERE = (ServiceError, "the bucket lies in another region, and S3 does not lead us there; give its region")
CODES: dict[str, tuple[type[AwsflowError], str]] = {
    "403": _DENIED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "AllAccessDisabled": (ServiceError, "all access to the bucket is disabled; ask its owner"),
    "AuthFailure": _CREDENTIALS,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "BandwidthLimitExceeded": _THROTTLED,
    "EC2ThrottledException": _THROTTLED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "IllegalLocationConstraintException": _ELSEWHERE,
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
    "PermanentRedirect": _ELSEWHERE,
    "PreconditionFailed": (
        ObjectReplaced,
        "the object was replaced after it was listed; the next run reads the new one",
    ),
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
_NOT_OF_AWS = "what answers there does not speak as AWS does; check the endpoint URL"
_NO_REGION = (UnknownRegion, "the region is missing or has a wrong shape; give one such as eu-west-1")
WRONG_CONFIGURATION = (
    ConfigError,
    "a value of the AWS configuration has a wrong shape; check ~/.aws/config, ~/.aws/credentials and the environment",
)
EXCEPTIONS: dict[str, tuple[type[AwsflowError], str]] = {
    "BotoCoreError": (ServiceError, "the AWS library gave up; see the documentation of that error"),
    "ConfigNotFound": WRONG_CONFIGURATION,
    "ConfigParseError": WRONG_CONFIGURATION,
    "ConnectionError": _NO_ANSWER,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "HTTPClientError": _NO_ANSWER,
    "InvalidConfigError": WRONG_CONFIGURATION,
    "InvalidIMDSEndpointError": WRONG_CONFIGURATION,
    "InvalidIMDSEndpointModeError": WRONG_CONFIGURATION,
    "InvalidProxiesConfigError": WRONG_CONFIGURATION,
    "InvalidRegionError": _NO_REGION,
    "InvalidRetryConfigurationError": WRONG_CONFIGURATION,
    "InvalidRetryModeError": WRONG_CONFIGURATION,
    "InvalidS3AddressingStyleError": WRONG_CONFIGURATION,
    "LoginError": _NO_CREDENTIALS,
    "MetadataRetrievalError": _NO_CREDENTIALS,
    "NoAuthTokenError": _NO_CREDENTIALS,
    "NoCredentialsError": _INCOMPLETE,
    "NoRegionError": _NO_REGION,
    "PartialCredentialsError": _INCOMPLETE,
    "ProfileNotFound": (ProfileNotFound, "there is no such profile; check ~/.aws/config and ~/.aws/credentials"),
    "RefreshWithMFAUnsupportedError": _NO_CREDENTIALS,
    "ResponseParserError": (ServiceError, _NOT_OF_AWS),
    "SSOError": _NO_CREDENTIALS,
    "TokenRetrievalError": _NO_CREDENTIALS,
    "UnknownCredentialError": _NO_CREDENTIALS,
    "UnknownRegionError": _NO_REGION,
    "UnknownSignatureVersionError": WRONG_CONFIGURATION,
}
"""What botocore's own exceptions, and those derived from them, mean for us, and what to try."""


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
        ours = translated(what, error)
        if ours is None:
            raise
        raise ours from None


def translated(what: str, error: Exception) -> AwsflowError | None:
    """Our error for one of botocore's; None if it is none of its."""
    for kind in type(error).__mro__:
        if kind.__module__ in ("botocore.exceptions", "botocore.parsers"):
            if kind.__name__ == "ClientError":
                return _refused(what, error)  # type: ignore[arg-type] # its name says so, without an import
            if kind.__name__ in EXCEPTIONS:
                ours, meaning = EXCEPTIONS[kind.__name__]
                return _told(ours, what, meaning, type(error).__name__ + _place(error))
    if isinstance(error, NotOfAws):
        return _told(ServiceError, what, _NOT_OF_AWS, str(error))
    if _comes_of_parsing(error):  # botocore trusts what answers
        return _told(ServiceError, what, _NOT_OF_AWS, type(error).__name__)
    if type(error) is RuntimeError and "still expired" in str(error):  # raised where credentials are renewed
        return ClockSkew(f"{what}: new credentials have expired already; this machine's clock is wrong; set it")
    return None


def _comes_of_parsing(error: Exception) -> bool:
    """Whether an exception was raised by what reads an answer."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "botocore.parsers":
            return True
        trace = trace.tb_next
    return False


def _refused(what: str, error: "ClientError") -> AwsflowError:
    """Our error for an answer of AWS."""
    code = str(error.response.get("Error", {}).get("Code") or "unknown")
    code = code if _code(code) else "a code that is none"  # whatever answers there may well repeat what it was sent
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
