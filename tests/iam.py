"""IAM as AWS has it, in front of moto's server: what the policy's statements do not allow is refused."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.answers import Answer, Request

_service = re.compile(r"Credential=[^/]+/[^/]+/([^/]+)/([^/]+)/").search
_keys = re.compile(rb"<Key>([^<]+)</Key>").findall
ACCOUNT = "123456789012"


class Iam:
    """A policy, and what was asked for under it. Give `refused` to a `FaultServer`, to choose by."""

    def __init__(self, *statements: Mapping[str, Any]) -> None:
        self.statements = [*statements]
        self.used: set[str] = set()
        """Actions that were asked for and allowed."""

    def refused(self, asked: Request) -> Answer | None:
        """The refusal of what is not allowed; None where it is."""
        for action, resource, context in needs(asked):
            if not any(_allows(statement, action, resource, context) for statement in self.statements):
                return _refusal(asked)
            self.used.add(action)
        return None


def needs(asked: Request) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """What a request must be allowed: action, resource, and what conditions are compared with.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
    """
    found = _service(asked.headers.get("authorization", ""))
    assert found is not None, f"{asked.action} is not signed"
    region, service = found.groups()
    target = asked.headers.get("x-amz-target", "").rpartition(".")[2]
    url = urlsplit(asked.target)
    match service:
        case "s3":
            yield from _of_s3(asked, unquote(url.path), parse_qs(url.query, keep_blank_values=True))
        case "sqs":
            name = asked.body.get("QueueName") or asked.body["QueueUrl"].rpartition("/")[2]
            yield f"sqs:{target.removesuffix('Batch')}", f"arn:aws:sqs:{region}:{ACCOUNT}:{name}", {}
        case "logs":
            group, stream = asked.body.get("logGroupName", ""), asked.body.get("logStreamName", "")
            yield f"logs:{target}", f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}:log-stream:{stream}", {}
        case "sts":
            action = parse_qs(asked.content.decode())["Action"][0]
            if action != "GetCallerIdentity":  # which is allowed to everybody
                yield f"sts:{action}", parse_qs(asked.content.decode())["RoleArn"][0], {}
        case _:
            assert url.path == "/findings/list", asked.path
            yield f"{service}:ListFindings", "*", {}


def _of_s3(asked: Request, path: str, query: Mapping[str, list[str]]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    bucket, _, key = path.removeprefix("/").partition("/")
    arn = f"arn:aws:s3:::{bucket}"
    if asked.method == "POST" and "delete" in query:
        yield from (("s3:DeleteObject", f"{arn}/{found.decode()}", {}) for found in _keys(asked.content))
    elif key:
        yield ("s3:DeleteObject" if asked.method == "DELETE" else "s3:GetObject"), f"{arn}/{key}", {}
    else:
        values = {"s3:prefix": query.get("prefix", [""])[0], "s3:max-keys": query.get("max-keys", [""])[0]}
        yield "s3:ListBucket", arn, values if "list-type" in query else {}


def _allows(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    assert statement["Effect"] == "Allow"
    return (
        any(fnmatchcase(action, each) for each in _list(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in _list(statement["Resource"]))
        and all(
            name in context and any(_OPERATORS[operator](context[name], value) for value in _list(values))
            for operator, condition in statement.get("Condition", {}).items()
            for name, values in condition.items()
        )
    )


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringLike": fnmatchcase,
    "StringEquals": str.__eq__,
    "NumericEquals": str.__eq__,
}


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _refusal(asked: Request) -> Answer:
    if "x-amz-target" in asked.headers or asked.path == "/findings/list":
        body = json.dumps({"__type": "AccessDeniedException", "Message": "not authorized"}).encode()
        return Answer(
            400, body, {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": "AccessDeniedException"}
        )
    if asked.content.startswith(b"Action="):
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        return Answer(403, body, {"Content-Type": "text/xml"})
    body = b"" if asked.method == "HEAD" else b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
    return Answer(403, body, {"Content-Type": "application/xml"})
