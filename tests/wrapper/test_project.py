"""One way to the dbt project: the one that is named, or the shipped one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.common.errors import UsageError
from pci_log_review.common.project import PROJECT, project_dir, requirements, version, writable_dir, write_project
from pci_log_review.common.shipped import SHIPPED, shipped_files
from pci_log_review.review.snapshot import take_snapshot
from pci_log_review.settings.checks import FILES


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(ROOT / "dbt_project.yml", folder)
    return folder


def test_what_is_shipped_is_what_git_has(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z", "--", *SHIPPED], cwd=ROOT, capture_output=True, check=True).stdout
    assert shipped_files(ROOT) == sorted(listed.decode().split("\0")[:-1])
    used = set(take_snapshot(ROOT, ROOT / "seeds" / "settings").files) - {"profiles.yml"}
    besides = {"profiles.example.yml", "sample_logs/public_keys.json", "seeds/approved_changes.csv"}
    settings = {f"seeds/settings/{name}.csv" for name in FILES}
    assert used | besides | settings <= set(shipped_files(ROOT))
    assert write_project(tmp_path / "written") == len(shipped_files(ROOT))
    assert shipped_files(tmp_path / "written") == shipped_files(ROOT)


def test_a_project_is_never_written_over_another_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already: name a new folder; nothing was written"):
        write_project(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_project_in_the_working_folder_is_not_taken(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mine)
    monkeypatch.delenv(PROJECT, raising=False)
    assert project_dir() == ROOT


def test_the_named_project_is_the_one_everywhere(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (mine / "dbt_project.yml").read_text()
    (mine / "dbt_project.yml").write_text(text.replace("requirement: '10.2.2',", "requirement: '10.2.2-ours',"))
    monkeypatch.setenv(PROJECT, str(mine))
    assert (project_dir(), writable_dir(project_dir())) == (mine, mine)
    assert "10.2.2-ours" in requirements()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (f'version: "{version()}"', 'version: "0.0.1"', "is of version 0.0.1, and this is pci-log-review"),
        ("version:", "other:", "cannot be read, or lacks version"),
        ("vars:", "vars: {", "cannot be read, or lacks version"),
    ],
)
def test_a_project_that_does_not_fit_is_one_line(
    mine: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, told: str
) -> None:
    text = (mine / "dbt_project.yml").read_text()
    (mine / "dbt_project.yml").write_text(text.replace(old, new, 1))
    monkeypatch.setenv(PROJECT, str(mine))
    with pytest.raises(UsageError, match=told) as refused:
        project_dir()
    assert len(str(refused.value).splitlines()) == 1


def test_a_folder_without_a_project_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT, str(tmp_path))
    with pytest.raises(UsageError, match=r"there is no dbt_project\.yml; pci-log-review project DIR writes a project"):
        project_dir()
