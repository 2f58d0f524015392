"""Writes the tables of columns in docs/settings.md from what describes the settings:

    PYTHONPATH=scripts python -m tools.settings_page

A table stands between `<!-- columns of FILE -->` and `<!-- end -->`. What a column says is its description in
seeds/catalogue/settings.yml; whether a cell may be empty is what the check of the settings says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from pci_log_review.common.project import project_dir
from pci_log_review.settings.checks import FILES

PAGE = Path("docs") / "settings.md"
_TABLE = re.compile(r"(<!-- columns of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def described() -> dict[str, dict[str, str]]:
    """What each column of each settings file says, by the names of file and column."""
    seeds = yaml.safe_load((project_dir() / "seeds" / "catalogue" / "settings.yml").read_text())["seeds"]
    return {seed["name"]: {column["name"]: column["description"] for column in seed["columns"]} for seed in seeds}


def table(file: str, says: dict[str, str]) -> str:
    """The table of a file's columns, in the file's order. Raises KeyError where a column has no description."""
    rows = [
        f"| `{column}` | {says[column]} | {'yes' if check('') is None else 'no'} |"
        for column, check in FILES[file].items()
    ]
    return "\n".join(["", "| column | says | may be empty |", "|---|---|---|", *rows, "", ""])


def written_anew(page: str) -> str:
    """The page with each of its tables as it has to be."""
    says = described()
    return _TABLE.sub(lambda found: found[1] + table(found[2], says[found[2]]) + found[3], page)


def main() -> int:
    """Writes the page."""
    path = project_dir() / PAGE
    path.write_text(written_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
