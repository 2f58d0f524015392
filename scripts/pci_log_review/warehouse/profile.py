"""How dbt connects, according to its profiles.yml: read once, before a run begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..common.errors import UsageError
from ..common.files import read_regular
from ..common.project import home

_FILE = "profiles.yml"
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

    `file` is where it was read: a profiles.yml, or the shipped profiles.example.yml where nobody has one; that one lies
    as profiles.yml in a run's private project. `aws_profile_name` is the AWS profile that dbt uses, if it names one.
    """

    target: str
    file: Path
    connection: AthenaConnection | Path
    aws_profile_name: str | None

    @property
    def directory(self) -> Path | None:
        """The folder of profiles.yml; None for that of the private project."""
        return self.file.parent if self.file.name == _FILE else None


def read_profile(target: str, project: Path, environment: Mapping[str, str]) -> Profile:
    """The target in profiles.yml, each value rendered by dbt's own code with the variables of `environment`.

    dbt's own profile loader is not used: importing it takes 3 s, and no error could be reported before that.
    Raises UsageError if the file or the target is missing, a variable has no value, or Athena lacks a setting.
    """
    file = _profile_file(project)
    output = _rendered(_raw_output(file, target), file, environment)
    aws_profile_name = output.get("aws_profile_name")
    connection = _connection(output, file, target)
    if isinstance(connection, Path) and not connection.is_absolute():  # dbt runs in a folder that goes with the run
        raise UsageError(
            f"{file}: the target {target}: path {str(connection)!r} is not absolute; "
            "write \"{{ env_var('PCI_LOG_REVIEW_STATE', 'state') }}/review.duckdb\""
        )
    return Profile(target, file, connection, aws_profile_name and str(aws_profile_name))


def _profile_file(project: Path) -> Path:
    """The profiles.yml of DBT_PROFILES_DIR, which has to be there; else that of the project, or that of ~/.dbt if it is
    meant for this project, too; else the shipped profile. Never that of the working folder: a profile can name code.

    Raises UsageError if there is none.
    """
    shipped = project / "profiles.example.yml"
    if named := os.environ.get("DBT_PROFILES_DIR"):
        file = Path(named).absolute() / _FILE
        if not file.is_file():
            raise UsageError(f"no {_FILE} in {file.parent}; copy {shipped} there under that name")
        return file
    own, of_all_projects = project / _FILE, home(project) / ".dbt" / _FILE
    if own.is_file():
        return own
    if of_all_projects.is_file() and b"pci_log_review" in read_regular(of_all_projects):
        return of_all_projects
    if not shipped.is_file():
        raise UsageError(f"no {_FILE} in {project}, and no {shipped.name}")
    return shipped


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
    # here, because it takes a third of the time in which a command that needs no profile starts
    from dbt_common.clients.jinja import get_template, render_template
    from dbt_common.exceptions import DbtRuntimeError
    from dbt_common.utils.dict import deep_map_render

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
