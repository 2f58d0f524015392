"""Writes what a run found into the day's evidence folder: tables as CSV and Parquet, the SQL, and how it was run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..evidence.tables import TableWriter
from ..warehouse.athena import Query
from ..warehouse.dbt import DbtResult
from ..warehouse.results import Results, Summary, rows_of


def write_evidence(
    folder: Path,
    settings: Path,
    summary: Summary,
    results: Results,
    build: DbtResult,
    broken: dict[str, dict[str, int]],
    queries: list[Query],
    run: dict[str, Any],
) -> None:
    """Writes the files into the folder, which is there and empty; `run` is what run.json tells besides what dbt did.

    `settings` is the folder of the settings that the run had, which tell what was expected. `broken` has, for each test
    that found rows which must not be, how many are under which requirement. `queries` are Athena's own
    records of what it executed; on the embedded target there are none.
    """
    (folder / "findings").mkdir()
    (folder / "settings").mkdir()
    for path in sorted(settings.glob("*.csv")):
        shutil.copyfile(path, folder / "settings" / path.name)
    with TableWriter() as tables:
        for row in rows_of(summary.daily_review):
            findings = results.rows(row["model"], "event_time, aws_account_id, event_id, log_file")
            name = folder / "findings" / row["requirement"]
            tables.csv_and_parquet(Path(f"{name}.csv"), Path(f"{name}.parquet"), findings)
        for relation, table in vars(summary).items():
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


def write_run(folder: Path, run: dict[str, Any]) -> None:
    """Writes run.json, all that there is of a run which failed."""
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _write_sql(folder: Path, build: DbtResult, queries: list[Query]) -> None:
    """A file for each model: on Athena every statement as executed, with its id and bytes; else the compiled query."""
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
