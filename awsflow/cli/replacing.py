"""Files that are replaced as a whole: who reads one meets the old content or the new, never a part."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from awsflow.errors import AwsflowError


def replace_file(path: Path, content: bytes, what: str, *, mode: int | None = None) -> None:
    """Put this content in the place of whatever file is there; `what` it is, messages say.

    Without `mode` it keeps the one that it has, or is its owner's alone. Nothing but a regular file is ever replaced.
    AwsflowError if it does not work, and then nothing has changed.
    """
    doing = f"writing {what} {path}"
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        kept = _mode_of(path)
        if kept is None:
            raise AwsflowError(f"{doing}: this is no regular file; name another, in a folder that is there")
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with open(file, "wb") as out:
                out.write(content)
                os.fchmod(file, kept if mode is None else mode)
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise AwsflowError(
            f"{doing}: {error.strerror}; name a file in a folder that is there and may be written to"
        ) from None


def _mode_of(path: Path) -> int | None:
    """The permissions that a file has, or is to have if it is not there; None: there is something else."""
    try:
        found = path.lstat().st_mode
    except FileNotFoundError:
        return 0o600
    return stat.S_IMODE(found) if stat.S_ISREG(found) else None
