"""A checkout of the project to run, or to break, in a folder of its own."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from tests.parsed_project import ParsedProject

ROOT = Path(__file__).resolve().parents[1]
# What is no test of dbt's tests need not run them: they take longer than all the models.
NO_TESTS = {"DBT_RESOURCE_TYPES": "model seed"}
DBT = "from dbt.cli.main import cli; cli()"
# Where the sample's digests say that it was delivered, and who signed them
SAMPLE_BUCKET = "s3://example-pay-cloudtrail-logs"
SAMPLE_KEYS = ROOT / "sample_logs" / "public_keys.json"
_PROJECT = (
    *("analyses", "macros", "models", "sample_logs", "scripts", "seeds", "dbt_project.yml"),
    *("tests/fixtures", "tests/generic", "tests/singular"),
)


def copy_to(folder: Path, *names: str) -> None:
    """Copies files and folders of the repository to their places in another folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)


def settings_without_digests(folder: Path) -> Path:
    """The shipped settings, but that no digests are expected."""
    shutil.copytree(ROOT / "seeds" / "settings", folder)
    path = folder / "digest_trails.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    return folder


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and everything it said."""

    code: int
    text: str

    @property
    def last_lines(self) -> str:
        return "\n".join(self.text.strip().splitlines()[-15:])


@dataclass(frozen=True)
class Checkout:
    """A project folder, with a state and an evidence folder of its own."""

    project: Path
    home: Path

    @classmethod
    def of(cls, home: Path, *, copied: bool = False) -> Checkout:
        """The repository itself or, to break something in it, a copy."""
        if not copied:
            return cls(ROOT, home)
        project = home / "project"
        copy_to(project, *_PROJECT)
        shutil.copy(ROOT / "profiles.example.yml", project / "profiles.yml")
        return cls(project, home)

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Runs the wrapper's command line."""
        command = [sys.executable, "-m", "pci_log_review", *arguments]
        return self.ended(command, environment)

    def review(
        self, run_date: str, logs: Path | str = ROOT / "sample_logs", *arguments: str, **environment: str
    ) -> Ended:
        """Runs the wrapper's review of a day."""
        return self.run("run", "--logs", str(logs), "--run-date", run_date, *arguments, **environment)

    def dbt(self, *arguments: str, **environment: str) -> Ended:
        """Runs dbt alone, as a dbt user does."""
        self.state.mkdir(parents=True, exist_ok=True)
        target = self.home / "target"
        where = ["--target-path", str(target), "--log-path", str(self.home / "logs")]
        named = dict(itertools.pairwise(arguments))
        parsed = ParsedProject(named.get("--target", "local"), named.get("--vars", "none"))
        command = [sys.executable, "-c", DBT, "--no-use-colors", *arguments, *where]
        return self._ended(command, environment, parsed, target)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the tables that a run left."""
        with duckdb.connect(self.state / "review.duckdb", read_only=True) as connection:
            return connection.execute(query).fetchall()

    def broken(self, file: str, old: str, new: str) -> None:
        """Changes a text in the copied project."""
        path = self.project / file
        text = path.read_text()
        assert old in text, f"{file} has no {old!r} to break"
        path.write_text(text.replace(old, new))

    def evidence_of(self, run_date: str) -> Path:
        """The evidence folder of the day's newest run."""
        return max(path.parent for path in (self.evidence / run_date).glob("*/manifest.json"))

    def run_json(self, run_date: str) -> dict[str, Any]:
        """What run.json of the day's newest run says."""
        content: dict[str, Any] = json.loads((self.evidence_of(run_date) / "run.json").read_text())
        return content

    def ended(self, command: list[str], environment: dict[str, str]) -> Ended:
        """Runs a command in the project to its end."""
        parsed = ParsedProject(environment.get("PCI_LOG_REVIEW_TARGET", "local"), "the wrapper's")
        return self._ended(command, environment, parsed, self.state / "target")

    def begun(
        self, command: list[str], environment: dict[str, str], *, start_new_session: bool = False
    ) -> subprocess.Popen[str]:
        """Starts a command in the project, with the state and the evidence of this checkout."""
        return subprocess.Popen(
            command,
            env=self._environment(environment),
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=start_new_session,
        )

    def _ended(
        self, command: list[str], environment: dict[str, str], parsed: ParsedProject, target_path: Path
    ) -> Ended:
        everything = self._environment(environment)
        profiles = Path(everything["DBT_PROFILES_DIR"])
        parsed.give(target_path, profiles, everything)
        running = self.begun(command, environment)
        out, errors = running.communicate(timeout=600)
        if self.project == ROOT:
            parsed.keep(target_path, profiles, everything)
        return Ended(running.returncode, out + errors)

    def _environment(self, environment: dict[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PCI_LOG_REVIEW_")}
        defaults = {
            "PCI_LOG_REVIEW_STATE": str(self.state),
            "PCI_LOG_REVIEW_EVIDENCE": str(self.evidence),
            "PCI_LOG_REVIEW_LOGS_COPIED_FROM": SAMPLE_BUCKET,
            "PCI_LOG_REVIEW_PUBLIC_KEYS": str(SAMPLE_KEYS),
            "DBT_PROFILES_DIR": str(self._profiles()),
            "PYTHONPATH": f"{self.project / 'scripts'}{os.pathsep}{ROOT}",
            "COLUMNS": "160",
        }
        return inherited | defaults | environment

    def _profiles(self) -> Path:
        # a developer's profiles.yml may point anywhere: tests take the one that is shipped
        profiles = self.home / "profiles"
        profiles.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "profiles.example.yml", profiles / "profiles.yml")
        return profiles
