"""Places: the regions in which a service is asked, and whose state it is that is kept of it."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from awsflow.aws import doing
from awsflow.errors import UnknownRegion
from awsflow.options import AwsAccess

if TYPE_CHECKING:
    from botocore.session import Session


class Places:
    """What botocore knows of regions."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access

    def chosen(self, given: Sequence[str]) -> tuple[str, ...]:
        """The regions that are given, else the access's or its profile's; none if nobody says any."""
        own = self._access.region or (None if given else self._session.get_config_variable("region"))
        return tuple(dict.fromkeys(given or ([own] if own else [])))

    def all_of(self, service: str) -> tuple[str, ...]:
        """All regions of the partition that have the service; it is a role that tells another partition than `aws`."""
        partition = self._access.role_arn.split(":")[1] if self._access.role_arn else "aws"
        return tuple(self._session.get_available_regions(service, partition))

    def check(self, service: str, regions: Iterable[str]) -> None:
        """UnknownRegion for a region that does not have the service."""
        known = {
            region
            for partition in self._session.get_available_partitions()
            for region in self._session.get_available_regions(service, partition)
        }
        for region in regions:
            if region not in known:
                raise UnknownRegion(
                    f"asking {service} in {region}: it is not there, as far as this botocore knows; give other regions"
                )

    @cached_property
    def _session(self) -> "Session":
        import botocore.session  # noqa: PLC0415 - half of a start's time: only where it is needed

        with doing("looking for regions"):
            session = botocore.session.Session(profile=self._access.profile)
            session.get_scoped_config()  # raises for a profile that is not there
            return session


def work_name(service: str, access: AwsAccess) -> str:
    """What the state of a service goes by: whose it is, as far as that is known without asking AWS."""
    if access.role_arn:
        return f"{service} {access.role_arn}"
    if access.profile:
        return f"{service} {access.profile}"
    if access.access_key:
        return f"{service} {hashlib.sha256(access.access_key.encode()).hexdigest()[:16]}"
    return service
