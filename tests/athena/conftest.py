"""The three sample days, reviewed on both targets once for all tests that look at them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tests.athena.on_athena import RELATIONS, OnAthena, Row, local_rows
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended
from tests.local_athena.athena_api import QueryRecord
from tests.local_athena.service import LocalAthena

DAY = "2026-03-10"
# Before dbt begins, and when it has written the tables and all of the evidence is in S3 but its seal.
KILLS = ("write_inventory:after", "seal:before")
DAYS = ("2026-03-11", "2026-03-09", DAY)
# Once the seeds are there, and nobody changes them, the models are enough.
MODELS_ALONE = {"DBT_RESOURCE_TYPES": "model"}


@dataclass(frozen=True)
class SampleDays:
    """What was done, in order: `built` and `docs` by dbt alone for DAY; then the wrapper was killed twice while it
    reviewed a day (`killed`), and reviewed each of DAYS, once while a `second` run tried to. The evidence lies in S3.
    """

    on_athena: OnAthena
    on_local: Checkout
    built: Ended
    docs: Ended
    killed: dict[str, Ended]
    second: Ended
    reviewed: dict[str, tuple[Ended, Ended]]
    rows: dict[str, tuple[list[Row], list[Row]]]
    queries_of_build: list[QueryRecord]
    queries_of_review: dict[str, list[QueryRecord]]
    evidence: dict[str, dict[str, bytes]]
    throttled: int
    status: Ended
    verified: Ended


@pytest.fixture(scope="session")
def sample_days(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> SampleDays:
    """The sample logs on both targets; `rows` holds each relation's rows, local first, as all this left them."""
    on_athena = OnAthena.new(local_athena, tmp_path_factory.mktemp("sample"))
    on_local = Checkout.of(tmp_path_factory.mktemp("sample-local"))
    local_athena.upload(ROOT / "sample_logs", on_athena.place.log_bucket)
    day = ("--vars", f"{{run_date: {DAY}}}")
    built = on_athena.dbt("build", *day)
    queries_of_build = on_athena.queries()
    docs = on_athena.dbt("docs", "generate", *day)
    killed = {step: on_athena.interrupted(step, "run", "--run-date", DAYS[1], **NO_TESTS) for step in KILLS}
    logs = ("--logs", str(ROOT / "sample_logs"))
    reviewed: dict[str, tuple[Ended, Ended]] = {}
    queries_of_review: dict[str, list[QueryRecord]] = {}
    for run_date in DAYS:
        on_embedded = on_local.run("run", *logs, "--run-date", run_date, **NO_TESTS)
        before = len(on_athena.queries())
        if run_date == DAYS[0]:
            local_athena.faults.throttle("StartQueryExecution", times=3)
            local_athena.faults.throttle("GetQueryExecution", times=2)
        if run_date == DAYS[1]:
            on_trino, second = on_athena.review_while_another_does(run_date, **NO_TESTS)
        else:
            on_trino = on_athena.review(run_date, **NO_TESTS)
        reviewed[run_date] = on_embedded, on_trino
        queries_of_review[run_date] = on_athena.queries()[before:]
    throttled = local_athena.faults.refused
    rows = {relation: (local_rows(on_local, relation), on_athena.rows(relation)) for relation in RELATIONS}
    evidence = {run_date: on_athena.evidence(run_date) for run_date in DAYS}
    status, verified = (on_athena.interrupted("never", command) for command in ("status", "verify"))
    return SampleDays(
        on_athena, on_local, built, docs, killed, second, reviewed, rows, queries_of_build, queries_of_review,
        evidence, throttled, status, verified,
    )  # fmt: skip
