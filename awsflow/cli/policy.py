"""`awsflow policy`: the least that a configuration, or one source, must be allowed in AWS, as IAM policies."""

import argparse
import json
from collections.abc import Iterable, Sequence

from awsflow.cli.channel import Channel
from awsflow.cli.chosen import Chosen, add_choice, choice, printing
from awsflow.errors import ArgumentsError
from awsflow.options import AwsAccess, BucketOptions, QueueOptions, ServiceOptions
from awsflow.permissions import BUCKET_OF_QUEUE, Statement, Where, as_policy, needed, to_assume

EXAMPLES = """examples:
  awsflow policy > policy.json                           # for all that /var/ossec/etc/ossec.conf names
  awsflow policy --config awsflow.toml --of arn:aws:iam::123456789012:role/logs
  awsflow policy bucket my-trail --type cloudtrail --accounts 123456789012 --remove
  awsflow policy subscriber buckets --queue my-queue --objects-in my-bucket/AWSLogs/

Nothing is asked of AWS. With several identities (profiles, roles that are assumed), each has a policy of its own,
under its name; --of prints that of one of them alone. To read what is encrypted with a key of KMS's takes kms:Decrypt
on that key, too. A name without account or region stands for those of all: give roles, regions or ARNs for less.
"""
OWN = "the credentials of this machine"


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = argparse.ArgumentParser(
        prog="awsflow policy",
        description="Print the least IAM policy with which a configuration, or one source, can be collected.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_choice(parser, _add_own)
    return parser


def main(argv: Sequence[str]) -> int:
    """Print the policy; return the exit code."""
    return printing(parser().parse_args(argv), _print)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--of", metavar="NAME", help="of the identities only this one: a role's ARN, a profile's name")
    parser.add_argument(
        "--objects-in",
        action="append",
        metavar="BUCKET[/PREFIX]",
        help="where the objects lie that a queue's messages name; may be given again",
    )


def _print(arguments: argparse.Namespace, channel: Channel, out: Channel) -> int:
    chosen = choice(arguments, channel)
    statements = by_identity(chosen.sources, arguments.objects_in or ())
    if arguments.of is not None and arguments.of not in statements:
        raise ArgumentsError(f"--of {arguments.of}: there is none of that name; there are: {', '.join(statements)}")
    wanted = statements if arguments.of is None else {arguments.of: statements[arguments.of]}
    policies = {name: as_policy(each) for name, each in wanted.items()}
    told = next(iter(policies.values())) if len(policies) == 1 else policies
    for line in json.dumps(told, indent=2).splitlines():
        out.say(line)
    if len(policies) > 1:
        channel.info("several identities, each with a policy of its own; --of NAME prints one of them alone")
    if any(f":s3:::{BUCKET_OF_QUEUE}/" in arn for each in wanted.values() for one in each for arn in one.resources):
        channel.warning(
            f"{BUCKET_OF_QUEUE} stands for the bucket that a queue's messages name; give it with --objects-in"
        )
    if any("s3:GetObject" in one.actions for each in wanted.values() for one in each):
        channel.info("if a bucket is encrypted with a key of KMS's, kms:Decrypt on that key is needed, too")
    return 0


def by_identity(sources: Iterable[Chosen], buckets: Sequence[str]) -> dict[str, list[Statement]]:
    """What each identity needs, by its name: the role that collects, and whoever assumes it."""
    found: dict[str, list[Statement]] = {}
    for source in sources:
        access = source.access
        own = access.profile or (f"the access key of {source.name}" if access.access_key else OWN)
        found.setdefault(access.role_arn or own, []).extend(
            needed(source.options, where_of(source.options, access), buckets)
        )
        if access.role_arn:
            found.setdefault(own, []).extend(to_assume(access))
    return found


def where_of(options: BucketOptions | ServiceOptions | QueueOptions, access: AwsAccess) -> Where:
    """Whose things are meant, as far as the options tell, or the role, or the user's AWS configuration."""
    from awsflow.sources.places import Places  # noqa: PLC0415 - `--help` needs no AWS

    regions = Places(access).chosen(getattr(options, "regions", ()) if isinstance(options, ServiceOptions) else ())
    arns = [access.role_arn or "", *([options.queue] if isinstance(options, QueueOptions) else [])]
    arns += options.groups if isinstance(options, ServiceOptions) else ()
    partitions = [arn.split(":")[1] for arn in arns if arn.startswith("arn:")]
    partitions += [_partition(region) for region in regions]
    account = (access.role_arn or ":::::").split(":")[4] or "*"
    return Where(next(iter(partitions), "aws"), account, regions or ("*",))


def _partition(region: str) -> str:
    """The partition of a region."""
    import botocore.session  # noqa: PLC0415 - `--help` needs no AWS
    from botocore.exceptions import UnknownRegionError  # noqa: PLC0415 - likewise

    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"
