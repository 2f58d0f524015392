"""Compare what two commits find: `python -m tests.compare_commits BASE [--athena]`, the other being this working tree.

Both review the same logs: the sample's days with the shipped settings, and in one day generated events, odd ones and
all of ../shared/real_logs with settings that ask for more. Every relation that a run leaves is compared row for row;
flags, which had columns of their own before they shared one, by their meaning. Ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.athena.conftest import DAY
from tests.athena.on_athena import LEFT_OUT, RELATIONS, OnAthena, Row, differences, local_rows
from tests.athena.test_other_logs import lay_generated, lay_odd, lay_published, lay_settings
from tests.checkout import NO_TESTS, ROOT, Checkout
from tests.local_athena.service import LocalAthena

SAMPLE_DAYS = ("2026-03-09", "2026-03-10", "2026-03-11")
FLAGS = {
    "is_root": "root",
    "is_session_of_root": "session of root",
    "is_administrator": "administrator",
    "is_data_event": "data event",
    "is_sign_in": "sign-in",
    "is_elevation": "elevation",
    "is_administrative": "administrative grant",
    "opens_to_world": "opens to the world",
}
NEW_FLAGS = ("refused",)  # said by the outcome before
NEW_COLUMNS = ("store", "settings_gap")


@dataclass(frozen=True)
class Logs:
    """Logs to review, the days they are of, and the settings they are reviewed with."""

    folder: Path
    days: tuple[str, ...]
    settings: Path


def other_logs(home: Path) -> Logs:
    """Generated, odd and published logs of one day."""
    logs, settings = home / "logs", home / "settings"
    for lay in (lay_generated, lay_odd, lay_published):
        lay(logs)
    lay_settings(Checkout.of(home / "begun"), logs, settings)
    return Logs(logs, (DAY,), settings)


def reviewed(project: Path, home: Path, logs: Logs, service: LocalAthena | None) -> dict[str, list[Row]]:
    """The rows of every relation after the project has reviewed the days."""
    checkout = Checkout(project, home)
    profiles = home / "own-profiles"
    profiles.mkdir(parents=True)
    shutil.copy(project / "profiles.example.yml", profiles / "profiles.yml")
    environment = NO_TESTS | {"DBT_PROFILES_DIR": str(profiles)}
    place: Path | str = logs.folder
    on_athena = None
    if service:
        on_athena = OnAthena(service, service.new_place(home.name), checkout)
        service.upload(logs.folder, on_athena.place.log_bucket)
        environment |= on_athena.environment
        place = on_athena.place.logs
        if logs.settings != ROOT / "seeds" / "settings":
            environment["PCI_LOG_REVIEW_ORGANIZATION_ID"] = "o-a1b2c3d4e5"
    for day in logs.days:
        ended = checkout.review(day, place, "--settings", str(logs.settings), **environment)
        assert ended.code in (0, 3), ended.last_lines
    return {
        relation: [_shared(row) for row in (on_athena.rows(relation) if on_athena else local_rows(checkout, relation))]
        for relation in RELATIONS
    }


def _shared(row: Row) -> Row:
    """The row with its flags as one sorted text, whichever columns they stood in, and without what is new."""
    flags = {flag for column, flag in FLAGS.items() if row.get(column) == "true"}
    flags |= {f"lacks {detail}" for detail in (row.get("missing_details") or "").split(", ") if detail}
    flags |= set((row.get("flags") or "").split(", ")) - {"", *NEW_FLAGS}
    kept = {name: value for name, value in row.items() if name not in (*FLAGS, "missing_details", *NEW_COLUMNS)}
    return kept | {"flags": ", ".join(sorted(flags))}


def compared(base: Path, logs: Logs, home: Path, service: LocalAthena | None) -> bool:
    """Prints how many rows of each relation are equal, and which are not; whether all are."""
    before = reviewed(base, home / "before", logs, service)
    after = reviewed(ROOT, home / "after", logs, service)
    equal = True
    for relation in RELATIONS:
        if relation == "findings":  # had no flags before: those of the ten models are compared
            for row in (*before[relation], *after[relation]):
                del row["flags"]
        rows = [_without(found[relation], relation) for found in (before, after)]
        told = differences(rows[0], rows[1], relation)
        equal = equal and not told
        counted = f"{len(rows[0]):>6} rows before, {len(rows[1]):>6} after"
        print(f"  {counted}, {'NOT equal' if told else 'equal'}: {relation}")
        print("\n".join(told[:8]), end="\n" if told else "")
    return equal


def _without(rows: list[Row], relation: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in LEFT_OUT.get(relation, ())} for row in rows]


def main() -> int:
    """Compares, and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.compare_commits", description=__doc__)
    parser.add_argument("base", help="commit, branch or tag to compare with")
    parser.add_argument("--athena", action="store_true", help="on the local Athena as well")
    arguments = parser.parse_args()
    equal = True
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        git = ("git", "-C", str(ROOT), "worktree")
        subprocess.run([*git, "add", "--quiet", "--detach", str(home / "base"), arguments.base], check=True)
        stack.callback(subprocess.run, [*git, "remove", "--force", str(home / "base")], check=True)
        sets = {
            "sample": Logs(ROOT / "sample_logs", SAMPLE_DAYS, ROOT / "seeds" / "settings"),
            "other": other_logs(home / "other"),
        }
        services = [None, stack.enter_context(LocalAthena())] if arguments.athena else [None]
        for number, service in enumerate(services):
            for name, logs in sets.items():
                print(f"{name} logs, target {'athena' if service else 'local'}", flush=True)
                equal = compared(home / "base", logs, home / f"{name}{number}", service) and equal
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
