"""The `source` that decoders add to their events, by which Wazuh's rules know them."""

from collections.abc import Iterable, Iterator

from awsflow.items import RowsOrBlock
from awsflow.rows import Rows


def sourced(blocks: Iterable[RowsOrBlock], source: str) -> Iterator[RowsOrBlock]:
    """The blocks, with this source in each event; one that the log has under that name is replaced."""
    for block in blocks:
        if isinstance(block, Rows):
            yield block.also("source", source)
            continue
        for event in block:
            if isinstance(event, dict):
                event["source"] = source
        yield block
