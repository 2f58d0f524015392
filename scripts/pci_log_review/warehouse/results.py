"""Reads a run's results from the tables: the day's rows of a relation, on either target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

import boto3
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyathena
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow import csv
from pyathena.error import Error as AthenaError

from ..common.aws import s3_place
from .dbt import Node
from .json_texts import json_texts
from .profile import AthenaConnection

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_BATCH_ROWS = 1 << 14
_BLOCK_BYTES = 1 << 26  # of an Athena result; a row has to fit into one block

_LIMITS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "900MB"
}  # as the models have; the rest goes to disk

_ARROW_TYPES: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


class ResultsError(Exception):
    """The results of a run can't be read; the text says why."""


class Results(Protocol):
    """The day's rows of the relations that dbt built."""

    def rows(self, relation: str, order_by: str) -> pa.RecordBatchReader:
        """All columns of the day's rows, in a stable order, as they are fetched."""

    def findings(self) -> pa.RecordBatchReader:
        """The day's findings, requirement by requirement, each with `other_requirements`: under which others its event
        stands, with blanks between. NULL where there are none, or where the event has no id to be known by.
        """

    def stores(self) -> set[str]:
        """The listed stores, as the settings name them, that the day's findings touch."""

    def by_requirement(self, test: Node) -> dict[str, int]:
        """For a test of findings, the number of rows that it found under each requirement."""

    def counts(self, relations: Mapping[str, bool]) -> dict[str, int]:
        """The rows of relations: those of the day, or all of those for which no days are told apart (False)."""

    def seen_before(self) -> pa.Table:
        """What the day's actors did, from where and in which region, in the findings of the days before; see _SEEN."""


def _rows(run_date: date, relation: str, order_by: str) -> str:
    return f"select * from {relation} where run_date = date '{run_date}' order by {order_by}"


_OF_THE_EVENT = "array_agg(requirement) over (partition by event_id, log_file)"


def _findings(run_date: date, others: str) -> str:
    """SQL; `others` makes a text of those requirements of the event that are not the finding's own."""
    return f"""
        select *, case when event_id is not null then nullif({others}, '') end as other_requirements
        from findings where run_date = date '{run_date}'
        order by requirement, event_time, aws_account_id, event_id, log_file
    """


def _stores(run_date: date) -> str:
    return f"select distinct store from findings where run_date = date '{run_date}' and store is not null"


def _each(rows: list[tuple[str]]) -> set[str]:
    """The names in rows of _stores: a finding has those of all listed stores that its event touches."""
    return {store for (stores,) in rows for store in stores.split(", ")}


def _counts(run_date: date, relations: Mapping[str, bool]) -> str:
    of_day = f" where run_date = date '{run_date}'"
    return " union all ".join(
        f"select '{name}', count(*) from {name}{of_day if has_days else ''}" for name, has_days in relations.items()
    )


def _by_requirement(test: Node) -> str:
    return f"select requirement, count(*) as failures from (\n{test.compiled_sql}\n) as failing group by requirement"


_SEEN_DAYS = 90
_SEEN = ("principal_kind", "principal_account_id", "principal_name", "what", "value", "since")


def _seen_before(run_date: date) -> str:
    """SQL, the same for both engines: of the actors with findings on the day, each event, origin and region that the
    findings of the days before have, with the first day of each; and, as `days`, how many of these days were reviewed.
    """
    actor = ", ".join(f"coalesce({name}, '') as {name}" for name in _SEEN[:3])
    before = f"between date '{run_date - timedelta(_SEEN_DAYS)}' and date '{run_date - timedelta(1)}'"
    return f"""
        with today as (
            select distinct {actor} from findings where run_date = date '{run_date}'
        ),
        seen as (
            select
                {actor}, run_date, coalesce(event_source, '') || ' ' || coalesce(event_name, '') as event,
                coalesce(source_ip, '') as origin, coalesce(aws_region, '') as region
            from findings where run_date {before}
        ),
        first_seen as (
            select
                seen.principal_kind, seen.principal_account_id, seen.principal_name,
                case grouping(event, origin, region) when 3 then 'event' when 5 then 'origin' else 'region' end as what,
                coalesce(event, origin, region) as value, min(run_date) as since
            from seen
            inner join today
                on seen.principal_kind = today.principal_kind
                and seen.principal_account_id = today.principal_account_id
                and seen.principal_name = today.principal_name
            group by grouping sets (
                (seen.principal_kind, seen.principal_account_id, seen.principal_name, event),
                (seen.principal_kind, seen.principal_account_id, seen.principal_name, origin),
                (seen.principal_kind, seen.principal_account_id, seen.principal_name, region)
            )
        )
        select principal_kind, principal_account_id, principal_name, what, value, cast(since as varchar) as since
        from first_seen
        union all
        select '', '', '', 'days', cast(count(distinct run_date) as varchar), cast(min(run_date) as varchar)
        from daily_review where run_date {before}
        order by 1, 2, 3, 4, 5
    """


