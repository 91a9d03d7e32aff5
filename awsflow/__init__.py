"""awsflow: AWS security logs as a stream, from where AWS keeps them to where they are watched.

from awsflow import Flow
from awsflow.sources import S3Bucket
from awsflow.sinks import WazuhSocket

Flow(S3Bucket("my-trail", "cloudtrail", state="state.db")).to(WazuhSocket("/var/ossec/queue/sockets/queue")).run()
"""

from awsflow.envelope import plain_json, wazuh_json
from awsflow.errors import AwsflowError
from awsflow.flow import Batch, Flow, Sink, Source, Stats
from awsflow.items import Barrier, Failure, Item, Origin, Record
from awsflow.stages import Stage, discard, each

__all__ = [
    "AwsflowError",
    "Barrier",
    "Batch",
    "Failure",
    "Flow",
    "Item",
    "Origin",
    "Record",
    "Sink",
    "Source",
    "Stage",
    "Stats",
    "discard",
    "each",
    "plain_json",
    "wazuh_json",
]
