"""Removal: delivered objects are deleted in batches, each only if it is still the object that was delivered."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

from awsflow.aws import doing
from awsflow.errors import AwsflowError, ServiceError
from awsflow.sources.listing import S3Client
from awsflow.state.work import Work

AT_ONCE = 1000
"""Keys of one DeleteObjects call: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"""
LOOKS = 8
"""Objects that are looked at, at the same time, where the store may not heed conditions."""

_not_in_xml = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]").search
"""Characters that a key may have, but not a request that names several keys."""
_is_aws = re.compile(r"\.amazonaws\.com(?:\.cn)?", re.IGNORECASE).search


class Removal:
    """Deletes delivered objects of a bucket. What is not deleted is remembered by `work`, if there is one.

    The condition is part of the request: delete only what has this ETag. AWS heeds it
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html); at other endpoints, which may
    ignore it, each object is looked at right before. A deletion that fails is noted, and raised by `finish`.
    """

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        work: Work | None,
        *,
        note: Callable[[str], None],
        warn: Callable[[str], None],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._work = work
        self._note = note
        self._warn = warn
        self._waiting: dict[str, str] = {}
        self._failed: list[AwsflowError] = []
        self._heeds_conditions = bool(_is_aws(urlsplit(client.meta.endpoint_url).hostname or ""))

    def earlier(self) -> Iterator[None]:
        """Delete what earlier runs have left, batch by batch, until a deletion fails."""
        after = 0
        while self._work is not None and not self._failed:
            left = self._work.undeleted(after, AT_ONCE)
            if not left:
                return
            after = left[-1].number
            self._delete({each.key: each.etag for each in left})
            yield

    def add(self, key: str, etag: str) -> None:
        """Delete this object, with others."""
        self._waiting[key] = etag
        if len(self._waiting) >= AT_ONCE:
            self._delete_waiting()

    def finish(self) -> None:
        """Delete what is left to delete; raise the first error there was."""
        self._delete_waiting()
        if self._failed:
            raise self._failed[0]

    def close(self) -> None:
        """Delete what is left to delete, after a run that was broken off: errors are warnings."""
        told = len(self._failed)
        self._delete_waiting()
        for error in self._failed[told:]:
            self._warn(str(error))

    def _delete_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        self._delete(waiting)

    def _delete(self, etags: dict[str, str]) -> None:
        """Delete these, and forget those that are deleted, or are others now."""
        if not etags:
            return
        gone: list[str] = []
        with self._noted():
            there = etags if self._heeds_conditions else self._looked_at(etags, gone)
            if there:
                self._delete_if_same(there, gone)
        if self._work is not None:
            if gone:
                self._work.deleted(gone)
            if self._failed and (stay := self._work.let_stay()):
                self._warn(
                    f"deleting objects of s3://{self._bucket}: they are too many that could not be deleted; the {stay} "
                    "that were delivered first stay for good: delete them yourself"
                )

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except AwsflowError as error:
            self._note(str(error))
            self._failed.append(error)

    def _delete_if_same(self, etags: dict[str, str], gone: list[str]) -> None:
        first = next(iter(etags))
        together = [
            {"Key": key} | ({"ETag": f'"{etag}"'} if etag else {})
            for key, etag in etags.items()
            if not _not_in_xml(key)
        ]
        refused: dict[str, str] = {}
        if together:
            with doing(f"deleting {len(etags)} delivered objects of s3://{self._bucket}, {first} the first"):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": together, "Quiet": True})
            refused = {each["Key"]: each.get("Code", "unknown") for each in answer.get("Errors", ())}
        for key in filter(_not_in_xml, etags):
            condition = {"IfMatch": f'"{etags[key]}"'} if etags[key] else {}
            with doing(f"deleting s3://{self._bucket}/{key}"):
                try:
                    self._client.delete_object(Bucket=self._bucket, Key=key, **condition)
                except self._client.exceptions.ClientError as error:
                    refused[key] = error.response["Error"]["Code"]
        for key, code in list(refused.items()):
            if code in ("PreconditionFailed", "NoSuchKey"):
                self._is_other(key, replaced=code != "NoSuchKey")
                del refused[key]
        gone += [key for key in etags if key not in refused]
        if refused:
            key, code = next(iter(refused.items()))
            others = f" and {len(refused) - 1} others" if len(refused) > 1 else ""
            raise ServiceError(
                f"deleting s3://{self._bucket}/{key}{others}: {code}; they were delivered and stay; allow "
                "s3:DeleteObject and s3:GetObject, and the next run tries again"
            )

    def _looked_at(self, etags: dict[str, str], gone: list[str]) -> dict[str, str]:
        """Those that are still what was delivered; the others are added to `gone`."""
        with ThreadPoolExecutor(LOOKS, "awsflow-look") as threads:
            now = dict(zip(etags, threads.map(self._etag_now, etags), strict=True))
        for key, etag in now.items():
            if etag != etags[key]:
                self._is_other(key, replaced=etag is not None)
                gone.append(key)
        return {key: etag for key, etag in etags.items() if now[key] == etag}

    def _etag_now(self, key: str) -> str | None:
        """The object's ETag; None if it is not there."""
        with doing(f"looking at s3://{self._bucket}/{key}, which was delivered and is to be deleted"):
            try:
                etag: str = self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]
            except self._client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                    raise
                return None
        return etag.strip('"')

    def _is_other(self, key: str, *, replaced: bool) -> None:
        if replaced:
            self._warn(
                f"deleting s3://{self._bucket}/{key}: it was replaced after it was delivered, and stays; if its day is "
                "before the look-back, no run will read it: see --reparse"
            )
        else:
            self._note(f"s3://{self._bucket}/{key} was deleted already")
