"""What goes on in a sample account: API calls, logins and service events, as CloudTrail describes each.

A call is a function of the account that returns the fields by which its event differs from the usual;
`CALLS` says how often each occurs among 1,000. Fields:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

from awsflow.samples.account import BUCKETS, PEOPLE, ROLES, SERVICES, Account

Fields: TypeAlias = dict[str, Any]


def _describe(a: Account) -> Fields:
    what, item, prefix = a.one(
        (
            ("Instances", "instanceId", "i-"),
            ("SecurityGroups", "groupId", "sg-"),
            ("NetworkInterfaces", "networkInterfaceId", "eni-"),
            ("Volumes", "volumeId", "vol-"),
            ("Subnets", "subnetId", "subnet-"),
            ("RouteTables", "routeTableId", "rtb-"),
        )
    )
    ids = [{item: prefix + a.hex(17)} for _ in range(a.random.randrange(6))]
    filters = [{"name": f"tag:{tag['key']}", "valueSet": {"items": [{"value": tag["value"]}]}} for tag in a.tags()]
    request: Fields = {f"{item[:-2]}Set": {"items": ids} if ids else {}}
    request["filterSet"] = {"items": filters} if filters else {}
    if a.chance(0.3):
        request["maxResults"] = 1000
    return {"source": "ec2", "name": f"Describe{what}", "requestParameters": request}


def _look(a: Account) -> Fields:
    source, name, request = a.one(
        (
            ("iam", "ListUsers", None),
            ("iam", "ListRolePolicies", {"roleName": a.one(ROLES)}),
            ("iam", "GetUser", {"userName": a.one(PEOPLE)}),
            ("s3", "ListBuckets", {"Host": f"s3.{a.region}.amazonaws.com"}),
            ("lambda", "ListFunctions20150331", {"maxItems": 50, "marker": a.token(90)}),
            ("rds", "DescribeDBInstances", {"filters": [], "maxRecords": 100}),
            ("cloudtrail", "LookupEvents", {"lookupAttributes": [], "maxResults": 50}),
            ("sts", "GetCallerIdentity", None),
            ("health", "DescribeEventAggregates", {"aggregateField": "eventTypeCategory", "filter": {}}),
            ("tagging", "GetResources", {"tagFilters": a.tags(), "resourcesPerPage": 100}),
        )
    )
    return {"source": source, "name": name, "requestParameters": request}


def _assume_role(a: Account) -> Fields:
    service = f"{a.one(SERVICES)}.amazonaws.com"
    role, session, key = a.one(ROLES), f"i-{a.hex(17)}", f"ASIA{a.upper(16)}"
    arn = a.arn("iam", f"role/{role}")
    return {
        "source": "sts",
        "name": "AssumeRole",
        "userIdentity": {"type": "AWSService", "invokedBy": service},
        "sourceIPAddress": service,
        "userAgent": service,
        "requestParameters": {"roleArn": arn, "roleSessionName": session, "durationSeconds": 3600},
        "responseElements": {
            "credentials": {
                "accessKeyId": key,
                "sessionToken": a.token(a.random.randrange(300, 700)),
                "expiration": "Nov 1, 2026, 6:30:22 PM",
            },
            "assumedRoleUser": {
                "assumedRoleId": f"{a.principal(role, 'AROA')}:{session}",
                "arn": a.arn("sts", f"assumed-role/{role}/{session}"),
            },
        },
        "resources": [{"accountId": a.number, "type": "AWS::IAM::Role", "ARN": arn}],
        "sharedEventID": a.uuid(),
    }


def _s3_object(a: Account) -> Fields:
    name = a.one(("GetObject", "GetObject", "PutObject", "HeadObject", "DeleteObject", "ListObjects"))
    bucket = a.one(BUCKETS)
    key = f"data/year=2026/part-{a.random.randrange(10**5):05}-{a.uuid()}.snappy.parquet"
    host = f"{bucket}.s3.{a.region}.amazonaws.com"
    written = name in ("PutObject", "DeleteObject")
    sse = {"x-amz-server-side-encryption": "AES256", "x-amz-version-id": a.token(24)}
    return {
        "source": "s3",
        "name": name,
        "requestParameters": {"bucketName": bucket, "Host": host, "key": key},
        "responseElements": sse if written else None,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": a.random.randrange(10**6) if name == "PutObject" else 0,
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": a.token(56),
            "bytesTransferredOut": float(a.random.randrange(10**6)),
        },
        "readOnly": not written,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
            {"accountId": a.number, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
        ],
        "eventCategory": "Data",
        "vpcEndpointId": f"vpce-{a.hex(17)}",
        "host": host,
    }


def _kms(a: Account) -> Fields:
    key = a.arn("kms", f"key/{a.uuid()}")
    secret = a.arn("secretsmanager", f"secret:{a.one(ROLES)}-password-{a.hex(6)}")
    return {
        "source": "kms",
        "name": a.one(("Decrypt", "Decrypt", "GenerateDataKey")),
        "requestParameters": {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {
                "SecretARN": secret,
                "SecretVersionId": a.uuid(),
                "aws:pi:region": a.region,
            },
        },
        "resources": [{"accountId": a.number, "type": "AWS::KMS::Key", "ARN": key}],
        "vpcEndpointId": f"vpce-{a.hex(17)}",
    }


def _login(a: Account) -> Fields:
    failed = a.chance(0.3)
    user = a.one(PEOPLE)
    identity = {"type": "IAMUser", "accountId": a.number, "accessKeyId": "", "userName": user}
    if a.chance(0.1):
        identity = {
            "type": "Root",
            "principalId": a.number,
            "arn": a.arn("iam", "root"),
            "accountId": a.number,
        }
    elif not failed:
        identity |= {"principalId": a.principal(user, "AIDA"), "arn": a.arn("iam", f"user/{user}")}
    fields: Fields = {
        "source": "signin",
        "name": "ConsoleLogin",
        "userIdentity": identity,
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Failure" if failed else "Success"},
        "additionalEventData": {
            "LoginTo": f"https://console.aws.amazon.com/console/home?state=hashArgs%23&region={a.region}",
            "MobileVersion": "No",
            "MFAUsed": a.one(("Yes", "Yes", "No")),
        },
        "readOnly": False,
        "eventType": "AwsConsoleSignIn",
        "host": f"{a.region}.signin.aws.amazon.com",
    }
    return fields | ({"errorMessage": "Failed authentication"} if failed else {})


def _iam_change(a: Account) -> Fields:
    user, role = a.one(PEOPLE), a.one(ROLES)
    statement = {"Sid": "AllowSome", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"]}
    policy = {
        "Version": "2012-10-17",
        "Statement": [statement | {"Resource": f"arn:aws:s3:::{bucket}/*"} for bucket in BUCKETS[:3]],
    }
    created = {"userName": user, "userId": a.principal(user, "AIDA"), "arn": a.arn("iam", f"user/{user}")}
    key = {"userName": user, "accessKeyId": f"AKIA{a.upper(16)}", "status": "Active"}
    name, request, response = a.one(
        (
            ("CreateUser", {"userName": user, "tags": a.tags()}, {"user": created | {"path": "/"}}),
            ("CreateAccessKey", {"userName": user}, {"accessKey": key}),
            (
                "AttachRolePolicy",
                {"roleName": role, "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
                None,
            ),
            (
                "PutRolePolicy",
                {"roleName": role, "policyName": "inline", "policyDocument": json.dumps(policy, indent=2)},
                None,
            ),
            ("DeactivateMFADevice", {"userName": user, "serialNumber": a.arn("iam", f"mfa/{user}")}, None),
        )
    )
    return {
        "source": "iam",
        "name": name,
        "requestParameters": request,
        "responseElements": response,
        "readOnly": False,
    }


def _run_instances(a: Account) -> Fields:
    image, subnet = f"ami-{a.hex(17)}", f"subnet-{a.hex(17)}"
    groups = {"items": [{"groupId": f"sg-{a.hex(17)}", "groupName": "web"}]}
    items = [
        {
            "instanceId": f"i-{a.hex(17)}",
            "imageId": image,
            "instanceState": {"code": 0, "name": "pending"},
            "privateDnsName": f"ip-10-0-{a.random.randrange(256)}-{a.random.randrange(256)}.ec2.internal",
            "stateReason": {"code": "pending", "message": "pending"},
            "networkInterfaceSet": {"items": [{"subnetId": subnet, "groupSet": groups, "ipv6AddressesSet": {}}]},
            "ebsOptimized": False,
            "cpuOptions": {"coreCount": 1, "threadsPerCore": 2},
        }
        for _ in range(a.random.randrange(1, 4))
    ]
    return {
        "source": "ec2",
        "name": "RunInstances",
        "requestParameters": {
            "instancesSet": {"items": [{"imageId": image, "minCount": 1, "maxCount": len(items)}]},
            "instanceType": a.one(("t3.micro", "m7g.large", "c7i.2xlarge")),
            "blockDeviceMapping": {},
            "monitoring": {"enabled": False},
            "disableApiTermination": a.chance(0.5),
            "disableApiStop": False,
            "clientToken": a.uuid(),
            "subnetId": subnet,
            "iamInstanceProfile": {"name": a.one(ROLES)},
            "tagSpecificationSet": {"items": [{"resourceType": "instance", "tags": a.tags()}]},
        },
        "responseElements": {
            "requestId": a.uuid(),
            "reservationId": f"r-{a.hex(17)}",
            "ownerId": a.number,
            "groupSet": {},
            "instancesSet": {"items": items},
        },
        "readOnly": False,
    }


def _open_port(a: Account) -> Fields:
    group, port = f"sg-{a.hex(17)}", a.one((22, 443, 3389, 5432))
    rule = {"ipProtocol": "tcp", "fromPort": port, "toPort": port}
    ranges = {"items": [{"cidrIp": a.one(("0.0.0.0/0", "198.51.100.0/24"))}]}
    rules = [{"securityGroupRuleId": f"sgr-{a.hex(17)}", "groupId": group, **rule, "isEgress": False}]
    return {
        "source": "ec2",
        "name": "AuthorizeSecurityGroupIngress",
        "requestParameters": {
            "groupId": group,
            "ipPermissions": {"items": [rule | {"groups": {}, "ipRanges": ranges, "prefixListIds": {}}]},
        },
        "responseElements": {"_return": True, "securityGroupRuleSet": {"items": rules}},
        "readOnly": False,
    }


def _denied(a: Account) -> Fields:
    fields: Fields = a.one((_describe, _look, _kms, _iam_change))(a)
    who, doing = a.arn("sts", f"assumed-role/{a.one(ROLES)}/session"), f"{fields['source']}:{fields['name']}"
    if fields["source"] == "ec2":
        code = "Client.UnauthorizedOperation"
        message = f"You are not authorized to perform this operation. Encoded message: {a.token(400)}"
    else:
        code = "AccessDenied"
        message = f"User: {who} is not authorized to perform: {doing} because no identity-based policy allows it"
    return fields | {"errorCode": code, "errorMessage": message, "responseElements": None}


def _bucket_change(a: Account) -> Fields:
    bucket = a.one(BUCKETS)
    host = f"{bucket}.s3.{a.region}.amazonaws.com"
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}/*"],
    }
    insecure = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    name, request = a.one(
        (
            (
                "PutBucketPolicy",
                {"bucketPolicy": {"Version": "2012-10-17", "Statement": [statement | insecure]}},
            ),
            ("PutBucketTagging", {"Tagging": {"TagSet": {"Tag": a.tags()}}, "tagging": ""}),
            ("DeleteBucketPublicAccessBlock", {"publicAccessBlock": ""}),
        )
    )
    return {
        "source": "s3",
        "name": name,
        "requestParameters": {"bucketName": bucket, "Host": host} | request,
        "responseElements": None,
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "bytesTransferredIn": 512,
            "x-amz-id-2": a.token(56),
        },
        "readOnly": False,
        "resources": [{"accountId": a.number, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "host": host,
    }


def _routine(a: Account) -> Fields:
    group = f"/aws/lambda/{a.one(ROLES)}"
    source, name, request, response = a.one(
        (
            (
                "logs",
                "CreateLogStream",
                {"logGroupName": group, "logStreamName": f"2026/[$LATEST]{a.hex(32)}"},
                None,
            ),
            (
                "ssm",
                "UpdateInstanceInformation",
                {"instanceId": f"i-{a.hex(17)}", "agentVersion": "3.2.2303.0"},
                None,
            ),
            (
                "lambda",
                "Invoke",
                {"functionName": a.arn("lambda", "function:resize"), "clientContext": a.token(60)},
                None,
            ),
            ("ecr", "BatchGetImage", {"repositoryName": "web", "imageIds": [{"imageTag": a.hex(7)}]}, None),
            (
                "monitoring",
                "PutMetricAlarm",
                {"alarmName": f"cpu-{a.hex(4)}", "threshold": 80.5, "period": 300},
                None,
            ),
            ("dynamodb", "UpdateTimeToLive", {"tableName": "sessions"}, {"timeToLive": {"enabled": True}}),
        )
    )
    return {
        "source": source,
        "name": name,
        "requestParameters": request,
        "responseElements": response,
        "readOnly": False,
    }


def _other_account(a: Account) -> Fields:
    caller = "210987654321"
    fields = _assume_role(a)
    identity = {"type": "AWSAccount", "principalId": f"AROA{a.upper(17)}:scanner", "accountId": caller}
    return fields | {"userIdentity": identity, "sourceIPAddress": a.address(), "userAgent": "Boto3/1.34.69"}


def _service_event(a: Account) -> Fields:
    return {
        "source": "kms",
        "name": "RotateKey",
        "userIdentity": {"accountId": a.number, "invokedBy": "AWS Internal"},
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "eventType": "AwsServiceEvent",
        "readOnly": False,
        "serviceEventDetails": {"keyId": a.uuid(), "rotationType": "AUTOMATIC"},
    }


def _odd_shapes(a: Account) -> Fields:
    """CloudTrail fills these fields as it likes: text, lists and numbers occur where objects are the rule."""
    return {
        "source": "athena",
        "name": "BatchGetQueryExecution",
        "requestParameters": a.one(("queryExecutionIds=[...]", [a.uuid()], [a.uuid(), a.uuid()])),
        "responseElements": a.one(("HIDDEN_DUE_TO_SECURITY_REASONS", [], [None, 7], [{"state": "SUCCEEDED"}], 0)),
        "additionalEventData": a.one(("none", None, [], {"insufficientLakeFormationPermissions": [f"db:{a.hex(4)}"]})),
        "readOnly": True,
    }


CALLS: dict[Callable[[Account], Fields], int] = {
    _describe: 210,
    _look: 110,
    _assume_role: 150,
    _s3_object: 200,
    _kms: 110,
    _routine: 80,
    _denied: 40,
    _iam_change: 25,
    _login: 15,
    _run_instances: 20,
    _open_port: 10,
    _bucket_change: 15,
    _other_account: 5,
    _service_event: 5,
    _odd_shapes: 5,
}
