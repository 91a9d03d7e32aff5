"""AWS: sessions, credentials and clients, with their deadlines and retries."""

import os
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from awsflow.answers import NotOfAws, check
from awsflow.aws_errors import WRONG_CONFIGURATION, doing, translated
from awsflow.errors import ConfigError, CredentialsError
from awsflow.options import AwsAccess

if TYPE_CHECKING:
    from botocore.session import Session

__all__ = ["check_profile", "client", "doing", "known_regions", "load"]

ATTEMPTS = 10
DEFAULT_REGION = "us-east-1"
"""Where S3 is asked when no region is configured: it redirects to the bucket's own."""


def load() -> None:
    """Import what every client needs, a seventh of a second: processes that are forked afterwards need not."""
    for module in ("botocore.config", "botocore.session", "awsflow.aws_models", "awsflow.calls"):
        import_module(module)


def client(
    service: str, access: AwsAccess, region: str | None = None, *, pool: int = 10, attempts: int | None = None
) -> Any:
    """A botocore client of a service, with a pool of so many connections.

    Credentials are the access's: its keys, its profile, or botocore's own chain; with a role, the role's, taken with
    those and renewed before they expire, and when AWS says that they have. Every call has deadlines and up to 10
    attempts, unless the user's AWS configuration says how often to try, or `attempts` does.
    """
    from botocore.config import Config  # noqa: PLC0415 - half of a start's time: only for those who need a client

    from awsflow.calls import watch  # noqa: PLC0415 - likewise

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
            user_agent_extra="awsflow",  # importlib.metadata, which knows the version, takes 10 ms
        )
        role = None
        if access.role_arn:
            from awsflow.roles import assumed  # noqa: PLC0415 - likewise

            role = assumed(session, access, access.role_arn, region, config)
            # botocore's own way to give a session credentials that renew themselves leads through a profile's settings
            session = _session(AwsAccess(profile=access.profile))
            session._credentials = role  # type: ignore[attr-defined] # see above
        elif session.get_credentials() is None:
            raise CredentialsError(
                f"{what}: there are no credentials; "
                "give a profile or a role, set AWS_ACCESS_KEY_ID, or attach a role to this machine"
            )
        factory = session.get_component("response_parser_factory")
        factory.set_parser_defaults(timestamp_parser=_timestamp)
        create: Any = session.create_client  # its stubs know a fixed list of services
        try:
            made = create(service, region_name=region, endpoint_url=access.service_endpoint, config=config)
        except ValueError as error:
            # botocore complains so of endpoints in the configuration, and of text where it wants a number
            if translated(what, error) is not None:
                raise
            raise ConfigError(f"{what}: {WRONG_CONFIGURATION[1]}") from None
        watch(made, access.call_seconds, role)
        made.meta.events.register("after-call", _checked)
        return made


def check_profile(access: AwsAccess) -> None:
    """Raise ProfileNotFound if the access names a profile that is not there: before anything else is begun."""
    if access.profile is not None:
        with doing(f"looking for the profile {access.profile!r}"):
            _session(access).get_scoped_config()


def known_regions() -> frozenset[str]:
    """The regions of all partitions, as this botocore knows them."""
    from botocore.loaders import Loader  # noqa: PLC0415 - only where regions are given

    # "endpoints" has the same, in fifty times the size; here each partition has something like "aws-global" besides
    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(region for partition in partitions for region in partition["regions"] if region[-1].isdigit())


def _checked(http_response: Any, parsed: Any, model: Any, **of_call: Any) -> None:
    """What botocore calls with every answer."""
    if http_response.status_code < 300:
        check(model.name, parsed)


def _tells_retries(session: "Session") -> bool:
    """Whether the user's AWS configuration says how to retry. botocore's own answer includes its defaults."""
    return bool(
        session.get_scoped_config().keys() & {"retry_mode", "max_attempts"}
        or os.environ.keys() & {"AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"}
    )


def _session(access: AwsAccess) -> "Session":
    """A botocore session with the access's own credentials."""
    import botocore.session  # noqa: PLC0415 - see client

    from awsflow.aws_models import Models  # noqa: PLC0415 - likewise

    session = botocore.session.Session(profile=access.profile)
    session.register_component("data_loader", Models(session.get_component("data_loader")))
    if access.access_key and access.secret_key:
        session.set_credentials(access.access_key, access.secret_key)
    return session


def _timestamp(value: Any) -> datetime:
    """A time in an answer. There are thousands: the two usual spellings take a tenth of botocore's time here."""
    if isinstance(value, str):
        try:
            if value.endswith("Z"):
                return datetime.fromisoformat(value)
            if value.endswith("GMT"):
                return parsedate_to_datetime(value)
        except ValueError:
            pass
    try:
        parsed: datetime = _parse_timestamp()(value)
    except (ValueError, RuntimeError, OverflowError, OSError):
        raise NotOfAws("a time in it is none") from None
    return parsed


@cache
def _parse_timestamp() -> Any:
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - see client

    return parse_timestamp
