"""Cisco Umbrella's logs: CSV, whose columns the folder tells.

Format and keys: https://docs.umbrella.com/umbrella-user-guide/docs/log-format-and-versioning and, beside it,
dns-log-formats, web-log-formats, admin-audit-log-formats, cloud-firewall-log-formats, ips-log-formats

Cisco adds columns at the end, in versions that the user chooses, and a header if the user wants one. Fields have the
names that Wazuh's rules know, whatever the header calls them. Proxy logs have identities twice: `identities` is what
Cisco calls the policy's identity, `all_identities` the others.
"""

import re
from collections.abc import Iterator
from functools import partial

from awsflow.decode.table import Names, Table, by_commas_and_spaces, commas_at_once, rows
from awsflow.errors import DecodeError, UnknownType
from awsflow.items import RowsOrBlock
from awsflow.logtypes.layout import Dated, Place
from awsflow.logtypes.sourced import sourced
from awsflow.logtypes.types import LogType

_is_header = re.compile(r'"?(?:timestamp|time|id)"? *,', re.IGNORECASE).match
_may_begin_header = re.compile(r'"?(?:timestamp|time|id)', re.IGNORECASE).match


def names_told(columns: Names, line: str) -> Names | None:
    """What a header calls the columns, if the line is one: what we call them, as far as they are known.

    >>> names_told(("timestamp", "identities", "verdict"), '"Timestamp","Policy Identity","Action","Egress"')
    ('timestamp', 'identities', 'verdict', 'egress')
    """
    if not _is_header(line):
        return None
    (row,) = by_commas_and_spaces([line])
    told = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in row]
    if "all_identities" in columns:
        told[2:] = ["all_identities" if name == "identities" else name for name in told[2:]]
    known = (*columns, *told[len(columns) :])
    return tuple(name if name in columns or known[at] in told else known[at] for at, name in enumerate(told))


def _table(least: int, names: str) -> Table:
    """The table of a folder: its columns' names, and how many of them each line has at least. The rest may be empty."""
    columns = tuple(names.split())
    return Table(
        columns,
        by_commas_and_spaces,
        least,
        split_at_once=commas_at_once,
        header=partial(names_told, columns),
        may_begin_header=_may_begin_header,
    )


TABLES = {
    "dnslogs": _table(
        9,
        "timestamp most_granular_identity identities internal_ip external_ip action query_type response_code domain "
        "categories most_granular_identity_type identity_types blocked_categories rule_id destination_countries "
        "organization_id",
    ),
    "proxylogs": _table(
        8,
        "timestamp identities internal_ip external_ip destination_ip content_type verdict url referer user_agent "
        "status_code requested_size response_size response_body_size sha categories av_detections puas "
        "amp_disposition amp_malware_name amp_score identity_type blocked_categories all_identities identity_types "
        "request_method dlp_status certificate_errors file_name ruleset_id rule_id destination_list_ids "
        "isolate_action file_action warn_status forwarding_method producer msp_organization_id "
        "destination_countries application_ids hostname data_center egress server_name time_based_rule "
        "security_overridden detected_response_file_type warn_categories organization_id",
    ),
    "iplogs": _table(6, "timestamp identity source_ip source_port destination_ip destination_port categories"),
    "auditlogs": _table(6, "id timestamp email user type action logged_in_from before after"),
    "firewalllogs": _table(
        11,
        "timestamp origin_ids identities identity_type direction protocol packet_size source_ip source_port "
        "destination_ip destination_port data_center rule_id action fqdns destination_list_ids",
    ),
    "intrusionlogs": _table(
        8,
        "timestamp identities identity_types generator_id signature_id signature_message signature_list_id severity "
        "attack_classification cves ip_protocol session_id source_ip source_port destination_ip destination_port "
        "action operation_mode policy_resource_id direction firewall_rule_id ips_config_type aws_region",
    ),
}
"""By the folder that the logs lie in."""
_FOLDERS = "|".join(TABLES)
_folder = re.compile(rf".*({_FOLDERS})", re.DOTALL).match


def decode(chunks: Iterator[bytes], name: str) -> Iterator[RowsOrBlock]:
    """The events, each with its source. DecodeError if the path does not tell what the columns are."""
    found = _folder(name)
    if found is None:
        raise DecodeError(
            f"what its columns are is told by the folder it lies in, which must be one of {', '.join(TABLES)}"
        )
    return sourced(rows(chunks, TABLES[found[1]]), "cisco_umbrella")


def check(place: Place) -> None:
    """UnknownType if the prefix names none of the folders."""
    if not _folder(place.prefix):
        raise UnknownType(
            f"reading Cisco Umbrella's logs below {place.prefix!r}: what their columns are is told by the folder; "
            f"give a prefix with one of {', '.join(TABLES)}"
        )


CISCO_UMBRELLA = LogType(
    name="cisco_umbrella",
    what=f"Cisco Umbrella: {', '.join(TABLES)}",
    format="https://docs.umbrella.com/umbrella-user-guide/docs/log-format-and-versioning",
    layouts=(Dated("-", behind="/"),),
    decode=decode,
    names=_FOLDERS,
    others=r"/\d{4}(?:-\d\d){5}-[^/]*$",
    looks_like=re.compile(
        rb'(?:\xef\xbb\xbf)?\s*(?:"\d*", ?|"?id"? ?, ?)?"?(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|time(?:stamp)?)"? ?,',
        re.IGNORECASE,
    ).match,
    check=check,
)
