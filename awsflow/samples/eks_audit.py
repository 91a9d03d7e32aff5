"""EKS audit samples: requests to the Kubernetes API of a made-up cluster, as CloudWatch Logs exports them.

Format: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import orjson

from awsflow.samples.account import PEOPLE, Account
from awsflow.samples.cloudtrail import ACCOUNT, REGION

FILE = timedelta(minutes=5)
"""What one file covers."""
_REQUESTS = (
    ("get", "pods", "/api/v1/namespaces/{namespace}/pods/web-0"),
    ("list", "secrets", "/api/v1/namespaces/{namespace}/secrets?limit=500"),
    ("watch", "configmaps", "/api/v1/watch/namespaces/{namespace}/configmaps?labelSelector=app%3D%22web%22"),
    ("create", "pods", "/api/v1/namespaces/{namespace}/pods/web-0/exec?command=sh&stdin=true"),
    ("patch", "nodes", "/api/v1/nodes/ip-10-0-0-7.ec2.internal/status?timeout=10s"),
)


def events(
    seed: int, count: int, start: datetime, account: str = ACCOUNT, region: str = REGION
) -> Iterator[dict[str, Any]]:
    """Make up the events of five minutes, in order of time; the same for the same arguments."""
    a = Account(seed, account, region)
    for number in range(count):
        at = start.astimezone(UTC) + FILE * ((number + a.random.random()) / count)
        verb, resource, path = a.one(_REQUESTS)
        namespace, allowed = a.one(("default", "kube-system", "größe")), a.chance(0.9)
        yield {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": "Metadata",
            "auditID": a.uuid(),
            "stage": "ResponseComplete",
            "requestURI": path.format(namespace=namespace),
            "verb": verb,
            "user": {
                "username": a.one((*PEOPLE, "system:node:ip-10-0-0-7.ec2.internal")),
                "groups": ["system:authenticated", "system:nodes"][: a.random.randrange(1, 3)],
                "extra": {"sessionName": [a.one(PEOPLE)]},
            },
            "sourceIPs": [a.address()],
            "userAgent": "kubectl/v1.31.0 (linux/amd64) kubernetes/9edcffc",
            "objectRef": {"resource": resource, "namespace": namespace, "apiVersion": "v1"},
            "responseStatus": {"metadata": {}, "code": 200 if allowed else 403},
            "requestReceivedTimestamp": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "stageTimestamp": f"{at + timedelta(milliseconds=a.random.randrange(90)):%Y-%m-%dT%H:%M:%S.%fZ}",
            "annotations": {
                "authorization.k8s.io/decision": "allow" if allowed else "forbid",
                "authorization.k8s.io/reason": "",
            },
        }


def write(out: BinaryIO, events: Iterable[dict[str, Any]], level: int = 6) -> None:
    """Write a gzipped file of these events, each on a line behind its time."""
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=level, mtime=0, filename="") as zipped:
        for event in events:
            zipped.write(f"{event['stageTimestamp'][:23]}Z ".encode() + orjson.dumps(event) + b"\n")


def key(account: str, region: str, when: datetime, number: int) -> str:
    """Name a file as CloudWatch Logs does: a task for each day, a log stream, and the number of its file."""
    task = Account(when.astimezone(UTC).toordinal(), account, region)
    return f"{task.uuid()}/kube-apiserver-audit-{task.hex(32)}/{number:06}.gz"
