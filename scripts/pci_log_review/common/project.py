"""Where the dbt project is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from .errors import UsageError


def project_dir() -> Path:
    """The folder of dbt_project.yml: this checkout. Raises UsageError where it is not there."""
    found = Path(__file__).resolve().parents[3]
    if not (found / "dbt_project.yml").is_file():
        raise UsageError(f"no dbt project at {found}; install from a checkout: pip install --editable .")
    return found


def home(otherwise: Path) -> Path:
    """The home folder, which a user in a container may not have: then `otherwise`."""
    try:
        return Path.home()
    except RuntimeError:
        return otherwise


def requirements() -> tuple[str, ...]:
    """The requirements that are reviewed, as dbt_project.yml lists them. Raises UsageError as project_dir does."""
    return tuple(line["requirement"] for line in _requirement_lines())


def needed_settings() -> tuple[str, ...]:
    """The settings files, without .csv, on which requirements depend, as dbt_project.yml says. Raises UsageError as
    project_dir does.
    """
    return tuple(dict.fromkeys(line["settings"] for line in _requirement_lines() if "settings" in line))


@cache
def _requirement_lines() -> list[dict[str, str]]:
    project = yaml.safe_load((project_dir() / "dbt_project.yml").read_text(encoding="utf-8"))
    lines: list[dict[str, str]] = project["vars"]["requirements"]
    return lines
