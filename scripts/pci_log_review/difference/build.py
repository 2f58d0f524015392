"""Builds a project over logs as a review does: by its own wrapper, with a state and an evidence of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..common.project import PROJECT
from ..review.snapshot import take_snapshot
from ..warehouse.dbt import DbtProject, plain_message
from ..warehouse.profile import Profile

# Whatever a user or a service has set for the reviews themselves: none of it may reach the builds, least of all whom
# to tell
_OF_REVIEWS = ("PCI_LOG_REVIEW_", "DBT_")
_DBT = "from dbt.cli.main import cli; cli()"
# A day's review leaves them out: they ask only what is shipped
_OTHER_TESTS = ("--select", "tag:catalogue", "test_type:unit")
_REVIEWED = (0, 3)  # exit codes of a run without a day that failed


class NotBuilt(Exception):
    """A project could not be built; the text says which and why."""


@dataclass(frozen=True)
class Logs:
    """The logs, the days of them, and what the wrapper has to be told of them. Paths are absolute.

    `settings` are None where each project has its own.
    """

    where: str
    first: date
    last: date
    settings: Path | None = None
    public_keys: Path | None = None
    copied_from: str | None = None

    def arguments(self) -> list[str]:
        """The wrapper's arguments for them."""
        named = {
            "--logs": self.where,
            "--from": self.first,
            "--to": self.last,
            "--settings": self.settings,
            "--public-keys": self.public_keys,
            "--logs-copied-from": self.copied_from,
        }
        return [text for name, value in named.items() if value is not None for text in (name, str(value))]


def sample_logs(project: Path) -> Logs:
    """The sample's days, with what is known of where they were delivered."""
    logs = project / "sample_logs"
    return Logs(
        where=str(logs),
        first=date(2026, 3, 9),
        last=date(2026, 3, 11),
        public_keys=logs / "public_keys.json",
        copied_from="s3://example-pay-cloudtrail-logs",
    )


@dataclass(frozen=True)
class Project:
    """A project to build; `name` is what messages call it, `home` is where everything goes that the build writes."""

    name: str
    folder: Path
    home: Path

    @property
    def state(self) -> Path:
        """What the build leaves: tables, and dbt's artifacts."""
        return self.home / "state"

    @property
    def database(self) -> Path:
        """The tables."""
        return self.state / "review.duckdb"

    def manifest(self) -> dict[str, Any]:
        """What dbt parsed: models, tests, macros, by unique id."""
        content: dict[str, Any] = json.loads((self.state / "target" / "manifest.json").read_text(encoding="utf-8"))
        return content

    def article_test(self) -> str | None:
        """The SQL, of the last day, by which the project holds that the article's rows are found."""
        compiled = (self.state / "target" / "compiled").glob("*/tests/singular/article_queries_are_covered.sql")
        return next((path.read_text(encoding="utf-8") for path in compiled), None)


@contextmanager
def builds(projects: list[Project], logs: Logs) -> Iterator[None]:
    """Builds the projects beside each other. Raises NotBuilt, for the first before all others."""
    begun: list[tuple[Project, subprocess.Popen[bytes]]] = []
    try:
        begun.extend((project, _begin(project, "run", _wrapper(project, logs), logs)) for project in projects)
        for project, process in begun:
            if process.wait() not in _REVIEWED:
                raise NotBuilt(f"{project.name} can't be built: {_reasons(project)}")
        yield
    finally:
        for _, process in begun:
            if process.poll() is None:
                process.terminate()
                process.wait()


def tests_of(project: Project) -> dict[date, dict[str, str]]:
    """How each test ended, by name, on each day that was reviewed."""
    found = {}
    for path in (project.home / "evidence").glob("*/*/run.json"):
        run = json.loads(path.read_text(encoding="utf-8"))
        found[date.fromisoformat(run["run_date"])] = {
            node["name"]: node["status"] for node in run["nodes"] if node["kind"] == "test"
        }
    return found


def other_tests(project: Project, logs: Logs) -> dict[str, str]:
    """How the tests ended, by name, that a review leaves out: dbt's unit tests, and those of the catalogue.

    Raises NotBuilt where dbt does not run them.
    """
    profile = Profile("local", project.home / "profiles" / "profiles.yml", project.database, None)
    snapshot = take_snapshot(project.folder, logs.settings or project.folder / "seeds" / "settings")
    dbt = DbtProject(snapshot.folder, profile, project.state, {})
    dbt.results_path.unlink(missing_ok=True)
    command = [sys.executable, "-c", _DBT, *dbt.command("test", *_OTHER_TESTS)]
    code = _begin(project, "test", command, logs).wait()
    if code not in (0, 1) or not dbt.results_path.is_file():
        said = (project.home / "test.out").read_text(encoding="utf-8").splitlines()
        raise NotBuilt(f"{project.name}: its tests can't be run: {plain_message(' '.join(said[-3:]))}")
    results = json.loads(dbt.results_path.read_text(encoding="utf-8"))["results"]
    return {
        name: result["status"]
        for result in results
        for kind, _, name in [result["unique_id"].split(".", 2)]
        if kind in ("test", "unit_test")  # and not what dbt runs before them
    }


def _wrapper(project: Project, logs: Logs) -> list[str]:
    places = ["--state", str(project.state), "--evidence", str(project.home / "evidence"), "--log-format", "json"]
    return [sys.executable, "-m", "pci_log_review", "run", *logs.arguments(), *places]


def _begin(project: Project, name: str, command: list[str], logs: Logs) -> subprocess.Popen[bytes]:
    profiles = project.home / "profiles"
    profiles.mkdir(parents=True, exist_ok=True)
    # a developer's profiles.yml may point anywhere
    shutil.copyfile(project.folder / "profiles.example.yml", profiles / "profiles.yml")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OF_REVIEWS)}
    environment = inherited | {
        "DBT_PROFILES_DIR": str(profiles),
        # of a checkout; a project that was written out has no wrapper of its own
        "PYTHONPATH": str(project.folder / "scripts"),
        PROJECT: str(project.folder),
        # as the wrapper has it for its own dbt, so that dbt need not parse the project again
        "PCI_LOG_REVIEW_LOGS": logs.where,
        "PCI_LOG_REVIEW_STATE": str(project.state),
        "PCI_LOG_REVIEW_SETTINGS": "seeds/settings",
    }
    with (project.home / f"{name}.out").open("wb") as out, (project.home / f"{name}.err").open("wb") as errors:
        return subprocess.Popen(  # noqa: S603  # every argument is ours or checked
            command, cwd=project.folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=errors
        )


def _reasons(project: Project) -> str:
    """Why a run failed, as its own messages say."""
    reasons = []
    for line in (project.home / "run.out").read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if said.get("event") == "failed" or said.get("state") == "failed":
            reasons += said["reasons"]
    errors = (project.home / "run.err").read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    told = dict.fromkeys(reasons or errors[-3:])
    return "\n".join(told) or "it said nothing"
