"""Who we are in AWS's eyes: with our own credentials, and as the role."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from awsflow.aws import doing
from awsflow.cli.checkup.asking import Asking, is_aws
from awsflow.cli.checkup.results import Result, failed
from awsflow.errors import AwsflowError, CredentialsError, EndpointUnreachable, ServiceError
from awsflow.permissions import Where, to_assume


def who_am_i(asking: Asking) -> Generator[Result, None, Where | None]:
    """Tell who we are; return whose things we may ask for, None if there is no use in asking for anything.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html needs no permission.
    """
    access = asking.access
    # the keys of another make of store are shown to that store alone
    is_elsewhere = not (access.sts_endpoint or is_aws(access.service_endpoint))
    sts = replace(access, service_endpoint=access.service_endpoint if is_elsewhere else access.sts_endpoint)
    where = Where()
    try:
        told = _caller(asking.client("sts", access=replace(sts, role_arn=None)))
        where = _where(told)
        yield Result("credentials", "ok", told["Arn"])
    except (ServiceError, EndpointUnreachable, CredentialsError) as error:
        if isinstance(error, CredentialsError) and not is_elsewhere:
            yield failed("credentials", error)
            return None
        if isinstance(error, EndpointUnreachable) and is_elsewhere:  # all else is asked of the same one
            yield failed("endpoint", error)
            return None
        if "there are no credentials" in str(error):
            yield failed("credentials", error)
            return None
        why = "this endpoint does not tell who we are" if is_elsewhere else str(error)
        yield Result("credentials", "untried", f"{why}; what follows tells whether they are accepted")
    if access.role_arn:
        try:
            told = _caller(asking.client("sts", access=sts))
            where = _where(told)
            yield Result("role", "ok", told["Arn"])
        except CredentialsError as error:
            allow = to_assume(access)[0].as_json()
            yield Result(
                "role",
                "failed",
                f"{error}; the role's trust policy must name us, and our own policy must hold the statement",
                allow,
                error.exit_code,
            )
            return None
        except AwsflowError as error:
            yield Result("role", "untried", f"{error}; what follows tells whether the role is accepted")
    return where


def _caller(sts: Any) -> dict[str, str]:
    with doing("asking STS who we are"):
        told = sts.get_caller_identity()
    if not str(told.get("Arn") or "").startswith("arn:"):
        raise ServiceError("asking STS who we are: the answer names nobody; check the STS endpoint")
    return {"Arn": str(told["Arn"]), "Account": str(told.get("Account") or "*")}


def _where(told: dict[str, str]) -> Where:
    return Where(told["Arn"].split(":")[1] or "aws", told["Account"])
