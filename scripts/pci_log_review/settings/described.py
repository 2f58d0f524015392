"""The README beside a folder of settings: what each file and column says, as seeds/catalogue/settings.yml has it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .checks import FILES, OPTIONAL

NAME = "README.md"
_BEGINNING = """# Settings of the daily log review

CSV files in UTF-8 with commas, each with a header; what is wrong in one is told by file and line before anything runs.
Where a column is called a pattern, `%` stands for anything; in a LIKE pattern `_` stands for one character, too.
Where the stores, administrators or administrative grants have no line, what needs them is `not configured`, and no day
is complete; `nothing_to_list.csv` can say that there is nothing to list. A run seals the files that it used.
"""


def readme(project: Path) -> str:
    """Markdown with a table of columns for each file, and a line of the sample's settings as an example."""
    content = yaml.safe_load((project / "seeds" / "catalogue" / "settings.yml").read_text(encoding="utf-8"))
    described = {seed["name"]: seed for seed in content["seeds"]}
    parts = [_file(described[name], project / "seeds" / "settings" / f"{name}.csv") for name in FILES]
    return "\n".join([_BEGINNING, *parts])


def _file(seed: Mapping[str, Any], sample: Path) -> str:
    name = seed["name"]
    missing = " It may be missing." if name in OPTIONAL else ""
    lines = [f"## {name}.csv", "", f"{seed['description']}{missing}", "", "| column | says |", "|---|---|"]
    columns = {column["name"]: column for column in seed["columns"]}
    lines += [f"| `{column}` | {_said(columns[column])} |" for column in FILES[name]]
    if example := _example(sample):
        lines += ["", f"For example: `{example}`"]
    return "\n".join([*lines, ""])


def _said(column: Mapping[str, Any]) -> str:
    said = str(column["description"])
    unsaid = [value for value in _accepted(column) if value not in said]
    return f"{said} One of: {', '.join(f'`{value}`' for value in unsaid)}." if unsaid else said


def _accepted(column: Mapping[str, Any]) -> Iterator[str]:
    for test in column.get("data_tests", []):
        if "accepted_values" in test:
            yield from test["accepted_values"]["arguments"]["values"]


def _example(sample: Path) -> str:
    with sample.open(encoding="utf-8", newline="") as file:
        row = next(iter(list(csv.reader(file))[1:]), [])
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue() if row else ""
