"""Files that a command writes besides the events: opened so that nobody who plants something there gains by it."""

import os
from pathlib import Path


def opened(path: Path, flags: int = 0) -> int:
    """Open for writing, as what is new for its owner alone; no symbolic link is followed, for we may be root. OSError.

    Nor does anything wait for the reader of a pipe. Hard links and files of strangers in a folder like `/tmp` are
    refused by the kernel (`fs.protected_hardlinks`, `fs.protected_regular`).
    """
    return os.open(path, flags | os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
