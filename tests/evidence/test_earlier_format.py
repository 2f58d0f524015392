"""Evidence that earlier versions sealed: it verifies, is shown, and can be signed.

Each has the sample's 2026-03-10 and 2026-03-11, the second incomplete and signed.
"""

from __future__ import annotations

import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from pci_log_review.evidence.chain import records
from pci_log_review.evidence.history import due_days, history
from pci_log_review.evidence.manifest import FORMAT
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.sealed import read_day
from pci_log_review.evidence.sign_off import parse_decision, sign_off
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.evidence.verify import verify
from pci_log_review.pages.days import report_of

FIXTURES = Path(__file__).parent / "fixtures"
# Of each form of manifests: how many files are sealed, the first day's findings, and what is said of its page
SEALED = {
    "format_1": (118, 202, "This page is not sealed (the day has none that is)."),  # version 0.3.0
    "format_2": (132, 203, "This page is not sealed"),  # version 0.4.0
}
COMPLETE, INCOMPLETE = date(2026, 3, 10), date(2026, 3, 11)


@pytest.fixture(params=SEALED)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(form: str, tmp_path: Path) -> EvidenceStore:
    with tarfile.open(FIXTURES / f"{form}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return open_evidence(str(tmp_path / "evidence"))


def test_evidence_of_each_form_is_kept() -> None:
    assert {path.name for path in FIXTURES.glob("format_*")} == {f"{form}.tar.xz" for form in SEALED}
    assert f"format_{FORMAT}" in SEALED, "keep evidence of the form that is released"


def test_it_verifies_and_nothing_is_due(form: str, store: EvidenceStore) -> None:
    verified = verify(store, None, None, INCOMPLETE)
    assert (verified.runs, verified.sign_offs, verified.files, verified.faults) == (2, 1, SEALED[form][0], [])
    assert due_days(store, COMPLETE, INCOMPLETE, 31).days == []


def test_it_is_shown_with_its_signature(form: str, store: EvidenceStore) -> None:
    complete, incomplete = history(store, COMPLETE, INCOMPLETE)
    assert (complete.state, complete.is_signed, incomplete.state, incomplete.is_signed) == (
        "complete",
        False,
        "incomplete",
        True,
    )
    review, findings = read_day(store, complete)
    assert len(review) == 10
    assert sum(len(list(rows)) for rows in findings.values()) == SEALED[form][1]


def test_it_gets_a_page(form: str, store: EvidenceStore) -> None:
    [known] = history(store, COMPLETE, COMPLETE)
    page = report_of(store, known, records(store.keys())).decode()
    assert SEALED[form][2] in page
    assert "100 findings of" in page


def test_it_can_be_signed(store: EvidenceStore) -> None:
    [known] = history(store, COMPLETE, COMPLETE)
    assert known.manifest
    sign_off(store, known, known.manifest.sha256, "A. Person", [parse_decision("all=expected: as every day")], None)
    assert history(store, COMPLETE, COMPLETE)[0].is_signed
    assert verify(store, None, None, INCOMPLETE).faults == []


def test_what_is_changed_in_it_is_found(store: EvidenceStore) -> None:
    [known] = history(store, COMPLETE, COMPLETE)
    assert known.manifest
    path = known.manifest.record.path
    content = json.loads(store.read(path))
    store.write(path, json.dumps(content | {"integrity": "integrity proven"}).encode())
    told = f"{path}: was changed after it was sealed: the chain names another hash"
    assert [str(fault) for fault in verify(store, None, None, INCOMPLETE).faults] == [told]
    assert due_days(store, COMPLETE, INCOMPLETE, 31).days == [COMPLETE]
