"""GetObject by example: made after what the client has sent for another object, and sent over the client's connections.

Most of the millisecond that botocore takes for a small object goes into what it has found out for the one before:
endpoint, addressing, what the service's model says. Here only what differs is made anew: the URL's end, If-Match, and
what botocore itself adds to each request: the signature, with credentials that are renewed when it is time, and ids.

botocore has no public way to do that, so a few of its private parts, and urllib3's, are used. Where one of them is not
as expected, where a request would not be as the client's own, and where an answer is not as S3's are, the client is
asked as ever. A failure counts as the first attempt of the client's call: it is retried and refused as configured.
"""

import re
import threading
import time
from collections.abc import Callable
from io import BytesIO
from random import getrandbits
from typing import Any, Self, TypeAlias
from uuid import UUID
from weakref import ref

from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.utils import percent_encode
from urllib3 import HTTPResponse
from urllib3.exceptions import ClosedPoolError, HTTPError

from awsflow.calls import CAME, SIGNED_WITH, UNTIL
from awsflow.errors import AwsflowError
from awsflow.sources.listing import S3Client

PIECE = 1 << 16
"""Bytes that a connection is asked for at a time. No refusal is larger."""
REFUSALS = 3
"""So many requests after one example are refused, and none answered: then it is none."""
BUCKETS = 100
"""Examples that are kept."""
END = float("inf")

_OF_EACH = {
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "if-match",
    "range",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
}
"""Headers that each request has of its own."""
_OF_OTHERS = (412, 416, 429)
"""Refusals that are never for how a request is made."""
_TOLD_ONCE = {"connection", "content-length", "content-range", "etag", "transfer-encoding"}
_is_bucket = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!--x-s3)").fullmatch
_place = re.compile(r"https?://([a-z0-9.-]+(?::(?!80/|443/)[1-9][0-9]*)?)(/(?:[^?#]*/)?)").fullmatch
_content_range = re.compile(r"bytes 0-[0-9]+/([0-9]+)").fullmatch

Came: TypeAlias = Callable[[], AWSResponse]
"""What has come of an attempt: it returns the answer, or raises what was raised."""


class Unusual(Exception):
    """Something is not as S3's, or botocore's, is."""


class ByExample:
    """GetObject of one client, for any number of threads."""

    def __init__(self, client: S3Client) -> None:
        self._client = client
        self._examples: dict[str, _Example | None] = {}
        """By bucket; None: the client alone can ask for the objects of that one."""
        self._call = _Call()
        client.meta.events.register_first("request-created.s3.GetObject", self._begun)
        client.meta.events.register("before-send.s3.GetObject", self._sent)

    def ask(self, bucket: str, key: str, etag: str) -> "Underway | None":
        """Ask for all of an object, without waiting for anything; None: as things are, that is not possible."""
        example = self._examples.get(bucket)
        if example is None or not example.is_proven or self._renews_credentials():
            return None
        try:
            request = example.request(key, etag)
            return Underway(example, request, example.asked(request, only_idle=True))
        except Exception:  # noqa: BLE001 - whatever it is, `whole` meets it too, if it stays
            return None

    def whole(self, bucket: str, key: str, etag: str, asked: "Underway | None" = None) -> dict[str, Any] | None:
        """What `get_object` answers, as far as it is needed; None: now that is to be called, in the same thread.

        `asked`: the object was asked for before, like this.
        """
        call = self._call
        call.carried = {}
        example = self._examples.get(bucket) if asked is None else asked.example
        if example is None:
            return None
        try:
            request = example.request(key, etag) if asked is None else asked.request
            call.url = request.url
            if asked is None:  # else that may have been long ago, and the call's time begins now
                call.carried = {UNTIL: request.context[UNTIL]}
            answer = example.asked(request) if asked is None else asked.answer
            answer.begin()
            if answer.status < 300:
                example.is_proven = True
                return answer.told()
            refusal = answer.refusal(request.url)
        except (AwsflowError, BotoCoreError, ClientError):  # of credentials: the client's own call raises them, too
            raise
        except ClosedPoolError:
            self._examples.pop(bucket, None)
        except (OSError, HTTPError) as error:
            call.carried |= _broken(request.url, error)
        except Exception:  # noqa: BLE001 - whatever it is: the client does not need what is done here
            self._examples[bucket] = None
        else:
            if example.is_proven or answer.status >= 500 or answer.status in _OF_OTHERS:
                call.carried |= {CAME: lambda: refusal, SIGNED_WITH: request.context[SIGNED_WITH]}
            elif example.refused():
                self._examples[bucket] = None
            if answer.status < 400:
                self._examples[bucket] = None
        return None

    def lacks(self, bucket: str) -> bool:
        """Whether there is no example for a bucket yet: the next call of the client's is one."""
        return bucket not in self._examples

    def get_object(self, **request: Any) -> dict[str, Any]:
        """The client's own call. What it sends is the example for others."""
        call = self._call
        call.sent = None
        try:
            answer: dict[str, Any] = self._client.get_object(**request)
        finally:
            call.carried = {}
        bucket = request["Bucket"]
        if bucket not in self._examples and call.sent is not None:
            if len(self._examples) >= BUCKETS:
                self._examples.clear()
            self._examples[bucket] = _Example.of(self._client, bucket, request["Key"], call.sent)
        return answer

    def _renews_credentials(self) -> bool:
        """Whether whoever signs next may have to wait for new credentials."""
        try:
            credentials: Any = self._client._request_signer._credentials
            needed = getattr(credentials, "refresh_needed", None)
            return needed is not None and bool(needed())
        except AttributeError:
            return True

    def _begun(self, request: Any, **_: Any) -> None:
        """Before each attempt of the client's."""
        call = self._call
        if call.carried and request.url == call.url:
            request.context.update(call.carried)
            call.carried = {}

    def _sent(self, request: Any, **_: Any) -> None:
        """When the client sends one."""
        self._call.sent = request


