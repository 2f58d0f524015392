"""How dbt connects, according to its profiles.yml: read once, before a run begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from dbt_common.clients.jinja import get_template, render_template
from dbt_common.exceptions import DbtRuntimeError
from dbt_common.utils.dict import deep_map_render

from ..common.errors import UsageError
from ..common.files import read_regular
from ..common.project import home

_NEEDED = ("region_name", "s3_staging_dir", "s3_data_dir")


@dataclass(frozen=True)
class AthenaConnection:
    """The profile's settings for Athena. `schema` is the Glue database; `poll_interval` is in seconds."""

    region_name: str
    work_group: str
    schema: str
    s3_staging_dir: str
    s3_data_dir: str
    poll_interval: float


@dataclass(frozen=True)
class Profile:
    """One target of profiles.yml: on Athena, or the DuckDB file of the embedded target.

    `directory` holds profiles.yml, and `aws_profile_name` is the AWS profile that dbt uses, if it names one.
    """

    target: str
    directory: Path
    connection: AthenaConnection | Path
    aws_profile_name: str | None


def read_profile(target: str, project: Path, environment: Mapping[str, str]) -> Profile:
    """The target in profiles.yml, each value rendered by dbt's own code with the variables of `environment`.

    dbt's own profile loader is not used: importing it takes 3 s, and no error could be reported before that.
    Raises UsageError if the file or the target is missing, a variable has no value, or Athena lacks a setting.
    """
    directory = _profiles_dir(project)
    file = directory / "profiles.yml"
    output = _rendered(_raw_output(file, target), file, environment)
    aws_profile_name = output.get("aws_profile_name")
    connection = _connection(output, file, target)
    if isinstance(connection, Path):
        connection = project / connection  # where dbt runs
    return Profile(target, directory, connection, aws_profile_name and str(aws_profile_name))


def _profiles_dir(project: Path) -> Path:
    """The folder of profiles.yml, searched for where dbt does. Raises UsageError if there is none."""
    named = os.environ.get("DBT_PROFILES_DIR")
    places = [Path(named).absolute()] if named else [project, home(project) / ".dbt"]
    for place in places:
        if (place / "profiles.yml").is_file():
            return place
    raise UsageError(f"no profiles.yml in {places[0]}; copy {project / 'profiles.example.yml'} there under that name")


def _raw_output(file: Path, target: str) -> dict[str, Any]:
    try:
        outputs: dict[str, dict[str, Any]] = yaml.safe_load(read_regular(file))["pci_log_review"]["outputs"]
        if not all(isinstance(output, dict) and "type" in output for output in outputs.values()):
            raise ValueError("each output needs a type")
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{file}: cannot be read as a dbt profile with pci_log_review: outputs: {error}") from error
    if target not in outputs:
        raise UsageError(f"{file} has no target {target!r}; it has: {', '.join(outputs)}")
    return outputs[target]


def _rendered(output: dict[str, Any], file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    def env_var(name: str, default: str | None = None) -> str:
        value = environment.get(name, default)
        if value is None:
            raise UsageError(f"{file}: the environment variable {name} has no value")
        return value

    def render(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            return value
        context = {"env_var": env_var}
        return render_template(get_template(value, context, native=True), context)

    try:
        rendered: dict[str, Any] = deep_map_render(render, output)
    except DbtRuntimeError as error:
        if isinstance(error.__cause__, UsageError):
            raise error.__cause__ from error
        reason = " ".join(str(error).split())
        raise UsageError(f"{file}: cannot be read as a dbt profile with pci_log_review: outputs: {reason}") from error
    return rendered


def _connection(output: dict[str, Any], file: Path, target: str) -> AthenaConnection | Path:
    needed = _NEEDED if output["type"] == "athena" else ("path",)
    for setting in needed:
        if not output.get(setting):
            raise UsageError(f"{file}: the target {target} needs {setting}")
    if output["type"] != "athena":
        return Path(str(output["path"]))
    try:
        poll_interval = float(output.get("poll_interval") or 1)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file}: the target {target}: poll_interval is not a number of seconds") from error
    return AthenaConnection(
        region_name=str(output["region_name"]),
        work_group=str(output.get("work_group") or "primary"),
        schema=str(output.get("schema") or "default"),
        s3_staging_dir=str(output["s3_staging_dir"]),
        s3_data_dir=str(output["s3_data_dir"]),
        poll_interval=poll_interval,
    )
