"""The evaluator that holds calls against policies: what it allows, denies, and remembers."""

from __future__ import annotations

from typing import Any

import pytest
from tests.local_athena.authorization import Authorization
from tests.local_athena.iam import Call, Grant, Role

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