class _Call(threading.local):
    """What a thread's call of the client has to know, and what it tells."""

    def __init__(self) -> None:
        self.url = ""
        self.carried: dict[str, Any] = {}
        """What has come of our own request for that URL, for the context of the client's first attempt."""
        self.sent: Any = None
        """The request that the client sent last."""


class _Example:
    """A request that the client has sent, and others like it."""

    def __init__(self, client: Any, key: str, sent: Any) -> None:
        self._base = sent.url.removesuffix(percent_encode(key, safe="/~"))
        headers = _by_name(sent)
        place = _place(self._base)
        if (
            place is None
            or self._base == sent.url
            or (sent.method, sent.body) != ("GET", None)
            or headers.keys() - _OF_EACH != {"user-agent"}
            or not headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
            or client.meta.config.retries["mode"] not in ("standard", "legacy")  # the third one holds requests back
        ):
            raise Unusual("the client's own request")
        self.is_proven = False
        """Whether a request like it was answered well."""
        self._refusals = 0
        self._path_at = place.start(2)
        self._host = place[1]
        self._head = (
            f"Host: {place[1]}",
            "Accept-Encoding: identity",
            f"User-Agent: {headers['user-agent']}",
        )
        self._context = {name: value for name, value in sent.context.items() if not name.startswith("awsflow")}
        self._emit: Any = client.meta.events.emit
        self._seconds = client.meta.config.connect_timeout, client.meta.config.read_timeout
        pool: Any = client._endpoint.http_session._manager.connection_from_url(sent.url)
        if pool.num_requests == 0 or pool.proxy is not None:
            raise Unusual("the client's connections")
        self._pool = ref(pool)  # with the client's own reference to it go its connections

    @classmethod
    def of(cls, client: Any, bucket: str, key: str, sent: Any) -> Self | None:
        """The example that a request of the client's is; None if what we made of it would not be the same."""
        if _is_bucket(bucket) is None:
            return None
        try:
            example = cls(client, key, sent)
            theirs = _by_name(sent)
            again = example.request(key, theirs.get("if-match", ""))
            ours = {**again.headers, "user-agent": theirs["user-agent"]}
            del ours["host"]
            is_alike = again.url == sent.url and _constant(ours) == _constant(theirs)
        except Exception:  # noqa: BLE001 - a part of botocore is not as it was
            return None
        return example if is_alike else None

    def request(self, key: str, etag: str) -> "_Request":
        """A request for all of an object, in one version if its ETag is given, as botocore completes and signs it."""
        request = _Request(self._base + percent_encode(key, safe="/~"))
        request.headers["Host"] = self._host  # the signer would find it out, twice
        request.headers["Range"] = "bytes=0-"
        if etag:
            request.headers["If-Match"] = etag
        invocation = UUID(int=getrandbits(128), version=4)  # no secret: the kernel need not be asked for it
        request.context = {**self._context, "retries": {"attempt": 1, "invocation-id": str(invocation)}}
        self._emit("request-created.s3.GetObject", request=request, operation_name="GetObject")
        return request

    def asked(self, request: "_Request", *, only_idle: bool = False) -> "_Answer":
        """Send it: the answer to it, which is still to come. `only_idle`: Unusual if that takes a new connection."""
        lines = [f"GET {request.url[self._path_at :]} HTTP/1.1", *self._head]
        lines += [f"{name}: {value}" for name, value in request.headers.items() if name != "host"]
        head = "\r\n".join(lines)
        if head.count("\n") >= len(lines) or head.count("\r") >= len(lines):
            raise Unusual("a line in a header")
        pool = self._pool()
        if pool is None:
            raise ClosedPoolError(None, "let go")  # type: ignore[arg-type] # as urllib3 does where it has none
        connection = pool._get_conn()
        if only_idle and connection.sock is None:
            pool._put_conn(connection)
            raise Unusual("all connections are taken")
        return _Answer(pool, connection, f"{head}\r\n\r\n".encode(), *self._seconds)

    def refused(self) -> bool:
        """Whether requests like it have been refused so often that the fault may be ours."""
        self._refusals += 1
        return self._refusals >= REFUSALS


