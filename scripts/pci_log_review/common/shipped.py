"""The dbt project as it is shipped: in a checkout at the top, in the wheel inside this package.

setup.py uses this when it builds a wheel, before anything is installed: only Python's own library is imported here.
"""

from __future__ import annotations

import os
from pathlib import Path

# Where the wheel has the project, in the package
FOLDER = "project"
# What belongs to it, by its place in the project: files, and folders with all that lies below
SHIPPED = (
    "analyses",
    "dbt_project.yml",
    "macros",
    "models",
    "profiles.example.yml",
    "sample_logs",
    "seeds/approved_changes.csv",
    "seeds/catalogue",
    "seeds/settings",
    "tests/fixtures",
    "tests/generic",
    "tests/singular",
)


def shipped_files(project: Path) -> list[str]:
    """The files of the project, by their place in it, sorted; without hidden ones, such as an editor leaves."""
    found = [name for name in SHIPPED if (project / name).is_file()]
    for name in SHIPPED:
        for folder, below, files in os.walk(project / name):
            below[:] = [it for it in below if not it.startswith(".")]
            places = (Path(folder, file).relative_to(project).as_posix() for file in files if not file.startswith("."))
            found += places
    return sorted(found)
