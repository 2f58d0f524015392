"""The project as it was at a commit: a git worktree of its own, gone when it is no longer needed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..common.errors import UsageError

# A git hook sets them for its own repository
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@contextmanager
def worktree(project: Path, ref: str, home: Path) -> Iterator[tuple[Path, str]]:
    """The project at a commit, branch or tag, in a new folder below `home`; and the commit's hash.

    Raises UsageError where git knows no such commit, or the project is in no repository.
    """
    commit = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not commit:
        raise UsageError(f"--base {ref}: git knows no such commit in {project}; fetch it, or name another")
    folder = home / "base"
    if _git(project, "worktree", "add", "--quiet", "--detach", str(folder), commit) is None:
        raise UsageError(f"--base {ref}: git could not check it out into {folder}")
    try:
        inside = _git(project, "rev-parse", "--show-prefix") or ""
        if not (folder / inside / "dbt_project.yml").is_file():
            raise UsageError(f"--base {ref}: there is no dbt_project.yml at that commit")
        yield folder / inside, commit
    finally:
        _git(project, "worktree", "remove", "--force", str(folder))


def changed_files(project: Path, commit: str, *paths: str) -> list[str]:
    """Files below the paths that differ from the commit, those among them that git does not know yet."""
    changed = _git(project, "diff", "--name-only", "--relative", commit, "--", *paths) or ""
    new = _git(project, "ls-files", "--others", "--exclude-standard", "--", *paths) or ""
    return sorted({*changed.splitlines(), *new.splitlines()})


def _git(project: Path, *arguments: str) -> str | None:
    """What git says; None where it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    command = ["git", "-c", "core.quotePath=false", "-c", "core.hooksPath=/dev/null", "-C", str(project), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise UsageError("git is not installed: the base can't be checked out") from error
    return done.stdout.strip() if done.returncode == 0 else None
