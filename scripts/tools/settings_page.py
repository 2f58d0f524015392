"""Writes what describes the columns of the settings: the tables of docs/settings.md, and seeds/settings/README.md.

    make settings-docs

A table stands between `<!-- columns of FILE -->` and `<!-- end -->`. What a column says is its description in
seeds/catalogue/settings.yml; whether a cell may be empty is what the check of the settings says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pci_log_review.common.project import project_dir
from pci_log_review.settings.described import readme, table

PAGE = Path("docs") / "settings.md"
README = Path("seeds") / "settings" / "README.md"
_TABLE = re.compile(r"(<!-- columns of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written_anew(page: str) -> str:
    """The page with each of its tables as it has to be."""
    return _TABLE.sub(lambda found: f"{found[1]}\n{table(project_dir(), found[2])}\n\n{found[3]}", page)


def main() -> int:
    """Writes both."""
    project = project_dir()
    page = project / PAGE
    page.write_text(written_anew(page.read_text(encoding="utf-8")), encoding="utf-8")
    (project / README).write_text(readme(project), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
