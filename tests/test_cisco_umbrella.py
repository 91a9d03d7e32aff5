"""Cisco Umbrella's logs."""

import csv
import io
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from awsflow.errors import DecodeError, UnknownType
from awsflow.items import Block, Unreadable
from awsflow.logtypes.cisco_umbrella import CISCO_UMBRELLA, TABLES, check, decode
from awsflow.logtypes.layout import Place
from tests.test_lines import cut

DNS = (
    '"2026-11-20 17:48:41","Alice","Alice,HQ","10.10.1.100","192.0.2.133","Blocked","1 (A)","NOERROR",'
    '"visited.example.","Chat,Social Networking","AD Users","AD Users,Sites","Chat"'
)
PROXY = (
    '"2026-11-20 11:48:11","PC","192.0.2.135","192.0.2.91","203.0.113.6","","ALLOWED","https://www.example.com/a",'
    '"www.example.net","Mozilla/5.0 (X11, x) Gecko","200","562","1489","","","Search Engines","","","","","",'
    '"Roaming Computer","","PC, Site,Network","Roaming Computer, Site, Network","GET","","","the.js","","","",'
    '"isolated","downloaded_original_file","warn-session","","SWA","","","","swg-proxy","ATL1","true",'
    '"www.example.com","false","false","","","2204063"'
)
IP = '"2026-11-20 20:32:45","Alice","192.0.2.1","61095","203.0.113.144","445","Unauthorized IP Tunnel Access"'
AUDIT = '"123","2026-11-20 10:46:45","a@example.com","A","settings","update","192.0.2.144","version: 4","id: 1\\nv: 5"'
FIREWALL = (
    '"2026-11-20 18:03:46","[211039844]","Passive Monitor", "CDFW Tunnel Device","OUTBOUND","1","84","172.17.3.4","",'
    '"203.0.113.129", "","ams1.edc","12","ALLOW","google.com,apple.com","44,66"'
)
INTRUSION = (
    '"2026-11-20 16:14:09","Tunnel","Network Tunnels","1","16606","SERVER-ORACLE overflow attempt","1323","HIGH",'
    '"Attempted User Privilege Gain","cve-2009-1016","TCP","12345","192.0.2.123","33010","203.0.113.1","443",'
    '"Would Block","IDS","3658","S2C","245","PROFILE","us-west-2"'
)
LINES = {
    "dnslogs": DNS,
    "proxylogs": PROXY,
    "iplogs": IP,
    "auditlogs": AUDIT,
    "firewalllogs": FIREWALL,
    "intrusionlogs": INTRUSION,
}


def decoded(folder: str, *lines: str) -> Block:
    text = "\n".join(lines).encode()
    key = f"pre/{folder}/2026-11-20/2026-11-20-00-00-e4e1.csv.gz"
    return [event for block in decode(iter([text]), key) for event in block]


@pytest.mark.parametrize("folder", TABLES)
def test_the_folder_tells_the_columns(folder: str) -> None:
    (event,) = decoded(folder, LINES[folder])
    assert isinstance(event, dict)
    assert list(event)[:-1] == list(TABLES[folder].names[: len(event) - 1])
    assert event["source"] == "cisco_umbrella"
    assert CISCO_UMBRELLA.shape(dict(event)) == event


def test_dns_logs_are_read_as_they_are() -> None:
    (event,) = decoded("dnslogs", DNS)
    assert isinstance(event, dict)
    assert event["identities"] == "Alice,HQ"
    assert event["query_type"] == "1 (A)"
    assert event["blocked_categories"] == "Chat"


def test_the_newer_columns_of_proxy_logs_are_named() -> None:
    """Unlike in Wazuh's own module, where they land under the key `null`."""
    (event,) = decoded("proxylogs", PROXY)
    assert isinstance(event, dict)
    assert (event["identities"], event["all_identities"]) == ("PC", "PC, Site,Network")
    assert (event["verdict"], event["request_method"], event["file_name"]) == ("ALLOWED", "GET", "the.js")
    assert (event["data_center"], event["organization_id"]) == ("ATL1", "2204063")


def test_the_newer_columns_of_dns_logs_are_named_and_those_of_the_future_are_extra() -> None:
    (event,) = decoded("dnslogs", DNS + ',"17","DE","2204063","more","most"')
    assert isinstance(event, dict)
    assert list(event.items())[13:] == [
        *(("rule_id", "17"), ("destination_countries", "DE"), ("organization_id", "2204063")),
        *(("extra_1", "more"), ("extra_2", "most"), ("source", "cisco_umbrella")),
    ]


def test_audit_logs_are_read_with_what_was_before_and_after() -> None:
    """Unlike by Wazuh's own module, which does not know their folder."""
    (event,) = decoded("auditlogs", AUDIT)
    assert isinstance(event, dict)
    assert (event["timestamp"], event["email"], event["logged_in_from"]) == (
        *("2026-11-20 10:46:45", "a@example.com", "192.0.2.144"),
    )
    assert event["after"] == "id: 1\\nv: 5"


def test_spaces_may_follow_a_comma() -> None:
    (event,) = decoded("firewalllogs", FIREWALL)
    assert isinstance(event, dict)
    assert event["identity_type"] == "CDFW Tunnel Device"
    assert event["fqdns"] == "google.com,apple.com"


@pytest.mark.parametrize("folder", TABLES)
def test_trailing_columns_that_are_missing_are_left_out(folder: str) -> None:
    table = TABLES[folder]
    least = table.least or 0
    row = ",".join(f'"{at}"' for at in range(least))
    few, short = decoded(folder, row, row.rsplit(",", 1)[0])
    assert isinstance(few, dict)
    assert list(few) == [*table.names[:least], "source"]
    assert isinstance(short, Unreadable)
    assert short.reason == f"line 2: {least - 1} columns, where {least} are the least"


