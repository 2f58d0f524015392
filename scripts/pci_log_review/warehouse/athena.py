"""Direct calls to Athena: checks the work group, and reads what its query history recorded of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from .dbt import DbtFailed
from .profile import AthenaConnection
from .results import ResultsError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_athena.type_defs import QueryExecutionTypeDef

_AT_ONCE = 50  # the most that BatchGetQueryExecution takes
_COMMENT = re.compile(r"\s*(?:--\s*)?/\*(.*?)\*/\s*", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """A statement that Athena executed; `node` is the model or test that sent it."""

    query_id: str
    node: str
    state: str
    submitted: str
    milliseconds: int
    bytes_scanned: int
    sql: str


def check_work_group(session: boto3.Session, connection: AthenaConnection) -> None:
    """Raises DbtFailed if the work group that profiles.yml names can't be used: otherwise each query would fail.

    A work group that enforces a location for its results would make Athena write the tables there, too, where they
    may expire.
    """
    name = connection.work_group
    athena = session.client("athena", region_name=connection.region_name)
    try:
        found = athena.get_work_group(WorkGroup=name)["WorkGroup"].get("Configuration", {})
    except (BotoCoreError, ClientError) as error:
        raise DbtFailed(f"work group {name!r} can't be used: {error}") from error
    place = found.get("ResultConfiguration", {}).get("OutputLocation")
    if place and found.get("EnforceWorkGroupConfiguration"):
        raise DbtFailed(
            f"work group {name!r} overrides client-side settings, so the tables would be written among its query "
            f"results in {place}, not to s3_data_dir: turn the override off"
        )


def queries_of(
    session: boto3.Session, connection: AthenaConnection, invocation_ids: list[str], since: datetime
) -> list[Query]:
    """The statements of dbt invocations, with their ids and bytes scanned, from the work group's history in the order
    of submission.

    They are found by the query comment that dbt_project.yml defines; dbt-athena puts it before every statement except
    `alter table`, which adds partitions and reads nothing. Raises ResultsError.
    """
    found: list[Query] = []
    try:
        athena = session.client("athena", region_name=connection.region_name)
        for ids in _recent_ids(athena, connection.work_group):
            answer = athena.batch_get_query_execution(QueryExecutionIds=ids)
            if answer.get("UnprocessedQueryExecutionIds"):
                raise ResultsError(f"the query history of Athena does not return all queries: {answer}")
            executions = answer["QueryExecutions"]
            found += [query for execution in executions if (query := _query(execution, invocation_ids))]
            submitted = [execution["Status"]["SubmissionDateTime"] for execution in executions]
            if submitted and max(submitted) < since:  # the history is listed newest first
                break
    except (BotoCoreError, ClientError) as error:
        raise ResultsError(f"the query history of Athena can't be read: {error}") from error
    return sorted(found, key=lambda query: (query.submitted, query.query_id))


def _recent_ids(athena: AthenaClient, work_group: str) -> Iterator[list[str]]:
    pages = athena.get_paginator("list_query_executions").paginate(
        WorkGroup=work_group, PaginationConfig={"PageSize": _AT_ONCE}
    )
    for page in pages:
        if page["QueryExecutionIds"]:
            yield page["QueryExecutionIds"]


def _query(execution: QueryExecutionTypeDef, invocation_ids: list[str]) -> Query | None:
    comment = _COMMENT.match(execution["Query"])
    try:
        sent_by = json.loads(comment[1]) if comment else {}
    except ValueError:
        return None
    if not comment or not isinstance(sent_by, dict) or sent_by.get("invocation_id") not in invocation_ids:
        return None
    statistics = execution.get("Statistics", {})
    return Query(
        query_id=execution["QueryExecutionId"],
        node=str(sent_by.get("node") or ""),
        state=execution["Status"]["State"],
        submitted=execution["Status"]["SubmissionDateTime"].isoformat(timespec="milliseconds"),
        milliseconds=int(statistics.get("TotalExecutionTimeInMillis", 0)),
        bytes_scanned=int(statistics.get("DataScannedInBytes", 0)),
        sql=execution["Query"][comment.end() :].strip(),
    )
