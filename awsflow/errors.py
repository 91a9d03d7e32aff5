"""The family of errors. Each class carries the exit code that the command line ends with.

A message has three parts: doing what, where (bucket, key, line), what to try. Codes are those that Wazuh's
scheduler knows; `docs/exit-codes.md` lists them for people.
"""


class AwsflowError(Exception):
    """Anything that awsflow itself reports."""

    exit_code = 1


class WorkerDied(AwsflowError):
    """No worker is left to read what was found."""


class RoleNeeded(AwsflowError):
    """A role's duration was given, but no role."""


class ArgumentsError(AwsflowError):
    """The arguments of a command do not fit."""

    exit_code = 2


class CredentialsError(AwsflowError):
    """AWS does not accept who we say we are, or STS does not let us become the role."""

    exit_code = 3


class StateError(AwsflowError):
    """The state database cannot be used."""

    exit_code = 5


class StateNotCreated(StateError):
    """The state database cannot be created."""

    exit_code = 6


class AlreadyRunning(AwsflowError):
    """Another run does the same work at this moment. Nothing is wrong: that one delivers it."""

    exit_code = 0


class ServiceError(AwsflowError):
    """AWS answered with an error that none of the others describes."""

    exit_code = 7


class ObjectGone(ServiceError):
    """The object was deleted between listing and reading."""


class ObjectReplaced(ServiceError):
    """The object is another one than was listed, or than was begun to be read."""


class DecompressError(AwsflowError):
    """An object cannot be decompressed."""

    exit_code = 8


class DecodeError(AwsflowError):
    """An object cannot be parsed. `offset` is where, in bytes of the decompressed content."""

    exit_code = 9

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class LibraryMissing(AwsflowError):
    """An optional library is needed for this object."""

    exit_code = 10


class QueueDown(AwsflowError):
    """Nobody listens on Wazuh's queue."""

    exit_code = 11


class UnknownType(AwsflowError):
    """No such bucket type, service or subscriber."""

    exit_code = 12


class SinkError(AwsflowError):
    """The sink does not take what we send, though somebody is there."""

    exit_code = 13


class ReaderGone(AwsflowError):
    """Whoever read our standard output has closed it. Told to nobody: 128 + SIGPIPE, as any Unix filter ends."""

    exit_code = 141


class NoObjects(AwsflowError):
    """There is nothing under the prefix."""

    exit_code = 14


class EndpointUnreachable(AwsflowError):
    """The endpoint does not answer."""

    exit_code = 15


class Throttled(AwsflowError):
    """AWS slows us down for longer than the retries last."""

    exit_code = 16


class LogGroupFailed(AwsflowError):
    """A log group is missing or cannot be read. The others were."""

    exit_code = 16


class ConfigError(AwsflowError):
    """A key or a value of the configuration has a wrong shape."""

    exit_code = 17


class NoAccounts(AwsflowError):
    """There is no account under the prefix."""

    exit_code = 18


class ClockSkew(AwsflowError):
    """The clock of this machine is too far from AWS's."""

    exit_code = 19


class NoQueue(AwsflowError):
    """There is no such SQS queue."""

    exit_code = 20


class QueueFailed(AwsflowError):
    """SQS does not let us receive messages, or delete what was delivered."""

    exit_code = 21


class SubscriberArgumentsMissing(AwsflowError):
    """A subscriber needs arguments that are not there."""

    exit_code = 21


class UnknownRegion(AwsflowError):
    """No such region, or the service is not there."""

    exit_code = 22


class ProfileNotFound(AwsflowError):
    """No such profile in the AWS configuration."""

    exit_code = 23
