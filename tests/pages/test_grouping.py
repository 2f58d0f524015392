"""A day's findings fold into few lines, of which the gravest comes first, and none is lost."""

from __future__ import annotations

from itertools import permutations

import pytest

from pci_log_review.pages.folding import Row, actor_of, resource_kind
from pci_log_review.pages.gravity import Gravity, gravity_of, meant_of
from pci_log_review.pages.grouping import Grouped, group
from pci_log_review.pages.sentences import mfa, sentence, whole_sentence

from .findings import finding


def texts(grouped: Grouped) -> list[str]:
    return [line.text for line in grouped.lines()]


def test_calls_alike_are_one_line_whatever_the_session_and_the_ids() -> None:
    role = {"principal_kind": "role", "principal_name": "deploy", "event_name": "GetPasswordData", "title": ""}
    rows = [
        finding(**role, actor_name=f"deploy/session-{n}", resource=f"i-0{n}23456789abcdef0", source_ip=f"192.0.2.{n}")
        for n in range(9)
    ]
    [headline] = group({"10.2.1.4": rows}).headlines["10.2.1.4"]
    [line] = headline.lines
    assert (line.count, line.text) == (9, "role deploy got password data on i-…")
    assert len(line.origins) == len(line.resources) == len(line.rows) == 9


