"""AWS where moto's is too well-behaved: a real HTTP server that answers as a test tells it, and keeps what came."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as a test looks at it."""

    method: str
    target: str
    """Path and query."""
    headers: dict[str, str]
    """Names in lower case."""
    content: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Of the query and of the form."""
        form = dict(parse_qsl(self.content.decode("utf-8", "replace")))
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True)) | form

    @property
    def action(self) -> str:
        """As AWS's API has it (`ReceiveMessage`), or the method and path (`GET /logs/a`)."""
        target = self.headers.get("x-amz-target", "").rpartition(".")[2]
        return target or f"{self.method} {self.path}"

    @property
    def body(self) -> dict[str, Any]:
        """Of a request in JSON."""
        told: dict[str, Any] = json.loads(self.content)
        return told


Ending = Literal["close", "reset", "stall"]


@dataclass(frozen=True)
class Answer:
    """What is sent; with an ending, only so much of it, and then the connection ends so."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ending: Ending | None = None
    cut: int = -1
    """Bytes of the body before the ending; -1: not even the head is sent."""


class Answering:
    """Answers each request as `answer` says; where that is None, never: the connection stays open and silent."""

    silence = 30.0
    """Seconds for which a connection stays silent before it is closed."""

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each answer's body waits 40 ms for the client to confirm its head

            def answer(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer  # noqa: N815 - http.server wants these names

            def log_message(self, *told: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *told: Any) -> None:
                """A client that is gone is none of ours."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def count(self, action: str) -> int:
        """How often something was asked for."""
        return sum(request.action == action for request in self.requests)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.command, handler.path, headers, content)
        self.requests.append(request)
        answer = self._answer(request)
        if answer is None:
            answer = Answer(ending="stall")
        if answer.ending is None or answer.cut >= 0:
            handler.send_response_only(answer.status)
            for name, value in {"Date": handler.date_time_string(), **answer.headers}.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(answer.body)))
            handler.end_headers()
            handler.wfile.write(answer.body if answer.ending is None else answer.body[: answer.cut])
        if answer.ending is not None:
            handler.close_connection = True
        if answer.ending == "stall":
            self._over.wait(self.silence)
        elif answer.ending == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.rfile.close()  # it holds the socket, too
            handler.connection.close()


def refused(code: str, status: int = 400) -> Answer:
    """An error as S3 words it."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>The message of {code}.</Message></Error>".encode())


def refused_by_sts(code: str, status: int = 403) -> Answer:
    """An error as STS words it."""
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>The message of {code}.</Message></Error>"
    return Answer(status, f"<ErrorResponse>{inner}<RequestId>1</RequestId></ErrorResponse>".encode())


def listing(*keys: str, folder: str = "") -> Answer:
    """A page of ListObjectsV2; with a folder, of that alone."""
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-20T00:00:00.000Z</LastModified>"
        "<ETag>&quot;0123&quot;</ETag><Size>1</Size></Contents>"
        for key in keys
        if not folder
    )
    folders = f"<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>" if folder else ""
    head = f"<IsTruncated>false</IsTruncated><KeyCount>{1 if folder else len(keys)}</KeyCount>"
    return Answer(body=f"<ListBucketResult>{head}{contents}{folders}</ListBucketResult>".encode())


def assumed(access_key: str, seconds: float) -> Answer:
    """What STS answers to AssumeRole: credentials that expire in so many seconds."""
    expiration = datetime.now(UTC) + timedelta(seconds=seconds)
    credentials = (
        f"<AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>secret of {access_key}</SecretAccessKey>"
        f"<SessionToken>token of {access_key}</SessionToken><Expiration>{expiration:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
    )
    user = "<Arn>arn:aws:sts::123456789012:assumed-role/logs/WazuhLogParsing</Arn><AssumedRoleId>A:B</AssumedRoleId>"
    result = f"<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    return Answer(
        body=(
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleResult>{result}</AssumeRoleResult></AssumeRoleResponse>"
        ).encode()
    )
