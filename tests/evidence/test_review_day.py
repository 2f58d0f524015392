"""Whatever goes wrong in a day's review, it is sealed as failed."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from pci_log_review import review
from pci_log_review.chain import begin_chain
from pci_log_review.evidence_store import EvidenceStore
from pci_log_review.history import history
from pci_log_review.project import RunOptions

from .sealed_days import day


def test_a_review_that_ends_in_a_way_that_nobody_foresaw_is_sealed_as_failed(
    store: EvidenceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> NoReturn:
        raise ValueError("year 0 is out of range")

    monkeypatch.setattr(review, "take_inventory", unforeseen)
    options = RunOptions(day(1), str(tmp_path), "local", tmp_path, tmp_path / "state")
    with store.lock():
        begin_chain(store)
        sealed = review.review_day(options, store, (), lambda _: None)
    assert sealed.reasons == ["ValueError: year 0 is out of range"]
    assert [known.state for known in history(store, None, day(1))] == ["failed"]
