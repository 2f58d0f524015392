"""The sample logs, reviewed by the wrapper on the embedded target as a user does."""

from __future__ import annotations

import csv
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from pyarrow import parquet
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended
from tests.pages.test_catalog import inline

DAY = "2026-03-10"
DAYS = ("2026-03-11", "2026-03-09", DAY)
SAMPLE = (ROOT / "sample_logs",)
REQUIREMENTS = 10
RELATIONS = "log_coverage", "daily_review", "findings"


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, dict[str, Ended]]:
    """The three sample days, reviewed in no particular order."""
    checkout = Checkout.of(tmp_path_factory.mktemp("reviewed"))
    return checkout, {day: checkout.review(day, *SAMPLE, **({} if day == DAY else NO_TESTS)) for day in DAYS}


@pytest.fixture
def goes_on(reviewed: tuple[Checkout, dict[str, Ended]], tmp_path: Path) -> Checkout:
    """A project of its own to break, with the tables of the days that were reviewed; no evidence of them."""
    checkout = Checkout.of(tmp_path, copied=True)
    shutil.copytree(reviewed[0].state, checkout.state)
    return checkout


def records_of(day: str) -> Iterator[dict[str, str]]:
    """The day's records in plain Python, as they lie in the files."""
    for path in sorted((ROOT / "sample_logs").glob(f"AWSLogs/*/CloudTrail/*/{day.replace('-', '/')}/*.json.gz")):
        yield from json.loads(gzip.decompress(path.read_bytes()))["Records"]


