"""The README beside a folder of settings: what each file and column says, as seeds/catalogue/settings.yml has it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
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
    seeds = _seeds(project)
    parts = [_file(seeds[name], project / "seeds" / "settings" / f"{name}.csv") for name in FILES]
    return "\n".join([_BEGINNING, *parts])


def table(project: Path, name: str) -> str:
    """The columns of a settings file in their order: what each says and whether a cell may be empty, as Markdown."""
    return _table(_seeds(project)[name])


def _seeds(project: Path) -> dict[str, dict[str, Any]]:
    content = yaml.safe_load((project / "seeds" / "catalogue" / "settings.yml").read_text(encoding="utf-8"))
    return {seed["name"]: seed for seed in content["seeds"]}


def _table(seed: Mapping[str, Any]) -> str:
    columns = {column["name"]: column for column in seed["columns"]}
    rows = [
        f"| `{column}` | {columns[column]['description']} | {'yes' if check('') is None else 'no'} |"
        for column, check in FILES[seed["name"]].items()
    ]
    return "\n".join(["| column | says | may be empty |", "|---|---|---|", *rows])


def _file(seed: Mapping[str, Any], sample: Path) -> str:
    name = seed["name"]
    missing = " It may be missing." if name in OPTIONAL else ""
    lines = [f"## {name}.csv", "", f"{seed['description']}{missing}", "", _table(seed)]
    if example := _example(sample):
        lines += ["", f"For example: `{example}`"]
    return "\n".join([*lines, ""])


def _example(sample: Path) -> str:
    with sample.open(encoding="utf-8", newline="") as file:
        row = next(iter(list(csv.reader(file))[1:]), [])
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue() if row else ""
