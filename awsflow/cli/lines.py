"""Lines on standard output: the answer of commands that show something."""

import sys
from collections.abc import Iterable

from awsflow.cli.channel import to_nowhere
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
        to_nowhere(sys.stdout)
        raise ReaderGone("writing to standard output: the reader is gone") from None
    return count