class _Request:
    """A GetObject for botocore to complete and sign: what its handlers look at of an AWSRequest, at half the price."""

    method = "GET"
    data = body = b""
    auth_path = None
    stream_output = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers = _Headers()
        self.params: dict[str, str] = {}
        self.context: dict[str, Any] = {}


class _Headers(dict[str, str]):
    """Headers by their names, in lower case."""

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header, if there is one."""
        return super().get(name.lower(), default)


class _Answer:
    """An answer as it comes. The pool has the connection back when all is here, or when it is closed."""

    def __init__(self, pool: Any, connection: Any, head: bytes, connect_seconds: float, read_seconds: float) -> None:
        """Send a request's head. Nothing of the answer is there yet."""
        self.status = 0
        """0: the answer has not begun."""
        self.length = 0
        """Bytes that are announced behind the head."""
        self._headers: dict[str, str] = {}
        self._came = b""
        """Of its head, as long as that is not whole."""
        self._rest = b""
        self._left = 0
        """Bytes that are not read yet."""
        self._keeps = False
        """Whether the connection may serve again."""
        self._read_seconds = read_seconds
        self._until = END
        """When it is waited for no longer, in seconds of the clock."""
        self._pool: Any = pool
        self._connection = connection
        try:
            self._connection.timeout = connect_seconds
            pool._validate_conn(self._connection)
            if self._connection.sock is not None:
                self._wait_at_most(read_seconds)
            self._connection.send(head)  # connects, if need be
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        """Wait for the head of the answer, and read it."""
        if self._connection is None and not self.status:
            raise ConnectionError("closed before it had begun")
        try:
            if not self.status or len(self._rest) < self._left:
                self._wait_at_most(self._read_seconds)
                self._until = END
            if not self.status:
                self._read_head()
        except BaseException:
            self.close()
            raise

    def is_here(self, seconds: float) -> bool:
        """Whether all of the answer is here, after about so many seconds; one that takes more than a piece is not.

        Whatever goes wrong is for those who read it after `begin`.
        """
        if self._connection is None:
            return bool(self.status)
        try:
            self._wait_at_most(seconds)
            self._until = time.monotonic() + seconds
            if not self.status:
                self._read_head()
            while len(self._rest) < self._left <= PIECE and (more := self._more()):
                self._rest = self._as_announced(self._rest + more)
        except Exception:  # noqa: BLE001 - most often, nothing has come yet
            return False
        return len(self._rest) == self._left

    def _wait_at_most(self, seconds: float) -> None:
        if self._connection.sock.gettimeout() != seconds:
            self._connection.sock.settimeout(seconds)

    def _more(self) -> bytes:
        """What comes next; nothing at the end of the connection."""
        if time.monotonic() > self._until:
            raise TimeoutError("it trickles")
        more: bytes = self._connection.sock.recv(PIECE)
        return more

    def told(self) -> dict[str, Any]:
        """What the client would tell of it, as far as it is needed."""
        told: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": self.status}, "ContentLength": self._left}
        if "etag" in self._headers:
            told["ETag"] = self._headers["etag"]
        if self.status == 206:
            told["ContentRange"] = self._headers["content-range"]
        return {**told, "Body": self}

    def refusal(self, url: str) -> AWSResponse:
        """All of it, as botocore has it of its connections."""
        content = b""
        try:
            while piece := self.read(PIECE):
                content += piece
        finally:
            self.close()
        if self._left:
            raise ConnectionError("an answer that is not whole")
        raw = HTTPResponse(BytesIO(content), self._headers, self.status, preload_content=False, decode_content=False)
        headers: Any = self._headers  # the stubs want a class that botocore does not use there
        return AWSResponse(url, self.status, headers, raw)

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end, and if the connection ends before."""
        if self._connection is None:
            return b""
        piece = self._rest or self._as_announced(self._more())
        piece, self._rest = piece[:size], piece[size:]
        self._left -= len(piece)
        if not piece or not self._left:
            self.close()
        return piece

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._left or not self._keeps:
                connection.close()
            self._pool._put_conn(connection)
            self._pool = None

    def _read_head(self) -> None:
        while (end := self._came.find(b"\r\n\r\n")) < 0:
            if len(self._came) > PIECE or b"\n\n" in self._came:
                raise Unusual("a head")
            more = self._more()
            if not more:
                raise ConnectionError("no answer")
            self._came += more
        first, *lines = self._came[:end].decode("latin-1").split("\r\n")
        version, status = first.split(" ")[:2]
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            name = name.lower()
            if not colon or name.split() != [name] or (name in _TOLD_ONCE and name in headers):
                raise Unusual("a header")
            headers[name] = value.strip()
        length = headers["content-length"]
        if version != "HTTP/1.1" or "transfer-encoding" in headers or not (length + status).isdecimal():
            raise Unusual("an answer")
        _check(int(status), int(length), headers)
        self.status, self.length, self._headers = int(status), int(length), headers
        self._left = self.length
        self._keeps = "close" not in headers.get("connection", "").lower()
        self._rest = self._as_announced(self._came[end + 4 :])
        self._came = b""
        if not self._left:
            self.close()

    def _as_announced(self, came: bytes) -> bytes:
        """What has come, without what nobody asked for: then the connection is not to be trusted."""
        if len(came) > self._left:
            self._keeps = False
        return came[: self._left]


class Underway:
    """A request for an object, and the answer that is to come."""

    __slots__ = ("answer", "example", "request")

    def __init__(self, example: _Example, request: _Request, answer: _Answer) -> None:
        self.example = example
        self.request = request
        self.answer = answer


def _check(status: int, size: int, headers: dict[str, str]) -> None:
    """Raise Unusual for an answer that is neither all of an object, as far as it is told, nor a refusal."""
    if status == 206:
        part = _content_range(headers["content-range"])
        is_usual = part is not None and size <= int(part[1])
    else:
        is_usual = status == 200 or (status >= 300 and size <= PIECE)
    if not is_usual:
        raise Unusual("an answer")


def _by_name(request: Any) -> dict[str, str]:
    """The headers of a request that botocore has sent, with names in lower case."""
    return {name.lower(): value.decode() for name, value in request.headers.items()}


def _constant(headers: dict[str, str]) -> dict[str, str]:
    """Of a request's headers, with all their names, what is the same for the same object at another time."""
    changing = {"amz-sdk-invocation-id", "amz-sdk-request", "range", "x-amz-date"}
    kept = {name: "" if name in changing else value for name, value in headers.items()}
    return kept | {"authorization": headers["authorization"].partition("Signature=")[0]}


def _broken(url: str, error: Exception) -> dict[str, Any]:
    """What botocore makes of a connection that broke off; nothing, if there was none."""
    raised: BotoCoreError
    if isinstance(error, TimeoutError):
        raised = ReadTimeoutError(endpoint_url=url, error=error)
    elif isinstance(error, ConnectionError):
        raised = ConnectionClosedError(endpoint_url=url, error=error)
    else:
        return {}

    def came() -> AWSResponse:
        raise raised

    return {CAME: came}
