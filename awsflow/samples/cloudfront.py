"""CloudFront samples: access logs as they are delivered to a bucket without folders.

Format: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import BinaryIO
from urllib.parse import quote

from awsflow.samples.account import AGENTS, Account
from awsflow.samples.writing import gzipped_lines

ACCOUNT = "123456789012"
REGION = "us-east-1"
VERSION = "#Version: 1.0"
HEADER = (
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes "
    "time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status "
    "fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len "
    "sc-range-start sc-range-end"
)
FILE = timedelta(minutes=5)
"""What one file covers."""
_EDGES = ("FRA56-P3", "LAX50-C1", "SOF50-P2", "NRT57-P1", "GRU3-C2", "DUB56-P1")
_PATHS = ("/", "/index.html", "/assets/app.4f2a.js", "/img/größe.png", "/api/v1/orders", "/wp-login.php", "/.env")
_QUERIES = ("-", "-", "-", "id=7&lang=de", "q=%2522%253E%253Cscript%253E", "utm_source=mail&utm_id=3")
_RESULTS = (("200", "Hit"), ("200", "Hit"), ("200", "Miss"), ("304", "RefreshHit"), ("403", "Error"), ("404", "Error"))
_UNENCODED = "/:;,.()+=&?!*@$-_"


def events(seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION) -> Iterator[str]:
    """Make up the lines of five minutes, not quite in the order of time, as in CloudFront's own files."""
    made_up = Account(seed, account, region)
    domain = f"d{made_up.hex(13)}.cloudfront.net"
    begin = start.astimezone(UTC)
    for number in range(count):
        late = made_up.random.random() * 20
        at = begin + timedelta(seconds=max(0.0, FILE.total_seconds() * number / count - late))
        yield "\t".join(_columns(made_up, at, domain))


def _columns(a: Account, at: datetime, domain: str) -> Iterator[str]:
    status, result = a.one(_RESULTS)
    taken = a.random.random() ** 4
    secure = a.chance(0.95)
    yield from (f"{at:%Y-%m-%d}", f"{at:%H:%M:%S}", a.one(_EDGES), str(a.random.randrange(300, 90_000)), a.address())
    yield from (a.one(("GET", "GET", "GET", "HEAD", "POST")), domain, quote(a.one(_PATHS), _UNENCODED), status)
    yield from (a.one(("-", "https://www.example.com/")), quote(a.one(AGENTS), _UNENCODED), a.one(_QUERIES), "-")
    yield from (result, f"{a.token(39)[:54]}==", "www.example.com", "https" if secure else "http")
    yield from (str(a.random.randrange(40, 900)), f"{taken:.3f}", "-")
    yield from ("TLSv1.3", "TLS_AES_128_GCM_SHA256") if secure else ("-", "-")
    yield from (result, a.one(("HTTP/1.1", "HTTP/2.0", "HTTP/3.0")), "-", "-", str(a.random.randrange(1024, 65536)))
    yield from (f"{taken:.3f}", result, "text/html", str(a.random.randrange(90_000)), "-", "-")


def write(out: BinaryIO, events: Iterable[str], level: int = 6) -> None:
    """Write a gzipped file of these lines, below two lines of headers, however many; `level` is gzip's, 1 to 9."""
    gzipped_lines(out, chain([VERSION, HEADER], events), level)


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as CloudFront does; `number` tells apart the files of one minute."""
    at = when.astimezone(UTC)
    made_up = Account(number, account, f"{at:%Y%m%d%H%M}")
    return f"E{Account(0, account, '').upper(13)}.{at:%Y-%m-%d-%H}.{made_up.hex(8)}.gz"
