"""The credentials of a role: taken with others, renewed before they expire, and as soon as AWS refuses them."""

from typing import Any

from botocore.credentials import AssumeRoleCredentialFetcher, RefreshableCredentials
from botocore.session import Session

from awsflow.aws_errors import doing
from awsflow.calls import watch
from awsflow.errors import CredentialsError
from awsflow.options import AwsAccess

SESSION_NAME = "WazuhLogParsing"


class RoleCredentials(RefreshableCredentials):
    """Credentials that renew themselves."""

    _refused = ""

    def refuse(self, token: str) -> None:
        """Never use this session token again."""
        self._refused = token

    def refresh_needed(self, refresh_in: int | None = None) -> bool:
        """Whether it is time for new ones."""
        token: str = self._frozen_credentials.token  # type: ignore[attr-defined] # the public one asks for this first
        return token == self._refused or super().refresh_needed(refresh_in)


def assumed(session: Session, access: AwsAccess, role_arn: str, region: str, config: Any) -> RoleCredentials:
    """The credentials of the role, taken with those of the session."""
    wanted: dict[str, Any] = {"RoleSessionName": SESSION_NAME}
    if access.external_id:
        wanted["ExternalId"] = access.external_id
    if access.role_duration:
        wanted["DurationSeconds"] = access.role_duration
    source = session.get_credentials()
    if source is None:
        raise CredentialsError(f"assuming {role_arn}: there are no credentials to do so with; give a profile or keys")

    def sts(service: str, **more: Any) -> Any:
        create: Any = session.create_client  # its stubs know a fixed list of services
        client = create(
            service, **{"region_name": region, "endpoint_url": access.sts_endpoint, **more, "config": config}
        )
        watch(client, access.call_seconds)
        return client

    cache: dict[str, Any] = {}
    fetcher = AssumeRoleCredentialFetcher(sts, source, role_arn, extra_args=wanted, cache=cache)

    def fetched() -> Any:
        cache.clear()  # who asks wants other ones than those which are there
        with doing(f"assuming {role_arn}"):
            try:
                return fetcher.fetch_credentials()
            except KeyError:
                raise CredentialsError(
                    f"assuming {role_arn}: the answer holds no credentials; check the STS endpoint"
                ) from None

    # botocore renews credentials a quarter of an hour before they expire: all the time, if they don't live longer
    lifetime = access.role_duration or 3600
    role: RoleCredentials = RoleCredentials.create_from_metadata(
        fetched(),
        fetched,
        "assume-role",
        advisory_timeout=min(900, lifetime // 3),
        mandatory_timeout=min(600, lifetime // 6),
    )
    return role
