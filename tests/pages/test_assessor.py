"""The assessor's index names every testing procedure, and no file that a run does not seal."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import yaml

from pci_log_review.pages.assessor import SIGN_OFFS, assessor, procedures

from .material import REVIEWED, material

PROJECT = Path(__file__).parents[2]
# PCI DSS v4.0.1: the defined approach's testing procedures
NUMBERS = (
    "10.1.1 10.1.2.a 10.1.2.b 10.2.1 10.2.1.1 10.2.1.2 10.2.1.3 10.2.1.4 10.2.1.5 10.2.1.6 10.2.1.7 10.2.2 10.3.1 "
    "10.3.2 10.3.3 10.3.4 10.4.1.a 10.4.1.b 10.4.1.1 10.4.2.a 10.4.2.b 10.4.2.1.a 10.4.2.1.b 10.4.3.a 10.4.3.b "
    "10.5.1.a 10.5.1.b 10.5.1.c 10.6.1 10.6.2 10.6.3.a 10.6.3.b 10.7.1.a 10.7.1.b 10.7.2.a 10.7.2.b 10.7.3.a 10.7.3.b"
)


def test_each_procedure_stands_once_and_has_evidence_or_says_what_is_not_covered() -> None:
    assert [it.number for it in procedures()] == NUMBERS.split()
    assert all(it.not_covered for it in procedures()), "nothing in these logs covers a procedure whole"


def test_each_requirement_that_is_reviewed_is_evidence_of_a_procedure() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    named = {name for it in procedures() for name in it.evidence}
    for line in project["vars"]["requirements"]:
        assert f"findings/{line['requirement']}.csv" in named
        assert "settings" not in line or f"settings/{line['settings']}.csv" in named
    findings = {f"findings/{line['requirement']}.csv" for line in project["vars"]["requirements"]}
    assert {name for name in named if name.startswith("findings/")} <= findings
    for name in named:
        if name.startswith("settings/"):
            assert (PROJECT / "seeds" / name).is_file()


def test_a_file_is_named_with_its_hash_and_one_that_is_absent_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "log_files.csv").write_text("log_file\r\n")
    page = assessor(material({}).conclusion, REVIEWED, tmp_path).decode()
    assert hashlib.sha256(b"log_file\r\n").hexdigest() in page
    assert "log_coverage.csv: this run has none" in page
    assert "log_files.csv: this run has none" not in page


def test_what_took_findings_away_and_the_sign_offs_are_evidence_of_the_review() -> None:
    by_number = {it.number: it.evidence for it in procedures()}
    for number in ("10.4.1.b", "10.4.3.b"):
        assert {"settings/expected_activity.csv", "expected_lines.csv", SIGN_OFFS} <= set(by_number[number])


def test_a_requirement_leads_to_its_rule_and_the_page_to_no_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("sql", "findings"):
        (tmp_path / name).mkdir()
    (tmp_path / "findings" / "10.2.2.csv").write_text("")
    (tmp_path / "daily_review.csv").write_text("requirement,model\r\n10.2.2,pci_a\r\n10.2.1.4,pci_b\r\n")
    (tmp_path / "sql" / "pci_a.sql").write_text("select 1")
    page = assessor(material({}).conclusion, REVIEWED, tmp_path).decode()
    assert 'href="sql/pci_a.sql"' in page
    assert "catalog.html" not in page
    (tmp_path / "catalog.html").write_text("")
    page = assessor(material({}).conclusion, REVIEWED, tmp_path).decode()
    assert 'href="catalog.html#!/model/model.pci_log_review.pci_a"' in page
    links = {link for link in re.findall('href="([^"#]+)', page) if not link.startswith(("..", "data:"))}
    written_after = {"assessor.html", "manifest.json"}
    assert all((tmp_path / link).exists() for link in links - written_after)
    assert "the day after" in page
