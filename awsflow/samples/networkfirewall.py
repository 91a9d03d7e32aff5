"""Network Firewall samples: alerts of a made-up firewall.

Format: https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""
FIREWALL = "egress"
_ALERTS = (
    ("blocked", 'ET MALWARE Known "bad" Beacon', "A Network Trojan was detected", 1),
    ("allowed", "aws:alert_established action", "", 3),
    ("blocked", "deny all other", "", 3),
)


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the alerts of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        action, signature, category, severity = a.one(_ALERTS)
        event: dict[str, Any] = {
            "src_ip": f"10.0.{a.random.randrange(256)}.{a.random.randrange(256)}",
            "src_port": a.random.randrange(1024, 65536),
            "event_type": "alert",
            "alert": {
                "severity": severity,
                "signature_id": a.random.randrange(1, 3_000_000),
                "rev": a.random.randrange(5),
                "signature": signature,
                "action": action,
                "category": category,
                "metadata": {"signature_severity": ["Major"]} if severity == 1 else {},
            },
            "flow_id": a.random.getrandbits(50),
            "dest_ip": a.address(),
            "proto": "TCP",
            "verdict": {"action": "drop" if action == "blocked" else "pass"},
            "dest_port": a.one((443, 80, 22)),
            "pkt_src": "geneve encapsulation",
            "timestamp": f"{at:%Y-%m-%dT%H:%M:%S.%f}+0000",
            "direction": "to_server",
        }
        if event["dest_port"] == 443:
            event |= {"app_proto": "tls", "tls": {"sni": "www.example.com", "version": "UNDETERMINED"}}
        yield {
            "firewall_name": FIREWALL,
            "availability_zone": f"{region}a",
            "event_timestamp": str(int(at.timestamp())),
            "event": event,
        }


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as Network Firewall does."""
    at = when.astimezone(UTC)
    unique = Account(number, account, f"{region}/{at}").hex(8)
    return (
        f"AWSLogs/{account}/network-firewall/alert/{region}/{FIREWALL}/{at:%Y/%m/%d/%H}/"
        f"{account}_network-firewall_alert_{region}_{FIREWALL}_{at:%Y%m%dT%H%MZ}_{unique}.log.gz"
    )
