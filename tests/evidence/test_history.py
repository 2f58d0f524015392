"""Which days are due, and what a sign-off does to that."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.evidence.sealed_days import day, seal, seal_named, sign

from pci_log_review.evidence.chain import link, set_latest
from pci_log_review.evidence.history import Due, due_days, history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.evidence.verify import verify


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return open_evidence(str(tmp_path / "evidence"))


def due(store: EvidenceStore, last: int, since: int | None = None, at_most: int = 31) -> Due:
    return due_days(store, day(since) if since else None, day(last), at_most)


def chosen(store: EvidenceStore, last: int, since: int | None = None, at_most: int = 31) -> tuple[list[date], int]:
    """The days that are due now, and how many are left."""
    found = due(store, last, since, at_most)
    return found.days, found.left


def days(*numbers: int) -> list[date]:
    return [day(number) for number in numbers]


def test_at_first_yesterday_is_due(store: EvidenceStore) -> None:
    assert chosen(store, 10) == (days(10), 0)


def test_since_says_where_to_begin(store: EvidenceStore) -> None:
    assert chosen(store, 10, since=8) == (days(8, 9, 10), 0)


def test_every_day_after_the_last_complete_one_is_due(store: EvidenceStore) -> None:
    seal(store, day(5))
    assert chosen(store, 8) == (days(6, 7, 8), 0)


def test_nothing_is_due_when_all_days_are_complete(store: EvidenceStore) -> None:
    seal(store, day(5))
    seal(store, day(6))
    assert chosen(store, 6) == ([], 0)


@pytest.mark.parametrize("state", [State.INCOMPLETE, State.FAILED])
def test_a_day_that_was_not_completed_is_due_again(store: EvidenceStore, state: State) -> None:
    seal(store, day(5))
    seal(store, day(6), state)
    seal(store, day(7))
    assert chosen(store, 7) == (days(6), 0)


def test_a_day_between_reviewed_ones_is_due(store: EvidenceStore) -> None:
    seal(store, day(5))
    seal(store, day(7))
    assert chosen(store, 7) == (days(6), 0)


def test_the_last_review_of_a_day_decides(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE)
    seal(store, day(5))
    assert chosen(store, 5) == ([], 0)
    seal(store, day(5), State.FAILED)
    assert chosen(store, 5) == (days(5), 0)


def test_at_most_so_many_days_are_reviewed_the_oldest_first_and_the_rest_is_counted(store: EvidenceStore) -> None:
    assert chosen(store, 10, since=1, at_most=3) == (days(1, 2, 10), 7), "and the newest, which waits for no backlog"
    assert chosen(store, 10, since=1, at_most=1) == (days(10), 9)


def test_days_whose_logs_are_lost_keep_no_new_day_waiting(store: EvidenceStore) -> None:
    for number in range(1, 6):
        seal(store, day(number), State.INCOMPLETE)
    assert chosen(store, 7, at_most=3) == (days(1, 6, 7), 4)


def test_an_incomplete_day_that_was_signed_off_is_done_with(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE)
    sign(store, day(5), reason="The logs of that day are lost")
    assert chosen(store, 5) == ([], 0)
    seal(store, day(5), State.INCOMPLETE)
    assert chosen(store, 5) == (days(5), 0), "what was reviewed again has to be signed again"


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
    found = due(store, 10)
    assert day(10) in found.days
    assert (len(found.days), found.left) == (31, 2_594)
    seal(store, date(1, 1, 1))
    assert due(store, 10) == found


def test_a_first_day_that_is_yet_to_come_makes_nothing_due(store: EvidenceStore) -> None:
    assert chosen(store, 10, since=11) == ([], 0)


def without_since(store: EvidenceStore, folder: str) -> None:
    """Rewrites the last manifest as a version wrote it that remembered no first day."""
    content = json.loads(store.read(f"{folder}/manifest.json"))
    del content["since"]
    store.write(f"{folder}/manifest.json", json.dumps(content).encode())
    set_latest(store, link(f"{folder}/manifest.json", json.dumps(content).encode()))


def test_a_day_that_somebody_named_makes_no_day_after_it_due(store: EvidenceStore) -> None:
    seal_named(store, date(2020, 1, 1))
    assert due(store, 10) == Due(days(10), 0, day(10))
    assert [known.run_date for known in history(store, None, day(10))] == [date(2020, 1, 1)]
    assert not verify(store, None, None, day(10)).faults


def test_the_evidence_remembers_the_first_day_that_has_to_be_reviewed(store: EvidenceStore) -> None:
    seal(store, day(8), since=day(6))
    assert due(store, 9) == Due(days(6, 7, 9), 0, day(6))
    seal(store, date(2020, 1, 1), since=day(6))
    assert due(store, 9) == Due(days(6, 7, 9), 0, day(6))
    assert [str(fault) for fault in verify(store, None, day(9), day(9)).faults] == [
        "2026-03-06 to 2026-03-07: no sealed review of these 2 days",
        "2026-03-09: no sealed review of the day",
    ]


def test_a_person_widens_what_is_due_and_nobody_narrows_it(store: EvidenceStore) -> None:
    seal(store, day(8), since=day(6))
    assert due(store, 8, since=5).since == day(5)
    assert due(store, 8, since=8) == Due(days(6, 7), 0, day(6))


def test_evidence_that_remembers_no_first_day_begins_with_the_first_that_was_reviewed(store: EvidenceStore) -> None:
    without_since(store, seal(store, day(5)))
    assert due(store, 7) == Due(days(6, 7), 0, day(5))


def test_a_damaged_manifest_remembers_nothing_and_the_one_before_it_still_does_though_its_day_is_due_again(
    store: EvidenceStore,
) -> None:
    seal(store, day(7), since=day(6))
    store.write(f"{seal(store, day(8), since=day(6))}/manifest.json", b"{")
    assert due(store, 8) == Due(days(6, 7, 8), 0, day(6))
