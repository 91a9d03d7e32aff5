"""The files inside an object, decompressed as they stream by: what they are is seen from their content."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import chain

from awsflow.decode.bzip2_xz import BZIP2, XZ, bunzipped, unxzed
from awsflow.decode.deflate import GZIP, gunzipped
from awsflow.decode.limits import GENEROUS, Growth, Limits
from awsflow.decode.snappy import FRAMED, JAVA, from_hadoop, from_java, is_hadoop, raw, unframed
from awsflow.decode.stored import Pieces, Stored
from awsflow.decode.zip_files import ZipFile
from awsflow.decode.zstd import FRAME, unzstd

_AT_ONCE = 1 << 17
_ENOUGH = 1 << 16
_HEAD = 16
"""Bytes that tell every format."""

_magic = re.compile(
    rb"(?P<gzip>\x1f\x8b\x08)"
    rb"|(?P<zip>PK(?:\x03\x04|\x05\x06|\x07\x08PK))"
    rb"|(?P<zstd>\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)"
    rb"|(?P<bzip2>BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90))"
    rb"|(?P<xz>\xfd7zXZ\x00)"
    rb"|(?P<framed>\xff\x06\x00\x00sNaPpY)"
    rb"|(?P<java>\x82SNAPPY\x00)",
)
_NAMED = (
    ("gzip", GZIP, (".gz", ".gzip")),
    ("zip", b"PK", (".zip",)),
    ("zstd", FRAME, (".zst", ".zstd")),
    ("bzip2", BZIP2, (".bz2",)),
    ("xz", XZ, (".xz",)),
    ("framed", FRAMED, ("snappy", ".sz")),
    ("java", JAVA, ("snappy", ".sz")),
    ("raw", b"", ("snappy", ".sz")),
)
"""What a name may say where the content cannot tell: all of it is as long as a magic number, or shorter."""

_DECOMPRESS: dict[str, Callable[[Stored], Pieces]] = {
    "gzip": gunzipped,
    "zstd": unzstd,
    "bzip2": bunzipped,
    "xz": unxzed,
    "framed": unframed,
    "java": from_java,
    "hadoop": from_hadoop,
    "raw": raw,
}


def members(chunks: Iterator[bytes], name: str = "", limits: Limits = GENEROUS) -> Iterator[Iterator[bytes]]:
    """The decompressed content of each file in an object: of every one in a zip, else of one, be it empty.

    `chunks` are the object's bytes as they lie in the store, in pieces of any size. For each of them, empty ones too,
    at least one piece of content comes out, an empty one if there is nothing else: so time passes on. Pieces are of
    128 KiB at most, and small ones are joined as far as the chunk at hand allows. A file must be consumed, or given
    up, before the next is asked for.

    Knows gzip (and gzip within any of these), zip, zstd, bzip2, xz, and snappy in its own framing, snappy-java's and
    Hadoop's; several streams one after the other are one file. `name` matters only where the content cannot tell.
    What is nothing of these is content as it is.

    Raises DecompressError where an object is damaged, cut short or grows beyond `limits`, having yielded what comes
    before that place (of bzip2 and xz beyond 4 MiB, all but a kilobyte); LibraryMissing for zstd and snappy.
    """
    with closing(_Files(chunks, name.lower(), limits)) as files:
        with closing(files.first()) as first:
            yield first
        for content in files.others():
            with closing(content):
                yield content


class _Files:
    """The files inside an object. What it is comes out while the first is read, for to know that takes time, too."""

    def __init__(self, chunks: Iterator[bytes], name: str, limits: Limits) -> None:
        self._stored = Stored(iter(chunks))
        self._name = name
        self._limits = limits
        self._zip = ZipFile()
        self._outer = Growth(limits, self._taken)
        self._inner = Growth(limits, self._taken)
        self._opening = self._open()
        self._unread: Iterator[Pieces] = iter(())
        self._first_is_open = False

    def first(self) -> Pieces:
        """The content of the first file, if there is one."""
        for waiting in self._opening:  # noqa: UP028 - `yield from` would close it where the first file is given up
            yield waiting
        self._first_is_open = True
        yield from next(self._unread, ())

    def others(self) -> Iterator[Pieces]:
        """The content of each of the other files."""
        for _ in self._opening:
            pass
        if not self._first_is_open:
            next(self._unread, None)
        yield from self._unread

    def close(self) -> None:
        """Remove what was kept on disk."""
        self._zip.close()

    def _open(self) -> Pieces:
        """Nothing, while it takes time to see what the object is, and to find the files in it."""
        head = yield from self._stored.look(_HEAD)
        kind = _kind(head, self._name)
        if kind == "zip":
            yield from self._zip.spooled(self._stored, self._limits.spooled)
            self._unread = map(self._limited, self._zip.files())
        elif decompress := _DECOMPRESS.get(kind):
            self._unread = map(self._limited, [decompress(self._stored)])
        else:
            self._unread = iter([_joined(self._stored.rest())])

    def _limited(self, content: Pieces) -> Pieces:
        yield from self._inner.limited(_unwrapped(self._outer.limited(_joined(content))))

    def _taken(self) -> int:
        return self._zip.size or self._stored.taken


def _kind(head: bytes, name: str) -> str:
    """Tell what an object is that begins so: empty if it is content as it is."""
    if found := _magic.match(head):
        return found.lastgroup or ""
    if is_hadoop(head):
        return "hadoop"
    for kind, beginning, suffixes in _NAMED:
        if head and name.endswith(suffixes) and (head.startswith(beginning) or beginning.startswith(head)):
            return kind
    return ""


def _unwrapped(pieces: Iterator[bytes]) -> Pieces:
    """Decompress content once more if it is gzip: many a tool compresses what is compressed already."""
    head = b""
    try:
        for piece in pieces:
            head += piece
            if not GZIP.startswith(head):
                break
            yield b""
    except Exception:
        yield head
        raise
    if head.startswith(GZIP):
        yield from _joined(gunzipped(Stored(chain([head], pieces)), "the inner gzip"))
    else:
        yield head
        yield from pieces


def _joined(pieces: Iterable[bytes]) -> Pieces:
    """Join small pieces to larger ones, up to an empty one: whoever waits for a chunk has all that came before.

    An empty piece is passed on if nothing else has come since the one before it.
    """
    waiting: list[bytes] = []
    size = 0
    silent = True
    try:
        for piece in pieces:
            large = len(piece) >= _ENOUGH
            if waiting and (large or not piece or size + len(piece) > _AT_ONCE):
                yield b"".join(waiting)
                waiting.clear()
                size = 0
                silent = False
            if large or (silent and not piece):
                yield piece
            elif piece:
                waiting.append(piece)
                size += len(piece)
            silent = not piece
    except Exception:
        if waiting:
            yield b"".join(waiting)
        raise
    if waiting:
        yield b"".join(waiting)
