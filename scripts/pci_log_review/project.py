"""Where the dbt project and its profile are, and what a run needs to know."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path


class UsageError(Exception):
    """Something that the user gave is wrong; the text is one line for each thing, ready to be shown."""


@dataclass(frozen=True)
class RunOptions:
    """What one run of the review was asked to do. Paths are absolute."""

    run_date: date
    logs: str
    target: str
    settings: Path
    evidence: Path
    state: Path


def project_dir() -> Path:
    """The folder of dbt_project.yml: this checkout. Raises UsageError where it is not there."""
    found = Path(__file__).resolve().parents[2]
    if not (found / "dbt_project.yml").is_file():
        raise UsageError(f"no dbt project at {found}; install from a checkout: pip install --editable .")
    return found


def profiles_dir(project: Path) -> Path:
    """The folder of profiles.yml, where dbt would look for it, too. Raises UsageError where there is none."""
    named = os.environ.get("DBT_PROFILES_DIR")
    places = [Path(named)] if named else [project, Path.home() / ".dbt"]
    for place in places:
        if (place / "profiles.yml").is_file():
            return place
    raise UsageError(f"no profiles.yml in {places[0]}; copy {project / 'profiles.example.yml'} there by that name")
