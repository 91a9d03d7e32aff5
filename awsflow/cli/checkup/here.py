"""On the machine: Wazuh's queue, or the file that events go to, and where the state is kept. Nothing is written."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from awsflow.cli.checkup.results import Result, failed
from awsflow.errors import QueueDown, SinkError, StateError, StateNotCreated
from awsflow.sinks.wazuh import LIMIT, WENT_AWAY
from awsflow.state.schema import APPLICATION, MIGRATIONS

MAGIC = b"SQLite format 3\0"
OF_DATAGRAM = 32
"""Bytes of a socket's buffer that no datagram can have, as Linux counts (net/unix/af_unix.c)."""
ROOM = 256 << 20
"""Bytes of a disk that should be free for the state and the dead letters."""


def of_wazuh(path: Path) -> Iterator[Result]:
    """Whether Wazuh's queue takes what we send, as far as that can be told without sending anything."""
    try:
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as queue:
            queue.connect(os.fspath(path))
            largest = queue.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - OF_DATAGRAM
    except OSError as error:
        is_socket = _is_socket(path)
        if error.errno in WENT_AWAY and is_socket is not False:
            advice = "is Wazuh running, and does it lie there? See --wazuh-home"
            yield failed("Wazuh's queue", QueueDown(f"connecting to {path}: {error.strerror}; {advice}"))
        else:
            advice = "it must be a Unix datagram socket that this user may write to"
            if error.errno in (errno.EACCES, errno.EPERM):
                advice += "; run as a user of the group wazuh"
            told = f"connecting to {path}: {error.strerror or error}; {advice}"
            yield failed("Wazuh's queue", SinkError(told))
        return
    yield Result("Wazuh's queue", "ok", f"{path} listens")
    if largest >= LIMIT:
        yield Result("largest event", "ok", f"{LIMIT:,} bytes, which is all that Wazuh reads; larger ones are shrunk")
    else:
        yield Result(
            "largest event",
            "look",
            f"this kernel takes {largest:,} bytes in a datagram, of {LIMIT:,} that Wazuh reads; larger events are "
            "shrunk: raise net.core.wmem_default and net.core.wmem_max",
        )


def of_file(path: Path) -> Iterator[Result]:
    """Whether events can be written into a file."""
    try:
        if not path.parent.is_dir():  # unlike the state's, it is not made
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        yield Result("file", "ok", f"{path}{_writable(path)}")
    except OSError as error:
        yield failed("file", SinkError(f"writing {path}: {error.strerror}; name a file that this user may write"))


def of_state(path: Path) -> Iterator[Result]:
    """Whether the state can be kept there."""
    try:
        told = _writable(path)
        yield _database(path) if not told else Result("state", "ok", f"{path}{told}")
    except OSError as error:
        told = f"opening the state {path}: {error.strerror}; name a file that this user may write, with --state"
        yield failed("state", StateError(told) if os.path.lexists(path) else StateNotCreated(told))
        return
    disk = os.statvfs(_nearest(path))
    free = disk.f_bavail * disk.f_frsize
    if free < ROOM or (disk.f_files and not disk.f_favail):
        yield Result("disk", "look", f"{free >> 20:,} MiB are free where the state lies; make room")
    else:
        yield Result("disk", "ok", f"{free >> 20:,} MiB are free where the state lies")


def _database(path: Path) -> Result:
    """What a state says of itself in its head: SQLite itself would write into the folder.

    https://sqlite.org/fileformat.html
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        head = os.pread(file, 100, 0)
    finally:
        os.close(file)
    if not head:
        return Result("state", "ok", f"{path} is empty")
    if not head.startswith(MAGIC):
        return Result("state", "look", f"{path} is no database; the next run sets it aside, and begins anew")
    version, application = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    if application != APPLICATION:
        return failed("state", StateError(f"opening the state {path}: it is another program's; name another file"))
    if version > len(MIGRATIONS):
        told = f"opening the state {path}: it is of a newer awsflow; update this one, or name another file"
        return failed("state", StateError(told))
    return Result("state", "ok", os.fspath(path))


def _writable(path: Path) -> str:
    """Whether it is there already, in words; OSError if it cannot be written, or made."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        folder = _nearest(path)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        return ", which will be made"
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "it is a symbolic link")
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not (os.access(path, os.R_OK | os.W_OK) and (stat.S_ISCHR(mode) or os.access(path.parent, os.W_OK | os.X_OK))):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return ""


def _nearest(path: Path) -> Path:
    """The nearest folder that is there."""
    folder = path.absolute().parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder


def _is_socket(path: Path) -> bool | None:
    """Whether it is a socket; None if nothing can be seen there."""
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return None
