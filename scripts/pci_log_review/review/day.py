"""One day's review: take the inventory, run dbt, write the evidence, seal it, and say what came of it."""

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

from .athena_history import Query, queries_of
from .chain import MANIFEST, last_link, link, new_id, records, set_latest
from .dbt_run import DbtFailed, DbtResult, Node, Progress, build, environment
from .evidence import write_evidence, write_run
from .evidence_store import EvidenceStore, reported
from .inventory import Inventory, take_inventory, with_unreadable_files, write_inventory
from .log_store import LogStoreError, open_store
from .manifest import Conclusion, State, write_manifest
from .project import ResultsError, RunOptions, UsageError, profile_output, project_dir
from .public_keys import PublicKey, keys_from_cloudtrail, keys_from_file
from .results import Summary, open_results, read_summary, rows_of
from .settings import check_settings
from .work_group import check_work_group

_PACKAGES = ("pci-log-review", "dbt-core", "dbt-duckdb", "dbt-athena-community", "duckdb", "boto3")
_SHOWN_GAPS = 10
_SHOWN_MESSAGE = 300  # characters
_MAX_ATTEMPTS = 20  # each but the first leaves out one log file more that only Athena can't read


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
class Found:
    """What a day's review found; `gaps` says why it is incomplete, `notes` what else is worth knowing."""

    requirements: list[Requirement]
    regions_with_logs: int
    regions_in_scope: int
    log_files: int
    events: int
    gaps: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Sealed:
    """A day's review as it was sealed; `found` is None where the run failed, for `reasons`."""

    conclusion: Conclusion
    found: Found | None
    reasons: list[str]
    evidence: str
    manifest_sha256: str

    @property
    def exit(self) -> Exit:
        """The exit code that the review comes to."""
        codes = {State.COMPLETE: Exit.COMPLETE, State.INCOMPLETE: Exit.INCOMPLETE, State.FAILED: Exit.FAILED}
        return codes[self.conclusion.state]


def check_options(options: RunOptions) -> None:
    """Raises UsageError where something is wrong that can be seen before anything runs."""
    faults = check_settings(options.settings)
    if faults:
        raise UsageError("\n".join(f"settings: {fault}" for fault in faults))
    os.environ.update(environment(options))
    output = profile_output(options.target)  # refuses an unknown target
    try:
        open_store(options.logs)
    except LogStoreError as error:
        raise UsageError(str(error)) from error
    if output["type"] == "athena":
        if not options.logs.startswith("s3://"):
            raise UsageError(f"logs: {options.logs} is a folder; Athena reads s3://bucket or s3://bucket/prefix")
        for setting in ("region_name", "s3_staging_dir", "s3_data_dir"):
            if not output.get(setting):
                raise UsageError(f"profiles.yml: the target {options.target} needs {setting}")
    if options.public_keys:
        keys_from_file(options.public_keys)


def review_day(
    options: RunOptions, store: EvidenceStore, locks: tuple[int, ...], on_progress: Callable[[Progress], None]
) -> Sealed:
    """Reviews one day and seals what came of it, failures included. The caller holds the store's lock.

    Raises EvidenceError where the evidence can't be written: then no review of the day was sealed.
    """
    started = datetime.now(UTC)
    known = records(store.keys())
    run_id = new_id(known)
    folder = f"{options.run_date}/{run_id}"
    where = f"{store.where.rstrip('/')}/{folder}"
    found: Found | None = None
    reasons: list[str] = []
    with store.staging(folder) as staged:
        try:
            found, conclusion = _review(options, staged, locks, on_progress, started)
        except Exception as error:  # whatever it is, the day failed, and the other days are still due
            is_known = isinstance(error, (DbtFailed, LogStoreError, ResultsError, OSError))
            reasons = str(error if is_known else f"{type(error).__name__}: {error}").splitlines()
            conclusion = Conclusion(options.run_date, State.FAILED, reasons, "", {}, {})
            with reported(f"write {where}"):
                write_run(staged, _run(options, started, conclusion))
        with reported(f"write {where}"):
            content = write_manifest(staged, run_id, conclusion, last_link(store, known))
        store.check_lock()
        store.publish(staged, folder, MANIFEST)
    sealed = link(f"{folder}/{MANIFEST}", content)
    set_latest(store, sealed)
    return Sealed(conclusion, found, reasons, where, sealed.sha256)


