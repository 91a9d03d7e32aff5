"""A small read-only S3 over a folder, to measure against: `python -m benchmarks.s3_standin ROOT`.

`ROOT/BUCKET/KEY` is the object KEY of BUCKET, at `http://127.0.0.1:PORT/BUCKET/KEY`. The folder is looked
through once, at the start. The address is printed when the server listens; `--port 0` (default) takes a free
port.

It knows HeadBucket; ListObjectsV2 with prefix, delimiter, start-after, continuation-token, max-keys and
encoding-type=url; GetObject and HeadObject with Range and If-Match. Signatures are not looked at, any other
operation is answered with NotImplemented. `GET /-/stats` tells as JSON how often each was asked for.

`--latency MS` waits before each answer, as a distant S3 does; connections wait side by side. `--bandwidth MB`
limits each connection to so many MB (10^6 bytes) a second. `--copies N` lists each object under N keys, so that many
objects need little room on the disk.

It is one thread without an HTTP library: an answer costs about 0.1 ms of CPU, for it shares the machine with
the collector that is measured.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import os
import re
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, quote, unquote
from xml.sax.saxutils import escape

AT_ONCE = 1 << 18
"""Bytes. Smaller bodies are sent with their head, larger ones by the kernel; in such pieces if paced."""
LAST = "\U0010ffff"
"""Sorts behind every character of a key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of the folder."""

    path: str
    size: int
    etag: str
    modified: str
    """In seconds, as HTTP headers have it."""
    listed: str
    """What a listing says of it behind its key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back: a body, or a part of a file (offset and count)."""

    status: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    path: str = ""
    offset: int = 0
    count: int = 0


class Bucket:
    """The objects of one bucket, in the order of their keys, which is that of their UTF-8 bytes."""

    def __init__(self, folder: Path, copies: int) -> None:
        self.objects = dict(sorted((name, stored) for key, stored in _objects(folder) for name in _names(key, copies)))
        self.keys = list(self.objects)

    def page(self, prefix: str, delimiter: str, after: str, most: int) -> tuple[list[str], list[str], str | None]:
        """Return the next keys and common prefixes behind `after`, and where to go on if there are more."""
        keys: list[str] = []
        groups: list[str] = []
        last = ""
        at = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
        while at < len(self.keys) and self.keys[at].startswith(prefix):
            if len(keys) + len(groups) >= most:
                return keys, groups, last or after
            key = self.keys[at]
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                keys.append(key)
                last = key
                at += 1
            else:
                groups.append(key[: end + len(delimiter)])
                last = groups[-1] + LAST
                at = bisect_right(self.keys, last, at)
        return keys, groups, None


class Store:
    """The folder's buckets, and the answers to what is asked of them."""

    def __init__(self, root: Path, copies: int) -> None:
        self.buckets = {folder.name: Bucket(folder, copies) for folder in root.iterdir() if folder.is_dir()}
        self.asked: Counter[str] = Counter()

    def answer(self, method: str, target: str, headers: dict[str, str]) -> Answer:
        """Answer a request; `headers` have names in lower case."""
        path, _, query = target.partition("?")
        name, _, key = unquote(path.lstrip("/")).partition("/")
        if (name, key) == ("-", "stats"):
            return Answer("200 OK", (("Content-Type", "application/json"),), json.dumps(self.asked).encode())
        arguments = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        bucket = self.buckets.get(name)
        if bucket is None:
            return self._refusal("404 Not Found", "NoSuchBucket", name)
        if key and method in ("GET", "HEAD"):
            return self._object(method, bucket, key, headers)
        if method == "HEAD":
            self.asked["HeadBucket"] += 1
            return Answer("200 OK")
        if method == "GET" and arguments.get("list-type") == "2":
            self.asked["ListObjectsV2"] += 1
            return Answer("200 OK", (("Content-Type", "application/xml"),), _listing(name, bucket, arguments))
        return self._refusal("501 Not Implemented", "NotImplemented", f"{method} {target}")

    def _object(self, method: str, bucket: Bucket, key: str, headers: dict[str, str]) -> Answer:
        self.asked["GetObject" if method == "GET" else "HeadObject"] += 1
        stored = bucket.objects.get(key)
        if stored is None:
            return self._refusal("404 Not Found", "NoSuchKey", key)
        if headers.get("if-match", stored.etag) not in (stored.etag, stored.etag.strip('"'), "*"):
            return self._refusal("412 Precondition Failed", "PreconditionFailed", key)
        known = (
            ("ETag", stored.etag),
            ("Last-Modified", stored.modified),
            ("Content-Type", "binary/octet-stream"),
            ("Accept-Ranges", "bytes"),
        )
        wanted = _range(headers.get("range", ""), stored.size)
        if wanted is None:
            return Answer("200 OK", known, path=stored.path, count=stored.size)
        if not wanted:
            return self._refusal("416 Requested Range Not Satisfiable", "InvalidRange", key)
        part = ("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{stored.size}")
        return Answer("206 Partial Content", (*known, part), b"", stored.path, wanted.start, len(wanted))

    def _refusal(self, status: str, code: str, what: str) -> Answer:
        self.asked[code] += 1
        body = f"<Error><Code>{code}</Code><Message>{code}</Message><Resource>{escape(what)}</Resource></Error>"
        return Answer(status, (("Content-Type", "application/xml"),), body.encode())


def _objects(folder: Path) -> Iterator[tuple[str, Stored]]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            known = os.stat(path)
            etag = f'"{zlib.crc32(path.encode()):08x}{known.st_mtime_ns:016x}{known.st_size & 0xFFFFFFFF:08x}"'
            changed = datetime.fromtimestamp(int(known.st_mtime), UTC)
            listed = (
                f"<LastModified>{changed:%Y-%m-%dT%H:%M:%S}.000Z</LastModified>"
                f"<ETag>{escape(etag)}</ETag><Size>{known.st_size}</Size><StorageClass>STANDARD</StorageClass>"
            )
            modified = formatdate(known.st_mtime, usegmt=True)
            yield os.path.relpath(path, folder), Stored(path, known.st_size, etag, modified, listed)


