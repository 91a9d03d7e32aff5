"""The folder from which Wazuh's scheduler starts its aws-s3 command: that file is replaced, and Wazuh's is kept.

At every moment, whoever is killed, `aws-s3` is there as a whole: Wazuh's or ours. Wazuh's file is kept by a second name
of the same file, so its owner, mode, times and labels are those that it had.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from awsflow.errors import AwsflowError

NAME = "aws-s3"
BACKUP = "aws-s3.wazuh-original"
NEW = ".aws-s3.awsflow-new"
"""What is being written. A run that was killed may leave it; the next one begins it anew."""
LARGEST = 64 << 10
"""Bytes of a wrapper that are read at most."""
PERMISSIONS = 0o7777


class WodlePlace:
    """`wodles/aws` below Wazuh's home, held by one of us at a time. No symbolic link in it is followed."""

    def __init__(self, home: Path, mark: bytes) -> None:
        """`mark` is what a wrapper of ours has in it."""
        self._mark = mark
        self.home = home.resolve()
        self._folder = self.home / "wodles" / "aws"
        self.path = self._folder / NAME
        with _telling(f"opening {self._folder}"):
            self._fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with _telling(f"reading {self.path}"):
                fcntl.flock(self._fd, fcntl.LOCK_EX)
                self.content = self._read()
        except BaseException:
            os.close(self._fd)
            raise

    @property
    def is_ours(self) -> bool:
        """Whether it is a wrapper of ours that the scheduler starts; or nothing, where Wazuh's own file is kept."""
        return self._mark in self.content or (not self.content and self.has(BACKUP))

    def holds(self, content: bytes) -> bool:
        """Whether this content is there, with the owner and the mode that it should have."""
        there, like = self._status(NAME), self._status(BACKUP)
        if there is None or self.content != content:
            return False
        return like is None or _may(there) == _may(like)

    def has(self, name: str) -> bool:
        """Say whether something of this name is there."""
        return self._status(name) is not None

    def keep_and_replace(self, content: bytes) -> None:
        """Keep Wazuh's file, and put this content in its place. An older file that is kept gets a number."""
        with _telling(f"keeping {self.path} as {BACKUP}"):
            own, kept = self._status(NAME), self._status(BACKUP)
            if kept is not None and own is not None and not os.path.samestat(own, kept):
                free = next(name for number in count(1) if not self.has(name := f"{BACKUP}.{number}"))
                os.rename(BACKUP, free, src_dir_fd=self._fd, dst_dir_fd=self._fd)
                kept = None
            if kept is None:
                os.link(NAME, BACKUP, src_dir_fd=self._fd, dst_dir_fd=self._fd, follow_symlinks=False)
                os.fsync(self._fd)
        self.replace(content)

    def replace(self, content: bytes) -> None:
        """Put this content in the place of the scheduler's file; owner and mode are those of Wazuh's."""
        with _telling(f"writing {self.path}"):
            like = self._status(BACKUP) or os.stat(NAME, dir_fd=self._fd, follow_symlinks=False)
            with suppress(FileNotFoundError):
                os.unlink(NEW, dir_fd=self._fd)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(NEW, flags, 0o600, dir_fd=self._fd), "wb") as file:
                file.write(content)
                file.flush()
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
                os.fchmod(file.fileno(), like.st_mode & PERMISSIONS)
                os.fsync(file.fileno())
            self._moved(NEW)
        self.content = content

    def put_back(self) -> None:
        """Let Wazuh's own file be the scheduler's again."""
        with _telling(f"putting {BACKUP} back as {self.path}"):
            self._moved(BACKUP)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def _moved(self, name: str) -> None:
        os.rename(name, NAME, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        os.fsync(self._fd)

    def _read(self) -> bytes:
        """What lies there, as far as it may be a wrapper of ours; nothing, if only what is kept is there."""
        try:
            file = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._fd)
        except FileNotFoundError:
            if self.has(BACKUP):
                return b""
            raise
        with open(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(errno.EINVAL, "this is no regular file")
            return opened.read(LARGEST)

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        except FileNotFoundError:
            return None


def _may(status: os.stat_result) -> tuple[int, int, int]:
    """Who may do what with a file."""
    return status.st_uid, status.st_gid, status.st_mode & PERMISSIONS


HINTS = {
    errno.EACCES: "run this as root",
    errno.EPERM: "run this as root",
    errno.ENOENT: "is Wazuh there? Name its home with --wazuh-home",
    errno.ENOTDIR: "it has to be a folder, no link to one; name Wazuh's home with --wazuh-home",
    errno.ELOOP: "it is a symbolic link; put Wazuh's own file there again",
    errno.EINVAL: "put Wazuh's own file there again",
}
"""What to try, by what is wrong."""


@contextmanager
def _telling(doing: str) -> Iterator[None]:
    """Say what was being done, and what to try, if the system refuses it."""
    try:
        yield
    except OSError as error:
        hint = HINTS.get(error.errno or 0, "nothing has changed")
        raise AwsflowError(f"{doing}: {error.strerror}; {hint}") from None
