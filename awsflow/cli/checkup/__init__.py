"""The check-up: what of a source works, and what does not, found by asking for little and changing nothing."""

import time
from collections.abc import Callable, Iterator

from awsflow.cli.checkup.asking import Asking
from awsflow.cli.checkup.results import Result, failed
from awsflow.errors import (
    AwsflowError,
    CredentialsError,
    EndpointUnreachable,
    ProfileNotFound,
    UnknownRegion,
    UnknownType,
)
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions

__all__ = ["Result", "check_up"]

_NAMES: dict[type[AwsflowError], str] = {
    CredentialsError: "credentials",
    EndpointUnreachable: "endpoint",
    ProfileNotFound: "profile",
    UnknownRegion: "region",
    UnknownType: "type",
}
"""What it is that does not work."""


def check_up(
    options: BucketOptions | ServiceOptions | QueueOptions,
    access: AwsAccess,
    *,
    clock: Callable[[], float] = time.time,
) -> Iterator[Result]:
    """What works of a source, one thing after the other; ends where all that follows could only fail likewise."""
    asking = Asking(access, clock=clock)
    try:
        yield from _asked(options, asking)
    except AwsflowError as error:
        yield failed(_NAMES.get(type(error), "asking"), error)
    finally:
        asking.close()
    yield from asking.clock()


def _asked(options: BucketOptions | ServiceOptions | QueueOptions, asking: Asking) -> Iterator[Result]:
    from awsflow.cli.checkup.identity import who_am_i  # noqa: PLC0415 - each part is imported when it is needed

    where = yield from who_am_i(asking)
    if where is None:
        return
    match options:
        case BucketOptions():
            from awsflow.cli.checkup.bucket import of_bucket  # noqa: PLC0415 - likewise

            yield from of_bucket(options, asking, where)
        case QueueOptions():
            from awsflow.cli.checkup.queue import of_queue  # noqa: PLC0415 - likewise

            yield from of_queue(options, asking, where)
        case ServiceOptions():
            from awsflow.cli.checkup.services import of_service  # noqa: PLC0415 - likewise

            yield from of_service(options, asking, where)