def _review(
    options: RunOptions,
    staged: Path,
    locks: tuple[int, ...],
    on_progress: Callable[[Progress], None],
    started: datetime,
) -> tuple[Found, Conclusion]:
    output = profile_output(options.target)
    options.state.mkdir(parents=True, exist_ok=True)
    if output["type"] == "athena":
        check_work_group(output)
    inventory = take_inventory(options.logs, options.run_date, lambda regions: _public_keys(options, regions))
    inventory, built, invocations = _build(options, output, inventory, locks, on_progress)
    if failed := built.failed():
        raise DbtFailed("\n".join(_reasons(failed)))
    if missing := built.not_built():
        tests = [f"test failed: {_broken(node)}" for node in built.broken_expectations()]
        raise DbtFailed("\n".join([*tests, f"dbt did not build {', '.join(missing)}"]))
    queries = queries_of(output, invocations, started) if output["type"] == "athena" else []
    with open_results(options) as results:
        summary = read_summary(results)
        found = _found(options, summary, built)
        conclusion = _conclusion(options, summary, found, inventory)
        run = _run(options, started, conclusion) | _cost(queries, found)
        write_evidence(staged, options.settings, summary, results, built, queries, run)
    return found, conclusion


def _public_keys(options: RunOptions, regions: list[str]) -> list[PublicKey] | None:
    """CloudTrail's keys, as a file or from AWS itself; None where the logs are in a folder and no file was given."""
    if options.public_keys:
        return keys_from_file(options.public_keys)
    if options.logs.startswith("s3://"):
        return keys_from_cloudtrail(regions, options.run_date)
    return None


def _build(
    options: RunOptions,
    output: dict[str, Any],
    inventory: Inventory,
    locks: tuple[int, ...],
    on_progress: Callable[[Progress], None],
) -> tuple[Inventory, DbtResult, list[str]]:
    """Runs dbt. Athena fails on a damaged log file: then all are read, and dbt runs again without the damaged ones, and
    without those on which only Athena fails.

    Returns the inventory with what is known of the files then, what dbt did, and the ids of its invocations.
    """
    if output["type"] != "athena":
        write_inventory(inventory, options.run_date, str(options.state / "lake"))
        built = build(options, [], locks, on_progress)
        return inventory, built, [built.invocation_id]
    invocations = []
    for attempt in range(_MAX_ATTEMPTS):
        write_inventory(inventory, options.run_date, output["s3_data_dir"], output.get("aws_profile_name"))
        built = build(options, inventory.unreadable, locks, on_progress)
        invocations.append(built.invocation_id)
        named = _named_log_file(built, inventory)
        if named is None:
            break
        if attempt == 0:
            inventory = with_unreadable_files(inventory, options.logs)
        inventory = inventory.with_problem(*named)  # if our reader found nothing wrong with it
    return inventory, built, invocations


def _named_log_file(built: DbtResult, inventory: Inventory) -> tuple[str, str] | None:
    """A log file on which a query failed, and in which words."""
    for node in built.failed():
        for file in inventory.files:
            if file.kind == "log" and not file.problem and file.log_file in node.message:
                return file.log_file, f"cannot be read by Athena: {node.message[:_SHOWN_MESSAGE]}"
    return None


def _reasons(failed: list[Node]) -> Iterator[str]:
    """One line for each reason: what is wrong with the place itself is the same for every node."""
    nodes: dict[str, list[str]] = {}
    for node in failed:
        nodes.setdefault(node.message, []).append(node.name)
    for message, names in nodes.items():
        yield f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {message}"


