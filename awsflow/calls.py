"""Calls of AWS as a whole: they end in time, their answers are complete, and a token that has expired is renewed."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.parsers import ResponseParserError


class Renewing(Protocol):
    """Credentials that can be had anew."""

    def refuse(self, token: str) -> None:
        """Never use this session token again: AWS says that it has expired, whatever we have been promised."""
        ...


UNTIL = "awsflow_until"
"""In a request's context: when its call is not tried again any more, in seconds of the clock."""
CAME = "awsflow_came"
"""Likewise: called in place of sending it; what was sent already in its stead has come to that."""
SIGNED_WITH = "awsflow_signed_with"
"""Likewise: the session token that it was signed with."""
EXPIRED = ("ExpiredToken", "ExpiredTokenException")


def watch(
    client: Any,
    seconds: float,
    credentials: Renewing | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Watch over the calls of a botocore client; none is tried again once so many seconds have passed.

    An answer that was cut short is tried again, as one that never came. One without the content that it must have
    is tried again too, and one that is not JSON where JSON is spoken is refused: botocore takes both for an answer
    that says "nothing is there".
    """
    calls = _Calls(client, seconds, credentials, clock)
    events = client.meta.events
    events.register("request-created", calls.begun)
    events.register("before-send", calls.sent)
    events.register_first("needs-retry", calls.failed)


class _Calls:
    def __init__(self, client: Any, seconds: float, credentials: Renewing | None, clock: Callable[[], float]) -> None:
        self._client = client
        self._seconds = seconds
        self._credentials = credentials
        self._clock = clock
        self._service: Any = client.meta.service_model
        self._session: Any = client._endpoint.http_session  # botocore has no other way to look at an answer in time

    def begun(self, request: Any, **_: Any) -> None:
        """Before each attempt: the first one starts the clock."""
        request.context.setdefault(UNTIL, self._clock() + self._seconds)
        if CAME not in request.context:  # else it is that of what was sent already
            request.context[SIGNED_WITH] = request.headers.get("X-Amz-Security-Token")

    def sent(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        """In place of botocore's own sending: an answer that is not whole is none."""
        came = request.context.pop(CAME, None)
        response: AWSResponse = self._session.send(request) if came is None else came()
        if response.status_code >= 300 or not request.stream_output:
            try:
                content = response.content
            except Exception as error:
                raise ConnectionClosedError(endpoint_url=request.url, error=error) from error
            self._check(request, response, content, event_name.rpartition(".")[2])
        return response

    def failed(
        self,
        request_dict: dict[str, Any],
        response: tuple[AWSResponse, dict[str, Any]] | None,
        caught_exception: Exception | None,
        operation: Any,
        **_: Any,
    ) -> float | None:
        """When botocore considers to try again: the pause before, in seconds; None leaves it to others."""
        context = request_dict["context"]
        told = response[1].get("Error", {}).get("Code") if response is not None else None
        if self._clock() >= context[UNTIL]:
            if caught_exception is not None:
                raise caught_exception
            if response is not None and response[0].status_code >= 300:
                raise self._client.exceptions.from_code(told)(response[1], operation.name)
        if told in EXPIRED and self._credentials is not None and not context.get("awsflow_renewed"):
            context["awsflow_renewed"] = True
            self._credentials.refuse(context[SIGNED_WITH])
            return 0.0
        return None

    def _check(self, request: Any, response: AWSResponse, content: bytes, operation: str) -> None:
        if request.method == "HEAD":
            return
        length = response.headers.get("Content-Length")
        if length is not None and length.isdecimal() and len(content) < int(length):
            raise ConnectionClosedError(endpoint_url=request.url, error=f"{len(content)} bytes of {length}")
        if response.status_code != 200:
            return
        if not content and self._has_content(operation):
            raise ConnectionClosedError(endpoint_url=request.url, error="an answer without content")
        if content and "json" in _text(request.headers.get("Content-Type")):
            content = content.strip()
            if not (content.startswith(b"{") and content.endswith(b"}")):
                raise ResponseParserError("an answer that is no JSON")

    def _has_content(self, operation: str) -> bool:
        """Whether the answer to an operation has a body."""
        shape = self._service.operation_model(operation).output_shape
        return shape is not None and any("location" not in each.serialization for each in shape.members.values())


def _text(header: Any) -> str:
    return header.decode("latin-1") if isinstance(header, bytes) else header or ""
