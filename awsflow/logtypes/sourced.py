"""The `source` that decoders add to their events, by which Wazuh's rules know them."""

from collections.abc import Iterable, Iterator

from awsflow.items import Block


def sourced(blocks: Iterable[Block], source: str) -> Iterator[Block]:
    """The blocks, with this source in each event; one that the log has under that name is replaced."""
    for block in blocks:
        for event in block:
            if isinstance(event, dict):
                event["source"] = source
        yield block
