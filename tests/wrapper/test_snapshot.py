"""What a run uses of the checkout and the settings is read once, and that is what is sealed."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.common.errors import UsageError
from pci_log_review.review.snapshot import Snapshot, take_snapshot
from pci_log_review.settings.checks import FILES

SCOPE = "seeds/settings/trail_scope.csv"
EVENTS = "seeds/catalogue/reviewed_events.csv"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project, in a git checkout that is as it was committed."""
    root = tmp_path / "project"
    for name in ("dbt_project.yml", EVENTS, "models/review/findings.sql", "macros/day/run_date.sql"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "scripts/pci_log_review").mkdir(parents=True)
    (root / "scripts/pci_log_review/cli.py").write_text("pass\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "All")
    return root


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))


@pytest.fixture
def taken(project: Path, settings: Path) -> Snapshot:
    return take_snapshot(project, settings)


def test_what_is_used_is_in_a_private_folder_and_sealed_byte_for_byte(
    taken: Snapshot, project: Path, settings: Path, tmp_path: Path
) -> None:
    assert stat.S_IMODE(taken.folder.stat().st_mode) == 0o700
    before = {name: (settings / f"{name}.csv").read_bytes() for name in FILES}
    events = (project / EVENTS).read_bytes()
    for path in [*settings.glob("*.csv"), project / EVENTS]:
        path.write_bytes(b"swapped during the run\n")
    taken.write(tmp_path / "sealed")
    for name, data in before.items():
        assert (taken.settings_folder / f"{name}.csv").read_bytes() == data
        assert (tmp_path / "sealed" / "settings" / f"{name}.csv").read_bytes() == data
    assert (taken.folder / EVENTS).read_bytes() == events
    assert gzip.decompress((tmp_path / "sealed/catalogue/reviewed_events.csv.gz").read_bytes()) == events
    assert taken.hashes()[EVENTS] == hashlib.sha256(events).hexdigest()
    assert set(taken.hashes()) == {"dbt_project.yml", EVENTS, "models/review/findings.sql", "macros/day/run_date.sql"}
    assert taken.altered() == []


def test_unit_tests_have_their_hash_and_are_left_out_of_what_dbt_reads(project: Path, settings: Path) -> None:
    left_out = ("models/review/findings_unit_tests.yml", "tests/fixtures/as_loaded.sql")
    read = ("models/review/unit_tests.yml", "models/review/findings_unit_tests.sql", "tests/singular/fixtures.sql")
    for name in (*left_out, *read):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("-- nothing")
    taken = take_snapshot(project, settings)
    assert [name for name in (*left_out, *read) if (taken.folder / name).exists()] == list(read)
    assert left_out[0] in taken.hashes()
    assert taken.altered() == []
    (taken.folder / left_out[0]).write_text("-- added while the review ran")
    assert taken.altered() == [left_out[0]]


def test_every_file_of_catalogue_models_and_macros_has_its_hash() -> None:
    hashes = take_snapshot(ROOT, ROOT / "seeds" / "settings").hashes()
    for folder in ("models", "macros", "seeds/catalogue"):
        for path in (ROOT / folder).rglob("*.*"):
            assert hashes[path.relative_to(ROOT).as_posix()] == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("name", [SCOPE, EVENTS, "models/review/findings.sql", "models/x.sql"])
@pytest.mark.parametrize("how", ["change", "remove", "link"])
def test_what_is_altered_in_the_private_folder_is_named(taken: Snapshot, tmp_path: Path, name: str, how: str) -> None:
    path = taken.folder / name
    same = path.read_bytes() if path.exists() else b"select 1"
    if how == "change":
        path.write_bytes(same + b"\n")
    elif how == "remove":
        path.unlink(missing_ok=True)
        path.symlink_to("nowhere") if name == "models/x.sql" else None
    else:
        (tmp_path / "same").write_bytes(same)
        path.unlink(missing_ok=True)
        path.symlink_to(tmp_path / "same")
    assert taken.altered() == [name]


def _link(path: Path, tmp_path: Path) -> None:
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")


def _pipe(path: Path, _: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, _: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("put", "told"), [(_link, "it is a link"), (_pipe, "is not a regular file"), (_folder, "regular file|directory")]
)
@pytest.mark.parametrize("name", ["trail_scope", "nothing_to_list"])
def test_a_settings_file_that_is_not_regular_is_refused_and_not_waited_for(
    project: Path, settings: Path, tmp_path: Path, put: Callable[[Path, Path], None], told: str, name: str
) -> None:
    put(settings / f"{name}.csv", tmp_path)
    with pytest.raises(UsageError, match=f"^settings: {name}.csv, line 1: cannot be read: .*{told}"):
        take_snapshot(project, settings)


@pytest.mark.parametrize(("put", "told"), [(_link, "it is a link"), (_pipe, "is not a regular file")])
@pytest.mark.parametrize("name", ["models/review/findings.sql", EVENTS, "dbt_project.yml"])
def test_a_file_of_the_project_that_is_not_regular_is_refused(
    project: Path, settings: Path, tmp_path: Path, put: Callable[[Path, Path], None], told: str, name: str
) -> None:
    put(project / name, tmp_path)
    with pytest.raises(UsageError, match=f"{name} cannot be read: .*{told}"):
        take_snapshot(project, settings)


def test_a_folder_of_models_that_is_a_link_is_refused(project: Path, settings: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (project / "models" / "more").symlink_to(tmp_path / "models")
    with pytest.raises(UsageError, match="models/more cannot be read: it is a link"):
        take_snapshot(project, settings)


def test_a_missing_file_is_named_in_the_folder_that_the_user_named(project: Path, settings: Path) -> None:
    (settings / "administrators.csv").unlink()
    with pytest.raises(UsageError) as told:
        take_snapshot(project, settings)
    assert f"administrators.csv, line 1: there is no such file in {settings};" in str(told.value)


def test_a_checkout_as_it_was_committed_has_no_note(taken: Snapshot, project: Path) -> None:
    assert (taken.commit.name, taken.commit.notes) == (git(project, "rev-parse", "HEAD"), [])


@pytest.mark.parametrize(
    "name",
    ["dbt_project.yml", EVENTS, "models/review/findings.sql", "models/x.sql", "scripts/pci_log_review/cli.py"],
)
def test_a_checkout_that_differs_from_its_commit_is_told_whatever_git_was_told(
    project: Path, settings: Path, name: str
) -> None:
    if (project / name).exists():
        git(project, "update-index", "--assume-unchanged", name)
    else:
        (project / ".git/info/exclude").write_text("*.sql\n")
    with (project / name).open("a") as file:
        file.write("\n")
    commit = take_snapshot(project, settings).commit
    head = git(project, "rev-parse", "HEAD")
    assert commit.name == f"{head}-dirty"
    assert commit.notes == [f"Code: the checkout differs from its commit {head[:12]}: {name}"]


def test_a_file_that_was_removed_from_the_checkout_is_told(project: Path, settings: Path) -> None:
    (project / "macros/day/run_date.sql").unlink()
    assert take_snapshot(project, settings).commit.differing == ("macros/day/run_date.sql",)


def test_a_project_in_no_checkout_is_told(project: Path, settings: Path) -> None:
    shutil.rmtree(project / ".git")
    commit = take_snapshot(project, settings).commit
    assert commit.name is None
    assert commit.notes[0].startswith("Code: the project is in no git checkout")
