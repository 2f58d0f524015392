"""Reads what a run left in the tables: the day's rows of a relation, on either target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import boto3
import duckdb
import pyarrow as pa
import pyathena
from pyathena.error import Error as AthenaError

from .dbt import Node
from .profile import AthenaConnection

_ARROW_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


class ResultsError(Exception):
    """What a run left can't be read; the text says why."""


class Results(Protocol):
    """The day's rows of the relations that dbt built."""

    def rows(self, relation: str, order_by: str) -> pa.Table:
        """All columns of the day's rows, in a stable order."""

    def by_requirement(self, test: Node) -> dict[str, int]:
        """How many of the rows that a test of findings has found are under each requirement."""


def _by_requirement(test: Node) -> str:
    return f"select requirement, count(*) as failures from (\n{test.compiled_sql}\n) as failing group by requirement"


class _LocalResults:
    def __init__(self, connection: duckdb.DuckDBPyConnection, run_date: date) -> None:
        self._connection = connection
        self._run_date = run_date

    def rows(self, relation: str, order_by: str) -> pa.Table:
        query = f"select * from {relation} where run_date = ? order by {order_by}"
        return self._connection.execute(query, [self._run_date]).to_arrow_table()

    def by_requirement(self, test: Node) -> dict[str, int]:
        if "findings" not in test.tests:
            return {}
        return dict(self._connection.execute(_by_requirement(test)).fetchall())


class _AthenaResults:
    def __init__(self, cursor: Any, run_date: date) -> None:
        self._cursor = cursor
        self._run_date = run_date

    def rows(self, relation: str, order_by: str) -> pa.Table:
        self._cursor.execute(f"select * from {relation} where run_date = date '{self._run_date}' order by {order_by}")
        schema = pa.schema([(name, _ARROW_TYPES.get(kind, pa.string())) for name, kind, *_ in self._cursor.description])
        rows = self._cursor.fetchall()
        columns = [pa.array([row[number] for row in rows], field.type) for number, field in enumerate(schema)]
        return pa.Table.from_arrays(columns, schema=schema)

    def by_requirement(self, test: Node) -> dict[str, int]:
        if "findings" not in test.tests:
            return {}
        return dict(self._cursor.execute(_by_requirement(test)).fetchall())


@contextmanager
def open_results(session: boto3.Session, where: AthenaConnection | Path, run_date: date) -> Iterator[Results]:
    """The day's results on Athena, or in the DuckDB file. Raises ResultsError where they can't be read."""
    try:
        if isinstance(where, AthenaConnection):
            with pyathena.connect(
                session=session,
                region_name=where.region_name,
                s3_staging_dir=where.s3_staging_dir,
                work_group=where.work_group,
                schema_name=where.schema,
                poll_interval=where.poll_interval,
            ) as connection:
                yield _AthenaResults(connection.cursor(), run_date)
        else:
            with duckdb.connect(where, read_only=True) as connection:
                yield _LocalResults(connection, run_date)
    except (AthenaError, duckdb.Error) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


@dataclass(frozen=True)
class Summary:
    """The day at a glance: its relations that are read as a whole, once."""

    daily_review: pa.Table
    log_coverage: pa.Table
    log_files: pa.Table


def read_summary(results: Results) -> Summary:
    """Reads the day's summary."""
    return Summary(
        results.rows("daily_review", "requirement"),
        results.rows("log_coverage", "account_id, region"),
        results.rows("log_files", "log_file"),
    )


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    found: list[dict[str, Any]] = table.to_pylist()
    return found
