"""The bytes of an object as they lie in the store, taken in the sizes that a format needs."""

from collections import deque
from collections.abc import Generator, Iterator
from typing import TypeAlias

from awsflow.errors import DecompressError

Pieces: TypeAlias = Generator[bytes, None, None]
"""Decompressed content, in its order. An empty piece says that another chunk of the object is needed for the next."""

Taking: TypeAlias = Generator[bytes, None, bytes]
"""Returns bytes of the object, and yields an empty piece for each chunk that is waited for."""

_FILLING = 64


class Stored:
    """An object's chunks, of any size. An empty one means that time passed, and is passed on as an empty piece."""

    def __init__(self, chunks: Iterator[bytes], start: int = 0) -> None:
        self.taken = start
        """Bytes of the object before the place that the next one is taken from."""
        self._chunks = chunks
        self._chunk = b""
        self._at = 0
        self._later: deque[bytes] = deque()  # what follows a chunk that was put back

    def some(self, most: int) -> Taking:
        """Take what is here, at most so many bytes: none only at the end."""
        if self._at == len(self._chunk) and not (yield from self._more()):
            return b""
        piece = self._chunk[self._at : self._at + most]
        self._at += len(piece)
        self.taken += len(piece)
        return piece

    def exactly(self, size: int) -> Taking:
        """Take so many bytes: fewer only at the end."""
        piece = yield from self.some(size)
        if not piece or len(piece) == size:
            return piece
        parts = [piece]
        missing = size - len(piece)
        while missing and (piece := (yield from self.some(missing))):
            parts.append(piece)
            missing -= len(piece)
        return b"".join(parts)

    def rest(self, at_once: int = 1 << 17) -> Pieces:
        """Take all that is left, in pieces of at most so many bytes."""
        while piece := (yield from self.some(at_once)):
            yield piece

    def look(self, size: int) -> Taking:
        """Return the next so many bytes, fewer only at the end, without taking them."""
        piece = yield from self.exactly(size)
        self.put_back(piece)
        return piece

    def skip(self, size: int) -> Generator[bytes, None, bool]:
        """Pass over so many bytes; False if the object ends before."""
        while size and (piece := (yield from self.some(size))):
            size -= len(piece)
        return not size

    def put_back(self, piece: bytes) -> None:
        """Give back the end of what was taken last."""
        self.taken -= len(piece)
        if self._at < len(piece):
            if rest := self._chunk[self._at :]:
                self._later.appendleft(rest)
            self._chunk = piece
            self._at = len(piece)
        self._at -= len(piece)

    def goes_on(self, format_name: str, beginnings: tuple[bytes, ...]) -> Generator[bytes, None, bool]:
        """Tell whether something follows a whole stream, which then is one more of them, or else is an error.

        Zero bytes that fill an object up are passed over, as gzip(1) and tar know them from tapes.
        """
        while filling := (yield from self.some(_FILLING)):
            if rest := filling.lstrip(b"\0"):
                self.put_back(rest)
                break
        head = yield from self.look(len(beginnings[0]))
        if not head or head in beginnings:
            return bool(head)
        if any(beginning.startswith(head) for beginning in beginnings):
            raise self.cut_short(format_name, len(head))
        raise DecompressError(f"{format_name} data is followed by something else at byte {self.taken:,}")

    def cut_short(self, format_name: str, unused: int = 0) -> DecompressError:
        """The error of an object that ends too early."""
        return DecompressError(
            f"{format_name} data is cut short after {self.taken + unused:,} bytes; was it written to its end?"
        )

    def damaged(self, format_name: str, complaint: object, back: int = 0) -> DecompressError:
        """The error of an object that is wrong so many bytes before the place that was reached."""
        return DecompressError(f"{format_name} data is damaged at byte {self.taken - back:,} ({complaint})")

    def _more(self) -> Generator[bytes, None, bool]:
        """Go to the next chunk, saying so before it is waited for; False if there is none."""
        if self._later:
            self._chunk = self._later.popleft()
            self._at = 0
            return True
        if self._chunk:
            yield b""
        for chunk in self._chunks:
            if chunk:
                self._chunk = chunk
                self._at = 0
                return True
            yield b""
        self._chunk = b""
        self._at = 0
        return False
