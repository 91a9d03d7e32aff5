"""Zip files: every file in them, in the order of the directory.

The directory is at the end, so all of the zip goes to disk first. The standard library reads the directory; the files
are decompressed by what decompresses everything else here: that is faster, and gives all before a damaged spot.
"""

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from awsflow.decode.bzip2_xz import bunzipped, unxzed
from awsflow.decode.deflate import RAW, crc32, inflated
from awsflow.decode.stored import Pieces, Stored
from awsflow.decode.zstd import unzstd
from awsflow.errors import DecompressError

if TYPE_CHECKING:
    from zipfile import ZipInfo

FILES = 100_000
"""Files in a zip at most: each takes about 600 bytes of memory."""

_DIRECTORY = 32 << 20
"""Bytes of a directory at most."""
_IN_MEMORY = 4 << 20
"""Bytes of a zip that stay in memory; a larger one goes to disk."""
_PIECE = 1 << 16
_DIRECTORY_ENTRY = b"PK\x01\x02"
_FILE_HEADER = b"PK\x03\x04"
_ENCRYPTED = 0x1


class ZipFile:
    """A zip file on its way to an unnamed temporary file, and then the files in it."""

    def __init__(self) -> None:
        self.size = 0
        """Bytes that have gone there."""
        self._spool: IO[bytes] | None = None

    def spooled(self, stored: Stored, limit: int) -> Pieces:
        """Nothing: takes all there is, at most `limit` bytes."""
        import tempfile  # noqa: PLC0415 - few objects need it

        spool = self._spool = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - `close` closes it
        while piece := (yield from stored.some(_PIECE)):
            self.size += len(piece)
            if self.size > limit:
                raise DecompressError(
                    f"the zip has more than {limit:,} bytes, the limit of what is kept on disk, which is needed since "
                    "a zip's directory is at its end; use gzip for so much"
                )
            try:
                spool.write(piece)
            except OSError as error:
                raise DecompressError(
                    f"keeping {self.size:,} bytes of the zip in {tempfile.gettempdir()}: {error.strerror}; make room "
                    "there, or let TMPDIR name another place"
                ) from error

    def files(self) -> Iterator[Pieces]:
        """The content of each file, folders aside."""
        assert self._spool is not None, "spooled first"  # noqa: S101 - for the type checker
        spool, size = self._spool, self.size
        return (_content(spool, size, entry) for entry in _directory(spool, size) if not entry.filename.endswith("/"))

    def close(self) -> None:
        """Remove the temporary file."""
        if self._spool is not None:
            self._spool.close()


class _Directory:
    """What the standard library reads a directory from: all of it at once, so its size is checked here."""

    def __init__(self, spool: IO[bytes]) -> None:
        self.seek = spool.seek
        self.tell = spool.tell
        self._read = spool.read

    def read(self, size: int = -1) -> bytes:
        if size > _DIRECTORY:
            raise DecompressError(f"the zip's directory is of {size:,} bytes, more than {_DIRECTORY:,}")
        data = self._read(size)
        if data.count(_DIRECTORY_ENTRY) > FILES:
            raise DecompressError(f"there are more than {FILES:,} files in the zip; write fewer and larger ones")
        return data


def _directory(spool: IO[bytes], size: int) -> "list[ZipInfo]":
    import zipfile  # noqa: PLC0415 - few objects need it

    try:
        return zipfile.ZipFile(_Directory(spool)).infolist()
    except DecompressError:
        raise
    except Exception as error:  # what it stumbles over in a damaged directory are errors of many classes
        raise DecompressError(
            f"the zip's directory, at the end of its {size:,} bytes, is damaged or cut off ({error})"
        ) from error


def _content(spool: IO[bytes], zip_size: int, entry: "ZipInfo") -> Pieces:
    """The content of one file. Whether the directory's checksum fits is found out at its end."""
    name = f"the zip's file {entry.filename!r}"
    size = checksum = 0
    try:
        for piece in _decompressed(spool, zip_size, entry):
            size += len(piece)
            if size > entry.file_size:
                raise DecompressError(f"it is larger than the {entry.file_size:,} bytes that the directory tells of")
            checksum = crc32(piece, checksum)
            yield piece
        if size < entry.file_size:
            raise DecompressError(f"it is cut short: {size:,} of {entry.file_size:,} bytes are there")
        if checksum != entry.CRC:
            raise DecompressError("it is damaged (incorrect checksum)")
    except DecompressError as error:
        error.args = (f"{name} at byte {entry.header_offset:,}: {error}",)
        raise


def _decompressed(spool: IO[bytes], zip_size: int, entry: "ZipInfo") -> Pieces:
    """What the bytes of a file come to."""
    if entry.flag_bits & _ENCRYPTED:
        raise DecompressError("it is encrypted; write it without a password")
    header = b""
    if 0 <= entry.header_offset < zip_size:
        spool.seek(entry.header_offset)
        header = spool.read(30)
    if len(header) < 30 or header[:4] != _FILE_HEADER:
        raise DecompressError("the directory says that it begins there, and it does not")
    start = entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:], "little")
    stored = Stored(_region(spool, start, entry.compress_size), start)
    match entry.compress_type:
        case 0:
            return stored.rest()
        case 8:
            return inflated(stored, "deflate", RAW)
        case 12:
            return bunzipped(stored)
        case 93:
            return unzstd(stored)
        case 95:
            return unxzed(stored)
        case method:
            raise DecompressError(f"it is compressed by method {method}, which is not known here; use deflate")


def _region(spool: IO[bytes], start: int, size: int) -> Iterator[bytes]:
    """The bytes between two places. Nobody else reads at the same time."""
    spool.seek(start)
    while size and (piece := spool.read(min(size, _PIECE))):
        size -= len(piece)
        yield piece
