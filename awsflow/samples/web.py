"""Web requests, made up: what the samples of load balancers and of S3's server access logs have in common."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from awsflow.samples.account import Account

FILE = timedelta(minutes=5)
"""What one file covers."""
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 [de] Version/17.4 Safari/604.1",
    "curl/8.5.0",
    "python-requests/2.31.0",
    "sqlmap/1.8#stable (https://sqlmap.org)",
    "() { :; }; /bin/cat /etc/passwd",
    "-",
)
PATHS = (
    "/",
    "/index.html",
    "/api/v2/orders?status=open&page=2",
    "/assets/app.8f3a1c.js",
    "/suche?q=gr%C3%B6%C3%9Fe%20xl",
    "/login",
    "/.env",
    "/wp-login.php",
    "/item.php?id=1%27%20OR%20%271%27=%271",
    "/cgi-bin/..%2f..%2fetc/passwd",
)
HOSTS = ("www.example.com", "shop.example.com", "api.example.net")
CIPHERS = (
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"),
    ("TLS_AES_128_GCM_SHA256", "TLSv1.3"),
    ("TLS_AES_256_GCM_SHA384", "TLSv1.3"),
)


def moments(a: Account, count: int, start: datetime) -> Iterator[datetime]:
    """Pick moments of the five minutes from the start, in UTC and in their order."""
    for number in range(count):
        yield start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)


def stamp(at: datetime) -> str:
    """Write a moment as load balancers do: `2026-11-20T00:00:00.186641Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def client(a: Account) -> str:
    """Make up the address and port of a client; IPv6 stands in brackets."""
    address = a.address()
    return f"{f'[{address}]' if ':' in address else address}:{a.random.randrange(1024, 65536)}"


def target(a: Account) -> str:
    """Make up the address and port of a server in a private network."""
    return f"10.0.{a.random.randrange(4)}.{a.random.randrange(4, 255)}:{a.one((80, 8080, 3000))}"


def request(a: Account, scheme: str) -> tuple[str, str]:
    """Make up a request's first line, with the whole URL in it, and its host."""
    method, host = a.one(("GET", "GET", "GET", "POST", "HEAD")), a.one(HOSTS)
    version = "HTTP/2.0" if scheme == "https" else "HTTP/1.1"
    return f"{method} {scheme}://{host}:{443 if scheme == 'https' else 80}{a.one(PATHS)} {version}", host


def seconds(a: Account) -> str:
    """Make up how long a step took."""
    return f"{a.random.random() ** 4:.3f}"


def status(a: Account) -> int:
    """Make up a status, most often a good one."""
    return int(a.one((200, 200, 200, 200, 204, 301, 304, 403, 404, 500, 502)))
