"""Logs that lie in local files and folders, read as they are: no state, no dates."""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from awsflow.decode.limits import Limits
from awsflow.errors import NoObjects, ServiceError
from awsflow.items import Found, Item, Read
from awsflow.logtypes import LOG_TYPES, log_types_named
from awsflow.logtypes.recognise import looks_right, sure
from awsflow.sources.ahead import fetched
from awsflow.sources.reading import Reader, origin_of
from awsflow.state.positions import ObjectPosition


class LocalFiles:
    """Source of the logs of one type, or of any (`auto`), in files, and in folders with all that lies below.

    In a folder, files are read in the order of their paths, and only those whose names look like logs of the type;
    `skipped` is told of each of the others. A file that is named itself is always read.
    """

    def __init__(
        self,
        *paths: Path | str,
        log_type: str = "cloudtrail",
        alias: str = "",
        skip_on_error: bool = False,
        skipped: Callable[[Path], None] = lambda path: None,
        format: str = "",  # noqa: A002 - as the command line has it
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
    ) -> None:
        self.log_types = log_types_named(log_type, format)
        self.objects_by_type: Counter[str] = Counter()
        """How many objects of which type were delivered."""
        self._reader = Reader(self.log_types, skip_on_error=skip_on_error, limits=limits)
        self._paths = [Path(path) for path in paths]
        self._alias = alias
        self._skipped = skipped

    def items(self, read: Read | None = None) -> Generator[Item, None, None]:
        """The records of all files. NoObjects if there is no file to read."""
        yield from (read or self.read)(self._found())

    def load(self) -> None:
        """Reading takes nothing more."""

    def read(self, found: Iterator[Found | None], share: int = 1) -> Generator[Item, None, None]:
        """The records of these files."""
        with closing(fetched(found, _opened, requests=2)) as files:
            yield from self._reader.read_all(files)

    def commit(self, positions: Sequence[ObjectPosition]) -> None:
        """Count what was delivered; nothing is remembered."""
        self.objects_by_type.update(position.log_type for position in positions if position.finished)

    def close(self) -> None:
        """Nothing is open."""

    def _found(self) -> Iterator[Found]:
        any_file = False
        for path in self._paths:
            for file in _below(path) if os.path.isdir(path) else [path]:  # Path.is_dir raises what os.path does not
                if file is path or looks_right(file.as_posix(), self.log_types, LOG_TYPES.values()):
                    any_file = True
                    yield self._one(file)
                else:
                    self._skipped(file)
        if not any_file:
            places = ", ".join(map(str, self._paths))
            raise NoObjects(f"looking for logs in {places}: there are none of this type; check path and type")

    def _one(self, path: Path) -> Found:
        log_type = sure(path.as_posix(), self.log_types)
        origin = origin_of("", str(path), self._alias, log_type)
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # opening it will tell why
        return Found(origin, size=size, log_type=log_type.name if log_type else "")


def _below(folder: Path) -> Iterator[Path]:
    """The files in a folder and in those below it, in their order. Links to folders are not followed."""
    todo = [folder]
    while todo:
        path = todo.pop()
        try:
            if path is folder or (path.is_dir() and not path.is_symlink()):
                todo += sorted(path.iterdir(), reverse=True)
                continue
            is_file = path.is_file()
        except OSError as error:
            raise ServiceError(f"listing {path}: {error.strerror}; check its permissions") from None
        if is_file:
            yield path


def _opened(found: Found) -> BinaryIO:
    try:
        return Path(found.origin.key).open("rb")
    except OSError as error:
        raise ServiceError(
            f"opening {found.origin.key}: {error.strerror}; check the path and its permissions"
        ) from None