def _seen_table(rows: list[tuple[Any, ...]]) -> pa.Table:
    # an engine's driver may return an empty text as None
    found = [{name: str(value or "") for name, value in zip(_SEEN, row, strict=True)} for row in rows]
    return pa.Table.from_pylist(found, pa.schema([(name, pa.string()) for name in _SEEN]))


class _LocalResults:
    def __init__(self, connection: duckdb.DuckDBPyConnection, run_date: date) -> None:
        self._connection = connection
        self._run_date = run_date

    def rows(self, relation: str, order_by: str) -> pa.RecordBatchReader:
        return self._streamed(_rows(self._run_date, relation, order_by))

    def findings(self) -> pa.RecordBatchReader:
        others = f"list_filter({_OF_THE_EVENT}, lambda it: it <> requirement)"
        return self._streamed(_findings(self._run_date, f"array_to_string(list_sort(list_distinct({others})), ' ')"))

    def _streamed(self, query: str) -> pa.RecordBatchReader:
        # a separate cursor: a reader ends when its connection executes something else
        return self._connection.cursor().execute(query).to_arrow_reader(_BATCH_ROWS)

    def stores(self) -> set[str]:
        return _each(self._connection.execute(_stores(self._run_date)).fetchall())

    def by_requirement(self, test: Node) -> dict[str, int]:
        return dict(self._connection.execute(_by_requirement(test)).fetchall())

    def counts(self, relations: Mapping[str, bool]) -> dict[str, int]:
        return dict(self._connection.execute(_counts(self._run_date, relations)).fetchall())

    def seen_before(self) -> pa.Table:
        return _seen_table(self._connection.execute(_seen_before(self._run_date)).fetchall())


class _AthenaResults:
    """Streams the CSV file that Athena writes for a result.

    PyAthena's ArrowCursor would read it as a whole, take an empty text for NULL, and fail on line breaks.
    """

    def __init__(self, cursor: Any, s3: S3Client, run_date: date) -> None:
        self._cursor = cursor
        self._s3 = s3
        self._run_date = run_date

    def rows(self, relation: str, order_by: str) -> pa.RecordBatchReader:
        return self._streamed(_rows(self._run_date, relation, order_by))

    def findings(self) -> pa.RecordBatchReader:
        others = f"filter({_OF_THE_EVENT}, it -> it <> requirement)"
        return self._streamed(_findings(self._run_date, f"array_join(array_sort(array_distinct({others})), ' ')"))

    def _streamed(self, query: str) -> pa.RecordBatchReader:
        self._cursor.execute(query)
        types = {name: _ARROW_TYPES.get(kind, pa.string()) for name, kind, *_ in self._cursor.description}
        place = s3_place(self._cursor.output_location)
        found = self._s3.get_object(Bucket=place.bucket, Key=place.prefix.rstrip("/"))
        return csv.open_csv(
            cast(IO[bytes], found["Body"]),
            read_options=csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types,
                null_values=[""],  # NULL is an empty field, and an empty text is ""
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def stores(self) -> set[str]:
        return _each(self._cursor.execute(_stores(self._run_date)).fetchall())

    def by_requirement(self, test: Node) -> dict[str, int]:
        return dict(self._cursor.execute(_by_requirement(test)).fetchall())

    def counts(self, relations: Mapping[str, bool]) -> dict[str, int]:
        return dict(self._cursor.execute(_counts(self._run_date, relations)).fetchall())

    def seen_before(self) -> pa.Table:
        return _seen_table(self._cursor.execute(_seen_before(self._run_date)).fetchall())


@contextmanager
def open_results(session: boto3.Session, where: AthenaConnection | Path, run_date: date) -> Iterator[Results]:
    """The day's results on Athena, or in the DuckDB file. Raises ResultsError if they can't be read."""
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
                yield _AthenaResults(connection.cursor(), session.client("s3", region_name=where.region_name), run_date)
        else:
            with duckdb.connect(where, read_only=True, config=_LIMITS) as connection:
                # what a failing test found is asked for by the SQL of the test
                connection.create_function("pci_json_texts", json_texts, ["VARCHAR", "VARCHAR[]"], "VARCHAR[]")
                yield _LocalResults(connection, run_date)
    except (AthenaError, BotoCoreError, ClientError, duckdb.Error, pa.ArrowInvalid) as error:
        raise ResultsError(f"the results can't be read: {error}") from error


@dataclass(frozen=True)
class Summary:
    """The day at a glance: the relations that are read once, as a whole."""

    daily_review: pa.Table
    log_coverage: pa.Table
    log_files: pa.Table
    expected_lines: pa.Table
    seen_before: pa.Table


def read_summary(results: Results) -> Summary:
    """Reads the day's summary."""
    return Summary(
        results.rows("daily_review", "requirement").read_all(),
        results.rows("log_coverage", "account_id, region").read_all(),
        results.rows("log_files", "log_file").read_all(),
        results.rows("expected_lines", "line_id, requirement").read_all(),
        results.seen_before(),
    )


def rows_of(table: pa.Table, *having: str) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries; given column names, only rows in which one of them is not NULL."""
    if having:
        table = table.filter(reduce(pc.or_, (pc.is_valid(table[name]) for name in having)))
    found: list[dict[str, Any]] = table.to_pylist()
    return found
