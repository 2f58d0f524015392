"""The template: its policies are the files', its wiring is right, and its alarms count what the review writes."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from datetime import date
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from tests.deploy.template import OF_THE_REVIEW, POLICIES, TEMPLATE, policies_of, template, variables

from pci_log_review import cli
from pci_log_review.console.reporter import JsonReporter
from pci_log_review.evidence.manifest import Conclusion, State
from pci_log_review.review.day import Reviewed
from pci_log_review.review.run import Outcome

# moto's CloudFormation passes over what it does not know
pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")
TEMPLATE_CONTENT = template()
RESOURCES: dict[str, Any] = TEMPLATE_CONTENT["Resources"]
ROLES = {name: resource for name, resource in RESOURCES.items() if resource["Type"] == "AWS::IAM::Role"}


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


# -- policies


def test_the_roles_have_the_policies_of_the_files_and_no_others() -> None:
    in_files = {file.stem: json.loads(file.read_text()) for file in POLICIES.glob("*.json")}
    assert {name: policy for role in ROLES.values() for name, policy in policies_of(role).items()} == in_files
    assert policies_of(ROLES["ReviewRole"]).keys() == set(OF_THE_REVIEW)
    assert not [role for role in ROLES.values() if "ManagedPolicyArns" in role["Properties"]]


def test_nothing_may_write_to_the_log_bucket() -> None:
    for file in POLICIES.glob("*.json"):
        for statement in json.loads(file.read_text())["Statement"]:
            text = json.dumps(statement["Resource"])
            if statement["Effect"] == "Allow" and ("LogBucket" in text or ":s3:::*" in text):
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                assert {action.split(":")[1][:3] for action in actions} <= {"Get", "Lis"}, statement["Sid"]


def test_every_resource_of_a_policy_is_one_of_the_stack_or_a_parameter() -> None:
    known = TEMPLATE_CONTENT["Parameters"].keys() | RESOURCES.keys()
    for file in POLICIES.glob("*.json"):
        used = {name.split(".")[0] for name in variables(file.read_text()) if not name.startswith("AWS::")}
        assert used <= known, file.name


# -- the stack


PARAMETERS = {
    "LogBucket": "example-pay-cloudtrail-logs",
    "LogKeyArn": "arn:aws:kms:us-east-1:123456789012:key/logs",
    "FirstDay": "2026-03-09",
    "ImageDigest": f"sha256:{'0' * 64}",
    "MailAddress": "security@example.com",
}


@pytest.fixture(scope="module")
def stack() -> Any:
    """The resources of the stack that moto creates, by logical id, and clients of it."""
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        ec2 = session.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        given = PARAMETERS | {"VpcId": vpc, "SubnetIds": subnet}
        cloudformation = session.client("cloudformation")
        cloudformation.create_stack(
            StackName="pci-log-review",
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        found = cloudformation.list_stack_resources(StackName="pci-log-review")["StackResourceSummaries"]
        yield session, {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in found}


def test_moto_creates_the_stack(stack: Any) -> None:
    _, created = stack
    assert {"EvidenceBucket", "TablesBucket", "ResultsBucket", "ReviewRole", "LogGroup", "Topic"} <= created.keys()


@pytest.mark.parametrize("bucket", ["EvidenceBucket", "TablesBucket", "ResultsBucket", "SettingsBucket"])
def test_a_bucket_is_private_encrypted_versioned_and_reached_by_tls_alone(bucket: str) -> None:
    assert set(properties(bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert properties(bucket)["VersioningConfiguration"] == {"Status": "Enabled"}
    [policy] = (resource for resource in RESOURCES.values() if resource["Type"] == "AWS::S3::BucketPolicy"
                and resource["Properties"]["Bucket"] == {"Ref": bucket})  # fmt: skip
    [statement] = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": [bucket, "Arn"]}, {"Fn::Sub": f"${{{bucket}.Arn}}/*"}]


def test_evidence_can_be_locked_and_stays_when_the_stack_goes() -> None:
    assert properties("EvidenceBucket")["ObjectLockEnabled"] is True
    kept = {name for name, resource in RESOURCES.items() if resource.get("DeletionPolicy") == "Retain"}
    assert {"EvidenceBucket", "TablesBucket", "SettingsBucket", "Key", "LogGroup"} <= kept
    rules = properties("EvidenceBucket")["LifecycleConfiguration"]["Rules"]
    assert not [rule for rule in rules if "ExpirationInDays" in rule or "Transitions" in rule]


def test_the_schedule_starts_this_task_with_this_role(stack: Any) -> None:
    session, created = stack
    target = properties("Schedule")["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["Cluster", "Arn"]}
    assert target["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
    assert target["EcsParameters"]["TaskDefinitionArn"] == {"Ref": "TaskDefinition"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    policy = session.client("iam").get_role_policy(RoleName=created["ScheduleRole"], PolicyName="schedule")
    document = policy["PolicyDocument"]
    run, give, _ = (yaml.safe_load(document) if isinstance(document, str) else document)["Statement"]
    task = properties("TaskDefinition")
    given = [task["TaskRoleArn"], task["ExecutionRoleArn"]]
    assert given == [{"Fn::GetAtt": ["ReviewRole", "Arn"]}, {"Fn::GetAtt": ["StartRole", "Arn"]}]
    iam = session.client("iam")
    arns = [iam.get_role(RoleName=created[role])["Role"]["Arn"] for role in ("ReviewRole", "StartRole")]
    assert run["Resource"] == created["TaskDefinition"]
    assert give["Resource"] == arns
    assert give["Condition"]["StringEquals"] == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def test_the_task_writes_nothing_but_scratch_and_reads_its_options_from_the_environment() -> None:
    [container] = properties("TaskDefinition")["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]  # noqa: S108
    options = {str(option.envvar) for option in cli.run.params if getattr(option, "envvar", None)}
    options |= set(re.findall(r"PCI_LOG_REVIEW_\w+", (POLICIES.parents[1] / "profiles.example.yml").read_text()))
    options |= {"PCI_LOG_REVIEW_ORGANIZATION_ID"}  # of the dbt project
    named = {variable["Name"] for variable in container["Environment"]} - {"AWS_REGION"}
    assert named <= options


def test_a_stack_without_a_key_of_the_logs_has_no_policy_for_one(stack: Any) -> None:
    session, created = stack
    names = session.client("iam").list_role_policies(RoleName=created["ReviewRole"])["PolicyNames"]
    assert "logs-key" in names
    [entry] = (policy for policy in properties("ReviewRole")["Policies"] if "HasLogKey" in policy.get("Fn::If", []))
    assert entry["Fn::If"][2] == {"Ref": "AWS::NoValue"}
    assert TEMPLATE_CONTENT["Conditions"]["HasLogKey"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "LogKeyArn"}, ""]}]}


# -- alarms


def counted(name: str, lines: list[dict[str, Any]]) -> int:
    """How many lines a metric filter of the template counts: its pattern is of comparisons, && and || alone."""
    pattern = properties(name)["FilterPattern"]
    assert re.fullmatch(r'\{(\s*(\$\.\w+ = ("\w+"|\d+)|&&|\|\||[()])\s*)+\}', pattern)
    expression = re.sub(r"\$\.(\w+) = ", r'line.get("\1") == ', pattern.strip("{} "))
    expression = expression.replace("&&", "and").replace("||", "or")
    return sum(bool(eval(expression, {"line": line})) for line in lines)  # noqa: S307  # checked above


def written(*ends: tuple[str, Any]) -> list[dict[str, Any]]:
    """The lines of the JSON reporter's methods."""
    out = io.StringIO()
    with redirect_stdout(out):
        for method, argument in ends:
            getattr(JsonReporter(), method)(argument)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_run_is_counted_complete_only_if_every_due_day_is() -> None:
    assert counted("CompleteRuns", written(("ended", Outcome([], 0, [])))) == 1
    not_as_sealed = written(("ended", Outcome([], 0, ["evidence: not as it was sealed"])))
    assert counted("CompleteRuns", not_as_sealed) == 0
    assert counted("CompleteRuns", written(("failed", "x"))) == 0


