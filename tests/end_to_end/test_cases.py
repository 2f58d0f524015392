"""Small logs that went wrong once, each with what has to come of it."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended, settings_without_digests
from tests.reader.native_logs import Event, event, folder_of, put, put_log

CASES = ROOT.parent / "shared" / "cases"
DAY = "2026-03-10"
# They are reviewed together, with the stores of all of them.
TOGETHER = ("01-root-federated-session", "02-athena-query-omitted", "04-secret-arn-suffix",
            "08-network-activity-folder", "09-no-event-id")  # fmt: skip
NETWORK_ACTIVITY = "111122223333_CloudTrail-NetworkActivity_us-east-1_20260310T1000Z_a.json.gz"

needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases, which is not here")


@dataclass(frozen=True)
class Together:
    """The day on which all of them were delivered, after its review."""

    checkout: Checkout
    ended: Ended

    def rows(self, columns: str, relation: str, file: str) -> list[tuple[Any, ...]]:
        """Columns of the rows of a relation whose log file has this in its name."""
        return self.checkout.rows(f"select {columns} from {relation} where contains(log_file, '{file}') order by all")


def through_endpoint(event_id: str, **changes: Any) -> Event:
    """A call as network activity has it: without a request, and with its target only if it was reached."""
    return event(eventID=event_id, eventType="AwsVpceEvent", eventCategory="NetworkActivity", managementEvent=True,
                 vpcEndpointId="vpce-1", requestParameters=None) | changes  # fmt: skip


def lay_network_activity(logs: Path) -> None:
    elsewhere = [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::other/1.csv"}]
    denied = {"errorCode": "VpceAccessDenied", "errorMessage": "The request was denied due to a VPC endpoint policy"}
    records = [
        through_endpoint("reached"),
        through_endpoint("refused", **denied, resources=elsewhere),
        through_endpoint("elsewhere", resources=elsewhere),
        through_endpoint("not told", resources=None),
    ]
    put_log(logs, NETWORK_ACTIVITY, records, folder_of(kind="CloudTrail-NetworkActivity"))
    put(logs, f"{folder_of(kind='CloudTrail-Aggregated')}/aggregated.json.gz", gzip.compress(json.dumps({}).encode()))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Together:
    home = tmp_path_factory.mktemp("cases")
    logs, settings = home / "logs", settings_without_digests(home / "settings")
    lay_network_activity(logs)
    stores = {("s3.amazonaws.com", "cards"), ("s3.amazonaws.com", "untouched-bucket")}
    for case in TOGETHER if CASES.is_dir() else ():
        for path in (CASES / case / "logs").rglob("*.json.gz"):
            folder = logs / path.parent.relative_to(CASES / case / "logs")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / f"{case}_{path.name}")
        with (CASES / case / "settings" / "cardholder_data_stores.csv").open(newline="") as file:
            stores |= {(line["event_source"], line["name"]) for line in csv.DictReader(file)}
    lines = ["event_source,name,description", *(f"{source},{name},x" for source, name in sorted(stores))]
    (settings / "cardholder_data_stores.csv").write_text("\n".join(lines) + "\n")
    scope = "account_id,account_name,region,in_cde,logs_expected\n111122223333,,us-east-1,true,daily\n"
    (settings / "trail_scope.csv").write_text(scope)
    checkout = Checkout.of(home)
    return Together(checkout, checkout.review(DAY, logs, "--settings", str(settings), **NO_TESTS))


def test_network_activity_is_reviewed_for_what_was_refused_and_for_listed_stores(together: Together) -> None:
    refused = together.rows("event_id, outcome", "pci_10_2_1_4_invalid_access_attempts", NETWORK_ACTIVITY)
    assert refused == [("refused", "denied")]
    found = together.rows("event_id, store, flags", "pci_10_2_1_1_cardholder_data_access", NETWORK_ACTIVITY)
    assert found == [
        ("not told", None, "network activity, target not recorded"),
        ("reached", "cards", "network activity"),
    ]
    assert together.rows("kind, events, problem", "log_files", NETWORK_ACTIVITY) == [("network-activity", 4, None)]


def test_aggregated_events_are_named_as_not_reviewed_and_why(together: Together) -> None:
    [(problem,)] = together.rows("problem", "log_files", "aggregated.json.gz")
    assert problem.startswith("holds aggregated events")
    assert problem.endswith("so it was not reviewed")
    assert f"CloudTrail-Aggregated/ {problem} (1 files)" in together.checkout.run_json(DAY)["notes"]


def test_listed_stores_that_nothing_touched_stand_in_a_note(together: Together) -> None:
    [note] = [it for it in together.checkout.run_json(DAY)["notes"] if it.startswith("Nothing touched")]
    assert note.endswith("? untouched-bucket") or ", untouched-bucket" in note
    assert " cards," not in note


@needs_cases
def test_a_session_that_root_issued_is_administrative(together: Together) -> None:
    found = together.rows("right(event_id, 4)", "pci_10_2_1_2_administrative_actions", "01-root-federated-session")
    assert found == [("0001",), ("0002",), ("0003",)]


@needs_cases
def test_queries_that_cloudtrail_hides_are_findings_whose_target_is_not_recorded(together: Together) -> None:
    listed, unknown = ["0001", "0002", "0005"], ["0003", "0004", "0015"]
    found = together.rows("right(event_id, 4), store", "pci_10_2_1_1_cardholder_data_access", "02-athena-query-omitted")
    assert found == sorted([*((id_, "holder_table") for id_ in listed), *((id_, None) for id_ in unknown)])


@needs_cases
def test_a_secret_is_found_by_its_name_and_its_arn(together: Together) -> None:
    found = together.rows("right(event_id, 4), store", "pci_10_2_1_1_cardholder_data_access", "04-secret-arn-suffix")
    assert found == [(id_, "payment-db") for id_ in ("0013", "0014", "0015")]


@needs_cases
def test_a_call_that_an_endpoint_refused_is_an_invalid_access_attempt(together: Together) -> None:
    case = "08-network-activity-folder"
    found = together.rows("right(event_id, 4), error_code", "pci_10_2_1_4_invalid_access_attempts", case)
    assert found == [("0960", "VpceAccessDenied")]
    assert together.rows("kind, events, problem", "log_files", case) == [
        ("log", 1, None),
        ("network-activity", 1, None),
    ]


@needs_cases
def test_what_has_no_event_id_is_never_folded(together: Together) -> None:
    found = together.rows("actor_name", "pci_10_2_1_6_audit_log_changes", "09-no-event-id")
    assert found == [("ada",), ("eve",)]


@needs_cases
def test_a_store_that_can_match_nothing_is_refused(tmp_path: Path) -> None:
    folder = CASES / "06-store-with-star-or-prefix"
    ended = Checkout.of(tmp_path).review(DAY, folder / "logs", "--settings", str(folder / "settings"))
    assert ended.code == 2
    assert ended.text.count("a store is a whole bucket; write example-card-bucket") == 2
