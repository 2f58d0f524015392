"""Rows of two builds: what vanished, became expected, changed or appeared, on tables as small as they can be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pci_log_review.difference.rows import Changes, open_changes, relations

COLUMNS = (
    "requirement, run_date, aws_account_id, aws_region, event_id, event_time, event_source, event_name, actor_arn, "
    "request_parameters, outcome, title, detail, is_expected"
)
MODEL = "pci_10_2_1_5_credential_changes"
FIRST = "'10.2.1.5', '2026-03-10', '111122223333', 'us-east-1', 'e1', '2026-03-10 08:00:00', 'iam.amazonaws.com', "
ROW = FIRST + "'CreateUser', 'arn:a', '{}', 'success', 'Create a user', 'a did', false"
NO_ID = ROW.replace("'e1'", "null")


def build(path: Path, *rows: str, more: str = "", model: str = MODEL) -> Path:
    """A build's database with these rows of one requirement model, and findings over it."""
    with duckdb.connect(path) as connection:
        values = ", ".join(f"({row})" for row in rows) or f"({ROW})"
        nothing = "" if rows else "where false"
        connection.execute(f"create table {model} as from (values {values}) as v ({COLUMNS}) {nothing}")
        if more:
            connection.execute(more)
        connection.execute(f"create view findings as from {model}")
        connection.execute(f"create table requirements as select '10.2.1.5' as requirement, '{model}' as model")
        connection.execute("create table log_coverage (run_date date, account_id text, region text, gap text)")
        connection.execute("create table daily_review (run_date date, requirement text, is_complete boolean)")
    return path


@contextmanager
def found(base: Path, head: Path, home: Path) -> Iterator[tuple[Changes, list[tuple[str, str]]]]:
    """The changes between the two, and kind and event of those of the requirement."""
    with open_changes(base, head, home) as changes:
        for relation in relations(changes.connection):
            changes.add(relation)
        rows = changes.connection.execute(
            "select kind, event from changes where relation = '10.2.1.5' order by all"
        ).fetchall()
        yield changes, rows


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([ROW], [ROW], []),
        ([ROW], [], ["vanished"]),
        ([], [ROW], ["appeared"]),
        ([], [], []),
        ([ROW, ROW], [ROW], ["vanished"]),
        ([ROW], [ROW.replace("success", "failure")], ["changed"]),
        ([ROW], [ROW.replace("false", "true")], ["became expected"]),
        ([ROW.replace("false", "null")], [ROW.replace("false", "true")], ["became expected"]),
        ([ROW.replace("false", "true")], [ROW], ["changed"]),
        ([ROW], [ROW.replace("'success'", "null")], ["changed"]),
        ([ROW], [ROW.replace("'e1'", "'e2'")], ["appeared", "vanished"]),
        ([ROW], [NO_ID], ["appeared", "vanished"]),
        ([NO_ID], [NO_ID], []),
        ([NO_ID], [NO_ID.replace("success", "failure")], ["changed"]),
        ([NO_ID, NO_ID.replace("arn:a", "arn:b")], [NO_ID], ["vanished"]),
        ([NO_ID], [NO_ID.replace("arn:a", "arn:b")], ["appeared", "vanished"]),
        ([ROW.replace("'111122223333'", "null")], [ROW.replace("'111122223333'", "null")], []),
    ],
)
def test_direction_is_right_also_of_nulls_copies_and_empty_sides(
    tmp_path: Path, before: list[str], after: list[str], kinds: list[str]
) -> None:
    base, head = build(tmp_path / "base.duckdb", *before), build(tmp_path / "head.duckdb", *after)
    with found(base, head, tmp_path) as (changes, rows):
        assert [kind for kind, _ in rows] == kinds
        assert all(event == "iam.amazonaws.com/CreateUser" for _, event in rows)
        assert changes.drop_repeated("findings", ["10.2.1.5"])


def test_columns_that_changed_are_named_with_their_values_but_parameters_are_not_shown(tmp_path: Path) -> None:
    base = build(tmp_path / "base.duckdb", ROW)
    head = build(tmp_path / "head.duckdb", ROW.replace("success", "denied").replace("{}", '{"secret": 1}'))
    with found(base, head, tmp_path) as (changes, _):
        shown = changes.connection.execute("select changed_columns, before, after from changes limit 1").fetchone()
    assert shown == ("request_parameters, outcome", "outcome: success", "outcome: denied")


def test_a_renamed_column_is_named_and_its_rows_do_not_vanish(tmp_path: Path) -> None:
    base = build(tmp_path / "base.duckdb", ROW)
    head = build(tmp_path / "head.duckdb", ROW, more=f"alter table {MODEL} rename outcome to result")
    with found(base, head, tmp_path) as (changes, rows):
        assert rows == []
        assert [(one.relation, one.removed, one.added) for one in changes.columns] == [
            ("10.2.1.5", ("outcome",), ("result",)),
            ("findings", ("outcome",), ("result",)),
        ]


def test_a_renamed_model_is_the_same_requirement(tmp_path: Path) -> None:
    base, head = build(tmp_path / "base.duckdb", ROW), build(tmp_path / "head.duckdb", ROW, model="pci_identities")
    with found(base, head, tmp_path) as (_, rows):
        assert rows == []


def test_a_filter_in_findings_alone_is_seen(tmp_path: Path) -> None:
    base, head = build(tmp_path / "base.duckdb", ROW), build(tmp_path / "head.duckdb", ROW)
    with duckdb.connect(head) as connection:
        connection.execute(f"create or replace view findings as from {MODEL} where false")
    with found(base, head, tmp_path) as (changes, rows):
        assert rows == []
        assert not changes.drop_repeated("findings", ["10.2.1.5"])
        assert changes.connection.execute("select relation, kind from changes").fetchall() == [("findings", "vanished")]


def test_a_gap_or_an_incomplete_day_that_is_none_any_more_is_told_like_what_became_expected(tmp_path: Path) -> None:
    base, head = build(tmp_path / "base.duckdb", ROW), build(tmp_path / "head.duckdb", ROW)
    for path, gap, is_complete in ((base, "'no logs'", "false"), (head, "null", "true")):
        with duckdb.connect(path) as connection:
            connection.execute(f"insert into log_coverage values ('2026-03-10', '111122223333', 'eu-west-1', {gap})")
            connection.execute(f"insert into daily_review values ('2026-03-10', '10.2.1.5', {is_complete})")
    with found(base, head, tmp_path) as (changes, _):
        assert changes.connection.execute("select relation, kind, event from changes order by all").fetchall() == [
            ("daily_review", "became expected", "10.2.1.5"),
            ("log_coverage", "became expected", "111122223333/eu-west-1"),
        ]
