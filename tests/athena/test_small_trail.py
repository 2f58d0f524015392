"""A trail of two log files, one of which only Athena can't read; later it moves to another place."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass

import pytest
from tests.athena.conftest import DAY
from tests.athena.on_athena import OnAthena
from tests.checkout import NO_TESTS, Ended
from tests.local_athena.service import LocalAthena

FOLDER = f"AWSLogs/111122223333/CloudTrail/us-east-1/{DAY.replace('-', '/')}"
EVENT = {
    "eventID": "user-created", "eventTime": f"{DAY}T08:00:00Z", "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser", "awsRegion": "us-east-1", "recipientAccountId": "111122223333",
}  # fmt: skip


@dataclass(frozen=True)
class SmallTrail:
    """The trail's place, and how its review ended."""

    on_athena: OnAthena
    ended: Ended


@pytest.fixture(scope="module")
def small_trail(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> SmallTrail:
    """Reviewed as it is."""
    on_athena = OnAthena.new(local_athena, tmp_path_factory.mktemp("small-trail"))
    for name, event in (("healthy", EVENT), ("twice", EVENT | {"eventID": "twice", "eventname": "ListUsers"})):
        on_athena.put(f"{FOLDER}/{name}.json.gz", gzip.compress(json.dumps({"Records": [event]}).encode()))
    return SmallTrail(on_athena, on_athena.review(DAY, **NO_TESTS))


def test_a_log_file_that_only_athena_cannot_read_is_named_and_the_others_are_reviewed(small_trail: SmallTrail) -> None:
    assert small_trail.ended.code == 3, small_trail.ended.last_lines
    assert f"{FOLDER}/twice.json.gz cannot be read by Athena: HIVE_CURSOR_ERROR" in small_trail.ended.last_lines
    findings = small_trail.on_athena.rows("findings")
    assert {row["event_id"] for row in findings} == {"user-created"}


def test_partitions_of_a_trail_that_moved_are_those_of_its_new_place(small_trail: SmallTrail) -> None:
    on_athena = small_trail.on_athena
    organization = "o-a1b2c3d4e5"
    ended = on_athena.dbt(
        "run-operation", "add_partitions", "--vars", f"{{run_date: {DAY}}}", PCI_LOG_REVIEW_ORGANIZATION_ID=organization
    )
    assert ended.code == 0, ended.last_lines
    pages = on_athena.service.glue.get_paginator("get_partitions").paginate(
        DatabaseName=on_athena.place.database, TableName="cloudtrail_logs"
    )
    places = [partition["StorageDescriptor"]["Location"] for page in pages for partition in page["Partitions"]]
    assert places
    assert all(place.startswith(f"{on_athena.place.logs}/AWSLogs/{organization}/") for place in places)
