"""The wheel, installed where nothing may be written, does a whole day from any folder, whatever that is called."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.checkout import NO_TESTS, ROOT, SAMPLE_BUCKET, Ended, copy_to

from pci_log_review.common.shipped import SHIPPED

DAY = "2026-03-10"
# One folder above all that is named: logs, settings, state and evidence
ODD = 'it\'s "a" {b} {{c}} %s %20 ü [ab] * ;&~'


@dataclass(frozen=True)
class Installed:
    """A wheel in a virtual environment, and a folder to work in."""

    venv: Path
    working: Path

    @property
    def package(self) -> Path:
        [found] = self.venv.glob("lib/python*/site-packages/pci_log_review")
        return found

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Runs the installed command, as a service has it: without HOME, without anything of the developer's."""
        temporary = self.working.parent / "temporary"
        temporary.mkdir(exist_ok=True)
        own = {"PATH": os.environ["PATH"], "TMPDIR": str(temporary), "COLUMNS": "160"}
        command = [str(self.venv / "bin" / "pci-log-review"), *arguments]
        done = subprocess.run(command, env=own | environment, cwd=self.working, capture_output=True, text=True)
        assert not list(temporary.iterdir()), "nothing is left"
        return Ended(done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("wheel")
    source, venv, working = home / "source", home / "venv", home / ODD / "working"
    working.mkdir(parents=True)
    copy_to(source, *SHIPPED, "scripts/pci_log_review", "setup.py", "pyproject.toml", "README.md", "LICENSE")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(home), str(source)]
    subprocess.run([*pip, *build], check=True)
    [wheel] = home.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    into = ["--python", str(venv / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *into], check=True)
    [packages] = venv.glob("lib/python*/site-packages")
    # what it needs comes from the developer's environment: nothing is fetched
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(["chmod", "-R", "a-w", str(packages)], check=True)
    return Installed(venv, working)


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_a_day_is_reviewed_verified_and_signed_from_any_folder_and_nothing_is_written_elsewhere(
    installed: Installed,
) -> None:
    before = digests(installed.venv)
    working = installed.working
    logs = Path(shutil.copytree(ROOT / "sample_logs", working.parent / "logs"))
    settings, keys = working.parent / "settings", logs / "public_keys.json"
    assert installed.run("init", "--logs", str(logs), "--settings", str(settings)).code == 0
    options = ("--public-keys", str(keys), "--logs-copied-from", SAMPLE_BUCKET, "--settings", str(settings))
    ended = installed.run("run", "--logs", str(logs), "--run-date", DAY, *options, **NO_TESTS)
    assert ended.code == 3, ended.text
    assert "not configured: audit_log_stores is empty" in ended.last_lines
    assert "target local, state state" in ended.text
    assert "19 of 19 log files by 150 signed digests" in ended.text
    assert "Code:" not in ended.text, "the wheel says what ran"
    assert installed.run("verify").code == 0
    shown = installed.run("show", DAY)
    [manifest] = re.findall(r"\(manifest ([0-9a-f]{64})\)", shown.text)
    decided = ("--decision", "all=expected: a trial", "--reason", "a trial")
    signed = installed.run("sign-off", DAY, "--manifest", manifest, "--reviewer", "A. Person", *decided)
    assert signed.code == 0, signed.text
    assert installed.run("report", DAY, "--output", "page.html").code == 0
    assert "A. Person" in (working / "page.html").read_text()
    assert {path.name for path in working.iterdir()} == {"state", "evidence", "page.html"}
    assert {path.name for path in working.parent.iterdir()} == {"working", "logs", "settings", "temporary"}
    assert digests(installed.venv) == before


def test_a_project_is_written_out_and_used_and_one_of_another_version_is_not(installed: Installed) -> None:
    mine = installed.working.parent / "mine"
    written = installed.run("project", str(mine))
    assert written.code == 0, written.text
    try:
        assert len(digests(mine)) == len(digests(installed.package / "project"))
        assert "is there already" in installed.run("project", str(mine)).text
        (mine / "dbt_project.yml").write_text(
            re.sub('^version: ".*"', 'version: "0.0.1"', (mine / "dbt_project.yml").read_text(), flags=re.MULTILINE)
        )
        ended = installed.run("run", "--logs", str(mine / "sample_logs"), "--project", str(mine))
        assert ended.code == 2
        assert "is of version 0.0.1, and this is pci-log-review " in ended.text
    finally:
        shutil.rmtree(mine)


def test_an_installation_that_differs_from_its_wheel_is_told(installed: Installed) -> None:
    told = "from pci_log_review.common.project import differing_from_wheel as it; print(it())"
    python = str(installed.venv / "bin" / "python")

    def differing() -> str:
        return subprocess.run([python, "-I", "-c", told], check=True, capture_output=True, text=True).stdout.strip()

    assert differing() == "()"
    changed = installed.package / "project" / "models" / "review" / "findings.sql"
    before = changed.read_bytes()
    for folder in (changed.parent, changed):
        folder.chmod(0o700)
    try:
        changed.write_bytes(before + b"\n")
        (changed.parent / "more.sql").write_text("select 1")
        assert differing() == (
            "('pci_log_review/project/models/review/findings.sql', 'pci_log_review/project/models/review/more.sql')"
        )
    finally:
        changed.write_bytes(before)
        (changed.parent / "more.sql").unlink()
