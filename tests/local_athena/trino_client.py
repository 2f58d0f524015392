"""Trino's HTTP protocol, as much of it as Athena's front needs: run, cancel, count what was read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from .errors import QueryFailed
from .trino import CATALOG

# Athena's AthenaError knows 1 (system), 2 (user) and 3 (other).
_CATEGORIES = {"USER_ERROR": 2, "INTERNAL_ERROR": 1, "INSUFFICIENT_RESOURCES": 1, "EXTERNAL": 3}


@dataclass(frozen=True)
class Column:
    """A result column: the plain type name and Trino's full type signature."""

    name: str
    type: str
    signature: Mapping[str, Any]


@dataclass(frozen=True)
class Scan:
    """The bytes that one scan of a table took from storage."""

    schema: str
    table: str
    physical_bytes: int


@dataclass(frozen=True)
class TrinoResult:
    """What a finished query gave."""

    columns: tuple[Column, ...] = ()
    rows: list[list[Any]] = field(default_factory=list)
    update_count: int | None = None
    scans: tuple[Scan, ...] = ()


class TrinoClient:
    """Runs one statement after the other; used from several threads."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(
        self,
        sql: str,
        schema: str,
        session: Mapping[str, str],
        cancelled: threading.Event,
        on_failure_cause: Callable[[str], QueryFailed | None] = lambda _: None,
    ) -> TrinoResult:
        """Run a statement to its end; QueryFailed when it fails, an empty result when it was cancelled."""
        headers = {
            "X-Trino-User": "athena",
            "X-Trino-Source": "local-athena",
            "X-Trino-Catalog": CATALOG,
            "X-Trino-Schema": schema,
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        if session:
            headers["X-Trino-Session"] = ",".join(f"{CATALOG}.{key}={value}" for key, value in session.items())
        columns: tuple[Column, ...] = ()
        rows: list[list[Any]] = []
        with requests.Session() as http:
            http.headers.update(headers)
            page = http.post(f"{self._url}/v1/statement", data=sql.encode()).json()
            while True:
                if "error" in page:
                    raise _failure(page["error"], on_failure_cause)
                columns = columns or tuple(
                    Column(c["name"], c["typeSignature"]["rawType"], c["typeSignature"])
                    for c in page.get("columns", ())
                )
                rows.extend(page.get("data", ()))
                if "nextUri" not in page:
                    break
                if cancelled.is_set():
                    http.delete(page["nextUri"])
                    return TrinoResult()
                page = http.get(page["nextUri"]).json()
            scans: tuple[Scan, ...] = ()
            if page["stats"]["physicalInputBytes"]:  # the details are long, and most statements read nothing
                scans = tuple(_scans(http.get(f"{self._url}/v1/query/{page['id']}").json()))
        return TrinoResult(columns, rows, page.get("updateCount"), scans)


def _failure(error: dict[str, Any], on_cause: Callable[[str], QueryFailed | None]) -> QueryFailed:
    causes: list[str] = []
    cause = error.get("failureInfo")
    while cause:
        causes.append(cause.get("message") or cause.get("type", ""))
        cause = cause.get("cause")
    special = on_cause("\n".join(causes))
    if special is not None:
        return special
    name = error.get("errorName", "GENERIC_INTERNAL_ERROR")
    return QueryFailed(f"{name}: {error['message']}", _CATEGORIES.get(error.get("errorType", ""), 3))


def _scans(details: dict[str, Any]) -> Iterator[Scan]:
    """One Scan for each table scan of the plan: operators name their plan node, the query's inputs its table."""
    tables = {(i["fragmentId"], i["planNodeId"]): (i["schema"], i["table"]) for i in details.get("inputs", ())}
    waiting = [details["outputStage"]] if details.get("outputStage") else []
    while waiting:
        stage = waiting.pop()
        waiting.extend(stage["subStages"])
        fragment = stage["stageId"].rsplit(".", 1)[1]
        for operator in stage["stageStats"]["operatorSummaries"]:
            source = tables.get((fragment, operator.get("sourceId")))
            if source is not None:
                yield Scan(*source, physical_bytes=_bytes(operator["physicalInputDataSize"]))


def _bytes(size: str) -> int:
    return int(size.removesuffix("B"))
