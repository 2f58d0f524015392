"""One day's review: check the settings, run dbt, write the evidence, and say what came of it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .dbt_run import DbtFailed, DbtResult, Node, Progress, build, environment
from .evidence import write_evidence
from .listing import write_listing
from .log_store import LogStoreError, open_store
from .project import RunOptions, UsageError, profile_output, project_dir
from .results import Results, open_results, records
from .settings import check_settings
from .work_group import check_work_group

_PACKAGES = ("pci-log-review", "dbt-core", "dbt-duckdb", "dbt-athena-community", "duckdb", "boto3")
_SHOWN_GAPS = 10


class Exit(IntEnum):
    """What the exit code of a run means."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3


@dataclass(frozen=True)
class Requirement:
    """A line of the day's table: what a requirement asks, what was found, and how its tests ended."""

    requirement: str
    asks: str
    result: str
    findings: int
    expected: int
    tests: int
    tests_passed: int


@dataclass(frozen=True)
class Review:
    """What a day's review came to; `gaps` says why it is incomplete, `notes` what else is worth knowing."""

    requirements: list[Requirement]
    regions_with_logs: int
    regions_in_scope: int
    log_files: int
    events: int
    evidence: Path
    gaps: list[str]
    notes: list[str]

    @property
    def exit(self) -> Exit:
        """The exit code that the review comes to."""
        return Exit.INCOMPLETE if self.gaps else Exit.COMPLETE


def review_day(options: RunOptions, on_progress: Callable[[Progress], None]) -> Review:
    """Reviews one day.

    Raises UsageError before anything ran; DbtFailed, LogStoreError or ResultsError where the run failed.
    """
    faults = check_settings(options.settings)
    if faults:
        raise UsageError("\n".join(f"settings: {fault}" for fault in faults))
    os.environ.update(environment(options))
    output = profile_output(options.target)  # refuses an unknown target before anything runs
    try:
        open_store(options.logs)
    except LogStoreError as error:
        raise UsageError(str(error)) from error
    if output["type"] == "athena" and not options.logs.startswith("s3://"):
        raise UsageError(f"logs: {options.logs} is a folder; Athena reads s3://bucket or s3://bucket/prefix")
    started = datetime.now(UTC)
    options.state.mkdir(parents=True, exist_ok=True)
    if output["type"] == "athena":
        check_work_group(output)
        write_listing(options.logs, options.run_date, output["s3_data_dir"])
    built = build(options, on_progress)
    failed = built.failed()
    if failed:
        raise DbtFailed("\n".join(_reasons(failed)))
    with open_results(options) as results:
        folder = options.evidence / str(options.run_date) / f"{started:%Y%m%dT%H%M%SZ}-{built.invocation_id[:8]}"
        review = _review(options, results, built, folder)
        write_evidence(folder, results, built, _run(options, started, review))
    return review


def _reasons(failed: list[Node]) -> Iterator[str]:
    """One line for each reason: what is wrong with the place itself is the same for every node."""
    nodes: dict[str, list[str]] = {}
    for node in failed:
        nodes.setdefault(node.message, []).append(node.name)
    for message, names in nodes.items():
        yield f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {message}"


def _review(options: RunOptions, results: Results, built: DbtResult, folder: Path) -> Review:
    rows = records(results.rows("daily_review", "requirement"))
    if not rows:
        raise DbtFailed("daily_review has no rows for the day; was anything built?")
    nothing = ["trail_scope is empty: nothing was reviewed"] if not rows[0]["regions_in_scope"] else []
    gaps = (
        nothing
        + _log_gaps(options, results)
        + [f"test failed: {_broken(node)}" for node in built.broken_expectations()]
    )
    first = rows[0]  # the coverage is the same in every row
    return Review(
        requirements=[_requirement(row, built) for row in rows],
        regions_with_logs=first["regions_with_logs"],
        regions_in_scope=first["regions_in_scope"],
        log_files=first["log_files"],
        events=first["events"],
        evidence=folder,
        gaps=gaps,
        notes=[f"{node.description}: {node.failures}" for node in built.warnings() if node.name != "day_is_complete"],
    )


def _requirement(row: dict[str, Any], built: DbtResult) -> Requirement:
    tests = [node for node in built.nodes if row["model"] in node.tests]
    return Requirement(
        row["requirement"],
        row["asks"],
        row["result"],
        row["findings"],
        row["expected_findings"],
        len(tests),
        len([node for node in tests if node.status == "pass"]),
    )


def _log_gaps(options: RunOptions, results: Results) -> list[str]:
    """Why the logs do not cover the day: per account and region, and per file that could not be read."""
    coverage = [row for row in records(results.rows("log_coverage", "account_id, region")) if row["gap"]]
    files = [row for row in records(results.rows("log_files", "log_file")) if row["problem"]]
    in_scope = {(row["account_id"], row["region"]) for row in coverage if row["in_scope"]}
    gaps = [f"{row['account_id']} {row['region']}: {row['gap']}" for row in coverage]
    unread = [
        f"{row['log_file']} {row['problem']}"
        for row in files
        if row["kind"] == "log" and (row["account_id"], row["region"]) in in_scope
    ]
    out_of_scope = len(coverage) > len(in_scope)
    hint = f"write settings for these logs: pci-log-review init --logs {options.logs} --settings DIR"
    return _shortened(gaps) + _shortened(unread) + ([hint] if out_of_scope else [])


def _shortened(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN_GAPS
    return [*lines[:_SHOWN_GAPS], *([f"… and {rest} more, see log_coverage.csv and log_files.csv"] if rest > 0 else [])]


def _broken(node: Node) -> str:
    where = ", ".join(sorted(node.tests))
    return f"{node.name.replace('_', ' ')} ({node.failures} rows{f' of {where}' if where else ''})"


def _run(options: RunOptions, started: datetime, review: Review) -> dict[str, Any]:
    """What run.json tells of the run itself."""
    return {
        "run_date": str(options.run_date),
        "target": options.target,
        "logs": options.logs,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "exit": int(review.exit),
        "gaps": review.gaps,
        "notes": review.notes,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    try:
        described = subprocess.run(  # noqa: S603  # the words are all ours
            ["git", "-C", str(project_dir()), "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
