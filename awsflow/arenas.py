"""glibc's arenas, from which threads take memory: few will do, for Python runs one thread at a time.

https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
"""

from contextlib import suppress

_M_ARENA_MAX = -8


def no_more_arenas() -> None:
    """Let the threads that are yet to come share the arenas that are there, in all of this process.

    Each would have one of its own, up to eight for each core. What one thread has read another lets go, so that ever
    more of each arena lies idle: a megabyte and more. Once there are nine, glibc has made up its mind.

    Who sets MALLOC_ARENA_MAX is obeyed: that is looked up before. Other C libraries have no such thing.
    """
    with suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415 - 5 ms: only where there are many threads

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
