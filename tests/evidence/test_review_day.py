"""Whatever goes wrong in a day's review, it is sealed as failed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest
from tests.checkout import ROOT

from pci_log_review.evidence.chain import begin_chain
from pci_log_review.evidence.history import history
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.review import day as review
from pci_log_review.review.options import EvidencePlace, RunOptions, open_run
from pci_log_review.warehouse.dbt import Dbt

from .sealed_days import day


def test_a_review_that_ends_in_a_way_that_nobody_foresaw_is_sealed_as_failed(
    store: EvidenceStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unforeseen(*_: object) -> NoReturn:
        raise ValueError("year 0 is out of range")

    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    monkeypatch.setattr(review, "take_inventory", unforeseen)
    place = EvidencePlace(str(tmp_path / "evidence"))
    options = RunOptions(str(ROOT / "sample_logs"), "local", place, state=tmp_path / "state")
    run = replace(open_run(options), evidence=store)
    with store.lock():
        begin_chain(store)
        reviewed = review.review_day(run, Dbt(run.dbt, ()), day(1), lambda _: None)
    assert reviewed.conclusion.gaps == ["ValueError: year 0 is out of range"]
    assert reviewed.is_failed
    assert [known.state for known in history(store, None, day(1))] == ["failed"]