def test_the_sample_day_is_complete_and_every_requirement_has_findings(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    checkout, ended = reviewed
    assert ended["2026-03-10"].code == 0, ended["2026-03-10"].last_lines
    rows = checkout.rows("select requirement, result from daily_review where run_date = '2026-03-10'")
    assert len(rows) == REQUIREMENTS
    assert {result for _, result in rows} == {"findings"}
    assert ended["2026-03-10"].last_lines.endswith("The day is reviewed and complete.")


def test_the_table_shows_findings_and_tests_of_every_requirement(reviewed: tuple[Checkout, dict[str, Ended]]) -> None:
    checkout, ended = reviewed
    counts = checkout.rows(
        "select requirement, findings, expected_findings from daily_review where run_date = '2026-03-10'"
    )
    for requirement, findings, expected in counts:
        line = rf"│ {re.escape(requirement)} +│ .+ │ +{findings} │ +{expected} │ +(\d+)/(\d+) │"
        found = re.search(line, ended["2026-03-10"].text)
        assert found, f"{requirement}: no line with {findings} and {expected}"
        assert found[1] == found[2] != "0"
    events = sum(1 for _ in records_of("2026-03-10"))
    assert f"{events} events" in ended["2026-03-10"].text


@pytest.mark.parametrize("day", DAYS)
def test_the_catalogue_of_a_day_has_the_types_and_the_rows_of_that_run(
    reviewed: tuple[Checkout, dict[str, Ended]], day: str
) -> None:
    checkout, _ = reviewed
    _, catalog = inline(checkout.evidence_of(day) / "catalog.html")
    for relation in ("pci_10_2_1_6_audit_log_changes", "log_coverage", "log_files"):
        described = catalog["nodes"][f"model.pci_log_review.{relation}"]
        [(rows,)] = checkout.rows(f"select count(*) from {relation} where run_date = '{day}'")
        assert described["stats"]["row_count"]["value"] == rows
        assert rows > 0 or relation.startswith("pci_")
        assert described["columns"]["run_date"]["type"] == "DATE"
    names = {unique_id.rpartition(".")[2] for unique_id in catalog["nodes"]}
    assert names >= {"findings", "reviewed_events", "int_events_with_facts", "expected_activity"}


def test_each_finding_names_the_other_requirements_under_which_its_event_stands(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    found: dict[tuple[str, str], set[str]] = {}
    findings = [
        (path.stem, line)
        for path in (reviewed[0].evidence_of(DAY) / "findings").glob("*.csv")
        for line in csv.DictReader(path.open(encoding="utf-8", newline=""))
    ]
    for requirement, line in findings:
        found.setdefault((line["event_id"], line["log_file"]), set()).add(requirement)
    told = {(line["event_id"], requirement): line["other_requirements"] for requirement, line in findings}
    for requirement, line in findings:
        others = found[line["event_id"], line["log_file"]] - {requirement} if line["event_id"] else set()
        assert told[line["event_id"], requirement] == " ".join(sorted(others))
    assert max(len(others) for others in found.values()) > 2


def test_the_examples_in_the_catalogue_are_findings_of_the_sample_day(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    manifest, _ = inline(reviewed[0].evidence_of(DAY) / "catalog.html")
    models = {
        name: node for name, node in manifest["nodes"].items() if "requirement" in node["tags"] and "model." in name
    }
    assert len(models) == REQUIREMENTS
    for node in models.values():
        [example] = re.findall(
            r'\*\*An example\*\*, of the sample logs: "(.+?)"', " ".join(node["description"].split())
        )
        details = {
            detail for (detail,) in reviewed[0].rows(f"select detail from {node['name']} where run_date = '{DAY}'")
        }
        assert example in details, node["name"]


def test_a_region_without_the_logs_that_are_expected_makes_the_day_incomplete(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    checkout, ended = reviewed
    assert ended["2026-03-11"].code == 3
    gap = (
        "444455556666 eu-west-1: no logs, though trail_scope expects them daily; "
        "digests prove only 0 of 24 hours to have been quiet"
    )
    assert gap in ended["2026-03-11"].last_lines, ended["2026-03-11"].last_lines
    assert checkout.rows("select distinct is_complete from daily_review where run_date = '2026-03-11'") == [(False,)]


def test_a_region_without_logs_is_quiet_where_the_days_digests_say_so(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    checkout, _ = reviewed
    of_monday = checkout.rows(
        "select account_id, region, digest_files from log_coverage "
        "where run_date = '2026-03-09' and status = 'quiet, proved by digests'"
    )
    assert of_monday == [("111122223333", "ap-southeast-2", 24)]


def test_a_requirement_without_findings_says_so(reviewed: tuple[Checkout, dict[str, Ended]]) -> None:
    checkout, _ = reviewed
    quiet = checkout.rows(
        "select requirement from daily_review where run_date = '2026-03-09' and result = 'no findings' and findings = 0"
    )
    assert {("10.2.1.6",), ("10.2.2",), ("10.4.1-network",)} <= set(quiet)


def test_every_event_of_the_logs_is_in_staging_once_per_record(reviewed: tuple[Checkout, dict[str, Ended]]) -> None:
    checkout, _ = reviewed
    lake = checkout.state / "lake" / "logs"
    for day in DAYS:
        delivered = sorted(record.get("eventID") or "" for record in records_of(day))
        converted = checkout.rows(f"select coalesce(eventid, '') from '{lake}/run_date={day}/logs.parquet' order by 1")
        assert [event_id for (event_id,) in converted] == delivered


def test_the_pre_hook_does_not_read_again_what_the_wrapper_has_read(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    checkout, _ = reviewed
    for day in DAYS:
        made = parquet.read_schema(checkout.state / "lake" / "log_files" / f"run_date={day}" / "log_files.parquet")
        assert b"pci_log_review.made_by" in (made.metadata or {}), "dbt's own conversion leaves no token"


def test_evidence_holds_a_file_for_every_requirement_also_for_those_without_findings(
    reviewed: tuple[Checkout, dict[str, Ended]],
) -> None:
    checkout, _ = reviewed
    for day in DAYS:
        folder = checkout.evidence_of(day)
        for requirement, model, findings in checkout.rows(
            f"select requirement, model, findings from daily_review where run_date = '{day}'"
        ):
            with (folder / "findings" / f"{requirement}.csv").open(newline="") as file:
                rows = list(csv.reader(file))
            columns = checkout.rows(f"select column_name from (describe {model})")
            assert rows[0] == [*(name for (name,) in columns), "other_requirements"], "every column of the model"
            assert len(rows) == findings + 1
            assert (folder / "findings" / f"{requirement}.parquet").is_file()
        for name in ("daily_review.csv", "log_coverage.csv", "log_files.csv", "run.json", "sql/findings.sql"):
            assert (folder / name).is_file()
    assert checkout.run_json("2026-03-11")["state"] == "incomplete"


def test_no_cell_of_the_evidence_is_a_formula(reviewed: tuple[Checkout, dict[str, Ended]]) -> None:
    checkout, _ = reviewed
    assert any("=HYPERLINK(" in record.get("userAgent", "") for record in records_of("2026-03-10"))
    hostile = 0
    for path in checkout.evidence_of("2026-03-10").rglob("*.csv"):
        with path.open(newline="") as file:
            for cell in (cell for row in csv.reader(file) for cell in row):
                assert not cell.lstrip().startswith(("=", "+", "-", "@")), f"{path.name}: {cell}"
                hostile += cell.startswith("'=HYPERLINK(")
    assert hostile


def test_what_a_review_writes_is_its_users_alone(reviewed: tuple[Checkout, dict[str, Ended]]) -> None:
    checkout, _ = reviewed
    written = [checkout.evidence, *checkout.evidence.rglob("*"), *(checkout.state / "lake").rglob("*")]
    written += [checkout.state / name for name in ("review.duckdb", "logs/dbt.log", "target/manifest.json", ".lock")]
    assert not [path for path in written if path.stat().st_mode & 0o077]


def test_any_order_of_days_and_any_repetition_leave_the_same_rows(
    reviewed: tuple[Checkout, dict[str, Ended]], tmp_path: Path
) -> None:
    checkout, _ = reviewed
    other = Checkout.of(tmp_path)
    for day in (DAY, "2026-03-09"):  # the other way round
        other.review(day, *SAMPLE, **NO_TESTS)
    for relation in RELATIONS:
        query = f"select * from {relation} where run_date < '2026-03-11' order by all"
        assert other.rows(query) == checkout.rows(query)


def test_a_rerun_leaves_exactly_what_it_found_and_no_other_day_is_touched(goes_on: Checkout, tmp_path: Path) -> None:
    checkout = goes_on
    logs = Path(shutil.copytree(ROOT / "sample_logs", tmp_path / "sample logs"))
    of_the_9th = "select * from findings where run_date = '2026-03-09' order by all"
    before = checkout.rows(of_the_9th)
    assert before
    assert checkout.rows("select count(*) > 0 from findings where run_date = '2026-03-10'") == [(True,)]
    for path in logs.glob("AWSLogs/*/CloudTrail/*/2026/03/10/*.json.gz"):
        path.unlink()
    ended = checkout.review("2026-03-10", logs, **NO_TESTS)
    assert ended.code == 3
    assert checkout.rows("select count(*) from findings where run_date = '2026-03-10'") == [(0,)]
    results = "select count(*), min(result), max(result) from daily_review where run_date = '2026-03-10'"
    assert checkout.rows(results) == [(REQUIREMENTS, "no logs", "no logs")]
    assert "no logs" in ended.text
    assert checkout.rows(of_the_9th) == before


def test_logs_out_of_scope_are_a_gap_and_name_the_way_out(tmp_path: Path) -> None:
    settings = Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))
    (settings / "trail_scope.csv").write_text(
        "account_id,account_name,region,in_cde,logs_expected\n123456789012,other,us-east-1,true,may be quiet\n"
    )
    checkout = Checkout.of(tmp_path)
    ended = checkout.review("2026-03-10", ROOT / "sample_logs", "--settings", str(settings), **NO_TESTS)
    assert ended.code == 3
    assert "outside trail_scope: not reviewed" in ended.last_lines
    assert "pci-log-review init --logs" in ended.last_lines
    assert checkout.rows("select distinct result from daily_review") == [("no logs",)]


def test_a_requirement_without_settings_is_not_configured_until_somebody_says_why(tmp_path: Path) -> None:
    settings = Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))
    for name in ("cardholder_data_stores", "administrators"):
        path = settings / f"{name}.csv"
        path.write_text(path.read_text().splitlines(keepends=True)[0])
    checkout = Checkout.of(tmp_path)
    ended = checkout.review(DAY, *SAMPLE, "--settings", str(settings), **NO_TESTS)
    assert ended.code == 3, ended.last_lines
    assert "10.2.1.1 is not configured: cardholder_data_stores is empty: name what is yours there" in ended.text
    assert "10.2.1.2 is not configured: administrators is empty" in ended.text
    results = dict(checkout.rows("select requirement, result from daily_review order by 1"))
    assert [name for name, result in results.items() if result == "not configured"] == ["10.2.1.1", "10.2.1.2"]
    assert checkout.rows("select distinct is_complete from daily_review") == [(False,)]
    shown = checkout.run("show", DAY)
    assert shown.text.count("not configured") >= 2
    (settings / "nothing_to_list.csv").write_text(
        "settings_file,reason,approved_by,approved_on\n"
        "cardholder_data_stores,A service provider keeps them,security-lead@example.com,2026-01-12\n"
        "administrators,Nobody has standing access,security-lead@example.com,2026-01-12\n"
    )
    ended = checkout.review(DAY, *SAMPLE, "--settings", str(settings), **NO_TESTS)
    assert ended.code == 0, ended.last_lines
    assert (checkout.evidence_of(DAY) / "settings" / "nothing_to_list.csv").read_text().count("security-lead") == 2


def test_a_failing_run_leaves_the_earlier_rows_of_the_day_and_is_sealed_as_failed(goes_on: Checkout) -> None:
    checkout = goes_on
    rows = "select * from pci_10_2_1_6_audit_log_changes order by all"
    before = checkout.rows(rows)
    assert before
    checkout.broken(
        "models/requirements/pci_10_2_1_6_audit_log_changes.sql",
        "select * from final",
        "select final.* from final where cast(event_name as integer) = 1",
    )
    ended = checkout.review("2026-03-10", **NO_TESTS)
    assert ended.code == 1
    assert "pci_10_2_1_6_audit_log_changes: " in ended.last_lines
    assert "the run FAILED; earlier results of the day stand" in ended.last_lines
    assert "Traceback" not in ended.text
    assert checkout.rows(rows) == before
    [manifest] = checkout.evidence.glob("*/*/manifest.json")
    content = json.loads(manifest.read_text())
    assert (content["state"], list(content["files"])) == ("failed", ["report.html", "run.json"])
    assert "pci_10_2_1_6_audit_log_changes: " in content["gaps"][0]
    assert re.search("2026-03-10 .*failed", checkout.run("status").text)


def test_a_broken_expectation_makes_the_day_incomplete_and_the_review_goes_on(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path, copied=True)
    checkout.broken("macros/findings/finding_rows.sql", "where copy_number = 1", "where copy_number >= 1")
    ended = checkout.review("2026-03-10")
    assert ended.code == 3
    assert "test failed: finding is unique (" in ended.last_lines
    assert checkout.rows("select count(*) from daily_review") == [(REQUIREMENTS,)]
    # the day's copies are of events that touch cardholder data, and the other requirements' findings stand once
    assert re.search(r"│ 10\.2\.1\.1 .* 7/8 │", ended.text)
    assert re.search(r"│ 10\.2\.1\.7 .* 8/8 │", ended.text)
    tests = {node["name"]: node for node in checkout.run_json("2026-03-10")["nodes"] if node["kind"] == "test"}
    assert set(tests["finding_is_unique"]["failures_by_requirement"]) == {"10.2.1.1"}


def test_the_state_of_an_earlier_version_is_taken_over_with_its_days(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    assert checkout.review("2026-03-09", **NO_TESTS).code == 0
    kept = "select event_id, title from pci_10_2_1_1_cardholder_data_access where run_date = '2026-03-09' order by all"
    before = checkout.rows(kept)
    assert before
    with duckdb.connect(checkout.state / "review.duckdb") as connection:
        connection.execute("drop view findings; drop view requirements")
        connection.execute("create table requirements as select '10.2.1.1' as requirement")
        connection.execute("alter table reviewed_events drop column flag")
        for column in ("store", "flags"):
            connection.execute(f"alter table pci_10_2_1_1_cardholder_data_access drop column {column}")
        connection.execute("alter table pci_10_2_1_1_cardholder_data_access add column is_data_event boolean")
    ended = checkout.review("2026-03-10", **NO_TESTS)
    assert ended.code == 0, ended.last_lines
    assert checkout.rows(kept) == before
    flagged = "select count(*) > 50 from findings where flags = 'data event' and run_date = '2026-03-10'"
    assert checkout.rows(flagged) == [(True,)]


def test_a_folder_of_logs_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    ended = Checkout.of(tmp_path).review("2026-03-10", tmp_path / "nowhere")
    assert ended.code == 2
    assert "no folder at" in ended.last_lines
    assert "Traceback" not in ended.text


def test_a_folder_without_logs_is_wrong_usage_and_nothing_is_sealed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = Checkout.of(tmp_path).review("2026-03-10", tmp_path / "empty")
    assert ended.code == 2
    assert not (tmp_path / "evidence").exists()
    assert "AWSLogs/" in ended.last_lines
    assert "At:" not in ended.text
    assert "Traceback" not in ended.text
