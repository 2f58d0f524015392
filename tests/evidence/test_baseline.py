"""What the last sealed review had and this one has not is a gap, until a line of the settings says why."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.cloudtrail.digests import TrailDigests
from pci_log_review.cloudtrail.expected import ExpectedTrail, ToProve
from pci_log_review.common import clock
from pci_log_review.common.project import requirements
from pci_log_review.evidence.chain import MANIFEST, begin_chain, last_link, link, new_id, records, set_latest
from pci_log_review.evidence.manifest import Conclusion, State, write_manifest
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.review import baseline as baseline_of
from pci_log_review.review.baseline import BASELINE, Baseline, compare
from pci_log_review.settings.scope import catalogue_regions

from .sealed_days import PROJECT, day, write_tables

TODAY = date(2026, 3, 20)
TRAIL = TrailDigests("main_us-east-1", "AWSLogs/111122223333", "111122223333", "us-east-1", None, 24, 24, 0, True)
GONE = "main_us-east-1 AWSLogs/111122223333 us-east-1"
REGIONS = catalogue_regions(ROOT)
CATALOGUE = ROOT / "seeds" / "catalogue"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(clock, "today", lambda: TODAY)
    return Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return open_evidence(str(tmp_path / "evidence"))


def review(
    store: EvidenceStore,
    settings: Path,
    number: int = 10,
    trails: tuple[TrailDigests, ...] = (),
    to_prove: ToProve | None = None,
    *,
    catalogue: Path = CATALOGUE,
    state: State = State.COMPLETE,
    keeps: bool = True,
) -> list[str]:
    """Compares and seals a day, as a run does; returns the gaps. A run that failed, or of an earlier version, keeps no
    baseline."""
    begin_chain(store)
    known = records(store.keys())
    found = compare(store, known, settings, catalogue, REGIONS, day(number), list(trails), to_prove or ToProve())
    seal(store, settings, number, found if keeps else None, state, catalogue)
    return found.gaps


def seal(
    store: EvidenceStore, settings: Path, number: int, baseline: Baseline | None, state: State, catalogue: Path
) -> None:
    known = records(store.keys())
    run_id = new_id(known)
    folder = f"{day(number)}/{run_id}"
    with store.staging(folder) as staged:
        if state is not State.FAILED:
            shutil.copytree(settings, staged / "settings")
            if baseline:
                baseline.write(staged)
                (staged / "catalogue").mkdir()
                for path in catalogue.glob("*.csv"):
                    (staged / "catalogue" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
        write_tables(staged)
        (staged / "findings").mkdir()
        for name in ("daily_review.csv", "findings/10.2.1.4.csv", "run.json"):
            (staged / name).write_text("")
        gaps = [] if state is State.COMPLETE else ["A gap"]
        conclusion = Conclusion(day(number), state, gaps, "", {}, {})
        content = write_manifest(staged, run_id, conclusion, last_link(store, known), None, PROJECT)
        store.publish(staged, folder, MANIFEST)
    set_latest(store, link(f"{folder}/{MANIFEST}", content))


def drop(settings: Path, name: str, part: str) -> None:
    path = settings / f"{name}.csv"
    kept = [line for line in path.read_text().splitlines(keepends=True) if part not in line]
    path.write_text("".join(kept))


def say_why(settings: Path, line: str) -> None:
    with (settings / "settings_changes.csv").open("a") as file:
        file.write(f"{line}\n")


def test_the_first_review_and_one_with_the_same_settings_have_nothing_to_explain(
    store: EvidenceStore, settings: Path
) -> None:
    assert review(store, settings) == []
    drop(settings, "expected_activity", "GetObject")
    assert review(store, settings, 11) == [], "what is expected no longer is seen by the reviewer"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "gone"),
    [
        ("cardholder_data_stores", "payment-tokens", "dynamodb.amazonaws.com payment-tokens"),
        ("audit_log_stores", "logs.amazonaws.com", "logs.amazonaws.com aws-cloudtrail-logs-example-pay"),
        ("digest_trails", "444455556666,eu-west-1", "example-pay-trail us-east-1 444455556666 eu-west-1 2026-03-10"),
        ("trail_scope", "444455556666", "444455556666 *"),
        ("trail_scope", "security,eu-west-1", "444455556666 eu-west-1 daily"),
    ],
)
def test_a_line_that_is_lost_is_a_gap_each_day_until_a_person_says_why(
    store: EvidenceStore, settings: Path, name: str, part: str, gone: str
) -> None:
    review(store, settings)
    drop(settings, name, part)
    for number in (11, 12, 10):
        [gap] = review(store, settings, number, state=State.INCOMPLETE)
        assert gap.startswith(
            f"settings: {name}.csv no longer has '{gone}', as it had in the review sealed on 2026-03-20"
        )
        assert gap.endswith(f"as in 2026-03-20,{name},{gone},why,who")
    say_why(settings, f"2026-03-19,{name},{gone},too early,me")
    assert review(store, settings, 13, state=State.INCOMPLETE)
    say_why(settings, f"2026-03-20,{name},{gone},it is closed,me")
    assert review(store, settings, 14) == []
    drop(settings, "settings_changes", gone)
    assert review(store, settings, 15) == [], "it was said and sealed once"


def test_what_came_back_and_is_lost_again_wants_a_new_reason(
    store: EvidenceStore, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review(store, settings)
    before = (settings / "audit_log_stores.csv").read_text()
    drop(settings, "audit_log_stores", "logs.amazonaws.com")
    say_why(settings, "2026-03-20,audit_log_stores,*,moved,me")
    assert review(store, settings, 11) == []
    (settings / "audit_log_stores.csv").write_text(before)
    monkeypatch.setattr(clock, "today", lambda: date(2026, 3, 25))
    assert review(store, settings, 12) == []
    drop(settings, "audit_log_stores", "logs.amazonaws.com")
    assert len(review(store, settings, 13)) == 1


def test_a_run_that_failed_makes_nothing_forgotten(store: EvidenceStore, settings: Path) -> None:
    review(store, settings)
    drop(settings, "audit_log_stores", "logs.amazonaws.com")
    review(store, settings, 11, state=State.FAILED)
    assert len(review(store, settings, 11)) == 1


def test_evidence_of_an_earlier_version_is_compared_by_its_sealed_settings(
    store: EvidenceStore, settings: Path
) -> None:
    review(store, settings, keeps=False)
    drop(settings, "audit_log_stores", "logs.amazonaws.com")
    assert len(review(store, settings, 11)) == 1


def test_a_file_that_has_another_form_since_is_one_gap(store: EvidenceStore, settings: Path) -> None:
    review(store, settings)
    path = settings / "administrators.csv"
    path.write_text("".join(f"{number},{line}" for number, line in enumerate(path.open())))
    [gap] = review(store, settings, 11)
    assert gap.startswith(
        "settings: administrators.csv no longer has any of the lines that it had in the review sealed"
    )
    assert gap.endswith("as in 2026-03-20,administrators,*,why,who")
    say_why(settings, "2026-03-20,administrators,*,another form,me")
    assert review(store, settings, 12) == []


def test_a_baseline_that_was_changed_since_is_a_gap(store: EvidenceStore, settings: Path) -> None:
    review(store, settings)
    [path] = Path(store.where).glob(f"*/*/{BASELINE}")
    path.write_text("[]\n")
    [gap] = review(store, settings, 11)
    assert "was changed after it was sealed; run pci-log-review verify" in gap


def test_digests_that_were_there_on_an_earlier_day_and_are_not_on_this_one_are_a_gap(
    store: EvidenceStore, settings: Path
) -> None:
    assert review(store, settings, 10, (TRAIL,)) == []
    assert review(store, settings, 9) == [], "they may have begun later"
    for number in (11, 12):
        [gap] = review(store, settings, number)
        assert gap.startswith(f"digests: none of {GONE}, which were there on 2026-03-10; ")
    [gap] = review(store, settings, 13, (replace(TRAIL, is_trusted=False),))
    assert gap.startswith(f"digests: none of {GONE}")
    say_why(settings, f"2026-03-10,digests,{GONE},moved,me")
    assert review(store, settings, 14) == []


def test_digests_that_are_expected_are_told_by_their_own_check(store: EvidenceStore, settings: Path) -> None:
    review(store, settings, 10, (TRAIL,))
    trail = ExpectedTrail("main", "us-east-1", "111122223333", "us-east-1", day(1))
    assert review(store, settings, 11, (), ToProve((trail,))) == []
    assert len(review(store, settings, 12)) == 1, "they are not forgotten for that"


def test_an_organizations_trail_that_is_gone_is_not_replaced_by_one_of_the_same_name_in_an_account(
    store: EvidenceStore, settings: Path
) -> None:
    review(store, settings, 10, (replace(TRAIL, folder="AWSLogs/o-a1b2c3d4e5/111122223333"),))
    assert len(review(store, settings, 11, (TRAIL,))) == 1


def test_what_is_kept_is_readable(store: EvidenceStore, settings: Path) -> None:
    review(store, settings, 10, (TRAIL,))
    [path] = Path(store.where).glob(f"*/*/{BASELINE}")
    lines = json.loads(path.read_text())
    assert {"setting": "digests", "line": GONE, "last_seen": "2026-03-10"} in lines
    assert {"setting": "trail_scope", "line": "444455556666 us-east-1 daily", "last_seen": "2026-03-20"} in lines


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CATALOGUE, tmp_path / "catalogue"))


def test_lines_that_the_catalogue_lost_are_one_gap_each_day_until_a_person_says_why(
    store: EvidenceStore, settings: Path, catalogue: Path
) -> None:
    assert review(store, settings, catalogue=catalogue) == []
    drop(catalogue, "reviewed_events", ",cloudtrail.amazonaws.com,")
    lost = len((CATALOGUE / "reviewed_events.csv").read_text().splitlines()) - len(
        (catalogue / "reviewed_events.csv").read_text().splitlines()
    )
    assert lost > 20
    for number in (11, 12, 10):
        [gap] = review(store, settings, number, catalogue=catalogue, state=State.INCOMPLETE)
        assert gap.startswith("what is reviewed: reviewed_events no longer has '10.2.1.3 cloudtrail.amazonaws.com ")
        assert f" and {lost - 3} more, as it had in the review sealed on 2026-" in gap
        assert gap.endswith("as in 2026-03-20,reviewed_events,*,why,who")
    say_why(settings, "2999-01-01,reviewed_events,*,another version,me")
    assert review(store, settings, 13, catalogue=catalogue) == []
    drop(settings, "settings_changes", "reviewed_events")
    assert review(store, settings, 14, catalogue=catalogue) == [], "it was said and sealed once"


@pytest.mark.parametrize(
    ("name", "old", "new", "gone"),
    [
        ("reviewed_events", ",StopLogging,always,", ",StopLogging,listed stores,", "StopLogging always"),
        ("reviewed_events", ",StopLogging,", ",StopLogged,", "StopLogging always"),
        ("reviewed_changes", " manageMasterUserPassword ", " ", "domainIAMRoleName"),
        ("refusal_error_codes", "%AccessDenied%,", "%AccessDeniedTwice%,", "%AccessDenied%"),
    ],
)
def test_a_line_of_the_catalogue_that_says_less_is_lost_and_one_with_another_title_is_not(
    store: EvidenceStore, settings: Path, catalogue: Path, name: str, old: str, new: str, gone: str
) -> None:
    review(store, settings, catalogue=catalogue)
    path = catalogue / f"{name}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace("Stop a trail", "End a trail").replace(old, new))
    [gap] = review(store, settings, 11, catalogue=catalogue)
    assert gap.startswith(f"what is reviewed: {name} no longer has '")
    assert f"{gone}', as it had in the review sealed on" in gap


def test_a_requirement_that_is_no_longer_reviewed_is_a_gap(
    store: EvidenceStore, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review(store, settings)
    monkeypatch.setattr(baseline_of, "requirements", lambda: requirements()[1:])
    [gap] = review(store, settings, 11)
    assert gap.startswith("what is reviewed: requirements no longer has '10.2.1.1', as it had")
