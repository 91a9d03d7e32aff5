"""Sources: where records come from, and how their positions are committed."""

from awsflow.sources.files import LocalFiles
from awsflow.sources.s3 import S3Bucket
from awsflow.sources.s3_objects import S3Objects

__all__ = ["LocalFiles", "S3Bucket", "S3Objects"]
