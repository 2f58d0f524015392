"""Athena's API: it keeps work groups and the history of queries, and has each query executed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from botocore.exceptions import ClientError

from .athena_sql import Kind, classify, ctas_location, to_trino, tokenize, with_location
from .cloudtrail_format import BYTES_FACTOR, CloudTrailFormat
from .errors import DENIED, ApiError, QueryFailed, as_athena_denies
from .faults import Faults
from .hive_ddl import HiveDdl
from .result_text import column_info, csv_line, row_texts
from .trino_client import Column, TrinoClient, TrinoResult

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

_LONGEST_ANSWER_SECONDS = 0.5
STATEMENT_LIMIT = 262_144
_PAGE = 1000
_RUNNING = ("QUEUED", "RUNNING")


@dataclass(frozen=True)
class QueryRecord:
    """A query of the history, for tests to look at."""

    query_id: str
    statement: str
    work_group: str
    state: str
    reason: str | None
    bytes_scanned: int
    raw_bytes_scanned: int
    """The part of bytes_scanned that was read from CloudTrail's log files."""


@dataclass
class _Execution:
    statement: str
    kind: Kind
    work_group: str
    output: str
    context: dict[str, str]
    parameters: Sequence[str]
    query_id: str = field(default_factory=lambda: str(uuid4()))
    state: str = "QUEUED"
    failure: QueryFailed | None = None
    submitted: float = field(default_factory=time.time)
    completed: float | None = None
    columns: Sequence[Column] = ()
    rows: list[list[str | None]] = field(default_factory=list)
    update_count: int | None = None
    bytes_scanned: int = 0
    raw_bytes_scanned: int = 0
    cancel: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def reason(self) -> str | None:
        if self.state == "CANCELLED":
            return "Query cancelled by user"
        return self.failure.reason if self.failure else None

    def settle(self, state: str, failure: QueryFailed | None = None) -> None:
        if self.state in _RUNNING:  # a query that was cancelled stays cancelled
            self.state, self.failure, self.completed = state, failure, time.time()
            self.ended.set()


