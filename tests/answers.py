"""AWS where moto's is too well-behaved: a real HTTP server that answers as a test tells it, and keeps what came."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    path: str
    parameters: dict[str, str]
    """Of the query and of the form."""
    headers: dict[str, str]
    """Names in lower case."""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Answering:
    """Answers each request as `answer` says; where that is None, never: the connection stays open and silent."""

    def __init__(self, answer: Callable[[Request], Answer | None]) -> None:
        self.requests: list[Request] = []
        self._answer = answer
        self._over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_HEAD = answer  # noqa: N815 - http.server wants these names

            def log_message(self, *told: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

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

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        form = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        parameters = dict(parse_qsl(url.query, keep_blank_values=True)) | dict(parse_qsl(form))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(url.path, parameters, headers)
        self.requests.append(request)
        answer = self._answer(request)
        if answer is None:
            self._over.wait(30)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)


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