def _names(key: str, copies: int) -> Iterator[str]:
    """The keys of an object: its own, and for each copy one more, in the same folder and of the same kind."""
    yield key
    kind = "".join(PurePosixPath(key).suffixes[-2:])
    for number in range(1, copies):
        yield f"{key.removesuffix(kind)}-{number}{kind}"


def _range(header: str, size: int) -> range | None:
    """Return the bytes wanted; None: all, as when the header makes no sense. Empty: there are none."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(0, size - int(match[2])), size)
    first, last = int(match[1]), int(match[2]) if match[2] else size - 1
    return None if last < first < size else range(min(first, size), min(last + 1, size))


def _listing(name: str, bucket: Bucket, arguments: dict[str, str]) -> bytes:
    """Write a page of ListObjectsV2.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    prefix, delimiter = arguments.get("prefix", ""), arguments.get("delimiter", "")
    after, token = arguments.get("start-after", ""), arguments.get("continuation-token")
    most = min(int(arguments.get("max-keys", 1000)), 1000)
    keys, groups, more = bucket.page(prefix, delimiter, bytes.fromhex(token).decode() if token else after, most)

    def text(value: str) -> str:
        return quote(value) if arguments.get("encoding-type") == "url" else escape(value)

    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{name}</Name><Prefix>{text(prefix)}</Prefix><MaxKeys>{most}</MaxKeys>"
        f"<KeyCount>{len(keys) + len(groups)}</KeyCount><IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
    ]
    if delimiter:
        parts.append(f"<Delimiter>{text(delimiter)}</Delimiter>")
    if after:
        parts.append(f"<StartAfter>{text(after)}</StartAfter>")
    if "encoding-type" in arguments:
        parts.append("<EncodingType>url</EncodingType>")
    if more:
        parts.append(f"<NextContinuationToken>{more.encode().hex()}</NextContinuationToken>")
    parts += [f"<Contents><Key>{text(key)}</Key>{bucket.objects[key].listed}</Contents>" for key in keys]
    parts += [f"<CommonPrefixes><Prefix>{text(group)}</Prefix></CommonPrefixes>" for group in groups]
    parts.append("</ListBucketResult>")
    return "".join(parts).encode()


class Connection(asyncio.Protocol):
    """One client: a request at a time, kept alive until it hangs up."""

    def __init__(self, store: Store, latency: float, pace: float) -> None:
        self._store = store
        self._latency = latency
        self._pace = pace
        self._heard = b""
        self._answering = False
        self._is_over = False
        self._loop = asyncio.get_running_loop()
        self._streaming: asyncio.Task[None] | None = None
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember whom to answer."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - for mypy: a TCP server's always is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what has come in whole."""
        if self._is_over:
            return  # a body, which is not looked at
        self._heard += data
        if not self._answering:
            self._listen()

    def _listen(self) -> None:
        head, end, rest = self._heard.partition(b"\r\n\r\n")
        self._answering = bool(end)
        if not end:
            return
        self._heard = rest
        request, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = request.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = self._store.answer(method, target, headers)
        if self._latency:
            self._loop.call_later(self._latency, self._send, method, answer)
        else:
            self._send(method, answer)

    def _send(self, method: str, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        lines = [f"HTTP/1.1 {answer.status}", f"Content-Length: {answer.count or len(answer.body)}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if method == "HEAD":
            self._transport.write(head)
        elif not answer.path:
            self._transport.write(head + answer.body)
        elif answer.count <= AT_ONCE and not self._pace:
            with open(answer.path, "rb", buffering=0) as file:
                self._transport.write(head + os.pread(file.fileno(), answer.count, answer.offset))
        else:
            self._streaming = self._loop.create_task(self._stream(head, answer))
            return
        if method in ("GET", "HEAD"):
            self._listen()
        else:
            self._is_over = True
            self._transport.write_eof()  # to close with a body unread would reset the connection, answer and all

    async def _stream(self, head: bytes, answer: Answer) -> None:
        self._transport.write(head)
        started, sent = self._loop.time(), 0
        try:
            with open(answer.path, "rb") as file:
                while sent < answer.count:
                    size = min(AT_ONCE, answer.count - sent) if self._pace else answer.count
                    await self._loop.sendfile(self._transport, file, answer.offset + sent, size)
                    sent += size
                    if self._pace:
                        await asyncio.sleep(started + sent / self._pace - self._loop.time())
        except ConnectionError:
            return  # the client had enough
        self._listen()


async def serve(root: Path, port: int, latency: float, pace: float, copies: int) -> None:
    """Answer until cancelled. `latency` in seconds; `pace` in bytes a second per connection, 0: unlimited."""
    store = Store(root, copies)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(store, latency, pace), "127.0.0.1", port, backlog=512)
    gc.freeze()
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve what the command line says."""
    parser = argparse.ArgumentParser(description="A small read-only S3 over a folder, to measure against.")
    parser.add_argument("root", type=Path, help="ROOT/BUCKET/KEY are the objects")
    parser.add_argument("--port", type=int, default=0, help="default: a free one; it is printed")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="wait before each answer")
    parser.add_argument("--bandwidth", type=float, default=0.0, metavar="MB", help="MB a second per connection")
    parser.add_argument("--copies", type=int, default=1, metavar="N", help="keys of each object")
    told = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(told.root, told.port, told.latency / 1000, told.bandwidth * 1e6, told.copies))


if __name__ == "__main__":
    main()
