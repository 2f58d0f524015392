"""What is told of the lines of expected_activity, and since when each is known."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pci_log_review.evidence.chain import records
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.review.expected import SINCE, lines_of, lines_since, notes_of
from pci_log_review.settings.checks import FILES

from .sealed_days import day, seal

TODAY = date(2026, 3, 12)


def row(**fields: Any) -> dict[str, Any]:
    """A row of expected_lines."""
    return {
        "line_id": "a",
        "principal_kind": "role",
        "principal_name": "shop",
        "requirement": "10.2.1.1",
        "findings": 10,
        "marked": 4,
        "refused": 0,
        "findings_of_root": 0,
        "marked_of_root": 0,
        "first_event": datetime(2026, 3, 10, 8),
        "expires_on": "2026-12-31",
        "run_date": date(2026, 3, 10),
    } | fields


def known(store: EvidenceStore, number: int, lines: dict[str, str | None]) -> None:
    """Seals a run that says since when lines are known."""
    seal(store, day(number), run={SINCE: lines})


def test_lines_that_no_sealed_run_had_are_known_since_today(store: EvidenceStore) -> None:
    with store.lock():
        known(store, 8, {"old": None, "newer": "2026-03-09"})
        assert lines_since(store, records(store.keys()), ["old", "newer", "new"], TODAY) == {
            "old": None,
            "newer": "2026-03-09",
            "new": "2026-03-12",
        }


def test_a_run_that_does_not_say_is_passed_over(store: EvidenceStore) -> None:
    with store.lock():
        known(store, 8, {"old": None})
        seal(store, day(9))
        assert lines_since(store, records(store.keys()), ["old", "new"], TODAY) == {"old": None, "new": "2026-03-12"}


def test_where_nothing_was_sealed_nobody_can_tell(store: EvidenceStore) -> None:
    assert lines_since(store, records(store.keys()), ["a"], TODAY) == {"a": None}


def test_nothing_is_told_of_lines_that_marked_nothing() -> None:
    assert notes_of([row(marked=0, requirement=None, findings=0, first_event=None)], 10, {"a": 2}, {"a": None}) == []


def test_how_much_was_marked_and_by_which_line_most_is_told() -> None:
    rows = [row(), row(line_id="b", marked=6, principal_name="till")]
    assert notes_of(rows, 20, {"a": 2, "b": 3}, {}) == [
        "Expected: 10 of 20 findings, by 2 lines of expected_activity; the broadest, line 3 (role till), marked 6 of "
        "10 findings of 10.2.1.1"
    ]


def test_a_line_that_is_newer_than_what_it_marks_says_so() -> None:
    (_, late) = notes_of([row()], 20, {"a": 2}, {"a": "2026-03-11"})
    assert late == (
        "Added later: line 2 (role shop) of expected_activity is new or changed since the review before (2026-03-11), "
        "and marks 4 findings of 10.2.1.1, the first of 2026-03-10"
    )
    assert len(notes_of([row()], 20, {"a": 2}, {"a": "2026-03-10"})) == 1


def test_what_was_marked_of_root_is_told() -> None:
    rows = [row(principal_kind="root", principal_name="root", marked_of_root=3, findings_of_root=4)]
    assert (
        "Root: line 2 (root root) of expected_activity marked 3 of 4 findings of root under 10.2.1.1 as expected"
        in notes_of(rows, 20, {"a": 2}, {})
    )


def test_a_line_that_was_too_broad_is_named() -> None:
    (told,) = notes_of([row(marked=0, refused=9)], 20, {"a": 2}, {})
    assert told.startswith("Too broad: line 2 (role shop) of expected_activity would mark 9 of 10 findings of 10.2.1.1")


def test_each_expired_line_is_named_by_its_number_from_the_day_after_its_last(tmp_path: Path) -> None:
    said = [
        {"principal_kind": "role", "principal_name": "shop", "expires_on": "2026-03-10", "reason": "two\nlines"},
        {"principal_kind": "user", "principal_name": "ada", "expires_on": "2026-03-09", "reason": "x"},
        {"principal_kind": "role", "principal_name": "other", "expires_on": "2026-03-11", "reason": "x"},
    ]
    with (tmp_path / "expected_activity.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, FILES["expected_activity"], restval="x")
        lines.writeheader()
        lines.writerows(said)
    numbers = lines_of(tmp_path)
    unmatched: dict[str, Any] = {"marked": 0, "findings": 0, "requirement": None, "first_event": None}

    def notes(run_date: date) -> list[str]:
        rows = [row(line_id=name, run_date=run_date, **unmatched, **it) for name, it in zip(numbers, said, strict=True)]
        return notes_of(rows, 10, numbers, {})

    [note] = notes(date(2026, 3, 10))
    assert note.endswith(": line 4 (user ada, on 2026-03-09)")
    assert notes(date(2026, 3, 9)) == []
