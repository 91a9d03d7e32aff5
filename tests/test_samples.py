import gzip
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from typing import Any

from awsflow.logtypes import log_type_named
from awsflow.samples import SAMPLES, cloudtrail

START = datetime(2026, 11, 20, 23, 55, tzinfo=UTC)
DOCUMENTATION = [ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def test_every_sample_is_of_a_log_type_that_there_is() -> None:
    assert [log_type_named(name).name for name in SAMPLES] == list(SAMPLES)


def test_the_same_seed_makes_the_same_events_in_every_process_and_another_seed_others() -> None:
    assert list(cloudtrail.events(7, 50, START)) == list(cloudtrail.events(7, 50, START))
    assert list(cloudtrail.events(7, 50, START)) != list(cloudtrail.events(8, 50, START))
    code = (
        "from datetime import *; from awsflow.samples import cloudtrail as c; "
        f"print(list(c.events(7, 50, datetime.fromisoformat('{START.isoformat()}'))))"
    )
    apart = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert apart.stdout == f"{list(cloudtrail.events(7, 50, START))}\n"


def test_events_are_as_large_as_real_ones() -> None:
    sizes = [len(json.dumps(event, separators=(",", ":"))) for event in cloudtrail.events(1, 4000, START)]
    assert 1500 < sum(sizes) / len(sizes) < 1700
    assert min(sizes) < 1000
    assert max(sizes) > 3000


def test_events_are_of_the_five_minutes_from_the_start_and_of_the_account_and_region() -> None:
    for event in cloudtrail.events(2, 1000, START, "111122223333", "eu-west-1"):
        at = datetime.fromisoformat(event["eventTime"])
        assert START <= at < START + timedelta(minutes=5)
        assert (event["recipientAccountId"], event["awsRegion"]) == ("111122223333", "eu-west-1")
        assert "123456789012" not in json.dumps(event)


def test_no_event_occurs_twice() -> None:
    assert len({event["eventID"] for event in cloudtrail.events(3, 5000, START)}) == 5000


def test_every_address_is_of_a_range_for_documentation_or_a_services_name() -> None:
    for event in cloudtrail.events(4, 3000, START):
        source = event["sourceIPAddress"]
        if not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com|AWS Internal", source):
            assert any(ip_address(source) in network for network in DOCUMENTATION), source


def test_events_are_as_mixed_as_a_real_accounts() -> None:
    events = list(cloudtrail.events(5, 5000, START))
    assert len({event["eventName"] for event in events}) > 30
    assert {event["eventType"] for event in events} == {"AwsApiCall", "AwsConsoleSignIn", "AwsServiceEvent"}
    assert {event["eventCategory"] for event in events} == {"Management", "Data"}
    assert Counter(event.get("errorCode") for event in events)["AccessDenied"] > 10
    identities = {event["userIdentity"].get("type") for event in events}
    assert identities == {"IAMUser", "AssumedRole", "AWSService", "AWSAccount", "Root", None}
    for field in ("requestParameters", "responseElements", "additionalEventData"):
        assert {type(event.get(field)) for event in events} >= {dict, list, str, type(None)}


def test_a_document_is_gzipped_json_of_these_events() -> None:
    events = list(cloudtrail.events(6, 100, START))
    document = SAMPLES["cloudtrail"].document(events)
    assert json.loads(gzip.decompress(document)) == {"Records": events}
    assert document[4:8] == bytes(4), "a time in it would make it another one each time"


def test_a_document_without_events_is_valid() -> None:
    assert json.loads(gzip.decompress(SAMPLES["cloudtrail"].document([]))) == {"Records": []}


def test_a_document_is_written_as_its_events_come() -> None:
    written: list[int] = []
    out = io.BytesIO()

    def watched() -> Iterator[dict[str, Any]]:
        for event in cloudtrail.events(1, 2000, START):
            written.append(out.tell())
            yield event

    cloudtrail.write(out, watched(), level=1)
    assert written[1000] > 100_000
    assert len(json.loads(gzip.decompress(out.getvalue()))["Records"]) == 2000


def test_a_key_is_as_cloudtrail_gives_it_in_utc_and_its_own() -> None:
    when = START.astimezone(timezone(timedelta(hours=5)))
    key = cloudtrail.key("123456789012", "eu-west-1", when, 1)
    assert re.fullmatch(
        r"AWSLogs/123456789012/CloudTrail/eu-west-1/2026/11/20/"
        r"123456789012_CloudTrail_eu-west-1_20261120T2355Z_[A-Za-z0-9]{16}\.json\.gz",
        key,
    )
    assert key == cloudtrail.key("123456789012", "eu-west-1", START, 1)
    assert len({cloudtrail.key("123456789012", "eu-west-1", START, number) for number in range(1000)}) == 1000
