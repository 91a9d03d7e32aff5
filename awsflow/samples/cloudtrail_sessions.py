"""Who acts in a sample account: sessions of users and roles, as CloudTrail's `userIdentity` tells of them.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from awsflow.samples.account import AGENTS, PEOPLE, ROLES, Account


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at work: whoever calls once calls again, from the same address with the same program."""

    role: str | None
    name: str
    access_key: str
    address: str
    agent: str
    created: str
    mfa: str

    def identity(self, a: Account) -> dict[str, Any]:
        """Compose `userIdentity`: of a role's session, or of a user."""
        attributes = {"creationDate": self.created, "mfaAuthenticated": self.mfa}
        if self.role is None:
            return {
                "type": "IAMUser",
                "principalId": a.principal(self.name, "AIDA"),
                "arn": a.arn("iam", f"user/{self.name}"),
                "accountId": a.number,
                "accessKeyId": f"AKIA{self.access_key}",
                "userName": self.name,
            } | ({"sessionContext": {"attributes": attributes}} if self.mfa == "true" else {})
        return {
            "type": "AssumedRole",
            "principalId": f"{a.principal(self.role, 'AROA')}:{self.name}",
            "arn": a.arn("sts", f"assumed-role/{self.role}/{self.name}"),
            "accountId": a.number,
            "accessKeyId": f"ASIA{self.access_key}",
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": a.principal(self.role, "AROA"),
                    "arn": a.arn("iam", f"role/{self.role}"),
                    "accountId": a.number,
                    "userName": self.role,
                },
                "webIdFederationData": {},
                "attributes": attributes,
            },
        }


def session(a: Account, start: datetime) -> Session:
    """Make up a session that began within the hour before `start`."""
    is_user = a.chance(0.3)
    return Session(
        role=None if is_user else a.one(ROLES),
        name=a.one(PEOPLE) if is_user or a.chance(0.4) else f"i-{a.hex(17)}",
        access_key=a.upper(16),
        address=a.address(),
        agent=a.one(AGENTS),
        created=f"{start.astimezone(UTC) - timedelta(seconds=a.random.randrange(3600)):%Y-%m-%dT%H:%M:%SZ}",
        mfa=a.one(("false", "true")),
    )
