"""AWS with a hitch: a real HTTP server in front of moto's that passes requests on, unless a test meddles with one."""

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.answers import Answer


@dataclass(frozen=True)
class Asked:
    """A request as a test looks at it."""

    action: str
    """As AWS's API has it (`ReceiveMessage`), or the method and path (`GET /logs/a`)."""
    body: dict[str, Any]
    """Of SQS."""
    headers: dict[str, str]


class Meddling:
    """Answers as `meddle` says; where that is None, as the real one does."""

    def __init__(self, url: str, meddle: Callable[[Asked], Answer | None] = lambda asked: None) -> None:
        self.asked: list[Asked] = []
        self._real = urlsplit(url).netloc
        self._meddle = meddle
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer  # noqa: N815 - http.server wants these names

            def log_message(self, *told: Any) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *told: Any) -> None:
                """A client that is gone is none of ours."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def count(self, action: str) -> int:
        """How often something was asked for."""
        return sum(asked.action == action for asked in self.asked)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        target = headers.get("x-amz-target", "").rpartition(".")[2]
        action = target or f"{handler.command} {urlsplit(handler.path).path}"
        asked = Asked(action, json.loads(content) if target else {}, headers)
        self.asked.append(asked)
        answer = self._meddle(asked) or self._really(handler, content)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def _really(self, handler: BaseHTTPRequestHandler, content: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._real, timeout=60)
        try:
            connection.request(handler.command, handler.path, content, dict(handler.headers.items()))
            response = connection.getresponse()
            kept = {name: value for name, value in response.getheaders() if name.lower() not in _OF_CONNECTION}
            return Answer(response.status, response.read(), kept)
        finally:
            connection.close()


_OF_CONNECTION = {"content-length", "transfer-encoding", "connection", "date", "server"}


def refused_by_sqs(code: str, status: int = 400) -> Answer:
    """An error as SQS words it."""
    return Answer(
        status,
        json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": f"The message of {code}."}).encode(),
        {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{code};Sender"},
    )
