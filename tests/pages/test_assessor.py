"""The assessor's index names every testing procedure, and no file that a run does not seal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from pci_log_review.pages.assessor import assessor, procedures

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
    assert all(it.evidence or it.not_covered for it in procedures())


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
