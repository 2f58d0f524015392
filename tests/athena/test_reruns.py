"""A rerun replaces the day, also by nothing, and no other."""

from __future__ import annotations

from tests.athena.conftest import DAY, WITHOUT_A_REGION, SampleDays
from tests.athena.on_athena import REQUIREMENT_MODELS, differences

STAGING = "stg_cloudtrail__events"
TABLES = (*REQUIREMENT_MODELS, STAGING)


def test_a_rerun_that_finds_nothing_leaves_no_row_and_no_partition_of_the_day(sample_days: SampleDays) -> None:
    emptied = sample_days.emptied
    for table in TABLES:
        assert [row for row in emptied.before[table] if row["run_date"] == DAY], table
        assert [row for row in emptied.after[table] if row["run_date"] == DAY] == [], table
        assert DAY not in emptied.days[table], table
    assert [key for key in emptied.keys if f"run_date={DAY}" in key and "/pci_10" in key] == []


def test_a_rerun_that_finds_nothing_touches_no_other_day(sample_days: SampleDays) -> None:
    emptied = sample_days.emptied
    assert emptied.days[STAGING] == {WITHOUT_A_REGION}
    compared = 0
    for table in TABLES:
        before, after = (
            [row for row in rows[table] if row["run_date"] == WITHOUT_A_REGION]
            for rows in (emptied.before, emptied.after)
        )
        assert not differences(before, after, table)
        compared += len(before)
    assert compared > len(sample_days.on_athena.rows(STAGING, f"run_date = date '{WITHOUT_A_REGION}'")) > 0


def test_a_day_without_logs_is_incomplete_and_no_requirement_has_no_findings(sample_days: SampleDays) -> None:
    rows = [row for row in sample_days.emptied.after["daily_review"] if row["run_date"] == DAY]
    assert [(row["result"], row["is_complete"]) for row in rows] == [("no logs", "false")] * len(REQUIREMENT_MODELS)
