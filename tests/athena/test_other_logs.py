"""Logs that are no samples, published and generated ones, in one day: both targets leave the same rows of them."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.athena.conftest import DAY
from tests.athena.generated_events import SPECIAL_TEXTS, generated_records
from tests.athena.on_athena import RELATIONS, OnAthena, Row, differences, local_rows
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended
from tests.local_athena.service import LocalAthena

REAL_LOGS = ROOT.parent / "shared" / "real_logs"
ORGANIZATION = "o-a1b2c3d4e5"
PREFIX = "security/trail AWSLogs"
FOLDER = f"AWSLogs/{ORGANIZATION}/{{account}}/CloudTrail/{{region}}/{DAY.replace('-', '/')}"
GENERATED = FOLDER.format(account="111122223333", region="us-east-1") + "/111122223333_CloudTrail_us-east-1_{}.json.gz"
PARTS = ("first", "second")
NETWORK = "CloudTrail-NetworkActivity"
ODD: list[dict[str, Any]] = [
    {"eventID": "insight", "eventCategory": "Insight", "eventTime": f"{DAY}T08:00:00Z"},
    {"eventID": "year-0", "eventName": "CreateUser", "eventTime": "0000-01-01T00:00:00Z"},
    {"eventID": "before-the-epoch", "eventName": "CreateUser", "eventTime": "-026-03-10T10:00:00Z"},
    {"eventID": "blanks", "eventName": "CreateUser", "eventTime": "2026-03- 1T10:00:00Z"},
    {"eventid": "lower-case", "eventname": "GetObject", "eventsource": "s3.amazonaws.com",
     "eventtime": f"{DAY}T08:00:00Z", "resources": [{"arnprefix": "arn:aws:s3:::lower-case-store/"}]},
]  # fmt: skip
# What the published logs are asked beyond what the shipped settings ask.
MORE_SETTINGS = {
    "cardholder_data_stores": [
        "s3.amazonaws.com,%-%,a test",
        "secretsmanager.amazonaws.com,%stratus%,a test",
        "athena.amazonaws.com,%card%,a test",
    ],
    "audit_log_stores": ["s3.amazonaws.com,%trail%,a test", "cloudtrail.amazonaws.com,%a%,a test"],
    "administrators": ["user,any account in scope,%admi%,a test", "role,any account in scope,%Admin%,a test"],
    "expected_activity": [
        "10.2.1.%,role,any account in scope,stra%,,%,Describe%,%,Seen,me@example.com,2026-01-01,2027-01-01",
        "10.2.1.%,user,any account in scope,user%,,%,Get%,%,Seen,me@example.com,2026-01-01,2027-01-01",
        "10.2.1.%,user,111122223333,ada,198.51.100.0/25 2001:db8::/32,%,Get%,%,Seen,me,2026-01-01,2027-01-01",
    ],
}


@dataclass(frozen=True)
class OnBoth:
    """The day, reviewed on both targets; `rows` has each relation's rows, local first."""

    on_athena: OnAthena
    local: Ended
    athena: Ended
    rows: dict[str, tuple[list[Row], list[Row]]]


def lay_generated(logs: Path) -> None:
    """Generated events in two files; the last third of the first stands in the second one, too: delivered twice."""
    records = generated_records()
    third = len(records) // 3
    for name, part in zip(PARTS, (records[: 2 * third], records[third:]), strict=True):
        path = logs / GENERATED.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(('{"Records":[' + ",".join(part) + "]}").encode()))


def lay_odd(logs: Path) -> None:
    """What an engine may trip over, in a file of its own."""
    common = {"eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1", "recipientAccountId": "111122223333"}
    records = [(common if "eventID" in record else {}) | record for record in ODD]
    (logs / GENERATED.format("odd")).write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))


def lay_network_activity(logs: Path) -> None:
    """Calls through a VPC endpoint, one of them refused, in a folder of their own."""
    folder = logs / FOLDER.format(account="111122223333", region="us-east-1").replace("/CloudTrail/", f"/{NETWORK}/")
    common = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "eventCategory": "NetworkActivity",
              "eventType": "AwsVpceEvent", "eventTime": f"{DAY}T08:00:00Z", "awsRegion": "us-east-1"}  # fmt: skip
    records = [
        common | {"eventID": "endpoint-refused", "errorCode": "VpceAccessDenied"},
        common | {"eventID": "endpoint-reached", "resources": [{"ARN": "arn:aws:s3:::a-store/1"}]},
    ]
    folder.mkdir(parents=True)
    name = f"111122223333_{NETWORK}_us-east-1_20260310T1000Z_a.json.gz"
    (folder / name).write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))


def lay_published(logs: Path) -> None:
    """All published logs at hand, in the folders of one day."""
    for path in sorted(REAL_LOGS.glob("*/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz")):
        account, region = path.parts[-7], path.parts[-5]
        # one publisher blotted its folders out; its odd events are worth reading
        account = account if account.isdecimal() and len(account) == 12 else "999999999999"
        region = region if region != "-" else "eu-central-1"
        folder = logs / FOLDER.format(account=account, region=region)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "-".join([path.parts[-9], *path.parts[-4:]])).write_bytes(path.read_bytes())


