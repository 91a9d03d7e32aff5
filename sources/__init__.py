"""Sources: where records come from, and how their positions are committed."""

from awsflow.sources.cloudwatch_logs import CloudWatchLogs
from awsflow.sources.files import LocalFiles
from awsflow.sources.inspector import Inspector
from awsflow.sources.s3 import S3Bucket
from awsflow.sources.s3_objects import S3Objects
from awsflow.sources.sqs import Queue

__all__ = ["CloudWatchLogs", "Inspector", "LocalFiles", "Queue", "S3Bucket", "S3Objects"]
