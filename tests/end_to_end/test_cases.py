"""Small logs that went wrong once, each with what has to come of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.checkout import NO_TESTS, ROOT, Checkout

CASES = ROOT.parent / "shared" / "cases"
DAY = "2026-03-10"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases, which is not here")


def found_in(case: str, home: Path) -> list[tuple[str, str | None]]:
    """The last four digits of the ids of the findings of 10.2.1.1, and which store each touches."""
    checkout, folder = Checkout.of(home), CASES / case
    ended = checkout.review(DAY, folder / "logs", "--settings", str(folder / "settings"), **NO_TESTS)
    assert ended.code == 3, ended.last_lines  # no administrators are named
    return checkout.rows("select right(event_id, 4), store from pci_10_2_1_1_cardholder_data_access order by all")


def test_queries_that_cloudtrail_hides_are_findings_whose_target_is_not_recorded(tmp_path: Path) -> None:
    listed, unknown = ["0001", "0002", "0005"], ["0003", "0004", "0015"]
    assert found_in("02-athena-query-omitted", tmp_path) == sorted(
        [*((event, "holder_table") for event in listed), *((event, None) for event in unknown)]
    )


def test_a_secret_is_found_by_its_name_and_its_arn(tmp_path: Path) -> None:
    assert found_in("04-secret-arn-suffix", tmp_path) == [(event, "payment-db") for event in ("0013", "0014", "0015")]


def test_a_store_that_can_match_nothing_is_refused(tmp_path: Path) -> None:
    folder = CASES / "06-store-with-star-or-prefix"
    ended = Checkout.of(tmp_path).review(DAY, folder / "logs", "--settings", str(folder / "settings"))
    assert ended.code == 2
    assert ended.text.count("a store is a whole bucket; write example-card-bucket") == 2
