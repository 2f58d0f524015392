"""What a run makes of what its parts tell: no part's fault is lost on the way to the exit code and the evidence.

Neither dbt nor the logs are there: what they would tell is given, and everything above them runs as it is.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pytest
from tests.checkout import ROOT
from tests.evidence.sealed_days import day, seal

from pci_log_review.cloudtrail.expected import ToProve
from pci_log_review.cloudtrail.store import open_store
from pci_log_review.evidence.chain import LATEST, begin_chain, records
from pci_log_review.evidence.folder import FolderEvidence
from pci_log_review.evidence.history import Due, due_days, history
from pci_log_review.evidence.manifest import Conclusion, State
from pci_log_review.evidence.store import EvidenceError, Locked
from pci_log_review.evidence.verify import verify
from pci_log_review.review import day as review
from pci_log_review.review import run as running
from pci_log_review.review.day import Exit, Reviewed
from pci_log_review.review.options import EvidencePlace, Run, RunOptions, open_run
from pci_log_review.review.run import Outcome, run_days
from pci_log_review.warehouse.dbt import DbtResult, Node
from pci_log_review.warehouse.inventory import Inventory, list_day
from pci_log_review.warehouse.results import Summary


class Silent:
    """A reporter that says nothing."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


class GivenDbt:
    """What dbt would tell of each day."""

    def __init__(self, built: DbtResult, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._built, self._meanwhile = built, meanwhile

    def build(self, *_: object) -> DbtResult:
        self._meanwhile()
        return self._built


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run over the sample logs, which are not read, with a copy of the sample's settings."""
    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    settings = shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    monkeypatch.setattr(review, "take_inventory", lambda *_: Inventory([], ""))
    monkeypatch.setattr(review, "write_inventory", lambda *_: None)
    monkeypatch.setattr(running, "Dbt", no_dbt)
    place = EvidencePlace(str(tmp_path / "evidence"))
    options = RunOptions(str(ROOT / "sample_logs"), "local", place, settings=settings, state=tmp_path / "state")
    return open_run(options)


@contextmanager
def no_dbt(*_: object) -> Iterator[None]:
    """In place of a dbt that starts and is never asked."""
    yield None


def node(name: str, status: str, kind: str = "model", message: str = "", tests: frozenset[str] = frozenset()) -> Node:
    return Node(f"{kind}.{name}", name, kind, status, 0.1, 3, message, tests, "", f"What {name} asks", frozenset())


def reviewed(state: State, number: int = 1) -> Reviewed:
    gaps = [] if state is State.COMPLETE else ["A gap"]
    return Reviewed(Conclusion(day(number), state, gaps, "", {}, {}), "evidence", "ab" * 32)


COMPLETE, INCOMPLETE, FAILED = map(reviewed, (State.COMPLETE, State.INCOMPLETE, State.FAILED))


@pytest.mark.parametrize(
    ("days", "reasons", "code", "summary"),
    [
        ([], [], Exit.COMPLETE, "nothing is due"),
        ([COMPLETE], [], Exit.COMPLETE, "complete"),
        ([INCOMPLETE], [], Exit.INCOMPLETE, "INCOMPLETE"),
        ([FAILED], [], Exit.FAILED, "FAILED"),
        ([COMPLETE, COMPLETE], [], Exit.COMPLETE, "2 complete"),
        ([INCOMPLETE, COMPLETE], [], Exit.INCOMPLETE, "1 incomplete, 1 complete"),
        ([INCOMPLETE, FAILED], [], Exit.FAILED, "1 failed, 1 incomplete"),
        ([FAILED, INCOMPLETE, COMPLETE], [], Exit.FAILED, "1 failed, 1 incomplete, 1 complete"),
        ([], ["no space left"], Exit.FAILED, "FAILED"),
        ([COMPLETE], ["no space left"], Exit.FAILED, "FAILED"),
        ([INCOMPLETE, COMPLETE], ["no space left"], Exit.FAILED, "FAILED"),
    ],
)
def test_a_run_ends_as_its_worst_day_and_as_failed_where_it_ended_early(
    days: list[Reviewed], reasons: list[str], code: Exit, summary: str
) -> None:
    outcome = Outcome(days, 0, reasons)
    assert (outcome.exit, outcome.summary) == (code, summary)


def sealing(monkeypatch: pytest.MonkeyPatch, *states: State | Exception) -> list[date]:
    """Has each day end as is said, sealed as a review seals it; returns the days that were begun."""
    left, begun = list(states), list[date]()

    def review_day(run: Run, _: object, run_date: date, *__: object) -> Reviewed:
        begun.append(run_date)
        ended = left.pop(0)
        if isinstance(ended, Exception):
            raise ended
        seal(run.evidence, run_date, ended)
        return reviewed(ended, run_date.day)

    monkeypatch.setattr(running, "review_day", review_day)
    return begun


def days_of(run: Run, *numbers: int, left: int = 0) -> Outcome:
    done: list[Reviewed] = []
    return run_days(run, lambda: Due([day(number) for number in numbers], left, day(1)), Silent(), done)


def test_a_day_that_fails_does_not_hold_up_the_others(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = sealing(monkeypatch, State.FAILED, State.INCOMPLETE, State.COMPLETE)
    outcome = days_of(run, 1, 2, 3, left=4)
    assert begun == [day(1), day(2), day(3)]
    assert (outcome.exit, outcome.summary, outcome.left) == (1, "1 failed, 1 incomplete, 1 complete", 4)


def test_evidence_that_cannot_be_written_after_one_sealed_day_ends_the_run_and_that_day_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = sealing(monkeypatch, State.COMPLETE, EvidenceError("evidence: no space left"), State.COMPLETE)
    outcome = days_of(run, 1, 2, 3, left=4)
    assert begun == [day(1), day(2)]
    assert [done.conclusion.run_date for done in outcome.days] == [day(1)]
    assert (outcome.exit, outcome.reasons, outcome.left) == (1, ["evidence: no space left"], 6)
    assert verify(run.evidence, day(1), day(1), day(1)).faults == []


def test_evidence_that_is_not_as_it_was_sealed_makes_the_run_fail_and_the_days_are_reviewed_all_the_same(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = run.evidence
    manifest = f"{seal(store, day(1), State.INCOMPLETE)}/manifest.json"
    seal(store, day(2))
    content = json.loads(store.read(manifest))
    store.write(manifest, json.dumps(content | {"state": "complete", "gaps": []}).encode())
    sealing(monkeypatch, State.COMPLETE)
    outcome = run_days(run, lambda: due_days(store, None, day(2), 31), Silent(), [])
    told = f"evidence: not as it was sealed: {manifest} was changed after it was sealed: the chain names another hash"
    assert outcome.reasons[0] == told
    assert (outcome.exit, [done.conclusion.run_date for done in outcome.days]) == (1, [day(1)])
    outcome = run_days(run, lambda: Due([], 0, day(1)), Silent(), [])
    assert (outcome.exit, outcome.reasons[0]) == (1, told), "also where nothing is due"


def test_a_held_lock_of_the_state_keeps_the_run_from_beginning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = sealing(monkeypatch, State.COMPLETE)
    with FolderEvidence(str(run.state)).lock(), pytest.raises(Locked, match=f"holds the lock of {run.state}"):
        days_of(run, 1)
    assert begun == []
    assert records(run.evidence.keys()) == []


def test_a_held_lock_of_the_evidence_keeps_the_run_from_beginning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = sealing(monkeypatch, State.COMPLETE)
    with run.evidence.lock(), pytest.raises(Locked, match=f"holds the lock of {run.evidence.where}"):
        days_of(run, 1)
    assert begun == []


def test_a_lock_that_was_lost_while_the_day_was_reviewed_keeps_it_from_being_sealed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(_: object) -> NoReturn:
        raise EvidenceError("evidence: this run lost the lock to another run")

    monkeypatch.setattr(FolderEvidence, "check_lock", lost)
    outcome = days_of(run, 1, 2)
    assert (outcome.exit, outcome.days, outcome.left) == (1, [], 2)
    assert outcome.reasons == ["evidence: this run lost the lock to another run"]
    assert run.evidence.keys() == [LATEST]


def review_with(run: Run, built: DbtResult, meanwhile: Callable[[], object] = lambda: None) -> list[str]:
    """Why the day failed."""
    with run.evidence.lock():
        begin_chain(run.evidence)
        dbt: Any = GivenDbt(built, meanwhile)
        done = review.review_day(run, dbt, day(1), lambda _: None)
    assert done.is_failed
    assert [known.state for known in history(run.evidence, day(1), day(1))] == ["failed"]
    assert verify(run.evidence, None, None, day(1)).faults == []
    return done.conclusion.gaps


MODELS = frozenset({"findings", "daily_review"})
ALL_BUILT = [node("findings", "success"), node("daily_review", "success")]


@pytest.mark.parametrize("status", ["skipped", "no-op", "partial success", "error", "fail"])
def test_a_model_that_was_not_built_fails_the_day(run: Run, status: str) -> None:
    built = DbtResult("id", 1.0, [node("findings", status, message="why"), ALL_BUILT[1]], MODELS)
    [reason] = review_with(run, built)
    assert reason == ("findings: why" if status == "error" else "dbt did not build findings")


def test_a_model_of_which_nothing_is_told_fails_the_day_and_a_failed_test_is_told_with_it(run: Run) -> None:
    built = DbtResult("id", 1.0, [ALL_BUILT[0], node("a_test", "fail", "test")], MODELS)
    assert review_with(run, built) == ["test failed: a test (3 rows)", "dbt did not build daily_review"]


def test_settings_that_were_swapped_where_dbt_reads_them_fail_the_day(run: Run) -> None:
    def swap() -> None:
        path = run.settings / "trail_scope.csv"
        path.write_text(path.read_text().splitlines()[0] + "\n")

    built = DbtResult("id", 1.0, ALL_BUILT, MODELS)
    assert review_with(run, built, swap) == [
        "seeds/settings/trail_scope.csv was changed in this run's private folder while it ran: run it again"
    ]


def test_settings_that_the_user_changes_meanwhile_are_not_used(run: Run, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in (tmp_path / "settings").glob("*.csv")}
    for path in (tmp_path / "settings").iterdir():
        path.write_text("swapped\n")
    run.snapshot.write(tmp_path / "sealed")
    assert {path.name: path.read_bytes() for path in (tmp_path / "sealed" / "settings").iterdir()} == before
    assert run.snapshot.altered() == []
    assert run.to_prove(date(2026, 3, 11)).trails, "which digest_trails.csv names"


ROW = {
    "requirement": "10.2.1.4",
    "asks": "Refused calls",
    "result": "findings",
    "findings": 3,
    "unexpected_findings": 2,
    "expected_findings": 1,
    "regions_with_logs": 1,
    "regions_in_scope": 2,
    "log_files": 1,
    "events": 9,
    "settings_gap": None,
}
COVERAGE = pa.schema(
    [(name, pa.string()) for name in ("account_id", "region", "gap")]
    + [("in_scope", pa.bool_()), ("log_files", pa.int64())]
)
FILES = pa.schema(
    [(name, pa.string()) for name in ("log_file", "kind", "account_id", "region", "problem", "integrity_fault")]
)


def gaps(run: Run, row: dict[str, Any], built: list[Node], coverage: list[Any], files: list[Any]) -> list[str]:
    nothing = pa.table({})
    tables = pa.Table.from_pylist(coverage, COVERAGE), pa.Table.from_pylist(files, FILES)
    return review._gaps(run, Summary(nothing, *tables, nothing, nothing), [row], DbtResult("id", 1.0, built, MODELS))


HERE = {"account_id": "111122223333", "region": "us-east-1", "in_scope": True, "log_files": 0, "gap": None}


@pytest.mark.parametrize(
    ("row", "built", "coverage", "files", "told"),
    [
        ({}, [], [], [], []),
        ({"regions_in_scope": 0}, [], [], [], ["trail_scope is empty: nothing was reviewed"]),
        ({"settings_gap": "is empty"}, [], [], [], ["10.2.1.4 is not configured: is empty"]),
        (
            {},
            [node("t", "fail", "test", tests=frozenset({"findings"}))],
            [],
            [],
            ["test failed: t (3 rows of findings)"],
        ),
        ({}, [node("t", "warn", "test")], [], [], []),
        ({}, [], [HERE | {"gap": "no logs"}], [], ["111122223333 us-east-1: no logs"]),
        (
            {},
            [],
            [HERE | {"gap": "1 of 1 log files could not be reviewed whole"}],
            [{**HERE, "log_file": "a", "kind": "log", "problem": "is cut off"}],
            ["111122223333 us-east-1: 1 of 1 log files could not be reviewed whole", "a is cut off"],
        ),
        ({}, [], [], [{**HERE, "log_file": "a", "kind": "digest", "integrity_fault": "is gone"}], ["a is gone"]),
    ],
)
def test_what_is_missing_makes_the_day_incomplete(
    run: Run, row: dict[str, Any], built: list[Node], coverage: list[Any], files: list[Any], told: list[str]
) -> None:
    found = gaps(run, ROW | row, built, coverage, files)
    assert found == told
    state = review._conclusion(day(1), [ROW | row], found, "", "", []).state
    assert state is (State.INCOMPLETE if told else State.COMPLETE)


def test_where_there_were_no_logs_nothing_is_counted() -> None:
    rows = [ROW, ROW | {"requirement": "10.2.1.5", "result": "no logs", "findings": 0, "unexpected_findings": 0}]
    told = review._conclusion(day(1), rows, ["no logs"], "proven", "not proven", ["a note"])
    assert (told.findings, told.unexpected_findings) == ({"10.2.1.4": 3}, {"10.2.1.4": 2})
    assert (told.integrity, told.not_proven, told.notes) == ("proven", "not proven", ["a note"])


def test_a_test_counts_as_passed_where_it_passed_or_failed_for_other_requirements_alone() -> None:
    tests = [node(status, status, "test", tests=frozenset({"findings"})) for status in ("pass", "fail", "skipped")]
    built = DbtResult("id", 1.0, [*ALL_BUILT, *tests, node("other", "fail", "test")], MODELS)
    rows = [ROW, ROW | {"requirement": "10.2.1.5"}]
    found = review._found(rows, built, {"test.fail": {"10.2.1.5": 1}})
    counted = [(line.requirement, line.tests, line.tests_passed) for line in found["requirements"]]
    assert counted == [("10.2.1.4", 3, 2), ("10.2.1.5", 3, 1)], "a skipped test has not passed"
    assert [found[name] for name in ("regions_with_logs", "regions_in_scope", "log_files", "events")] == [1, 2, 1, 9]


def test_no_log_file_is_proven_where_there_are_no_digests(tmp_path: Path) -> None:
    logs = shutil.copytree(ROOT / "sample_logs", tmp_path / "logs", ignore=shutil.ignore_patterns("CloudTrail-Digest"))
    found = list_day(open_store(str(logs)), date(2026, 3, 10), lambda _: None, ToProve())
    assert len([file for file in found.files if file.kind == "log"]) == 19
    assert not any(file.is_proven for file in found.files)


def test_no_log_file_is_proven_by_digests_whose_signatures_nobody_can_check() -> None:
    found = list_day(open_store(str(ROOT / "sample_logs")), date(2026, 3, 10), lambda _: None, ToProve())
    assert any(file.kind == "digest" for file in found.files)
    assert not any(file.is_proven for file in found.files)
