"""CloudWatch Logs where moto is too well-behaved: a real HTTP server, with tokens and pages as AWS has them.

A token leads to a place between two events, in the order of their times and then of their coming: what comes late lies
before it. Pages may be empty, and a page that is not the last has another token.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from awsflow.options import AwsAccess

ARN = "arn:aws:logs:us-east-1:123456789012:log-group"


class Refused(Exception):
    """An error as AWS words it."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


class JsonService:
    """Answers requests in JSON, by operation: the last part of `X-Amz-Target`, or else of the path."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer's body waits 40 ms for the client to confirm its head

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                operation = self.headers.get("X-Amz-Target", self.path).rpartition(
                    "." if "X-Amz-Target" in self.headers else "/"
                )[2]
                outer.requests.append((operation, body))
                try:
                    status, answered = 200, answer(operation, body)
                except Refused as refused:
                    status, answered = refused.status, {"__type": refused.code, "message": f"The message of {refused}."}
                encoded = json.dumps(answered).encode()
                self.send_response_only(status)
                if status != 200:
                    self.send_header("X-Amzn-ErrorType", answered["__type"])
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Date", formatdate(outer.clock() / 1000, usegmt=True))
                self.send_header("Content-Length", str(len(encoded)))
                self.end_headers()
                self.wfile.write(encoded)

            def log_message(self, *told: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *told: Any) -> None:
                """A client that is gone is none of ours."""

        self.clock: Callable[[], int] = lambda: 0
        """Milliseconds since 1970."""
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def access(self) -> AwsAccess:
        return AwsAccess(service_endpoint=self.url)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The requests of this kind so far."""
        return [body for name, body in self.requests if name == operation]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Stream:
    """Events as (time, when they came, number, message); sorted they are in the order in which they are read."""

    events: list[tuple[int, int, int, str]] = field(default_factory=list)


class LogService(JsonService):
    """One region, with groups that are made by their first event."""

    def __init__(self, *, page: int = 10_000, empty_every: int = 0) -> None:
        """`page`: events of a page; `empty_every`: each how many answers one is an empty page."""
        super().__init__(self._answer)
        self.groups: dict[str, dict[str, Stream]] = {}
        self.time = 1_795_000_000_000
        """Of the clock on the wall, in milliseconds since 1970."""
        self.page = page
        self.empty_every = empty_every
        self.lag = 0
        """Milliseconds for which the list of streams knows nothing of what has come."""
        self.pages = 0
        """Pages with events so far."""
        self.refused_tokens: set[str] = set()
        self.refuses_all_tokens = False
        self.before: Callable[[str, dict[str, Any]], None] = lambda operation, request: None
        """Called before each answer."""
        self.clock = lambda: self.time
        self._numbers = 0
        self._lock = threading.Lock()

    def put(self, group: str, stream: str, *events: tuple[int, str]) -> None:
        self.time += 1
        kept = self.groups.setdefault(group, {}).setdefault(stream, Stream())
        for time, message in events:
            self._numbers += 1
            kept.events.append((time, self.time, self._numbers, message))
        kept.events.sort()

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.before(operation, request)
        with self._lock:
            answer: dict[str, Any] = getattr(self, operation)(request)
            return answer

    def DescribeLogGroups(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        prefix = request.get("logGroupNamePrefix", "")
        names = [name for name in sorted(self.groups) if name.startswith(prefix)]
        page, token = _paged(names, request, 50)
        return {"logGroups": [{"logGroupName": name, "arn": f"{ARN}:{name}:*"} for name in page], **token}

    def DescribeLogStreams(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        streams = self._group(request)
        prefix = request.get("logStreamNamePrefix", "")
        names = [name for name in sorted(streams) if name.startswith(prefix)]
        page, token = _paged(names, request, 50)
        listed = []
        for name in page:
            entry: dict[str, Any] = {"logStreamName": name, "arn": f"{ARN}:g:log-stream:{name}"}
            if events := streams[name].events:
                known = [event[1] for event in events if event[1] <= self.time - self.lag]
                entry |= {"firstEventTimestamp": events[0][0], **({"lastIngestionTime": max(known)} if known else {})}
            listed.append(entry)
        return {"logStreams": listed, **token}

    def GetLogEvents(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        events = self._stream(request).events
        token = request.get("nextToken")
        place = (-1, 0, 0, "")
        if token:
            if token in self.refused_tokens or self.refuses_all_tokens:
                raise Refused("InvalidParameterException")
            time, came, number, _ = json.loads(token[2:])
            place = (time, came, number, "\U0010ffff")
        some = [
            event
            for event in events
            if event > place and event[0] >= request.get("startTime", 0) and event[0] < request.get("endTime", 1 << 60)
        ]
        answers = len(self.asked("GetLogEvents"))
        page = [] if some and self.empty_every and answers % self.empty_every == 0 else some[: self.page]
        if page or some or token is None:  # an empty page that is not the end has another token for the same place
            token = "f/" + json.dumps([*(page[-1] if page else place)[:3], answers])  # none is made twice
        self.pages += bool(page)
        return {
            "events": [{"timestamp": time, "message": text, "ingestionTime": came} for time, came, _, text in page],
            "nextForwardToken": token,
            "nextBackwardToken": "b/0",
        }

    def DeleteLogStream(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        self._stream(request)
        del self._group(request)[request["logStreamName"]]
        return {}

    def _group(self, request: dict[str, Any]) -> dict[str, Stream]:
        name = request.get("logGroupName") or request["logGroupIdentifier"]
        if name not in self.groups:
            raise Refused("ResourceNotFoundException")
        return self.groups[name]

    def _stream(self, request: dict[str, Any]) -> Stream:
        streams = self._group(request)
        if request["logStreamName"] not in streams:
            raise Refused("ResourceNotFoundException")
        return streams[request["logStreamName"]]


def _paged(names: list[str], request: dict[str, Any], size: int) -> tuple[list[str], dict[str, str]]:
    begin = int(request.get("nextToken", 0))
    more = {"nextToken": str(begin + size)} if begin + size < len(names) else {}
    return names[begin : begin + size], more
