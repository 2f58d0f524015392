"""The three sample days on both targets, once for all tests that look at them."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from tests.athena.deployed import deployed
from tests.athena.on_athena import RELATIONS, TODAY, OnAthena, Row, local_rows
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended
from tests.end_to_end.interrupted import killing
from tests.local_athena.athena_api import QueryRecord
from tests.local_athena.service import LocalAthena

DAYS = ("2026-03-09", "2026-03-10", "2026-03-11")
DAMAGED, DAY, WITHOUT_A_REGION = DAYS
NO_RECORDS = "111122223333_CloudTrail_us-east-1_20260310T0400Z_0123456789abcdef.json.gz"
ONLY_ATHENA_FAILS = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/11/twice.json.gz"
# A run is killed at each of these while it reviews the newest day. Where the embedded target's runs are killed besides,
# nothing was written but a temporary folder of this machine.
KILLS = ("review_day:before", "take_inventory:after", "write_inventory:after", "dbt:5")
SIGNATURE = ("--reviewer", "A. Person", "--decision", "all=expected: nothing new", "--reason", "The logs are lost")
# Once the seeds are there, and nobody changes them, the models are enough.
MODELS_ALONE = {"DBT_RESOURCE_TYPES": "model"}


@dataclass(frozen=True)
class Emptied:
    """What a run left in the tables that found none of DAY's logs: all rows before and after it, the days that have a
    partition then, both by relation, and the tables' objects in S3."""

    before: dict[str, list[Row]]
    after: dict[str, list[Row]]
    days: dict[str, set[str]]
    keys: list[str]


@dataclass(frozen=True)
class SampleDays:
    """What was done, in order. dbt alone: a full build of DAY (`built`), and `docs`. Then the wrapper, under the
    policies that deploy/ gives it, with all three days due, one log file damaged and a region without logs: `killed` at
    each step, once when it had sealed the newest day with one log file more, which only Athena can't read (`left_out`
    is that evidence), and once where it had found no logs (`emptied`); then it `reviewed` all three days, while a
    `second` run tried to; at last the incomplete days were `signed`, and a run that found nothing due was killed, too.
    `undisturbed` is the same on the embedded target, without all that; `rows` are those of both, local first.
    """

    on_athena: OnAthena
    on_local: Checkout
    damaged_file: str
    built: Ended
    docs: Ended
    killed: dict[str, Ended]
    left_out: dict[str, bytes]
    emptied: Emptied
    undisturbed: Ended
    reviewed: Ended
    second: Ended
    rows: dict[str, tuple[list[Row], list[Row]]]
    queries_of_build: list[QueryRecord]
    queries_of_review: list[QueryRecord]
    evidence: dict[str, dict[str, bytes]]
    throttled: int
    signed: list[Ended]
    status: Ended
    verified: Ended

    def queries_of(self, run_date: str) -> list[QueryRecord]:
        """The queries of a day's review, as its evidence lists them."""
        lines = csv.DictReader(io.StringIO(self.evidence[run_date]["queries.csv"].decode()))
        listed = {line["query_id"] for line in lines}
        return [query for query in self.queries_of_review if query.query_id in listed]


def sample_logs(home: Path) -> tuple[Path, str]:
    """The sample logs with one damaged file, and its name; and one without records, both where there are no digests.
    One region of the last day has no logs anyway."""
    logs = Path(shutil.copytree(ROOT / "sample_logs", home / "logs"))
    shutil.rmtree(logs / "AWSLogs/111122223333/CloudTrail-Digest")
    day = DAMAGED.replace("-", "/")
    (damaged, *_) = sorted(logs.glob(f"AWSLogs/111122223333/CloudTrail/us-east-1/{day}/*.json.gz"))
    damaged.write_bytes(damaged.read_bytes()[:-20])
    damaged = damaged.rename(damaged.with_name(f"\U0001f642 '{damaged.name}"))
    empty = logs / "AWSLogs/111122223333/CloudTrail/us-east-1" / DAY.replace("-", "/") / NO_RECORDS
    empty.write_bytes(gzip.compress(b'{"Records":[]}'))
    return logs, damaged.relative_to(logs).as_posix()


