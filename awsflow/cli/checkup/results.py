"""What a check-up finds: one thing, whether it works, and what to do if not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from awsflow.errors import AwsflowError
from awsflow.permissions import Statement

Outcome: TypeAlias = Literal["ok", "failed", "look", "untried"]
"""`look`: it works, or may work, but somebody should know; `untried`: it could not be tried without doing harm."""


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at."""

    what: str
    """`credentials`, `s3:GetObject` and the like."""
    outcome: Outcome
    told: str
    """What was found, and what to do if it does not work."""
    allow: Mapping[str, Any] | None = None
    """The statement that is missing in the policy, or may be."""
    exit_code: int = 0
    """That of the error, if it has failed."""


def failed(what: str, error: AwsflowError, needed: Sequence[Statement] = ()) -> Result:
    """What an error means; if it is that an action is denied, the statement that allows it goes with it."""
    allow = statement_for(what, needed) if is_denial(error) else None
    return Result(what, "failed", str(error), allow, error.exit_code)


def untried(what: str, told: str, needed: Sequence[Statement] = ()) -> Result:
    """What was not tried, and why; with the statement that it needs, if it is a permission."""
    return Result(what, "untried", told, statement_for(what, needed))


def statement_for(action: str, needed: Sequence[Statement]) -> dict[str, Any] | None:
    """The statement that allows an action."""
    return next((each.as_json(action) for each in needed if action in each.actions), None)


def is_denial(error: AwsflowError) -> bool:
    """Whether AWS has told that we may not."""
    code = code_of(error)
    return code.startswith("AccessDenied") or code in ("403", "AuthorizationError", "UnauthorizedOperation")


def code_of(error: BaseException) -> str:
    """AWS's own code behind one of our errors; empty if there is none."""
    return next(
        (str(each.response.get("Error", {}).get("Code", "")) for each in _behind(error) if hasattr(each, "response")),
        "",
    )


def _behind(error: BaseException | None) -> Iterator[Any]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
