"""One day's review: take the inventory, run dbt, write the evidence, seal it, and return the result."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..cloudtrail.keys import KeysWanted, PublicKey
from ..cloudtrail.kinds import AGGREGATED, FOLDERS, REVIEWED
from ..cloudtrail.store import LogStoreError
from ..cloudtrail.strays import NOT_REVIEWED
from ..common.text import few
from ..evidence.chain import MANIFEST, Record, last_link, link, new_id, records, set_latest, time_of
from ..evidence.manifest import Conclusion, State, write_manifest
from ..evidence.store import reported
from ..pages.catalog import with_catalog
from ..pages.days import trend_before, with_pages
from ..settings.proof import not_proven
from ..settings.rows import read_rows
from ..settings.scope import catalogue_regions
from ..warehouse.athena import Query, check_work_group, queries_of
from ..warehouse.dbt import Dbt, DbtFailed, DbtResult, Described, Node, Progress
from ..warehouse.inventory import (
    Inventory,
    changed_meanwhile,
    convert,
    list_day,
    with_unreadable_files,
    write_inventory,
)
from ..warehouse.lake import lake_of
from ..warehouse.profile import AthenaConnection
from ..warehouse.results import ResultsError, Summary, open_results, read_summary, rows_of
from .baseline import BASELINE, compare
from .expected import SINCE, lines_of, lines_since, notes_of, today
from .files import write_evidence, write_run
from .options import Run

_PACKAGES = ("pci-log-review", "dbt-core", "dbt-duckdb", "dbt-athena-community", "duckdb", "boto3")
_SHOWN_GAPS = 10
_SHOWN_MESSAGE = 300  # characters
_MAX_ATTEMPTS = 20  # each retry leaves out one more log file that only Athena can't read


class Exit(IntEnum):
    """What the exit code of a run means."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    INCOMPLETE = 3
    INTERRUPTED = 130


@dataclass(frozen=True)
class Requirement:
    """A line of the day's table: what a requirement asks for, what was found, and how its tests ended."""

    requirement: str
    asks: str
    result: str
    findings: int
    expected: int
    tests: int
    tests_passed: int


@dataclass(frozen=True)
class Reviewed:
    """A day's review, sealed at `evidence`. A review that failed has only its conclusion."""

    conclusion: Conclusion
    evidence: str
    manifest_sha256: str
    requirements: list[Requirement] = field(default_factory=list)
    regions_with_logs: int = 0
    regions_in_scope: int = 0
    log_files: int = 0
    events: int = 0

    @property
    def notes(self) -> list[str]:
        """What is worth knowing but does not make the day incomplete."""
        return self.conclusion.notes

    @property
    def is_failed(self) -> bool:
        """Whether there are no results; the conclusion's gaps then say why."""
        return self.conclusion.state is State.FAILED

    @property
    def exit(self) -> Exit:
        """The exit code of a run of this day alone."""
        codes = {State.COMPLETE: Exit.COMPLETE, State.INCOMPLETE: Exit.INCOMPLETE, State.FAILED: Exit.FAILED}
        return codes[self.conclusion.state]


def review_day(
    run: Run, dbt: Dbt, run_date: date, on_progress: Callable[[Progress], None], since: date | None = None
) -> Reviewed:
    """Reviews one day and seals the result, even if it failed. The caller holds the lock of the evidence.

    `since` is the first day that has to be reviewed, which the evidence remembers; None where nobody has named one.

    Raises EvidenceError if the evidence can't be written: then no review of the day was sealed.
    """
    started = datetime.now(UTC)
    store = run.evidence
    known = records(store.keys())
    run_id = new_id(known)
    folder = f"{run_date}/{run_id}"
    where = f"{store.where.rstrip('/')}/{folder}"
    found: dict[str, Any] = {}
    with store.staging(folder) as staged:
        try:
            conclusion, found = _review(run, dbt, run_date, staged, on_progress, started, known)
        except Exception as error:  # whatever it is, the day failed, and the other days are still due
            is_known = isinstance(error, (DbtFailed, LogStoreError, ResultsError, OSError))
            reasons = str(error if is_known else f"{type(error).__name__}: {error}").splitlines()
            notes = run.snapshot.commit.notes
            conclusion = Conclusion(run_date, State.FAILED, reasons, "", {}, {}, notes=notes)
            with reported(f"write {where}"):
                write_run(staged, _about(run, started, conclusion))
        conclusion = with_pages(staged, conclusion, time_of(run_id), lambda: trend_before(store, known, run_date))
        with reported(f"write {where}"):
            content = write_manifest(staged, run_id, conclusion, last_link(store, known), since, run.snapshot.hashes())
        store.check_lock()
        store.publish(staged, folder, MANIFEST)
    sealed = link(f"{folder}/{MANIFEST}", content)
    set_latest(store, sealed)
    return Reviewed(conclusion, where, sealed.sha256, **found)


