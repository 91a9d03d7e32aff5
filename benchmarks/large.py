"""A large object of each of several kinds: `python -m benchmarks.large KIND BYTES FOLDER` makes a bucket of one.

In a process of its own, for Linux counts what a process has had in memory as that of those which it starts.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from more_itertools import chunked

from awsflow.samples import SAMPLES
from awsflow.samples.cloudtrail import ACCOUNT, REGION
from awsflow.samples.vpcflow import HEADER
from benchmarks import data
from benchmarks.measure import environment, output

COLUMNS = HEADER.replace("-", "_").split()

AT_ONCE = 10_000
"""Events that are made up at a time where all of them have to be in memory."""

Write: TypeAlias = Callable[[BinaryIO, Iterator[Any]], None]


def csv_in_zip(out: BinaryIO, flows: Iterator[str]) -> None:
    """Write CSV in a zip."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("flows.csv", "w") as file:
        file.writelines(_csv(flows))


def csv_in_zstd(out: BinaryIO, flows: Iterator[str]) -> None:
    """Write CSV, compressed by zstd."""
    import zstandard  # noqa: PLC0415 - an extra

    with zstandard.ZstdCompressor().stream_writer(out, closefd=False) as file:
        for line in _csv(flows):
            file.write(line)


def parquet_of_flows(out: BinaryIO, flows: Iterator[str]) -> None:
    """Write a row for each flow, all in one group."""
    _parquet(out, (dict(zip(COLUMNS, flow.split(), strict=True)) for flow in flows))


def parquet_of_calls(out: BinaryIO, calls: Iterator[dict[str, Any]]) -> None:
    """Write calls in the Open Cybersecurity Schema: nested, in some fifty columns, all in one group."""
    _parquet(out, map(_call, calls))


@dataclass(frozen=True, slots=True)
class Kind:
    """Of a large object."""

    events: str
    """The samples that are written."""
    write: Write
    key: str = ""
    """Default: as AWS names objects of these samples."""
    format: str = ""
    """As `--format` has it; empty: the object is of the samples' log type, else a custom one."""


KINDS = {
    "vpcflow": Kind("vpcflow", SAMPLES["vpcflow"].write),
    "alb": Kind("alb", SAMPLES["alb"].write),
    "waf": Kind("waf", SAMPLES["waf"].write),
    "CSV in a zip": Kind("vpcflow", csv_in_zip, "2026/11/01/flows.zip", "csv"),
    "CSV in zstd": Kind("vpcflow", csv_in_zstd, "2026/11/01/flows.csv.zst", "csv"),
    "Parquet, flows": Kind("vpcflow", parquet_of_flows, "2026/11/01/flows.parquet", "parquet"),
    "Parquet, calls": Kind("cloudtrail", parquet_of_calls, "2026/11/01/calls.parquet", "parquet"),
}


def one(root: Path, kind: str, size: int) -> data.Bucket:
    """Make a bucket of one object of about so many bytes, decompressed, unless it is there."""
    name = f"{kind}-of-{size}".lower().replace(", ", "-").replace(" ", "-")

    def make(folder: Path) -> data.Bucket:
        command = [sys.executable, "-m", "benchmarks.large", kind, str(size), str(folder)]
        return data.Bucket(**json.loads(output(command, environment(), cwd=Path(__file__).parent.parent)))

    return data.kept(root, name, make)


def made(kind: str, size: int, folder: Path) -> data.Bucket:
    """Make it."""
    how = KINDS[kind]
    sample = SAMPLES[how.events]
    events = max(1, size // data.bytes_of_an_event(how.events))
    path = folder / (how.key or sample.key(ACCOUNT, REGION, data.START, 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as out:
        how.write(out, sample.events(0, events, data.START, ACCOUNT, REGION))
    log_type = "custom" if how.format else how.events
    return data.Bucket(folder.name, 1, events, data.decompressed(path), log_type, how.format)


def _csv(flows: Iterable[str]) -> Iterator[bytes]:
    yield f"{','.join(COLUMNS)}\n".encode()
    yield from (f"{','.join(flow.split())}\n".encode() for flow in flows)


def _parquet(out: BinaryIO, rows: Iterable[dict[str, Any]]) -> None:
    import pyarrow  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; an extra
    from pyarrow import parquet  # noqa: PLC0415 - likewise

    tables = [pyarrow.Table.from_pylist(some) for some in chunked(rows, AT_ONCE)]
    table = pyarrow.concat_tables(tables, promote_options="permissive")
    parquet.write_table(table, out, row_group_size=len(table), compression="zstd")


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """An API activity, as Security Lake writes one: https://schema.ocsf.io/1.1.0/classes/api_activity."""
    who = call["userIdentity"]
    session = who.get("sessionContext", {})
    issuer = session.get("sessionIssuer", {})
    product = {"version": call["eventVersion"], "name": "CloudTrail", "vendor_name": "AWS", "feature": {"name": "Data"}}
    user = {
        "type": who.get("type"),
        "name": who.get("userName"),
        "uid_alt": who.get("principalId"),
        "uid": who.get("arn"),
        "account": {"uid": who.get("accountId")},
        "credential_uid": who.get("accessKeyId"),
    }
    return {
        "metadata": {
            "product": product,
            "event_code": call["eventType"],
            "uid": call["eventID"],
            "profiles": ["cloud", "datetime"],
            "version": "1.1.0",
        },
        "time": data.START,
        "time_dt": data.START,
        "cloud": {"region": call["awsRegion"], "provider": "AWS"},
        "api": {
            "response": {
                "error": call.get("errorCode"),
                "message": call.get("errorMessage"),
                "data": json.dumps(call.get("responseElements")),
            },
            "operation": call["eventName"],
            "version": call.get("apiVersion"),
            "service": {"name": call["eventSource"]},
            "request": {"data": json.dumps(call.get("requestParameters")), "uid": call.get("requestID")},
        },
        "actor": {
            "user": user,
            "session": {
                "created_time_dt": session.get("attributes", {}).get("creationDate"),
                "is_mfa": session.get("attributes", {}).get("mfaAuthenticated") == "true",
                "issuer": issuer.get("arn"),
            },
            "invoked_by": who.get("invokedBy"),
        },
        "http_request": {"user_agent": call.get("userAgent")},
        "src_endpoint": {"uid": call.get("vpcEndpointId"), "ip": call.get("sourceIPAddress"), "domain": None},
        "resources": [
            {
                "uid": resource.get("ARN"),
                "owner": {"account": {"uid": resource.get("accountId")}},
                "type": resource["type"],
            }
            for resource in call.get("resources") or ()
        ],
        "class_name": "API Activity",
        "class_uid": 6003,
        "category_name": "Application Activity",
        "category_uid": 6,
        "severity_id": 1,
        "severity": "Informational",
        "activity_name": "Read" if call.get("readOnly") else "Update",
        "activity_id": 2,
        "type_uid": 600302,
        "type_name": "API Activity: Read",
        "status": "Failure" if "errorCode" in call else "Success",
        "accountid": call.get("recipientAccountId"),
        "region": call["awsRegion"],
        "unmapped": [(name, json.dumps(call[name])) for name in ("tlsDetails", "additionalEventData") if name in call],
    }


def main() -> None:
    """Make what the command line says, and tell what it is."""
    parser = argparse.ArgumentParser(description="Make a large object.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("size", type=int, help="bytes, decompressed")
    parser.add_argument("folder", type=Path, help="the bucket")
    told = parser.parse_args()
    print(json.dumps(asdict(made(told.kind, told.size, told.folder))))


if __name__ == "__main__":
    main()
