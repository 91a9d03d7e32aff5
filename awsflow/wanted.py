"""Objects that are wanted, taken one by one from whoever finds them."""

from collections.abc import Iterator

from awsflow.items import Found


class Wanted:
    """What is wanted. An error of finding it waits, in `error`, until what was found before it has been dealt with."""

    def __init__(self, found: Iterator[Found | None]) -> None:
        self._found = found
        self.ended = False
        self.error: Exception | None = None

    def next(self) -> Found | None:
        """The next object; None when there is none at the moment, or any more (`ended`)."""
        if not self.ended:
            try:
                return next(self._found)
            except StopIteration:
                self.ended = True
            except Exception as error:  # noqa: BLE001 - raised again when its turn has come
                self.ended, self.error = True, error
        return None
