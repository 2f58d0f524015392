"""Evidence that version 0.3.0 sealed (manifests of format 1): it verifies, is shown, and can be signed."""

from __future__ import annotations

import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from pci_log_review.evidence.chain import records
from pci_log_review.evidence.history import due_days, history
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.sealed import read_day
from pci_log_review.evidence.sign_off import parse_decision, sign_off
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.evidence.verify import verify
from pci_log_review.pages.days import report_of

# 2026-03-10 and 2026-03-11 of the sample logs, the second incomplete and signed
FORMAT_1 = Path(__file__).parent / "fixtures" / "format_1.tar.xz"
COMPLETE, INCOMPLETE = date(2026, 3, 10), date(2026, 3, 11)


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    with tarfile.open(FORMAT_1) as archive:
        archive.extractall(tmp_path, filter="data")
    return open_evidence(str(tmp_path / "evidence"))


def test_it_verifies_and_nothing_is_due(store: EvidenceStore) -> None:
    verified = verify(store, None, None, INCOMPLETE)
    assert (verified.runs, verified.sign_offs, verified.files, verified.faults) == (2, 1, 118, [])
    assert due_days(store, COMPLETE, INCOMPLETE, 31).days == []


def test_it_is_shown_with_its_signature(store: EvidenceStore) -> None:
    complete, incomplete = history(store, COMPLETE, INCOMPLETE)
    assert (complete.state, complete.is_signed, incomplete.state, incomplete.is_signed) == (
        "complete",
        False,
        "incomplete",
        True,
    )
    review, findings = read_day(store, complete)
    assert len(review) == 10
    assert sum(len(list(rows)) for rows in findings.values()) == 202


def test_it_gets_a_page(store: EvidenceStore) -> None:
    [known] = history(store, COMPLETE, COMPLETE)
    page = report_of(store, known, records(store.keys())).decode()
    assert "This page is not sealed (the day has none that is)." in page
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
