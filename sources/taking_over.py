"""Taking over from Wazuh's module: the keys that it keeps, sorted into the streams that our state knows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

from awsflow.logtypes import log_type_named
from awsflow.logtypes.hive import HIVE_ACCOUNT
from awsflow.logtypes.layout import Place, is_account
from awsflow.sources.finding import work_name
from awsflow.state.wazuh_databases import KeptKeys

_LOGS = "AWSLogs/"


@dataclass(frozen=True, slots=True)
class TakenStream:
    """A stream of ours that another program was reading."""

    work: str
    stream: str
    keys: Sequence[tuple[date, str]]
    """The objects that it is known to have read, in the order of days and keys."""
    before: str | None
    """All whose keys come before this, the first one's, were read too; None: no others were."""


def taken_streams(kept: KeptKeys) -> tuple[list[TakenStream], list[str]]:
    """The streams that these keys lie in, and the keys that lie in none of that type's.

    A run that is asked for the same logs finds the same streams: layouts make them, here of keys instead of a bucket.
    """
    log_type = log_type_named(kept.log_type)
    by_account = any(layout.by_account for layout in log_type.layouts)
    of_place: dict[Place, list[str]] = defaultdict(list)
    for key in kept.keys:
        of_place[_place_of(key, kept.path, by_account=by_account)].append(key)
    found: dict[tuple[str, str], list[tuple[date, str]]] = defaultdict(list)
    rest = set(kept.keys)
    for place, keys in of_place.items():
        work = work_name(log_type.name, kept.bucket, log_type.base(place))
        for layout in log_type.layouts:
            for stream in layout.streams(place, partial(_folders, keys)):
                folder = stream[: stream.rfind("/") + 1]
                for key in keys:
                    day = layout.day(key, stream) if key in rest and key.startswith(folder) else None
                    if day is not None:
                        rest.discard(key)
                        found[work, stream + layout.part(key)].append((day, key))
    first = kept.keys[0] if kept.is_full else None
    streams = []
    for (work, stream), dated in found.items():
        dated.sort()
        # where keys were dropped, the first one is the first of its stream; the other streams are all there
        before = dated[0][1] if first is not None and any(key == first for _, key in dated) else None
        streams.append(TakenStream(work, stream, dated, before))
    return streams, sorted(rest)


def _place_of(key: str, path: str, *, by_account: bool) -> Place:
    """Prefix, suffix and organization with which a run finds this key; `path` is the first two of them."""
    at = key.find(_LOGS) if by_account else -1
    while at >= 0:
        prefix, rest = key[:at], key[at + len(_LOGS) :]
        suffix = path[len(prefix) :] if path.startswith(prefix) else None
        if suffix is not None and suffix and not suffix.endswith("/"):
            suffix += "/"
        if (not prefix or prefix.endswith("/")) and suffix is not None and rest.startswith(suffix):
            organization, _, below = rest[len(suffix) :].partition("/")
            if _is_accounts(organization) or not _is_accounts(below.partition("/")[0]):
                organization = ""
            return Place(prefix, suffix, organization)
        at = key.find(_LOGS, at + 1)
    return Place(path if not path or path.endswith("/") else f"{path}/")


def _is_accounts(folder: str) -> bool:
    return is_account(folder.removeprefix(HIVE_ACCOUNT)) is not None


def _folders(keys: Sequence[str], prefix: str, delimiter: str = "/", after: str = "") -> Iterator[str]:
    """The folders right below a prefix, as a bucket that held these keys would list them."""
    below = (key[len(prefix) :].partition(delimiter) for key in keys if key.startswith(prefix) and key > after)
    yield from dict.fromkeys(name for name, found, _ in below if found)
