"""Logs that lie in local files and folders, read as they are: no state, no dates."""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from awsflow.errors import NoObjects, ServiceError
from awsflow.items import Found, Item, Origin, Position
from awsflow.logtypes import log_type_named
from awsflow.logtypes.layout import account_in
from awsflow.sources.ahead import fetched
from awsflow.sources.reading import read_all


class LocalFiles:
    """Source of the logs of one type in files, and in folders with all that lies below.

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
    ) -> None:
        self.log_type = log_type_named(log_type)
        self._paths = [Path(path) for path in paths]
        self._alias = alias
        self._skip_on_error = skip_on_error
        self._skipped = skipped

    def items(self) -> Generator[Item, None, None]:
        """The records of all files. NoObjects if there is no file to read."""
        with closing(fetched(map(self._found, self._chosen()), _opened, requests=2)) as files:
            yield from read_all(files, self.log_type, skip_on_error=self._skip_on_error)

    def commit(self, positions: Sequence[Position]) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is open."""

    def _chosen(self) -> Iterator[Path]:
        looks_like_a_log = re.compile(self.log_type.names).search
        any_file = False
        for path in self._paths:
            below = sorted(path.rglob("*")) if path.is_dir() else [path]
            for file in below:
                if file is path or (looks_like_a_log(file.name) and file.is_file()):
                    any_file = True
                    yield file
                elif file.is_file():
                    self._skipped(file)
        if not any_file:
            places = ", ".join(map(str, self._paths))
            raise NoObjects(f"looking for {self.log_type.name} logs in {places}: there are none; check path and type")

    def _found(self, path: Path) -> Found:
        origin = Origin(
            key=str(path),
            alias=self._alias,
            account=account_in(path.as_posix()) if self.log_type.account else "",
            shape=self.log_type.shape,
        )
        try:
            return Found(origin, size=path.stat().st_size)
        except OSError:
            return Found(origin, size=0)  # opening it will tell why


def _opened(found: Found) -> BinaryIO:
    try:
        return Path(found.origin.key).open("rb")
    except OSError as error:
        raise ServiceError(f"opening {found.origin.key}: {error.strerror}; check the path and its permissions") from None
