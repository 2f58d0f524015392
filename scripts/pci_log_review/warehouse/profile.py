"""Where the dbt project and its profile are, and what a run needs to know."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment


class UsageError(Exception):
    """Something that the user gave is wrong; the text is one line for each thing, ready to be shown."""


class ResultsError(Exception):
    """What a run left can't be read; the text says why."""


@dataclass(frozen=True)
class RunOptions:
    """What one run of the review was asked to do. Paths are absolute."""

    run_date: date
    logs: str
    target: str
    settings: Path
    state: Path
    public_keys: Path | None = None


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


def profile_output(target: str) -> dict[str, Any]:
    """How profiles.yml says to connect to the target, its env_var() calls answered as dbt answers them.

    Raises UsageError where the file or the target is not there, or an environment variable has no value.
    """
    file = profiles_dir(project_dir()) / "profiles.yml"

    def env_var(name: str, default: str | None = None) -> str:
        value = os.environ.get(name, default)
        if value is None:
            raise UsageError(f"{file}: the environment variable {name} has no value")
        return value

    jinja = SandboxedEnvironment()
    jinja.filters.update(dict.fromkeys(("as_bool", "as_native", "as_number", "as_text"), lambda value: value))
    try:
        rendered = jinja.from_string(file.read_text(encoding="utf-8")).render(env_var=env_var)
        outputs: dict[str, dict[str, Any]] = yaml.safe_load(rendered)["pci_log_review"]["outputs"]
        if not all(isinstance(output, dict) and "type" in output for output in outputs.values()):
            raise ValueError("each output needs a type")
    except (OSError, TemplateError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file}: cannot be read as a dbt profile with pci_log_review: outputs: {error}") from error
    if target not in outputs:
        raise UsageError(f"{file} has no target {target!r}; it has: {', '.join(outputs)}")
    return outputs[target]
