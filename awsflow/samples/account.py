"""A made-up AWS account: who is in it, what it owns, and random identifiers of the shapes that AWS gives.

Addresses are of the ranges for documentation (RFC 5737, RFC 3849), names and numbers are nobody's.
"""

import base64
import random
import string
from collections.abc import Sequence
from typing import Any

PEOPLE = ("alice", "bob", "carol.jones", "dave", "erin@example.com", "frank", "grace", "heidi")
ROLES = (
    "web-server",
    "batch-worker",
    "ci-deploy",
    "backup",
    "audit-read-only",
    "data-pipeline",
    "AWSReservedSSO_AdministratorAccess_0123456789abcdef",
    "AWSServiceRoleForConfig",
)
BUCKETS = (
    "example-assets",
    "example-invoices-eu",
    "example-data-lake-raw",
    "example-logs",
    "example-backups",
)
SERVICES = (
    "ec2",
    "lambda",
    "config",
    "ecs-tasks",
    "autoscaling",
    "cloudtrail",
    "secretsmanager",
    "delivery.logs",
)
AGENTS = (
    "aws-cli/2.15.30 Python/3.11.8 Linux/5.15.0-1056-aws exe/x86_64.ubuntu.22 prompt/off",
    "Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#6.1.79 md/arch#x86_64 lang/python#3.12.2",
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.42.0",
    "aws-sdk-java/2.25.11 Linux/5.10.209-198.858.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.10+7-LTS",
    "Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.696 Linux/5.10.209 vendor/Oracle_Corporation]",
)
_UPPER = string.ascii_uppercase + string.digits
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")


class Account:
    """Names and identifiers in one account and region; the same seed gives the same, in the same order."""

    def __init__(self, seed: int, number: str, region: str) -> None:
        self.number = number
        self.region = region
        self.random = random.Random(f"{seed}/{number}/{region}")  # noqa: S311 - made-up logs, not secrets
        self._principals = {name: self.upper(17) for name in (*PEOPLE, *ROLES)}

    def one(self, choices: Sequence[Any]) -> Any:
        """Pick one of these."""
        return choices[int(self.random.random() * len(choices))]

    def chance(self, of: float) -> bool:
        """Say yes so often (0 to 1)."""
        return self.random.random() < of

    def upper(self, length: int) -> str:
        """Make up capitals and digits, as in access key ids."""
        return "".join(self.random.choices(_UPPER, k=length))

    def hex(self, length: int) -> str:
        """Make up hexadecimal digits."""
        return f"{self.random.getrandbits(4 * length):0{length}x}"

    def uuid(self) -> str:
        """Make up a UUID, version 4."""
        text = self.hex(32)
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"

    def token(self, size: int) -> str:
        """Encode so many random bytes in Base64, as in session tokens."""
        return base64.b64encode(self.random.randbytes(size)).decode()

    def address(self) -> str:
        """Make up an IP address, now and then of version 6."""
        if self.chance(0.04):
            return f"2001:db8:{self.hex(4)}::{self.hex(4)}"
        return f"{self.one(_NETWORKS)}{self.random.randrange(1, 255)}"

    def arn(self, service: str, resource: str) -> str:
        """Compose an ARN; without region where the service has none."""
        region = "" if service in ("iam", "sts") else self.region
        return f"arn:aws:{service}:{region}:{self.number}:{resource}"

    def principal(self, name: str, kind: str) -> str:
        """Look up the unique id of a user (`AIDA`) or role (`AROA`)."""
        return kind + self._principals[name]

    def tags(self) -> list[dict[str, str]]:
        """Make up a few tags, some of them beyond ASCII."""
        tags = [
            {"key": "Name", "value": f"{self.one(ROLES)}-{self.hex(4)}"},
            {"key": "team", "value": self.one(("blue", "plattform-größe", "données", "セキュリティ"))},
            {"key": "note", "value": 'made by "ci", see C:\\deploy\\{stage}'},
            {"key": "cost-center", "value": str(self.random.randrange(1000, 9999))},
        ]
        return tags[: self.random.randrange(5)]
