"""docs/settings.md says of each settings file what the checks of the settings say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.settings.checks import FILES, check_settings
from pci_log_review.settings.described import table
from tools.settings_page import PAGE, written_anew

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```csv (\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))


def test_the_tables_of_columns_are_those_that_describe_the_settings() -> None:
    assert written_anew(TEXT) == TEXT, "write it anew: make settings-docs"
    assert re.findall(r"<!-- columns of (\w+) -->", TEXT) == list(FILES)


def test_the_list_of_files_has_each() -> None:
    assert re.findall(r"^\| \[`(\w+)\.csv`\]\(#\1\)", TEXT, re.MULTILINE) == list(FILES)


@pytest.mark.parametrize("file", FILES)
def test_each_value_that_a_column_takes_is_told(file: str) -> None:
    rows = table(ROOT, file)
    for column, check in FILES[file].items():
        told = re.search(r"is not one of: (.*)", check("\0") or "")
        [row] = re.findall(rf"^\| `{column}` \|.*", rows, re.MULTILINE)
        for value in told[1].split(", ") if told else []:
            assert f"`{value}`" in row, column


def test_every_example_is_a_settings_file_without_fault(tmp_path: Path) -> None:
    assert set(EXAMPLES) == set(FILES)
    for name in FILES:
        (tmp_path / f"{name}.csv").write_text(EXAMPLES[name])
    # the example of nothing_to_list is of a folder in which that file is empty
    [empty] = re.findall(r"^(\w+),Access", EXAMPLES["nothing_to_list"], re.MULTILINE)
    (tmp_path / f"{empty}.csv").write_text(EXAMPLES[empty].splitlines()[0] + "\n")
    assert check_settings(tmp_path) == []
    (tmp_path / f"{empty}.csv").write_text(EXAMPLES[empty])
    assert [fault.text.partition(" has lines")[0] for fault in check_settings(tmp_path)] == [
        f"settings_file: {empty}.csv"
    ]
