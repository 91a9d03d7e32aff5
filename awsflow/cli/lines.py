"""Lines on standard output: the answer of commands that show something."""

import os
import sys
from collections.abc import Iterable

from awsflow.errors import ReaderGone


def print_lines(lines: Iterable[str]) -> int:
    """Print them, whatever the terminal's encoding; return how many there were. ReaderGone if nobody reads on."""
    count = 0
    encoding = sys.stdout.encoding
    try:
        for line in lines:
            print(line.encode(encoding, "backslashreplace").decode(encoding))
            count += 1
        sys.stdout.flush()
    except BrokenPipeError:
        with open(os.devnull, "wb") as nowhere:  # else Python complains when it ends
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        raise ReaderGone("writing to standard output: the reader is gone") from None
    return count
