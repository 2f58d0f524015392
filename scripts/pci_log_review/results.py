"""Reads what a run left in the tables: the day's rows of a relation, on either target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from .project import RunOptions, UsageError


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


@contextmanager
def open_results(options: RunOptions) -> Iterator[Results]:
    """The results of the target that the run used. Raises UsageError where the target is not known."""
    if options.target != "local":
        raise UsageError(f"the results of target {options.target} can't be read yet")
    with duckdb.connect(options.state / "review.duckdb", read_only=True) as connection:
        yield _LocalResults(connection, options)


def records(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries."""
    found: list[dict[str, Any]] = table.to_pylist()
    return found
