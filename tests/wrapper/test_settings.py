"""Settings are checked before anything runs: each fault is one line that names the file and the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.common.project import requirements
from pci_log_review.settings.checks import FILES, check_settings, settings_for_dbt


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))


def test_the_shipped_settings_have_no_fault() -> None:
    assert check_settings(ROOT / "seeds" / "settings") == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("trail_scope", "12345,shop,us-east-1,true,daily", "account_id: '12345' is not an account id of 12 digits"),
        (
            "trail_scope",
            "\uff11\uff12\uff1345678901\uff12,shop,us-east-1,true,daily",
            "is not an account id of 12 digits",
        ),
        ("trail_scope", "123456789012,shop,Frankfurt,true,daily", "region: 'Frankfurt' is not a region"),
        ("trail_scope", "123456789012,shop,us-east-1,yes,daily", "in_cde: 'yes' is not one of: true, false"),
        ("trail_scope", "123456789012,shop,us-east-1,true,weekly", "logs_expected: 'weekly' is not one of"),
        ("trail_scope", "111122223333,production,us-east-1,true,daily", "repeats line"),
        ("trail_scope", "123456789012,shop,us-east-1,true", "has 4 cells, but the header has 5"),
        ("cardholder_data_stores", "s3.amazonaws.com,,no name", "name: is empty"),
        ("cardholder_data_stores", "s3.amazonaws.com,%,all of them", "name: '%' would match everything"),
        ("cardholder_data_stores", "S3,cards,upper case", "event_source: 'S3' is not a service"),
        ("audit_log_stores", "s3.amazonaws.com, logs,space", "name: ' logs' has spaces around it"),
        ("administrators", "%%,everybody", "principal: '%%' would match everything"),
        ("administrative_grants", ",nothing", "name: is empty"),
        (
            "expected_activity",
            "10.2.1.1,%,%,%,%,because,me,2026-01-01,2026-12-31",
            "would match every finding; name a principal, an event or a resource",
        ),
        (
            "expected_activity",
            "10.2.1.1,%:role/a,%,%,%,because,me,2026-01-01,31.12.2026",
            "expires_on: '31.12.2026' is not a date",
        ),
        (
            "expected_activity",
            "10.2.1.1,%:role/a,%,%,%,because,me,2026-02-30,2026-12-31",
            "approved_on: '2026-02-30' is not a date",
        ),
        (
            "expected_activity",
            "10.2.1.1,%:role/a,%,%,%,because,me,2026-02-01,2026-01-31",
            "expires_on: 2026-01-31 is before approved_on 2026-02-01",
        ),
        ("expected_activity", "10.2.1.1,,%,%,%,because,me,2026-01-01,2026-12-31", "principal: is empty"),
        ("expected_activity", "10.2.1.1,%:role/a,%,%,%,,me,2026-01-01,2026-12-31", "reason: is empty"),
        ("digest_trails", "main,us-east-1,1,*,2026-01-01,,", "account_id: '1' is not an account id of 12 digits, or *"),
        ("digest_trails", "arn:aws:x,us-east-1,*,*,2026-01-01,,", "trail: 'arn:aws:x' is not the name of a trail"),
        ("digest_trails", "main,,*,*,2026-01-01,,", "trail and home_region go together"),
        ("digest_trails", ",,*,*,2026-01-01,,", "expects no digests: give a reason and approved_by"),
        ("digest_trails", "main,us-east-1,*,*,2999-01-01,,", "since: 2999-01-01 is yet to come"),
        ("settings_changes", "2999-01-01,trail_scope,x,why,me", "changed_on: 2999-01-01 is yet to come"),
        ("settings_changes", "2026-01-01,expected_activity,x,why,me", "setting: 'expected_activity' is not one of"),
        ("settings_changes", "2026-01-01,trail_scope,x,,me", "reason: is empty"),
        ("administrators", "%:user/b\\c,a test", "is not read the same everywhere"),
        ("administrators", "%:user/b,NULL", "is not read the same everywhere"),
        ("expected_activity", "11.2,%:role/a,%,%,%,because,me,2026-01-01,2026-12-31", "matches no requirement"),
    ],
)
def test_a_faulty_line_is_named_with_file_and_line_number(settings: Path, file: str, line: str, fault: str) -> None:
    path = settings / f"{file}.csv"
    number = len(path.read_text().splitlines()) + 1
    path.write_text(f"{path.read_text().rstrip()}\n{line}\n")
    (found,) = check_settings(settings)
    assert found.where == f"{file}.csv, line {number}"
    assert fault in found.text
    assert "\n" not in str(found)


def test_unknown_and_missing_columns_are_named(settings: Path) -> None:
    (settings / "administrators.csv").write_text("principle,description\n%:user/a,typo\n")
    assert [str(fault) for fault in check_settings(settings)] == [
        "administrators.csv, line 1: unknown column 'principle'; it has: principal, description",
        "administrators.csv, line 1: column 'principal' is missing",
    ]


def test_a_missing_file_is_named(settings: Path) -> None:
    (settings / "audit_log_stores.csv").unlink()
    (fault,) = check_settings(settings)
    assert "audit_log_stores.csv, line 1: there is no such file" in str(fault)


def test_of_a_file_that_an_earlier_version_had_not_the_header_is_told_which_is_enough(settings: Path) -> None:
    for name in ("digest_trails", "settings_changes"):
        (settings / f"{name}.csv").unlink()
    trails, changes = map(str, check_settings(settings))
    assert "digest_trails.csv, line 1: there is no such file" in trails
    assert "may be empty except for its header: trail,home_region,account_id,region,since,reason,approved_by" in trails
    assert "`pci-log-review init` into another folder writes one" in trails
    assert changes.endswith("changed_on,setting,left_out,reason,approved_by")
    for name in ("digest_trails", "settings_changes"):
        (settings / f"{name}.csv").write_text(",".join(FILES[name]) + "\n")
    assert check_settings(settings) == []


def test_a_file_that_is_not_utf_8_is_named(settings: Path) -> None:
    (settings / "administrators.csv").write_bytes(b"principal,description\n%:user/\xff,x\n")
    (fault,) = check_settings(settings)
    assert "administrators.csv, line 1: cannot be read as CSV in UTF-8" in str(fault)


def test_every_settings_file_of_the_project_is_checked() -> None:
    assert {path.stem for path in (ROOT / "seeds" / "settings").glob("*.csv")} == set(FILES)


def test_settings_from_elsewhere_reach_dbt_as_a_copy_inside_the_project(settings: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    first = settings_for_dbt(settings, project)
    assert not Path(first).is_absolute()
    assert ".." not in first
    assert (project / first / "trail_scope.csv").read_bytes() == (settings / "trail_scope.csv").read_bytes()
    assert settings_for_dbt(settings, project) == first
    (settings / "administrators.csv").write_text("principal,description\n")
    assert settings_for_dbt(settings, project) != first


def test_settings_may_name_the_requirements_of_the_project_and_no_others(settings: Path) -> None:
    known = requirements()
    assert len(known) == len(set(known)) == 10
    lines = "".join(f"{name},%x,%,%,%,why,me@example.com,2026-01-01,2027-01-01\n" for name in (*known, "10.9"))
    header = "requirement,principal,event_source,event_name,resource,reason,approved_by,approved_on,expires_on\n"
    (settings / "expected_activity.csv").write_text(header + lines)
    (fault,) = check_settings(settings)
    assert str(fault).startswith(
        "expected_activity.csv, line 12: requirement: '10.9' matches no requirement; they are: "
    )
    assert str(fault).endswith(", ".join(known))
