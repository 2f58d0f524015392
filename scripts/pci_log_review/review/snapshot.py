"""What a run uses of the checkout and of the settings: read once, into a private folder of its own.

dbt and the wrapper take the project and the settings from there alone, so what is sealed is what was used, whatever
happens to the checkout or the settings meanwhile.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ..common.errors import Fault, UsageError
from ..common.files import read_regular
from ..common.project import differing_from_wheel, is_installed
from ..common.text import few
from ..settings.checks import FILES, as_dbt_reads_it, check_settings, without_blank_end

_PROJECT = "dbt_project.yml"
# Of the project: the folders that dbt reads
_FOLDERS = ("analyses", "macros", "models", "seeds/catalogue", "tests/fixtures", "tests/generic", "tests/singular")
_WRAPPER = "scripts/pci_log_review"
_SETTINGS = "seeds/settings"
_SEALED = ("models/", "macros/", "seeds/catalogue/")
# Not needed by a review, and more than a third of what dbt takes to read the project
_UNIT_TESTS = re.compile(r"models/.*_unit_tests\.yml|tests/fixtures/.*")
_SHOWN = 3
_EXAMPLE, _PROFILE = "profiles.example.yml", "profiles.yml"


@dataclass(frozen=True)
class Commit:
    """The git commit of the checkout, None where there is none, and the files in which the checkout differs from it.

    The project of an installed package has none: there the wheel's own list says of each file what it was.
    """

    id: str | None
    differing: tuple[str, ...]
    differing_from_wheel: tuple[str, ...] = ()
    is_installed: bool = False

    @property
    def name(self) -> str | None:
        """As run.json has it: with `-dirty` where the checkout differs."""
        return f"{self.id}-dirty" if self.id and self.differing else self.id

    @property
    def notes(self) -> list[str]:
        """Notes where what ran is not what a commit or a wheel says."""
        notes = []
        if self.differing_from_wheel:
            notes.append(f"Code: the installation differs from its wheel: {few(self.differing_from_wheel, _SHOWN)}")
        if self.id is None and not self.is_installed:
            notes.append(
                "Code: the project is in no git checkout, so no commit says what ran; the manifest has its hashes"
            )
        if self.id and self.differing:
            notes.append(f"Code: the checkout differs from its commit {self.id[:12]}: {few(self.differing, _SHOWN)}")
        return notes


@dataclass(frozen=True)
class Snapshot:
    """What was read, by path in the project: `files` are those of the project, `settings` lie in `seeds/settings`.
    The private folder has them all but unit tests.

    The private folder is removed with this object, or when the process ends.
    """

    private: TemporaryDirectory[str]
    files: Mapping[str, bytes]
    settings: Mapping[str, bytes]
    commit: Commit

    @property
    def folder(self) -> Path:
        """The private folder, which is a dbt project."""
        return Path(self.private.name)

    @property
    def settings_folder(self) -> Path:
        """Where the settings lie in it."""
        return self.folder / _SETTINGS

    def hashes(self) -> dict[str, str]:
        """For the manifest: the SHA-256 in hex of dbt_project.yml and of each file of catalogue, models and macros."""
        return {
            path: hashlib.sha256(data).hexdigest()
            for path, data in sorted(self.files.items())
            if path == _PROJECT or path.startswith(_SEALED)
        }

    def altered(self) -> list[str]:
        """The paths at which the private folder is not as it was written: changed, removed or added."""
        written = {**_without_unit_tests(self.files), **self.settings}
        there = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not _is_folder(path)}
        return sorted(path for path in there | written.keys() if not self._is_as_written(path, written.get(path)))

    def _is_as_written(self, path: str, data: bytes | None) -> bool:
        try:
            return read_regular(self.folder / path, follow_link=False) == data
        except OSError:
            return False

    def write(self, evidence: Path) -> None:
        """Writes settings and catalogue to the run's evidence, byte for byte as they were used."""
        for path, data in self.settings.items():
            _write(evidence / "settings" / Path(path).name, data)
        for path, data in self.files.items():
            if path.startswith("seeds/catalogue/") and path.endswith(".csv"):
                # 600 KB each day would be the most of many a day
                _write(evidence / "catalogue" / f"{Path(path).name}.gz", gzip.compress(data, 6, mtime=0))