def lay_settings(checkout: Checkout, logs: Path, settings: Path) -> None:
    """The settings that `init` writes for the logs, with MORE_SETTINGS."""
    begun = checkout.run("init", "--logs", str(logs), "--settings", str(settings))
    assert begun.code == 0, begun.last_lines
    for name, lines in MORE_SETTINGS.items():
        shutil.copy(ROOT / "seeds" / "settings" / f"{name}.csv", settings)
        with (settings / f"{name}.csv").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)


@pytest.fixture(scope="module")
def reviewed(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> OnBoth:
    """Both kinds of logs, delivered to an organization's trail below a prefix, reviewed on both targets."""
    home = tmp_path_factory.mktemp("other")
    logs, settings = home / "logs", home / "settings"
    lay_generated(logs)
    lay_odd(logs)
    lay_network_activity(logs)
    lay_published(logs)
    on_athena, on_local = OnAthena.new(local_athena, home / "on-athena"), Checkout.of(home / "on-local")
    local_athena.upload(logs, on_athena.place.log_bucket, PREFIX)
    lay_settings(on_local, logs, settings)
    arguments = ("--run-date", DAY, "--settings", str(settings))
    local = on_local.run("run", *arguments, "--logs", str(logs), **NO_TESTS)
    place = ("--logs", f"{on_athena.place.logs}/{PREFIX}")
    athena = on_athena.interrupted(
        "never", "run", *arguments, *place, **NO_TESTS, PCI_LOG_REVIEW_ORGANIZATION_ID=ORGANIZATION
    )
    assert 1 not in (local.code, athena.code), local.last_lines + athena.last_lines
    rows = {relation: (local_rows(on_local, relation), on_athena.rows(relation)) for relation in RELATIONS}
    return OnBoth(on_athena, local, athena, rows)


@pytest.mark.parametrize("relation", RELATIONS)
def test_both_targets_leave_the_same_rows(reviewed: OnBoth, relation: str) -> None:
    told = differences(*reviewed.rows[relation], relation)
    assert not told, "\n".join(told[:12])


def test_both_targets_end_alike(reviewed: OnBoth) -> None:
    assert reviewed.local.code == reviewed.athena.code, reviewed.athena.last_lines


def test_an_insight_record_among_log_records_is_named_on_both(reviewed: OnBoth) -> None:
    for rows in reviewed.rows["log_files"]:
        (problem,) = [row["problem"] for row in rows if (row["log_file"] or "").endswith("_odd.json.gz")]
        assert problem == "1 of its 5 records are Insight events, which are no calls"


def test_network_activity_is_reviewed_on_both(reviewed: OnBoth) -> None:
    for events, model in (
        ({"endpoint-refused"}, "pci_10_2_1_4_invalid_access_attempts"),
        ({"endpoint-refused", "endpoint-reached"}, "pci_10_2_1_1_cardholder_data_access"),
    ):
        for rows in reviewed.rows[model]:
            assert {row["event_id"] for row in rows if f"/{NETWORK}/" in (row["log_file"] or "")} == events
    for rows in reviewed.rows["log_files"]:
        assert [str(row["events"]) for row in rows if row["kind"] == "network-activity"] == ["2"]


def test_a_time_that_no_clock_shows_is_an_incomplete_record_on_both(reviewed: OnBoth) -> None:
    for rows in reviewed.rows["pci_10_2_2_incomplete_records"]:
        assert {"year-0", "before-the-epoch", "blanks"} <= {row["event_id"] for row in rows}


@pytest.mark.skipif(not REAL_LOGS.is_dir(), reason="needs ../shared/real_logs, which is not here")
def test_the_published_logs_are_among_them(reviewed: OnBoth) -> None:
    found = [row for row in reviewed.rows["findings"][1] if "111122223333" not in (row["log_file"] or "")]
    assert len(found) > 300


def test_odd_events_reach_every_requirement(reviewed: OnBoth) -> None:
    odd = [row for row in reviewed.rows["findings"][1] if (row["log_file"] or "") in map(GENERATED.format, PARTS)]
    assert len({row["requirement"] for row in odd}) == 10
    text = "".join(map(str, odd))
    assert all(repr(special)[1:-1] in text for special in SPECIAL_TEXTS)


def test_an_organizations_trail_below_a_prefix_is_read(reviewed: OnBoth) -> None:
    on_athena = reviewed.on_athena
    root = f"s3://{on_athena.place.log_bucket}/{PREFIX}/AWSLogs/{ORGANIZATION}/"
    glue = on_athena.service.glue
    table = glue.get_table(DatabaseName=on_athena.place.database, Name="cloudtrail_logs")["Table"]
    assert table["StorageDescriptor"]["Location"].rstrip("/") == root.rstrip("/")
    events = {row["log_file"]: int(row["events"] or 0) for row in reviewed.rows["log_files"][1]}
    assert all(name and name.startswith(f"AWSLogs/{ORGANIZATION}/") for name in events)
    assert all(events[GENERATED.format(part)] > 100 for part in PARTS)