def _review(
    run: Run,
    dbt: Dbt,
    run_date: date,
    staged: Path,
    on_progress: Callable[[Progress], None],
    started: datetime,
    known: list[Record],
) -> tuple[Conclusion, dict[str, Any]]:
    """Reviews the day and writes its evidence; returns the conclusion and the other fields of Reviewed.

    `known` are the records of the evidence.
    """
    if isinstance(run.profile.connection, AthenaConnection):
        check_work_group(run.session, run.profile.connection)
    inventory = take_inventory(run, run_date)
    inventory, built, invocations = _build(run, dbt, run_date, inventory, on_progress)
    if failed := built.failed():
        raise DbtFailed("\n".join(_reasons(failed)))
    if missing := built.not_built():
        tests = [f"test failed: {_broken(node)}" for node in built.broken_expectations()]
        raise DbtFailed("\n".join([*tests, f"dbt did not build {', '.join(missing)}"]))
    if altered := run.snapshot.altered():
        raise DbtFailed(f"{', '.join(altered)} was changed in this run's private folder while it ran: run it again")
    changed = changed_meanwhile(inventory, run.logs, run_date)
    to_prove = run.to_prove(run_date)
    regions = catalogue_regions(run.snapshot.folder)
    catalogue = run.snapshot.folder / "seeds" / "catalogue"
    baseline = compare(run.evidence, known, run.settings, catalogue, regions, run_date, inventory.trails, to_prove)
    queries: list[Query] = []
    if isinstance(run.profile.connection, AthenaConnection):
        queries = queries_of(run.session, run.profile.connection, invocations, started)
    described = _described(dbt)  # before the results are opened: DuckDB lets one process at a time in
    with open_results(run.session, run.profile.connection, run_date) as results:
        summary = read_summary(results)
        rows = rows_of(summary.daily_review)
        if not rows:
            raise DbtFailed("daily_review has no rows for the day; was anything built?")
        broken = {
            node.unique_id: results.by_requirement(node)
            for node in built.broken_expectations()
            if "findings" in node.tests
        }
        gaps = _changed_gaps(changed) + _shortened(baseline.gaps, BASELINE) + _gaps(run, summary, rows, built)
        numbers = lines_of(run.settings)
        since = lines_since(run.evidence, known, numbers, today())
        findings = sum(row["findings"] for row in rows)
        expected = notes_of(rows_of(summary.expected_lines), findings, numbers, since)
        notes = [*run.snapshot.commit.notes, *expected, *_not_reviewed(summary), *_warnings(built)]
        notes += _untouched(results.stores(), run.settings)
        notes += with_catalog(staged, described, results.counts)
        unproven = not_proven(run.scope, to_prove.trails)
        conclusion = _conclusion(run_date, rows, gaps, inventory.integrity, unproven, notes)
        found = _found(rows, built, broken)
        about = _about(run, started, conclusion) | {SINCE: since} | _cost(queries, rows)
        proof = _proof(inventory, changed)
        write_evidence(staged, run.snapshot, summary, results, built, broken, queries, proof, about)
        baseline.write(staged)
    return conclusion, found


def take_inventory(run: Run, run_date: date) -> Inventory:
    """Lists what was delivered and checks it against the digests; the embedded target also makes it queryable.

    Raises LogStoreError if the logs can't be listed.
    """

    def keys_of(wanted: KeysWanted) -> Sequence[PublicKey] | None:
        return run.public_keys_of(wanted, run_date)

    if isinstance(run.profile.connection, AthenaConnection):
        return list_day(run.logs, run_date, keys_of, run.to_prove(run_date))
    return convert(run.logs, run_date, keys_of, run.scope, lake_of(run.state), run.token, run.to_prove(run_date))


def _build(
    run: Run,
    dbt: Dbt,
    run_date: date,
    inventory: Inventory,
    on_progress: Callable[[Progress], None],
) -> tuple[Inventory, DbtResult, list[str]]:
    """Runs dbt. If Athena fails on a damaged log file, all files are read, and dbt runs again without the damaged ones
    and those on which only Athena fails.

    Returns the updated inventory, what dbt did, and the ids of its invocations.
    """
    connection = run.profile.connection
    if not isinstance(connection, AthenaConnection):
        write_inventory(inventory, run_date, str(lake_of(run.state)), run.session)
        built = dbt.build(run_date, [], on_progress)
        return inventory, built, [built.invocation_id]
    invocations = []
    for attempt in range(_MAX_ATTEMPTS):
        write_inventory(inventory, run_date, connection.s3_data_dir, run.session)
        built = dbt.build(run_date, inventory.unreadable, on_progress)
        invocations.append(built.invocation_id)
        named = _named_log_file(built, inventory)
        if named is None:
            break
        if attempt == 0:
            inventory = with_unreadable_files(inventory, run.logs)
        inventory = inventory.with_problem(*named)  # changes nothing if our reader found a problem
    return inventory, built, invocations


