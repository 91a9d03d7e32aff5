"""Transit gateway flow logs lie among those of VPCs: only what their files say tells them apart."""

import gzip
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped] # it has no types
import pyarrow.parquet as pq  # type: ignore[import-untyped] # likewise
import pytest

from awsflow.decode.lines import BLOCK
from awsflow.items import Barrier, Block, Record, one_by_one
from awsflow.logtypes import log_types_named
from awsflow.logtypes.flow_log_fields import OF_TRANSIT_GATEWAYS, OF_VPCS
from awsflow.logtypes.recognise import by_content
from awsflow.logtypes.transitgateway import TRANSITGATEWAY, decode, looks_like
from awsflow.logtypes.vpcflow import VPCFLOW
from awsflow.samples import SAMPLES
from awsflow.samples.transitgateway import HEADER
from awsflow.sources import S3Bucket
from tests.conftest import Aws

START = datetime(2026, 11, 20, 23, 55, tzinfo=UTC)
LINE = (
    "6 TransitGateway 123456789012 tgw-1 tgw-attach-1 123456789012 123456789012 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 "
    "eni-2 use1-az1 use1-az2 tgw-attach-2 10.0.0.1 10.1.0.1 443 5001 6 8 900 1622505433 1622505493 OK IPv4 0 1 0 0 18 "
    "us-east-1 egress - S3"
)


def events(content: str | bytes) -> Block:
    data = content.encode() if isinstance(content, str) else content
    return [event for block in decode(iter([data]), "x.log") for event in block]


def test_all_fields_of_the_default_format_are_named_by_the_header() -> None:
    assert tuple(HEADER.split()) == OF_TRANSIT_GATEWAYS
    (event,) = events(f"{HEADER}\n{LINE}\n")
    assert isinstance(event, dict)
    assert list(event) == [*(name.replace("-", "_") for name in OF_TRANSIT_GATEWAYS), "source"]
    assert event["resource_type"] == "TransitGateway"
    assert event["tgw_pair_attachment_id"] == "tgw-attach-2"
    assert event["packets_lost_blackhole"] == "1"
    assert event["pkt_dst_aws_service"] == "S3"
    assert (event["start"], event["end"]) == ("2021-05-31T23:57:13Z", "2021-05-31T23:58:13Z")
    assert event["source"] == "transitgateway"


def test_without_a_header_its_lines_are_of_the_default_format() -> None:
    assert events(LINE) == events(f"{HEADER}\n{LINE}\n")


def test_a_custom_format_is_obeyed() -> None:
    assert events("srcaddr packets-lost-no-route\n10.0.0.1 3\n") == [
        {"srcaddr": "10.0.0.1", "packets_lost_no_route": "3", "source": "transitgateway"}
    ]


@pytest.mark.parametrize(
    "content",
    [
        " ".join(OF_VPCS) + "\n2 123456789012 eni-1 - - - - - - - 1 2 - NODATA\ntoo few\n",
        "srcaddr vpc-id\n10.0.0.1 vpc-1\n10.0.0.2\n",
        b"\xff\nsrcaddr vpc-id\n10.0.0.1 vpc-1\n",
        "",
    ],
)
def test_files_of_other_flow_logs_give_no_events_and_nothing_unreadable(content: str | bytes) -> None:
    assert events(content) == []


def test_a_chunk_of_another_flow_log_lets_time_pass() -> None:
    chunks = [b"srcaddr vpc-id\n", b"10.0.0.1 vpc-1\n" * (BLOCK + 50), b"", b"10.0.0.2 v"]
    assert list(decode(iter(chunks), "x.log")) == [[]] * 6


def test_parquet_is_told_by_its_columns() -> None:
    def file_of(*names: str) -> bytes:
        out = io.BytesIO()
        pq.write_table(pa.table({name: ["x"] for name in names}), out)
        return out.getvalue()

    assert events(file_of("srcaddr", "tgw_id")) == [{"srcaddr": "x", "tgw_id": "x", "source": "transitgateway"}]
    assert events(file_of("srcaddr", "vpc_id")) == []


def test_it_is_told_by_its_header_or_first_line() -> None:
    for head in (f"{HEADER}\n{LINE}\n", f"{LINE}\n", "tgw-id\ntgw-1\n"):
        assert looks_like(head.encode())
        assert not VPCFLOW.looks_like(head.encode())
    for head in (" ".join(OF_VPCS) + "\n", "resource-type of some other log\n", "PAR1", ""):
        assert not looks_like(head.encode())


def test_the_sample_is_of_this_type_and_no_other() -> None:
    for name, other in SAMPLES.items():
        content = other.document(other.events(1, 20, START))
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        assert bool(looks_like(plain[:4096])) == (name == "transitgateway"), name
    assert by_content(iter([f"{HEADER}\n{LINE}\n".encode()]), log_types_named("auto"))[0] is TRANSITGATEWAY


def test_samples_are_read_and_the_same_for_the_same_seed() -> None:
    sample = SAMPLES["transitgateway"]
    made_up = list(sample.events(1, 500, START, "111122223333", "eu-west-1"))
    assert made_up == list(sample.events(1, 500, START, "111122223333", "eu-west-1"))
    got = [event for event in events(gzip.decompress(sample.document(made_up))) if isinstance(event, dict)]
    assert len(got) == 500
    assert {event["region"] for event in got} == {"eu-west-1"}
    assert {event["type"] for event in got} == {"IPv4", "IPv6"}
    assert sample.key("1" * 12, "eu-west-1", START, 1) != SAMPLES["vpcflow"].key("1" * 12, "eu-west-1", START, 1)


def test_of_a_folder_with_both_each_type_reads_its_own_and_auto_counts_each_under_its_own(
    aws: Aws, tmp_path: Path
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="flows")
    keys = {}
    for name in ("vpcflow", "transitgateway"):
        sample = SAMPLES[name]
        keys[name] = sample.key("123456789012", "eu-west-1", START, 1)
        s3.put_object(Bucket="flows", Key=keys[name], Body=sample.document(sample.events(1, 3, START)))

    def read(log_type: str) -> tuple[set[tuple[str, str]], dict[str, int]]:
        state = tmp_path / f"{log_type}.db"
        source = S3Bucket("flows", log_type=log_type, state=state, only_after=date(2026, 11, 1), access=aws.access)
        found = set()
        for item in one_by_one(source.items()):
            if isinstance(item, Record):
                assert isinstance(item.event, dict)
                found.add((item.origin.key, item.event["source"]))
            elif isinstance(item, Barrier) and item.position is not None:
                source.commit([item.position])
        source.close()
        return found, dict(source.objects_by_type)

    own = (keys["transitgateway"], "transitgateway")
    both = {(keys["vpcflow"], "vpc"), own}
    assert read("vpcflow")[0] == both
    assert read("transitgateway")[0] == {own}
    assert read("auto") == (both, {"transitgateway": 1, "vpcflow": 1})