def settings_of_one_account(folder: Path) -> Path:
    """The shipped settings, but that digests are expected of the other account alone."""
    shutil.copytree(ROOT / "seeds" / "settings", folder)
    path = folder / "digest_trails.csv"
    path.write_text("".join(line for line in path.open() if ",111122223333," not in line))
    return folder


@pytest.fixture(scope="session")
def sample_days(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> SampleDays:
    """What was done to the sample days, and what all of it left. The evidence of the athena target lies in S3."""
    home = tmp_path_factory.mktemp("sample")
    logs, damaged_file = sample_logs(home)
    on_athena, on_local = OnAthena.new(local_athena, home / "on-athena"), Checkout.of(home / "on-local")
    settings = settings_of_one_account(home / "settings")
    local_athena.upload(logs, on_athena.place.log_bucket)
    built = on_athena.dbt("build", "--vars", f"{{run_date: {DAY}}}")
    queries_of_build = on_athena.queries()
    docs = on_athena.dbt("docs", "generate", "--vars", f"{{run_date: {DAY}}}")
    on_athena, settings = deployed(on_athena, settings)
    due = ("run", "--since", DAYS[0], "--settings", str(settings))
    killed = {step: on_athena.interrupted(step, *due, "--max-days", "1", **MODELS_ALONE) for step in KILLS}
    with on_athena.with_log_file(ONLY_ATHENA_FAILS, {"eventName": "CreateUser", "eventname": "ListUsers"}):
        step = "set_latest:before"
        killed[step] = on_athena.interrupted(step, *due, "--max-days", "1", **MODELS_ALONE)
        left_out = on_athena.evidence(WITHOUT_A_REGION)
    with on_athena.without_logs_of(DAY):
        before = on_athena.all_rows()
        step = "seal:before"
        of_day = ("run", "--run-date", DAY, "--settings", str(settings))
        killed[step] = on_athena.interrupted(step, *of_day, **MODELS_ALONE)
        partitions = {relation: on_athena.days_of(relation) for relation in before}
        emptied = Emptied(before, on_athena.all_rows(), partitions, on_athena.keys_of_tables())
    keys = ("--public-keys", str(logs / "public_keys.json"))
    undisturbed = on_local.ended(killing("never", TODAY, *due, "--logs", str(logs), *keys), NO_TESTS)
    first_query = len(on_athena.queries())
    local_athena.faults.throttle("StartQueryExecution", times=3)
    local_athena.faults.throttle("GetQueryExecution", times=2)
    reviewed, second = on_athena.review_while_another_does(*due, **MODELS_ALONE)
    throttled = local_athena.faults.refused
    queries_of_review = on_athena.queries()[first_query:]
    rows = {relation: (local_rows(on_local, relation), on_athena.rows(relation)) for relation in RELATIONS}
    evidence = {run_date: on_athena.evidence(run_date) for run_date in DAYS}
    seen = {day: sha256(evidence[day]["manifest.json"]).hexdigest() for day in (DAMAGED, WITHOUT_A_REGION)}
    signed = [
        on_athena.interrupted("never", "sign-off", day, "--manifest", manifest, *SIGNATURE)
        for day, manifest in seen.items()
    ]
    killed["notify:before"] = on_athena.interrupted("notify:before", *due)
    status, verified = (on_athena.interrupted("never", command) for command in ("status", "verify"))
    return SampleDays(
        on_athena, on_local, damaged_file, built, docs, killed, left_out, emptied, undisturbed, reviewed, second, rows,
        queries_of_build, queries_of_review, evidence, throttled, signed, status, verified,
    )  # fmt: skip
