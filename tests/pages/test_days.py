"""The calendar of all days, and a page of a day that was sealed without one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.evidence.sealed_days import day, seal, sign

from pci_log_review.cli import main
from pci_log_review.common.clock import days
from pci_log_review.console.reporter import print_status
from pci_log_review.evidence.chain import records
from pci_log_review.evidence.history import history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.store import EvidenceStore
from pci_log_review.evidence.verify import verify
from pci_log_review.pages.calendar import equal_days
from pci_log_review.pages.days import trend_before, write_index


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return open_evidence(str(tmp_path / "evidence"))


def said(store: EvidenceStore, *arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main, [*arguments, "--evidence", store.where])
    return ended.exit_code, ended.output


def test_equal_days_are_one_line_and_days_that_differ_never_are(
    store: EvidenceStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        seal(store, day(number))
    seal(store, day(4), unexpected={"10.2.1.4": 1})
    seal(store, day(5), State.FAILED, {})
    sign(store, day(2))
    found = history(store, None, day(9))
    runs = [(run[0].run_date.day, len(run)) for run in equal_days(found)]
    assert runs == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 4)]
    assert sum(count for _, count in runs) == len(days(day(1), day(9)))
    print_status(found)
    assert "2026-03-06 to 2026-03-09 (4 days)" in capsys.readouterr().out


def test_the_calendar_is_written_by_a_sign_off_and_is_no_fault_but_no_evidence_either(store: EvidenceStore) -> None:
    folder = seal(store, day(5))
    seen = re.search(r"\(manifest ([0-9a-f]{64})\)", said(store, "show", "2026-03-05")[1])
    assert seen
    assert said(store, "sign-off", "2026-03-05", "--reviewer", "A. <Person>", "--manifest", seen[1])[0] == 0
    page = store.read("index.html").decode()
    assert "A. &lt;Person&gt;, 20" in page
    assert f'href="{folder}/manifest.json"' in page, "the day was sealed without a page"
    verified = verify(store, None, day(5), day(5))
    assert verified.faults == []
    assert verified.notes == ["index.html is not sealed: status tells what the records say"]


def test_a_page_is_written_from_sealed_evidence_alone_and_says_that_it_was_not_sealed(
    store: EvidenceStore, tmp_path: Path
) -> None:
    folder = seal(store, day(4), unexpected={"10.2.1.4": 3})
    for name in ("log_coverage.csv", "expected_lines.csv"):
        assert store.read(f"{folder}/{name}") == b""
    output = tmp_path / "page.html"
    code, told = said(store, "report", "2026-03-04", "--output", str(output))
    assert (code, told) == (0, f"Page: {output}\n")
    page = output.read_text()
    assert "This page is not sealed (the day has none that is)." in page
    assert "Not signed." in page
    assert "3 findings of 3 events need" in page
    sign(store, day(4), "10.2.1.4=expected: a test of ours", reviewer="Ada")
    said(store, "report", "2026-03-04", "--output", str(output))
    assert "Signed by Ada, 20" in output.read_text()


def test_no_page_is_written_of_evidence_that_was_altered(store: EvidenceStore, tmp_path: Path) -> None:
    folder = seal(store, day(4), unexpected={"10.2.1.4": 3})
    store.write(f"{folder}/findings/10.2.1.4.csv", b"event_time,title,detail,is_expected\n")
    output = tmp_path / "page.html"
    code, told = said(store, "report", "2026-03-04", "--output", str(output))
    assert (code, "not as it was sealed" in told, output.exists()) == (1, True, False)
    assert said(store, "report", "2026-03-05", "--output", str(output))[0] == 2


def test_a_day_that_is_not_as_it_was_sealed_is_damaged_in_the_calendar(store: EvidenceStore) -> None:
    folder = seal(store, day(4))
    path = f"{folder}/manifest.json"
    store.write(path, store.read(path).replace(b'"complete"', b'"failed"'))
    write_index(store, day(5))
    page = store.read("index.html").decode()
    assert '<td class="damaged"' in page
    assert '<td class="complete"' not in page


def test_the_trend_has_the_last_review_of_each_day_before_and_no_other(store: EvidenceStore) -> None:
    seal(store, day(1), unexpected={"10.2.1.4": 9})
    seal(store, day(2), unexpected={"10.2.1.4": 5})
    seal(store, day(3), State.FAILED, {})
    seal(store, day(4), unexpected={"10.2.1.4": 7})
    seal(store, day(1), unexpected={"10.2.1.4": 2})
    trend = trend_before(store, records(store.keys()), day(4))
    assert {date.day: counts["10.2.1.4"] for date, counts in trend.items()} == {1: (2, 2), 2: (5, 5)}


def test_a_late_review_and_a_late_signature_are_told_and_months_without_any_are_one_cell(store: EvidenceStore) -> None:
    today = datetime.now(UTC).date()
    folder = seal(store, today - timedelta(200))
    sign(store, today - timedelta(200), reviewer="Ada")
    seal(store, today - timedelta(1))
    write_index(store, today - timedelta(1))
    page = store.read("index.html").decode()
    assert page.count("200 days after the day") >= 3
    assert '<small class="late">+200d</small>' in page
    assert "signed late" in page
    assert ", the day after" in page
    assert re.search(r"<strong>\w+ \d+ to \w+ \d+</strong>: no day was reviewed \(1\d\d days missing\)", page)
    for link in re.findall('href="([^"]+)"', page):
        assert link == "data:," or (Path(store.where) / link).exists(), f"{link} of {folder}"