@pytest.mark.parametrize(
    ("state", "failed", "incomplete"), [(State.FAILED, 1, 0), (State.INCOMPLETE, 0, 1), (State.COMPLETE, 0, 0)]
)
def test_a_day_is_counted_as_it_ended(state: State, failed: int, incomplete: int) -> None:
    day = Reviewed(Conclusion(date(2026, 3, 10), state, [], "", {}, {}), "evidence", "ab" * 32)
    lines = written(("reviewed", day), ("ended", Outcome([day], 0, [])))
    assert counted("FailedRuns", lines) == failed
    assert counted("IncompleteDays", lines) == incomplete
    assert counted("CompleteRuns", lines) == (state is State.COMPLETE)


def test_a_run_that_could_not_begin_is_counted_as_failed() -> None:
    assert counted("FailedRuns", written(("failed", "no logs"))) == 1


@pytest.mark.parametrize(
    ("alarm", "metric"),
    [("NoCompleteReview", "CompleteRuns"), ("RunFailed", "FailedRuns"), ("DayIncomplete", "IncompleteDays")],
)
def test_an_alarm_watches_its_metric_and_tells_the_topic(alarm: str, metric: str) -> None:
    [transformation] = properties(metric)["MetricTransformations"]
    assert properties(alarm)["MetricName"] == transformation["MetricName"]
    assert properties(alarm)["Namespace"] == transformation["MetricNamespace"]
    assert properties(alarm)["AlarmActions"] == [{"Ref": "Topic"}]


def test_a_day_without_any_run_rings() -> None:
    alarm = properties("NoCompleteReview")
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    # a run that began at 04:00 and ended before 05:00 is missed the day after before 08:00
    assert alarm["Period"] * alarm["EvaluationPeriods"] == (24 + 8 - 5) * 3600
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    assert "DefaultValue" not in properties("CompleteRuns")["MetricTransformations"][0]
