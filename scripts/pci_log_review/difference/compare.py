"""The difference between the project at a commit and this one: its rows, its definitions, and what they ask for."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import duckdb

from .approvals import APPROVABLE, Approval, new_approvals
from .article import mark_article_rows
from .base import changed_files, worktree
from .build import Logs, NotBuilt, Project, builds, other_tests, tests_of
from .definitions import changed_sql, definition_notices, pytest_notices
from .lines import line_notices
from .notices import Notice
from .rows import KINDS, SUMS, VANISHED, Changes, open_changes, relations

# Whoever changes these changes what the comparison says
_JUDGES = ("scripts/pci_log_review/difference", "macros/article", ".github", "tests/singular", "tests/generic")
_EXAMPLES = 5


class DiffExit(IntEnum):
    """What the exit code of `diff` means, besides 1 where something could not be built and 2 for wrong usage."""

    NOTHING = 0
    CHANGED = 4
    UNAPPROVED = 5


@dataclass(frozen=True)
class Example:
    """A row that differs, as the report shows it."""

    run_date: str
    event: str
    event_id: str
    title: str
    detail: str
    columns: str
    before: str
    after: str


@dataclass(frozen=True)
class Group:
    """The rows of one relation, or requirement, that differ in one way: how many, and the first."""

    label: str
    kind: str
    count: int
    examples: list[Example]


@dataclass(frozen=True)
class Asked:
    """What needs an approval: rows of one requirement and event, or a control that was removed with no row to show it.

    `approval` is the line that gives it; `is_article` where none can.
    """

    requirement: str
    event: str
    change: str
    rows: int
    is_article: bool
    approval: str | None

    @property
    def is_open(self) -> bool:
        """Whether it is not approved."""
        return self.is_article or self.approval is None


@dataclass(frozen=True)
class EndedTest:
    """A test that ended in another way; `day` is empty for those that ask only what is shipped."""

    name: str
    day: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """What changed between the base and the working tree, over the same logs.

    `labels` are the requirements and relations, each with the number of its rows that are the same; the rows of the
    `repeated` relations differ as those of the requirements do, and are in no group of their own.
    """

    base: str
    commit: str
    logs: Logs
    labels: dict[str, int]
    repeated: list[str]
    groups: list[Group]
    notices: list[Notice]
    tests: list[EndedTest]
    asked: list[Asked]
    notes: list[str]

    @property
    def exit(self) -> DiffExit:
        """5 if anything is not approved, else 4 if anything changed, else 0."""
        if any(one.is_open for one in self.asked):
            return DiffExit.UNAPPROVED
        return DiffExit.CHANGED if self.groups or self.notices or self.tests or self.asked else DiffExit.NOTHING


@contextmanager
def compared(head: Path, ref: str, logs: Logs, *, all_tests: bool = False) -> Iterator[tuple[Difference, Changes]]:
    """Builds both projects and compares them; the rows that differ can be read as long as the context lives.

    `all_tests` has dbt's unit tests and those of the catalogue run as well, which a review leaves out.

    Raises UsageError where the commit or the approvals can't be read, NotBuilt where a project can't be built.
    """
    with tempfile.TemporaryDirectory(prefix="pci-log-review-diff-") as folder, worktree(head, ref, Path(folder)) as at:
        base_folder, commit = at
        approvals = new_approvals(base_folder, head)
        before = _project(f"the base {ref}", base_folder, Path(folder) / "before")
        after = _project("the working tree", head, Path(folder) / "after")
        with builds([after, before], logs):
            tests = list(_tests_of_days(before, after))
            if all_tests:
                tests += _tests_of_what_is_shipped(before, after, logs)
            try:
                with open_changes(before.database, after.database, Path(folder)) as changes:
                    notes = _compare_rows(changes, before, logs)
                    notices = [*_notices(changes, before, after, logs)]
                    asked = _asked(changes, notices, approvals)
                    notes += _unused(approvals, asked)
                    if sql := changed_sql(before.manifest(), after.manifest()):
                        notes.append(f"the rows are all that these logs show of SQL that changed: {', '.join(sql)}")
                    if judges := changed_files(head, commit, *_JUDGES):
                        notes.append(f"this change also changes what judges it: {', '.join(judges)}")
                    if not all_tests:
                        notes.append("dbt's unit tests and those of the catalogue were not run (--all-tests)")
                    yield (
                        Difference(
                            base=ref,
                            commit=commit,
                            logs=logs,
                            labels=changes.unchanged,
                            repeated=changes.repeated,
                            groups=_groups(changes),
                            notices=notices,
                            tests=tests,
                            asked=asked,
                            notes=notes,
                        ),
                        changes,
                    )
            except duckdb.Error as error:
                raise NotBuilt(f"the tables of the two can't be compared: {str(error).splitlines()[0]}") from error


def _project(name: str, folder: Path, home: Path) -> Project:
    home.mkdir()
    return Project(name, folder, home)


def _compare_rows(changes: Changes, base: Project, logs: Logs) -> list[str]:
    found = relations(changes.connection)
    for relation in found:
        changes.add(relation)
    models = [relation.label for relation in found if relation.label not in SUMS]
    notes = []
    if not changes.drop_repeated("findings", models):
        notes.append("findings differs from the requirement models that it puts together: see its own rows")
    vanished = changes.connection.execute("select 1 from changes where kind = ? limit 1", [VANISHED]).fetchone()
    if vanished and (reason := mark_article_rows(changes, base, logs)):
        notes.append(f"no row that vanished can be approved, for nobody can tell the article's: {reason}")
    return notes


def _notices(changes: Changes, before: Project, after: Project, logs: Logs) -> Iterator[Notice]:
    for columns in changes.columns:
        yield from (Notice("column", f"{columns.relation}.{name}", "removed", True) for name in columns.removed)
        yield from (Notice("column", f"{columns.relation}.{name}", "added") for name in columns.added)
    yield from line_notices(before.folder, after.folder, logs.settings)
    yield from definition_notices(before.manifest(), after.manifest())
    yield from pytest_notices(before.folder, after.folder)


def _tests_of_days(before: Project, after: Project) -> Iterator[EndedTest]:
    old, new = tests_of(before), tests_of(after)
    for day in sorted({*old, *new}):
        yield from _ended(str(day), old.get(day, {}), new.get(day, {}))


def _tests_of_what_is_shipped(before: Project, after: Project, logs: Logs) -> list[EndedTest]:
    new = other_tests(after, logs)
    if all(status == "pass" for status in new.values()):
        return []  # whether the base's did, too, does not matter
    return list(_ended("", other_tests(before, logs), new))


def _ended(day: str, old: dict[str, str], new: dict[str, str]) -> Iterator[EndedTest]:
    """Tests that ended in another way; a new one counts if it does not pass, of one that is gone a notice tells."""
    for name, status in sorted(new.items()):
        if status != old.get(name, "pass"):
            yield EndedTest(name, day, old.get(name, "not there"), status)


def _groups(changes: Changes) -> list[Group]:
    counts = changes.connection.execute("select relation, kind, count(*) from changes group by all").fetchall()
    number = {label: position for position, label in enumerate(changes.unchanged)}
    counts.sort(key=lambda row: (KINDS.index(row[1]), number[row[0]]))
    return [Group(label, kind, count, _examples(changes, label, kind)) for label, kind, count in counts]


def _examples(changes: Changes, label: str, kind: str) -> list[Example]:
    columns = "run_date, event, event_id, title, detail, changed_columns, before, after"
    rows = changes.connection.execute(
        # of each event one, before a second of any
        f"""
        select {columns} from changes where relation = ? and kind = ?
        order by
            row_number() over (partition by event order by run_date, event_time, event_id, changed_columns, before),
            run_date, event_time, event_id, event
        limit {_EXAMPLES}
        """,
        [label, kind],
    ).fetchall()
    return [Example(*(cell or "" for cell in row)) for row in rows]


def _asked(changes: Changes, notices: list[Notice], approvals: list[Approval]) -> list[Asked]:
    """Everything that needs an approval, each with the line that gives it; rows get it, too."""
    connection = changes.connection
    connection.execute("create table approvals (requirement varchar, event varchar, change varchar, told varchar)")
    for line in approvals:
        connection.execute(
            "insert into approvals values (?, ?, ?, ?)", [line.requirement, line.event, line.change, str(line)]
        )
    connection.execute(
        """
        update changes set approval = (
            select min(approvals.told) from approvals
            where
                approvals.requirement = changes.requirement and approvals.change = changes.kind
                and (approvals.event = changes.event or approvals.event = changes.event_id)
        )
        where not is_article
        """
    )
    rows = connection.execute(
        """
        select requirement, event, kind, count(distinct coalesce(event_id, '') || coalesce(event_time, '') || run_date),
            is_article, approval
        from changes where kind in (?, ?) group by all
        order by is_article desc, approval nulls first, requirement, event, kind
        """,
        list(APPROVABLE),
    ).fetchall()
    asked = [Asked(*row) for row in rows]
    with_rows = {(one.requirement, one.event) for one in asked if one.change == VANISHED}
    given = {(line.requirement, line.event): str(line) for line in approvals if line.change == VANISHED}
    gone = {notice.approves for notice in notices if notice.approves} - with_rows
    return asked + [Asked(*name, VANISHED, 0, False, given.get(name)) for name in sorted(gone)]


def _unused(approvals: list[Approval], asked: list[Asked]) -> Iterator[str]:
    used = Counter(one.approval for one in asked)
    for line in approvals:
        if not used[str(line)]:
            yield f"approved_changes.csv, line {line.line}, approves nothing that this change does"


def counts(difference: Difference) -> dict[str, dict[str, Any]]:
    """How many rows of each requirement or relation differ, in each way, and how many do not."""
    found = {label: dict.fromkeys(KINDS, 0) | {"unchanged": rows} for label, rows in difference.labels.items()}
    for group in difference.groups:
        found[group.label][group.kind] = group.count
    for label in difference.repeated:
        found[label] |= {kind: sum(count[kind] for name, count in found.items() if name not in SUMS) for kind in KINDS}
    return found
