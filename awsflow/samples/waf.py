"""WAF samples: web requests as WAF writes them to S3 itself, to a made-up web ACL.

Format: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import AGENTS, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""
WEB_ACL = "edge-acl"


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the requests of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    acl = a.arn("wafv2", f"regional/webacl/{WEB_ACL}/{a.uuid()}")
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        blocked = a.chance(0.2)
        yield {
            "timestamp": int(at.timestamp() * 1000),
            "formatVersion": 1,
            "webaclId": acl,
            "terminatingRuleId": a.one(("sql-injection", "rate-limit")) if blocked else "Default_Action",
            "terminatingRuleType": "REGULAR",
            "action": "BLOCK" if blocked else "ALLOW",
            "terminatingRuleMatchDetails": [
                {"conditionType": "SQL_INJECTION", "location": "ALL_QUERY_ARGS", "matchedData": ["10", "AND", "1"]}
            ][: int(blocked)],
            "httpSourceName": "ALB",
            "httpSourceId": f"{account}-app/web/{a.hex(16)}",
            "ruleGroupList": [],
            "rateBasedRuleList": [],
            "nonTerminatingMatchingRules": [],
            "requestHeadersInserted": None,
            "responseCodeSent": None,
            "httpRequest": {
                "clientIp": a.address(),
                "country": a.one(("AU", "DE", "US", "-")),
                "headers": _headers(a),
                "uri": a.one(("/", "/login", "/api/v1/größe", '/search/"x"')),
                "args": a.one(("", "id=10 AND 1=1", 'q={"Records":[{')),
                "httpVersion": "HTTP/2.0",
                "httpMethod": a.one(("GET", "GET", "POST", "HEAD")),
                "requestId": a.token(12),
            },
            "labels": [{"name": "awswaf:managed:aws:core-rule-set:NoUserAgent_Header"}][: a.random.randrange(2)],
            "ja3Fingerprint": a.hex(32),
        }


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as WAF does."""
    at = when.astimezone(UTC)
    unique = Account(number, account, f"{region}/{at}").hex(8)
    return (
        f"AWSLogs/{account}/WAFLogs/{region}/{WEB_ACL}/{at:%Y/%m/%d/%H/%M}/"
        f"{account}_waflogs_{region}_{WEB_ACL}_{at:%Y%m%dT%H%MZ}_{unique}.log.gz"
    )


def _headers(a: Account) -> list[dict[str, str]]:
    headers = [
        {"name": "Host", "value": "www.example.com"},
        {"name": "User-Agent", "value": a.one(AGENTS)},
        {"name": "accept", "value": "*/*"},
        {"name": "Cookie", "value": f"session={a.hex(32)}"},
        {"name": "x-forwarded-for", "value": a.address()},
        {"name": "sec-ch-ua", "value": '"Chromium";v="124"'},
        {"name": "x-stm-test", "value": a.hex(6)},
    ]
    return headers[: a.random.randrange(1, len(headers) + 1)]
