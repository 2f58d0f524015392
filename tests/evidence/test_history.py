"""Which days are due, and what a sign-off does to that."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.evidence.sealed_days import day, seal

from pci_log_review.evidence.history import Due, due_days, history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.sign_off import sign_off
from pci_log_review.evidence.store import EvidenceStore


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return open_evidence(str(tmp_path / "evidence"))


def due(store: EvidenceStore, last: int, since: int | None = None, at_most: int = 31) -> Due:
    return due_days(store, day(since) if since else None, day(last), at_most)


def days(*numbers: int) -> list[date]:
    return [day(number) for number in numbers]


def test_at_first_yesterday_is_due(store: EvidenceStore) -> None:
    assert due(store, 10) == Due(days(10), 0)


def test_since_says_where_to_begin(store: EvidenceStore) -> None:
    assert due(store, 10, since=8) == Due(days(8, 9, 10), 0)


def test_every_day_after_the_last_complete_one_is_due(store: EvidenceStore) -> None:
    seal(store, day(5))
    assert due(store, 8) == Due(days(6, 7, 8), 0)


def test_nothing_is_due_when_all_days_are_complete(store: EvidenceStore) -> None:
    seal(store, day(5))
    seal(store, day(6))
    assert due(store, 6) == Due([], 0)


@pytest.mark.parametrize("state", [State.INCOMPLETE, State.FAILED])
def test_a_day_that_was_not_completed_is_due_again(store: EvidenceStore, state: State) -> None:
    seal(store, day(5))
    seal(store, day(6), state)
    seal(store, day(7))
    assert due(store, 7) == Due(days(6), 0)


def test_a_day_between_reviewed_ones_is_due(store: EvidenceStore) -> None:
    seal(store, day(5))
    seal(store, day(7))
    assert due(store, 7) == Due(days(6), 0)


def test_the_last_review_of_a_day_decides(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE)
    seal(store, day(5))
    assert due(store, 5) == Due([], 0)
    seal(store, day(5), State.FAILED)
    assert due(store, 5) == Due(days(5), 0)


def test_at_most_so_many_days_are_reviewed_the_oldest_first_and_the_rest_is_counted(store: EvidenceStore) -> None:
    assert due(store, 10, since=1, at_most=3) == Due(days(1, 2, 10), 7), "and the newest, which waits for no backlog"
    assert due(store, 10, since=1, at_most=1) == Due(days(10), 9)


def test_days_whose_logs_are_lost_keep_no_new_day_waiting(store: EvidenceStore) -> None:
    for number in range(1, 6):
        seal(store, day(number), State.INCOMPLETE)
    assert due(store, 7, at_most=3) == Due(days(1, 6, 7), 4)


def test_an_incomplete_day_that_was_signed_off_is_done_with(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE)
    sign_off(store, history(store, day(5), day(5))[0], "A. Person", [], "The logs of that day are lost")
    assert due(store, 5) == Due([], 0)
    seal(store, day(5), State.INCOMPLETE)
    assert due(store, 5) == Due(days(5), 0), "what was reviewed again has to be signed again"


def test_a_damaged_manifest_makes_its_day_due(store: EvidenceStore) -> None:
    folder = seal(store, day(5))
    store.write(f"{folder}/manifest.json", b"{")
    [known] = history(store, day(5), day(5))
    assert (known.state, known.is_due) == ("damaged", True)


def test_two_records_of_one_second_are_told_apart_and_stay_in_order(store: EvidenceStore) -> None:
    folders = [seal(store, day(5)) for _ in range(5)]
    assert folders == sorted(folders)
    assert len(set(folders)) == 5


def test_a_day_of_long_ago_keeps_yesterday_not_waiting_and_one_before_cloudtrail_counts_for_nothing(
    store: EvidenceStore,
) -> None:
    seal(store, date(2019, 1, 1))
    chosen = due(store, 10)
    assert day(10) in chosen.days
    assert (len(chosen.days), chosen.left) == (31, 2_594)
    seal(store, date(1, 1, 1))
    assert due(store, 10) == chosen


def test_a_first_day_that_is_yet_to_come_makes_nothing_due(store: EvidenceStore) -> None:
    assert due(store, 10, since=11) == Due([], 0)
