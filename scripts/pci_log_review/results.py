"""Reads what a run left in the tables: the day's rows of a relation, on either target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyathena
from pyathena.error import Error as AthenaError

from .project import ResultsError, RunOptions, profile_output

# The listing of what was delivered; on Athena only the files show whose events staging read
_ATHENA_LOG_FILES = """
    select
        log_file, log_account_id as account_id, log_region as region, 'log' as kind, cast(null as bigint) as size,
        cast(null as varchar) as sha256, count(*) as events, cast(null as varchar) as problem, run_date
    from stg_cloudtrail__events
    where run_date = date '{run_date}'
    group by log_file, log_account_id, log_region, run_date
"""
_ARROW_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


class Results(Protocol):
    """The day's rows of the relations that dbt built."""

    def rows(self, relation: str, order_by: str) -> pa.Table:
        """All columns of the day's rows, in a stable order."""


class _LocalResults:
    def __init__(self, connection: duckdb.DuckDBPyConnection, options: RunOptions) -> None:
        self._connection = connection
        self._options = options

    def rows(self, relation: str, order_by: str) -> pa.Table:
        source = relation
        if relation == "log_files":
            lake = str(self._options.state / "lake").replace("'", "''")
            source = f"read_parquet('{lake}/log_files/run_date=*/log_files.parquet', hive_partitioning = true)"
        return self._connection.execute(
            f"select * from {source} where run_date = ? order by {order_by}", [self._options.run_date]
        ).to_arrow_table()


class _AthenaResults:
    def __init__(self, cursor: Any, options: RunOptions) -> None:
        self._cursor = cursor
        self._options = options

    def rows(self, relation: str, order_by: str) -> pa.Table:
        query = f"select * from {relation} where run_date = date '{self._options.run_date}'"
        if relation == "log_files":
            query = _ATHENA_LOG_FILES.format(run_date=self._options.run_date)
        self._cursor.execute(f"{query} order by {order_by}")
        schema = pa.schema([(name, _ARROW_TYPES.get(kind, pa.string())) for name, kind, *_ in self._cursor.description])
        rows = self._cursor.fetchall()
        columns = [pa.array([row[number] for row in rows], field.type) for number, field in enumerate(schema)]
        return pa.Table.from_arrays(columns, schema=schema)


@contextmanager
def open_results(options: RunOptions) -> Iterator[Results]:
    """The results of the target that the run used. Raises ResultsError where they can't be read."""
    output = profile_output(options.target)
    try:
        if output["type"] == "athena":
            with pyathena.connect(
                region_name=output["region_name"],
                s3_staging_dir=output["s3_staging_dir"],
                work_group=output.get("work_group"),
                schema_name=output["schema"],
                profile_name=output.get("aws_profile_name"),
                poll_interval=output.get("poll_interval", 1),
            ) as connection:
                yield _AthenaResults(connection.cursor(), options)
        else:
            with duckdb.connect(output["path"], read_only=True) as connection:
                yield _LocalResults(connection, options)
    except (AthenaError, duckdb.Error) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


def records(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    found: list[dict[str, Any]] = table.to_pylist()
    return found
