"""Regions: where a service is asked that has one endpoint in each, when nobody says where."""

from collections.abc import Sequence

from awsflow.aws import doing
from awsflow.errors import UnknownRegion
from awsflow.options import AwsAccess


class Regions:
    """The regions of one service, as this botocore knows them; of all partitions."""

    def __init__(self, service: str, access: AwsAccess) -> None:
        import botocore.session  # noqa: PLC0415 - half of a start's time: only where it is needed

        self._service = service
        with doing(f"looking for the regions of {service}"):
            session = botocore.session.Session(profile=access.profile)
            self._own: str | None = access.region or session.get_config_variable("region")
            self._by_partition = {
                partition: tuple(session.get_available_regions(service, partition))
                for partition in session.get_available_partitions()
            }
        self._partition = access.role_arn.split(":")[1] if access.role_arn else "aws"

    def __contains__(self, region: str) -> bool:
        return any(region in regions for regions in self._by_partition.values())

    def wanted(self, given: Sequence[str]) -> tuple[str, ...]:
        """Those that are given, else the access's or its profile's, else all of the partition.

        UnknownRegion for one that the service is not in.
        """
        chosen = tuple(dict.fromkeys(given)) or ((self._own,) if self._own else ())
        for region in chosen:
            if region not in self:
                raise UnknownRegion(
                    f"asking {self._service} in {region}: it is not there, as far as this botocore knows; "
                    "give a region that has it"
                )
        return chosen or self._by_partition.get(self._partition, ())

    def are_all(self, given: Sequence[str]) -> bool:
        """Whether `wanted` are all there are, for want of a choice."""
        return not given and not self._own