def _found(options: RunOptions, summary: Summary, built: DbtResult) -> Found:
    rows = rows_of(summary.daily_review)
    if not rows:
        raise DbtFailed("daily_review has no rows for the day; was anything built?")
    nothing = ["trail_scope is empty: nothing was reviewed"] if not rows[0]["regions_in_scope"] else []
    gaps = (
        nothing
        + _log_gaps(options, summary)
        + [f"test failed: {_broken(node)}" for node in built.broken_expectations()]
    )
    first = rows[0]  # the coverage is the same in every row
    return Found(
        requirements=[_requirement(row, built) for row in rows],
        regions_with_logs=first["regions_with_logs"],
        regions_in_scope=first["regions_in_scope"],
        log_files=first["log_files"],
        events=first["events"],
        gaps=gaps,
        notes=[f"{node.description}: {node.failures}" for node in built.warnings() if node.name != "day_is_complete"],
    )


def _conclusion(options: RunOptions, summary: Summary, found: Found, inventory: Inventory) -> Conclusion:
    rows = [row for row in rows_of(summary.daily_review) if row["result"] != "no logs"]
    return Conclusion(
        run_date=options.run_date,
        state=State.INCOMPLETE if found.gaps else State.COMPLETE,
        gaps=found.gaps,
        integrity=inventory.integrity,
        findings={row["requirement"]: row["findings"] for row in rows},
        unexpected_findings={row["requirement"]: row["unexpected_findings"] for row in rows},
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


def _log_gaps(options: RunOptions, summary: Summary) -> list[str]:
    """Why the logs do not cover the day: per account and region, and per file that could not be read or trusted."""
    coverage = [row for row in rows_of(summary.log_coverage) if row["gap"]]
    in_scope = {(row["account_id"], row["region"]) for row in coverage if row["in_scope"]}
    gaps = [f"{row['account_id']} {row['region']}: {row['gap']}" for row in coverage]
    files = [
        f"{row['log_file']} {text}"
        for row in rows_of(summary.log_files)
        for text in (
            row["problem"] if row["kind"] == "log" and (row["account_id"], row["region"]) in in_scope else None,
            row["integrity_fault"],
        )
        if text
    ]
    not_reviewed = any(row["log_files"] for row in coverage if not row["in_scope"])
    hint = f"write settings for these logs: pci-log-review init --logs {options.logs} --settings DIR"
    return _shortened(gaps) + _shortened(files) + ([hint] if not_reviewed else [])


def _shortened(lines: list[str]) -> list[str]:
    rest = len(lines) - _SHOWN_GAPS
    return [*lines[:_SHOWN_GAPS], *([f"… and {rest} more, see log_coverage.csv and log_files.csv"] if rest > 0 else [])]


def _broken(node: Node) -> str:
    where = ", ".join(sorted(node.tests))
    return f"{node.name.replace('_', ' ')} ({node.failures} rows{f' of {where}' if where else ''})"


def _cost(queries: list[Query], found: Found) -> dict[str, Any]:
    """What the run read, for run.json: Athena bills by the bytes scanned."""
    cost: dict[str, Any] = {"log_files_read": found.log_files, "events_read": found.events}
    if queries:
        cost |= {"queries": len(queries), "bytes_scanned": sum(query.bytes_scanned for query in queries)}
    return cost


def _run(options: RunOptions, started: datetime, conclusion: Conclusion) -> dict[str, Any]:
    """What run.json tells of the run itself."""
    return {
        "run_date": str(options.run_date),
        "target": options.target,
        "logs": options.logs,
        "settings": str(options.settings),
        "public_keys": str(options.public_keys) if options.public_keys else None,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": conclusion.state.value,
        "gaps": conclusion.gaps,
        "integrity": conclusion.integrity,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    try:
        project = str(project_dir())
        # the checkout may be another user's, as a service's is
        git = ("git", "-c", f"safe.directory={project}", "-C", project)
        described = subprocess.run(  # noqa: S603  # the words are all ours
            [*git, "describe", "--always", "--dirty", "--abbrev=40"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return described.stdout.strip()
