"""A rerun replaces the day, also by nothing, and no other."""

from __future__ import annotations

from tests.athena.conftest import DAY, DAYS, MODELS_ALONE, SampleDays
from tests.athena.on_athena import REQUIREMENT_MODELS, differences


def partitions(sample_days: SampleDays, table: str) -> set[str]:
    """The days of which a table has a partition."""
    on_athena = sample_days.on_athena
    pages = on_athena.service.glue.get_paginator("get_partitions").paginate(
        DatabaseName=on_athena.place.database, TableName=table
    )
    return {partition["Values"][0] for page in pages for partition in page["Partitions"]}


def test_a_rerun_that_finds_nothing_leaves_no_row_and_no_partition_of_the_day_and_touches_no_other(
    sample_days: SampleDays,
) -> None:
    on_athena = sample_days.on_athena
    other_days = f"run_date <> date '{DAY}'"
    relations = (*REQUIREMENT_MODELS, "log_files")
    before = {relation: on_athena.rows(relation, other_days) for relation in relations}
    files = on_athena.delivered(DAY)
    assert files
    assert set(DAYS) <= partitions(sample_days, "stg_cloudtrail__events")
    try:
        for key in files:
            on_athena.service.s3.delete_object(Bucket=on_athena.place.log_bucket, Key=key)
        ended = on_athena.review(DAY, **MODELS_ALONE)
    finally:
        for key, content in files.items():
            on_athena.put(key, content)
    assert ended.code == 3
    assert "no logs, though trail_scope expects them daily" in ended.last_lines
    for relation in relations:
        assert on_athena.rows(relation, f"run_date = date '{DAY}'") == []
        assert DAY not in partitions(sample_days, relation)
        assert not differences(before[relation], on_athena.rows(relation, other_days), relation)
    assert partitions(sample_days, "stg_cloudtrail__events") == set(DAYS) - {DAY}
    results = on_athena.rows("daily_review", f"run_date = date '{DAY}'")
    assert [row["result"] for row in results] == ["no logs"] * len(REQUIREMENT_MODELS)
    data = on_athena.service.s3.list_objects_v2(Bucket=on_athena.place.data_bucket, Prefix="tables/")
    left = [
        found["Key"]
        for found in data.get("Contents", ())
        if f"run_date={DAY}" in found["Key"] and "/pci_10" in found["Key"]
    ]
    assert left == []