class AthenaApi:
    """Answers Athena's actions; queries run in threads of its own."""

    def __init__(
        self, trino: TrinoClient, glue: GlueClient, s3: Any, cloudtrail: CloudTrailFormat, faults: Faults
    ) -> None:
        self._trino = trino
        self._glue = glue
        self._s3 = s3
        self._cloudtrail = cloudtrail
        self._faults = faults
        self._ddl = HiveDdl(glue, self._list_keys)
        self._executor = ThreadPoolExecutor(max_workers=8, thread_name_prefix="athena-query")
        self._lock = threading.Lock()
        self._executions: dict[str, _Execution] = {}
        self._work_groups: dict[str, dict[str, Any]] = {"primary": {"Name": "primary", "State": "ENABLED"}}
        self._answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartQueryExecution": self._start,
            "GetQueryExecution": self._get,
            "BatchGetQueryExecution": self._batch_get,
            "ListQueryExecutions": self._list,
            "GetQueryResults": self._results,
            "GetQueryRuntimeStatistics": self._statistics,
            "StopQueryExecution": self._stop,
            "CreateWorkGroup": self._create_work_group,
            "UpdateWorkGroup": self._update_work_group,
            "DeleteWorkGroup": self._delete_work_group,
            "GetWorkGroup": lambda request: {"WorkGroup": self._work_group(request.get("WorkGroup"))},
            "ListWorkGroups": lambda _: {"WorkGroups": list(self._work_groups.values())},
            "ListDataCatalogs": lambda _: {"DataCatalogsSummary": [{"CatalogName": "AwsDataCatalog", "Type": "GLUE"}]},
            "GetDataCatalog": lambda request: {"DataCatalog": {"Name": request.get("Name"), "Type": "GLUE"}},
        }

    def close(self) -> None:
        """Cancel what runs, and wait for it."""
        for execution in list(self._executions.values()):
            execution.cancel.set()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def answer(self, action: str, request: dict[str, Any]) -> dict[str, Any]:
        """The response to an action of Athena's API; ApiError when it is refused."""
        if action not in self._answers:
            raise ApiError("InvalidRequestException", f"{action} is not part of this local service")
        return self._answers[action](request)

    def history(self, work_group: str | None = None) -> list[QueryRecord]:
        """Every query so far, oldest first; of one work group if it is named."""
        with self._lock:
            executions = list(self._executions.values())
        return [
            QueryRecord(e.query_id, e.statement, e.work_group, e.state, e.reason, e.bytes_scanned, e.raw_bytes_scanned)
            for e in executions
            if work_group is None or e.work_group == work_group
        ]

    def work_group_of(self, query_id: str) -> str | None:
        """The work group that runs a query, None where there is no such query."""
        execution = self._executions.get(query_id)
        return execution.work_group if execution else None

    # -- work groups

    def _work_group(self, name: str | None) -> dict[str, Any]:
        found = self._work_groups.get(name or "primary")
        if found is None:
            raise ApiError("InvalidRequestException", "WorkGroup is not found.")
        return found

    def _create_work_group(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Name"] in self._work_groups:
            raise ApiError("InvalidRequestException", "WorkGroup is already created.")
        configuration = request.get("Configuration", {})
        self._work_groups[request["Name"]] = {
            "Name": request["Name"],
            "State": "ENABLED",
            "Description": request.get("Description", ""),
            "CreationTime": time.time(),
            # AWS enforces the work group's settings unless it is told otherwise.
            "Configuration": {"EnforceWorkGroupConfiguration": True, **configuration},
        }
        return {}

    def _update_work_group(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._work_group(request["WorkGroup"])
        group["State"] = request.get("State", group["State"])
        updates = dict(request.get("ConfigurationUpdates", {}))
        results = updates.pop("ResultConfigurationUpdates", {})
        configuration = group.setdefault("Configuration", {})
        configuration.update(updates)
        configuration.setdefault("ResultConfiguration", {}).update(results)
        return {}

    def _delete_work_group(self, request: dict[str, Any]) -> dict[str, Any]:
        self._work_group(request["WorkGroup"])
        del self._work_groups[request["WorkGroup"]]
        return {}

    # -- queries

    def _find(self, request: dict[str, Any]) -> _Execution:
        found = self._executions.get(request["QueryExecutionId"])
        if found is None:
            raise ApiError("InvalidRequestException", f"QueryExecution {request['QueryExecutionId']} was not found")
        return found

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        statement = request["QueryString"]
        if len(statement.encode()) > STATEMENT_LIMIT:
            raise ApiError(
                "InvalidRequestException",
                f"1 validation error detected: Value '{statement[:100]}...' at 'queryString' failed to satisfy "
                f"constraint: Member must have length less than or equal to {STATEMENT_LIMIT}",
            )
        group = self._work_group(request.get("WorkGroup"))
        if group["State"] != "ENABLED":
            raise ApiError("InvalidRequestException", f"WorkGroup {group['Name']} is disabled.")
        output = self._output_location(group, request.get("ResultConfiguration", {}).get("OutputLocation"))
        try:
            kind = classify(statement)
        except QueryFailed as failure:
            raise ApiError("InvalidRequestException", failure.reason) from failure
        context = {key: value.lower() for key, value in request.get("QueryExecutionContext", {}).items()}
        parameters = request.get("ExecutionParameters", ())
        execution = _Execution(statement, kind, group["Name"], output, context, parameters)
        with self._lock:
            self._executions[execution.query_id] = execution
        self._executor.submit(self._run, execution)
        return {"QueryExecutionId": execution.query_id}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(request)
        # whoever polls waits here instead: each question costs both sides milliseconds
        execution.ended.wait(timeout=_LONGEST_ANSWER_SECONDS)
        return {"QueryExecution": _describe(execution)}

    def _output_location(self, group: Mapping[str, Any], requested: str | None) -> str:
        configuration = group.get("Configuration", {})
        own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
        location = own if own and configuration.get("EnforceWorkGroupConfiguration") else requested or own
        if not location:
            raise ApiError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the Workgroup result "
                "configuration setting or as an API input.",
            )
        bucket = location.removeprefix("s3://").split("/")[0]
        try:
            self._s3.head_bucket(Bucket=bucket)
        except ClientError as error:
            raise ApiError("InvalidRequestException", f"Unable to verify/create output bucket {bucket}") from error
        return str(location).rstrip("/")

    def _run(self, execution: _Execution) -> None:
        if execution.cancel.is_set() or self._faults.is_cancelled(execution.statement):
            execution.settle("CANCELLED")
            return
        execution.state = "RUNNING"
        try:
            if execution.kind is Kind.HIVE_DDL:
                lines = self._ddl.execute(execution.statement, execution.context.get("Database", "default"))
                execution.rows = [[line] for line in lines]
            else:
                self._run_in_trino(execution)
            self._write_result(execution)
            execution.settle("CANCELLED" if execution.cancel.is_set() else "SUCCEEDED")
        except QueryFailed as failure:
            execution.settle("FAILED", failure)
        except Exception as error:  # a query must end in a state, whatever happens here
            execution.settle("FAILED", QueryFailed(f"GENERIC_INTERNAL_ERROR: {error}", category=1, error_type=1))

    def _run_in_trino(self, execution: _Execution) -> None:
        sql, kind = execution.statement, execution.kind
        if kind is Kind.CTAS:
            sql = self._prepare_ctas(execution)
        statement = to_trino(sql, kind, execution.parameters)
        database = execution.context.get("Database", "default")
        try:
            result = self._trino.run(statement.sql, database, statement.session, execution.cancel, _denied)
        except QueryFailed as failure:
            if kind in (Kind.CTAS, Kind.INSERT):
                raise QueryFailed(
                    f"{failure.reason}. If a data manifest file was generated at '{execution.output}/"
                    f"{execution.query_id}-manifest.csv', you may need to manually clean the data from locations "
                    "specified in the manifest. Athena will not delete data in your account.",
                    failure.category,
                    failure.error_type,
                ) from failure
            raise
        if kind is Kind.CREATE_VIEW and not execution.cancel.is_set():
            self._give_columns_to_view(sql, database)
        self._keep(execution, result)

    def _prepare_ctas(self, execution: _Execution) -> str:
        sql, location = execution.statement, ctas_location(execution.statement)
        if location is None:
            location = f"{execution.output}/tables/{execution.query_id}"
            sql = with_location(sql, location)
        elif next(iter(self._list_keys(location.rstrip("/") + "/")), None) is not None:
            raise QueryFailed(f"HIVE_PATH_ALREADY_EXISTS: Target directory for table already exists: {location}")
        return sql

    def _give_columns_to_view(self, sql: str, database: str) -> None:
        """Athena keeps a view's columns in Glue, where dbt looks for them; Trino keeps them to itself."""
        name = [part.strip('"').lower() for part in view_name(sql)]
        schema, view = ([database, *name])[-2:]
        described = self._trino.run(f'DESCRIBE "{schema}"."{view}"', schema, {}, threading.Event()).rows
        table = cast(dict[str, Any], self._glue.get_table(DatabaseName=schema, Name=view)["Table"])
        kept = ("Name", "StorageDescriptor", "TableType", "Parameters", "ViewOriginalText", "ViewExpandedText")
        update = {key: table[key] for key in kept if key in table}
        columns = [{"Name": row[0], "Type": glue_type(row[1])} for row in described]
        update["StorageDescriptor"] = {**table.get("StorageDescriptor", {}), "Columns": columns}
        self._glue.update_table(DatabaseName=schema, TableInput=cast(Any, update))

    def _keep(self, execution: _Execution, result: TrinoResult) -> None:
        for scan in result.scans:
            is_raw = self._cloudtrail.has_table(scan.schema, scan.table)
            read = scan.physical_bytes // BYTES_FACTOR if is_raw else scan.physical_bytes
            execution.bytes_scanned += read
            execution.raw_bytes_scanned += read if is_raw else 0
        execution.update_count = result.update_count
        if execution.kind in (Kind.CTAS, Kind.INSERT):
            return
        execution.columns = result.columns
        rows = [row_texts(row, result.columns) for row in result.rows]
        if execution.kind is Kind.EXPLAIN:
            rows = [[line] for row in rows for line in (row[0] or "").splitlines()]
        elif execution.kind.is_text:
            rows = [["\t".join(value or "" for value in row)] for row in rows]
        execution.rows = rows

    def _write_result(self, execution: _Execution) -> None:
        if execution.kind in (Kind.CTAS, Kind.INSERT):
            return
        if execution.kind.is_text:
            lines = [row[0] or "" for row in execution.rows]
        else:
            header: list[str | None] = [column.name for column in execution.columns]
            lines = [csv_line(row) for row in (header, *execution.rows)]
        text = "".join(f"{line}\n" for line in lines)
        bucket, _, key = _result_object(execution).removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=text.encode())

    def _list_keys(self, location: str) -> Iterator[str]:
        """The keys under `s3://bucket/prefix`, each without the prefix."""
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                yield entry["Key"].removeprefix(prefix)

    # -- what the API tells about queries

    def _batch_get(self, request: dict[str, Any]) -> dict[str, Any]:
        ids = request["QueryExecutionIds"]
        if len(ids) > 50:
            raise ApiError("InvalidRequestException", "Too many query execution ids, the maximum is 50")
        return {
            "QueryExecutions": [_describe(self._executions[i]) for i in ids if i in self._executions],
            "UnprocessedQueryExecutionIds": [
                {
                    "QueryExecutionId": i,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {i} was not found",
                }
                for i in ids
                if i not in self._executions
            ],
        }

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self._work_group(request.get("WorkGroup"))["Name"]
        newest_first = [record.query_id for record in reversed(self.history(group))]
        ids, token = _page(newest_first, request, 50)
        return {"QueryExecutionIds": ids, **token}

    def _results(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(request)
        if execution.state in _RUNNING:
            raise ApiError("InvalidRequestException", f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise ApiError(
                "InvalidRequestException",
                f"Query did not finish successfully. Final query state: {execution.state}",
            )
        rows = execution.rows
        if not execution.kind.is_text and execution.columns:
            rows = [[column.name for column in execution.columns], *rows]
        page, token = _page(rows, request, _PAGE)
        data = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in page]
        answer: dict[str, Any] = {
            "ResultSet": {
                "Rows": data,
                "ResultSetMetadata": {"ColumnInfo": [column_info(column) for column in execution.columns]},
            },
            **token,
        }
        if execution.update_count is not None:
            answer["UpdateCount"] = execution.update_count
        elif execution.kind is Kind.SELECT:
            answer["UpdateCount"] = 0
        return answer

    def _statistics(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(request)
        rows = {
            "InputBytes": execution.bytes_scanned,
            "InputRows": 0,
            "OutputBytes": 0,
            "OutputRows": execution.update_count or len(execution.rows),
        }
        return {"QueryRuntimeStatistics": {"Timeline": _timeline(execution), "Rows": rows}}

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._find(request)
        execution.cancel.set()  # the thread that runs it tells Trino
        execution.settle("CANCELLED")
        return {}


def view_name(sql: str) -> list[str]:
    """The parts of the name in CREATE [OR REPLACE] VIEW."""
    tokens = tokenize(sql)
    start = next(i for i, token in enumerate(tokens) if token.is_word("VIEW")) + 1
    end = next(i for i, token in enumerate(tokens) if i > start and token.is_word("AS", "COMMENT", "SECURITY"))
    return [token.text for token in tokens[start:end] if token.text != "."]


def glue_type(trino_type: str) -> str:
    """A type of Trino's DESCRIBE as Glue writes it; views over nested types are not needed here."""
    base = trino_type.split("(")[0]
    return {"varchar": "string", "integer": "int", "timestamp": "timestamp", "real": "float"}.get(base, trino_type)


def _denied(causes: str) -> QueryFailed | None:
    """Athena tells of a missing permission in its own way."""
    line = next((line for line in causes.splitlines() if DENIED in line), None)
    if line is None:
        return None
    return QueryFailed(
        f"Insufficient permissions to execute the query. {as_athena_denies(line)}", category=2, error_type=1100
    )


def _page(items: Sequence[Any], request: dict[str, Any], largest: int) -> tuple[Sequence[Any], dict[str, str]]:
    start = int(request.get("NextToken") or 0)
    end = start + min(int(request.get("MaxResults") or largest), largest)
    return items[start:end], ({"NextToken": str(end)} if end < len(items) else {})


def _result_object(execution: _Execution) -> str:
    if execution.kind in (Kind.CTAS, Kind.INSERT):
        return f"{execution.output}/tables/{execution.query_id}"
    return f"{execution.output}/{execution.query_id}.{'txt' if execution.kind.is_text else 'csv'}"


def _timeline(execution: _Execution) -> dict[str, int]:
    total = int(1000 * ((execution.completed or time.time()) - execution.submitted))
    return {
        "QueryQueueTimeInMillis": 0,
        "ServicePreProcessingTimeInMillis": 0,
        "EngineExecutionTimeInMillis": total,
        "QueryPlanningTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": 0,
        "TotalExecutionTimeInMillis": total,
    }


def _describe(execution: _Execution) -> dict[str, Any]:
    status: dict[str, Any] = {"State": execution.state, "SubmissionDateTime": execution.submitted}
    if execution.completed is not None:
        status["CompletionDateTime"] = execution.completed
    if execution.reason is not None:
        status["StateChangeReason"] = execution.reason
    if execution.failure is not None:
        status["AthenaError"] = {
            "ErrorCategory": execution.failure.category,
            "ErrorType": execution.failure.error_type,
            "Retryable": False,
            "ErrorMessage": execution.failure.reason,
        }
    return {
        "QueryExecutionId": execution.query_id,
        "Query": execution.statement,
        "StatementType": execution.kind.statement_type,
        "SubstatementType": execution.kind.value[1],
        "ResultConfiguration": {"OutputLocation": _result_object(execution)},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        "QueryExecutionContext": execution.context,
        "Status": status,
        "Statistics": {"DataScannedInBytes": execution.bytes_scanned, **_timeline(execution)},
        "WorkGroup": execution.work_group,
        "EngineVersion": {
            "SelectedEngineVersion": "AUTO",
            "EffectiveEngineVersion": "Athena engine version 3",
        },
    }
