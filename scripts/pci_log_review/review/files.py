"""Writes a run's results into the day's evidence folder: tables as CSV and Parquet, the SQL, and how it was run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..evidence.tables import TableWriter
from ..warehouse.athena import Query
from ..warehouse.dbt import DbtResult
from ..warehouse.results import Results, ResultsError, Summary, rows_of
from .snapshot import Snapshot


def write_evidence(
    folder: Path,
    snapshot: Snapshot,
    summary: Summary,
    results: Results,
    build: DbtResult,
    broken: dict[str, dict[str, int]],
    queries: list[Query],
    proof: dict[str, pa.Table],
    run: dict[str, Any],
) -> None:
    """Writes the files into the folder, which exists and is empty; `run` is what run.json says besides what dbt did.

    `snapshot` has the settings and the catalogue of the run. `broken` has, for each test that found rows
    that must not exist, their number under each requirement. `queries` are Athena's own records of what it executed;
    on the embedded target there are none. `proof` are tables on digests, public keys and changed files, by name.
    """
    (folder / "findings").mkdir()
    snapshot.write(folder)
    with TableWriter() as tables:
        findings = results.findings()
        requirements = [row["requirement"] for row in rows_of(summary.daily_review)]
        for requirement, rows in _by_requirement(findings, requirements):
            name = folder / "findings" / requirement
            tables.csv_and_parquet(Path(f"{name}.csv"), Path(f"{name}.parquet"), rows)
        for relation, table in [*vars(summary).items(), *proof.items()]:
            tables.csv(folder / f"{relation}.csv", table)
        if queries:
            columns = ("query_id", "node", "state", "submitted", "milliseconds", "bytes_scanned")
            table = pa.Table.from_pylist([{name: getattr(query, name) for name in columns} for query in queries])
            tables.csv(folder / "queries.csv", table)
    _write_sql(folder / "sql", build, queries)
    nodes = [
        {"name": node.name, "kind": node.kind, "status": node.status, "seconds": round(node.seconds, 3)}
        | ({"failures": node.failures} if node.kind == "test" else {})
        | ({"failures_by_requirement": broken[node.unique_id]} if broken.get(node.unique_id) else {})
        for node in build.nodes
    ]
    write_run(folder, run | {"dbt_invocation_id": build.invocation_id, "nodes": nodes})


def _by_requirement(
    findings: pa.RecordBatchReader, requirements: Iterable[str]
) -> Iterator[tuple[str, pa.RecordBatchReader]]:
    """The findings of each requirement, to be read to the end before the next; both arguments have the same order.

    Raises ResultsError if a finding belongs to none of the requirements: it would be in no file.
    """
    groups = groupby(_runs(findings), key=lambda run: run[0])
    group = next(groups, None)
    for requirement in requirements:
        if group and group[0] == requirement:
            yield requirement, pa.RecordBatchReader.from_batches(findings.schema, (rows for _, rows in group[1]))
            group = next(groups, None)
        else:
            yield requirement, pa.RecordBatchReader.from_batches(findings.schema, [])
    if group:
        raise ResultsError(f"findings has rows of {group[0]}, which daily_review does not have")


def _runs(findings: pa.RecordBatchReader) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The batches, cut where the requirement changes."""
    for batch in findings:
        runs = pc.run_end_encode(batch["requirement"])  # type: ignore[attr-defined]  # the stubs lack it
        begin = 0
        for requirement, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            yield requirement, batch.slice(begin, end - begin)
            begin = end


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Writes run.json; a run that failed has only that, and its page."""
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _write_sql(folder: Path, build: DbtResult, queries: list[Query]) -> None:
    """One file per model: on Athena every statement as executed, with its id and bytes; else the compiled query."""
    folder.mkdir()
    for node in build.nodes:
        if node.kind == "model":
            executed = [query for query in queries if query.node == node.name]
            text = "\n\n".join(map(_executed, executed)) if executed else node.compiled_sql.strip()
            (folder / f"{node.name}.sql").write_text(text + "\n", encoding="utf-8")


def _executed(query: Query) -> str:
    return (
        f"-- query {query.query_id}: {query.state}, submitted {query.submitted}, {query.milliseconds} ms, "
        f"{query.bytes_scanned} bytes scanned\n{query.sql};"
    )
