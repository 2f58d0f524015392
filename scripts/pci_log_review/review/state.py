"""The state knows which version wrote it last: a newer one's tables may hold what this one does not know."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ..common.errors import UsageError
from ..common.files import read_regular

_NAME = "version"


def make_state(state: Path) -> None:
    """Makes the folder where it is not there. Raises UsageError where it can't be written to, as in a checkout that is
    read-only.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(state, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        why = str(error.strerror)
    if why:
        raise UsageError(f"state: {state} cannot be written: {why}; name another folder by --state")


def take_state(state: Path, version: str) -> None:
    """Notes in the state, which is locked and has no links, that `version` writes it from now on.

    The state of an earlier version is taken as it is: dbt adds the columns that came (`on_schema_change`), and the lake
    is written anew for each day. Raises UsageError where a later version wrote it, OSError.
    """
    file = state / _NAME
    try:
        found = read_regular(file).decode("utf-8", "replace").strip()
    except FileNotFoundError:  # a new one, or of version 0.4.0 or earlier
        found = ""
    if _numbers(found) > _numbers(version):
        raise UsageError(
            f"the state, {state}, was written by pci-log-review {found}, and this is {version}: "
            "use that version or a later one, or give another --state"
        )
    if found != version:
        file.write_text(f"{version}\n", encoding="utf-8")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()]
