"""What callers choose (names of sessions, paths, keys) makes nothing expected and hides nobody who has all rights; and
lines of expected_activity that would mark too much are refused, and named.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended

from pci_log_review.review.expected import lines_of

DAY = "2026-03-10"
ACCOUNT, FOREIGN = "111122223333", "999999999999"
FILE = f"AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/{DAY.replace('-', '/')}/{ACCOUNT}_CloudTrail_us-east-1_{{}}.json.gz"
CHECKOUT = "example-pay-checkout"
CARDS, LOGS = "example-pay-cardholder-data", "example-pay-cloudtrail-logs"
BROAD = f"10.2.1.2,role,{ACCOUNT},Organization%,,%,List%,%,All that it lists,me,2026-01-01,2026-12-31"


def role(name: str, session: str = "i-1", account: str = ACCOUNT, **context: Any) -> dict[str, Any]:
    """A session of a role."""
    arn = f"arn:aws:iam::{account}:role/{name}"
    issuer = {"type": "Role", "arn": arn, "accountId": account, "userName": name}
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer, **context},
    }


def user(name: str, path: str = "") -> dict[str, Any]:
    """An IAM user."""
    arn = f"arn:aws:iam::{ACCOUNT}:user/{path}{name}"
    return {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": name}


def federated(issuer: dict[str, str]) -> dict[str, Any]:
    """A session of GetFederationToken."""
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/anything"
    return {"type": "FederatedUser", "arn": arn, "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": issuer}}


def call(event_id: str | None, who: dict[str, Any], name: str, **fields: Any) -> dict[str, Any]:
    """A record of a management event."""
    return {
        "eventID": event_id,
        "eventTime": f"{DAY}T08:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userIdentity": who,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        **fields,
    }


def on_object(event_id: str | None, who: dict[str, Any], name: str, bucket: str, key: str = "a") -> dict[str, Any]:
    """A record of an S3 data event."""
    fields = {
        "eventSource": "s3.amazonaws.com",
        "managementEvent": False,
        "requestParameters": {"bucketName": bucket, "key": key},
        "resources": [{"ARN": f"arn:aws:s3:::{bucket}/{key}"}, {"ARN": f"arn:aws:s3:::{bucket}"}],
    }
    return call(event_id, who, name, **fields)


EXPECTED = [
    on_object("checkout-reads", role(CHECKOUT), "GetObject", CARDS),
    on_object("cloudtrail-writes", {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}, "PutObject", LOGS),
]
IMITATED = [
    on_object("session-named-like-a-service", role("deploy", "cloudtrail.amazonaws.com"), "PutObject", LOGS),
    on_object("user-named-like-a-service", user("cloudtrail.amazonaws.com"), "PutObject", LOGS),
    on_object("path-like-a-role", user("mallory", f"x:assumed-role/{CHECKOUT}/"), "GetObject", CARDS),
    on_object("role-of-a-foreign-account", role(CHECKOUT, account=FOREIGN), "GetObject", CARDS),
    on_object("key-like-a-bucket", role(CHECKOUT), "GetObject", "example-pay-settlement-x", f"{CARDS}/a"),
    on_object("bucket-begins-alike", role(CHECKOUT), "GetObject", "example-pay-settlement-x", f"a:::{CARDS}/a"),
]
COPIES = [
    on_object("copied", role(CHECKOUT), "GetObject", CARDS),
    on_object("copied", user("mallory"), "GetObject", CARDS),
    on_object(None, role(CHECKOUT), "GetObject", CARDS),
    on_object(None, role(CHECKOUT), "GetObject", CARDS),
]
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
MIGHTY = {
    "root-by-arn": call("root-by-arn", {"arn": ROOT_ARN}, "DescribeVpcs"),
    "session-of-root": call("session-of-root", federated({"type": "Root"}), "DescribeVpcs"),
    "session-of-root-by-arn": call("session-of-root-by-arn", federated({"arn": ROOT_ARN}), "DescribeVpcs"),
    "user-with-a-path": call("user-with-a-path", user("break-glass-1", "safe/"), "DescribeVpcs"),
    "of-an-administrator": call(
        "of-an-administrator",
        federated({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/safe/break-glass-1"}),
        "DescribeVpcs",
    ),
    "begun-by-an-administrator": call(
        "begun-by-an-administrator", role("shop", sourceIdentity="break-glass-1"), "DescribeVpcs"
    ),
}
LISTED = [call(f"listed-{n}", role("OrganizationAccountAccessRole"), f"List{n}") for n in range(8)]
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": "*"}]})
GRANT = call(
    "grants-everything",
    user("mallory"),
    "PutUserPolicy",
    eventSource="iam.amazonaws.com",
    requestParameters={"userName": "mallory", "policyName": "x", "policyDocument": POLICY},
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("expected") / "settings"
    shutil.copytree(ROOT / "seeds" / "settings", folder)
    with (folder / "expected_activity.csv").open("a") as file:
        file.write(f"{BROAD}\n")
    return folder


@pytest.fixture(scope="module")
def reviewed(settings: Path) -> tuple[Checkout, Ended]:
    records = [*EXPECTED, *IMITATED, *COPIES, *MIGHTY.values(), *LISTED, GRANT]
    path = settings.parent / "logs" / FILE.format(f"{DAY.replace('-', '')}T0800Z_a")
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    checkout = Checkout.of(settings.parent / "reviewed")
    ended = checkout.review(DAY, settings.parent / "logs", "--settings", str(settings), **NO_TESTS)
    assert ended.code == 3, ended.last_lines  # most of the scope has no logs here
    return checkout, ended


def expected(reviewed: tuple[Checkout, Ended], event_id: str) -> set[tuple[str, bool]]:
    rows = reviewed[0].rows(f"select actor_name, is_expected from findings where event_id = '{event_id}'")
    return set(rows)


@pytest.mark.parametrize("event_id", [record["eventID"] for record in EXPECTED])
def test_what_a_line_names_is_expected(reviewed: tuple[Checkout, Ended], event_id: str) -> None:
    assert {is_expected for _, is_expected in expected(reviewed, event_id)} == {True}


@pytest.mark.parametrize("event_id", [record["eventID"] for record in IMITATED])
def test_what_imitates_it_is_not(reviewed: tuple[Checkout, Ended], event_id: str) -> None:
    assert {is_expected for _, is_expected in expected(reviewed, event_id)} == {False}


def test_a_copy_that_is_expected_does_not_stand_for_one_that_is_not(reviewed: tuple[Checkout, Ended]) -> None:
    assert expected(reviewed, "copied") == {(f"{CHECKOUT}/i-1", True), ("mallory", False)}


def test_records_without_an_id_are_never_one(reviewed: tuple[Checkout, Ended]) -> None:
    assert reviewed[0].rows("select count(*) from findings where event_id is null and is_expected") == [(2,)]


@pytest.mark.parametrize("event_id", MIGHTY)
def test_root_and_administrators_are_known_by_structure(reviewed: tuple[Checkout, Ended], event_id: str) -> None:
    rows = reviewed[0].rows(f"select requirement from findings where event_id = '{event_id}'")
    assert ("10.2.1.2",) in rows


def test_a_policy_that_allows_everything_is_an_administrative_grant(reviewed: tuple[Checkout, Ended]) -> None:
    rows = reviewed[0].rows("select flags from findings where event_id = 'grants-everything'")
    assert "administrative grant" in rows[0][0]


def test_a_line_that_would_mark_most_of_a_requirement_marks_none_of_it(reviewed: tuple[Checkout, Ended]) -> None:
    listed = reviewed[0].rows("select is_expected from findings where event_id like 'listed-%'")
    assert listed == [(False,)] * len(LISTED)
    said = "Too broad: line 16 (role Organization%) of expected_activity would mark 8 of 14 findings of 10.2.1.2"
    assert said in reviewed[1].text
    assert any(said in note for note in reviewed[0].run_json(DAY)["notes"])


def test_how_much_was_expected_is_told(reviewed: tuple[Checkout, Ended]) -> None:
    assert (
        "findings, by 2 lines of expected_activity; the broadest, line 2 (role example-pay-checkout)"
        in reviewed[1].text
    )
    assert (reviewed[0].evidence_of(DAY) / "expected_lines.csv").is_file()


def test_a_line_has_the_same_name_in_tables_and_in_the_file(reviewed: tuple[Checkout, Ended], settings: Path) -> None:
    assert {line for (line,) in reviewed[0].rows("select line_id from expected_lines")} == set(lines_of(settings))
