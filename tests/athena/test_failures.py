"""What is broken on purpose fails the run with one clear message, and the day's earlier rows stand."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.athena.conftest import DAY as RUN_DATE
from tests.athena.conftest import MODELS_ALONE, SampleDays
from tests.athena.on_athena import OnAthena
from tests.checkout import ROOT, Ended

RELATIONS = ("stg_cloudtrail__events", "pci_10_2_1_4_invalid_access_attempts", "log_files", "daily_review")


def reasons(ended: Ended) -> list[str]:
    """The last lines of a run that failed, but for the very last, which says so."""
    assert ended.code == 1, ended.last_lines
    assert "Traceback" not in ended.text
    lines = [line for line in ended.text.splitlines() if line.startswith("pci-log-review: ")]
    assert lines[-1] == "pci-log-review: the run FAILED; earlier results of the day stand", ended.last_lines
    assert ended.text.strip().endswith("\n".join(lines))
    return lines[:-1]


def the_reason(ended: Ended) -> str:
    """The one message of a run that failed."""
    (reason,) = reasons(ended)
    assert len(reason) < 600, reason
    return reason


@pytest.fixture
def on_athena(sample_days: SampleDays) -> OnAthena:
    """The sample days as they are; whatever a test breaks is whole again afterwards."""
    return replace(sample_days.on_athena, role=None)  # others than the walk may ask for what the role may not


def rows_of_day(on_athena: OnAthena) -> dict[str, list[str]]:
    where = f"run_date = date '{RUN_DATE}'"
    return {relation: sorted(map(str, on_athena.rows(relation, where))) for relation in RELATIONS}


def test_dbt_alone_names_a_corrupt_log_file_and_the_earlier_rows_stand(on_athena: OnAthena) -> None:
    before = rows_of_day(on_athena)
    assert all(before.values())
    key, content = sorted(on_athena.log_files(RUN_DATE).items())[0]
    try:
        on_athena.put(key, content[:-20])
        ended = on_athena.dbt("run", "--vars", f"{{run_date: {RUN_DATE}}}")
    finally:
        on_athena.put(key, content)
    assert ended.code == 1
    assert f"s3://{on_athena.place.log_bucket}/{key}" in ended.text
    assert rows_of_day(on_athena) == before


def test_a_cancelled_query_is_named_as_such_and_the_earlier_rows_stand(on_athena: OnAthena) -> None:
    before = rows_of_day(on_athena)
    with on_athena.service.with_faults() as faults:
        faults.cancel_statements("stg_cloudtrail__events__dbt_tmp")
        ended = on_athena.review(RUN_DATE, **MODELS_ALONE)
    reason = the_reason(ended)
    assert re.search("stg_cloudtrail__events: .*cancelled", reason), reason
    assert rows_of_day(on_athena) == before


def test_a_log_file_that_is_swapped_for_the_time_of_the_query_is_a_gap_that_names_it(on_athena: OnAthena) -> None:
    key = sorted(on_athena.log_files(RUN_DATE))[0]
    step = f"swap:{on_athena.place.log_bucket}/{key}"
    ended = on_athena.interrupted(step, "run", "--run-date", RUN_DATE, **MODELS_ALONE)
    assert ended.code == 3, ended.last_lines
    assert f"{key} changed while the day was reviewed: review it again" in ended.last_lines


def test_a_glue_call_that_is_denied_is_named(on_athena: OnAthena) -> None:
    with on_athena.service.with_faults() as faults:
        faults.deny_glue("BatchCreatePartition")
        ended = on_athena.review(RUN_DATE, **MODELS_ALONE)
    reason = the_reason(ended)
    assert "stg_cloudtrail__events: " in reason
    assert "not authorized to perform: glue:BatchCreatePartition" in reason


def test_a_glue_call_of_dbts_own_that_is_denied_is_named(on_athena: OnAthena) -> None:
    with on_athena.service.with_faults() as faults:
        faults.deny_glue("GetTables")
        ended = on_athena.review(RUN_DATE, **MODELS_ALONE)
    assert "not authorized to perform: glue:GetTables" in the_reason(ended)


def test_a_missing_work_group_is_named(on_athena: OnAthena) -> None:
    ended = on_athena.review(RUN_DATE, **MODELS_ALONE, PCI_LOG_REVIEW_ATHENA_WORK_GROUP="no-such-group")
    reason = the_reason(ended)
    assert "no-such-group" in reason
    assert "WorkGroup is not found" in reason


def test_a_work_group_that_would_put_the_tables_among_its_results_is_refused(on_athena: OnAthena) -> None:
    enforced = f"{on_athena.place.work_group}-enforced"
    results = f"s3://{on_athena.place.data_bucket}/results/"
    on_athena.service.athena.create_work_group(
        Name=enforced,
        Configuration={
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": results},
        },
    )
    ended = on_athena.review(RUN_DATE, **MODELS_ALONE, PCI_LOG_REVIEW_ATHENA_WORK_GROUP=enforced)
    assert f"'{enforced}' overrides client-side settings" in the_reason(ended)


def test_a_missing_log_bucket_is_named(on_athena: OnAthena) -> None:
    ended = on_athena.review(RUN_DATE, "--logs", "s3://no-such-bucket-of-logs", **MODELS_ALONE)
    assert ended.code == 2, ended.last_lines
    [line] = [line for line in ended.text.splitlines() if line.startswith("pci-log-review: ")]
    assert "logs: cannot list s3://no-such-bucket-of-logs/AWSLogs/" in line
    assert "NoSuchBucket" in line


def test_a_missing_results_bucket_is_named(on_athena: OnAthena) -> None:
    ended = on_athena.review(RUN_DATE, **MODELS_ALONE, PCI_LOG_REVIEW_ATHENA_RESULTS="s3://no-such-results/")
    assert "Unable to verify/create output bucket no-such-results" in the_reason(ended)


def test_a_missing_data_bucket_is_named(on_athena: OnAthena) -> None:
    ended = on_athena.review(RUN_DATE, **MODELS_ALONE, PCI_LOG_REVIEW_ATHENA_DATA="s3://no-such-tables/")
    assert "the inventory can't be written to s3://no-such-tables/" in the_reason(ended)


def test_what_is_wrong_for_every_query_is_said_once(on_athena: OnAthena) -> None:
    on_new_place = OnAthena.new(on_athena.service, on_athena.checkout.home)
    with on_athena.service.with_faults() as faults:
        faults.deny_glue("CreateTable")
        ended = on_new_place.review(RUN_DATE, "--logs", on_athena.place.logs, DBT_RESOURCE_TYPES="seed")
    assert re.search(r"\w+ and 10 more: .*not authorized to perform: glue:CreateTable", the_reason(ended))


def test_logs_that_are_no_bucket_are_refused(on_athena: OnAthena) -> None:
    ended = on_athena.review(RUN_DATE, "--logs", str(ROOT / "sample_logs"))
    assert ended.code == 2
    assert "Athena reads s3://bucket or s3://bucket/prefix" in ended.last_lines


def test_partitions_of_a_trail_that_moved_are_those_of_its_new_place(on_athena: OnAthena) -> None:
    organization = "o-a1b2c3d4e5"
    add = ("run-operation", "add_partitions", "--vars", f"{{run_date: {RUN_DATE}}}")
    ended = on_athena.dbt(*add, PCI_LOG_REVIEW_ORGANIZATION_ID=organization)
    assert ended.code == 0, ended.last_lines
    pages = on_athena.service.glue.get_paginator("get_partitions").paginate(
        DatabaseName=on_athena.place.database, TableName="cloudtrail_logs"
    )
    places = [partition["StorageDescriptor"]["Location"] for page in pages for partition in page["Partitions"]]
    assert places
    assert all(place.startswith(f"{on_athena.place.logs}/AWSLogs/{organization}/") for place in places)