def _described(dbt: Dbt) -> Described | str:
    """What the catalogue is written from, or why there is nothing: the day is reviewed without it."""
    try:
        return dbt.describe()
    except DbtFailed as error:
        return str(error)


def _named_log_file(built: DbtResult, inventory: Inventory) -> tuple[str, str] | None:
    """A log file on which a query failed, and its problem in Athena's words."""
    for node in built.failed():
        for file in inventory.files:
            is_queried = not file.problem or file.records is not None
            if file.kind in REVIEWED and is_queried and file.log_file in node.message:
                return file.log_file, f"cannot be read by Athena: {node.message[:_SHOWN_MESSAGE]}"
    return None


def _reasons(failed: list[Node]) -> Iterator[str]:
    """One line per reason: a fault of the target itself is the same for every node."""
    nodes: dict[str, list[str]] = {}
    for node in failed:
        nodes.setdefault(node.message, []).append(node.name)
    for message, names in nodes.items():
        yield f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}: {message}"


def _gaps(run: Run, summary: Summary, rows: list[dict[str, Any]], built: DbtResult) -> list[str]:
    """Why the day is incomplete; `rows` are those of daily_review."""
    nothing = ["trail_scope is empty: nothing was reviewed"] if not rows[0]["regions_in_scope"] else []
    broken = [f"test failed: {_broken(node)}" for node in built.broken_expectations()]
    unsaid = [f"{row['requirement']} is not configured: {row['settings_gap']}" for row in rows if row["settings_gap"]]
    return nothing + _log_gaps(run.logs.root, summary) + unsaid + broken


def _changed_gaps(changed: list[tuple[str, str]]) -> list[str]:
    """A gap for each file that was written or removed while the day was reviewed: what was checked may not be what was
    read."""
    gaps = [f"{log_file} {what} while the day was reviewed: review it again" for log_file, what in changed]
    return _shortened(gaps, "changed_files.csv")


def _proof(inventory: Inventory, changed: list[tuple[str, str]]) -> dict[str, pa.Table]:
    """What the digests' proof rests on, as tables of the evidence: the trails' digests of the day, the public keys that
    they were verified with, and the files that changed meanwhile.
    """
    trails = [
        {name: value for name, value in vars(trail).items() if name != "is_trusted"} for trail in inventory.trails
    ]
    keys = [
        {
            "fingerprint": key.fingerprint,
            "sha256": key.sha256,
            "source": f"ListPublicKeys in {key.region}" if key.region else "a file, not AWS",
            "valid_from": key.valid_from.isoformat(),
            "valid_until": key.valid_until.isoformat(),
            "digests": digests,
        }
        for key, digests in inventory.keys
    ]
    texts, numbers = pa.string(), pa.int64()
    return {
        "digests": pa.Table.from_pylist(
            [trail | {"expected_since": str(trail["expected_since"] or "")} for trail in trails],
            pa.schema(
                [(name, texts) for name in ("trail", "folder", "account_id", "region", "expected_since")]
                + [(name, numbers) for name in ("digests", "signed", "proving")]
            ),
        ),
        "public_keys": pa.Table.from_pylist(
            keys,
            pa.schema(
                [(name, texts) for name in ("fingerprint", "sha256", "source", "valid_from", "valid_until")]
                + [("digests", numbers)]
            ),
        ),
        "changed_files": pa.Table.from_pylist(
            [{"log_file": log_file, "what": what} for log_file, what in changed],
            pa.schema([("log_file", texts), ("what", texts)]),
        ),
    }


def _conclusion(
    run_date: date, rows: list[dict[str, Any]], gaps: list[str], integrity: str, unproven: str, notes: list[str]
) -> Conclusion:
    counted = [row for row in rows if row["result"] != "no logs"]
    return Conclusion(
        run_date=run_date,
        state=State.INCOMPLETE if gaps else State.COMPLETE,
        gaps=gaps,
        integrity=integrity,
        findings={row["requirement"]: row["findings"] for row in counted},
        unexpected_findings={row["requirement"]: row["unexpected_findings"] for row in counted},
        not_proven=unproven,
        notes=notes,
    )


def _warnings(built: DbtResult) -> list[str]:
    """A note for each test that warns, but for those that are told line by line."""
    told = ("day_is_complete", "expected_activity_lines_have_not_expired")
    return [f"{node.description}: {node.failures}" for node in built.warnings() if node.name not in told]