def take_snapshot(project: Path, settings: Path) -> Snapshot:
    """Reads the project and the settings, checks the settings, and writes both to a new private folder.

    Raises UsageError with a line for each fault of the settings, and where the project can't be read.
    """
    files = dict(_project_files(project))
    given, faults = _settings_in(settings)
    private = TemporaryDirectory(prefix="pci-log-review-", ignore_cleanup_errors=True)  # of mode 0700
    folder = Path(private.name)
    for path, data in [*_without_unit_tests(files).items(), *given.items()]:
        _write(folder / path, data)
    (folder / _SETTINGS).mkdir(exist_ok=True)
    if faults := faults or check_settings(folder / _SETTINGS, settings):
        raise UsageError("\n".join(f"settings: {fault}" for fault in faults))
    used = {}
    for name in FILES:
        path = f"{_SETTINGS}/{name}.csv"
        used[path] = as_dbt_reads_it(name, given.get(path))
        (folder / path).write_bytes(used[path])
    return Snapshot(private, files, used, _commit(project, files))


def _without_unit_tests(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a project that a review needs: dbt's unit tests, on invented events, run where a rule is changed."""
    return {path: data for path, data in files.items() if not _UNIT_TESTS.fullmatch(path)}


def _project_files(project: Path) -> Iterator[tuple[str, bytes]]:
    for path in [project / _PROJECT, *_below(project, _FOLDERS)]:
        yield path.relative_to(project).as_posix(), _read(path)
    example = project / _EXAMPLE
    if example.exists():  # whoever has no profile of his own has this one
        yield _PROFILE, _read(example)


def _below(project: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    """The files below the folders, without hidden ones."""
    for name in folders:
        for parent, below, files in os.walk(project / name):  # which follows no link
            links = [folder for folder in below if (Path(parent) / folder).is_symlink()]
            below[:] = [folder for folder in below if not folder.startswith(".")]
            yield from (Path(parent) / file for file in [*files, *links] if not file.startswith("."))


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, follow_link=False)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {_reason(path, error)}") from error


def _settings_in(folder: Path) -> tuple[dict[str, bytes], list[Fault]]:
    """The settings files that are there, by path in the project, and a fault for each that can't be read."""
    found, faults = {}, []
    for name in FILES:
        path = folder / f"{name}.csv"
        try:
            found[f"{_SETTINGS}/{name}.csv"] = without_blank_end(read_regular(path, follow_link=False))
        except FileNotFoundError:
            continue  # a check says so
        except OSError as error:
            faults.append(Fault(f"{path.name}, line 1", f"cannot be read: {_reason(path, error)}"))
    return found, faults


def _reason(path: Path, error: OSError) -> str:
    return "it is a link; put the file itself there" if path.is_symlink() else str(error.strerror or error)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _commit(project: Path, files: Mapping[str, bytes]) -> Commit:
    """The checkout's commit, compared by the hashes of the bytes that were read: git's own index may be told to look
    away (`assume-unchanged`, `info/exclude`).
    """
    wheel = differing_from_wheel()
    if is_installed(project):
        return Commit(None, (), wheel, is_installed=True)
    parts = (_PROJECT, *_FOLDERS, _WRAPPER)
    try:
        commit = _git(project, "rev-parse", "--verify", "HEAD").strip()
        tree = _git(project, "ls-tree", "-r", "-z", "HEAD", "--", *parts)
    except (OSError, subprocess.CalledProcessError):
        return Commit(None, (), wheel)
    committed: dict[str, str] = {}
    for line in filter(None, tree.split("\0")):
        about, _, path = line.partition("\t")
        committed[path] = about.split(" ")[2]
    wrapper = {
        path.relative_to(project).as_posix(): _read(path) for path in _below(project, (_WRAPPER,)) if _is_code(path)
    }
    used = {**files, **wrapper}
    used.pop(_PROFILE, None)  # which git does not know by this name
    here = {path: _blob(data, len(commit)) for path, data in used.items()}
    differing = {path for path in here.keys() | committed.keys() if here.get(path) != committed.get(path)}
    return Commit(commit, tuple(sorted(differing)), wheel)


def _is_code(path: Path) -> bool:
    return "__pycache__" not in path.parts


def _blob(data: bytes, digits: int) -> str:
    """git's hash of a file's content, in a repository whose hashes have so many hex digits."""
    blob = hashlib.sha256() if digits == 64 else hashlib.sha1(usedforsecurity=False)
    blob.update(b"blob %d\0" % len(data))
    blob.update(data)
    return blob.hexdigest()


def _git(project: Path, *arguments: str) -> str:
    # the checkout may belong to another user, as a service's does
    command = ["git", "-c", f"safe.directory={project}", "-C", str(project), *arguments]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603  # every argument is ours
    return done.stdout.decode("utf-8", "surrogateescape")
