"""The mutants of `make mutants`: each says something else, and what is accepted of them is still there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tests.checkout import ROOT

from tools.mutants.__main__ import ACCEPTED, FILES, TESTS
from tools.mutants.changes import Mutant, mutants_of

PYTHON = """def f(a, b):
    if a == 1 and not b:
        raise ValueError("no")
    return a in ["x", "y"]
"""
SQL = """-- a comment = no rule
select a from {{ ref('b') }} where a = 1 and c in ('x', 'y')
{% macro athena__it() %}a = 1{% endmacro %}
"""


def changed(folder: Path, name: str, text: str) -> list[str]:
    (folder / name).write_text(text)
    return [mutant.applied(text.encode()).decode() for mutant in mutants_of(folder, name)]


def test_each_mutant_of_python_says_something_else_and_can_be_run(tmp_path: Path) -> None:
    found = changed(tmp_path, "it.py", PYTHON)
    assert len(found) == len({*found, PYTHON}) - 1
    for text in found:
        compile(text, "it.py", "exec")
    for part in (
        "a != 1",
        "if ((not b)):",
        "if ((a == 1)):",
        "bool(b)",
        "a == 2",
        "pass",
        'a not in ["x"',
        '["y"]',
        '["x"]',
    ):
        assert any(part in text for text in found), part


def test_each_mutant_of_sql_changes_a_rule_and_no_comment_nor_what_athena_alone_runs(tmp_path: Path) -> None:
    first, last = SQL.splitlines()[0], SQL.splitlines()[-1]
    found = changed(tmp_path, "it.sql", SQL)
    assert all(text.startswith(first) and text.rstrip().endswith(last) for text in found)
    for part in ("a <> 1", "a = 1 or c", "in ('y')", "in ('x')"):
        assert any(part in text for text in found), part


def test_of_a_seed_each_line_and_each_flag_goes(tmp_path: Path) -> None:
    assert changed(tmp_path, "it.csv", "a,flag\nb,\nc,elevation\n") == [
        "a,flag\nc,elevation\n", "a,flag\nb,\n", "a,flag\nb,\nc,\n"
    ]  # fmt: skip


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    places = [ROOT / place for place in FILES]
    paths = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]
    names = [path.relative_to(ROOT).as_posix() for path in paths if path.suffix in (".py", ".sql")]
    return [mutant for name in names for mutant in mutants_of(ROOT, name)]


def test_what_is_accepted_is_still_a_mutant_and_has_a_reason(mutants: list[Mutant]) -> None:
    with ACCEPTED.open(newline="") as file:
        accepted = {line["mutant"]: line["reason"] for line in csv.DictReader(file)}
    assert set(accepted) <= {mutant.name for mutant in mutants}
    assert all(accepted.values())


def test_the_tests_of_each_file_are_there(mutants: list[Mutant]) -> None:
    assert {mutant.file.split("/")[0] for mutant in mutants} == {"scripts", "models", "macros"}
    for tests in TESTS.values():
        for line in tests:
            for name in line.partition(" -k ")[0].split() if line != "dbt build" else []:
                assert (ROOT / name).exists(), name
