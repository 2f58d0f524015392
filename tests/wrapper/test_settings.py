"""Settings are checked before anything runs: each fault is one line that names the file and the line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.common.project import requirements
from pci_log_review.settings.checks import FILES, as_dbt_reads_it, check_settings, without_blank_end


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))


def test_the_shipped_settings_have_no_fault() -> None:
    assert check_settings(ROOT / "seeds" / "settings") == []


def test_what_excel_makes_of_a_file_is_taken(settings: Path) -> None:
    path = settings / "trail_scope.csv"
    saved = path.read_bytes().replace(b"\n", b"\r\n").replace(b",true,", b",TRUE,").replace(b",false,", b",FALSE,")
    for end in (b"", b"\r\n", b",,,,\r\n", b",,,,\r\n,,,,"):
        assert without_blank_end(saved + end) == saved
    path.write_bytes(b"\xef\xbb\xbf" + saved)
    assert check_settings(settings) == []


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
        ("cardholder_data_stores", "s3.amazonaws.com,cards/2026/,a", "a store is a whole bucket; write cards"),
        ("cardholder_data_stores", "s3.amazonaws.com,arn:aws:s3:::cards/*,a", "a store is a whole bucket; write cards"),
        ("nothing_to_list", "trail_scope,because,me,2026-01-01", "settings_file: 'trail_scope' is not one of"),
        ("nothing_to_list", "administrators,,me,2026-01-01", "reason: is empty"),
        ("nothing_to_list", "administrators,because,,2026-01-01", "approved_by: is empty"),
        ("nothing_to_list", "administrators,because,me,2999-01-01", "approved_on: 2999-01-01 is yet to come"),
        ("nothing_to_list", "administrators,because,me,2026-01-01", "administrators.csv has lines, so it is not true"),
        ("administrators", "user,any account in scope,%%,everybody", "principal_name: '%%' would match everything"),
        ("administrators", "user,any account in scope,%a%,many", "principal_name: '%a%' is too broad"),
        ("administrators", "user,any account in scope,%_%,many", "principal_name: '%_%' is too broad"),
        ("administrators", "service,any account in scope,%.amazonaws.com,all", "has to be a whole name, for a service"),
        ("administrators", "root,any account in scope,root,needs no line", "principal_kind: 'root' is not one of"),
        (
            "administrators",
            "user,all,ada,where",
            "'all' is neither an account id of 12 digits nor 'any account in scope'",
        ),
        ("administrators", "user,any account in scope,b\\c,a test", "is not read the same everywhere"),
        ("administrators", "user,any account in scope,ada,NULL", "is not read the same everywhere"),
        ("administrative_grants", ",nothing", "name: is empty"),
        ("digest_trails", "main,us-east-1,1,*,2026-01-01,,", "account_id: '1' is not an account id of 12 digits, or *"),
        ("digest_trails", "arn:aws:x,us-east-1,*,*,2026-01-01,,", "trail: 'arn:aws:x' is not the name of a trail"),
        ("digest_trails", "main,,*,*,2026-01-01,,", "trail and home_region go together"),
        ("digest_trails", ",,*,*,2026-01-01,,", "expects no digests: give a reason and approved_by"),
        ("digest_trails", "main,us-east-1,*,*,2999-01-01,,", "since: 2999-01-01 is yet to come"),
        ("settings_changes", "2999-01-01,trail_scope,x,why,me", "changed_on: 2999-01-01 is yet to come"),
        ("settings_changes", "2026-01-01,expected_activity,x,why,me", "setting: 'expected_activity' is not one of"),
        ("settings_changes", "2026-01-01,trail_scope,x,,me", "reason: is empty"),
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


EXPECTED = dict.fromkeys(FILES["expected_activity"], "") | {
    "requirement": "10.2.1.1",
    "principal_kind": "role",
    "principal_account": "111122223333",
    "principal_name": "shop",
    "event_source": "s3.amazonaws.com",
    "event_name": "GetObject",
    "resource": "cards",
    "reason": "because",
    "approved_by": "me",
    "approved_on": "2026-01-01",
    "expires_on": "2026-12-31",
}


def written(settings: Path, **cells: str) -> Path:
    """The settings with one more line of expected activity."""
    with (settings / "expected_activity.csv").open("a") as file:
        file.write(",".join((EXPECTED | cells).values()) + "\n")
    return settings


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"event_source": "%", "event_name": "%", "resource": "%"}, "would expect whatever the principal does"),
        ({"principal_name": "%"}, "principal_name: '%' is too broad"),
        ({"principal_name": "%shop"}, "principal_name: '%shop' is too broad"),
        ({"principal_name": "%s%"}, "principal_name: '%s%' is too broad"),
        ({"principal_name": "s_%"}, "principal_name: 's_%' is too broad"),
        ({"principal_name": "%_%"}, "principal_name: '%_%' is too broad"),
        ({"principal_name": ""}, "principal_name: is empty"),
        (
            {"principal_kind": "service", "principal_name": "%.amazonaws.com"},
            "is too broad: of kind service, it has to be a whole name",
        ),
        (
            {"principal_kind": "service", "principal_name": "cloudtrail%"},
            "is too broad: of kind service, it has to be a whole name",
        ),
        (
            {"principal_kind": "account", "principal_name": "AIDA%"},
            "is too broad: of kind account, it has to be a whole name",
        ),
        ({"principal_kind": "%"}, "principal_kind: '%' is not one of: root, user, role"),
        ({"principal_account": "%"}, "principal_account: '%' is neither an account id"),
        (
            {"principal_kind": "root", "principal_name": "root", "event_name": "Get%"},
            "a line for root has to name its account, root, the service",
        ),
        (
            {"principal_kind": "root", "principal_name": "root", "principal_account": "any account in scope"},
            "a line for root has to name its account, root, the service",
        ),
        ({"principal_kind": "root"}, "a line for root has to name its account, root, the service"),
        ({"event_source": "%.amazonaws.com"}, "event_source: '%.amazonaws.com' is neither a service"),
        ({"event_name": "G%"}, "event_name: 'G%' is too broad"),
        ({"resource": "%cards"}, "resource: '%cards' is too broad"),
        ({"resource": "c%"}, "resource: 'c%' is too broad"),
        ({"resource": "ca%ds%"}, "resource: 'ca%ds%' is too broad"),
        ({"source_networks": "198.51.100.7/24"}, "source_networks: '198.51.100.7/24' is not a network"),
        ({"source_networks": "0.0.0.0/0"}, "source_networks: '0.0.0.0/0' is not a network"),
        (
            {"source_networks": "198.51.100.0/24 2001:db8::/33"},
            "the length of an IPv6 prefix has to be a multiple of 4",
        ),
        ({"expires_on": "31.12.2026"}, "expires_on: '31.12.2026' is not a date"),
        ({"approved_on": "2026-02-30"}, "approved_on: '2026-02-30' is not a date"),
        ({"approved_on": ""}, "approved_on: '' is not a date"),
        ({"expires_on": ""}, "expires_on: '' is not a date"),
        (
            {"approved_on": "2026-02-01", "expires_on": "2026-01-31"},
            "expires_on: 2026-01-31 is before approved_on 2026-02-01",
        ),
        ({"expires_on": "2027-02-06"}, "expires_on: 2027-02-06 is more than 400 days after approved_on 2026-01-01"),
        ({"approved_on": "2005-12-31", "expires_on": "2006-12-31"}, "approved_on: 2005-12-31 is before 2006-01-01"),
        ({"reason": ""}, "reason: is empty"),
        ({"requirement": "11.2"}, "matches no requirement"),
    ],
)
def test_a_line_of_expected_activity_that_says_too_much_is_named(
    settings: Path, cells: dict[str, str], fault: str
) -> None:
    (found,) = check_settings(written(settings, **cells))
    assert fault in found.text


@pytest.mark.parametrize(
    "cells",
    [
        {"principal_account": "any account in scope"},
        {"principal_name": "shop-%"},
        {"principal_kind": "root", "principal_name": "root"},
        {"principal_kind": "service", "principal_name": "cloudtrail.amazonaws.com"},
        {"source_networks": "198.51.100.0/25 2001:db8::/32"},
        {"event_source": "%", "resource": "%"},
        {"event_name": "%Item", "resource": "arn:aws:s3:::cards"},
        {"resource": "cards-%"},
    ],
)
def test_a_line_of_expected_activity_may_name(settings: Path, cells: dict[str, str]) -> None:
    assert check_settings(written(settings, **cells)) == []


def test_unknown_and_missing_columns_are_named(settings: Path) -> None:
    (settings / "administrative_grants.csv").write_text("nome,description\nAdmin%,typo\n")
    assert [str(fault) for fault in check_settings(settings)] == [
        "administrative_grants.csv, line 1: unknown column 'nome'; it has: name, description",
        "administrative_grants.csv, line 1: column 'name' is missing",
    ]


def test_each_line_of_the_old_form_is_named_with_what_it_reads_now(settings: Path) -> None:
    (settings / "administrators.csv").write_text("principal,description\n%:user/%/ada,Ada\nwho?,Nobody knows\n")
    days = "me,2026-01-01,2026-12-31"
    old = [
        "requirement,principal,event_source,event_name,resource,reason,approved_by,approved_on,expires_on",
        f'10.2.1.1,%:assumed-role/shop/%,s3.amazonaws.com,GetObject,%cards%,"reads, daily",{days}',
        "10.2.1.3,%cloudtrail.amazonaws.com,s3.amazonaws.com,%,%trail-%,writes,me,2026-01-01,2036-12-31",
        f"10.2.1.1,arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_%,%,Get%,%,reads,{days}",
        f"10.2.1.2,%,arn:aws:%,%,%,all,{days}",
    ]
    (settings / "expected_activity.csv").write_text("\n".join(old) + "\n")
    header = (
        "has the columns of an earlier version: a principal is now a kind, an account and a name. Write this header: "
    )
    nobody = "no longer says who is meant: name the kind, the account and the name of the principal"
    assert [str(fault) for fault in check_settings(settings)] == [
        f"administrators.csv, line 1: {header}principal_kind,principal_account,principal_name,description",
        "administrators.csv, line 2: now reads: user,any account in scope,ada,Ada",
        f"administrators.csv, line 3: {nobody}",
        f"expected_activity.csv, line 1: {header}{','.join(FILES['expected_activity'])}",
        "expected_activity.csv, line 2: now reads: 10.2.1.1,role,any account in scope,shop,,s3.amazonaws.com,GetObject,"
        f'cards,"reads, daily",{days}',
        "expected_activity.csv, line 3: now reads: 10.2.1.3,service,any account in scope,cloudtrail.amazonaws.com,,"
        "s3.amazonaws.com,%,trail-%,writes,me,2026-01-01,2036-12-31 (but expires_on: 2036-12-31 is more than 400 days "
        "after approved_on 2026-01-01: approve it for less)",
        f"expected_activity.csv, line 4: now reads: 10.2.1.1,permission set,111122223333,Dev,,%,Get%,%,reads,{days}",
        f"expected_activity.csv, line 5: {nobody}",
    ]


def test_a_missing_file_is_named(settings: Path) -> None:
    (settings / "audit_log_stores.csv").unlink()
    (fault,) = check_settings(settings)
    assert "audit_log_stores.csv, line 1: there is no such file" in str(fault)


def test_settings_may_lack_the_files_that_an_earlier_version_had_not(settings: Path) -> None:
    for name in ("nothing_to_list", "digest_trails", "settings_changes"):
        (settings / f"{name}.csv").unlink()
        assert as_dbt_reads_it(name, None) == f"{','.join(FILES[name])}\n".encode()
    assert check_settings(settings) == []


def test_a_file_of_the_old_form_without_lines_says_the_same_in_either_form(settings: Path) -> None:
    old = "principal,description\n"
    (settings / "administrators.csv").write_text(old)
    (settings / "nothing_to_list.csv").write_text(
        "settings_file,reason,approved_by,approved_on\nadministrators,Nobody has standing access,me,2026-01-01\n"
    )
    assert check_settings(settings) == []
    now = f"{','.join(FILES['administrators'])}\n".encode()
    assert as_dbt_reads_it("administrators", old.encode()) == now
    assert as_dbt_reads_it("administrators", now + b"user,any account in scope,ada,Ada\n").endswith(b"Ada\n")


def test_an_empty_file_may_be_said_to_have_nothing_to_list(settings: Path) -> None:
    (settings / "administrators.csv").write_text("principal_kind,principal_account,principal_name,description\n")
    (settings / "nothing_to_list.csv").write_text(
        "settings_file,reason,approved_by,approved_on\nadministrators,Nobody has standing access,me,2026-01-01\n"
    )
    assert check_settings(settings) == []


def test_a_file_that_is_not_utf_8_is_named(settings: Path) -> None:
    (settings / "administrators.csv").write_bytes(b"principal_kind\nuser\xff\n")
    (fault,) = check_settings(settings)
    assert "administrators.csv, line 1: cannot be read as CSV in UTF-8" in str(fault)


def test_every_settings_file_of_the_project_is_checked() -> None:
    assert {path.stem for path in (ROOT / "seeds" / "settings").glob("*.csv")} == set(FILES)


def test_settings_may_name_the_requirements_of_the_project_and_no_others(settings: Path) -> None:
    known = requirements()
    assert len(known) == len(set(known)) > 1
    (settings / "expected_activity.csv").write_text(f"{','.join(EXPECTED)}\n")
    for name in (*known, "10.9"):
        written(settings, requirement=name)
    (fault,) = check_settings(settings)
    assert str(fault).startswith(
        "expected_activity.csv, line 12: requirement: '10.9' matches no requirement; they are: "
    )
    assert str(fault).endswith(", ".join(known))