def _untouched(touched: set[str], settings: Path) -> list[str]:
    """A note on the listed stores that no finding of the day names: a quiet store, or one that is spelled otherwise."""
    files = [settings / f"{name}.csv" for name in ("cardholder_data_stores", "audit_log_stores")]
    listed = dict.fromkeys(row["name"] for file in files for row in read_rows(file))
    names = [name for name in listed if name not in touched]
    what = "Nothing touched these listed stores all day; are they spelled as the records have them"
    return [f"{what}, and are their data events recorded? {few(names, _SHOWN_GAPS)}"] if names else []


def _not_reviewed(summary: Summary) -> list[str]:
    """A note on the delivered files that are not to be reviewed and that could be taken for logs."""
    aggregated = sum(row["kind"] == "aggregated" for row in rows_of(summary.log_files))
    return [f"{FOLDERS['aggregated']}/ {AGGREGATED} ({aggregated} files)"] if aggregated else []


def _found(rows: list[dict[str, Any]], built: DbtResult, broken: dict[str, dict[str, int]]) -> dict[str, Any]:
    """The fields of Reviewed that only a review that did not fail has.

    `broken` has, for each test that found rows that must not exist, their number under each requirement.
    """
    totals = ("regions_with_logs", "regions_in_scope", "log_files", "events")  # the same in every row
    return {
        "requirements": [_requirement(row, built, broken) for row in rows],
        **{name: rows[0][name] for name in totals},
    }


def _requirement(row: dict[str, Any], built: DbtResult, broken: dict[str, dict[str, int]]) -> Requirement:
    """The requirement's line; a test of all findings counts as passed if no finding of the requirement fails it."""
    tests = [node for node in built.nodes if "findings" in node.tests]
    passed = [
        node
        for node in tests
        if node.status == "pass" or (node.status == "fail" and row["requirement"] not in broken[node.unique_id])
    ]
    return Requirement(
        row["requirement"],
        row["asks"],
        row["result"],
        row["findings"],
        row["expected_findings"],
        len(tests),
        len(passed),
    )


def _log_gaps(logs: str, summary: Summary) -> list[str]:
    """Why the logs do not cover the day: per account and region, and per file that could not be read or trusted."""
    coverage = rows_of(summary.log_coverage, "gap")
    in_scope = {(row["account_id"], row["region"]) for row in coverage if row["in_scope"]}
    gaps = [f"{row['account_id']} {row['region']}: {row['gap']}" for row in coverage]
    files = [
        f"{row['log_file']} {text}"
        for row in rows_of(summary.log_files, "problem", "integrity_fault")
        for text in (
            row["problem"] if row["kind"] in REVIEWED and _is_shown(row, in_scope) else None,
            row["integrity_fault"],
        )
        if text
    ]
    not_reviewed = any(row["log_files"] for row in coverage if not row["in_scope"])
    hint = f"write settings for these logs: pci-log-review init --logs {logs} --settings DIR"
    return _shortened(gaps) + _shortened(files) + ([hint] if not_reviewed else [])


def _is_shown(row: dict[str, Any], in_scope: set[tuple[str, str]]) -> bool:
    """Whether the file's own problem tells more than that its account or region is out of scope."""
    return (row["account_id"], row["region"]) in in_scope or row["problem"] == NOT_REVIEWED


def _shortened(lines: list[str], where: str = "log_coverage.csv and log_files.csv") -> list[str]:
    rest = len(lines) - _SHOWN_GAPS
    return [*lines[:_SHOWN_GAPS], *([f"… and {rest} more, see {where}"] if rest > 0 else [])]


def _broken(node: Node) -> str:
    where = ", ".join(sorted(node.tests))
    return f"{node.name.replace('_', ' ')} ({node.failures} rows{f' of {where}' if where else ''})"


def _cost(queries: list[Query], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the run read, for run.json: Athena bills by bytes scanned."""
    cost: dict[str, Any] = {"log_files_read": rows[0]["log_files"], "events_read": rows[0]["events"]}
    if queries:
        cost |= {"queries": len(queries), "bytes_scanned": sum(query.bytes_scanned for query in queries)}
    return cost


def _about(run: Run, started: datetime, conclusion: Conclusion) -> dict[str, Any]:
    """What run.json says about the run itself."""
    return {
        "run_date": str(conclusion.run_date),
        "target": run.profile.target,
        "logs": run.logs.root,
        "settings": str(run.settings_named),
        "logs_copied_from": str(run.logs_copied_from) if run.logs_copied_from else None,
        "public_keys": str(run.public_keys_file) if run.public_keys_file else None,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "state": conclusion.state.value,
        "gaps": conclusion.gaps,
        "integrity": conclusion.integrity,
        "not_proven": conclusion.not_proven,
        "notes": conclusion.notes,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        "git_commit": run.snapshot.commit.name,
    }
