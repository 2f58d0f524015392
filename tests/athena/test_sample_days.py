"""The sample logs on the athena target: what is done there, and that the embedded one does the same."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from tests.athena.conftest import (
    DAMAGED,
    DAY,
    DAYS,
    NO_RECORDS,
    ONLY_ATHENA_FAILS,
    WITHOUT_A_REGION,
    SampleDays,
)
from tests.athena.on_athena import RELATIONS, REQUIREMENT_MODELS, comparable, differences
from tests.checkout import Ended
from tests.local_athena.athena_api import STATEMENT_LIMIT, QueryRecord

from pci_log_review.cloudtrail.kinds import REVIEWED

# The embedded target's keys are from a file, Athena's from ListPublicKeys.
FROM_A_FILE = "; by public keys from a file, not from ListPublicKeys"


def test_a_full_build_passes_every_unit_test_and_data_test(sample_days: SampleDays) -> None:
    assert sample_days.built.code == 0, sample_days.built.last_lines
    (summary,) = re.findall(r"Completed successfully|PASS=\d+ WARN=\d+ ERROR=(\d+)", sample_days.built.text)[-1:]
    assert summary == "0", sample_days.built.last_lines
    assert re.search(r"\d+ unit tests", sample_days.built.text)


def test_docs_are_generated_with_every_model(sample_days: SampleDays) -> None:
    assert sample_days.docs.code == 0, sample_days.docs.last_lines
    catalog = json.loads((sample_days.on_athena.checkout.home / "target" / "catalog.json").read_text())
    documented = {unique_id.rpartition(".")[2] for unique_id in catalog["nodes"]}
    assert {"stg_cloudtrail__events", *RELATIONS} <= documented
    assert "source.pci_log_review.cloudtrail.logs" in catalog["sources"]


def test_descriptions_of_models_and_columns_are_in_glue(sample_days: SampleDays) -> None:
    on_athena = sample_days.on_athena
    manifest = json.loads((on_athena.checkout.home / "target" / "manifest.json").read_text())
    for relation in set(RELATIONS) - {"findings"}:
        node = manifest["nodes"][f"model.pci_log_review.{relation}"]
        table = on_athena.service.glue.get_table(DatabaseName=on_athena.place.database, Name=relation)["Table"]
        told = " ".join(table["Description"].removesuffix("...").split())  # Glue takes 2,048 characters
        assert told
        assert " ".join(node["description"].split()).startswith(told)
        # dbt-athena leaves the partition key, run_date, without a comment
        for column in table["StorageDescriptor"]["Columns"]:
            described = " ".join(node["columns"][column["Name"]]["description"].split())
            comment = " ".join(column.get("Comment", "").split())
            assert comment, f"{relation}.{column['Name']} has no comment"
            assert described.startswith(comment[:200]), f"{relation}.{column['Name']}: {comment}"


@pytest.mark.parametrize("relation", RELATIONS)
def test_both_targets_leave_the_same_rows(sample_days: SampleDays, relation: str) -> None:
    local, athena = sample_days.rows[relation]
    assert len(local) > 0
    told = differences(local, athena, relation)
    assert not told, "\n".join(told)


def test_both_targets_end_with_the_same_exit_code_and_say_the_same(sample_days: SampleDays) -> None:
    undisturbed, reviewed = sample_days.undisturbed, sample_days.reviewed
    assert reviewed.code == undisturbed.code == 3, reviewed.last_lines
    assert said(reviewed) == said(undisturbed)


def said(ended: Ended) -> list[str]:
    """What a run said that is the same wherever logs and evidence lie, and however long it took."""
    other = re.compile(r"Evidence:|Reviewing the logs| +\d+/\d+ ")
    return [line.removesuffix(FROM_A_FILE) for line in ended.text.splitlines() if not other.match(line)]


def test_a_damaged_log_file_and_a_region_without_logs_are_named_and_all_the_rest_is_reviewed(
    sample_days: SampleDays,
) -> None:
    assert f"{sample_days.damaged_file} gzip is cut off before its end" in sample_days.reviewed.text
    assert "444455556666 eu-west-1: no logs, though trail_scope expects them daily" in sample_days.reviewed.text
    staged = sample_days.on_athena.rows("stg_cloudtrail__events", f"run_date = date '{DAMAGED}'")
    read = {row["log_file"] for row in staged}
    assert read == set(sample_days.on_athena.log_files(DAMAGED)) - {sample_days.damaged_file}


def test_a_log_file_that_only_athena_cannot_read_is_named_and_the_others_are_reviewed(sample_days: SampleDays) -> None:
    left_out, whole = sample_days.left_out, sample_days.evidence[WITHOUT_A_REGION]
    gaps, gaps_of_whole = (set(json.loads(found["manifest.json"])["gaps"]) for found in (left_out, whole))
    assert gaps_of_whole < gaps
    [region, log_file] = sorted(gaps - gaps_of_whole)
    assert region == "111122223333 us-east-1: 1 of 4 log files could not be reviewed whole"
    assert log_file.startswith(f"{ONLY_ATHENA_FAILS} cannot be read by Athena: HIVE_CURSOR_ERROR")
    findings = [name for name in whole if name.startswith("findings/") and name.endswith(".csv")]
    assert len(findings) == len(REQUIREMENT_MODELS)
    assert {name: left_out[name] for name in findings} == {name: whole[name] for name in findings}


def test_a_log_file_without_records_is_no_gap(sample_days: SampleDays) -> None:
    for rows in sample_days.rows["log_files"]:
        [(events, problem)] = [
            (row["events"], row["problem"]) for row in rows if (row["log_file"] or "").endswith(NO_RECORDS)
        ]
        assert (events, problem) == ("0", None)


@pytest.mark.parametrize("run_date", DAYS)
def test_the_evidence_of_both_targets_is_the_same(sample_days: SampleDays, run_date: str) -> None:
    folder = sample_days.on_local.evidence_of(run_date)
    local = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    athena = sample_days.evidence[run_date]
    assert set(athena) - set(local) == {"queries.csv"}
    assert set(local) <= set(athena)
    for name in sorted(name for name in local if name.endswith(".csv")):
        ours, theirs = (list(csv.DictReader(io.StringIO(files[name].decode()))) for files in (local, athena))
        assert not differences(comparable(ours), comparable(theirs), name.removesuffix(".csv"))
    ours, theirs = (json.loads(files["manifest.json"]) for files in (local, athena))
    assert ours["state"] == ("complete" if run_date == DAY else "incomplete")
    for what in ("run_date", "state", "gaps", "not_proven", "findings", "unexpected_findings"):
        assert ours[what] == theirs[what]
    assert ours["integrity"].removesuffix(FROM_A_FILE) == theirs["integrity"]


def test_log_files_are_proven_with_the_keys_that_cloudtrail_lists(sample_days: SampleDays) -> None:
    assert "integrity not yet proven: " in json.loads(sample_days.evidence[DAY]["manifest.json"])["integrity"]
    files = [row for row in sample_days.rows["log_files"][1] if row["run_date"] == DAY and row["kind"] == "log"]
    for row in files:
        has_digests = "/111122223333/" not in (row["log_file"] or "")
        assert row["is_proven"] == str(has_digests).lower(), row["log_file"]


@pytest.mark.parametrize("run_date", DAYS)
def test_the_sql_in_the_evidence_is_what_athena_executed_with_ids_and_bytes(
    sample_days: SampleDays, run_date: str
) -> None:
    evidence = sample_days.evidence[run_date]
    history = {query.query_id: query for query in sample_days.queries_of(run_date)}
    listed = list(csv.DictReader(io.StringIO(evidence["queries.csv"].decode())))
    assert all(int(line["bytes_scanned"]) == history[line["query_id"]].bytes_scanned for line in listed)
    for model in ("stg_cloudtrail__events", *REQUIREMENT_MODELS):
        text = evidence[f"sql/{model}.sql"].decode()
        ids = re.findall(r"^-- query (\S+): SUCCEEDED", text, re.MULTILINE)
        assert ids, model
        for query_id in ids:
            executed = history[query_id].statement.split("*/", 1)[1].strip()
            assert executed in text, model
    run = json.loads(evidence["run.json"])
    assert run["bytes_scanned"] == sum(int(line["bytes_scanned"]) for line in listed) > 0


def test_every_query_of_dbt_is_in_the_evidence_of_one_day(sample_days: SampleDays) -> None:
    sent = [query.query_id for query in sample_days.queries_of_review if '"invocation_id"' in query.statement]
    listed = [query.query_id for run_date in DAYS for query in sample_days.queries_of(run_date)]
    assert sorted(listed) == sorted(sent)


def test_a_second_run_ends_at_once_with_one_clear_line_and_the_first_goes_on(sample_days: SampleDays) -> None:
    assert sample_days.second.code == 1
    [line] = [line for line in sample_days.second.text.splitlines() if line.startswith("pci-log-review: ")]
    assert "another run holds the lock of s3://" in line
    assert sample_days.reviewed.code == 3


def test_runs_that_were_killed_at_any_step_left_nothing_that_is_taken_for_evidence(sample_days: SampleDays) -> None:
    assert {step: ended.code for step, ended in sample_days.killed.items() if ended.code != -9} == {}
    assert sample_days.verified.code == 0, sample_days.verified.text
    assert sample_days.verified.text.count("it is not evidence") == 1
    sealed = re.findall(r"(2026-03-\d\d) │ (\w+)", sample_days.status.text)
    assert sealed == [(DAMAGED, "incomplete"), (DAY, "complete"), (WITHOUT_A_REGION, "incomplete")]


def test_days_are_signed_in_s3_and_are_not_due_again(sample_days: SampleDays) -> None:
    assert [ended.code for ended in sample_days.signed] == [0, 0], sample_days.signed
    assert sample_days.status.text.count("A. Person") == 2
    assert "Reviewing" not in sample_days.killed["notify:before"].text


def raw_scans(queries: list[QueryRecord]) -> list[QueryRecord]:
    return [query for query in queries if query.raw_bytes_scanned]


def test_one_statement_of_a_run_scans_the_raw_logs_and_each_of_the_days_files_once(sample_days: SampleDays) -> None:
    assert len(REQUIREMENT_MODELS) == 10
    for day, queries in (
        (DAY, sample_days.queries_of_build),
        (DAY, sample_days.queries_of(DAY)),
        (WITHOUT_A_REGION, sample_days.queries_of(WITHOUT_A_REGION)),
    ):
        (scan,) = raw_scans(queries)
        assert "stg_cloudtrail__events" in scan.statement
        assert scan.raw_bytes_scanned == sum(sizes_of(sample_days, day).values())


def test_the_first_day_of_a_run_asks_about_contracts_and_no_later_one_does(sample_days: SampleDays) -> None:
    asked = [
        sum(query.statement.endswith("where false\n    limit 0") for query in sample_days.queries_of(run_date))
        for run_date in DAYS
    ]
    assert asked[0] >= 2 * len(REQUIREMENT_MODELS)
    assert asked[1:] == [0, 0]


def test_a_day_with_a_damaged_file_is_scanned_once_more_without_it(sample_days: SampleDays) -> None:
    queries = sample_days.queries_of(DAMAGED)
    (failed,) = [query for query in queries if query.state == "FAILED"]
    assert sample_days.damaged_file in (failed.reason or "")
    (scan,) = raw_scans(queries)
    sizes = sizes_of(sample_days, DAMAGED)
    assert scan.raw_bytes_scanned == sum(sizes.values()) - sizes[sample_days.damaged_file]


def sizes_of(sample_days: SampleDays, day: str) -> dict[str, int]:
    """The bytes of each log file of a day. Of the one without records, Trino is shown an empty one."""
    files = sample_days.on_athena.log_files(day)
    return {key: len(content) for key, content in files.items() if not key.endswith(NO_RECORDS)}


def test_partitions_are_added_in_statements_under_the_limit(sample_days: SampleDays) -> None:
    added = [
        query.statement
        for query in sample_days.queries_of_build
        if "add if not exists" in query.statement and "cloudtrail_logs" in query.statement
    ]
    accounts, regions_of_their_partition = 2, 36
    partitions = accounts * regions_of_their_partition * len(REVIEWED)
    assert sum(statement.count("partition (") for statement in added) == partitions
    assert max(len(statement.encode()) for statement in added) < STATEMENT_LIMIT


def test_throttled_calls_are_tried_again_and_the_run_succeeds(sample_days: SampleDays) -> None:
    assert sample_days.throttled == 5
    assert sample_days.reviewed.code == 3
    assert "throttl" not in sample_days.reviewed.text.lower()


def test_nothing_is_left_of_the_temporary_tables(sample_days: SampleDays) -> None:
    on_athena = sample_days.on_athena
    pages = on_athena.service.glue.get_paginator("get_tables").paginate(DatabaseName=on_athena.place.database)
    assert [table["Name"] for page in pages for table in page["TableList"] if "tmp" in table["Name"]] == []
