"""Where the dbt project is."""

from __future__ import annotations

from pathlib import Path

from .errors import UsageError


def project_dir() -> Path:
    """The folder of dbt_project.yml: this checkout. Raises UsageError where it is not there."""
    found = Path(__file__).resolve().parents[3]
    if not (found / "dbt_project.yml").is_file():
        raise UsageError(f"no dbt project at {found}; install from a checkout: pip install --editable .")
    return found