@pytest.mark.parametrize(
    "field",
    [
        {"outcome": "denied"},
        {"error_code": "AccessDenied"},
        {"event_name": "CreateRole"},
        {"event_source": "sso.amazonaws.com"},
        {"principal_name": "another"},
        {"principal_account_id": "444455556666"},
        {"principal_kind": "role"},
        {"is_expected": "true"},
        {"flags": "elevation"},
        {"resource": "another"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_what_differs_for_a_reviewer_is_another_line(field: dict[str, str]) -> None:
    assert len(group({"10.2.1.5": [finding(), finding(**field)]}).lines()) == 2


def test_the_gravest_comes_first_in_any_order_of_the_rows() -> None:
    root = finding(principal_kind="root", flags="root", event_name="GetAccountSummary", title="Root user acted")
    rows = {
        "10.2.1.2": [root],
        "10.2.1.5": [
            finding(flags="elevation", title="Attach a policy to a user"),
            finding(title="Create an access key"),
            finding(title="Create a user", outcome="denied", error_code="AccessDenied"),
            finding(title="Delete a user", flags="elevation", is_expected="true"),
        ],
        "10.2.1.6": [finding(title="Stop a trail"), finding(title="Delete a trail", outcome="failure")],
        "10.4.1-network": [finding(title="Replace a network ACL rule", flags="opens to the world")],
        "10.2.1.1": [finding(title="Read an object", is_read_only="true", flags="data event") for _ in range(30)],
    }
    for order in permutations(rows):
        done = [text.removeprefix("user reporting ") for text in texts(group({name: rows[name] for name in order}))]
        assert done[:5] == [
            "root got account summary",
            "attached a policy to a user",
            "stopped a trail",
            "replaced a network ACL rule",
            "created an access key",
        ]
        assert set(done[5:7]) == {
            "tried to create a user, and was refused (AccessDenied)",
            "tried to delete a trail, and it failed",
        }
        assert done[7:] == ["read an object", "deleted a user"]


def test_an_event_is_read_once_where_it_is_unexpected_and_gravest_and_counted_elsewhere() -> None:
    event = finding(title="Administrator acted", flags="administrator", is_read_only="")
    as_credential = {**event, "title": "Attach a policy to a user", "flags": "elevation"}
    expected = {**event, "title": "Change a policy", "is_expected": "true"}
    grouped = group({"10.2.1.2": [event], "10.2.1.5": [as_credential], "10.2.1.7": [expected]})
    [line] = grouped.lines()
    assert (line.requirement, line.count, line.is_expected) == ("10.2.1.5", 1, False)
    assert dict(line.also) == {"10.2.1.2": 1, "10.2.1.7": 1}
    assert line.flags == {"elevation", "administrator"}
    assert grouped.elsewhere == {"10.2.1.2": {"10.2.1.5": 1}, "10.2.1.5": {}, "10.2.1.7": {"10.2.1.5": 1}}
    assert len(line.rows[0].also) == 2


def test_an_approval_under_a_requirement_where_the_event_is_not_read_is_counted_as_such() -> None:
    refused = finding(outcome="denied")
    expected = {**refused, "is_expected": "true"}
    grouped = group({"10.2.1.1": [expected, finding(is_expected="true")], "10.2.1.4": [refused]})
    assert grouped.elsewhere["10.2.1.1"] == grouped.expected_elsewhere["10.2.1.1"] == {"10.2.1.4": 1}
    assert grouped.expected_elsewhere["10.2.1.4"] == {}


PERSON = {"principal_kind": "permission set", "principal_name": "Admin"}


def test_a_permission_set_is_grouped_by_the_person_and_a_role_not_by_the_session_that_callers_name() -> None:
    people = [finding(**PERSON, actor_name=f"AWSReservedSSO_Admin_ab/{name}") for name in ("ada", "ada", "bob")]
    lines = group({"10.2.1.5": people}).lines()
    assert sorted((line.actor, line.count) for line in lines) == [
        ("permission set Admin (ada)", 2),
        ("permission set Admin (bob)", 1),
    ]
    role = {"principal_kind": "role", "principal_name": "deploy"}
    [line] = group({"10.2.1.5": [finding(**role, actor_name=f"deploy/{n}") for n in range(3)]}).lines()
    assert (line.actor, set(line.sessions)) == ("role deploy", {"0", "1", "2"})
    assert whole_sentence(line.rows[0].row).startswith("role deploy (session 0) created a user")


def test_among_calls_as_grave_what_deletes_comes_first_and_what_reads_last() -> None:
    root = {"principal_kind": "root", "principal_name": "root", "flags": "root", "title": "Root user acted"}
    rows = [
        finding(**root, event_name=name, is_read_only=str(name.startswith("Get")).lower())
        for name in ("GetUser", "PutContact", "DeleteBucketPolicy")
    ]
    for order in permutations(rows):
        assert texts(group({"10.2.1.2": order})) == [
            "root deleted bucket policy",
            "root put contact",
            "root got user",
        ]


@pytest.mark.parametrize(
    ("other", "is_named"),
    [
        ({}, True),
        ({"source_ip": "192.0.2.1"}, False),
        ({"event_time": "2026-03-10T09:01:00Z"}, False),
        ({"event_time": "2026-03-10T07:59:00Z"}, False),
        ({"event_time": "2026-03-10T08:01:00"}, False),
        ({"aws_account_id": "444455556666"}, False),
        ({"principal_kind": "user"}, False),
        ({"event_name": "ConsoleLogin"}, False),
    ],
)
def test_who_may_have_acted_as_root_is_named_where_account_address_and_hour_fit(
    other: dict[str, str], is_named: bool
) -> None:
    assumed = finding(
        **PERSON, event_name="AssumeRoot", title="Assume root in an account", actor_name="AWSReservedSSO_Admin_ab/ada",
        aws_account_id="999999999999", request_parameters='{"targetPrincipal":"arn:aws:iam::111122223333:root"}',
    )  # fmt: skip
    root = finding(**{"principal_kind": "root", "event_time": "2026-03-10T08:01:00Z", "event_name": "PutIt"} | other)
    [line] = group({"10.2.1.2": [root]} | {"10.2.1.5": [assumed]}).headlines["10.2.1.2"][0].lines
    assert ("perhaps through AssumeRoot of permission set Admin (ada) at 08:00:00" in line.text) is is_named
    for damaged in ("", "[]", '{"targetPrincipal":1}', "{"):
        [line] = (
            group({"10.2.1.2": [root], "10.2.1.5": [{**assumed, "request_parameters": damaged}]})
            .headlines["10.2.1.2"][0]
            .lines
        )
        assert "AssumeRoot" not in line.text


def test_an_event_that_one_requirement_does_not_expect_is_never_read_as_expected() -> None:
    event = finding(flags="administrator")
    graver: Row = {**event, "flags": "elevation", "is_expected": "true"}
    for order in (("10.2.1.2", "10.2.1.5"), ("10.2.1.5", "10.2.1.2")):
        [line] = group({name: [event if name == "10.2.1.2" else graver] for name in order}).lines()
        assert (line.requirement, line.is_expected) == ("10.2.1.2", False)


def test_records_without_an_event_id_are_never_taken_for_one_another() -> None:
    row = finding(event_id="")
    assert sum(line.count for line in group({"10.2.1.2": [row], "10.2.1.5": [row, row]}).lines()) == 3


def test_every_finding_is_in_one_line_or_counted_elsewhere() -> None:
    rows = [finding(resource=f"name-{n % 7}", outcome=["success", "denied", "failure", ""][n % 4]) for n in range(500)]
    grouped = group({"10.2.1.2": rows, "10.2.1.5": rows[::3]})
    counted = sum(line.count for line in grouped.lines())
    assert counted == 500
    assert sum(sum(others.values()) for others in grouped.elsewhere.values()) == len(rows[::3])


def test_a_person_is_not_ranked_low_because_a_service_acts_for_them() -> None:
    for_a_person = finding(actor_is_service="true", flags="elevation")
    by_aws = finding(actor_is_service="true", principal_kind="root", flags="root", event_name="RunInstances")
    assert gravity_of(meant_of("10.2.1.5", for_a_person), for_a_person) is Gravity.PRIVILEGE
    assert gravity_of(meant_of("10.2.1.2", by_aws), by_aws) is Gravity.SERVICE
    assert gravity_of(meant_of("10.2.1.6", by_aws), by_aws) is Gravity.LOGS


@pytest.mark.parametrize(
    ("flags", "gravity"),
    [
        ("sign-in, without MFA", Gravity.SIGN_IN),
        ("administrator role", Gravity.PRIVILEGE),
        ("may open to the world: prefix list not recorded", Gravity.WORLD),
        ("deleted", Gravity.DELETED),
        ("content", Gravity.CHANGED),
        ("a flag of a later version", Gravity.FLAGGED),
    ],
)
def test_a_flag_ranks_by_what_it_means_and_an_unknown_one_not_low(flags: str, gravity: Gravity) -> None:
    row = finding(flags=flags)
    assert gravity_of(meant_of("10.2.1.7", row), row) is gravity


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("i-0123456789abcdef0", "i-…"),
        ("arn:aws:s3:::bucket/a/b/c.csv", "arn:aws:s3:::bucket/…"),
        ("arn:aws:s3:::bucket-of-2026", "arn:aws:s3:::bucket-of-2026"),
        ("arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbC1x9", "…secret:db-…"),
        ("arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321", "…key/…"),
        ("stack-Role-1ABCDEFGH2JKL", "stack-Role-…"),
        ("settlement-export", "settlement-export"),
        ("Admins", "Admins"),
        ("", ""),
    ],
)
def test_ids_and_random_suffixes_are_folded_and_names_are_not(resource: str, kind: str) -> None:
    prefix = resource.partition(":111122223333:")[0] + ":111122223333:" if kind.startswith("…") else ""
    assert resource_kind(resource) == prefix + kind.removeprefix("…" if prefix else "")


def test_evidence_of_an_earlier_version_names_its_actor_all_the_same() -> None:
    assert actor_of({"actor_name": "deploy/session-1"}) == "deploy"
    assert actor_of({}) == "somebody unknown"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"event_name": "ConsoleLogin", "principal_kind": "root", "mfa_authenticated": "false"},
            "X signed in to the console on R, without MFA",
        ),
        (
            {"event_name": "ConsoleLogin", "principal_kind": "role", "mfa_authenticated": "false"},
            "X signed in to the console on R, MFA not recorded",
        ),
        ({"title": "", "event_name": "DeleteDBInstance"}, "X deleted DB instance on R"),
        ({"title": "", "event_name": "CreateFunction20150331"}, "X created function on R"),
        ({"title": "", "event_name": ""}, "X did something unnamed on R"),
        ({"title": "Stop it", "outcome": "denied", "error_code": "E"}, "X tried to stop it on R, and was refused (E)"),
        ({"title": "", "event_name": "LookupIt", "outcome": "failure"}, "X tried to look up it on R, and it failed"),
        ({"title": "Apply a tag", "principal_kind": "role", "mfa_authenticated": "false"}, "X applied a tag on R"),
    ],
)  # fmt: skip
def test_a_finding_is_a_sentence(fields: dict[str, str], said: str) -> None:
    assert sentence(finding(**fields), "X", "R") == said


@pytest.mark.parametrize(
    ("kind", "recorded", "said"),
    [
        ("user", "false", "no"),
        ("root", "false", "no"),
        ("user", "true", "yes"),
        ("role", "true", "yes"),
        ("role", "false", "not recorded"),
        ("permission set", "false", "not recorded"),
        ("user", "", "not recorded"),
    ],
)
def test_of_mfa_only_what_a_record_can_know_is_said(kind: str, recorded: str, said: str) -> None:
    assert mfa(finding(principal_kind=kind, mfa_authenticated=recorded)) == said
