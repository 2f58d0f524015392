"""What `status` tells of each day."""

from __future__ import annotations

import pytest

from pci_log_review.console.reporter import TextReporter, print_status
from pci_log_review.evidence.history import history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.review.run import Outcome

from .sealed_days import day, seal


def test_nothing_is_said_to_be_reviewed_where_the_run_could_not_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    TextReporter().ended(Outcome([], 1, ["evidence: no space left"]))
    assert "Nothing is due" not in capsys.readouterr().out
    TextReporter().ended(Outcome([], 0, []))
    assert "Nothing is due" in capsys.readouterr().out


def test_no_findings_no_logs_and_no_review_are_told_apart(
    store: EvidenceStore, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(store, day(1))
    seal(store, day(2), State.INCOMPLETE, {})
    seal(store, day(3), State.FAILED, {})
    seal(store, day(4), unexpected={"10.2.1.4": 2, "10.2.1.6": 1})
    print_status(history(store, None, day(5)))
    rows = [line.split("│")[1:4] for line in capsys.readouterr().out.splitlines() if "2026-03-" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["2026-03-01", "complete", "0"],
        ["2026-03-02", "incomplete", "no logs"],
        ["2026-03-03", "failed", ""],
        ["2026-03-04", "complete", "3"],
        ["2026-03-05", "missing", ""],
    ]
