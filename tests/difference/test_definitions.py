"""What a change takes from tests, lines, contracts and descriptions is named, where no row shows it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import ROOT

from pci_log_review.difference.definitions import changed_sql, definition_notices, pytest_notices
from pci_log_review.difference.lines import line_notices

TEST = {
    "resource_type": "test",
    "package_name": "p",
    "name": "accepted_values_status",
    "attached_node": "model.p.coverage",
    "column_name": "status",
    "raw_code": "",
    "test_metadata": {"name": "accepted_values", "kwargs": {"values": ["logs", "missing"], "column_name": "status"}},
    "config": {"severity": "ERROR", "error_if": "!= 0", "warn_if": "!= 0", "where": None, "limit": None},
}
SINGULAR = TEST | {"name": "day_is_complete", "test_metadata": None, "raw_code": "select 1", "column_name": None}
MODEL = {
    "resource_type": "model",
    "package_name": "p",
    "name": "coverage",
    "description": "One row per account and region, in scope or not, with what is missing.",
    "contract": {"enforced": True},
    "columns": {
        "status": {
            "name": "status",
            "data_type": "varchar",
            "description": "Whether there are logs.",
            "constraints": [{"type": "not_null"}],
        },
        "events": {"name": "events", "data_type": "bigint", "description": "Events read.", "constraints": []},
    },
}
UNIT_TEST = {
    "resource_type": "unit_test",
    "package_name": "p",
    "name": "quiet",
    "model": "coverage",
    "description": "Quiet is not missing.",
    "given": [],
    "expect": {"rows": [{"status": "logs"}, {"status": "missing"}]},
    "overrides": {},
}
MACRO = {
    "resource_type": "macro",
    "package_name": "p",
    "name": "test_is_day",
    "macro_sql": "select 1",
    "description": "Every value is a day.",
}
BEFORE: dict[str, Any] = {
    "metadata": {"project_name": "p"},
    "nodes": {"a": TEST, "b": SINGULAR, "c": MODEL},
    "sources": {},
    "macros": {"m": MACRO},
    "unit_tests": {"u": UNIT_TEST},
}


def set_at(manifest: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split("/")
    for name in folders:
        manifest = manifest[name]
    if value is None:
        del manifest[last]
    else:
        manifest[last] = value


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("nodes/a", None, "test accepted_values of coverage.status: removed"),
        ("nodes/b", None, "test day_is_complete: removed"),
        ("nodes/a/config/severity", "WARN", "test accepted_values of coverage.status: severity is WARN, and was ERROR"),
        ("nodes/a/config/error_if", "> 5", "test accepted_values of coverage.status: error_if is > 5, and was != 0"),
        ("nodes/a/config/where", "1 = 0", "test accepted_values of coverage.status: where is 1 = 0, and was None"),
        (
            "nodes/a/test_metadata/kwargs/values",
            ["logs", "missing", "x"],
            "test accepted_values of coverage.status: values is ['logs', 'missing', 'x'], and was ['logs', 'missing']",
        ),
        ("nodes/b/raw_code", "select 1 where false", "test day_is_complete: its SQL is another"),
        ("macros/m/macro_sql", "select 1 limit 0", "test macro test_is_day: its SQL is another"),
        ("macros/m/description", "", "description macro test_is_day: removed"),
        ("unit_tests/u", None, "unit test coverage: quiet: removed"),
        (
            "unit_tests/u/expect/rows",
            [{"status": "logs"}],
            "unit test coverage: quiet: 1 of the 2 rows that it expected are gone or others",
        ),
        ("nodes/c/contract/enforced", False, "contract coverage: is no longer enforced"),
        ("nodes/c/columns/events", None, "contract coverage: column events removed"),
        (
            "nodes/c/columns/events/data_type",
            "varchar",
            "contract coverage: column events is varchar, and was bigint",
        ),
        (
            "nodes/c/columns/status/constraints",
            [],
            "contract coverage: column status has the constraints [], and had ['not_null']",
        ),
        ("nodes/c/description", "", "description model coverage: removed"),
        ("nodes/c/description", "Rows.", "description model coverage: shortened from 70 to 5 characters"),
        ("nodes/c/columns/status/description", " ", "description model coverage.status: removed"),
    ],
)
def test_what_is_weaker_is_named_as_such(path: str, value: Any, told: str) -> None:
    after = copy.deepcopy(BEFORE)
    set_at(after, path, value)
    weaker = [f"{one.what} {one.name}: {one.change}" for one in definition_notices(BEFORE, after) if one.is_weaker]
    assert told in weaker
    assert not [
        one for one in definition_notices(after, BEFORE) if one.is_weaker and one.change in ("removed", "added")
    ]


def test_sql_that_changed_is_named_where_no_row_may_show_it() -> None:
    before, after = copy.deepcopy(BEFORE), copy.deepcopy(BEFORE)
    set_at(before, "nodes/c/raw_code", "select 1")
    set_at(after, "nodes/c/raw_code", "select 1 where false")
    assert changed_sql(before, before) == []
    set_at(after, "macros/m/macro_sql", "select 2")
    assert changed_sql(before, after) == ["macro test_is_day", "model coverage"]


def test_a_test_that_allows_less_is_not_weaker() -> None:
    after = copy.deepcopy(BEFORE)
    set_at(after, "nodes/a/test_metadata/kwargs/values", ["logs"])
    [notice] = definition_notices(BEFORE, after)
    assert not notice.is_weaker


def test_pytest_tests_that_are_gone_or_skipped_are_named(tmp_path: Path) -> None:
    before, after = (tmp_path / name / "tests" / "test_it.py" for name in ("before", "after"))
    for path, text in (
        (before, "def test_a(): ...\ndef test_b(): ...\ndef test_c(): ...\n"),
        (after, "import pytest\n@pytest.mark.skip\ndef test_b(): ...\ndef test_c(): ...\n"),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    told = [(one.name, one.change) for one in pytest_notices(tmp_path / "before", tmp_path / "after")]
    assert told == [("test_it.py: test_a", "removed"), ("test_it.py: test_b", "is skipped, or may fail")]


HEADER = "requirement,event_source,event_name,applies_to,title,why,flag\n"
LINE = "10.2.1.5,iam.amazonaws.com,CreateUser,always,Create a user,Somebody gets in.,\n"


def of_lines(home: Path, file: str, before: str, after: str) -> list[tuple[str, bool, tuple[str, str] | None]]:
    for side, text in (("before", before), ("after", after)):
        path = home / side / "seeds" / file
        path.parent.mkdir(parents=True)
        path.write_text(text)
    notices = line_notices(home / "before", home / "after", None)
    return [(f"{one.what} {one.name}: {one.change}", one.is_weaker, one.approves) for one in notices]


def test_a_removed_catalogue_line_says_what_it_covered_and_has_to_be_approved(tmp_path: Path) -> None:
    assert of_lines(tmp_path, "catalogue/reviewed_events.csv", HEADER + LINE, HEADER) == [
        (
            "catalogue line 10.2.1.5 iam.amazonaws.com/CreateUser: removed; it covered: Create a user (always). "
            "Somebody gets in.",
            True,
            ("10.2.1.5", "iam.amazonaws.com/CreateUser"),
        )
    ]


@pytest.mark.parametrize(
    ("line", "is_weaker"),
    [
        (LINE.replace("CreateUser", "Create%"), False),
        (LINE.replace("CreateUser", "%"), False),
        (LINE.replace("CreateUser", "CreateUse_"), False),
        (LINE.replace("CreateUser", "createuser"), True),
        (LINE.replace("CreateUser", "Delete%"), True),
        (LINE.replace("always", "listed stores"), True),
        (LINE.replace("gets in.,", "gets in.,elevation"), True),
        (LINE.replace("10.2.1.5", "10.2.1.7"), True),
    ],
)
def test_a_line_that_another_covers_is_not_lost(tmp_path: Path, line: str, is_weaker: bool) -> None:
    (removed, found, _), _ = of_lines(tmp_path, "catalogue/reviewed_events.csv", HEADER + LINE, HEADER + line)
    assert "removed" in removed
    assert found == is_weaker


def test_a_line_in_other_words_or_another_order_is_the_same_line(tmp_path: Path) -> None:
    other = LINE.replace("CreateUser", "DeleteUser")
    told = of_lines(
        tmp_path, "catalogue/reviewed_events.csv", HEADER + LINE + other, HEADER + other + LINE.replace("in.", "out.")
    )
    assert told == [("catalogue line 1 lines: are worded in another way", False, None)]


@pytest.mark.parametrize(
    ("file", "is_weaker_removed", "is_weaker_added"),
    [
        ("catalogue/aws_regions.csv", True, False),
        ("catalogue/refusal_error_codes.csv", True, False),
        ("settings/trail_scope.csv", True, False),
        ("settings/administrators.csv", True, False),
        ("settings/expected_activity.csv", False, True),
    ],
)
def test_a_line_less_of_what_is_reviewed_and_one_more_of_what_is_expected_is_weaker(
    tmp_path: Path, file: str, is_weaker_removed: bool, is_weaker_added: bool
) -> None:
    lines = (ROOT / "seeds" / file).read_text().splitlines(keepends=True)
    [(_, removed, _)] = of_lines(tmp_path / "less", file, "".join(lines), "".join(lines[:-1]))
    [(_, added, _)] = of_lines(tmp_path / "more", file, "".join(lines[:-1]), "".join(lines))
    assert (removed, added) == (is_weaker_removed, is_weaker_added)


def test_a_line_less_of_what_counts_by_its_request_is_weaker(tmp_path: Path) -> None:
    header = "requirement,event_source,event_name,request_members,title,why,flag\n"
    line = "10.2.1.5,rds.amazonaws.com,ModifyDBInstance,masterUserPassword,Change a password,Who knows it?,\n"
    [(told, is_weaker, _)] = of_lines(tmp_path, "catalogue/reviewed_changes.csv", header + line, header)
    assert told.endswith(": removed")
    assert is_weaker
