"""The evaluator that holds calls against policies: what it allows, denies, and remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from deploy.entry import fetch_settings
from tests.local_athena.authorization import Authorization
from tests.local_athena.cloudtrail_format import CloudTrailFormat
from tests.local_athena.faults import Faults
from tests.local_athena.gateway import ATHENA as BY_ATHENA
from tests.local_athena.gateway import REVIEWER, Gateway
from tests.local_athena.glue import Glue
from tests.local_athena.iam import Call, Grant, Role
from tests.local_athena.service import ACCOUNT, REGION

from pci_log_review.common.errors import UsageError

BUCKET = "arn:aws:s3:::evidence"
AUTHORIZATION = Authorization("123456789012", "us-east-1", {"q-1": "review"}.get)
AUTHORIZATION.keys = {"evidence": "the-key", "arn:aws:sns:us-east-1:123456789012:topic": "the-key"}


def role(*statements: dict[str, Any]) -> Role:
    return Role({"policy": {"Statement": [{"Effect": "Allow", **statement} for statement in statements]}})


@pytest.mark.parametrize(
    ("action", "resource", "is_allowed"),
    [
        ("s3:GetObject", f"{BUCKET}/2026/a.csv", True),
        ("s3:getobject", f"{BUCKET}/2026/a.csv", True),  # an action's case does not matter, a resource's does
        ("s3:GetObject", "arn:aws:s3:::Evidence/2026/a.csv", False),
        ("s3:GetObject", BUCKET, False),
        ("s3:GetObjectVersion", f"{BUCKET}/2026/a.csv", False),
        ("s3:ListBucket", BUCKET, True),
        ("s3:DeleteObject", f"{BUCKET}/lock-1.json", True),
        ("s3:DeleteObject", f"{BUCKET}/lock-12.json", False),  # ? is one character
        ("sns:Publish", "*", False),
    ],
)
def test_a_call_is_allowed_where_action_and_resource_fit(action: str, resource: str, is_allowed: bool) -> None:
    reader = role(
        {"Action": "s3:GetObject", "Resource": f"{BUCKET}/*"},
        {"Action": ["s3:List*"], "Resource": [BUCKET]},
        {"Action": "s3:DeleteObject", "Resource": f"{BUCKET}/lock-?.json"},
    )
    assert reader.may(Call(action, resource)) is is_allowed


def test_a_deny_wins_over_every_allow() -> None:
    never = {"Effect": "Deny", "Action": "s3:Put*", "Resource": f"{BUCKET}/*"}
    writer = role({"Action": "s3:*", "Resource": "*"}, never)
    assert not writer.may(Call("s3:PutObject", f"{BUCKET}/a"))
    assert writer.may(Call("s3:GetObject", f"{BUCKET}/a"))


@pytest.mark.parametrize(
    ("context", "is_allowed"),
    [
        ({"kms:ViaService": "s3.x"}, True),
        ({"kms:ViaService": "sns.x"}, True),
        ({"kms:ViaService": "ec2.x"}, False),
        ({}, False),
    ],
)
def test_a_condition_holds_only_for_a_key_that_the_request_has(context: dict[str, str], is_allowed: bool) -> None:
    condition = {"StringEquals": {"kms:ViaService": ["s3.x", "sns.x"]}}
    assert role({"Action": "kms:Decrypt", "Resource": "k", "Condition": condition}).may(
        Call("kms:Decrypt", "k", context)
    ) is is_allowed  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        {"NotAction": "s3:GetObject", "Resource": "*"},
        {"Action": "s3:GetObject", "NotResource": "*"},
        {"Action": "s3:GetObject", "Resource": "*", "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-01-01"}}},
        {"Action": "s3:GetObject", "Resource": "*", "Effect": "Permit"},
    ],
)
def test_a_statement_that_the_evaluator_does_not_know_is_refused(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not known here"):
        role(statement)


def test_a_grant_that_was_needed_is_told_from_one_that_was_not() -> None:
    reader = role({"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/*"})
    assert reader.may(Call("s3:GetObject", f"{BUCKET}/a"))
    needed = Grant("policy", "s3:GetObject", f"{BUCKET}/*")
    assert reader.used() == {needed}
    assert not reader.without(needed).may(Call("s3:GetObject", f"{BUCKET}/a"))


def signed(service: str, method: str = "POST", path: str = "/", query: str = "", **headers: str) -> dict[str, Any]:
    signature = f"AWS4-HMAC-SHA256 Credential=reviewer/20260310/us-east-1/{service}/aws4_request, Signature=0"
    request = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "HTTP_AUTHORIZATION": signature}
    return request | headers


ATHENA = "arn:aws:athena:us-east-1:123456789012"
GLUE = "arn:aws:glue:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("request_", "body", "asked"),
    [
        (
            signed("athena", HTTP_X_AMZ_TARGET="AmazonAthena.GetQueryResults"), b'{"QueryExecutionId": "q-1"}',
            [f"athena:GetQueryResults on {ATHENA}:workgroup/review"],
        ),
        (
            signed("athena", HTTP_X_AMZ_TARGET="AmazonAthena.StartQueryExecution"), b'{"WorkGroup": "other"}',
            [f"athena:StartQueryExecution on {ATHENA}:workgroup/other"],
        ),
        (
            signed("glue", HTTP_X_AMZ_TARGET="AWSGlue.GetPartitions"), b'{"DatabaseName": "d", "TableName": "t"}',
            [f"glue:GetPartitions on {GLUE}:{part}" for part in ("catalog", "database/d", "table/d/t")],
        ),
        (
            signed("glue", HTTP_X_AMZ_TARGET="AWSGlue.CreateTable"),
            b'{"DatabaseName": "d", "TableInput": {"Name": "t"}}',
            [f"glue:CreateTable on {GLUE}:{part}" for part in ("catalog", "database/d", "table/d/t")],
        ),
        (
            signed("glue", HTTP_X_AMZ_TARGET="AWSGlue.GetDatabase"), b'{"Name": "d"}',
            [f"glue:GetDatabase on {GLUE}:{part}" for part in ("catalog", "database/d")],
        ),
        (signed("s3", "GET", "/logs", "list-type=2&prefix=AWSLogs%2F"), b"", ["s3:ListBucket on arn:aws:s3:::logs"]),
        (signed("s3", "GET", "/logs", "versions"), b"", ["s3:GET?versions on arn:aws:s3:::logs"]),
        (signed("s3", "HEAD", "/logs/a%20b"), b"", ["s3:GetObject on arn:aws:s3:::logs/a b"]),
        (
            signed("s3", "PUT", "/evidence/a", HTTP_X_AMZ_OBJECT_LOCK_MODE="GOVERNANCE"), b"",
            [
                "s3:PutObject on arn:aws:s3:::evidence/a", "s3:PutObjectRetention on arn:aws:s3:::evidence/a",
                "kms:GenerateDataKey on the-key",
            ],
        ),
        (
            signed("s3", "POST", "/evidence", "delete"), b"<Delete><Key>a</Key><Key>b&amp;c</Key></Delete>",
            ["s3:DeleteObject on arn:aws:s3:::evidence/a", "s3:DeleteObject on arn:aws:s3:::evidence/b&c"],
        ),
        (
            signed("s3", "PUT", "/logs/b", HTTP_X_AMZ_COPY_SOURCE="evidence/a"), b"",
            ["s3:PutObject on arn:aws:s3:::logs/b", "s3:GetObject on arn:aws:s3:::evidence/a"],
        ),
        (
            signed("sns"), b"Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Atopic",
            [
                "sns:Publish on arn:aws:sns:us-east-1:123456789012:topic", "kms:GenerateDataKey on the-key",
                "kms:Decrypt on the-key",
            ],
        ),
        (signed("sts"), b"Action=GetCallerIdentity", []),
        (signed("sts"), b"Action=AssumeRole&RoleArn=r", ["sts:AssumeRole on *"]),
    ],
)  # fmt: skip
def test_a_request_asks_for_its_action_on_its_resource(request_: dict[str, Any], body: bytes, asked: list[str]) -> None:
    assert [str(call) for call in AUTHORIZATION.calls(request_, body)] == asked


# -- the gateway, without Athena's engine


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    cloudtrail = CloudTrailFormat()
    serving = Gateway(Glue(ACCOUNT, REGION, cloudtrail), cloudtrail, Faults(), ACCOUNT, REGION)
    serving.start(lambda *_: {})
    yield serving
    serving.stop()


def client(gateway: Gateway, service: Any, key: str) -> Any:
    return boto3.Session(key, key, region_name=REGION).client(service, endpoint_url=gateway.url)


@pytest.mark.parametrize(
    ("service", "call", "arguments", "action", "resource"),
    [
        ("athena", "get_work_group", {"WorkGroup": "w"}, "athena:GetWorkGroup", "arn:aws:athena:{}:workgroup/w"),
        ("glue", "get_table", {"DatabaseName": "d", "Name": "t"}, "glue:GetTable", "arn:aws:glue:{}:catalog"),
        ("cloudtrail", "list_public_keys", {}, "cloudtrail:ListPublicKeys", "*"),
        ("s3", "get_object", {"Bucket": "b", "Key": "k"}, "s3:GetObject", "arn:aws:s3:::b/k"),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}, "s3:PutObject", "arn:aws:s3:::b/k"),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:{}:t", "Message": "m"}, "sns:Publish", "arn:aws:sns:{}:t"),
    ],
)
@pytest.mark.parametrize("key", [REVIEWER, BY_ATHENA])
def test_a_denied_call_is_refused_in_a_line_that_names_action_and_resource(
    gateway: Gateway, service: str, call: str, arguments: dict[str, Any], action: str, resource: str, key: str
) -> None:
    where = f"{REGION}:{ACCOUNT}"
    given = {name: value.format(where) if isinstance(value, str) else value for name, value in arguments.items()}
    gateway.role = Role({})
    with pytest.raises(ClientError) as raised:
        getattr(client(gateway, service, key), call)(**given)
    assert raised.value.response["Error"]["Code"].startswith("AccessDenied")
    told = str(raised.value)
    assert f"is not authorized to perform: {action} on resource: {resource.format(where)} because" in told
    assert "\n" not in told


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:ListBucket"])
def test_settings_are_not_fetched_without_their_permissions(gateway: Gateway, action: str, tmp_path: Path) -> None:
    gateway.role = None
    by_tests, by_reviewer = (client(gateway, "s3", key) for key in ("testing", REVIEWER))
    by_tests.create_bucket(Bucket="settings")
    by_tests.put_object(Bucket="settings", Key="settings/trail_scope.csv", Body=b"x")
    resources = {"s3:ListBucket": "arn:aws:s3:::settings", "s3:GetObject": "arn:aws:s3:::settings/settings/*"}
    gateway.role = role(*({"Action": name, "Resource": resource} for name, resource in resources.items()))
    fetch_settings("s3://settings/settings/", tmp_path, by_reviewer)
    gateway.role = gateway.role.without(Grant("policy", action, resources[action]))
    with pytest.raises(UsageError, match=f"is not authorized to perform: {action}"):
        fetch_settings("s3://settings/settings/", tmp_path, by_reviewer)