@pytest.mark.parametrize(
    ("folder", "header"),
    [
        ("dnslogs", ",".join(TABLES["dnslogs"].names[:13]).replace("_", " ")),
        ("dnslogs", '"Timestamp","Policy Identity","Identities","Internal IP","External IP","Action","Query Type"'),
        ("auditlogs", '"ID","Time","Email","User","Type","Action","Logged in from","Before","After"'),
        ("iplogs", "\ufeffTIMESTAMP,identity"),
    ],
)
def test_a_header_is_no_event_and_leaves_fields_the_names_that_rules_know(folder: str, header: str) -> None:
    line = LINES[folder]
    with_header, without = decoded(folder, header, line), decoded(folder, line)
    assert len(with_header) == 1
    named = len(header.split(","))
    (event,), (plain,) = with_header, without
    assert isinstance(event, dict)
    assert isinstance(plain, dict)
    assert list(event)[:named] == list(plain)[:named]
    assert list(event.values()) == list(plain.values())


def test_a_header_names_columns_that_we_do_not_know_and_tells_another_order() -> None:
    first, second = decoded(
        "iplogs",
        '"Timestamp","Identity","Destination IP","Destination Port","Source IP","Source Port","Categories","Why — Not"',
        '"2026-11-20 20:32:45","Alice","203.0.113.1","445","192.0.2.1","61095","x","y"',
        '"2026-11-20 20:32:46","Bob","203.0.113.1","445","192.0.2.1","61095","x","y"',
    )
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["source_ip"], first["destination_ip"], first["why_not"]) == ("192.0.2.1", "203.0.113.1", "y")
    assert (second["source_ip"], second["identity"]) == ("192.0.2.1", "Bob")


def test_the_header_of_a_proxy_log_leaves_both_identities_apart() -> None:
    header = (
        "timestamp,policy identity label,internal client ip,external client ip,destination ip,content type,action,url,"
        "referer,user agent,status code,request size,response size,response body size,sha—sha256,categories,"
        "av detections,puas,amp disposition,amp malware name,amp score,policy identity type,blocked categories,"
        "identities,identity types,request method"
    )
    line = PROXY[: PROXY.index(',"GET"')] + ',"GET"'
    assert decoded("proxylogs", header, line) == decoded("proxylogs", line)


@pytest.mark.parametrize("prefix", ["dnslogs/", "a/proxylogs/", "iplogs", "1234_abcd/auditlogs/", "dnslogs/x/"])
def test_a_prefix_with_one_of_the_folders_holds_logs(prefix: str) -> None:
    check(Place(prefix=prefix))
    CISCO_UMBRELLA.check(Place(prefix=prefix))


@pytest.mark.parametrize("prefix", ["", "otherlogs/", "umbrella/"])
def test_another_folder_is_an_unknown_type_which_ends_with_code_12(prefix: str) -> None:
    with pytest.raises(UnknownType, match="dnslogs, proxylogs, iplogs, auditlogs") as caught:
        CISCO_UMBRELLA.check(Place(prefix=prefix))
    assert caught.value.exit_code == 12


def test_a_path_without_a_folder_is_an_error_that_names_them() -> None:
    with pytest.raises(DecodeError, match="dnslogs, proxylogs, iplogs, auditlogs"):
        list(decode(iter([DNS.encode()]), "/tmp/x.csv"))  # noqa: S108 - a name, there is no such file


def test_the_last_folder_of_a_path_tells() -> None:
    (event,) = decoded("dnslogs-and-others/iplogs", IP)
    assert isinstance(event, dict)
    assert event["source_port"] == "61095"


def test_the_day_is_read_from_the_key() -> None:
    (layout,) = CISCO_UMBRELLA.layouts
    (stream,) = layout.streams(Place(prefix="dnslogs/"), lambda prefix: iter(()))
    assert layout.day("dnslogs/2026-11-20/2026-11-20-00-00-03f8.csv.gz", stream) == date(2026, 11, 20)
    assert CISCO_UMBRELLA.has("dnslogs/2026-11-20/2026-11-20-00-00-03f8.csv.gz")
    assert not CISCO_UMBRELLA.may_have("dnslogs/2026-11-20-00-00-00-000003F600000000")


@pytest.mark.parametrize("folder", LINES)
def test_its_first_bytes_look_like_it(folder: str) -> None:
    assert CISCO_UMBRELLA.looks_like(LINES[folder].encode())
    assert CISCO_UMBRELLA.looks_like(b'"ID","Time","Email"\n')
    assert CISCO_UMBRELLA.looks_like(b"timestamp,most granular identity")
    assert not CISCO_UMBRELLA.looks_like(b"2026-11-20T20:32:45Z,a")


@settings(deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r")), min_size=9, max_size=20), max_size=4
    ),
    ends=st.lists(st.integers(0, 900), max_size=6),
)
def test_what_is_written_as_cisco_does_is_read_back(rows: list[list[str]], ends: list[int]) -> None:
    out = io.StringIO()
    rows = [["2026-11-20 00:00:00", *row[1:]] for row in rows]
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    names = (*TABLES["dnslogs"].names, *(f"extra_{at}" for at in range(1, 9)))
    assert [event for block in decode(cut(out.getvalue().encode(), ends), "dnslogs/") for event in block] == [
        {**dict(zip(names, row, strict=False)), "source": "cisco_umbrella"} for row in rows
    ]
