"""Where the dbt project is, and what it says of itself."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError
from .shipped import FOLDER, shipped_files

# The environment variable, which the option --project sets: the folder of a project that somebody has changed
PROJECT = "PCI_LOG_REVIEW_PROJECT"
FILE = "dbt_project.yml"
_PACKAGE = Path(__file__).resolve().parents[1]


def project_dir() -> Path:
    """The folder of dbt_project.yml: the one that the user named, else the shipped one. Never merely the working
    folder: whoever lays a project there would decide what is found.

    Raises UsageError where it is not there, or the named one is of another version.
    """
    shipped = _shipped()
    named = os.environ.get(PROJECT)
    if not named:
        return shipped
    folder = Path(named).absolute()
    if not (folder / FILE).is_file():
        raise UsageError(f"--project {named}: there is no {FILE}; pci-log-review project DIR writes a project")
    theirs, ours = _content(folder)["version"], version()
    if theirs != ours:
        raise UsageError(
            f"--project {named} is of version {theirs}, and this is pci-log-review {ours}: "
            f"write the project anew (pci-log-review project DIR), and make your changes there"
        )
    return folder


def is_installed(project: Path) -> bool:
    """Whether the project is the one of an installed package, which nobody changes or writes to."""
    return project == _PACKAGE / FOLDER


def writable_dir(project: Path) -> Path:
    """Where the state and the evidence lie if nobody names a place: in the project, as dbt alone has it; for the
    project of an installed package in the working folder.
    """
    return Path.cwd() if is_installed(project) else project


def differing_from_wheel() -> tuple[str, ...]:
    """The files of the installed package, its project included, that are not as its wheel had them: changed, removed or
    added. None, where it runs from a checkout.
    """
    try:
        wheel = distribution("pci-log-review")
    except PackageNotFoundError:
        return ()
    if Path(str(wheel.locate_file(_PACKAGE.name))).resolve() != _PACKAGE:
        return ()
    had = {file.as_posix(): file.hash.value for file in wheel.files or [] if file.hash}
    there = {
        path.relative_to(_PACKAGE.parent).as_posix(): path
        for path in _PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    own = {name for name in had if name.startswith(f"{_PACKAGE.name}/") and "__pycache__" not in name}
    return tuple(sorted(name for name in own | there.keys() if had.get(name) != _digest(there.get(name))))


def _digest(path: Path | None) -> str | None:
    """As a wheel's RECORD has it."""
    if path is None:
        return None
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode().rstrip("=")


def home(otherwise: Path) -> Path:
    """The home folder, which a user in a container may not have: then `otherwise`."""
    try:
        return Path.home()
    except RuntimeError:
        return otherwise


def write_project(folder: Path) -> int:
    """Writes the project out into a new folder; returns the number of files. Raises UsageError, OSError."""
    project = project_dir()
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(f"{folder} is there already: name a new folder; nothing was written") from error
    names = shipped_files(project)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, folder / name)  # without its mode: the installation may be read-only
    return len(names)


def version() -> str:
    """The version of this pci-log-review, which is that of its project. Raises UsageError as project_dir does."""
    return str(_content(_shipped())["version"])


def requirements() -> tuple[str, ...]:
    """The requirements that are reviewed, as dbt_project.yml lists them. Raises UsageError as project_dir does."""
    return tuple(line["requirement"] for line in _requirement_lines())


def needed_settings() -> tuple[str, ...]:
    """The settings files, without .csv, on which requirements depend, as dbt_project.yml says. Raises UsageError as
    project_dir does.
    """
    return tuple(dict.fromkeys(line["settings"] for line in _requirement_lines() if "settings" in line))


def _requirement_lines() -> list[dict[str, str]]:
    lines: list[dict[str, str]] = _content(project_dir())["vars"]["requirements"]
    return lines


def _shipped() -> Path:
    """In an installed package its own, in a checkout the folder above scripts/."""
    for place in (_PACKAGE / FOLDER, _PACKAGE.parents[1]):
        if (place / FILE).is_file():
            return place
    raise UsageError(f"{_PACKAGE} is damaged: it has no dbt project; install pci-log-review again")


@cache
def _content(project: Path) -> dict[str, Any]:
    """dbt_project.yml of the folder. Raises UsageError."""
    try:
        content: dict[str, Any] = yaml.safe_load((project / FILE).read_text(encoding="utf-8"))
        [content["version"], content["vars"]["requirements"]]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError) as error:
        raise UsageError(f"{project / FILE} cannot be read, or lacks version or vars: requirements") from error
    return content
