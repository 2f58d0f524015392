"""What `status` tells of each day."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pci_log_review.console.reporter import JsonReporter, TextReporter, print_status, print_verified
from pci_log_review.evidence.history import due_days, history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.evidence.verify import verify
from pci_log_review.review.run import Outcome
from pci_log_review.warehouse.dbt import Progress

from .sealed_days import day, seal, seal_named


def test_nothing_is_said_to_be_reviewed_where_the_run_could_not_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    TextReporter().ended(Outcome([], 1, ["evidence: no space left"]))
    assert "Nothing is due" not in capsys.readouterr().out
    TextReporter().ended(Outcome([], 0, []))
    assert "Nothing is due" in capsys.readouterr().out


def test_machines_are_told_when_and_how_grave_and_of_progress_only_on_demand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress(1, 2, "model", "findings", "ok", 0.1)
    for reporter in (JsonReporter(), JsonReporter(debug=True)):
        reporter.started(day(1), "logs", "local", Path("/state"))
        reporter.progress(progress)
        reporter.ended(Outcome([], 0, []))
        reporter.failed("why")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    quiet = [("info", "started"), ("info", "ended"), ("error", "failed")]
    assert [(line["level"], line["event"]) for line in lines] == [*quiet, quiet[0], ("debug", "progress"), *quiet[1:]]
    for line in lines:
        assert list(line)[:3] == ["time", "level", "event"]
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)


def test_colours_are_off_where_no_color_says_so(
    store: EvidenceStore, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(store, day(1))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    print_status(history(store, None, day(1)))
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7]|38|48)[;m]", capsys.readouterr().out)


def test_a_trial_day_long_ago_makes_no_other_day_due(store: EvidenceStore) -> None:
    seal_named(store, date(2014, 1, 1))
    assert due_days(store, None, day(5), 31).days == [day(5)]
    assert [known.run_date for known in history(store, None, day(5))] == [date(2014, 1, 1)]
    assert verify(store, None, None, day(5)).faults == []


def later(number: int) -> str:
    """How many days after its day a review is sealed that is sealed now."""
    return str((datetime.now(UTC).date() - day(number)).days)


def test_no_findings_no_logs_and_no_review_are_told_apart(
    store: EvidenceStore, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(store, day(1))
    seal(store, day(2), State.INCOMPLETE, {})
    seal(store, day(3), State.FAILED, {})
    seal(store, day(4), unexpected={"10.2.1.4": 2, "10.2.1.6": 1})
    print_status(history(store, None, day(5)))
    rows = [line.split("│")[1:5] for line in capsys.readouterr().out.splitlines() if "2026-03-" in line]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["2026-03-01", "complete", later(1), "0"],
        ["2026-03-02", "incomplete", later(2), "no logs"],
        ["2026-03-03", "failed", later(3), ""],
        ["2026-03-04", "complete", later(4), "3"],
        ["2026-03-05", "missing", "", ""],
    ]


def test_days_without_a_review_are_told_apart_from_evidence_that_was_changed(
    store: EvidenceStore, capsys: pytest.CaptureFixture[str]
) -> None:
    seal(store, day(1))
    seal(store, day(3))
    verified = verify(store, day(1), None, day(3))
    print_verified(verified)
    assert [fault.where for fault in verified.faults] == ["2026-03-02"]
    assert "Everything is as it was sealed, but days have no review:" in capsys.readouterr().out
    print_verified(verify(store, day(1), None, day(3), ["0" * 64]))
    told = capsys.readouterr().out
    assert "NOT as it was sealed:" in told
    assert "Everything is" not in told
