"""Lines on standard output: the answer of commands that show something."""

import sys
from collections.abc import Iterable

from awsflow.cli.channel import to_nowhere
from awsflow.errors import ReaderGone, SinkError


def print_lines(lines: Iterable[str]) -> int:
    """Print them, whatever the terminal's encoding; return how many there were.

    Raises ReaderGone if nobody reads on, SinkError if they cannot be written. Who lends a generator that holds
    something closes it: an error that is on its way keeps it alive.
    """
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
    except OSError as error:
        to_nowhere(sys.stdout)
        raise SinkError(f"writing to standard output: {error.strerror}; make room, or send it elsewhere") from None
    return count
